"""The React application in a browser, served by the Node application with accounts."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "driver"))
from browse import browse  # noqa: E402

browse(HERE, {"APP_URL": ({}, {"PEOPLE": "true"})})
