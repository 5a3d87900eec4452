#!/usr/bin/env bash
# Runs every fuzz target for a while from its seeds: `fuzz/run.sh [--instrument-all] [seconds for each]`.
#
# Coverage is measured in our own code only, so that the dependencies built for the tests can be reused. With
# --instrument-all (which needs cargo-fuzz on the PATH) everything is rebuilt and instrumented, for long runs.
#
# Works on stable Rust: code without `unsafe` needs no sanitizer, and coverage counters are stable. Any finding fails
# the run and stays in fuzz/artifacts/; look at it with `cargo fuzz fmt <target> <file>`.
set -euo pipefail
cd "$(dirname "$0")/.."
host=$(rustc -vV | sed -n 's/^host: //p')
if [ "${1:-}" = --instrument-all ]; then
  shift
  command -v cargo-fuzz >/dev/null || { echo "fuzz/run.sh: cargo-fuzz is missing: cargo install cargo-fuzz" >&2; exit 1; }
  cargo-fuzz fuzz build --sanitizer none
  targets=target/$host/release
  [ -x "$targets/token" ] || targets=fuzz/target/$host/release
else
  RUSTC_WORKSPACE_WRAPPER="$PWD/fuzz/rustc-with-coverage" CARGO_INCREMENTAL=0 cargo build --locked --package sessiond-fuzz
  targets=target/debug
fi
seconds=${1:-10}

# Data folders and archives that targets change; in memory where the system supports it.
memory=/dev/shm
[ -d "$memory" ] || memory=${TMPDIR:-/tmp}
TMPDIR=$(mktemp -d -p "$memory")
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT

failed=
for seeds in fuzz/seeds/*/; do
  target=$(basename "$seeds")
  mkdir -p "fuzz/corpus/$target" "fuzz/artifacts/$target"
  printf '%s: ' "$target"
  # New inputs go to the corpus; the seeds are only read.
  if "$targets/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=16384 \
    -artifact_prefix="fuzz/artifacts/$target/" "fuzz/corpus/$target" "$seeds" >"fuzz/artifacts/$target.log" 2>&1; then
    grep -E '^Done|^stat::' "fuzz/artifacts/$target.log" || tail -n 1 "fuzz/artifacts/$target.log"
  else
    failed="$failed $target"
    echo "FAILED"
    grep -A 2 "panicked at" "fuzz/artifacts/$target.log" || tail -n 30 "fuzz/artifacts/$target.log"
  fi
done
if [ -n "$failed" ]; then
  echo "fuzz/run.sh: findings in$failed, see fuzz/artifacts/" >&2
  exit 1
fi
