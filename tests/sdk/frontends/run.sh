#!/usr/bin/env bash
# The three official frontends, and the prebuilt pages, in a real browser (Debian's chromium) against the bare server: no
# backend process.
set -euo pipefail
cd "$(dirname "$0")"
. ../install.sh
npm_install .
npx --no-install vite build --logLevel warn
python3 run.py
python3 prebuilt.py
