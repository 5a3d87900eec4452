# Sourced by the delivery tests.

passed=0
failed=0

# check WHAT COMMAND…: runs the command, counts and prints the outcome.
check() {
  local what=$1
  shift
  if "$@" >"$scratch/check.log" 2>&1; then
    passed=$((passed + 1))
    echo "ok: $what"
  else
    failed=$((failed + 1))
    echo "FAILED: $what"
    sed 's/^/    /' "$scratch/check.log"
  fi
}

# The port after "Started SuperTokens on host:" in a log file, as soon as it appears; fails after 20 s.
port_in() {
  local port
  for _ in $(seq 200); do
    port=$(sed -n 's/.*Started SuperTokens on [^ ]*:\([0-9]*\) with PID.*/\1/p' "$1" 2>/dev/null | tail -n 1)
    [ -n "$port" ] && { echo "$port"; return 0; }
    sleep 0.1
  done
  cat "$1" >&2
  return 1
}

# post PORT PATH BODY: prints the server's reply.
post() {
  curl -sS --max-time 20 -H 'cdi-version: 5.4' -H 'rid: emailpassword' -H 'content-type: application/json' --data "$3" "http://127.0.0.1:$1$2"
}

sign_up() { post "$1" /recipe/signup "{\"email\":\"$2\",\"password\":\"correct horse 1\"}" | grep -q '"status":"OK"'; }
sign_in() { post "$1" /recipe/signin "{\"email\":\"$2\",\"password\":\"correct horse 1\"}" | grep -q '"status":"OK"'; }

finish() {
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ]
}
