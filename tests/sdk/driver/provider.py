"""The tests' own OpenID provider: a person named by the driver is signed in at once, without a page."""

import base64
import hashlib
import json
import secrets
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

BITS = 2048
EXPONENT = 65537
# DER of "SHA-256, this digest" (RFC 8017, section 9.2).
SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")


def text(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def prime():
    """A probable prime of half the key's length (Miller-Rabin), with both of its highest bits set."""
    half = BITS // 2
    while True:
        found = secrets.randbits(half) | 3 << (half - 2) | 1
        if all(found % small for small in range(3, 2000, 2)) and found % EXPONENT != 1 and _passes(found):
            return found


def _passes(number, rounds=8):
    odd, twos = number - 1, 0
    while not odd % 2:
        odd, twos = odd // 2, twos + 1
    for _ in range(rounds):
        power = pow(2 + secrets.randbelow(number - 3), odd, number)
        if power not in (1, number - 1):
            for _ in range(twos - 1):
                power = power * power % number
                if power == number - 1:
                    break
            else:
                return False
    return True


class Key:
    """An RSA key that signs JWTs with RS256."""

    def __init__(self):
        p, q = prime(), prime()
        self.modulus = p * q
        self.private = pow(EXPONENT, -1, (p - 1) * (q - 1))
        self.id = secrets.token_hex(8)

    def public(self):
        def number(value):
            return text(value.to_bytes((value.bit_length() + 7) // 8, "big"))

        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.id, "n": number(self.modulus), "e": number(EXPONENT)}

    def sign(self, claims):
        header = {"alg": "RS256", "typ": "JWT", "kid": self.id}
        signed = ".".join(text(json.dumps(part).encode()) for part in (header, claims))
        digest = SHA256 + hashlib.sha256(signed.encode()).digest()
        padded = b"\0\1" + b"\xff" * (BITS // 8 - 3 - len(digest)) + b"\0" + digest
        signature = pow(int.from_bytes(padded, "big"), self.private, self.modulus)
        return f"{signed}.{text(signature.to_bytes(BITS // 8, 'big'))}"


class Provider:
    """Endpoints on a port of the system's choice, until the process ends."""

    def __init__(self):
        self.key = Key()
        self.clients = {}  # id → secret
        self.people = {}  # subject → further claims
        self.codes = {}
        self.access = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                where = urlsplit(self.path)
                self.reply(*provider.get(where.path, dict(parse_qsl(where.query)), self.headers))

            def do_POST(self):
                form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                self.reply(*provider.post(self.path, form))

            def reply(self, status, body, headers=None):
                body = json.dumps(body).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.uri = f"http://127.0.0.1:{self.server.server_port}"
        self.discovery = self.uri + "/.well-known/openid-configuration"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def client(self, name):
        """Registers an application; returns its id and secret."""
        self.clients[name] = secrets.token_hex(16)
        return {"clientId": name, "clientSecret": self.clients[name]}

    def get(self, path, query, headers):
        if path == "/.well-known/openid-configuration":
            names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "userinfo_endpoint": "userinfo"}
            found = {name: f"{self.uri}/{end}" for name, end in {**names, "jwks_uri": "jwks"}.items()}
            return 200, {"issuer": self.uri, "code_challenge_methods_supported": ["S256"], **found}
        if path == "/jwks":
            return 200, {"keys": [self.key.public()]}
        if path == "/userinfo":
            subject = self.access.get(headers.get("Authorization", "").removeprefix("Bearer "))
            return (200, {"sub": subject, **self.people[subject]}) if subject else (401, {"error": "invalid_token"})
        if path == "/authorize":
            return self.authorize(query)
        return 404, {"error": "not_found"}

    def authorize(self, query):
        if query.get("client_id") not in self.clients or query.get("response_type") != "code":
            return 400, {"error": "invalid_request"}
        code = secrets.token_urlsafe()
        self.codes[code] = query
        answer = {"code": code, **({"state": query["state"]} if "state" in query else {})}
        return 302, {}, {"Location": f"{query['redirect_uri']}?{urlencode(answer)}"}

    def post(self, path, form):
        asked = self.codes.pop(form.get("code"), None)  # valid once
        if path != "/token" or asked is None or form.get("redirect_uri") != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        client = asked["client_id"]
        if form.get("client_id") != client or form.get("client_secret") != self.clients[client]:
            return 401, {"error": "invalid_client"}
        if asked.get("code_challenge", "") != challenge(form.get("code_verifier")):
            return 400, {"error": "invalid_grant"}
        subject, token, now = asked["login_hint"], secrets.token_urlsafe(), int(time.time())
        self.access[token] = subject
        claims = {"iss": self.uri, "aud": client, "sub": subject, "iat": now, "exp": now + 600, **self.people[subject]}
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": 600, "id_token": self.key.sign(claims)}

    def sign_in(self, url, subject):
        """A person opens the address from the application and signs in; returns the parameters of the redirect back."""

        class Stay(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_):
                return None

        try:
            urllib.request.build_opener(Stay).open(f"{url}&{urlencode({'login_hint': subject})}", timeout=10)
        except urllib.error.HTTPError as reply:
            if reply.code == 302:
                return dict(parse_qsl(urlsplit(reply.headers["Location"]).query))
            raise
        raise AssertionError("the provider did not redirect the person back")


def challenge(verifier):
    return text(hashlib.sha256(verifier.encode()).digest()) if verifier else ""
