"""The server opens no connection: a whole run of an application in a network namespace that has nothing but loopback, in
which the kernel reports every address that the server (and each command of its binary) connects or sends to."""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "driver"))
import core  # noqa: E402
from harness import check, end_in_order, run, same, true  # noqa: E402

# -D: the traced program remains the child of its starter and receives its signals. accept4 shows that the trace sees
# the server's traffic at all.
TRACE = "strace -D -f -qq --seccomp-bpf -s 0 -e trace=connect,sendto,sendmsg,sendmmsg,accept4"
CALL = re.compile(r"(?:\d+ +)?(connect|sendto|sendmsg|sendmmsg)\(.*sa_family=(\w+)(.*)")
CONTROL = re.compile(r', sun_path="[^"]*/data/control\.sock"')
# Loopback is up; there is no route to anywhere else (192.0.2.1 stands for all of it, RFC 5737).
NAMESPACE = ["unshare", "--net", "--", "sh", "-c", 'ip link set lo up && ! ip route get 192.0.2.1 2>/dev/null && exec "$@"', "sh"]


def outbound(folder):
    """The calls in a folder's traces that name an address, except those of the command line to its own server."""
    named = []
    for trace in folder.glob("*.trace"):
        for line in trace.read_text().splitlines():
            found = CALL.match(line)
            if found and not (found[2] == "AF_UNIX" and CONTROL.match(found[3])):
                named.append(f"{trace.name}: {line}")
    return named


def traced(folder, program):
    """A program that runs this one under the trace."""
    script = folder / "traced"
    script.write_text(f'#!/bin/sh\nexec {TRACE} -o {folder}/$$.trace {shlex.quote(str(program))} "$@"\n')
    script.chmod(0o755)
    return script


@check("the trace reports where a program connects or sends to, and refuses it")
def notices(world):
    program = """
import socket
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(server.getsockname()).close()
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", server.getsockname())
    socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).sendmsg([b"x"], [], 0, ("::1", 9))
    socket.socket(socket.AF_UNIX).connect_ex("/elsewhere/data/socket")
"""
    with tempfile.TemporaryDirectory() as folder:
        script = traced(Path(folder), sys.executable)
        subprocess.run([script, "-c", program], check=True, timeout=60)
        subprocess.run(["sh", "-c", f"while pgrep -f '^strace.*{folder}' >/dev/null; do sleep 0.05; done"], timeout=60)
        found = outbound(Path(folder))
    calls = sorted(CALL.search(line)[1] for line in found)
    same(calls, ["connect", "connect", "sendmsg", "sendto"], f"calls found in {found}")


@check("a whole run without a route off the machine passes, and the server connects nowhere")
def watched(world):
    with tempfile.TemporaryDirectory() as folder:
        script = traced(Path(folder), core.BINARY)
        command = [*NAMESPACE, sys.executable, "../driver", "node", "--", "node", "app.js"]
        done = subprocess.run(command, cwd=HERE.parent / "node", env={**os.environ, "SESSIOND_BIN": str(script)})
        same(done.returncode, 0, "exit code of the run")
        same(outbound(Path(folder)), [], "connections of the server")
        accepted = sum(trace.read_text().count("accept4(") for trace in Path(folder).glob("*.trace"))
        true(accepted > 100, f"the trace saw {accepted} connections being accepted")


end_in_order()
sys.exit(1 if run("network", None) else 0)
