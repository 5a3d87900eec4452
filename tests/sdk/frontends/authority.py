"""A certificate authority of the tests' own, which Chromium is made to trust."""

import subprocess
from pathlib import Path

NEW_KEY = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
# Where Chromium on Linux looks for authorities, below its user's home.
STORE = ".pki/nssdb"


def certify(home, domains):
    """Certifies all names below these domains; writes `sites.key` and `sites.pem`, and makes this folder the home of a
    browser that trusts them.
    """
    home = Path(home)
    (home / STORE).mkdir(parents=True)
    names = ",".join(f"DNS:*.{domain}" for domain in domains)
    (home / "names").write_text(f"subjectAltName={names}\nextendedKeyUsage=serverAuth\n")
    for line in (
        f"openssl req -x509 {NEW_KEY} -keyout ca.key -out ca.pem -subj /CN=Authority -addext keyUsage=critical,keyCertSign",
        f"openssl req {NEW_KEY} -keyout sites.key -out sites.csr -subj /CN=Sites",
        "openssl x509 -req -days 2 -in sites.csr -CA ca.pem -CAkey ca.key -extfile names -out sites.pem",
        f"certutil -d sql:{STORE} -N --empty-password",
        f"certutil -d sql:{STORE} -A -n tests -t C,, -i ca.pem",
    ):
        subprocess.run(line.split(), cwd=home, check=True, capture_output=True, timeout=60)
    return home
