#!/usr/bin/env bash
# The official Node SDK and the front door answer one corpus of requests; installs the locked packages first.
set -euo pipefail
cd "$(dirname "$0")"
. ../install.sh
npm_install .
exec node compare.js "$@"
