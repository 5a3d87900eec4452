"""Starts a server and the Node application with two settings, drive.js against them, and stops everything."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "driver"))
from app import App  # noqa: E402
from core import REPOSITORY, Core  # noqa: E402
from harness import end_in_order  # noqa: E402


def main():
    end_in_order()
    folder = Path(tempfile.mkdtemp(prefix="sessiond-browser-"))
    artifacts = REPOSITORY / "target/test-artifacts/browser"
    artifacts.mkdir(parents=True, exist_ok=True)
    command = ["node", str(HERE.parent / "node/app.js")]
    running, code = [], 1
    try:
        core = Core(folder / "core")
        running.append(core)
        urls = {}
        for name, settings in (("APP_URL", {"access_token_validity": 3}), ("LONG_URL", {})):
            app_id = name.lower().replace("_", "-")
            core.put_app(app_id, settings)
            uri = f"{core.uri}/appid-{app_id}"
            app = App(command, folder, app_id, uri, STATIC_DIR=str(HERE / "dist"))
            running.insert(0, app)
            urls[name] = f"http://localhost:{app.port}"
        environment = {**os.environ, **urls, "ARTIFACTS": str(artifacts)}
        code = subprocess.run(["node", "drive.js"], cwd=HERE, env=environment, timeout=300).returncode
    finally:
        for process in running:
            process.stop()
        if code:
            print(f"logs of the server and applications: {folder}")
        else:
            shutil.rmtree(folder)
    sys.exit(code)


main()
