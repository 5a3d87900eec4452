#!/usr/bin/env bash
# A React application on the SDK's prebuilt UI, built by Vite, in a real browser (Debian's chromium).
set -euo pipefail
cd "$(dirname "$0")"
. ../install.sh
npm_install .
npm_install ../node
npx --no-install vite build --logLevel warn
exec python3 run.py
