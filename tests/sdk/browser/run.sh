#!/usr/bin/env bash
# A real browser (Debian's chromium): the Node application through the official frontend SDK. Before that, pages of
# strangers attack the server itself; with SESSIOND_PROOF_LONG=1 (`tests/all --long browser`) on every route with every
# simple request.
set -euo pipefail
cd "$(dirname "$0")"
. ../install.sh
npm_install .
npm_install ../node
rm -rf dist
npx --no-install esbuild page.js --bundle --outdir=dist --log-level=warning
cp page.html dist/
[ -z "${SESSIOND_PROOF_LONG:-}" ] || python3 stranger.py
exec python3 run.py
