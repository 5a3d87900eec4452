#!/usr/bin/env bash
# A Next.js site on the official frontend SDK and its helper, in a real browser (Debian's chromium): its pages are
# rendered on the server for people who signed in at the bare front door.
set -euo pipefail
cd "$(dirname "$0")"
. ../install.sh
npm_install .
exec python3 run.py
