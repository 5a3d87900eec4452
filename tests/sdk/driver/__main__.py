"""Runs every check against one application: `python3 tests/sdk/driver NAME [--only TEXT] -- COMMAND…`."""

import argparse
import shutil
import sys
import tempfile
import threading
from collections import defaultdict
from pathlib import Path

import harness
from app import App
from core import Core, FrontDoor
from provider import Provider

# Importing registers the checks, in this order.
import check_flow  # noqa: F401
import check_csrf  # noqa: F401
import check_data  # noqa: F401
import check_tabs  # noqa: F401
import check_keys  # noqa: F401
import check_tenants  # noqa: F401
import check_roles  # noqa: F401
import check_users  # noqa: F401
import check_core  # noqa: F401
import check_people  # noqa: F401
import check_ids  # noqa: F401
import check_third_party  # noqa: F401
import check_sites  # noqa: F401
import check_codes  # noqa: F401
import check_second_factor  # noqa: F401
import check_dashboard  # noqa: F401
import check_front_door  # noqa: F401

# Most checks wait: for tokens to expire, for keys to come into use.
AT_ONCE = 6


class World:
    """The servers and applications that the checks share; each is started when first needed."""

    def __init__(self, name, command, folder):
        self.name = name
        self.command = command
        self.folder = folder
        self.cores = {}
        self.apps = {}
        self.found_provider = None
        self.locks = defaultdict(threading.Lock)

    def core(self, name="main", **settings):
        with self.locks["core", name]:
            if name not in self.cores:
                self.cores[name] = Core(self.folder / f"core-{name}", **settings)
            return self.cores[name]

    def front_door(self):
        """A server whose front door is open, too."""
        with self.locks["core", "front-door"]:
            if "front-door" not in self.cores:
                self.cores["front-door"] = FrontDoor(self.folder / "core-front-door", {})
            return self.cores["front-door"]

    def app(self, name, app_id=None, core=None, core_settings=None, **settings):
        """An application process; its app in the core is created with the settings given first."""
        with self.locks["app", name]:
            if name not in self.apps:
                core = core or self.core()
                uri = core.uri
                if app_id:
                    core.put_app(app_id, core_settings or {})
                    uri = f"{core.uri}/appid-{app_id}"
                self.apps[name] = App(self.command, self.folder, name, uri, **settings)
            return self.apps[name]

    def provider(self):
        """The provider at which people have accounts."""
        with self.locks["provider"]:
            self.found_provider = self.found_provider or Provider()
            return self.found_provider

    def close(self):
        for app in self.apps.values():
            app.stop()
        for core in self.cores.values():
            core.stop()


def main():
    parser = argparse.ArgumentParser(prog="driver")
    parser.add_argument("name")
    parser.add_argument("--only", help="run only the checks whose title contains this")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    harness.end_in_order()
    folder = Path(tempfile.mkdtemp(prefix=f"sessiond-{options.name}-"))
    world = World(options.name, options.command, folder)
    failures = 1
    try:
        failures = harness.run(options.name, world, options.only, AT_ONCE)
    finally:
        world.close()
        if failures:
            print(f"logs of the servers and applications: {folder}")
        else:
            shutil.rmtree(folder)
    sys.exit(1 if failures else 0)


main()
