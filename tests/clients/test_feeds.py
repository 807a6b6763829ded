"""Sickle and feedparser follow the catalog; rdflib reads its event stream."""

import feedparser
import pytest
import requests
from conftest import OPEN_RECORDS, TOWNS, eventually
from lxml import etree
from rdflib import Dataset, Graph, Namespace, URIRef
from rdflib.compare import isomorphic
from rdflib.namespace import DCAT, RDF
from sickle import Sickle
from sickle.oaiexceptions import BadArgument, CannotDisseminateFormat, IdDoesNotExist, NoRecordsMatch

AS = Namespace("https://www.w3.org/ns/activitystreams#")
LDES = Namespace("https://w3id.org/ldes#")
TREE = Namespace("https://w3id.org/tree#")


def oai(federation, **options):
    return Sickle(f"{federation.portal}/oai", **options)


def uuids(headers):
    return [header.identifier.rsplit(":", 1)[-1] for header in headers]


def test_sickle_reads_the_repository_its_formats_and_its_sets(federation):
    repository = oai(federation)
    identity = repository.Identify()
    assert identity.protocolVersion == "2.0"
    assert identity.deletedRecord == "persistent"
    assert identity.granularity == "YYYY-MM-DDThh:mm:ssZ"
    assert "oai_dc" in [form.metadataPrefix for form in repository.ListMetadataFormats()]
    sets = [one.setSpec for one in repository.ListSets()]
    assert {f"town-{town}" for town in TOWNS} <= set(sets)


def test_sickle_harvests_every_record_once_whole_and_by_set(federation):
    repository = oai(federation)
    records = list(repository.ListRecords(metadataPrefix="oai_dc"))
    assert len({record.header.identifier for record in records}) == len(records) == OPEN_RECORDS
    assert all(record.metadata["title"] and record.metadata["type"] == ["Dataset"] for record in records)
    by_town = []
    for town in TOWNS:
        by_town += uuids(repository.ListIdentifiers(metadataPrefix="oai_dc", set=f"town-{town}"))
    assert sorted(by_town) == sorted(uuids(record.header for record in records))
    first = records[0].header.identifier
    assert repository.GetRecord(identifier=first, metadataPrefix="oai_dc").header.identifier == first
    posted = oai(federation, http_method="POST").ListIdentifiers(metadataPrefix="oai_dc")
    assert len(list(posted)) == OPEN_RECORDS


def test_sickle_knows_each_error(federation):
    repository = oai(federation)
    with pytest.raises(NoRecordsMatch):
        repository.ListRecords(metadataPrefix="oai_dc", until="1999-01-01")
    with pytest.raises(BadArgument):
        repository.ListRecords(**{"metadataPrefix": "oai_dc", "from": "yesterday"})
    with pytest.raises(CannotDisseminateFormat):
        repository.ListRecords(metadataPrefix="marc21")
    with pytest.raises(IdDoesNotExist):
        repository.GetRecord(identifier="oai:x:y", metadataPrefix="oai_dc")


def test_an_incremental_harvest_gets_what_another_town_changed_also_after_a_restart(private_federation):
    olpe = private_federation.town("olpe")
    repository = oai(private_federation)
    since = max(header.datestamp for header in repository.ListIdentifiers(metadataPrefix="oai_dc"))
    edited = next(iter(olpe.own_ids().values()))
    created = olpe.create_like(edited, title={"de": "Neu in Olpe"})
    olpe.publish(created)
    olpe.edit(edited, {"title": {"de": "Geändert in Olpe"}})

    def changed():
        asked = {"metadataPrefix": "oai_dc", "from": since, "set": "town-olpe"}
        try:
            titles = {title for record in repository.ListRecords(**asked) for title in record.metadata["title"]}
        except NoRecordsMatch:
            return False
        return {"Neu in Olpe", "Geändert in Olpe"} <= titles

    eventually("both changes in Soest", changed)
    private_federation.restart()
    assert changed()


def test_feedparser_reads_every_feed_and_follows_it_back(federation):
    seen, address = [], f"{federation.portal}/feeds/dataset.atom"
    while address:
        feed = feedparser.parse(requests.get(address, timeout=30).content)
        assert not feed.bozo, feed.get("bozo_exception")
        assert feed.version == "atom10"
        seen += [entry.id for entry in feed.entries]
        address = next((link.href for link in feed.feed.links if link.rel == "next"), None)
    assert len(seen) == len(set(seen)) == OPEN_RECORDS
    for path in ["organization/olpe.atom", "group/envi.atom", "custom.atom?q=Baum"]:
        feed = feedparser.parse(requests.get(f"{federation.portal}/feeds/{path}", timeout=30).content)
        assert not feed.bozo and feed.entries, path


def replicate(town, media_type):
    """All that the event stream says of datasets, by dataset."""
    said, address = {}, f"{town.portal}/feed"
    while address:
        answer = requests.get(address, headers={"Accept": media_type}, timeout=30)
        assert answer.headers["Content-Type"] == media_type
        page = Dataset()
        page.parse(data=answer.content, format={"application/trig": "trig"}.get(media_type, "json-ld"))
        stream = next(page.subjects(RDF.type, LDES.EventStream))
        members = sorted(page.objects(stream, TREE.member), key=lambda one: page.value(one, AS.published))
        for member in members:
            dataset = page.value(member, AS.object)
            if page.value(member, RDF.type) == AS.Delete:
                said.pop(dataset, None)
            else:
                said[dataset] = set(page.graph(member))
        relation = page.value(URIRef(address), TREE.relation)
        address = str(page.value(relation, TREE.node)) if relation else None
    return said


@pytest.mark.parametrize("media_type", ["application/trig", "application/ld+json"])
def test_the_event_stream_says_exactly_what_the_catalogs_say(federation, media_type):
    town = federation.town("soest")
    said = replicate(town, media_type)
    assert len(said) == OPEN_RECORDS
    stream = Graph()
    for triples in said.values():
        for triple in triples:
            stream.add(triple)
    catalog = Graph()
    for item in town.get("/api/v1/datasets?limit=100").json()["items"]:
        catalog.parse(data=town.get(f"/dataset/{item['id']}.ttl").content, format="turtle")
    assert isomorphic(stream, catalog)
    assert {str(one) for one in stream.subjects(RDF.type, DCAT.Dataset)} == {str(one) for one in said}


def test_oai_records_in_dcat_ap_are_the_datasets_rdf(federation):
    town = federation.town("soest")
    for record in oai(federation).ListRecords(metadataPrefix="dcat_ap", set="town-soest"):
        document = record.xml.find(".//{http://www.w3.org/1999/02/22-rdf-syntax-ns#}RDF")
        from_oai = Graph().parse(data=etree.tostring(document), format="xml")
        dataset = record.header.identifier.rsplit(":", 1)[-1]
        assert isomorphic(from_oai, Graph().parse(data=town.get(f"/dataset/{dataset}.ttl").content, format="turtle"))
