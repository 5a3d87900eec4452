"""Runs a script that drives a browser, after starting what it needs; stops all of it afterwards."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from app import App
from core import REPOSITORY, Core, FrontDoor
from harness import end_in_order

NODE_APP = ["node", str(Path(__file__).resolve().parents[1] / "node/app.js")]


class Run:
    """A folder, and the processes that were started for this run."""

    def __init__(self, name):
        self.folder = Path(tempfile.mkdtemp(prefix=f"sessiond-{name}-"))
        self.artifacts = REPOSITORY / "target/test-artifacts" / name
        self.processes = []
        shutil.rmtree(self.artifacts, ignore_errors=True)
        self.artifacts.mkdir(parents=True)

    def keep(self, process):
        """Stops this at the end (anything with `stop`), before what was started earlier."""
        self.processes.append(process)
        return process

    def core(self, name="core", **settings):
        return self.keep(Core(self.folder / name, **settings))

    def front_door(self, name="server", front=None, **settings):
        return self.keep(FrontDoor(self.folder / name, front or {}, **settings))

    def node_app(self, core, app_id, core_settings, **settings):
        """The Node application on an app of its own; returns its address."""
        core.put_app(app_id, core_settings)
        app = self.keep(App(NODE_APP, self.folder, app_id, f"{core.uri}/appid-{app_id}", **settings))
        return f"http://localhost:{app.port}"

    def stop(self):
        for process in reversed(self.processes):
            process.stop()


def browse(here, prepare, script="drive.js", name=None, limit=300):
    """`prepare` starts what the script needs in a `Run` and returns the script's environment. Screenshots go to the
    artifacts of this name, or else the folder's.
    """
    end_in_order()
    run, code = Run(name or here.name), 1
    try:
        environment = {**os.environ, "ARTIFACTS": str(run.artifacts), **prepare(run)}
        code = subprocess.run(["node", script], cwd=here, env=environment, timeout=limit).returncode
    finally:
        run.stop()
        if code:
            print(f"logs of the servers and applications: {run.folder}")
        else:
            shutil.rmtree(run.folder)
    sys.exit(code)
