"""Gives client tests a running federation: `hanse demo` in a fresh directory,
on ports that are free, with the five towns' 23 open records on each node.

Tests that only read share `federation`. A test that edits, publishes or
restarts takes `private_federation`, which its module has for itself.
Everything that is started here is ended here.
"""

import functools
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
BINARY = Path(os.environ.get("HANSE_BINARY", TARGET / "debug" / "hanse")).resolve()

TOWNS = ["soest", "arnsberg", "menden", "olpe", "bad-berleburg"]
OPEN_RECORDS = 23
START_TIMEOUT_S = 120
STOP_TIMEOUT_S = 60
REQUEST_TIMEOUT_S = 30

# What only the node says of a record, or what belongs to that record alone.
NOT_COPIED = {
    "id", "identifier", "iri", "class", "status", "formats", "issued", "modified",
    "town", "town_code", "town_name", "verdict", "document", "epoch", "heads",
    "changes", "sealed_at", "conflicts", "extra",
}


@pytest.fixture(scope="session")
def federation():
    """A federation for tests that only read."""
    with Federation() as running:
        yield running


@pytest.fixture(scope="module")
def private_federation():
    """A federation that the tests of one module may change and restart."""
    with Federation() as running:
        yield running


class Federation:
    """`hanse demo`: five towns in one process."""

    def __init__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="hanse-clients-"))
        self.base_port = free_base_port()
        self.process = None
        self.open_records = OPEN_RECORDS

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def start(self, wait=True):
        """Starts all towns where they stopped; with `wait`, until each finds all open records."""
        assert BINARY.exists(), f"{BINARY} is not there: run `cargo build` first"
        assert self.process is None, "the federation runs already"
        with open(self.directory / "output.txt", "ab") as output:
            self.process = subprocess.Popen(
                [BINARY, "demo", "--dir", self.directory / "towns", "--base-port", str(self.base_port)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        if wait:
            self.wait_until_ready()

    def wait_until_ready(self):
        """Until every town is ready and finds as many open records as before the last stop."""
        eventually(
            f"all towns finding {self.open_records} open records",
            lambda: all(town.open_count() == self.open_records for town in self.towns()),
            START_TIMEOUT_S,
            self.must_run,
        )

    def stop(self):
        """Ends all towns as Ctrl-C does, and remembers how many records are open."""
        self.open_records = self.town("soest").open_count() or self.open_records
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(STOP_TIMEOUT_S)
        self.process = None
        assert status == 0, f"the demo ended with {status}; it said:\n{self.output()}"

    def restart(self):
        self.stop()
        self.start()

    def close(self):
        """Ends what runs and removes the directory."""
        try:
            if self.process is not None and self.process.poll() is None:
                self.stop()
        finally:
            if self.process is not None and self.process.poll() is None:
                self.process.kill()
                self.process.wait(STOP_TIMEOUT_S)
            shutil.rmtree(self.directory, ignore_errors=True)

    def must_run(self):
        status = self.process.poll()
        assert status is None, f"the demo ended with {status}; it said:\n{self.output()}"

    def output(self):
        """The last of what the program said."""
        return (self.directory / "output.txt").read_text(errors="replace")[-20_000:]

    def town(self, name):
        return Town(self, name)

    def towns(self):
        return [self.town(name) for name in TOWNS]

    @property
    def portal(self):
        """The public address of the first town, without a slash at the end."""
        return self.town("soest").portal


class Town:
    """One town of the federation: its addresses, and what its staff do."""

    def __init__(self, federation, name):
        number = TOWNS.index(name) + 1
        self.name = name
        self.directory = federation.directory / "towns" / name
        self.portal = f"http://127.0.0.1:{federation.base_port + number}"
        self.desk = f"http://127.0.0.1:{federation.base_port + 100 + number}"

    @functools.cached_property
    def token(self):
        """The desk's token, which outlives a restart."""
        return hanse("token", "--dir", self.directory)

    def get(self, path, **options):
        """An answer of the public listener, whatever its status."""
        return requests.get(self.portal + path, timeout=REQUEST_TIMEOUT_S, **options)

    def open_count(self):
        """How many open records this town finds; nothing while it is not ready."""
        try:
            if not requests.get(f"{self.desk}/readyz", timeout=REQUEST_TIMEOUT_S).ok:
                return None
            answer = self.get("/api/v1/datasets?limit=1")
        except requests.ConnectionError:
            return None
        return answer.json()["total"] if answer.ok else None

    def own_ids(self):
        """The ids of this town's open records, by the last part of their identifiers."""
        found = {}
        while True:
            asked = {"town": self.name, "limit": 100, "sort": "title", "offset": len(found)}
            page = self.get("/api/v1/datasets", params=asked).json()
            found.update((item["identifier"].rsplit("/", 1)[-1], item["id"]) for item in page["items"])
            if len(found) >= page["total"] or not page["items"]:
                return found

    def create(self, record):
        """Creates a closed record; its id."""
        return self.ask("POST", "/api/v1/datasets", record)["id"]

    def create_like(self, dataset, **fields):
        """Creates a closed record with what one of the town's says, but for `fields`; its id."""
        record = self.ask("GET", f"/api/v1/datasets/{dataset}")
        copied = {name: value for name, value in record.items() if name not in NOT_COPIED}
        return self.create({**copied, **fields})

    def edit(self, dataset, fields):
        """Changes fields of one of the town's records."""
        return self.ask("PATCH", f"/api/v1/datasets/{dataset}", fields)

    def edit_catalog(self, fields):
        """Changes fields of what the town says of its catalog."""
        return self.ask("PATCH", "/api/v1/catalog", fields)

    def publish(self, dataset):
        """Opens a record to everyone."""
        return self.ask("POST", f"/api/v1/datasets/{dataset}/publish")

    def ask(self, method, path, body=None):
        """An answer of the desk, which must be a success."""
        answer = requests.request(
            method,
            self.desk + path,
            json=body,
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=REQUEST_TIMEOUT_S,
        )
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()


def hanse(*arguments):
    """What a command of the program prints; it must succeed."""
    done = subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=START_TIMEOUT_S)
    assert done.returncode == 0, f"hanse {arguments}: {done.returncode}\n{done.stderr}"
    return done.stdout.strip()


def eventually(what, attempt, timeout_s=20, check=lambda: None):
    """Calls `attempt` until it returns something; `check` may end the wait with a reason."""
    deadline = time.monotonic() + timeout_s
    while True:
        check()
        found = attempt()
        if found:
            return found
        assert time.monotonic() < deadline, f"{what} did not happen in {timeout_s} s"
        time.sleep(0.05)


def free_base_port():
    """A base port of which all fifteen ports that the demo uses are free."""
    for _ in range(50):
        base = random.randrange(20_000, 50_000)
        if all(is_free(base + offset + town) for offset in (0, 100, 200) for town in range(1, 6)):
            return base
    raise AssertionError("found no fifteen free ports on 127.0.0.1")


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
