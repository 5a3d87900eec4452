"""Ten thousand users, listed page by page, counted, searched and found by e-mail address."""

import json

from harness import check, same, true
from offers import needs

USERS = 10_000
HASH = "$2a$04$abcdefghijklmnopqrstuu5Nk4bWpHwcT1WkA9CjIvp6XcSbYJ9iK"


def email(number):
    return f"user{number}@example{number % 10}.org"


def app(world):
    """An application whose app in the core has the users; a hundred of them share each millisecond."""
    listing = world.app("listing", "listing", PEOPLE="true")
    with world.locks["users"]:
        if not listing.admin("/users/count")["count"]:
            file = world.folder / "users.jsonl"
            with open(file, "w") as lines:
                for number in range(USERS):
                    user = {"email": email(number), "passwordHash": HASH, "timeJoined": 1_700_000_000_000 + number // 100}
                    print(json.dumps(user), file=lines)
            told = world.core().cli("users", "import", str(file), "--app", "listing", "--json")
            same(json.loads(told)["imported"], USERS, "users imported")
    return listing


@check("10,000 users are listed page by page, nobody twice and nobody left out")
def pages(world):
    listing = app(world)
    same(listing.admin("/users/count")["count"], USERS, "users counted")
    for newest_first in (False, True):
        seen, token = [], None
        while True:
            more = {"paginationToken": token} if token else {}
            page = listing.admin("/users", limit=500, newestFirst=newest_first, **more)
            seen += [user["emails"][0] for user in page["users"]]
            token = page["next"]
            if not token:
                break
            same(len(page["users"]), 500, "users on a page in the middle")
        same(len(seen), USERS, "users listed")
        true(len(set(seen)) == USERS, "nobody is listed twice")
        times = [int(address[4 : address.index("@")]) // 100 for address in seen]
        same(times, sorted(times, reverse=newest_first), "users in the order in which they joined")


@check("users are found by the beginning of their address or its domain")
def search(world):
    listing = app(world)
    found = listing.admin("/users", limit=10, query={"email": "user99"})["users"]
    same(len(found), 111, "users whose address begins with user99")
    found = listing.admin("/users", limit=10, query={"email": "example3"})["users"]
    same(len(found), 1000, "users of a domain")
    found = listing.admin("/users", limit=10, query={"email": "nobody"})["users"]
    same(found, [], "users whose address begins with nobody")


@check("users are found by their whole address")
def by_account_info(world):
    needs(world, "account info")
    listing = app(world)
    found = listing.admin("/users/by-info", accountInfo={"email": " USER4711@example1.org"})["users"]
    same([user["emails"] for user in found], [[email(4711)]], "users with the address")
    found = listing.admin("/users/by-info", accountInfo={"email": "user4711@"}, union=True)["users"]
    same(found, [], "users with a beginning of it")
