"""Runs a folder's drive.js against a server and Node applications that it starts, and stops them."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from app import App
from core import REPOSITORY, Core
from harness import end_in_order

NODE_APP = ["node", str(Path(__file__).resolve().parents[1] / "node/app.js")]


def browse(here, apps):
    """`apps`: for each environment variable that holds an application's address, what distinguishes its app in the core
    from others, and the application. All of them serve the folder's `dist`; screenshots go to the artifacts of its name.
    """
    end_in_order()
    folder = Path(tempfile.mkdtemp(prefix=f"sessiond-{here.name}-"))
    artifacts = REPOSITORY / "target/test-artifacts" / here.name
    shutil.rmtree(artifacts, ignore_errors=True)
    artifacts.mkdir(parents=True)
    running, code = [], 1
    try:
        core = Core(folder / "core")
        running.append(core)
        urls = {}
        for name, (core_settings, settings) in apps.items():
            app_id = name.lower().replace("_", "-")
            core.put_app(app_id, core_settings)
            app = App(NODE_APP, folder, app_id, f"{core.uri}/appid-{app_id}", STATIC_DIR=str(here / "dist"), **settings)
            running.insert(0, app)
            urls[name] = f"http://localhost:{app.port}"
        environment = {**os.environ, **urls, "ARTIFACTS": str(artifacts)}
        code = subprocess.run(["node", "drive.js"], cwd=here, env=environment, timeout=300).returncode
    finally:
        for process in running:
            process.stop()
        if code:
            print(f"logs of the server and applications: {folder}")
        else:
            shutil.rmtree(folder)
    sys.exit(code)
