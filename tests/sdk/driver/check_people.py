"""An application's users from sign-up to deletion, as one story; and a large number of them."""

import threading
import uuid
from urllib.parse import parse_qs, urlsplit

from check_flow import in_both_modes
from harness import check, same, true, until
from offers import offers

PASSWORD = "correct-horse-1"
# The same password hashed by bcrypt at its lowest cost, as if it came from another system.
HASH = "$2b$04$C/kyqnqUOz94Y7g.Mp5yyOkg7zCuV5K/ItFPOXyHnfTq0/8Ixv81u"
CROWD = 10_000


def address(name):
    return f"{name}-{uuid.uuid4()}@example.org"


def mailed_token(app, email, kind):
    """The token in the link in the latest mail."""

    def links():
        mails = app.admin("/mails", email=email)["mails"]
        return [mail["link"] for mail in mails if mail["type"] == kind]

    link = until(10, f"{kind} mail to {email}", links)[-1]
    return parse_qs(urlsplit(link).query)["token"][0]


def refused_by(reply, claim, what):
    """403 because a claim of the session is not as the route needs it."""
    reply.expect(403, what)
    same([error["id"] for error in reply.json["claimValidationErrors"]], [claim], f"claims that refuse {what}")


def verified(app, device, email, tenant="public"):
    """Follows the mailed link: on another device, as people do."""
    device.send("POST", "/auth/user/email/verify/token", {}).expect(200, "asking for the mail")
    token = mailed_token(app, email, "EMAIL_VERIFICATION")
    answers = [
        app.device().send("POST", f"/auth/{tenant}/user/email/verify", {"method": "token", "token": token}).json["status"]
        for _ in range(2)
    ]
    same(answers, ["OK", "EMAIL_VERIFICATION_INVALID_TOKEN_ERROR"], "the link, followed twice")
    same(device.send("GET", "/auth/user/email/verify").json["isVerified"], True, "isVerified")


def account(app, device, name, tenant="public"):
    """Signs up and verifies the address; it and the user's id."""
    email = address(name)
    answer = device.form(f"/auth/{tenant}/signup", email=email, password=PASSWORD)
    same(answer["status"], "OK", f"sign-up of {name}")
    verified(app, device, email, tenant)
    return email, answer["user"]["id"]


@in_both_modes("sign up, verify, role, metadata, password, lists, link, delete: the whole story")
def story(world, mode):
    app = world.app(f"story-{mode}", f"story-{mode}", PEOPLE="true")
    email, user_id = sign_up(app, mode)
    device = role(app, mode, email, user_id)
    metadata(app, device, user_id)
    password = change_password(app, mode, device, email)
    others = [account(app, app.device(mode), f"other-{n}") for n in range(4)]
    listing(app, [email, *(other for other, _ in others)])
    emails = [email]
    if offers(world, "account linking"):
        emails.append(others[0][0])
        link(app, mode, user_id, others[0])
    delete(world, app, mode, device, user_id, {email: password, **dict.fromkeys(emails[1:], PASSWORD)})


def sign_up(app, mode):
    """Until the address is verified, the session is good for nothing but verifying it."""
    device = app.device(mode)
    email = address("story")
    answer = device.form("/auth/signup", email=f" {email.upper()}", password=PASSWORD)
    same(answer["status"], "OK", "sign-up")
    user_id = answer["user"]["id"]
    again = app.device(mode).form("/auth/signup", email=email, password=PASSWORD)
    same(again["status"], "FIELD_ERROR", "a second sign-up with the address")
    true("already exists" in again["formFields"][0]["error"], f"reason: {again['formFields']}")
    refused_by(device.me(), "st-ev", "a request before the address is verified")
    verified(app, device, email)
    same(device.signed_in()["userId"], user_id, "user, once verified")
    same(device.claims()["st-ev"]["v"], True, "verification in the access token")
    return email, user_id


def role(app, mode, email, user_id):
    """A role given while signed in is in the access token of the next sign-in, and opens the route."""
    wrong = app.device(mode).form("/auth/signin", email=email, password="wrong-horse-1")
    same(wrong["status"], "WRONG_CREDENTIALS_ERROR", "sign-in with a wrong password")
    device = app.device(mode)
    same(device.form("/auth/signin", email=email, password=PASSWORD)["user"]["id"], user_id, "user who signed in")
    same(device.claims()["st-role"]["v"], [], "roles at first")
    refused_by(device.send("GET", "/admin-only"), "st-role", "the route for admins")
    same(app.admin("/role/give", userId=user_id, role="admin")["status"], "UNKNOWN_ROLE_ERROR", "no such role yet")
    same(app.admin("/role", role="admin", permissions=["read", "write"])["createdNew"], True, "role created")
    same(app.admin("/role/give", userId=user_id, role="admin"), {"status": "OK", "hadIt": False}, "role given")
    same(app.admin("/role/give", userId=user_id, role="admin"), {"status": "OK", "hadIt": True}, "role given again")
    device = app.device(mode)
    device.form("/auth/signin", email=email, password=PASSWORD)
    same(device.claims()["st-role"]["v"], ["admin"], "role in the access token")
    same(sorted(device.claims()["st-perm"]["v"]), ["read", "write"], "permissions in the access token")
    same(device.send("GET", "/admin-only").expect(200, "the route for admins").json["userId"], user_id, "admin")
    device.refreshed()
    device.send("GET", "/admin-only").expect(200, "the route for admins after a refresh")
    return device


def metadata(app, device, user_id):
    def update(**update):
        return device.send("POST", "/metadata", {"update": update}).expect(200, "metadata").json["metadata"]

    deep = {"a": [None, 1]}
    same(update(theme="dark", visits=1, deep=deep), {"theme": "dark", "visits": 1, "deep": deep}, "first")
    same(update(visits=2, theme=None), {"visits": 2, "deep": deep}, "merged")
    same(device.send("GET", "/metadata").json["metadata"], {"visits": 2, "deep": deep}, "read back")
    same(app.admin("/metadata", userId=user_id)["metadata"]["visits"], 2, "read by the application")


def change_password(app, mode, device, email):
    """The session that changed the password lives on, every other one ends."""
    new = "battery-staple-2"
    others = [app.device(mode) for _ in range(2)]
    for other in others:
        other.form("/auth/signin", email=email, password=PASSWORD)
        other.signed_in(checked=True)

    def change(old, to):
        return device.send("POST", "/change-password", {"oldPassword": old, "newPassword": to}).json["status"]

    same(change("not-the-old-1", new), "WRONG_CREDENTIALS_ERROR", "change without knowing the old password")
    same(change(PASSWORD, "short"), "PASSWORD_POLICY_VIOLATED_ERROR", "change to a weak password")
    others[0].signed_in(checked=True)
    same(change(PASSWORD, new), "OK", "change")
    for other in others:
        other.me(checked=True, keep=False).refuse("unauthorised", "another session, checked")
        other.refresh().refuse("unauthorised", "the refresh of another session")
    device.signed_in(checked=True)
    device.refreshed()
    for password, status in ((PASSWORD, "WRONG_CREDENTIALS_ERROR"), (new, "OK")):
        same(app.device(mode).form("/auth/signin", email=email, password=password)["status"], status, password)
    return new


def pages(app, **how):
    """The addresses of all users, page by page."""
    users, token = [], None
    while True:
        more = {} if token is None else {"paginationToken": token}
        page = app.admin("/users", **how, **more)
        true(0 < len(page["users"]) <= how["limit"], f"{len(page['users'])} users in a page of {how['limit']}")
        users += page["users"]
        token = page["next"]
        if token is None:
            return [email for user in users for email in user["emails"]]


def listing(app, emails):
    """In the order in which they joined."""
    same(app.admin("/users/count")["count"], len(emails), "count")
    for limit in (2, len(emails), 100):
        same(pages(app, limit=limit), emails, f"oldest first, {limit} a page")
        same(pages(app, limit=limit, newestFirst=True), emails[::-1], f"newest first, {limit} a page")
    found = app.admin("/users", limit=10, query={"email": emails[2][:20]})["users"]
    same([user["emails"] for user in found], [[emails[2]]], "search by the beginning of an address")


def link(app, mode, user_id, other):
    """Two accounts become one person: either address signs in as that person; the joining account's sessions end."""
    email, other_id = other
    before = app.device(mode)
    same(before.form("/auth/signin", email=email, password=PASSWORD)["user"]["id"], other_id, "before linking")
    not_yet = app.admin("/link", recipeUserId=other_id, primaryUserId=user_id)
    same(not_yet["status"], "INPUT_USER_IS_NOT_A_PRIMARY_USER", "linking to an account that is not primary")
    same(app.admin("/link/primary", recipeUserId=user_id), {"status": "OK", "wasPrimary": False}, "made primary")
    same(app.admin("/link/primary", recipeUserId=user_id), {"status": "OK", "wasPrimary": True}, "made primary again")
    done = app.admin("/link", recipeUserId=other_id, primaryUserId=user_id)
    same((done["status"], done["wereLinked"]), ("OK", False), "linked")
    same(app.admin("/link", recipeUserId=other_id, primaryUserId=user_id)["wereLinked"], True, "linked again")
    before.me(checked=True).refuse("unauthorised", "a session of the joining account")
    device = app.device(mode)
    same(device.form("/auth/signin", email=email, password=PASSWORD)["user"]["id"], user_id, "user after linking")
    session = device.signed_in(checked=True)
    same((session["userId"], device.claims()["rsub"]), (user_id, other_id), "person and account in the session")
    same(device.claims()["st-role"]["v"], ["admin"], "the person's roles")
    same(device.send("GET", "/metadata").json["metadata"]["visits"], 2, "the person's metadata")
    person = app.admin("/user", userId=other_id)
    same((person["id"], person["isPrimary"]), (user_id, True), "the person, found by the other account")
    true(email in person["emails"], f"addresses of the person: {person['emails']}")
    same({method["recipeUserId"] for method in person["methods"]}, {user_id, other_id}, "accounts of the person")
    same([method["verified"] for method in person["methods"]], [True, True], "both addresses are verified")
    same(app.admin("/users/count")["count"], 4, "people, one of them with two accounts")
    listed = app.admin("/users", limit=1)["users"][0]
    same((listed["id"], sorted(listed["emails"])), (user_id, sorted(person["emails"])), "listed once, with both")


def delete(world, app, mode, device, user_id, passwords):
    """Nothing of a deleted person is left but why their sessions ended, and nobody else loses anything."""
    count = app.admin("/users/count")["count"]
    handles = app.admin("/sessions", userId=user_id)["handles"]
    true(handles, "the person is signed in")
    same(app.admin("/user/remove", userId=user_id)["status"], "OK", "deleted")
    for email, password in passwords.items():
        answer = app.device(mode).form("/auth/signin", email=email, password=password)
        same(answer["status"], "WRONG_CREDENTIALS_ERROR", f"sign-in of the deleted {email}")
    same(app.admin("/user", userId=user_id), {"found": False}, "the person")
    same(app.admin("/users/count")["count"], count - 1, "people left")
    same(len(pages(app, limit=2)), count - 1, "people listed")
    same(app.admin("/role/list", userId=user_id)["roles"], [], "roles")
    same(app.admin("/metadata", userId=user_id)["metadata"], {}, "metadata")
    same(app.admin("/sessions", userId=user_id)["handles"], [], "sessions")
    device.me(checked=True, keep=False).refuse("unauthorised", "the deleted person's session")
    device.refresh().refuse("unauthorised", "the deleted person's refresh")
    for handle in handles:
        told = world.core().timeline(f"story-{mode}", handle)
        true("user deletion" in told, f"the reason in the timeline of {handle}: {told}")
    email = next(iter(passwords))
    again = app.device(mode).form("/auth/signup", email=email, password=PASSWORD)
    same(again["status"], "OK", "the address is free again")
    true(again["user"]["id"] != user_id, "for a new person")


@check("ten thousand users are listed page by page, each once, while others sign up")
def crowd(world):
    app = world.app("crowd", "crowd", PEOPLE="true")
    emails = [f"member-{n:05}@example.org" for n in range(CROWD)]
    world.core().import_accounts("crowd", emails, HASH)
    same(app.admin("/users/count")["count"], CROWD, "count")
    same(app.device().form("/auth/signin", email=emails[-1], password=PASSWORD)["status"], "OK", "an imported password")
    newcomers, enough = [], threading.Event()

    def sign_up_others():
        while not enough.is_set():
            newcomers.append(address("newcomer"))
            app.device().form("/auth/signup", email=newcomers[-1], password=PASSWORD)

    others = threading.Thread(target=sign_up_others)
    others.start()
    try:
        until(20, "others sign up", lambda: len(newcomers) > 1)
        listed = {newest: pages(app, limit=200, newestFirst=newest) for newest in (False, True)}
    finally:
        enough.set()
        others.join()
    for newest, found in listed.items():
        same(len(found), len(set(found)), f"users listed twice (newest first: {newest})")
        same(sorted(email for email in found if email.startswith("member-")), emails, "members listed")
        true(set(found) <= {*emails, *newcomers}, "nobody else is listed")
    same(app.admin("/users/count")["count"], CROWD + len(newcomers), "count afterwards")
