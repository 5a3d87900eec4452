#!/usr/bin/env bash
# A real browser (Debian's chromium): pages of strangers against the server itself, then the Node application through
# the official frontend SDK.
set -euo pipefail
cd "$(dirname "$0")"
. ../install.sh
npm_install .
npm_install ../node
rm -rf dist
npx --no-install esbuild page.js --bundle --outdir=dist --log-level=warning
cp page.html dist/
python3 stranger.py
exec python3 run.py
