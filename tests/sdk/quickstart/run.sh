#!/usr/bin/env bash
# Follows docs/quickstart.md word for word; only the ports and the path of the server binary are replaced.
set -euo pipefail
cd "$(dirname "$0")"
exec python3 run.py
