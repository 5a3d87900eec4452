"""The proxies of docs/gate: nginx and Caddy as processes with the documents' configurations, and what Traefik's
documentation says it does.
"""

import http.client
import http.server
import re
import ssl
import subprocess
import threading
from pathlib import Path

from core import REPOSITORY, free_port
from harness import Failure, same, true, until

HOST = "app.example.com"


def block(document, kind, index=0):
    text = (REPOSITORY / "docs/gate" / document).read_text()
    return re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)[index]


def replaced(text, pairs):
    """The text with addresses of this run; each must be there as often as it says."""
    for old, count, new in pairs:
        same(text.count(old), count, f"{old!r} in the document")
        text = text.replace(old, new)
    return text


def certificate(folder):
    """A certificate of the tests' own, made once."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-days", "2", "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"]
    subprocess.run([*command, "-out", cert, "-keyout", key], check=True, capture_output=True)
    return cert, key


class Process:
    """A proxy that runs until it is stopped."""

    def __init__(self, name, folder, command, port, env=None):
        self.name, self.port, self.log = name, port, folder / f"{name}.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=env)
        until(20, f"{name} listens", self._up)

    def _up(self):
        if self.process.poll() is not None:
            raise Failure(f"{self.name} ended: {self.log.read_text()[-1500:]}")
        try:
            connection = connect(self.port)
            connection.connect()
            connection.close()
            return True
        except OSError:
            return False

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(15)


class Connection(http.client.HTTPConnection):
    """A connection to the site at a proxy of this run."""

    def connect(self):
        super().connect()
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.sock = context.wrap_socket(self.sock, server_hostname=HOST)


def connect(port):
    return Connection("127.0.0.1", port, timeout=30)


def nginx(folder, front, application, files):
    folder.mkdir()
    port = free_port()
    site = replaced(
        block("nginx.md", "nginx", 1),
        [
            ("listen 443 ssl;", 1, f"listen 127.0.0.1:{port} ssl;"),
            ("/etc/ssl/app.example.com.pem", 1, str(files[0])),
            ("/etc/ssl/app.example.com.key", 1, str(files[1])),
            ("127.0.0.1:3568", 3, f"127.0.0.1:{front}"),
            ("127.0.0.1:8000", 2, f"127.0.0.1:{application}"),
        ],
    )
    (folder / "gate.conf").write_text(block("nginx.md", "nginx", 0))
    # Paths that Debian's package sets at build time belong to root.
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = f"daemon off; pid {folder}/pid; error_log stderr; worker_processes 1; events {{ worker_connections 1024; }}\n"
    (folder / "nginx.conf").write_text(f"{main}http {{ access_log off;\n{temporary}{site}}}\n")
    return Process("nginx", folder, ["/usr/sbin/nginx", "-c", folder / "nginx.conf", "-p", folder], port)


def caddy(folder, front, application, files):
    folder.mkdir()
    port = free_port()
    site = replaced(
        block("caddy.md", "caddyfile"),
        [
            (f"{HOST} {{", 1, f"https://{HOST}:{port} {{\n\tbind 127.0.0.1\n\ttls {files[0]} {files[1]}"),
            ("127.0.0.1:3568", 3, f"127.0.0.1:{front}"),
            ("127.0.0.1:8000", 2, f"127.0.0.1:{application}"),
        ],
    )
    (folder / "Caddyfile").write_text(f"{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n{site}")
    command = ["/usr/bin/caddy", "run", "--config", "Caddyfile", "--adapter", "caddyfile"]
    return Process("caddy", folder, command, port, {"HOME": str(folder), "XDG_DATA_HOME": str(folder / "data")})


class Traefik:
    """ForwardAuth and routing as Traefik's documentation describes them, with the document's addresses and headers."""

    def __init__(self, folder, front, application, files):
        text = block("traefik.md", "yaml", 1)
        self.name, self.front, self.application = "traefik", front, application
        self.gates = [address.split(":3568")[1] for address in re.findall(r"address: (\S+)", text)]
        same(len(self.gates), 2, "gates in the document")
        self.identity = re.findall(r"^          - (\S+)$", text.split("authResponseHeaders")[1].split("gate-admin")[0], re.M)
        true(len(self.identity) == 10, f"headers in the document: {self.identity}")
        self.rules = re.findall(r"rule: (.*)", text)
        true("!Path(`/auth/gate`)" in self.rules[0] and "[^/]+/gate$" in self.rules[0], "the gate is closed to visitors")
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                proxy.serve(self)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = answer

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 256

        self.server = Server(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def serve(self, visitor):
        path = visitor.path.split("?")[0]
        is_gate = path == "/auth/gate" or re.fullmatch(r"/auth/[^/]+/gate", path)
        length = int(visitor.headers.get("Content-Length") or 0)
        body = visitor.rfile.read(length)
        kept = [(name, value) for name, value in visitor.headers.items() if not name.lower().startswith("x-forwarded-")]
        forwarded = [("X-Forwarded-For", "127.0.0.1"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", HOST)]
        if (path == "/auth" or path.startswith("/auth/")) and not is_gate:
            return self.hand_on(visitor, self.ask(self.front, visitor.command, visitor.path, kept + forwarded, body))
        gate = self.gates[1 if path.startswith("/admin/") else 0]
        about = [("X-Forwarded-Method", visitor.command), ("X-Forwarded-Uri", visitor.path)]
        asked = [(name, value) for name, value in kept if name.lower() != "content-length"]
        reply = self.ask(self.front, "GET", gate, asked + forwarded + about, b"")
        if not 200 <= reply[0] < 300:
            return self.hand_on(visitor, reply)
        names = [name.lower() for name in self.identity]
        told = [(name, value) for name, value in reply[1] if name.lower() in names]
        kept = [(name, value) for name, value in kept if name.lower() not in names]
        self.hand_on(visitor, self.ask(self.application, visitor.command, visitor.path, kept + forwarded + told, body))

    @staticmethod
    def ask(port, method, path, headers, body):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders(body)
        reply = connection.getresponse()
        found = reply.status, reply.getheaders(), reply.read()
        connection.close()
        return found

    @staticmethod
    def hand_on(visitor, reply):
        status, headers, body = reply
        visitor.send_response(status)
        for name, value in headers:
            if name.lower() not in ("connection", "content-length", "transfer-encoding", "date", "server"):
                visitor.send_header(name, value)
        visitor.send_header("Content-Length", str(len(body)))
        visitor.end_headers()
        if visitor.command != "HEAD":
            visitor.wfile.write(body)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
