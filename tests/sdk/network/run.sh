#!/usr/bin/env bash
# The Node application again, with no route off the machine and with every connection of the server traced. Needs root
# (a network namespace), iproute2 and strace.
set -euo pipefail
cd "$(dirname "$0")"
. ../install.sh
npm_install ../node
exec python3 run.py
