#!/usr/bin/env bash
# Runs the Windows binary under wine: `windows.sh SESSIOND.EXE`. It serves, signs people up, obeys its command line, stops
# cleanly and starts again with its data. Needs wine64 and mingw.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/delivery/lib.sh
binary=$(realpath "$1")
wine=/usr/lib/wine/wine64
scratch=$(mktemp -d)
export WINEPREFIX="$scratch/wine" WINEDEBUG=-all
source=$PWD/tests/delivery/process_prng.c
server=

clean_up() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  wineserver64 -k 2>/dev/null || /usr/lib/wine/wineserver64 -k 2>/dev/null || true
  rm -rf "$scratch" 2>/dev/null || true
}
trap clean_up EXIT

mkdir "$scratch/app"
cd "$scratch/app"
cp "$binary" sessiond.exe
x86_64-w64-mingw32-gcc -shared -O2 -o bcryptprimitives.dll "$source" -ladvapi32

sessiond() { timeout 60 "$wine" sessiond.exe "$@"; }

# serve LOG: starts a server; sets server and port.
serve() {
  "$wine" sessiond.exe serve --host 127.0.0.1 --port 0 --data-dir data >"$1" 2>"$1.err" &
  server=$!
  port=$(port_in "$1")
}

# stops WITHIN: the server's process has ended well.
ended_well() {
  for _ in $(seq 100); do
    kill -0 "$server" 2>/dev/null || { wait "$server"; return; }
    sleep 0.1
  done
  echo "it does not end"
  return 1
}

check "it says its version" sessiond --version
serve first.log
check "it answers" curl -fsS --max-time 20 "http://127.0.0.1:$port/hello"
check "people sign up" sign_up "$port" ada@example.org
check "the command line reaches it" bash -c "[[ \$(timeout 60 $wine sessiond.exe users list --data-dir data) == *ada@example.org* ]]"
check "a second server is refused" bash -c "! timeout 60 $wine sessiond.exe serve --port 0 --data-dir data"
check "a backup is made beside it" sessiond backup backup --data-dir data
check "it stops" sessiond stop --data-dir data
check "it ends cleanly" ended_well
check "nothing went wrong" bash -c "! grep -E 'WARN|ERROR|crash' first.log first.log.err"
check "a stopped folder is sound" sessiond check --data-dir data
check "its backup can be restored" sessiond restore backup restored
serve second.log
check "it starts as after a clean stop" grep -q 'start=Clean' second.log
check "people sign in with what was kept" sign_in "$port" ada@example.org
check "it stops again" sessiond stop --data-dir data
check "it ends cleanly again" ended_well
finish
