"""Checks: registered in order, run, each printed with its outcome."""

import signal
import sys
import time
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

CHECKS = []


class Failure(AssertionError):
    """Something that a check expected did not happen."""


class NotOffered(Exception):
    """The SDK does not offer what the check needs."""


def check(title):
    """Registers a check under the rule that it proves."""

    def register(run):
        CHECKS.append((title, run))
        return run

    return register


def same(found, wanted, what):
    if found != wanted:
        raise Failure(f"{what}: {found!r}, not {wanted!r}")


def true(condition, what):
    if not condition:
        raise Failure(what)


def until(seconds, what, probe):
    """The first true result of `probe`, which is called repeatedly for a while."""
    end = time.monotonic() + seconds
    while True:
        answer = probe()
        if answer:
            return answer
        true(time.monotonic() < end, f"not within {seconds} s: {what}")
        time.sleep(0.05)


# A suite takes one to two minutes on a quiet machine; a stuck one is stopped.
LIMIT_SECONDS = 600


def end_in_order():
    """Turns SIGTERM and the time limit into a normal exit, so that everything that was started is stopped."""

    def end(number, _frame):
        sys.exit(f"0 passed, 1 failed: ended by {signal.Signals(number).name}")

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGALRM, end)
    signal.alarm(LIMIT_SECONDS)


def run(name, world, only=None, at_once=1):
    """Runs the checks (those whose title contains `only`), some in parallel; returns the number of failures."""
    chosen = [(title, act) for title, act in CHECKS if only is None or only in title]
    pool = ThreadPoolExecutor(at_once)
    try:
        outcomes = Counter(pool.map(lambda check: _outcome(name, world, *check), chosen))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    failed, lacking = outcomes["FAILED"], outcomes["lacks"]
    if not chosen:
        print("no check was run")
        failed = 1
    more = f", {lacking} not offered by the SDK" if lacking else ""
    print(f"{outcomes['ok']} passed, {failed} failed{more}", flush=True)
    return failed


def _outcome(name, world, title, act):
    """Runs one check and prints its outcome."""
    begin = time.monotonic()
    try:
        act(world)
        outcome, why = "ok", ""
    except NotOffered as reason:
        outcome, why = "lacks", f": {reason}"
    except Exception as error:  # a check that raises has failed, whatever the cause
        where = traceback.extract_tb(error.__traceback__)
        steps = " < ".join(f"{step.name}:{step.lineno}" for step in reversed(where[-4:]))
        outcome, why = "FAILED", f"\n       {type(error).__name__}: {error}\n       at {steps}"
    print(f"{outcome:6} {name}: {title} ({time.monotonic() - begin:.1f} s){why}\n", end="", flush=True)
    return outcome
