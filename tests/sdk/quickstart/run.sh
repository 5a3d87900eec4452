#!/usr/bin/env bash
# Follows docs/quickstart.md word for word; only the ports and the way to the server binary are exchanged.
set -euo pipefail
cd "$(dirname "$0")"
exec python3 run.py
