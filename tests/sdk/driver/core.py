"""One sessiond process, and the requests that an operator sends to it."""

import http.client
import json
import os
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness import Failure, true, until

REPOSITORY = Path(__file__).resolve().parents[3]
BINARY = os.environ.get("SESSIOND_BIN") or str(REPOSITORY / "target/debug/sessiond")
IMPORTERS = 4


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Core:
    """A server on its own folder and port; both stay the same when it is started again."""

    def __init__(self, folder, **settings):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True)
        self.port = free_port()
        self.uri = f"http://127.0.0.1:{self.port}"
        self.settings = {key.upper(): str(value) for key, value in settings.items()}
        self.process = None
        self.start()

    def start(self):
        true(os.access(BINARY, os.X_OK), f"no server at {BINARY}: build it, or set SESSIOND_BIN")
        with open(self.folder / "server.log", "ab") as log:
            self.process = subprocess.Popen(
                [BINARY, "serve", "--dev", "--data-dir", str(self.folder / "data")]
                + ["--host", "127.0.0.1", "--port", str(self.port)],
                cwd=self.folder,
                env={**os.environ, **self.settings},
                stdout=log,
                stderr=log,
            )
        until(15, f"{BINARY} answers /hello", self._up)

    def _up(self):
        if self.process.poll() is not None:
            raise Failure(f"the server ended with {self.process.returncode}: {self.log_tail()}")
        try:
            with urllib.request.urlopen(self.uri + "/hello", timeout=5) as reply:
                return reply.read().startswith(b"Hello")
        except OSError:
            return False

    def stop(self, kill=False):
        """A clean stop (SIGTERM), or `kill -9`."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
            self.process.wait(20)

    def log_tail(self):
        return (self.folder / "server.log").read_text(errors="replace")[-1500:]

    def cli(self, *words):
        """Runs a command of the same binary on this server's folder; returns its output."""
        done = subprocess.run(
            [BINARY, *words, "--data-dir", str(self.folder / "data")],
            capture_output=True,
            text=True,
            timeout=30,
        )
        true(done.returncode == 0, f"sessiond {' '.join(words)}: {done.stderr or done.stdout}")
        return done.stdout

    def call(self, method, path, body=None, **headers):
        """Status and JSON (or text) of one request, as an operator sends it."""
        request = urllib.request.Request(
            self.uri + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **headers},
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as reply:
                text = reply.read().decode()
                return reply.status, json.loads(text) if text.startswith("{") else text.strip()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode().strip()

    def put_app(self, app_id, settings):
        """Creates an app or changes its settings."""
        body = {"appId": app_id, "coreConfig": settings}
        status, answer = self.call("PUT", "/recipe/multitenancy/app/v2", body)
        true(status == 200 and answer["status"] == "OK", f"app {app_id}: {status} {answer}")

    def import_accounts(self, app_id, emails, password_hash):
        """Creates accounts whose passwords were hashed elsewhere, over a few connections at once."""

        def some(share):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            for email in share:
                body = json.dumps({"email": email, "passwordHash": password_hash})
                path = f"/appid-{app_id}/recipe/user/passwordhash/import"
                connection.request("POST", path, body, {"Content-Type": "application/json"})
                reply = connection.getresponse()
                answer = reply.read().decode()
                true(reply.status == 200 and '"OK"' in answer, f"import of {email}: {reply.status} {answer}")
            connection.close()

        with ThreadPoolExecutor(IMPORTERS) as pool:
            list(pool.map(some, [emails[n::IMPORTERS] for n in range(IMPORTERS)]))

    def jwks(self, app_id):
        status, answer = self.call("GET", f"/appid-{app_id}/.well-known/jwks.json")
        true(status == 200, f"JWKS of {app_id}: {status} {answer}")
        return answer["keys"]

    def timeline(self, app_id, handle):
        """The kinds of a session's events, oldest first, as one text."""
        path = f"/appid-{app_id}/recipe/session/timeline?sessionHandle={handle}"
        status, answer = self.call("GET", path)
        true(status == 200, f"timeline of {handle}: {status} {answer}")
        return json.dumps(answer)


class FrontDoor(Core):
    """A server with a front door on a port of its own; `front` has the settings of that."""

    def __init__(self, folder, front, **settings):
        self.front_port = free_port()
        own = {f"sessiond_{name}": value for name, value in {**front, "front_port": self.front_port}.items()}
        super().__init__(folder, **own, **settings)
