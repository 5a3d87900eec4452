"""Pages of a stranger in a browser on the server's machine, against a server without an API key, and against one that
lets every page in: there the same pages can read and change anything, which proves that they work.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "driver"))
from core import REPOSITORY, Core  # noqa: E402
from harness import end_in_order  # noqa: E402

end_in_order()
folder = Path(tempfile.mkdtemp(prefix="sessiond-stranger-"))
artifacts = REPOSITORY / "target/test-artifacts/stranger"
shutil.rmtree(artifacts, ignore_errors=True)
artifacts.mkdir(parents=True)
logs = {"log_level": "DEBUG", "sessiond_log_format": "json"}
everybody = {"sessiond_allowed_hosts": "*", "sessiond_allowed_origins": "*"}
running, code = [], 1
try:
    environment = {**os.environ, "ARTIFACTS": str(artifacts), "REPOSITORY": str(REPOSITORY)}
    for name, settings in (("GUARDED", {}), ("OPEN", everybody)):
        core = Core(folder / name.lower(), **logs, **settings)
        running.append(core)
        environment |= {f"{name}_URL": core.uri, f"{name}_LOG": str(core.folder / "server.log")}
    code = subprocess.run(["node", "stranger.js"], cwd=HERE, env=environment, timeout=1200).returncode
finally:
    for process in running:
        process.stop()
    if code:
        print(f"logs of the servers: {folder}")
    else:
        shutil.rmtree(folder)
sys.exit(code)
