"""SPARQLWrapper asks `/sparql` in every way and form it knows, and finds the
same triples there as in the catalog's RDF.
"""

import pytest
from rdflib import Graph
from rdflib.compare import isomorphic
from SPARQLWrapper import CSV, GET, JSON, JSONLD, POST, POSTDIRECTLY, RDFXML, TSV, TURTLE, URLENCODED, XML
from SPARQLWrapper import SPARQLWrapper
from SPARQLWrapper.SPARQLExceptions import QueryBadFormed

from conftest import TOWNS

PREFIXES = """
PREFIX dcat: <http://www.w3.org/ns/dcat#>
PREFIX dcterms: <http://purl.org/dc/terms/>
"""
TITLES = PREFIXES + "SELECT DISTINCT ?d ?t { ?d a dcat:Dataset ; dcterms:title ?t FILTER(LANG(?t) = 'de') }"


def client(federation, query, form, method=GET, request=URLENCODED):
    wrapper = SPARQLWrapper(federation.portal + "/sparql")
    wrapper.setQuery(query)
    wrapper.setReturnFormat(form)
    wrapper.setMethod(method)
    wrapper.setRequestMethod(request)
    return wrapper


WAYS = [(GET, URLENCODED), (POST, URLENCODED), (POST, POSTDIRECTLY)]


@pytest.mark.parametrize("method,request_method", WAYS)
def test_every_way_of_asking_finds_all_open_datasets(federation, method, request_method):
    found = client(federation, TITLES, JSON, method, request_method).queryAndConvert()
    datasets = {row["d"]["value"] for row in found["results"]["bindings"]}
    assert len(datasets) == federation.open_records


def test_every_form_of_solutions_is_read(federation):
    query = PREFIXES + "SELECT (COUNT(DISTINCT ?d) AS ?n) { ?d a dcat:Dataset }"
    count = str(federation.open_records)
    found = client(federation, query, JSON).queryAndConvert()
    assert found["results"]["bindings"][0]["n"]["value"] == count
    assert count in client(federation, query, XML).queryAndConvert().toxml()
    assert client(federation, query, CSV).queryAndConvert().decode().split() == ["n", count]
    assert client(federation, query, TSV).queryAndConvert().decode().split() == ["?n", count]
    assert client(federation, "ASK { ?s ?p ?o }", JSON).queryAndConvert()["boolean"] is True


def test_every_form_of_triples_says_the_same(federation):
    query = PREFIXES + "CONSTRUCT { ?d dcterms:title ?t } { ?d a dcat:Dataset ; dcterms:title ?t }"
    graphs = []
    for form, name in [(TURTLE, "turtle"), (RDFXML, "xml"), (JSONLD, "json-ld")]:
        body = client(federation, query, form).query().response.read()
        graphs.append(Graph().parse(data=body, format=name))
    assert len(graphs[0]) >= federation.open_records
    assert isomorphic(graphs[0], graphs[1]) and isomorphic(graphs[0], graphs[2])


def test_a_mistake_is_an_error_that_names_the_place(federation):
    with pytest.raises(QueryBadFormed) as error:
        client(federation, "SELECT * { ?s ?p }", JSON).query()
    assert "line 1, column" in str(error.value)


def test_the_towns_graph_holds_what_its_catalog_says(federation):
    town = federation.town("soest")
    catalog = Graph().parse(data=town.get("/catalog.ttl").text, format="turtle")
    hydra = "http://www.w3.org/ns/hydra/core#"
    said = {
        triple for triple in catalog
        if not any(str(term).startswith(hydra) for term in triple) and "catalog.ttl" not in str(triple[0])
    }
    graphs = client(federation, PREFIXES + "SELECT ?g { GRAPH ?g { ?g dcat:dataset ?d } } GROUP BY ?g", JSON)
    names = [row["g"]["value"] for row in graphs.queryAndConvert()["results"]["bindings"]]
    assert len(names) == len(TOWNS), "each town has one graph, whatever came first: catalog or datasets"
    name = next(name for name in names if any(str(term) == name for triple in said for term in triple))
    body = client(federation, f"CONSTRUCT {{ ?s ?p ?o }} {{ GRAPH <{name}> {{ ?s ?p ?o }} }}", TURTLE)
    held = set(Graph().parse(data=body.query().response.read(), format="turtle"))
    assert held == said
