#!/usr/bin/env bash
# Follows the quick start of docs/front-door.md word for word in a real browser (Debian's chromium), then puts its page
# into harder places; only the ports and the path of the server binary are replaced.
set -euo pipefail
cd "$(dirname "$0")"
. ../install.sh
npm_install .
exec python3 run.py
