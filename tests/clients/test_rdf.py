"""DCAT-AP.de as RDF clients, the official validator and harvesters read it."""

import pytest
import rdflib
import requests
from rdflib.compare import isomorphic
from rdflib.namespace import DCAT, DCTERMS, RDF, SH

from conftest import OPEN_RECORDS, REQUEST_TIMEOUT_S, ROOT, eventually

HYDRA = rdflib.Namespace("http://www.w3.org/ns/hydra/core#")
STANDARDS = ROOT.parent / "shared" / "standards"
# Byte limit of ckanext-dcat's harvester.
PAGE_BYTES_MAX = 50_000_000
FORMS = {
    "ttl": "text/turtle",
    "rdf": "application/rdf+xml",
    "xml": "application/rdf+xml",
    "jsonld": "application/ld+json",
    "nt": "application/n-triples",
    "n3": "text/n3",
}


def graph_at(town, path, accept=None):
    answer = town.get(path, headers={"Accept": accept} if accept else {})
    assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
    media_type = answer.headers["Content-Type"].split(";")[0]
    parser = {"application/ld+json": "json-ld", "application/rdf+xml": "xml", "text/n3": "n3",
              "application/n-triples": "nt"}.get(media_type, "turtle")
    return rdflib.Graph().parse(data=answer.content.decode("utf-8"), format=parser)


def without_page(graph):
    """The graph without what a page says of itself: its address differs from form to form."""
    for page in set(graph.subjects(RDF.type, HYDRA.PagedCollection)):
        graph.remove((page, None, None))
    return graph


def test_all_forms_say_the_same_and_say_it_always_in_the_same_bytes(federation):
    soest = federation.town("soest")
    trees = soest.own_ids()["baumkataster"]
    for stem in (f"/dataset/{trees}", "/catalog", "/federation/catalog"):
        turtle = without_page(graph_at(soest, f"{stem}.ttl"))
        assert len(turtle) > 30
        for ending, media_type in FORMS.items():
            answer = soest.get(f"{stem}.{ending}")
            assert answer.headers["Content-Type"] == f"{media_type}; charset=utf-8"
            assert answer.content == soest.get(f"{stem}.{ending}").content
            assert isomorphic(without_page(graph_at(soest, f"{stem}.{ending}")), turtle), f"{stem}.{ending}"


def test_the_datasets_own_address_gives_rdf_to_who_asks_for_it(federation):
    soest = federation.town("soest")
    trees = soest.own_ids()["baumkataster"]
    graph = graph_at(soest, f"/dataset/{trees}", "text/turtle")
    dataset, = graph.subjects(RDF.type, DCAT.Dataset)
    assert isinstance(dataset, rdflib.URIRef)
    assert len(set(graph.subjects(RDF.type, DCAT.DataService))) == 1, "the WFS"
    assert "text/html" in soest.get(f"/dataset/{trees}", headers={"Accept": "text/html"}).headers["Content-Type"]


def test_one_dataset_is_the_same_at_every_node(federation):
    trees = federation.town("soest").own_ids()["baumkataster"]
    first, *others = [town.get(f"/dataset/{trees}.ttl").content for town in federation.towns()]
    assert all(other == first for other in others)


def test_a_towns_catalog_holds_its_own_and_the_federations_all(federation):
    per_town = [set(graph_at(town, "/catalog.ttl").subjects(RDF.type, DCAT.Dataset)) for town in federation.towns()]
    assert sum(len(own) for own in per_town) == len(set().union(*per_town)) == OPEN_RECORDS
    everything = set(graph_at(federation.town("olpe"), "/federation/catalog.ttl").subjects(RDF.type, DCAT.Dataset))
    assert everything == set().union(*per_town)


def test_the_official_shapes_find_no_violation(federation):
    if not STANDARDS.is_dir():
        pytest.skip(f"skipped: {STANDARDS} is not there")
    pyshacl = pytest.importorskip("pyshacl")
    data = graph_at(federation.town("soest"), "/federation/catalog.ttl")
    assert count_violations(pyshacl, data) == []
    # The control: the shapes do find what is wrong.
    dataset = next(iter(sorted(data.subjects(RDF.type, DCAT.Dataset))))
    data.remove((dataset, DCTERMS.title, None))
    data.remove((dataset, DCTERMS.publisher, None))
    found = count_violations(pyshacl, data)
    assert {path for _, path, _ in found} == {DCTERMS.title, DCTERMS.publisher}


def count_violations(pyshacl, data, profile=None):
    """What the profile refuses, DCAT-AP.de 3.0 if none is named: node, path, message."""
    shapes = rdflib.Graph()
    for name in profile or ["dcat-ap-3.0.0/dcat-ap-SHACL.ttl", *german_shapes()]:
        shapes.parse(STANDARDS / "shapes" / name, format="turtle")
    without_stumps(shapes)
    _, report, _ = pyshacl.validate(data + referred_to(data), shacl_graph=shapes, inference="none", advanced=False)
    return [
        (report.value(result, SH.focusNode), report.value(result, SH.resultPath), str(report.value(result, SH.resultMessage)))
        for result in report.subjects(SH.resultSeverity, SH.Violation)
    ]


def without_stumps(shapes):
    """Takes out what a shape only names: HVD's base file names a property of series and leaves out its path."""
    for shape, _, stump in set(shapes.triples((None, SH.property, None))):
        if (stump, SH.path, None) not in shapes:
            shapes.remove((shape, SH.property, stump))


def german_shapes():
    folder = STANDARDS / "shapes" / "dcat-ap-de-3.0"
    return [f"dcat-ap-de-3.0/{path.name}" for path in sorted(folder.glob("*.ttl")) if "imports" not in path.name]


def referred_to(data):
    """The concepts of the vocabularies that the data name: all of them would take minutes."""
    named = {value for value in data.objects() if isinstance(value, rdflib.URIRef)}
    concepts = rdflib.Graph()
    for path in sorted((STANDARDS / "vocabularies").rglob("*")):
        if path.suffix not in (".ttl", ".rdf"):
            continue
        vocabulary = rdflib.Graph().parse(path, format="turtle" if path.suffix == ".ttl" else "xml")
        for concept in named & set(vocabulary.subjects()):
            concepts += vocabulary.triples((concept, None, None))
    return concepts


def test_services_and_series_are_said_as_the_shapes_ask(private_federation):
    soest = private_federation.town("soest")
    trees = soest.own_ids()["baumkataster"]
    soest.edit_catalog({"series": {"gruen": {"title": {"de": "Grünflächen"}, "frequency": "ANNUAL",
                                             "hvd_categories": ["c_dd313021"]}}})
    catalog, = graph_at(soest, "/catalog.ttl").subjects(RDF.type, DCAT.Catalog)
    series = rdflib.URIRef(f"{catalog}#series-gruen")
    distributions = soest.ask("GET", f"/api/v1/datasets/{trees}")["distributions"]
    wfs, = [one for one in distributions if one["format"] == "WFS"]
    soest.edit(trees, {
        "in_series": str(series), "hvd": "ja", "hvd_categories": ["c_dd313021"],
        "services": {"karten": {
            "title": {"de": "Baumkataster als Karte"}, "format": "WFS",
            "endpoint_url": wfs["access_url"],
            "endpoint_description": f"{wfs['access_url']}?REQUEST=GetCapabilities",
            "documentation": "https://soest.example/dienste/baeume", "contact": {"email": "geodaten@soest.example"},
        }},
    })
    page = graph_at(soest, "/catalog.ttl")
    assert not set(page.triples((series, None, None))), "a harvester would delete it with the dataset"
    described, = page.objects(catalog, rdflib.RDFS.seeAlso)
    assert str(described).endswith("/catalog.ttl?part=catalog")
    data = page + graph_at(soest, "/catalog.ttl?part=catalog")
    assert (series, RDF.type, DCAT.DatasetSeries) in data and (catalog, DCAT.resource, series) in data
    dataset, = data.subjects(DCAT.inSeries, series)
    service = rdflib.URIRef(f"{dataset}#service-karten")
    assert (catalog, DCAT.service, service) in data and (service, DCAT.servesDataset, dataset) in data
    assert set(data.objects(rdflib.URIRef(f"{dataset}#distribution-{wfs['id']}"), DCAT.accessService)) == {service}
    if STANDARDS.is_dir():
        pyshacl = pytest.importorskip("pyshacl")
        assert count_violations(pyshacl, data) == []
        high = rdflib.Graph()
        for subject in [dataset, service, series, *data.objects(dataset, DCAT.distribution)]:
            high += data.triples((subject, None, None))
        assert count_violations(pyshacl, high, ["dcat-ap-hvd-3.0.0/hvd-SHACL-base.ttl"]) == []
        high.remove((service, rdflib.FOAF.page, None))
        found = count_violations(pyshacl, high, ["dcat-ap-hvd-3.0.0/hvd-SHACL-base.ttl"])
        assert {path for _, path, _ in found} == {rdflib.FOAF.page}


class Harvester:
    """Walks a catalog as ckanext-dcat's harvester does: HEAD, then by the links alone."""

    def __init__(self, address, store=None):
        self.next, self.pages, self.seen, self.store = address, [], [], store
        head = requests.head(address, timeout=REQUEST_TIMEOUT_S)
        assert head.status_code == 200
        assert int(head.headers["Content-Length"]) < PAGE_BYTES_MAX
        self.format = head.headers["Content-Type"].split(";")[0]

    def step(self):
        answer = requests.get(self.next, timeout=REQUEST_TIMEOUT_S)
        assert answer.status_code == 200, answer.text
        assert answer.content and len(answer.content) < PAGE_BYTES_MAX
        assert answer.content not in self.pages, "the same page again"
        self.pages.append(answer.content)
        graph = rdflib.Graph().parse(data=answer.content.decode("utf-8"), format=self.format)
        for dataset in graph.subjects(RDF.type, DCAT.Dataset):
            assert isinstance(dataset, rdflib.URIRef)
            identifier = graph.value(dataset, DCTERMS.identifier)
            assert identifier and graph.value(dataset, DCTERMS.title)
            self.seen.append(str(identifier))
            if self.store is not None:
                self.store.take(graph, dataset)
        pages = set(graph.subjects(RDF.type, HYDRA.PagedCollection))
        assert len(pages) == 1
        link = next(iter(graph.objects(pages.pop(), HYDRA.nextPage)), None)
        assert link is None or str(link) != self.next
        self.next = str(link) if link else None
        return self.next is not None


class TripleStore:
    """Keeps datasets as ckanext-dcatde does: before it writes one anew, it deletes all that can be reached from it."""

    def __init__(self):
        self.graph, self.taken = rdflib.Graph(), {}

    def take(self, page, dataset):
        """Of one identifier the newest `dct:modified` counts."""
        identifier = str(page.value(dataset, DCTERMS.identifier))
        modified = page.value(dataset, DCTERMS.modified).toPython()
        known = self.taken.get(identifier)
        if known and known[1] > modified:
            return
        for triple in self.reached(self.graph, dataset, spare_publisher=True):
            self.graph.remove(triple)
        said = self.reached(page, dataset)
        for triple in said:
            self.graph.add(triple)
        self.taken[identifier] = (dataset, modified, said)

    @staticmethod
    def reached(graph, dataset, spare_publisher=False):
        """`SELECT ?s ?p ?o { <dataset> (<>|!<>)* ?s . ?s ?p ?o }`, without the publisher's for a `DELETE`."""
        seen, left, found = set(), [dataset], []
        spared = set(graph.objects(dataset, DCTERMS.publisher)) if spare_publisher else set()
        while left:
            node = left.pop()
            if node in seen or node in spared:
                continue
            seen.add(node)
            for triple in graph.triples((node, None, None)):
                found.append(triple)
                left.append(triple[2])
        return found

    def damaged(self):
        """Datasets of which another one's refresh deleted something."""
        whole = self.graph
        return [name for name, (_, _, said) in self.taken.items() if not all(triple in whole for triple in said)]

    def to_delete(self, walk):
        """What a completed walk no longer saw is marked for deletion."""
        return sorted(self.taken.keys() - set(walk.seen))


def test_govdatas_store_keeps_every_dataset_whole_and_deletes_none(private_federation):
    soest = private_federation.town("soest")
    trees = soest.own_ids()["baumkataster"]
    catalog, = graph_at(soest, "/catalog.ttl").subjects(RDF.type, DCAT.Catalog)
    soest.edit_catalog({"series": {"jahre": {"title": {"de": "Bestand nach Jahren"}}},
                        "contact": {"name": "Datenmanagement", "email": "opendata@soest.example"}})
    copies = [soest.create_like(trees, title={"de": f"Jahrgang {number}"}) for number in range(120)]
    for copy in copies:
        soest.edit(copy, {"in_series": f"{catalog}#series-jahre"})
        soest.publish(copy)
    store = TripleStore()
    walk = Harvester(f"{soest.portal}/catalog.ttl", store)
    while walk.step():
        soest.edit(copies[len(walk.pages)], {"title": {"de": f"Berichtigt {len(walk.pages)}"}})
    assert len(store.taken) == len(walk.seen) > 120 and store.damaged() == []
    # The next walk writes each anew over what is there.
    again = Harvester(f"{soest.portal}/catalog.ttl", store)
    while again.step():
        pass
    assert store.damaged() == [] and store.to_delete(again) == []
    titles = {str(title) for title in store.graph.objects(None, DCTERMS.title)}
    assert "Berichtigt 1" in titles and "Jahrgang 1" not in titles, "the newest counts, and nothing old is left"
    # The control: with the series on the page, one dataset's refresh deletes what the others have.
    page = graph_at(soest, "/catalog.ttl") + graph_at(soest, "/catalog.ttl?part=catalog")
    broken = TripleStore()
    series = rdflib.URIRef(f"{catalog}#series-jahre")
    members = sorted(page.subjects(rdflib.URIRef(f"{DCAT}inSeries"), series))
    for member in members:
        broken.take(page, member)
    assert any(series == triple[0] for triple in broken.taken[str(page.value(members[0], DCTERMS.identifier))][2])


def test_a_walk_over_edits_and_a_restart_finds_everything_once(private_federation):
    soest = private_federation.town("soest")
    trees, begun = soest.own_ids()["baumkataster"], soest.open_count()
    copies = [soest.create_like(trees, title={"de": f"Baumbestand {number}"}) for number in range(230)]
    for copy in copies:
        soest.publish(copy)
    expected = begun + len(copies)
    eventually("all copies in Soest's search", lambda: soest.open_count() == expected, 60)
    before = {str(identifier) for identifier in identifiers(soest)}

    walk = Harvester(f"{soest.portal}/catalog.ttl")
    assert walk.step()
    for number, copy in enumerate(copies[::9]):
        soest.edit(copy, {"title": {"de": f"Baumbestand, berichtigt {number}"}})
    late = soest.create_like(trees, title={"de": "Mitten im Lauf veröffentlicht"})
    soest.publish(late)
    eventually("the late one in Soest's search", lambda: soest.open_count() == expected + 1)
    private_federation.restart()
    while walk.step():
        pass
    assert len(walk.pages) >= 3
    assert len(walk.seen) == len(set(walk.seen)), "no dataset twice"
    assert before <= set(walk.seen), "no dataset missing, so none would be deleted"
    again = Harvester(f"{soest.portal}/catalog.ttl")
    while again.step():
        pass
    assert set(again.seen) == {str(identifier) for identifier in identifiers(soest)}


def identifiers(town):
    """Identifiers of the town's open records, by the search that people use."""
    found, offset = [], 0
    while True:
        page = town.get("/api/v1/datasets", params={"town": town.name, "limit": 100, "offset": offset, "sort": "title"})
        items = page.json()["items"]
        if not items:
            return found
        found += [item["identifier"] for item in items]
        offset += len(items)


def test_wrong_parameters_are_named(federation):
    # 409 for a value that cannot be, as ckanext-dcat answers.
    for query, field, status in [("page=0", "page", 409), ("modified_since=gestern", "modified_since", 409),
                                 ("q=title:[a", "q", 409), ("profil=x", "profil", 400)]:
        answer = federation.town("soest").get(f"/catalog.ttl?{query}")
        assert answer.status_code == status
        assert answer.json()["error"]["field"] == field
