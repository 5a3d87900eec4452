"""Takes the code blocks of docs/front-door.md, starts what they start, and lets drive.js act as the reader."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "driver"))
from browse import browse  # noqa: E402
from core import BINARY, REPOSITORY, free_port  # noqa: E402
from harness import same, true, until  # noqa: E402

BLOCKS = re.findall(r"```(\w+)\n(.*?)```", (REPOSITORY / "docs/front-door.md").read_text(), re.DOTALL)
QUICK_START = ["sh", "sh", "html", "sh", "sh"]
# What the pages of the second server change in the reader's page.
INIT = "Session.init()"


def block(kind, index):
    return [text for name, text in BLOCKS[: len(QUICK_START)] if name == kind][index]


class Machine:
    """The reader's machine: a folder of their own, with `sessiond` in the path and free ports for everything."""

    def __init__(self, folder):
        self.folder = folder
        self.running = []
        self.site = free_port()
        (folder / "bin").mkdir()
        true(os.access(BINARY, os.X_OK), f"no server at {BINARY}: build it, or set SESSIOND_BIN")
        (folder / "bin/sessiond").symlink_to(Path(BINARY).resolve())
        self.environment = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}

    def start(self, name, script, cwd, **environment):
        """Runs a script that does not end by itself; returns its log."""
        log = self.folder / f"{name}.log"
        with open(log, "ab") as output:
            process = subprocess.Popen(
                ["bash", "-e", "-c", script],
                cwd=cwd,
                env={**self.environment, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.running.append(process)

        def said(text):
            true(process.poll() is None, f"{name} ended: {log.read_text()[-1500:]}")
            return text in re.sub(r"\x1b\[\d+m", "", log.read_text())

        return said

    def server(self, name, script, front, **settings):
        """Starts a server whose front door is on this port; returns the port of its core."""
        port = free_port()
        ports = {"SUPERTOKENS_PORT": str(port), "SESSIOND_FRONT_PORT": str(front)}
        said = self.start(name, script, self.folder, **ports, **settings)
        until(20, f"{name} says where the front door is", lambda: said(f"front door on http://localhost:{front}"))
        until(20, f"{name} serves", lambda: said("Started SuperTokens on "))
        return port

    def run(self, script, cwd):
        done = subprocess.run(
            ["bash", "-e", "-c", script], cwd=cwd, env=self.environment, capture_output=True, text=True, timeout=240
        )
        true(done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}")

    def page(self, name, front, origin="http://localhost", session=INIT):
        """Writes the reader's page, for a front door at another address."""
        text = block("html", 0)
        same([text.count("http://localhost:3568"), text.count(INIT)], [1, 1], "what changes in the document's page")
        text = text.replace("http://localhost:3568", f"{origin}:{front}").replace(INIT, session)
        (self.folder / "my-site" / name).write_text(text)

    def stop(self):
        """Ends the groups of processes that this run started, and waits for them."""
        for process in reversed(self.running):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()


def quick_start(machine):
    """Everything up to the reader's first look at the page; returns what the page needs to know."""
    same([kind for kind, _ in BLOCKS[: len(QUICK_START)]], QUICK_START, "kinds of the first blocks")
    front = free_port()
    core = machine.server("server", block("sh", 0), front)
    machine.run(block("sh", 1), machine.folder)
    machine.page("index.html", front)
    said = machine.start("vite", block("sh", 2).replace("3000", str(machine.site)), machine.folder / "my-site")
    until(60, "the site is served", lambda: said(f":{machine.site}/"))
    roles = block("sh", 3).replace(":3567", f":{core}")
    return {"FRONT": f"http://localhost:{front}", "ROLES": roles}


def hard_places(machine):
    """The same page where tokens live three seconds, in header mode, and on two sub-domains."""
    fast = {"ACCESS_TOKEN_VALIDITY": "3", "ACCESS_TOKEN_VALIDITY_JITTER": "0", "BCRYPT_LOG_ROUNDS": "4"}
    front = free_port()
    machine.server("fast", "mkdir fast && cd fast && exec sessiond", front, **fast)
    machine.page("cookie.html", front)
    machine.page("header.html", front, session='Session.init({ tokenTransferMethod: "header" })')
    shared = free_port()
    website = f"http://www.site.localhost:{machine.site}"
    settings = {
        "SESSIOND_API_DOMAIN": f"http://api.site.localhost:{shared}",
        "SESSIOND_WEBSITE_DOMAIN": website,
        "SESSIOND_COOKIE_DOMAIN": "site.localhost",
    }
    machine.server("shared", "mkdir shared && cd shared && exec sessiond", shared, **fast, **settings)
    machine.page("shared.html", shared, "http://api.site.localhost")
    public = free_port()
    address = {"SESSIOND_API_DOMAIN": "https://auth.example.com"}
    machine.server("public", "mkdir public && cd public && exec sessiond", public, **address)
    addresses = {"SHARED": settings["SESSIOND_API_DOMAIN"], "WEBSITE": website}
    return {"FAST": f"http://localhost:{front}", "PUBLIC": f"http://localhost:{public}", **addresses}


def prepare(run):
    machine = run.keep(Machine(run.folder))
    addresses = {**quick_start(machine), **hard_places(machine), "SITE": f"http://localhost:{machine.site}"}
    return {**machine.environment, **addresses}


browse(HERE, prepare)
