#!/usr/bin/env bash
# A plain Python application behind the gate, with nginx and Caddy as in docs/gate, word for word, and Traefik's requests.
set -euo pipefail
cd "$(dirname "$0")"
. ../install.sh
pip_install .
exec .venv/bin/python run.py
