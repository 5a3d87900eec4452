#!/bin/sh
# Runs every fuzz target for a few seconds from its seeds: `fuzz/smoke.sh [seconds]`.
#
# Works on stable Rust: no sanitizer is needed for code without `unsafe`, and coverage counters are stable. Needs
# cargo-fuzz on the PATH, or its path in CARGO_FUZZ. Anything that a target finds fails the run and stays in
# fuzz/artifacts/; look at it with `cargo fuzz fmt <target> <file>`.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-10}
cargo_fuzz=${CARGO_FUZZ:-cargo-fuzz}
command -v "$cargo_fuzz" >/dev/null || {
    echo "fuzz/smoke.sh: cargo-fuzz is not there: cargo install cargo-fuzz" >&2
    exit 1
}

# One build for all targets, with debug assertions and overflow checks.
"$cargo_fuzz" fuzz build --sanitizer none
host=$(rustc -vV | sed -n 's/^host: //p')
failed=
for seeds in fuzz/seeds/*/; do
    target=$(basename "$seeds")
    mkdir -p "fuzz/corpus/$target" "fuzz/artifacts/$target"
    printf '%s: ' "$target"
    # What the run learns goes to the corpus; the seeds are only read.
    if "fuzz/target/$host/release/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=16384 \
        -artifact_prefix="fuzz/artifacts/$target/" "fuzz/corpus/$target" "$seeds" >"fuzz/artifacts/$target.log" 2>&1; then
        grep -E '^Done|^stat::' "fuzz/artifacts/$target.log" || tail -n 1 "fuzz/artifacts/$target.log"
    else
        failed="$failed $target"
        echo "FAILED"
        grep -A 2 "panicked at" "fuzz/artifacts/$target.log" || tail -n 30 "fuzz/artifacts/$target.log"
    fi
done
if [ -n "$failed" ]; then
    echo "fuzz/smoke.sh: findings in$failed, see fuzz/artifacts/" >&2
    exit 1
fi
