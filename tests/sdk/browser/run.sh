#!/usr/bin/env bash
# The Node application in a real browser (Debian's chromium) through the official frontend SDK.
set -euo pipefail
cd "$(dirname "$0")"
npm ci --silent --no-audit --no-fund
(cd ../node && npm ci --silent --no-audit --no-fund)
rm -rf dist
npx --no-install esbuild page.js --bundle --outdir=dist --log-level=warning
cp page.html dist/
exec python3 run.py
