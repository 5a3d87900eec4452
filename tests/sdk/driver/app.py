"""The application under test as a process, and the devices of its users.

Every application takes these settings from its environment:

    APP_PORT      port to listen on (127.0.0.1)
    CORE_URI      address of sessiond, with /appid-… unless the app is the default one
    CORE_API_KEY  sent to it, if set
    ANTI_CSRF     NONE (default) or VIA_TOKEN
    STATIC_KEYS   "true": sessions are signed with the app's static key
    PEOPLE        "true": accounts, verification, roles, metadata (and the routes for them)
    ROLES         "true": every function of roles and metadata, without accounts (not together with PEOPLE)
    WAYS          "true", with PEOPLE: providers, codes by mail and text message, second factors, tenants, the dashboard
    AWAITED       "true": the recipes that sessiond does not have yet (not Go)
    SITES         with WAYS, hosts are TENANT.shop.example; "own": each has its own login, "shared": all have one
    STATIC_DIR    a folder that is also served (Node only)

and has these routes, with JSON in and out (an error of the core: 500 with {"error"}):

    POST /login {userId, payload?, data?, tenantId?}    creates a session
    GET|POST /me, /me-checked                           verifies it (checked: in the core's database)
    POST /payload {update}   GET|POST /data {data}   POST /logout
    POST /auth/session/refresh, /auth/signout           the SDK's own
    POST /admin/info {handle}   /admin/payload {handle, update}   /admin/data {handle, data}
    POST /admin/sessions {userId, tenantId?}
    POST /admin/revoke {handle} | {handles} | {userId, tenantId?}
    POST /admin/tenant, /admin/tenant/get, /admin/tenant/list, /admin/tenant/remove {tenantId}
    POST /admin/jwt {payload, validity, useStatic}   /admin/jwt/verify {jwt}   /admin/jwks

With PEOPLE, a session needs a verified e-mail address, mails are kept instead of sent, and there are also:

    POST /auth/signup, /auth/signin, /auth/user/…       the SDK's own
    GET /admin-only                                     needs the role "admin"
    GET|POST /metadata {update}   POST /change-password {oldPassword, newPassword}
    POST /admin/mails {email}
    POST /admin/role {role, permissions}
    POST /admin/role/give {userId, role, tenantId?}     /admin/role/list {userId, tenantId?}
    POST /admin/metadata {userId}
    POST /admin/users {limit, paginationToken?, newestFirst?, query?, tenantId?}   /admin/users/count
    POST /admin/users/by-info {accountInfo: {email}, union?}                       (not Go: its SDK cannot)
    POST /admin/user {userId}   /admin/user/remove {userId, allLinked?}
    POST /admin/id/map {userId, externalUserId, force?}   /admin/id/find {userId, kind?}               (not Go)
    POST /admin/id/note {userId, note?}   /admin/id/unmap {userId, force?}                          (not Go)
    POST /admin/link/primary {recipeUserId}   /admin/link {recipeUserId, primaryUserId}   /admin/unlink {recipeUserId}

With WAYS, codes are kept instead of sent, too, and there are also:

    /auth/TENANT/…                                      the SDK's own: authorisationurl, signinup, loginmethods, dashboard
    GET /site                                           {site, userId}, if the session is good for the host of the request
    POST /admin/messages {to}                           {messages: [{to, code, link}]}
    POST /admin/tenant/methods {tenantId, firstFactors, requiredSecondaryFactors?}          (Go: no second factors)
    POST /admin/tenant/provider {tenantId, config}   /admin/tenant/user, /admin/tenant/user/remove {tenantId, userId}

With AWAITED:

    POST /admin/awaited {recipe}                        {told: the error that each of some calls of that recipe throws}

With ROLES, sessions carry roles and permissions, and there are also (replies with the core's status):

    GET /admins, /writers                               for sessions with role admin, with permission write (else 403)
    POST /roles                                         fetches the user's roles and permissions again
    POST /admin/role {role, permissions}   /admin/role/remove, /admin/role/users, /admin/role/permissions {role}
    POST /admin/role/permissions/remove {role, permissions}   /admin/role/list   /admin/permission/roles {permission}
    POST /admin/user/role, /admin/user/role/remove {userId, role, tenantId?}   /admin/user/roles {userId, tenantId?}
    POST /admin/metadata, /admin/metadata/clear {userId}   /admin/metadata/update {userId, update}
"""

import base64
import copy
import http.client
import json
import os
import subprocess
import time
from http.cookies import SimpleCookie

from core import free_port
from harness import Failure, same, true, until

REFRESH = "/auth/session/refresh"


class App:
    def __init__(self, command, folder, name, core_uri, **settings):
        self.name = name
        self.port = free_port()
        self.log = folder / f"app-{name}.log"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command,
                env={**os.environ, "APP_PORT": str(self.port), "CORE_URI": core_uri, **settings},
                stdout=log,
                stderr=log,
            )
        until(30, f"the application {name} answers", self._up)

    def _up(self):
        if self.process.poll() is not None:
            raise Failure(f"the application ended with {self.process.returncode}: {self.log_tail()}")
        try:
            return send(self.port, "GET", "/health").status == 200
        except OSError:
            return False

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def log_tail(self):
        return self.log.read_text(errors="replace")[-1500:]

    def admin(self, path, **fields):
        """Calls the application's own code, without a session."""
        return self.try_admin(path, **fields).expect(200, f"/admin{path}").json

    def try_admin(self, path, **fields):
        return send(self.port, "POST", "/admin" + path, fields)

    def device(self, mode="header", host=None):
        return Device(self.port, mode, host)


class Reply:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body
        try:
            self.json = json.loads(body)
        except ValueError:
            self.json = {}

    def header(self, name):
        return next((value for key, value in self.headers if key.lower() == name), None)

    @property
    def message(self):
        return self.json.get("message") or self.json.get("error") or self.body

    def expect(self, status, what):
        same(self.status, status, f"{what} answered {self.body[:300]!r}")
        return self

    def refuse(self, message, what):
        """Expects a 401 for this reason."""
        self.expect(401, what)
        same(self.json.get("message"), message, f"reason of {what}")
        return self


def send(port, method, path, fields=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        body = None if fields is None else json.dumps(fields)
        connection.request(method, path, body, {"Content-Type": "application/json", **(headers or {})})
        reply = connection.getresponse()
        return Reply(reply.status, reply.getheaders(), reply.read().decode())
    finally:
        connection.close()


class Device:
    """A user's browser (cookie mode) or app (header mode): keeps what the server tells it to keep."""

    def __init__(self, port, mode, host=None):
        self.port = port
        self.mode = mode
        self.host = host
        self.cookie_domain = None
        self.tokens = {}
        self.anti_csrf = None

    def copy(self):
        """A second holder of the same tokens: another tab, or a thief."""
        return copy.deepcopy(self)

    def send(self, method, path, fields=None, keep=True, anti_csrf="own"):
        headers = {"st-auth-mode": self.mode, **({"Host": self.host} if self.host else {})}
        kind = "refresh" if path == REFRESH else "access"
        if self.mode == "header":
            if kind in self.tokens:
                headers["Authorization"] = f"Bearer {self.tokens[kind]}"
        else:
            # The refresh cookie's path restricts it to the refresh route.
            names = ["access", "refresh"] if kind == "refresh" else ["access"]
            pairs = [f"{COOKIES[name]}={self.tokens[name]}" for name in names if name in self.tokens]
            if pairs:
                headers["Cookie"] = "; ".join(pairs)
        token = self.anti_csrf if anti_csrf == "own" else anti_csrf
        if token is not None:
            headers["anti-csrf"] = token
        reply = send(self.port, method, path, fields, headers)
        if keep:
            self.keep(reply)
        return reply

    def keep(self, reply):
        """Takes over the tokens of a reply, as a browser or the frontend SDK does."""
        if self.mode == "header":
            for kind, name in (("access", "st-access-token"), ("refresh", "st-refresh-token")):
                value = reply.header(name)
                if value is not None:
                    self._set(kind, value)
        else:
            self._keep_cookies(reply)
        self.anti_csrf = reply.header("anti-csrf") or self.anti_csrf

    def _keep_cookies(self, reply):
        for name, value in reply.headers:
            if name.lower() != "set-cookie":
                continue
            for morsel in SimpleCookie(value).values():
                kind = {cookie: kind for kind, cookie in COOKIES.items()}.get(morsel.key)
                if kind is None:
                    continue
                if kind == "refresh":
                    same(morsel["path"], REFRESH, "path of the refresh cookie")
                true(morsel["httponly"], f"{morsel.key} is HttpOnly")
                self.cookie_domain = morsel["domain"]
                self._set(kind, "" if "1970" in morsel["expires"] else morsel.value)

    def _set(self, kind, value):
        if value:
            self.tokens[kind] = value
        else:
            self.tokens.pop(kind, None)

    # --- what users do

    def login(self, user, **fields):
        return self.send("POST", "/login", {"userId": user, **fields}).expect(200, "sign in").json

    def form(self, path, **values):
        """Sends a form to one of the SDK's own routes; returns its reply, whose "status" is the outcome."""
        fields = [{"id": name, "value": value} for name, value in values.items()]
        return self.send("POST", path, {"formFields": fields}).expect(200, path).json

    def me(self, checked=False, **how):
        return self.send("GET", "/me-checked" if checked else "/me", **how)

    def signed_in(self, checked=False):
        """The session as the application sees it."""
        return self.me(checked).expect(200, "a request with the session").json

    def refresh(self, **how):
        return self.send("POST", REFRESH, **how)

    def refreshed(self, **how):
        return self.refresh(**how).expect(200, "refresh")

    # --- what the tokens say

    def claims(self):
        return part(self.tokens["access"], 1)

    def token_header(self):
        return part(self.tokens["access"], 0)

    def wait_for_expiry(self):
        time.sleep(max(0.0, self.claims()["exp"] - time.time()) + 0.15)


COOKIES = {"access": "sAccessToken", "refresh": "sRefreshToken"}


def part(token, index):
    """Header (0) or claims (1) of a JWT, unverified."""
    text = token.split(".")[index]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
