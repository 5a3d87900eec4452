"""The page in a browser, against the Node application: once with access tokens of 3 s, once with the usual ones."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "driver"))
from browse import browse  # noqa: E402


def prepare(run):
    core, dist = run.core(), str(HERE / "dist")
    return {
        "APP_URL": run.node_app(core, "short", {"access_token_validity": 3}, STATIC_DIR=dist),
        "LONG_URL": run.node_app(core, "long", {}, STATIC_DIR=dist),
    }


browse(HERE, prepare)
