#!/usr/bin/env bash
# The Express application on the official Node SDK: installs its locked packages, then runs every check.
set -euo pipefail
cd "$(dirname "$0")"
. ../install.sh
npm_install .
exec python3 ../driver node -- node app.js
