"""The page in a browser, against the Node application: once with access tokens of 3 s, once with the usual ones."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "driver"))
from browse import browse  # noqa: E402

browse(HERE, {"APP_URL": ({"access_token_validity": 3}, {}), "LONG_URL": ({}, {})})
