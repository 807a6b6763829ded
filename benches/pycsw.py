#!/usr/bin/env python3
"""Hanse beside pycsw over SQLite, in one run, on the same records.

    python3 benches/pycsw.py                  # 2,000 generated records in each of five towns: 10,000
    python3 benches/pycsw.py --per-town 200   # a quick look

Needs `cargo build --release`. pycsw comes from PyPI into target/pycsw. What PyPI
has of pycsw (2.6.2) does not speak OGC API Records yet, so it is asked over CSW
3.0, which answers from the same repository: full records as Dublin Core, a
page of ten. Hanse is asked over OGC API Records: a federation of five towns is
founded and loaded, until each node holds the records of all; then the node of
Soest is served alone, as one pycsw is. The records are read from Hanse and loaded
into pycsw, so both hold the same. Wall time is the client's; CPU time and memory
are the servers' own, from /proc.
"""

import argparse
import json
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / "target" / "pycsw"
PACKAGES = ["pycsw==2.6.2", "SQLAlchemy==1.4.54"]
WORDS = ["Baumkataster", "Haushalt", "Verkehr", "Spielplatz", "Lärm", "Wahl"]
AREA = (7.5, 50.9, 8.3, 51.7)
ROUNDS = 30
WAIT_S = 1800
TICKS = os.sysconf("SC_CLK_TCK")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--per-town", type=int, default=2000, help="generated records of each of five towns")
    arguments.add_argument("--binary", type=Path, default=ROOT / "target" / "release" / "hanse")
    given = arguments.parse_args()
    if not given.binary.exists():
        sys.exit(f"{given.binary} is not there: run `cargo build --release` first")
    if not (VENV / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    subprocess.run([VENV / "bin" / "pip", "install", "--quiet", *PACKAGES], check=True)
    directory = Path(tempfile.mkdtemp(prefix="hanse-pycsw-"))
    try:
        run(given, directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def run(given, directory):
    hanse = Hanse(given.binary, directory / "towns", given.per_town)
    try:
        records = hanse.records()
        pycsw = Pycsw(directory / "pycsw", records)
        try:
            print(f"{len(records)} records\n")
            print(f"{'':24}{'Hanse':>22}{'pycsw':>22}")
            row("load", f"{hanse.load_s / 5:.1f} s", f"{pycsw.load_s:.1f} s")
            for name, queries in measured(len(records)):
                row(name, *(measure(server, queries) for server in (hanse, pycsw)))
            row("memory", *(f"{server.memory_mb():.0f} MB" for server in (hanse, pycsw)))
            print("\nwall time, median / p95 in ms, and CPU time per request in ms; load of Hanse: a fifth of the")
            print(f"{hanse.load_s:.1f} s until five nodes held all records, each sealed by its town and checked by the others")
        finally:
            pycsw.stop()
    finally:
        hanse.stop()


def row(name, one, other):
    print(f"{name:24}{one:>22}{other:>22}")


def measured(total):
    """What is asked, by name: words, place, place in the list."""
    chance = random.Random(1)
    yield "words", [(word, None, 0) for word in WORDS] * (ROUNDS // len(WORDS))
    yield "place", [(None, AREA, 0)] * ROUNDS
    yield "words in a place", [(word, AREA, 0) for word in WORDS] * (ROUNDS // len(WORDS))
    yield "page", [(None, None, chance.randrange(max(total - 10, 1))) for _ in range(ROUNDS)]


def measure(server, queries):
    server.ask(*queries[0])
    walls, before = [], server.cpu_s()
    for query in queries:
        began = time.perf_counter()
        server.ask(*query)
        walls.append((time.perf_counter() - began) * 1000)
    cpu = (server.cpu_s() - before) * 1000 / len(queries)
    walls.sort()
    return f"{statistics.median(walls):.1f} / {walls[int(len(walls) * 0.95)]:.1f}, {cpu:.1f}"


class Server:
    """A process that answers."""

    def cpu_s(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory_mb(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def until(self, what, attempt):
        deadline = time.monotonic() + WAIT_S
        while not attempt():
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"{what}: did not happen")
            time.sleep(0.2)


class Hanse(Server):
    def __init__(self, binary, towns, per_town):
        base = free_base_port()
        began = time.perf_counter()
        self.start([binary, "demo", "--dir", towns, "--base-port", str(base), "--synthetic", str(per_town)])
        everywhere = [items(base + town) for town in range(1, 6)]
        self.until("all records on all nodes", lambda: min(map(count, everywhere)) >= 5 * per_town)
        self.load_s = time.perf_counter() - began
        self.stop()
        self.address = everywhere[0]
        self.start([binary, "serve", "--dir", towns / "soest"])
        self.until("the node alone", lambda: count(self.address) >= 5 * per_town)

    def start(self, command):
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def records(self):
        found, address = [], f"{self.address}?limit=1000"
        while address:
            page = json.loads(fetch(address))
            found += page["features"]
            address = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
        return found

    def ask(self, words, area, offset):
        query = {"q": words, "bbox": area and ",".join(map(str, area)), "offset": offset or None}
        query = urllib.parse.urlencode({name: value for name, value in query.items() if value})
        assert json.loads(fetch(f"{self.address}?{query}"))["features"] is not None


class Pycsw(Server):
    def __init__(self, home, records):
        (home / "records").mkdir(parents=True)
        for record in records:
            (home / "records" / f"{record['id']}.xml").write_text(dublin_core(record), encoding="utf-8")
        database = f"sqlite:///{home / 'records.db'}"
        port = free_port()
        self.address = f"http://127.0.0.1:{port}/"
        (home / "pycsw.cfg").write_text(CONFIGURATION.format(address=self.address, database=database))
        python = [VENV / "bin" / "python", "-W", "ignore", "-c"]
        began = time.perf_counter()
        subprocess.run([*python, LOAD, database, str(home)], check=True, stdout=subprocess.DEVNULL)
        self.load_s = time.perf_counter() - began
        environment = {**os.environ, "PYCSW_CONFIG": str(home / "pycsw.cfg")}
        self.process = subprocess.Popen(
            [*python, SERVE, str(port)], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.until("pycsw answering", self.answers)

    def answers(self):
        try:
            return b"numberOfRecordsMatched" in self.records_at(None, None, 0)
        except OSError:
            return False

    def ask(self, words, area, offset):
        answer = self.records_at(words, area, offset)
        assert b"numberOfRecordsMatched" in answer, answer[:500]

    def records_at(self, words, area, offset):
        query = {
            "service": "CSW", "version": "3.0.0", "request": "GetRecords", "typenames": "csw:Record",
            "elementsetname": "full", "outputFormat": "application/xml", "startposition": offset + 1, "maxrecords": 10,
        }
        query |= {"q": words} if words else {}
        query |= {"bbox": ",".join(map(str, area))} if area else {}
        return fetch(f"{self.address}?{urllib.parse.urlencode(query)}")


LOAD = """
import sys
from pycsw.core import admin, config
database, home = sys.argv[1:]
admin.setup_db(database, "records", home)
admin.load_records(config.StaticContext(), database, "records", home + "/records")
"""
SERVE = """
import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer, make_server
from pycsw.wsgi import application
class Threads(ThreadingMixIn, WSGIServer):
    daemon_threads = True
make_server("127.0.0.1", int(sys.argv[1]), application, server_class=Threads).serve_forever()
"""
CONFIGURATION = """[server]
home=.
url={address}
mimetype=application/xml; charset=UTF-8
encoding=UTF-8
language=de-DE
maxrecords=10
[manager]
transactions=false
allowed_ips=127.0.0.1
[metadata:main]
identification_title=Records
identification_abstract=Records
identification_keywords=records
provider_name=Town
provider_url=https://town.example
contact_name=Office
contact_email=office@town.example
[repository]
database={database}
table=records
"""


def dublin_core(record):
    properties = record["properties"]
    parts = [f"<dc:identifier>{record['id']}</dc:identifier>", f"<dc:title>{escape(properties['title'])}</dc:title>"]
    parts.append("<dc:type>dataset</dc:type>")
    parts += [f"<dc:subject>{escape(word)}</dc:subject>" for word in properties.get("keywords", [])]
    parts += [f"<dc:format>{escape(one['name'])}</dc:format>" for one in properties.get("formats", [])]
    if "updated" in properties:
        parts.append(f"<dct:modified>{properties['updated']}</dct:modified>")
    parts.append(f"<dct:abstract>{escape(properties.get('description', ''))}</dct:abstract>")
    for link in record["links"]:
        if link["rel"] in ("enclosure", "item", "service"):
            parts.append(f"<dct:references>{escape(link['href'])}</dct:references>")
    if record["geometry"]:
        ring = record["geometry"]["coordinates"][0]
        lower, upper = (f"{corner[1]} {corner[0]}" for corner in (ring[0], ring[2]))
        parts.append(
            '<ows:BoundingBox crs="urn:x-ogc:def:crs:EPSG:6.11:4326">'
            f"<ows:LowerCorner>{lower}</ows:LowerCorner><ows:UpperCorner>{upper}</ows:UpperCorner></ows:BoundingBox>"
        )
    return (
        '<csw:Record xmlns:csw="http://www.opengis.net/cat/csw/2.0.2" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:dct="http://purl.org/dc/terms/" xmlns:ows="http://www.opengis.net/ows">' + "".join(parts) + "</csw:Record>"
    )


def items(port):
    return f"http://127.0.0.1:{port}/collections/federation/items"


def count(address):
    try:
        return json.loads(fetch(f"{address}?limit=1"))["numberMatched"]
    except (OSError, ValueError):
        return -1


def fetch(address):
    with urllib.request.urlopen(address, timeout=120) as answer:
        return answer.read()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def free_base_port():
    """A base port of which all fifteen ports that the demo uses are free."""
    while True:
        base = random.randrange(20_000, 50_000)
        try:
            for port in (base + offset + town for offset in (0, 100, 200) for town in range(1, 6)):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
            return base
        except OSError:
            continue


if __name__ == "__main__":
    main()
