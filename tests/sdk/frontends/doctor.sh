#!/usr/bin/env bash
# What `sessiond doctor` finds when people use sites behind Debian's nginx that are set up wrongly, in a real browser
# (Debian's chromium), and that it finds nothing where all is well.
set -euo pipefail
cd "$(dirname "$0")"
. ../install.sh
npm_install .
npx --no-install vite build --logLevel warn
exec python3 doctor.py
