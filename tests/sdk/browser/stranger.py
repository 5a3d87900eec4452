"""Pages of a stranger in a browser on the server's machine, against a server without an API key, and against one that
lets every page in: there the same pages can read and change anything, which proves that they work.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "driver"))
from browse import browse  # noqa: E402
from core import REPOSITORY  # noqa: E402

LOGS = {"log_level": "DEBUG", "sessiond_log_format": "json"}
EVERYBODY = {"sessiond_allowed_hosts": "*", "sessiond_allowed_origins": "*"}


def prepare(run):
    environment = {"REPOSITORY": str(REPOSITORY)}
    for name, settings in (("GUARDED", {}), ("OPEN", EVERYBODY)):
        core = run.core(name.lower(), **LOGS, **settings)
        environment |= {f"{name}_URL": core.uri, f"{name}_LOG": str(core.folder / "server.log")}
    return environment


browse(HERE, prepare, "stranger.js", "stranger", limit=1200)
