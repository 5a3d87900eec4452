"""Several holders of one session at once: tabs, and clients that resend."""

import random
from concurrent.futures import ThreadPoolExecutor

from check_flow import in_both_modes, long_app, user
from harness import check, same, true

ROUNDS = 25


def refreshed_together(devices):
    """Refreshes all devices at the same time."""
    with ThreadPoolExecutor(len(devices)) as pool:
        for job in [pool.submit(device.refreshed) for device in devices]:
            job.result()


@in_both_modes("two parallel refreshes, then one tab's tokens win: nobody is logged out")
def winner_takes_all(world, mode):
    chance = random.Random(7)
    device = long_app(world).device(mode)
    handle = device.login(user())["handle"]
    for _ in range(ROUNDS):
        tabs = [device.copy(), device.copy()]
        refreshed_together(tabs)
        device = chance.choice(tabs)  # whose reply is stored last
        same(device.signed_in()["handle"], handle, "handle after parallel refreshes")
    same(device.signed_in(checked=True)["handle"], handle, "handle at the end")


@in_both_modes("two parallel refreshes, the first tab used its token before the other tab's tokens won")
def loser_was_used(world, mode):
    device = long_app(world).device(mode)
    handle = device.login(user())["handle"]
    for round_number in range(ROUNDS):
        tabs = [device.copy(), device.copy()]
        refreshed_together(tabs)
        first, last = tabs if round_number % 2 else reversed(tabs)
        first.signed_in()  # becomes the live one
        same(last.signed_in()["handle"], handle, "the other tab's first request")
        device = last
    device.refreshed()
    same(device.signed_in(checked=True)["handle"], handle, "handle at the end")


@in_both_modes("two parallel refreshes, the other tab's token refreshes next")
def loser_refreshes(world, mode):
    device = long_app(world).device(mode)
    handle = device.login(user())["handle"]
    for _ in range(ROUNDS):
        first, last = device.copy(), device.copy()
        refreshed_together([first, last])
        first.signed_in()
        last.refreshed()
        device = last
        same(device.signed_in(checked=True)["handle"], handle, "handle after the refresh")


@check("what a sibling displaced is stale: using it later is theft")
def displaced_is_stale(world):
    device = long_app(world).device()
    device.login(user())
    first, last = device.copy(), device.copy()
    refreshed_together([first, last])
    first.signed_in()
    last.signed_in()
    last.refreshed()
    last.signed_in()
    first.refresh().refuse("token theft detected", "the displaced tab's refresh token")


@check("twenty tabs refresh at once and all of them work")
def crowd(world):
    device = long_app(world).device()
    handle = device.login(user())["handle"]
    tabs = [device.copy() for _ in range(20)]
    refreshed_together(tabs)
    handles = {tab.signed_in()["handle"] for tab in tabs}
    same(handles, {handle}, "handles of all tabs")
    device = tabs[-1]
    device.refreshed()
    true(device.signed_in(checked=True)["handle"] == handle, "the last tab goes on")
