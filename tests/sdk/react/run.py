"""The React application in a browser, served by the Node application with accounts."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "driver"))
from browse import browse  # noqa: E402


def prepare(run):
    return {"APP_URL": run.node_app(run.core(), "react", {}, STATIC_DIR=str(HERE / "dist"), PEOPLE="true")}


browse(HERE, prepare)
