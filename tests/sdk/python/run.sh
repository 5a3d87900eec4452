#!/usr/bin/env bash
# The FastAPI application on the official Python SDK: installs its pinned packages, then runs every check.
set -euo pipefail
cd "$(dirname "$0")"
cmp -s requirements.txt .venv/installed.txt || {
  rm -rf .venv
  python3 -m venv .venv
  .venv/bin/pip install --quiet --disable-pip-version-check --no-deps -r requirements.txt
  cp requirements.txt .venv/installed.txt
}
exec python3 ../driver python -- .venv/bin/python app.py
