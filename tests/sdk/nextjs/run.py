"""A Next.js site and a front door on two ports of one host; tokens live five seconds and are signed with RS256."""

import os
import subprocess
import sys
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "driver"))
from browse import browse  # noqa: E402
from core import free_port  # noqa: E402
from harness import true, until  # noqa: E402


class Site:
    """The site as a process, built for the addresses that it will have."""

    def __init__(self, folder, api, core):
        port = free_port()
        self.address = f"http://localhost:{port}"
        own = {"NEXT_PUBLIC_API": api, "NEXT_PUBLIC_WEBSITE": self.address, "CORE_URI": core, "NEXT_TELEMETRY_DISABLED": "1"}
        next_js = ["node", "node_modules/next/dist/bin/next"]
        with open(folder / "next.log", "ab") as log:
            how = {"cwd": HERE, "env": {**os.environ, **own}, "stdout": log, "stderr": log}
            built = subprocess.run([*next_js, "build"], timeout=240, **how)
            true(built.returncode == 0, f"next build: {folder / 'next.log'}")
            self.process = subprocess.Popen([*next_js, "start", "--hostname", "localhost", "--port", str(port)], **how)
        until(30, "the site answers", self._up)

    def _up(self):
        true(self.process.poll() is None, "the site ended")
        try:
            return urllib.request.urlopen(f"{self.address}/auth", timeout=5).status == 200
        except OSError:
            return False

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


def prepare(run):
    front = {"api_base_path": "/api/auth", "access_token_signing_algorithm": "RS256"}
    server = run.front_door(front=front, access_token_validity=5, access_token_validity_jitter=0, bcrypt_log_rounds=4)
    api = f"http://localhost:{server.front_port}"
    return {"API": api, "CORE_URI": server.uri, "SITE": run.keep(Site(run.folder, api, server.uri)).address}


browse(HERE, prepare)
