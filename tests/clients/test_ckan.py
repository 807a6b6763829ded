"""Clients of CKAN read a federation: ckanapi as library and program, a
harvester's loop, Frictionless, curl's recipes; and the rules by which udata
takes or refuses a dataset."""

import json
import os
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from urllib.parse import urlparse
from uuid import UUID

import pytest
import requests
from ckanapi import RemoteCKAN
from ckanapi.errors import CKANAPIError, NotFound, SearchError, SearchQueryError, ValidationError
from conftest import OPEN_RECORDS, REQUEST_TIMEOUT_S, TOWNS, eventually
from frictionless import Catalog, Package
from frictionless.portals import CkanControl

CKANAPI = Path(sys.executable).with_name("ckanapi")
BARRIER_ROWS = 5


@pytest.fixture(params=[False, True], ids=["POST", "GET"])
def ckan(federation, request):
    """The library, in both of its modes."""
    with RemoteCKAN(federation.portal, get_only=request.param) as remote:
        yield remote


def program(federation, *arguments):
    """The lines that the program prints, each read as JSON."""
    command = [CKANAPI, *arguments, "-r", federation.portal]
    # Its workers are started by name.
    path = {"PATH": f"{CKANAPI.parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env={**os.environ, **path})
    assert done.returncode == 0, f"{arguments}: {done.stderr}"
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


# ckanapi


def test_ckanapi_lists_shows_and_searches_in_both_modes(ckan):
    names = ckan.action.package_list()
    assert len(names) == OPEN_RECORDS and names == sorted(names)
    package = ckan.action.package_show(id=names[0])
    assert package["name"] == names[0]
    found = ckan.action.package_search(q="Baumkataster", rows=5)
    assert "Baumkataster" in [result["title"] for result in found["results"]]
    filtered = ckan.action.package_search(fq="organization:soest AND res_format:CSV", rows=100)
    assert filtered["count"] == len(filtered["results"]) > 0
    assert {result["organization"]["name"] for result in filtered["results"]} == {"soest"}
    assert ckan.action.status_show()["site_url"]
    assert ckan.action.site_read() is True
    towns = ckan.action.organization_list(all_fields=True, include_users=True)
    assert {town["name"] for town in towns} == set(TOWNS)
    assert sum(town["package_count"] for town in towns) == OPEN_RECORDS


def test_ckanapi_finds_the_same_in_both_modes(federation):
    queries = [
        {"q": "Baum", "sort": "id asc"},
        {"q": "tags:Baum OR title:Schul*", "rows": 100},
        {"fq_list": ["groups:envi", "-organization:olpe"], "facet.field": ["tags", "groups"], "rows": 3},
        {"q": "*:*", "facet.field": '["license_id"]', "facet.limit": 1, "rows": 0},
    ]
    for query in queries:
        with RemoteCKAN(federation.portal) as post, RemoteCKAN(federation.portal, get_only=True) as get:
            assert post.call_action("package_search", query) == get.call_action("package_search", query), query


def test_ckanapi_raises_its_own_errors(ckan):
    with pytest.raises(NotFound):
        ckan.action.package_show(id="nix")
    with pytest.raises(ValidationError) as wrong:
        ckan.action.package_search(rows="x")
    assert wrong.value.error_dict["rows"] == ["Invalid integer"]
    with pytest.raises(SearchQueryError):
        ckan.action.package_search(limt=5)
    with pytest.raises(SearchError):
        ckan.action.package_search(q="title:(Baum")
    with pytest.raises(CKANAPIError, match="Action name not known: package_create"):
        ckan.action.package_create(name="x")


@pytest.mark.parametrize("mode", [(), ("-g",)], ids=["POST", "GET"])
def test_the_program_dumps_everything_and_searches(federation, mode):
    datasets = program(federation, "dump", "datasets", "--all", "-p", "2", *mode)
    assert len({dataset["id"] for dataset in datasets}) == OPEN_RECORDS
    towns = program(federation, "dump", "organizations", "--all", *mode)
    assert {town["name"] for town in towns} == set(TOWNS)
    groups = program(federation, "dump", "groups", "--all", *mode)
    assert "envi" in {group["name"] for group in groups}
    found = program(federation, "search", "datasets", "q=Baumkataster", *mode)
    assert "Baumkataster" in [dataset["title"] for dataset in found]
    # Pages until an empty one comes.
    assert len(program(federation, "search", "datasets", *mode)) == OPEN_RECORDS


# A harvester's loop: pages in the order of ids, changes by their moment.


def harvested(portal, **parameters):
    """Datasets by id, and how often one came twice."""
    found, doubles = {}, 0
    for start in range(0, 10_000, BARRIER_ROWS):
        query = {"rows": BARRIER_ROWS, "start": start, "sort": "id asc", **parameters}
        page = requests.get(f"{portal}/api/3/action/package_search", params=query, timeout=REQUEST_TIMEOUT_S)
        results = page.json()["result"]["results"]
        doubles += sum(result["id"] in found for result in results)
        if not any(result["id"] not in found for result in results):
            return found, doubles
        found |= {result["id"]: result for result in results}
    raise AssertionError("the walk does not end")


def test_a_harvester_walks_through_edits_and_a_restart_without_loss(private_federation):
    soest = private_federation.town("soest")
    before, doubles = harvested(soest.portal)
    assert (len(before), doubles) == (OPEN_RECORDS, 0)

    seen, start = {}, 0
    own = list(soest.own_ids().values())
    while True:
        query = {"rows": BARRIER_ROWS, "start": start, "sort": "id asc"}
        answer = soest.get("/api/3/action/package_search", params=query)
        page = answer.json()["result"]["results"]
        if not page:
            break
        assert not seen.keys() & {result["id"] for result in page}, "nothing comes twice"
        seen |= {result["id"]: result for result in page}
        start += BARRIER_ROWS
        # What was seen and what comes next change meanwhile; then the node starts again.
        soest.edit(own[start // BARRIER_ROWS % len(own)], {"description": {"de": f"Geändert bei {start}."}})
        if start == 2 * BARRIER_ROWS:
            private_federation.restart()
    assert seen.keys() == before.keys()

    since = max(dataset["metadata_modified"] for dataset in before.values())
    changed, _ = harvested(soest.portal, fq=f"metadata_modified:{{{since}Z TO *]")
    edited = {key for key, dataset in changed.items() if dataset["notes"].startswith("Geändert")}
    assert edited == changed.keys() and edited <= set(own) and len(edited) > 1
    twice_encoded = f"{soest.portal}/api/3/action/package_search?rows=100&q=metadata_modified:[{since}Z%2520TO%2520*]"
    answer = requests.get(twice_encoded, timeout=REQUEST_TIMEOUT_S).json()
    assert answer["result"]["count"] >= len(edited)


def test_every_town_gives_the_same_datasets(federation):
    walks = [harvested(town.portal)[0] for town in federation.towns()]
    for walk in walks[1:]:
        assert walk == walks[0]


def test_a_node_that_starts_says_so_and_never_gives_a_short_list(private_federation):
    olpe = private_federation.town("olpe")
    private_federation.stop()
    private_federation.start(wait=False)

    def whole():
        try:
            answer = olpe.get("/api/3/action/package_search?rows=0")
        except requests.ConnectionError:
            return False
        if answer.status_code == 503:
            assert int(answer.headers["Retry-After"]) > 0
            return False
        assert answer.json()["result"]["count"] == private_federation.open_records
        return True

    eventually("Olpe's whole list", whole, 60)
    private_federation.wait_until_ready()


# Frictionless


def test_frictionless_reads_a_dataset_and_a_catalog(federation):
    with RemoteCKAN(federation.portal) as remote:
        trees = remote.action.package_search(q="Baumkataster", fq="organization:soest")["results"][0]
    package = Package(control=CkanControl(baseurl=federation.portal, dataset=trees["name"]))
    assert package.title == "Baumkataster"
    assert [resource.path for resource in package.resources] == [one["url"] for one in trees["resources"]]
    catalog = Catalog(control=CkanControl(baseurl=federation.portal, organization_name="olpe", num_packages=100))
    with RemoteCKAN(federation.portal) as remote:
        count = remote.action.organization_show(id="olpe")["package_count"]
    assert len(catalog.datasets) == count > 0


# curl's recipes


def test_curls_recipes_work(federation):
    url = f"{federation.portal}/api/3/action/package_search"

    def curl(*arguments):
        done = subprocess.run(["curl", "-sS", *arguments], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    expected = requests.get(url, params={"q": "Baum", "rows": 3}, timeout=REQUEST_TIMEOUT_S).json()
    assert expected["success"] and expected["result"]["count"] > 0
    assert curl(f"{url}?q=Baum&rows=3") == expected
    assert curl(url, "-d", '{"q": "Baum", "rows": 3}') == expected
    assert curl(url, "--data-urlencode", "q=Baum", "-d", "rows=3") == expected
    assert curl(url, "-H", "Content-Type: application/json", "-d", '{"q": "Baum", "rows": 3}') == expected
    assert curl(url, "-H", "Authorization: x", "-d", '{"q": "Baum", "rows": 3}') == expected


# udata's rules, said again: a dataset that breaks one is not taken.

RESOURCE_TYPES = {None, "", "file", "file.upload", "api", "documentation", "image", "visualization"}
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def is_text(value):
    return isinstance(value, str)


def is_moment(value):
    return is_text(value) and bool(datetime.fromisoformat(value)) and "Z" not in value


def is_url(value):
    return is_text(value) and urlparse(value).scheme in ("http", "https") and bool(urlparse(value).netloc)


def or_nothing(rule):
    return lambda value: value is None or value == "" or rule(value)


def is_uuid(value):
    return is_text(value) and str(UUID(value)) == value


DATASET = {
    "id": is_uuid,
    "name": is_text,
    "title": lambda value: is_text(value) and bool(value),
    "notes": or_nothing(is_text),
    "license_id": or_nothing(is_text),
    "license_title": or_nothing(is_text),
    "tags": lambda value: isinstance(value, list) and all(is_text(tag["name"]) for tag in value),
    "metadata_created": is_moment,
    "metadata_modified": is_moment,
    "organization": or_nothing(lambda value: isinstance(value, dict)),
    "resources": lambda value: isinstance(value, list) and bool(value),
    "private": lambda value: value is False,
    "type": lambda value: value == "dataset",
    "author": or_nothing(is_text),
    "author_email": or_nothing(EMAIL.fullmatch),
    "maintainer": or_nothing(is_text),
    "maintainer_email": or_nothing(EMAIL.fullmatch),
    "state": or_nothing(is_text),
}

RESOURCE = {
    # udata passes over a resource whose id is no UUID.
    "id": is_uuid,
    "position": lambda value: type(value) is int,
    "name": or_nothing(is_text),
    "description": or_nothing(is_text),
    "format": is_text,
    "mimetype": or_nothing(is_text),
    "size": or_nothing(lambda value: type(value) is int),
    "hash": or_nothing(is_text),
    "created": is_moment,
    "last_modified": or_nothing(is_moment),
    "url": is_url,
    "resource_type": lambda value: value in RESOURCE_TYPES,
}


def breaches(thing, rules):
    """The rules that something breaks; a key that is missing breaks its rule."""
    return [key for key, rule in rules.items() if key not in thing or not rule(thing[key])]


def test_udata_would_take_every_dataset(federation):
    answer = federation.town("soest").get("/api/3/action/package_list")
    assert answer.headers["Content-Type"].startswith("application/json")
    for name in answer.json()["result"]:
        shown = federation.town("soest").get("/api/3/action/package_show", params={"id": name}).json()
        dataset = shown["result"]
        assert breaches(dataset, DATASET) == [], dataset
        for resource in dataset["resources"]:
            assert breaches(resource, RESOURCE) == [], resource
        for extra in dataset["extras"]:
            assert is_text(extra["key"]) and is_text(extra["value"]), extra
        # udata links to the dataset's page by its name.
        assert federation.town("soest").get(f"/dataset/{dataset['name']}").ok


def test_the_rules_notice_what_is_wrong(federation):
    dataset = federation.town("soest").get("/api/3/action/package_search?rows=1").json()["result"]["results"][0]
    assert breaches({**dataset, "maintainer_email": "nobody"}, DATASET) == ["maintainer_email"]
    assert breaches({**dataset, "resources": []}, DATASET) == ["resources"]
    resource = dataset["resources"][0]
    del resource["hash"]
    assert breaches({**resource, "format": None}, RESOURCE) == ["format", "hash"]
