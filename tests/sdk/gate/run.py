"""Visitors of a site behind each proxy: what reaches the application, and what does not."""

import base64
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "driver"))
sys.path.insert(0, str(HERE))
from core import BINARY, REPOSITORY, FrontDoor, free_port  # noqa: E402
from harness import check, end_in_order, run, same, true, until  # noqa: E402
from proxies import HOST, Process, Traefik, block, caddy, certificate, connect, nginx, replaced  # noqa: E402

SITE = f"https://{HOST}"
PASSWORD = "correct horse 1"
# Long enough for a slow machine, short enough to wait for.
LIFE = 40
PAGE = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none", "Sec-Fetch-Dest": "document"}
IDENTITY = [
    "user-id", "recipe-user-id", "tenant-id", "session-handle", "email", "email-verified", "roles", "permissions", "factors",
]  # fmt: skip


class World:
    """A server, an application and three proxies."""

    def __init__(self, folder):
        self.folder = folder
        self.running = []
        self.program = None

    def start(self):
        folder = self.folder
        documents = [dict(re.findall(r"^(\w+): (\S+)", block(name, "yaml"), re.M)) for name in ("caddy.md", "nginx.md", "traefik.md")]
        true(all(other == documents[0] for other in documents), "one configuration for all proxies")
        settings = {key: value for key, value in documents[0].items() if key != "core_config_version"}
        life = {"access_token_validity": LIFE, "access_token_validity_jitter": 0, "bcrypt_log_rounds": 4}
        self.server = FrontDoor(folder / "server", settings, **life)
        self.running.append(self.server)
        self.application = free_port()
        command = [sys.executable, HERE / "application.py", str(self.application)]
        self.program = subprocess.Popen(command)
        files = certificate(folder)
        ports = (self.server.front_port, self.application, files)
        self.proxies = {}
        for name, start in (("nginx", nginx), ("caddy", caddy), ("traefik", Traefik)):
            self.proxies[name] = start(folder / name, *ports)
            self.running.append(self.proxies[name])

    def stop(self):
        for running in reversed(self.running):
            running.stop()
        if self.program:
            self.program.terminate()
            self.program.wait(10)

    def figure(self, name):
        status, text = self.server.call("GET", "/metrics")
        same(status, 200, "metrics")
        return int(next((line.split()[1] for line in text.splitlines() if line.startswith(name + " ")), 0))

    def role(self, user, role):
        for path, body in (("/recipe/role", {"role": role, "permissions": []}), ("/recipe/user/role", {"role": role, "userId": user})):
            status, answer = self.server.call("PUT", path, body)
            true(status == 200 and answer["status"] == "OK", f"{path}: {answer}")


class Reply:
    def __init__(self, reply):
        self.status, self.headers, self.body = reply.status, reply.getheaders(), reply.read()

    def header(self, name):
        return next((value for other, value in self.headers if other.lower() == name.lower()), None)

    def json(self):
        return json.loads(self.body)

    def asked(self):
        """The headers with which the application was asked, by lower-case name."""
        found = {}
        for name, value in self.json()["headers"]:
            found.setdefault(name.lower(), []).append(value)
        return found


class Visitor:
    """A browser without scripts: it keeps cookies by path and follows redirects when it is told to."""

    def __init__(self, proxy, cookies=None):
        self.proxy = proxy
        self.cookies = dict(cookies or {})
        self.user = None

    def send(self, method, path, headers=None, body=None):
        connection = connect(self.proxy.port)
        sent = {name: value for name, (value, where) in self.cookies.items() if path.split("?")[0].startswith(where)}
        pairs = "; ".join(f"{name}={value}" for name, value in sent.items())
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in [("Host", HOST), *([("Cookie", pairs)] if pairs else []), *(headers or {}).items()]:
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        reply = Reply(connection.getresponse())
        connection.close()
        for name, value in reply.headers:
            if name.lower() == "set-cookie":
                for morsel in SimpleCookie(value).values():
                    true(morsel["secure"] and not morsel["domain"], f"{morsel.key} is Secure and of this host")
                    self.cookies[morsel.key] = (morsel.value, morsel["path"])
                    if "1970" in morsel["expires"]:
                        del self.cookies[morsel.key]
        return reply

    def load(self, path, method="GET"):
        """Loads a page; returns the last reply and the addresses on the way to it."""
        way = []
        while True:
            reply = self.send(method, path, PAGE)
            if reply.status not in (301, 302, 303, 307, 308):
                return reply, way
            path = reply.header("location")
            true(path.startswith("/") and not path.startswith("//"), f"{path} is on this host")
            way.append(path)
            true(len(way) < 10, f"redirects without end: {way}")

    def form(self, path, **fields):
        body = json.dumps({"formFields": [{"id": name, "value": value} for name, value in fields.items()]}).encode()
        reply = self.send("POST", path, {"st-auth-mode": "cookie", "Origin": SITE, "Content-Type": "application/json"}, body)
        same((reply.status, reply.json()["status"]), (200, "OK"), f"{path}: {reply.body!r}")
        self.user = reply.json()["user"]["id"]
        return self

    def copy(self):
        return Visitor(self.proxy, self.cookies)


def signed_in(proxy, role=None, world=None):
    visitor = Visitor(proxy)
    email = f"{uuid.uuid4()}@example.org"
    visitor.form("/auth/signup", email=email, password=PASSWORD)
    if role:
        world.role(visitor.user, role)
        visitor.form("/auth/signin", email=email, password=PASSWORD)
    visitor.email = email
    return visitor


def spoil(visitor):
    """Takes the signature off the access token: for the gate it is as one that has expired."""
    token, path = visitor.cookies["sAccessToken"]
    visitor.cookies["sAccessToken"] = (token.rsplit(".", 1)[0] + ".AAAA", path)


def behind_each(title):
    """One check per proxy."""

    def register(act):
        for name in ("nginx", "caddy", "traefik"):
            check(f"{title}, {name}")(lambda world, name=name: act(world, world.proxies[name]))

    return register


@behind_each("an expired session and a page load: one bounce, and the page")
def bounce(world, proxy):
    visitor = signed_in(proxy)
    time.sleep(LIFE + 0.5)
    reply, way = visitor.load("/a?b=c")
    same(way, ["/auth/session/refresh?stRedirectTo=%2Fa%3Fb%3Dc", "/a?b=c"], "the way")
    same((reply.status, reply.json()["path"]), (200, "/a?b=c"), "the page")
    same(reply.asked()["x-sessiond-user-id"], [visitor.user], "user")
    true("sFrontToken" in visitor.cookies, "the frontend SDK knows of the session")
    spoil(visitor)
    reply, way = visitor.load("/a", "HEAD")
    same((reply.status, len(way)), (200, 2), "HEAD")
    spoil(visitor)
    reply = visitor.send("POST", "/a", {"Origin": SITE}, b"")
    same((reply.status, reply.json()), (401, {"message": "try refresh token"}), "a script refreshes by itself")
    reply = visitor.send("GET", "/a", {**PAGE, "Sec-Fetch-Site": "cross-site", "Referer": "https://news.example/"})
    reply = visitor.send("GET", reply.header("location"), {**PAGE, "Sec-Fetch-Site": "cross-site", "Referer": "https://news.example/"})
    same(reply.status, 200, "a link from elsewhere leads to a page of our own")
    [again] = re.findall(rb'url=([^"]+)"', reply.body)
    reply = visitor.send("GET", again.decode().replace("&amp;", "&"), {**PAGE, "Sec-Fetch-Site": "same-origin"})
    same((reply.status, reply.header("location")), (302, "/a"), "which leads on")
    same(visitor.load("/a")[0].status, 200, "the page")


@behind_each("the application is told who asks")
def identity(world, proxy):
    visitor = signed_in(proxy)
    reply = visitor.send("POST", "/reports?q=1", {"Origin": SITE}, b"content")
    same(reply.status, 200, f"{reply.body!r}")
    told, asked = reply.json(), reply.asked()
    same((told["method"], told["path"], told["body"]), ("POST", "/reports?q=1", "content"), "what was asked")
    same(asked["x-sessiond-user-id"], [visitor.user], "user")
    same(asked["x-sessiond-email-verified"], ["false"], "verified")
    # The document's example, word for word but for the address at which the keys are fetched.
    [example] = re.findall(r"```python\n(.*?)```", (REPOSITORY / "docs/gate/README.md").read_text(), re.DOTALL)
    keys = f"http://127.0.0.1:{world.server.front_port}/auth/jwt/jwks.json"
    scope = {}
    exec(replaced(example, [(f"{SITE}/auth/jwt/jwks.json", 1, keys)]), scope)
    same(scope["user_of"](asked["authorization"][0]), visitor.user, "the token's user")
    import jwt

    header, payload, signature = asked["authorization"][0].split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    other = base64.urlsafe_b64encode(json.dumps({**claims, "sub": "x"}).encode()).rstrip(b"=").decode()
    try:
        scope["user_of"](f"{header}.{other}.{signature}")
        raise AssertionError("a forged token was believed")
    except jwt.InvalidSignatureError:
        pass


@behind_each("without a session: a page load is led to sign in, a script is told")
def stranger(world, proxy):
    visitor = Visitor(proxy)
    reply = visitor.send("GET", "/a?b=c", PAGE)
    same((reply.status, reply.header("location")), (302, "/auth?redirectToPath=%2Fa%3Fb%3Dc"), "page load")
    reply = visitor.send("GET", "/a", {"Sec-Fetch-Mode": "cors"})
    same((reply.status, reply.json()), (401, {"message": "unauthorised"}), "script")
    for method in ("HEAD", "OPTIONS", "PUT"):
        reply = visitor.send(method, "/a", {"Sec-Fetch-Mode": "cors"})
        same((reply.status, reply.header("location")), (401, None), method)
    same(visitor.send("HEAD", "/a", PAGE).status, 302, "HEAD as a page load")
    same(visitor.cookies, {}, "cookies")


@behind_each("curl agrees")
def curl(world, proxy):
    visitor = signed_in(proxy)
    spoil(visitor)
    jar = world.folder / f"{proxy.name}-jar"
    lines = [
        "\t".join([f"#HttpOnly_{HOST}", "FALSE", path, "TRUE", "0", name, value])
        for name, (value, path) in visitor.cookies.items()
    ]
    jar.write_text("\n".join(["# Netscape HTTP Cookie File", *lines, ""]))
    command = ["curl", "-sk", "--http1.1", "-L", "--max-redirs", "2", "-b", jar, "-c", jar, "-H", "Accept: text/html"]
    command += ["-w", "\n%{num_redirects}", "--connect-to", f"{HOST}:443:127.0.0.1:{proxy.port}", f"{SITE}/a"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    body, redirects = done.stdout.rsplit("\n", 1)
    same((done.returncode, redirects), (0, "2"), f"curl: {done.stderr}")
    true(visitor.user in body, body)


@behind_each("a hundred page loads at once are one rotation")
def parallel(world, proxy):
    visitor = signed_in(proxy)
    spoil(visitor)
    with ThreadPoolExecutor(100) as pool:
        loads = list(pool.map(lambda number: visitor.copy().load(f"/{number}"), range(100)))
    for number, (reply, way) in enumerate(loads):
        same((reply.status, reply.json()["path"], len(way)), (200, f"/{number}", 2), "a page")
        same(reply.asked()["x-sessiond-user-id"], [visitor.user], "user")
    handle = loads[0][0].asked()["x-sessiond-session-handle"][0]
    status, told = world.server.call("GET", f"/recipe/session/timeline?sessionHandle={handle}")
    same(json.dumps(told).count('"refreshed"'), 1, f"rotations in the timeline: {status} {told}")


@behind_each("nobody smuggles an identity")
def smuggling(world, proxy):
    visitor = signed_in(proxy)
    lies = {f"X-Sessiond-{name.title()}": "evil" for name in IDENTITY}
    lies["Authorization"] = "Bearer evil"
    asked = visitor.send("GET", "/", lies).asked()
    for name in ["authorization", *(f"x-sessiond-{name}" for name in IDENTITY)]:
        true("evil" not in "".join(asked.get(name, [])), f"{name} reached the application: {asked.get(name)}")
        true("{" not in "".join(asked.get(name, [])), f"{name} is a value: {asked.get(name)}")
    if proxy.name != "traefik":
        asked = visitor.send("GET", "/", {"X_Sessiond_User_Id": "evil", "x_sessiond_roles": "evil"}).asked()
        same([name for name in asked if "_" in name], [], "names that some applications take for the gate's")
    same(Visitor(proxy).send("GET", "/", lies).status, 401, "nobody")


@behind_each("nobody smuggles a query, a method, or another request")
def requests(world, proxy):
    visitor = signed_in(proxy)
    for query in ("role=user", "require&role=user", "require", "require&", "check=none", "x=%26require"):
        reply = visitor.send("GET", f"/admin/?{query}", {"Sec-Fetch-Mode": "cors"})
        same(reply.status, 403, query)
    same(visitor.send("GET", "/?require&rloe=x").status, 200, "the page's query is the application's")
    # A foreign page's form, however it says that it is something else.
    forged = {"Origin": "https://evil.example"}
    for lie in ({}, {"X-Forwarded-Method": "GET"}, {"X-Original-Method": "GET"}, {"X-Original-Method": "POST"}):
        same(visitor.send("POST", "/", {**forged, **lie}, b"").status, 403, f"{lie}")
    same(visitor.send("POST", "/", {"Origin": SITE, "X-HTTP-Method-Override": "GET"}, b"").status, 200, "an own page")
    for lie in ({"X-Forwarded-Uri": "/public"}, {"X-Forwarded-Host": "evil.example"}, {"X-Forwarded-Proto": "http"}):
        same(visitor.send("GET", "/", lie).status, 200, f"{lie} is replaced")
    for lie in ({"X-Original-Uri": "/public"}, {"X-Original-Host": "evil.example"}):
        same(visitor.send("GET", "/", lie).status, 403, f"{lie} contradicts the proxy")


@behind_each("the gate itself is closed to visitors")
def closed(world, proxy):
    visitor = signed_in(proxy)
    about = {"X-Forwarded-Method": "GET", "X-Forwarded-Uri": "/"}
    paths = ["/auth/gate", "/auth/gate?require", "/auth/gate/", "/auth/public/gate", "/auth/acme/gate", "/auth/gate/refused"]
    for path in paths:
        reply = visitor.send("GET", path, about)
        same(reply.header("authorization"), None, path)
        true(b"x-sessiond" not in b" ".join(name.lower().encode() for name, _ in reply.headers), path)


@behind_each("what is required is asked")
def required(world, proxy):
    plain, admin = signed_in(proxy), signed_in(proxy, "admin", world)
    reply = plain.send("GET", "/admin/", {"Sec-Fetch-Mode": "cors"})
    same((reply.status, reply.json()["claimValidationErrors"][0]["id"]), (403, "st-role"), "a script")
    reply, way = plain.load("/admin/")
    same((reply.status, way, b"do not have access" in reply.body), (403, [], True), "a page")
    reply = admin.send("GET", "/admin/x")
    same((reply.status, reply.asked()["x-sessiond-roles"], reply.asked()["x-sessiond-email"]), (200, ["admin"], [admin.email]), "an admin")
    handle = reply.asked()["x-sessiond-session-handle"][0]
    world.server.call("POST", "/recipe/session/remove", {"sessionHandles": [handle]})
    same(admin.send("GET", "/admin/x").status, 401, "the session has ended")
    reply, way = admin.load("/admin/x")
    same(way[-1], "/auth?redirectToPath=%2Fadmin%2Fx", "and its cookies are gone")
    true("sAccessToken" not in admin.cookies, f"{admin.cookies}")


def websocket(visitor, **headers):
    """A handshake and one line; the status, and what came back."""
    connection = connect(visitor.proxy.port)
    connection.connect()
    cookies = "; ".join(f"{name}={value}" for name, (value, path) in visitor.cookies.items() if path == "/")
    lines = [f"GET /socket HTTP/1.1", f"Host: {HOST}", "Connection: Upgrade", "Upgrade: websocket"]
    lines += ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", f"Cookie: {cookies}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    connection.sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    stream = connection.sock.makefile("rb")
    status = int(stream.readline().split()[1])
    while stream.readline().strip():
        pass
    if status != 101:
        return status, b""
    user = stream.readline()
    connection.sock.sendall(b"hello\n")
    return status, user + stream.readline()


for name in ("nginx", "caddy"):

    @check(f"WebSockets open for the site's own pages, {name}")
    def sockets(world, name=name):
        visitor = signed_in(world.proxies[name])
        same(websocket(visitor, Origin=SITE), (101, visitor.user.encode() + b"\nhello\n"), "an own page")
        same(websocket(visitor, Origin="https://evil.example")[0], 403, "a stranger's")
        same(websocket(Visitor(world.proxies[name]), Origin=SITE)[0], 401, "nobody's")


@check("a typo in a proxy's configuration opens no door, and the doctor names it")
def typo(world):
    folder = world.folder / "typo"
    folder.mkdir()
    port = free_port()
    text = block("caddy.md", "caddyfile")
    site = replaced(
        text,
        [
            ("require&role=admin", 1, "require&rloe=admin"),
            (f"{HOST} {{", 1, f"https://{HOST}:{port} {{\n\tbind 127.0.0.1\n\ttls {world.folder}/cert.pem {world.folder}/key.pem"),
            ("127.0.0.1:3568", 3, f"127.0.0.1:{world.server.front_port}"),
            ("127.0.0.1:8000", 2, f"127.0.0.1:{world.application}"),
        ],
    )
    (folder / "Caddyfile").write_text(f"{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n{site}")
    command = ["/usr/bin/caddy", "run", "--config", "Caddyfile", "--adapter", "caddyfile"]
    proxy = Process("caddy-typo", folder, command, port, {"HOME": str(folder)})
    try:
        visitor = signed_in(proxy, "admin", world)
        same(visitor.send("GET", "/admin/").status, 500, "the admins' part")
        same(visitor.send("GET", "/").status, 200, "the rest")
    finally:
        proxy.stop()
    true("there is no requirement 'rloe'" in (world.server.folder / "server.log").read_text(), "the log names it")
    done = subprocess.run(
        [BINARY, "doctor", "--data-dir", world.server.folder / "data"],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    true("gate-asked-wrongly" in done.stdout and "rloe" in done.stdout, f"doctor: {done.stdout}{done.stderr}")


def main():
    end_in_order()
    folder = Path(tempfile.mkdtemp(prefix="sessiond-gate-"))
    world, failures = World(folder), 1
    try:
        world.start()
        until(10, "the application serves", lambda: Visitor(world.proxies["traefik"]).send("GET", "/").status == 401)
        failures = run("gate", world, at_once=6)
    finally:
        world.stop()
        if failures:
            print(f"logs and files: {folder}")
        else:
            shutil.rmtree(folder)
    sys.exit(1 if failures else 0)


main()
