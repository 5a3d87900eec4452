#!/usr/bin/env bash
# The FastAPI application on the official Python SDK: installs its pinned packages, then runs every check.
set -euo pipefail
cd "$(dirname "$0")"
. ../install.sh
pip_install .
exec python3 ../driver python -- .venv/bin/python app.py
