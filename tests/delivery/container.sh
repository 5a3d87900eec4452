#!/usr/bin/env bash
# Builds the Dockerfile's last stage around a static binary and runs the image: `container.sh BINARY`.
#
# The given binary, linked with the same command line, replaces the first stage, which compiles, because its base image
# would have to be pulled. Needs root, buildah, podman, runc.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/delivery/lib.sh
binary=$(realpath "$1")
scratch=$(mktemp -d)
store=(--root "$scratch/root" --runroot "$scratch/run" --storage-driver vfs)
pods=(podman "${store[@]}" --cgroup-manager cgroupfs --runtime "$scratch/bin/runc" --events-backend none)
name=sessiond-test-$$

clean_up() {
  "${pods[@]}" rm -f "$name" >/dev/null 2>&1 || true
  # Container storage mounts itself.
  umount -R "$scratch/root/vfs" >/dev/null 2>&1 || true
  umount "$scratch/root" >/dev/null 2>&1 || true
  rm -rf "$scratch" 2>/dev/null || true
}
trap clean_up EXIT

# On some hosts nobody may set resource limits, not even to their current values; the runtime's configuration always
# asks for it.
mkdir -p "$scratch/bin"
cat >"$scratch/bin/runc" <<'RUNC'
#!/usr/bin/env python3
import json, os, sys
arguments = sys.argv[1:]
for option, argument in zip(arguments, arguments[1:]):
    if option in ("--bundle", "-b"):
        path, of_process = os.path.join(argument, "config.json"), lambda whole: whole["process"]
    elif option in ("--process", "-p"):
        path, of_process = argument, lambda whole: whole
    else:
        continue
    with open(path) as file:
        whole = json.load(file)
    of_process(whole).pop("rlimits", None)
    with open(path, "w") as file:
        json.dump(whole, file)
os.execv("/usr/sbin/runc", ["runc", *arguments])
RUNC
chmod +x "$scratch/bin/runc"

mkdir -p "$scratch/build/image/usr/local/bin" "$scratch/build/image/data" "$scratch/volume" "$scratch/context"
install -m 755 "$binary" "$scratch/build/image/usr/local/bin/sessiond"
strip "$scratch/build/image/usr/local/bin/sessiond"

cp LICENSE NOTICE "$scratch/context"

statically_linked() { ! ldd "$scratch/build/image/usr/local/bin/sessiond" 2>/dev/null | grep -q '=>'; }
build() {
  buildah "${store[@]}" bud --isolation chroot --format docker --build-context "build=$scratch/build" \
    -t sessiond-test -f Dockerfile "$scratch/context"
}
inspect() { "${pods[@]}" image inspect --format "$1" localhost/sessiond-test; }
inspect_is() { [ "$(inspect "$1")" = "$2" ]; }
# The release profile's binary, 34 MB, is larger by a third than the dist profile's, which goes into an image.
at_most_36_mb() { [ "$(inspect '{{.Size}}')" -le 36000000 ]; }
# start [options]: a container on a free port of the loopback interface, with a read-only root file system.
start() {
  "${pods[@]}" run -d --name "$name" --network host --read-only --env SUPERTOKENS_HOST=127.0.0.1 --env SUPERTOKENS_PORT=0 \
    --volume "$scratch/volume:/data" "$@" localhost/sessiond-test >/dev/null
  for _ in $(seq 100); do
    "${pods[@]}" logs "$name" >"$scratch/server.log" 2>&1
    grep -q 'Started SuperTokens on' "$scratch/server.log" && break
    sleep 0.2
  done
  port=$(port_in "$scratch/server.log")
}
remove() { "${pods[@]}" rm "$name" >/dev/null; }
# SIGTERM, as a container's engine sends it; 137 would be the SIGKILL that follows.
stop_is_clean() { "${pods[@]}" stop -t 20 "$name" && [ "$("${pods[@]}" inspect --format '{{.State.ExitCode}}' "$name")" = 0 ]; }
healthy() { "${pods[@]}" healthcheck run "$name"; }

check "the binary is linked statically" statically_linked
check "the image builds" build
check "the image has at most 36 MB" at_most_36_mb
check "it runs as an unprivileged user" inspect_is '{{.User}}' 65532:65532
check "it has a health check" inspect_is '{{index .HealthCheck.Test 1}}' sessiond
chown 65532:65532 "$scratch/volume"
start
check "it serves with a read-only root" curl -fsS "http://127.0.0.1:$port/hello"
check "a user signs up" sign_up "$port" kept@example.org
check "the health check reports healthy" healthy
check "SIGTERM stops it with exit code 0" stop_is_clean
remove
chown -R 4321:4321 "$scratch/volume"
start --user 4321:4321
check "the data is there under another user id" sign_in "$port" kept@example.org
check "it is healthy as that user, too" healthy
check "it stops" stop_is_clean
check "the clean stop is on the volume" test -e "$scratch/volume/clean"
remove
finish
