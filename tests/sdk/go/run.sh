#!/usr/bin/env bash
# The net/http application on the official Go SDK: builds it from its locked modules, then runs every check.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p .bin
go build -mod=readonly -o .bin/app .
exec python3 ../driver go -- .bin/app
