"""The rules of publication are at least as strict as the official shapes.

`cargo run -p crdt --example mutants` takes or replaces each value of a whole
record and says what our rules say of it; here pySHACL says what DCAT-AP 3.0.0,
DCAT-AP.de 3.0 and, for high-value datasets, DCAT-AP HVD 3.0 say of its RDF.
Needs the official files in `../shared/standards` and is skipped without them.
"""

import collections
import json
import re
import subprocess
from pathlib import Path

import pytest
import rdflib
from rdflib.namespace import RDF, SH

pyshacl = pytest.importorskip("pyshacl")

ROOT = Path(__file__).resolve().parents[2]
STANDARDS = ROOT.parent / "shared" / "standards"
SHAPES = STANDARDS / "shapes"
MUTANT = re.compile(r"^https://daten\.soest\.example/m/(\d+)/")
GERMAN = [
    SHAPES / "dcat-ap-3.0.0" / "dcat-ap-SHACL.ttl",
    *(
        SHAPES / "dcat-ap-de-3.0" / name
        for name in [
            "dcat-ap-SHACL-DE.ttl",
            "dcat-ap-spec-german-additions.ttl",
            "dcat-ap-de-controlledvocabularies.ttl",
            "dcat-ap-de-deprecated.ttl",
        ]
    ),
]
CONVENTIONS = [SHAPES / "dcat-ap-de-2.0-govdata" / "dcat-ap-konventionen.ttl"]
HIGH_VALUE = [SHAPES / "dcat-ap-hvd-3.0.0" / "hvd-SHACL-base.ttl"]
FORMATS = {".ttl": "turtle", ".rdf": "xml"}

pytestmark = pytest.mark.skipif(not STANDARDS.exists(), reason=f"{STANDARDS} is not there")


def mutants(*arguments):
    command = ["cargo", "run", "--quiet", "--locked", "-p", "crdt", "--example", "mutants", "--", *arguments]
    lines = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in lines.splitlines()]


@pytest.fixture(scope="module")
def vocabularies():
    graph = rdflib.Graph()
    for path in sorted((STANDARDS / "vocabularies").rglob("*")):
        # 7,741 languages of which records name two take most of the time.
        if path.suffix in FORMATS and path.name not in {"hvd_scheme.ttl", "spdx-ontology-2.3.ttl", "language.ttl"}:
            graph.parse(path, format=FORMATS[path.suffix])
    for code in ["DEU", "ENG"]:
        language = rdflib.URIRef(f"http://publications.europa.eu/resource/authority/language/{code}")
        graph.add((language, RDF.type, rdflib.DCTERMS.LinguisticSystem))
        graph.add((language, rdflib.SKOS.inScheme, rdflib.URIRef("http://publications.europa.eu/resource/authority/language")))
    # DCAT's own ontology says so; the folder does not hold it.
    dcat = rdflib.DCAT
    for part in [dcat.Dataset, dcat.DataService, dcat.Catalog]:
        graph.add((part, rdflib.RDFS.subClassOf, dcat.Resource))
    return graph


def graph_of(paths):
    graph = rdflib.Graph()
    for path in paths:
        graph.parse(path, format="turtle")
    # HVD's base file names a property of series and leaves out its path.
    for shape, _, stump in set(graph.triples((None, SH.property, None))):
        if (stump, SH.path, None) not in graph:
            graph.remove((shape, SH.property, stump))
    return graph


def refused(mutants, numbers, shapes, vocabularies, about=""):
    """What the shapes refuse of these mutants: number to messages, if they begin with `about`."""
    data = rdflib.Graph()
    data += vocabularies
    data.parse(data="\n".join(mutants[number]["triples"] for number in numbers), format="nt")
    _, report, _ = pyshacl.validate(data, shacl_graph=shapes, inference="none", do_owl_imports=False)
    found = collections.defaultdict(set)
    for result in report.subjects(RDF.type, SH.ValidationResult):
        mutant = MUTANT.match(str(report.value(result, SH.focusNode)))
        if mutant and report.value(result, SH.resultSeverity) == SH.Violation:
            path, message = report.value(result, SH.resultPath), str(report.value(result, SH.resultMessage))
            if message.startswith(about):
                found[int(mutant[1])].add(f"{path}: {message}")
    return found


def test_what_the_official_shapes_refuse_the_rules_refuse_too(vocabularies):
    compare(mutants(), vocabularies, 300, 10)


def test_what_is_read_from_broken_rdf_is_refused_too_or_no_longer_broken(vocabularies):
    compare(mutants("rdf"), vocabularies, 300, 5)


def compare(mutants, vocabularies, held_min, theirs_min):
    held = [number for number, mutant in enumerate(mutants) if mutant["held"]]
    high = [number for number in held if mutants[number]["hvd"]]
    theirs = refused(mutants, held, graph_of(GERMAN), vocabularies)
    for number, messages in refused(mutants, high, graph_of(HIGH_VALUE), vocabularies).items():
        theirs[number] |= messages
    # Of GovData's conventions the one on contacts is asked here; what they ask of a catalog is a hint.
    contacts = refused(mutants, held, graph_of(CONVENTIONS), vocabularies, "K01")
    for number, messages in contacts.items():
        theirs[number] |= messages
    ours = {number for number in held if mutants[number]["obstacles"]}
    beyond = collections.Counter(
        rule for number in ours - theirs.keys() for rule in set(mutants[number]["obstacles"])
    )
    print(
        f"\n{len(mutants) - 1} mutants: {len(mutants) - len(held)} that no record can hold, "
        f"{len(held) - 1} judged; {len(ours)} refused by the rules, {len(theirs)} by the official shapes, "
        f"{len(ours - theirs.keys())} by the rules alone:"
    )
    for rule, count in beyond.most_common():
        print(f"  {count:4} {rule}")
    assert 0 not in theirs and 0 not in ours, f"the record itself is right: {theirs.get(0)}"
    assert contacts, "the convention on contacts finds something"
    assert len(held) > held_min and len(theirs) >= theirs_min, "the comparison compares something"
    missed = {mutants[number]["name"]: theirs[number] for number in theirs.keys() - ours}
    assert not missed, "refused there and not here:\n" + "\n".join(f"{k}: {v}" for k, v in missed.items())
