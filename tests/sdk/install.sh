# Sourced by the run.sh files: installs what an application's lock file lists, once for all layers that need it.

# npm_install FOLDER: installs the locked packages, unless this very lock file has been installed there.
npm_install() {
  cmp -s "$1/package-lock.json" "$1/node_modules/.installed.json" && return 0
  (cd "$1" && npm ci --silent --no-audit --no-fund && cp package-lock.json node_modules/.installed.json)
}

# pip_install FOLDER: an environment with exactly the listed packages, unless this very list has been installed there.
pip_install() {
  cmp -s "$1/requirements.txt" "$1/.venv/installed.txt" && return 0
  rm -rf "$1/.venv" &&
    python3 -m venv "$1/.venv" &&
    "$1/.venv/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$1/requirements.txt" &&
    cp "$1/requirements.txt" "$1/.venv/installed.txt"
}
