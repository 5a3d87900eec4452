#!/usr/bin/env bash
# Services in Python and PHP that verify the front door's tokens by its public keys alone.
set -euo pipefail
cd "$(dirname "$0")"
. ../install.sh
pip_install .
exec python3 run.py
