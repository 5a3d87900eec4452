"""Follows docs/quickstart.md: takes its code blocks in order, runs them and checks their output."""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "driver"))
from app import send  # noqa: E402
from core import REPOSITORY, Core, free_port  # noqa: E402
from harness import check, end_in_order, run, same, true, until  # noqa: E402

BLOCKS = re.findall(r"```(\w+)\n(.*?)```", (REPOSITORY / "docs/quickstart.md").read_text(), re.DOTALL)


class World:
    """The reader's machine: a folder of their own, a server, and free ports in place of 3567 and 3000."""

    def __init__(self, folder):
        self.folder = folder
        self.core = Core(folder / "server")
        self.port = free_port()
        self.app = None

    def block(self, kind, index):
        found = [text for name, text in BLOCKS if name == kind][index]
        return found.replace(":3567", f":{self.core.port}").replace("3000", str(self.port))

    def shell(self, script, cwd):
        done = subprocess.run(
            ["bash", "-e", "-c", script], cwd=cwd, capture_output=True, text=True, timeout=240
        )
        true(done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}")
        return done.stdout

    def close(self):
        if self.app is not None:
            self.app.terminate()
            self.app.wait(10)
        self.core.stop()


@check("the document has the blocks that this test follows")
def blocks(world):
    same([kind for kind, _ in BLOCKS], ["sh", "sh", "js", "sh", "sh"], "kinds of blocks")
    same([text for _, text in BLOCKS][0], "cargo run --release\n", "how the server is started")


@check("the application is created and starts")
def application(world):
    world.shell(world.block("sh", 1), world.folder)
    (world.folder / "my-app/app.mjs").write_text(world.block("js", 0))
    command = world.block("sh", 2).split()
    world.app = subprocess.Popen(command, cwd=world.folder / "my-app")

    def up():
        true(world.app.poll() is None, "the application ended")
        try:
            return send(world.port, "GET", "/me").status == 401
        except OSError:
            return False

    until(20, "the application answers 401 without a session", up)


@check("the five requests are answered as promised")
def requests(world):
    lines = world.block("sh", 3).splitlines()
    same(len(lines), 5, "requests")
    welcome, me, refresh, again, out = (
        world.shell(line.replace("curl -s", "curl -s -w ' %{http_code}'"), world.folder) for line in lines
    )
    same(welcome, '{"welcome":"alice"} 200', "signing in")
    same(me, '{"user":"alice","role":"reader"} 200', "reading")
    true(refresh.endswith(" 200"), f"refreshing: {refresh}")
    same(again, '{"user":"alice","role":"reader"} 200', "reading after the refresh")
    same(out, '{"status":"OK"} 200', "signing out")
    after = world.shell(lines[2].replace("curl -s", "curl -s -w ' %{http_code}'"), world.folder)
    same(after, '{"message":"unauthorised"} 401', "refreshing after signing out")


def main():
    end_in_order()
    folder = Path(tempfile.mkdtemp(prefix="sessiond-quickstart-"))
    world = World(folder)
    failures = 1
    try:
        failures = run("quickstart", world)
    finally:
        world.close()
        if failures:
            print(f"logs and files: {folder}")
        else:
            shutil.rmtree(folder)
    sys.exit(1 if failures else 0)


main()
