"""Debian's nginx, as it stands in front of a front door and serves the pages of its website."""

import os
import subprocess
from pathlib import Path

from core import free_port
from harness import Failure, until

# What docs/front-door.md tells people to write.
HEADERS = {"Host": "$host", "X-Forwarded-For": "$remote_addr"}


class Nginx:
    """One process for all sites, on one port for http and one for https."""

    def __init__(self, folder, certificates, pages):
        self.folder = Path(folder)
        self.folder.mkdir()
        self.certificates = certificates
        self.pages = pages
        self.ports = {"http": free_port(), "https": free_port()}
        self.servers = []
        self.process = None

    def site(self, *names):
        """Serves the pages under these names, with both schemes."""
        self._server(names, self._pages())

    def front_door(self, port, *names, headers=None, location="/", target="", more="", has_pages=False):
        """Passes requests for these names on to a front door. `headers` replaces some of the usual ones: with "", none
        is sent; with None, it is left to nginx. `target` is the path that takes the location's place, `more` has further
        directives; with `has_pages`, the website is on the same hosts.
        """
        lines = [f'proxy_set_header {name} "{value}";' for name, value in {**HEADERS, **(headers or {})}.items() if value is not None]
        block = f"proxy_pass http://127.0.0.1:{port}{target}; {' '.join(lines)} {more}"
        self._server(names, f"location {location} {{ {block} }} {self._pages() if has_pages else ''}")

    def _pages(self):
        return f"location / {{ root {self.pages}; try_files $uri /website.html; }}"

    def _server(self, names, block):
        listen = f"listen 127.0.0.1:{self.ports['http']}; listen 127.0.0.1:{self.ports['https']} ssl;"
        self.servers.append(f"server {{ {listen} server_name {' '.join(names)}; {block} }}\n")

    def start(self):
        home = self.certificates
        temporary = " ".join(f"{kind}_temp_path {self.folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user root;" if os.geteuid() == 0 else ""
        (self.folder / "nginx.conf").write_text(
            f"{user} daemon off; worker_processes 1; pid {self.folder}/pid; error_log {self.folder}/error.log;\n"
            "events { worker_connections 1024; }\n"
            f"http {{ access_log off; {temporary} include /etc/nginx/mime.types; server_names_hash_bucket_size 128;\n"
            f"ssl_certificate {home}/sites.pem; ssl_certificate_key {home}/sites.key; proxy_buffer_size 16k; proxy_buffers 8 16k;\n"
            f"{''.join(self.servers)}}}\n"
        )
        command = ["nginx", "-p", str(self.folder), "-e", f"{self.folder}/error.log", "-c", f"{self.folder}/nginx.conf"]
        self.process = subprocess.Popen(command)
        until(10, "nginx serves", self._is_up)

    def _is_up(self):
        if self.process.poll() is not None:
            raise Failure(f"nginx ended with {self.process.returncode}: {(self.folder / 'error.log').read_text()}")
        return (self.folder / "pid").exists()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)
