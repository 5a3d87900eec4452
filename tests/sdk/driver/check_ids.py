"""The application's own user ids: mapped, used everywhere, found, annotated and removed."""

import uuid

from check_flow import in_both_modes
from check_people import PASSWORD, account
from harness import check, same
from offers import offers


def app(world):
    return world.app("ids", "ids", PEOPLE="true")


@in_both_modes("a user with a mapped id signs in, is signed in and is deleted by that id")
def mapped_user(world, mode):
    ids = app(world)
    device = ids.device(mode)
    email, internal = account(ids, device, "mapped")
    mine = f"crm-{uuid.uuid4()}"
    # The address is verified and a session exists under the internal id.
    same(ids.try_admin("/id/map", userId=internal, externalUserId=mine).status, 500, "mapping of an id in use")
    same(ids.admin("/id/map", userId=internal, externalUserId=mine, force=True)["status"], "OK", "forced")
    same(ids.admin("/user", userId=internal)["id"], mine, "the user's id from now on")
    device.refreshed()
    same(device.signed_in(checked=True)["userId"], mine, "user of the living session, after a refresh")
    again = ids.device(mode)
    same(again.form("/auth/signin", email=email, password=PASSWORD)["user"]["id"], mine, "user who signed in")
    for each in (internal, mine):
        same(len(ids.admin("/sessions", userId=each)["handles"]), 2, f"sessions of {each}")
    ids.admin("/user/remove", userId=mine)
    same(ids.admin("/user", userId=internal), {"found": False}, "the deleted user")
    device.refresh().refuse("unauthorised", "a refresh after the deletion")


@check("a mapping is found by either id, annotated, and removed")
def life_of_a_mapping(world):
    ids = app(world)
    _, internal = account(ids, ids.device(), "life")
    ids.admin("/revoke", userId=internal)
    mine = f"crm-{uuid.uuid4()}"
    unknown = {"status": "UNKNOWN_MAPPING_ERROR", "internal": None, "external": None, "note": None}
    same(ids.admin("/id/find", userId=internal), unknown, "before")
    same(ids.admin("/id/note", userId=internal, note="n")["status"], "UNKNOWN_MAPPING_ERROR", "note on nothing")
    same(ids.admin("/id/map", userId=str(uuid.uuid4()), externalUserId=mine)["status"], "UNKNOWN_SUPERTOKENS_USER_ID_ERROR", "nobody")
    # Only the verified address is stored under the internal id now: from CDI 4.0 on it moves, before that it is in the
    # way.
    if offers(world, "renamed verification"):
        same(ids.admin("/id/map", userId=internal, externalUserId=mine)["status"], "OK", "mapped")
    else:
        same(ids.try_admin("/id/map", userId=internal, externalUserId=mine).status, 500, "mapping of a verified user")
        same(ids.admin("/id/map", userId=internal, externalUserId=mine, force=True)["status"], "OK", "forced")
    again = ids.admin("/id/map", userId=internal, externalUserId=mine)["status"]
    same(again, "USER_ID_MAPPING_ALREADY_EXISTS_ERROR", "mapped again")
    same(ids.admin("/id/note", userId=mine, note="from the crm")["status"], "OK", "noted")
    found = {"status": "OK", "internal": internal, "external": mine, "note": "from the crm"}
    for each, kind in ((internal, "ANY"), (mine, "ANY"), (internal, "SUPERTOKENS"), (mine, "EXTERNAL")):
        same(ids.admin("/id/find", userId=each, kind=kind), found, f"found by {kind}")
    same(ids.admin("/id/note", userId=mine)["status"], "OK", "note removed")
    same(ids.admin("/id/find", userId=mine)["note"], None, "no note any more")
    if offers(world, "renamed verification"):
        same(ids.try_admin("/id/unmap", userId=mine).status, 500, "a verified address stands under the mapped id")
    same(ids.admin("/id/unmap", userId=mine, force=True), {"existed": True}, "taken away")
    same(ids.admin("/id/unmap", userId=mine), {"existed": False}, "taken away again")
    same(ids.admin("/id/find", userId=internal), unknown, "afterwards")
