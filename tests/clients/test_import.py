"""What other catalogs and inventories bring in can go out again: the official
examples and real catalogs are imported, completed as a clerk would, published
as far as the rules allow, exported, and checked with the official shapes.

Needs the files in `../shared/standards` and is skipped without them.
"""

import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
import rdflib
from rdflib.namespace import DCAT, DCTERMS, RDF

from conftest import BINARY, START_TIMEOUT_S, hanse
from test_rdf import STANDARDS, count_violations

FOLDERS = ("examples", "real-data")
# What an import may be given: the folders hold texts about their files besides.
ENDINGS = {".ttl", ".rdf", ".jsonld", ".json", ".csv", ".xlsx", ".ods"}
# A file of thousands of records says little more than its first ones, and the
# shapes take seconds for each hundred.
PUBLISHED_PER_FILE_MAX = 15
# What a town decides before it publishes, where the source has not said it.
DECIDED = {
    "personal_data": "keiner",
    "contact": {"name": "Datenmanagement", "email": "daten@soest.example"},
    "attribution": "Stadt Soest",
}
RESPONSIBLE = {"responsible_role": {"role": "Amtsleitung", "mailbox": "amt@soest.example"}}
COUNTS = ("created", "changed", "unchanged", "rejected")

pytestmark = pytest.mark.skipif(not STANDARDS.is_dir(), reason=f"{STANDARDS} is not there")


class Arrival(NamedTuple):
    """A file and what became of it: exit code, report, records that it created."""

    path: Path
    code: int
    report: dict
    created: list


@pytest.fixture(scope="module")
def arrivals(private_federation):
    """All files, imported one after the other into Soest's catalog."""
    soest, found = private_federation.town("soest"), []
    known = set(records(soest))
    for path in files():
        code, report = imported(soest, path)
        created = sorted(records(soest).keys() - known) if report["created"] else []
        known.update(created)
        found.append(Arrival(path, code, report, created))
    assert found, f"{STANDARDS} holds files"
    return found


def files():
    found = [path for folder in FOLDERS for path in (STANDARDS / folder).rglob("*") if path.suffix in ENDINGS]
    return sorted(found)


def imported(town, path):
    """The exit code and the report of an import, as a source of the file's own."""
    source = str(path.relative_to(STANDARDS))
    command = [BINARY, "import", "--dir", town.directory, "--json", "--lang", "en", "--source", source, path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=START_TIMEOUT_S)
    assert "panicked" not in done.stderr, f"{source}: {done.stderr}"
    assert done.returncode in (0, 1, 2), f"{source}: {done.returncode} {done.stderr}"
    return done.returncode, json.loads(done.stdout)


def records(town):
    """The town's closed records by id, each with its notes."""
    lines = hanse("export", "--dir", town.directory, "--with-closed", "-").splitlines()
    said = [json.loads(line) for line in lines]
    return {line["dataset"]["id"]: line for line in said if line.get("dataset", {}).get("class") == "closed"}


def complete(town, record):
    """Adds what a town has to decide and the source has not said."""
    lacking = {field: value for field, value in DECIDED.items() if not record["dataset"].get(field)}
    town.edit(record["dataset"]["id"], {**lacking, "internal": RESPONSIBLE})


def test_every_file_comes_in_or_says_why(arrivals):
    for path, code, report, created in arrivals:
        problems = report["problems"]
        print(f"{path.relative_to(STANDARDS)}: {code} {({name: report[name] for name in COUNTS})}")
        assert code == (2 if unreadable(report) else 1 if report["rejected"] else 0), path
        assert len(created) == report["created"], path
        for problem in problems:
            assert problem["where"] and problem["reason"] and problem["remedy"], f"{path}: {problem}"
        assert len(problems) >= report["rejected"], f"{path}: a reason for each"
        # A file that brings nothing says so.
        assert problems or report["hints"] or any(report[name] for name in COUNTS), path
    total = Counter()
    for arrival in arrivals:
        total.update({name: arrival.report[name] for name in COUNTS})
    print(dict(total))
    assert total["created"] > 2_500 and total["changed"] > 0


def unreadable(report):
    return report["problems"] and not any(report[name] for name in COUNTS)


def test_every_file_again_changes_nothing(arrivals, private_federation):
    soest = private_federation.town("soest")
    before = records(soest)
    for path, code, report, _ in arrivals:
        code_again, again = imported(soest, path)
        assert (code_again, again["created"], again["changed"], again["rejected"]) == (
            code, 0, 0, report["rejected"]), f"{path}: {again}"
        assert again["unchanged"] == report["created"] + report["changed"] + report["unchanged"], path
    assert records(soest) == before


def test_what_is_publishable_goes_out_without_a_violation(arrivals, private_federation):
    pyshacl = pytest.importorskip("pyshacl")
    soest, held = private_federation.town("soest"), records(private_federation.town("soest"))
    published, kept = Counter(), Counter()
    for path, _, _, created in arrivals:
        for dataset in created[:PUBLISHED_PER_FILE_MAX]:
            complete(soest, held[dataset])
            check = soest.ask("GET", f"/api/v1/datasets/{dataset}/check")
            if check["publishable"]:
                soest.publish(dataset)
                published[path.name] += 1
            else:
                obstacles = {finding["rule"] for finding in check["findings"] if finding["severity"] == "obstacle"}
                kept.update(obstacles)
    print(f"published: {dict(published)}; obstacles of the others: {dict(kept)}")
    assert published.total() >= 60 and len(published) >= 12
    turtle = hanse("export", "--dir", soest.directory, "--format", "ttl", "-")
    data = rdflib.Graph().parse(data=turtle, format="turtle")
    assert len(set(data.subjects(RDF.type, DCAT.Dataset))) >= published.total()
    assert count_violations(pyshacl, data) == []
    # The control: the shapes do find what is wrong.
    dataset = min(data.subjects(RDF.type, DCAT.Dataset))
    lone = rdflib.Graph()
    lone += data.triples((dataset, None, None))
    lone.remove((dataset, DCTERMS.title, None))
    assert DCTERMS.title in {where for _, where, _ in count_violations(pyshacl, lone)}
