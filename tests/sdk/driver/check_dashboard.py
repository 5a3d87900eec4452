"""The SDK's own dashboard: signing in to it, and what it shows of the users."""

from urllib.parse import urlencode

from app import send
from check_people import PASSWORD
from harness import check, same, true
from offers import needs

ADMIN = {"email": "admin@example.org", "password": "dashboard-1"}
NAMES = ("ada", "albert", "grace", "alan", "edsger")


class Dashboard:
    """The dashboard's page: its requests to the application's backend."""

    def __init__(self, app):
        self.app = app
        self.session = None

    def send(self, method, path, fields=None, tenant="public", **query):
        headers = {"Authorization": f"Bearer {self.session}"} if self.session else {}
        path = f"/auth/{tenant}/dashboard/api/{path}" + (f"?{urlencode(query)}" if query else "")
        return send(self.app.port, method, path, fields, headers)

    def get(self, path, **query):
        return self.send("GET", path, **query).expect(200, path).json

    def sign_in(self, **fields):
        answer = self.send("POST", "signin", {**ADMIN, **fields}).expect(200, "signin to the dashboard").json
        self.session = answer.get("sessionId")
        return answer["status"].upper()  # the Go SDK spells it with a small "l"


def app(world):
    """An application with some users and one person who may see them."""
    app = world.app("dashboard", "dashboard", PEOPLE="true", WAYS="true")
    with world.locks["dashboard users"]:
        if not app.admin("/users/count")["count"]:
            status, answer = world.core().call("POST", "/appid-dashboard/recipe/dashboard/user", ADMIN)
            same((status, answer["status"]), (200, "OK"), "dashboard user")
            for name in NAMES:
                app.device().form("/auth/signup", email=f"{name}@example.org", password=PASSWORD)
    return app


def opened(world):
    board = Dashboard(app(world))
    same(board.sign_in(), "OK", "sign-in to the dashboard")
    return board


@check("the dashboard opens to its own users only, until they sign out")
def session(world):
    board = Dashboard(app(world))
    for board.session, statuses in ((None, (401, 500)), ("nobody", (401,))):
        for path in ("users", "users/count", "user"):
            reply = board.send("GET", path, limit=10, userId="x", recipeId="emailpassword")
            true(reply.status in statuses, f"{path} with session {board.session}: {reply.status}")
    same(board.sign_in(password="dashboard-2"), "INVALID_CREDENTIALS_ERROR", "a wrong password")
    same(board.sign_in(email="ada@example.org", password=PASSWORD), "INVALID_CREDENTIALS_ERROR", "a user of the application")
    same(board.sign_in(email=" ADMIN@example.org "), "OK", "the right password")
    board.get("users", limit=1)
    other = Dashboard(board.app)
    other.session = board.session[:-1] + ("0" if board.session[-1] != "0" else "1")
    other.send("GET", "users", limit=1).expect(401, "somebody else's session")
    board.send("POST", "signout").expect(200, "signout of the dashboard")
    board.send("GET", "users", limit=1).expect(401, "users after signing out")


def emails(answer):
    """The addresses of users, in the format of newer and of older SDKs."""
    users = [user.get("user", user) for user in answer["users"]]
    return [user["emails"][0] if "emails" in user else user["email"] for user in users]


@check("the dashboard lists, counts, searches and shows users")
def users(world):
    board = opened(world)
    everybody = [f"{name}@example.org" for name in NAMES]
    same(board.get("users/count")["count"], len(NAMES), "users counted")
    same(emails(board.get("users", limit=10)), everybody[::-1], "users, newest first")
    first = board.get("users", limit=3, timeJoinedOrder="ASC")
    rest = board.get("users", limit=3, timeJoinedOrder="ASC", paginationToken=first["nextPaginationToken"])
    same(emails(first) + emails(rest), everybody, "users, page by page, oldest first")
    same(rest.get("nextPaginationToken"), None, "the last page")
    true({"email", "phone", "provider"} <= set(board.get("search/tags")["tags"]), "search tags")
    for found, wanted in (("a", ["ada", "albert", "alan"]), ("al", ["albert", "alan"]), ("grace@example.org", ["grace"]), ("zoe", [])):
        answer = emails(board.get("users", limit=10, email=found))
        same(sorted(answer), sorted(f"{name}@example.org" for name in wanted), f"users found by {found!r}")


@check("the dashboard shows one user, changes metadata, sees sessions and ends them")
def details(world):
    board = opened(world)
    device = board.app.device()
    user_id = device.form("/auth/signin", email="grace@example.org", password=PASSWORD)["user"]["id"]
    which = {"userId": user_id, "recipeId": "emailpassword"}
    shown = board.get("user", **which)
    same((shown["status"], shown["user"]["id"]), ("OK", user_id), "the user")
    fields = {"userId": user_id, "data": '{"plan": "gold"}'}
    board.send("PUT", "user/metadata", fields).expect(200, "metadata changed")
    same(board.get("user/metadata", userId=user_id)["data"]["plan"], "gold", "metadata")
    sessions = board.get("user/sessions", userId=user_id)["sessions"]
    handle = device.claims()["sessionHandle"]
    true(handle in [session.get("sessionHandle") for session in sessions], f"sessions {sessions}")
    board.send("POST", "user/sessions", {"sessionHandles": [handle]}).expect(200, "sessions ended")
    device.refresh().refuse("unauthorised", "refresh of a session that the dashboard ended")
    unknown = board.get("user", **{**which, "userId": "nobody"})
    true(unknown["status"] in ("NO_USER_FOUND_ERROR", "RECIPE_NOT_INITIALISED"), f"an unknown user: {unknown}")


@check("the dashboard creates a tenant, chooses its login methods, and changes its settings")
def tenants(world):
    needs(world, "tenants in the dashboard")
    board = opened(world)

    def put(path, **fields):
        return board.send("PUT", path, fields, tenant="shop").expect(200, path).json

    same(board.send("POST", "tenant", {"tenantId": "shop"}).json, {"status": "OK", "createdNew": True}, "a new tenant")
    same({tenant["tenantId"] for tenant in board.get("tenants")["tenants"]}, {"public", "shop"}, "tenants")
    same(put("tenant/first-factor", factorId="otp-email", enable=True)["status"], "OK", "a way to sign in")
    # A day, in milliseconds.
    same(put("tenant/core-config", name="password_reset_token_lifetime", value=86_400_000)["status"], "OK", "a setting")
    refused = put("tenant/core-config", name="password_reset_token_lifetime", value=-1)
    same(refused["status"], "INVALID_CONFIG_ERROR", "an impossible value")
    true("password_reset_token_lifetime" in refused["message"], f"reason: {refused['message']}")
    shown = board.get("tenant", tenant="shop")["tenant"]
    same((shown["firstFactors"], shown["userCount"]), (["otp-email"], 0), "ways to sign in, and users")
    setting = next(each for each in shown["coreConfig"] if each["key"] == "password_reset_token_lifetime")
    told = (setting["value"], setting["valueType"], setting["isDifferentAcrossTenants"])
    same(told, (86_400_000, "number", True), "the setting as the dashboard shows it")
    same(board.send("DELETE", "tenant", tenant="shop").json["status"], "OK", "the tenant removed")
    same({tenant["tenantId"] for tenant in board.get("tenants")["tenants"]}, {"public"}, "tenants at last")
