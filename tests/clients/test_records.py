"""OGC API Records as OWSLib reads it, and QGIS MetaSearch, which goes through it."""

import json

import pytest
import requests
from conftest import OPEN_RECORDS, ROOT, TOWNS, eventually
from owslib.ogcapi.records import Records

STANDARD = ROOT.parent / "shared" / "standards" / "ogc-api-records" / "core" / "openapi"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
PAGE = 7


@pytest.fixture(scope="module")
def records(federation):
    return Records(federation.portal)


def ids(page):
    return [feature["id"] for feature in page["features"]]


def test_owslib_finds_the_description_the_classes_and_the_collections(records, federation):
    assert records.api()["openapi"].startswith("3.0")
    assert any("ogcapi-records-1/1.0/conf/record-core" in one for one in records.conformance()["conformsTo"])
    assert sorted(records.records()) == sorted(["federation", *TOWNS])
    collection = records.collection("federation")
    assert collection["id"] == "federation" and collection["itemType"] == "record"
    assert "town" in records.collection_queryables("federation")["properties"]
    described = requests.get(f"{federation.portal}/ogc/openapi.json", timeout=30)
    assert described.headers["Content-Type"] == OPENAPI


def test_owslib_pages_through_everything_once_on_every_node(federation):
    walks = []
    for town in federation.towns():
        records, walked = Records(town.portal), []
        while len(walked) < OPEN_RECORDS:
            page = records.collection_items("federation", limit=PAGE, offset=len(walked))
            assert page["numberMatched"] == OPEN_RECORDS
            assert page["numberReturned"] == len(page["features"]) <= PAGE
            walked += ids(page)
        walks.append(walked)
    assert len(set(walks[0])) == OPEN_RECORDS
    assert all(walk == walks[0] for walk in walks), "all nodes show the same in the same order"


def test_the_links_lead_through_everything_once(federation):
    address, walked = f"{federation.portal}/collections/federation/items?limit={PAGE}", []
    while address:
        page = requests.get(address, timeout=30).json()
        walked += ids(page)
        assert page["numberMatched"] == OPEN_RECORDS
        address = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
    assert len(walked) == len(set(walked)) == OPEN_RECORDS


def test_a_walk_over_edits_and_a_restart_finds_everything_once(private_federation):
    soest = private_federation.town("soest")
    trees = soest.own_ids()["baumkataster"]
    copies = [soest.create_like(trees, title={"de": f"Baumbestand {number}"}) for number in range(40)]
    for copy in copies:
        soest.publish(copy)
    expected = OPEN_RECORDS + len(copies)
    eventually("all copies in Soest's search", lambda: soest.open_count() == expected, 60)
    before = set(ids(soest.get("/collections/federation/items", params={"limit": 1000}).json()))
    assert len(before) == expected

    address, walked, pages = f"{soest.portal}/collections/federation/items?limit={PAGE}", [], 0
    while address:
        page = requests.get(address, timeout=30).json()
        walked += ids(page)
        pages += 1
        address = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
        if pages == 2:
            for number, copy in enumerate(copies[::3]):
                soest.edit(copy, {"title": {"de": f"Abgang {number}"}})
            soest.publish(soest.create_like(trees, title={"de": "Mitten im Lauf veröffentlicht"}))
            eventually("the late one in Soest's search", lambda: soest.open_count() == expected + 1)
            private_federation.restart()
    assert pages > 5
    assert len(walked) == len(set(walked)), "no record twice"
    assert before <= set(walked), "no record missing, so none would be deleted"


def test_a_search_finds_what_it_says(records):
    def matched(**query):
        return records.collection_items("federation", **query)["numberMatched"]

    one = matched(q="Baumkataster")
    assert 0 < one < OPEN_RECORDS
    assert matched(q="Baumkataster xylophonquarz") == 0, "all words are demanded"
    assert matched(q="Baumkataster,xylophonquarz") == one, "commas stand between alternatives"
    assert matched(bbox=[-180, -90, 180, 90]) == OPEN_RECORDS
    assert matched(datetime_="2000-01-01/..") >= 1
    assert sum(matched(town=town) for town in TOWNS) == OPEN_RECORDS
    found = records.collection_items("federation", limit=2)
    chosen = records.collection_items("federation", ids=",".join(ids(found)))
    assert sorted(ids(chosen)) == sorted(ids(found))


def test_owslib_filters_in_text_in_json_and_by_post(records):
    def found(**query):
        return sorted(ids(records.collection_items("federation", limit=100, **query)))

    of_soest = found(town="soest")
    assert 0 < len(of_soest) < OPEN_RECORDS
    assert found(filter="town = 'soest'") == of_soest
    assert found(**{"filter": "town = 'soest'", "filter-lang": "cql2-text"}) == of_soest
    equal = {"op": "=", "args": [{"property": "town"}, "soest"]}
    assert found(**{"filter": json.dumps(equal), "filter-lang": "cql2-json"}) == of_soest
    assert found(cql=equal) == of_soest
    assert found(cql={"eq": [{"property": "town"}, "soest"]}) == of_soest, "as drafts of CQL2 had it"
    rest = found(filter="NOT town = 'soest'")
    assert sorted(of_soest + rest) == found(filter="TRUE") and len(rest) == OPEN_RECORDS - len(of_soest)
    trees = found(filter="CASEI(title) LIKE CASEI('%BAUMKATASTER%') AND updated > DATE('2000-01-01')")
    assert trees and set(trees) <= set(found(q="Baumkataster"))
    somewhere = found(filter="S_INTERSECTS(geometry, BBOX(-180, -90, 180, 90))")
    nowhere = found(cql={"op": "isNull", "args": [{"property": "geometry"}]})
    assert sorted(somewhere + nowhere) == found(filter="TRUE")


def test_the_links_of_a_filtered_search_lead_through_all_of_it(records):
    filters = {"op": "<>", "args": [{"property": "town"}, "soest"]}
    page = records.collection_items("federation", limit=PAGE, cql=filters)
    walked, matched = ids(page), page["numberMatched"]
    while address := next((link["href"] for link in page["links"] if link["rel"] == "next"), None):
        page = requests.get(address, timeout=30).json()
        assert page["numberMatched"] == matched
        walked += ids(page)
    assert len(walked) == len(set(walked)) == matched > PAGE


@pytest.mark.parametrize(
    "filters, words",
    [
        ("titel = 'x'", ["titel", "at character 1", "title"]),
        ("S_WITHIN(geometry, POINT(8 51))", ["S_WITHIN", "s_intersects"]),
        ("town = ", ["at character 7"]),
    ],
)
def test_a_wrong_filter_is_refused_where_it_is_wrong(records, filters, words):
    with pytest.raises(RuntimeError) as refused:
        records.collection_items("federation", filter=filters)
    refusal = json.loads(str(refused.value))
    assert refusal["code"] == "InvalidParameterValue"
    assert all(word in refusal["description"] for word in words), refusal


def test_titles_are_sorted_both_ways(records):
    def titles(order):
        page = records.collection_items("federation", limit=100, sortby=("title", order))
        return [feature["properties"]["title"] for feature in page["features"]]

    assert titles("asc") == titles("desc")[::-1]
    assert titles("asc")[0] < titles("asc")[-1]


def test_one_record_is_the_same_as_in_the_list(records, federation):
    listed = records.collection_items("federation", limit=1)["features"][0]
    assert records.collection_item("federation", listed["id"]) == listed
    answer = requests.get(f"{federation.portal}/collections/federation/items/{listed['id']}", timeout=30)
    assert answer.headers["Content-Type"] == "application/geo+json"


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": -1}, {"offset": "x"}, {"bbox": "1,2"}, {"colour": "red"}])
def test_a_wrong_parameter_is_named_with_its_value(federation, query):
    answer = requests.get(f"{federation.portal}/collections/federation/items", params=query, timeout=30)
    assert answer.status_code == 400
    refusal = answer.json()
    assert refusal["code"] == "InvalidParameterValue"
    (name, value), = query.items()
    assert name in refusal["description"] and str(value) in refusal["description"]


def test_what_is_not_there_is_not_found(federation):
    nowhere = "00000000-0000-4000-8000-000000000000"
    for path in ["/collections/atlantis", "/collections/atlantis/items", f"/collections/soest/items/{nowhere}"]:
        answer = requests.get(federation.portal + path, timeout=30)
        assert (answer.status_code, answer.json()["code"]) == (404, "NotFound"), path


def test_metasearch_connects_to_a_catalog_or_to_one_collection_of_it(federation):
    """The calls of QGIS: offsets from 1, a global rectangle that is left out, titles without a check."""
    for address, collection, expected in [
        (federation.portal, "federation", OPEN_RECORDS),
        (f"{federation.portal}/collections/soest", "soest", None),
    ]:
        connection = Records(address.split("/collections/")[0])
        described = connection.collection(collection)
        assert described["links"] and described["title"] and described["description"]
        offset, seen = 1, 0
        while True:
            page = connection.collection_items(collection_id=collection, limit=10, offset=offset - 1)
            for record in page["features"]:
                assert record["id"] and record["properties"]["type"] and record["properties"]["title"]
                assert all("href" in link for link in record["links"])
                if record["geometry"]:
                    ring = record["geometry"]["coordinates"][0]
                    assert ring[0][0] <= ring[2][0] and ring[0][1] <= ring[2][1]
            seen += page["numberReturned"]
            if seen >= page["numberMatched"] or not page["features"]:
                break
            offset += 10
        assert seen == page["numberMatched"]
        assert expected in (None, seen)


@pytest.mark.skipif(not STANDARD.exists(), reason="the building blocks of the standard are not beside the checkout")
def test_records_and_collections_are_valid_against_the_building_blocks(records):
    jsonschema = pytest.importorskip("jsonschema")
    yaml = pytest.importorskip("yaml")
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT202012

    def plain(schema):
        """OpenAPI 3.0 writes null as an object that may be null."""
        if schema == {"type": "object", "nullable": True}:
            return {"type": "null"}
        if isinstance(schema, dict):
            return {name: plain(value) for name, value in schema.items()}
        return [plain(one) for one in schema] if isinstance(schema, list) else schema

    def retrieve(uri):
        path = STANDARD / "schemas" / uri.rsplit("/", 1)[-1]
        inside = path.exists() and "schemas.opengis.net" not in uri
        # What lies outside of the folder (GeoJSON, Features) is only known to be an object.
        content = plain(yaml.safe_load(path.read_text())) if inside else {"type": "object"}
        return Resource.from_contents(content, default_specification=DRAFT202012)

    def check(instance, schema):
        validator = jsonschema.Draft202012Validator(
            {"$ref": f"https://standard.example/{schema}"}, registry=Registry(retrieve=retrieve)
        )
        errors = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(instance)]
        assert not errors, errors

    page = records.collection_items("federation", limit=100)
    for record in page["features"]:
        check(record, "recordGeoJSON.yaml")
    for collection in records.collections()["collections"]:
        check(collection, "catalogCommonProperties.yaml")
    with pytest.raises(AssertionError):
        check({**page["features"][0], "type": "Thing"}, "recordGeoJSON.yaml")


@pytest.mark.parametrize("address", ["/ogc", "/ogc/"])
def test_owslib_takes_the_address_of_the_service_with_and_without_a_slash(federation, address):
    records = Records(federation.portal + address)
    assert records.api()["openapi"].startswith("3.0")
    assert any("record-core" in one for one in records.conformance()["conformsTo"])
    assert sorted(records.records()) == sorted(["federation", *TOWNS])
    page = records.collection_items("federation", limit=1)
    assert page["numberMatched"] == OPEN_RECORDS
    assert records.collection_item("federation", page["features"][0]["id"]) == page["features"][0]
