#!/usr/bin/env bash
# Installs the Debian package, runs what its unit file runs, upgrades, removes and purges it: `package.sh BINARY`.
#
# Everything happens in a copy of this system (an overlay in memory that leaves nothing behind), as root, without
# systemd: the unit's command line and environment are read from the unit and run as the unit's user.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/delivery/lib.sh
binary=$(realpath "$1")

if [ -z "${SESSIOND_IN_COPY:-}" ]; then
  rm -rf target/debian
  packaging/build-deb "$binary" 0.0.1-1
  packaging/build-deb "$binary"
  # Mounts end with the namespace.
  exec env SESSIOND_IN_COPY=1 unshare --mount --propagation private bash "$0" "$binary"
fi

if [ "$SESSIOND_IN_COPY" = 1 ]; then
  copy=$(mktemp -d)
  mount -t tmpfs none "$copy"
  mkdir "$copy/upper" "$copy/work" "$copy/root"
  mount -t overlay overlay -o "lowerdir=/,upperdir=$copy/upper,workdir=$copy/work" "$copy/root"
  mount -t proc proc "$copy/root/proc"
  mount --bind /dev "$copy/root/dev"
  mount -t tmpfs none "$copy/root/tmp"
  # The checkout may be on a mount of its own, or at a path that the copy does not have.
  mkdir -p "$copy/root$PWD"
  mount --bind "$PWD" "$copy/root$PWD"
  SESSIOND_IN_COPY=2 exec chroot "$copy/root" bash "$PWD/tests/delivery/package.sh" "$binary"
fi

scratch=$(mktemp -d)
old=$(ls target/debian/sessiond_0.0.1-1_*.deb)
new=$(ls target/debian/sessiond_*.deb | grep -v 0.0.1-1)
unit=/lib/systemd/system/sessiond.service
log=$scratch/server.log

start() {
  local command variables
  command=$(sed -n 's/^ExecStart=//p' "$unit")
  mapfile -t variables < <(sed -n 's/^Environment=//p' "$unit" | sed 's#%S#/var/lib#g')
  : >"$log"
  (cd /var/lib/sessiond && umask 0077 && exec setpriv --reuid sessiond --regid sessiond --init-groups --no-new-privs --bounding-set=-all \
    env -i PATH=/usr/bin "${variables[@]}" $command --port 0 >"$log" 2>&1) &
  server=$!
  port=$(port_in "$log")
}
stop() { kill -TERM "$server" && wait "$server"; }
absent() { [ ! -e "$1" ]; }
mode_is() { [ "$(stat -c '%a %U' "$1")" = "$2" ]; }

check "the older version installs" dpkg -i "$old"
check "the account exists" getent passwd sessiond
check "the data folder belongs to it alone" mode_is /var/lib/sessiond "700 sessiond"
check "only root can read the secrets" mode_is /etc/sessiond/sessiond.env "640 root"
check "the unit is valid as far as can be checked without systemd" grep -q '^User=sessiond$' "$unit"
check "man finds its page" test -s /usr/share/man/man1/sessiond.1.gz -o -s /usr/share/man/man1/sessiond.1
check "subcommands have pages" test -s /usr/share/man/man1/sessiond-users-import.1.gz -o -s /usr/share/man/man1/sessiond-users-import.1
check "bash completes" bash -c '. /usr/share/bash-completion/completions/sessiond && complete -p sessiond'
check "the program prints its version" /usr/bin/sessiond --version
start
check "it serves as its user" curl -fsS "http://127.0.0.1:$port/hello"
check "a user signs up" sign_up "$port" kept@example.org
check "it is ready" /usr/bin/sessiond ready --data-dir /var/lib/sessiond
check "it stops on SIGTERM with exit code 0" stop
echo '# changed by the operator' >>/etc/sessiond/config.yaml
check "the newer version installs over it" dpkg -i --force-confdef --force-confold "$new"
check "changed settings are kept" grep -q 'changed by the operator' /etc/sessiond/config.yaml
start
check "a user from before the upgrade signs in" sign_in "$port" kept@example.org
check "it stops again" stop
check "the package is removed" dpkg -r sessiond
check "the program is gone" absent /usr/bin/sessiond
check "the data remains" test -d /var/lib/sessiond/journal
check "settings remain" test -e /etc/sessiond/config.yaml
check "the package is purged" dpkg -P sessiond
check "settings are gone" absent /etc/sessiond/config.yaml
check "the data still remains" test -d /var/lib/sessiond/journal
finish
