"""TOTP as second factor where the tenant requires one."""

import base64
import hashlib
import hmac
import time

from check_flow import in_both_modes
from check_people import PASSWORD, account, refused_by
from harness import check, same, true
from offers import needs

PERIOD = 30
ATTEMPTS, COOLDOWN = 3, 10
LIMITS = {"totp_max_attempts": ATTEMPTS, "totp_rate_limit_cooldown_sec": COOLDOWN}


def code(secret, steps=0):
    """The code that the authenticator shows (RFC 6238), this many steps from now."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    moment = (int(time.time()) // PERIOD + steps).to_bytes(8, "big")
    digest = hmac.new(key, moment, hashlib.sha1).digest()
    start = digest[-1] & 15
    return f"{(int.from_bytes(digest[start : start + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"


def other(secret):
    """A code that the authenticator does not show around this time."""
    near = {code(secret, steps) for steps in range(-3, 4)}
    return next(text for text in map(str, range(100_000, 100_009)) if text not in near)


def app(world):
    strict = world.app("strict", "strict", core_settings=LIMITS, PEOPLE="true", WAYS="true")
    factors = {"firstFactors": ["emailpassword"], "requiredSecondaryFactors": ["totp"]}
    strict.admin("/tenant/methods", tenantId="strict", **factors)
    return strict


def totp(device, path, **fields):
    return device.send("POST", f"/auth/totp/{path}", fields).expect(200, path).json


def signed_up(world, mode="header"):
    """A user with a verified TOTP device: the application, the session, the address, the secret."""
    strict = app(world)
    device = strict.device(mode)
    email, _ = account(strict, device, "totp", "strict")
    refused_by(device.me(), "st-mfa", "a request before the second factor is set up")
    info = device.send("PUT", "/auth/mfa/info").expect(200, "mfa/info").json
    same(info["factors"]["next"], ["totp"], "next factor")
    made = totp(device, "device")
    same(made["status"], "OK", "device made")
    return strict, device, email, made


def signed_in(strict, email, mode="header"):
    device = strict.device(mode)
    same(device.form("/auth/strict/signin", email=email, password=PASSWORD)["status"], "OK", "password")
    refused_by(device.me(), "st-mfa", "a request with the password only")
    return device


@in_both_modes("a second factor is set up, and opens what the password alone does not")
def life(world, mode):
    needs(world, "second factors")
    strict, device, email, made = signed_up(world, mode)
    name, secret = made["deviceName"], made["secret"]
    true(secret in made["qrCodeString"], "the secret is in the QR code")
    listed = device.send("GET", "/auth/totp/device/list").json["devices"]
    same(listed, [{"name": name, "period": PERIOD, "skew": 1, "verified": False}], "devices at first")
    wrong = totp(device, "device/verify", deviceName=name, totp=other(secret))
    same(wrong["status"], "INVALID_TOTP_ERROR", "a wrong code")
    same((wrong["currentNumberOfFailedAttempts"], wrong["maxNumberOfFailedAttempts"]), (1, ATTEMPTS), "attempts")
    refused_by(device.me(), "st-mfa", "a request after a wrong code")
    used = code(secret)
    done = totp(device, "device/verify", deviceName=name, totp=used)
    same(done, {"status": "OK", "wasAlreadyVerified": False}, "the right code")
    device.signed_in(checked=True)
    device.refreshed()
    device.signed_in()
    second = signed_in(strict, email, mode)
    same(totp(second, "verify", totp=used)["status"], "INVALID_TOTP_ERROR", "a code that was used")
    refused_by(second.me(), "st-mfa", "a request after a replay")
    same(totp(second, "verify", totp=code(secret, 1))["status"], "OK", "the next code")
    second.signed_in(checked=True)
    gone = {"status": "OK", "didDeviceExist": True}
    same(totp(second, "device/remove", deviceName=name), gone, "device removed")
    same(second.send("GET", "/auth/totp/device/list").json["devices"], [], "devices at last")


@check("too many wrong codes of a second factor block it for a while")
def limit(world):
    needs(world, "second factors")
    strict, device, email, made = signed_up(world)
    same(totp(device, "device/verify", deviceName=made["deviceName"], totp=code(made["secret"]))["status"], "OK", "verified")
    # A second device, whose current code is still unused.
    spare = totp(device, "device")
    for count in range(1, ATTEMPTS + 1):
        answer = totp(device, "device/verify", deviceName=spare["deviceName"], totp=other(spare["secret"]))
        same(answer["status"], "INVALID_TOTP_ERROR", "a wrong code")
        same(answer["currentNumberOfFailedAttempts"], count, "attempts counted")
    fields = {"deviceName": spare["deviceName"], "totp": code(spare["secret"])}
    answer = totp(device, "device/verify", **fields)
    same(answer["status"], "LIMIT_REACHED_ERROR", "the right code, too late")
    true(0 < answer["retryAfterMs"] <= COOLDOWN * 1000, f"retryAfterMs {answer['retryAfterMs']}")
    second = signed_in(strict, email)
    same(totp(second, "verify", totp=code(made["secret"], 1))["status"], "LIMIT_REACHED_ERROR", "also in another session")
    time.sleep(answer["retryAfterMs"] / 1000 + 0.2)
    same(totp(device, "device/verify", **fields)["status"], "OK", "after the pause")
    same(totp(second, "verify", totp=code(made["secret"], 1))["status"], "OK", "also in the other session")
    second.signed_in()
