//! The W3C tests of SPARQL 1.1 over the real store, evaluator and writers.
//!
//! They are read from `../shared/standards` beside the checkout, and said to
//! have been skipped where that is absent.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use flate2::read::GzDecoder;
use oxrdf::graph::CanonicalizationAlgorithm;
use oxrdf::vocab::{rdf, xsd};
use oxrdf::{
    BlankNode, Graph, Literal, LiteralRef, NamedNode, NamedNodeRef, NamedOrBlankNodeRef, Term, TermRef,
    Triple,
};
use oxrdfio::{RdfFormat, RdfParser};
use sparesults::{QueryResultsFormat, QueryResultsParser, SliceQueryResultsParserOutput};

use super::{SolutionsFormat, SparqlError, SparqlRequest, answer};
use crate::rdf::{RdfForm, encode, encode_triple};
use crate::store::{GraphChange, GraphStore};

const SUITE: &str = "../../shared/standards/w3c-tests/w3c-sparql11.tar.gz";
const SUITE_HERE: &str = "../shared/standards/w3c-tests/w3c-sparql11.tar.gz";
/// Where the suite is said to lie; relative names in it are resolved against this.
const BASE: &str = "http://w3c.example/";
const DEFAULT_GRAPH: &str = "http://w3c.example/default";

/// The groups of tests for what is claimed.
const GROUPS: [&str; 15] = [
    "aggregates",
    "bind",
    "bindings",
    "cast",
    "construct",
    "csv-tsv-res",
    "exists",
    "functions",
    "grouping",
    "json-res",
    "negation",
    "project-expression",
    "property-path",
    "subquery",
    "syntax-query",
];

/// Tests that are not passed, and why (also in `docs/sparql.md`).
const NOT_PASSED: [(&str, &str); 10] = [
    ("aggregates/agg-empty-group-count-graph", GRAPH_INSIDE),
    ("aggregates/agg-groupconcat-04", GROUP_CONCAT),
    ("aggregates/agg-groupconcat-06", GROUP_CONCAT),
    ("bindings/graph", GRAPH_INSIDE),
    ("functions/bnode01", "BNODE with a text gives a new node each time"),
    ("negation/graph-minus", GRAPH_INSIDE),
    ("property-path/zero_or_more_set_end", EMPTY_PATH),
    ("property-path/zero_or_more_set_start", EMPTY_PATH),
    ("property-path/zero_or_one_set_end", EMPTY_PATH),
    ("property-path/zero_or_one_set_start", EMPTY_PATH),
];
const GRAPH_INSIDE: &str = "in GRAPH ?g the graph of a part that binds no ?g itself (VALUES, MINUS, an empty group) is not passed in";
const GROUP_CONCAT: &str = "GROUP_CONCAT of texts with a language";
const EMPTY_PATH: &str = "a path of length zero from a term that the graph does not hold finds nothing";

const MF: &str = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#";
const QT: &str = "http://www.w3.org/2001/sw/DataAccess/tests/test-query#";
const RS: &str = "http://www.w3.org/2001/sw/DataAccess/tests/result-set#";

#[test]
fn the_w3c_tests_of_what_is_claimed_are_passed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = [SUITE, SUITE_HERE].map(|path| root.join(path)).into_iter().find(|path| path.exists());
    let Some(path) = found else {
        eprintln!("skipped: the W3C tests are not beside the checkout");
        return;
    };
    let files = unpack(&std::fs::read(path).unwrap());
    let (mut passed, mut wrong) = (0, Vec::new());
    for group in GROUPS {
        for test in tests(&files, group) {
            let outcome = run(&files, &test);
            let excused = NOT_PASSED.iter().any(|(name, _)| *name == test.name);
            match (outcome, excused) {
                (Ok(()), false) => passed += 1,
                (Ok(()), true) => wrong.push(format!("{} is passed and listed as not", test.name)),
                (Err(_), true) => {}
                (Err(why), false) => wrong.push(format!("{}: {why}", test.name)),
            }
        }
    }
    assert!(wrong.is_empty(), "{passed} passed, {} did not:\n{}", wrong.len(), wrong.join("\n"));
    assert!(passed > 300, "only {passed} tests were found");
    eprintln!("{passed} W3C tests passed; not passed:");
    NOT_PASSED.iter().for_each(|(name, why)| eprintln!("{name}: {why}"));
}

type Files = BTreeMap<String, Vec<u8>>;

/// The files of a compressed tar archive, by their names.
fn unpack(bytes: &[u8]) -> Files {
    const BLOCK: usize = 512;
    let mut tar = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut tar).unwrap();
    let text = |field: &[u8]| {
        let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
        String::from_utf8_lossy(&field[..end]).trim().to_owned()
    };
    let mut files = Files::new();
    let mut at = 0;
    while let Some(header) = tar.get(at..at + BLOCK).filter(|header| header[0] != 0) {
        let size = usize::from_str_radix(&text(&header[124..136]), 8).unwrap();
        let name = text(&header[..100]);
        if header[156] == b'0' {
            files.insert(name.trim_start_matches("./").to_owned(), tar[at + BLOCK..][..size].to_vec());
        }
        at += BLOCK + size.div_ceil(BLOCK) * BLOCK;
    }
    files
}

struct Test {
    name: String,
    kind: String,
    query: String,
    data: Option<String>,
    graphs: Vec<String>,
    result: Option<String>,
}

fn tests(files: &Files, group: &str) -> Vec<Test> {
    let name = format!("{BASE}sparql/sparql11/{group}/manifest.ttl");
    let manifest = graph(files, &name);
    let (mf, qt) = (|name: &str| node(MF, name), |name: &str| node(QT, name));
    let one = |subject: NamedOrBlankNodeRef<'_>, predicate: NamedNode| {
        manifest.object_for_subject_predicate(subject, &predicate).map(TermRef::into_owned)
    };
    let iri = |term: Option<Term>| match term {
        Some(Term::NamedNode(node)) => Some(node.into_string()),
        _ => None,
    };
    let mut found = Vec::new();
    for triple in manifest.triples_for_predicate(&mf("action")) {
        let kind = iri(one(triple.subject, rdf::TYPE.into_owned())).unwrap();
        let (query, data, graphs) = match triple.object {
            TermRef::NamedNode(query) => (Some(query.as_str().to_owned()), None, Vec::new()),
            TermRef::BlankNode(action) => {
                let graphs = manifest.objects_for_subject_predicate(action, &qt("graphData"));
                let graphs = graphs.filter_map(|term| iri(Some(term.into_owned())));
                (iri(one(action.into(), qt("query"))), iri(one(action.into(), qt("data"))), graphs.collect())
            }
            TermRef::Literal(_) => panic!("an action of {group} is a text"),
        };
        found.push(Test {
            name: format!(
                "{group}/{}",
                triple.subject.to_string().rsplit('#').next().unwrap().trim_end_matches('>')
            ),
            kind: kind.trim_start_matches(MF).to_owned(),
            query: query.unwrap(),
            data,
            graphs,
            result: iri(one(triple.subject, mf("result"))),
        });
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

fn node(namespace: &str, name: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("{namespace}{name}"))
}

fn text<'a>(files: &'a Files, iri: &str) -> &'a str {
    let name = iri.strip_prefix(BASE).unwrap();
    std::str::from_utf8(files.get(name).unwrap_or_else(|| panic!("{name} is missing"))).unwrap()
}

fn graph(files: &Files, iri: &str) -> Graph {
    let format = RdfFormat::from_extension(iri.rsplit('.').next().unwrap()).unwrap();
    let parser = RdfParser::from_format(format).with_base_iri(iri).unwrap();
    parser.for_slice(text(files, iri)).map(|quad| Triple::from(quad.unwrap())).collect()
}

fn run(files: &Files, test: &Test) -> Result<(), String> {
    let query = text(files, &test.query);
    match test.kind.as_str() {
        "PositiveSyntaxTest11" => {
            super::run::parse(&format!("BASE <{}>\n{query}", test.query)).map(drop).map_err(|e| e.to_string())
        }
        "NegativeSyntaxTest11" => match super::run::parse(query) {
            Err(_) => Ok(()),
            Ok(_) => Err("is taken for a query".into()),
        },
        "QueryEvaluationTest" | "CSVResultFormatTest" => evaluate(files, test, query),
        kind => Err(format!("a test of kind {kind}")),
    }
}

fn evaluate(files: &Files, test: &Test, query: &str) -> Result<(), String> {
    let store = GraphStore::in_memory();
    let put = |name: &str, triples: &Graph| GraphChange::Put {
        key: name.as_bytes().to_vec(),
        graph: encode(NamedNodeRef::new_unchecked(name)),
        triples: triples.iter().map(encode_triple).collect(),
    };
    let data = test.data.as_ref().map(|data| graph(files, data)).unwrap_or_default();
    let mut changes = vec![put(DEFAULT_GRAPH, &data)];
    changes.extend(test.graphs.iter().map(|name| put(name, &graph(files, name))));
    store.apply(&changes, 1, false).unwrap();

    let expected = test.result.as_deref().ok_or("there is no result")?;
    let request = SparqlRequest {
        query: format!("BASE <{}>\n{query}", test.query),
        // Without data the query says itself which graph is the default one.
        default_graphs: test.data.iter().map(|_| DEFAULT_GRAPH.into()).collect(),
        named_graphs: if test.data.is_some() { test.graphs.clone() } else { Vec::new() },
        solutions: Some(match expected.rsplit('.').next() {
            Some("csv") => SolutionsFormat::Csv,
            Some("tsv") => SolutionsFormat::Tsv,
            Some("srx") => SolutionsFormat::Xml,
            _ => SolutionsFormat::Json,
        }),
        triples: Some(RdfForm::NTriples),
        abandoned: Arc::new(AtomicBool::new(false)),
    };
    let answer = answer(store.read().unwrap(), &request).map_err(|error: SparqlError| error.to_string())?;
    let body = String::from_utf8(answer.body).unwrap();
    if answer.media_type == "text/csv" {
        return same_lines(&body, text(files, expected));
    }
    let found = match answer.media_type {
        "application/n-triples" => {
            let parser = RdfParser::from_format(RdfFormat::NTriples);
            parser.for_slice(&body).map(|quad| Triple::from(quad.unwrap())).collect()
        }
        other => solutions(&body, QueryResultsFormat::from_media_type(other).unwrap()),
    };
    let extension = expected.rsplit('.').next().unwrap();
    let wanted = match QueryResultsFormat::from_extension(extension) {
        Some(format) => solutions(text(files, expected), format),
        None => graph(files, expected),
    };
    let (mut one, mut other) = (by_value(&found), by_value(&wanted));
    one.canonicalize(CanonicalizationAlgorithm::Unstable);
    other.canonicalize(CanonicalizationAlgorithm::Unstable);
    if one == other { Ok(()) } else { Err(format!("found\n{found}wanted\n{wanted}")) }
}

/// Numbers are compared by value: a calculated one has its own form.
fn by_value(graph: &Graph) -> Graph {
    let number = |literal: LiteralRef<'_>| match literal.datatype() {
        xsd::DOUBLE | xsd::FLOAT | xsd::DECIMAL => literal.value().parse::<f64>().ok(),
        _ => None,
    };
    let object = |term: TermRef<'_>| match term {
        TermRef::Literal(literal) => number(literal).map_or(term.into_owned(), |number| {
            Literal::new_typed_literal(number.to_string(), literal.datatype()).into()
        }),
        _ => term.into_owned(),
    };
    graph.iter().map(|t| Triple::new(t.subject.into_owned(), t.predicate, object(t.object))).collect()
}

/// Rows and columns have no order, and names of blank nodes are not compared.
fn same_lines(found: &str, wanted: &str) -> Result<(), String> {
    let rows = |text: &str| {
        let rows = csv_rows(text);
        let named = |row: &Vec<String>| {
            let cells = rows[0].iter().zip(row);
            cells.map(|(name, cell)| (name.clone(), cell.clone())).collect::<BTreeMap<_, _>>()
        };
        let mut named: Vec<_> = rows.iter().map(named).collect();
        named.sort();
        named
    };
    if rows(found) == rows(wanted) { Ok(()) } else { Err(format!("found\n{found}wanted\n{wanted}")) }
}

/// Cells by RFC 4180.
fn csv_rows(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    for character in text.chars() {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            _ => cell.push(character),
        }
    }
    let blank = |cell: String| if cell.starts_with("_:") { "_:".into() } else { cell };
    rows.into_iter().map(|row: Vec<String>| row.into_iter().map(blank).collect()).collect()
}

/// Solutions as a graph of the result set vocabulary: two are equal if their
/// graphs are isomorphic.
fn solutions(text: &str, format: QueryResultsFormat) -> Graph {
    let parser = QueryResultsParser::from_format(format);
    let set = BlankNode::default();
    let mut graph = Graph::new();
    let mut say = |subject: &BlankNode, name: &str, object: Term| {
        graph.insert(&Triple::new(subject.clone(), node(RS, name), object));
    };
    match parser.for_slice(text.as_bytes()).unwrap() {
        SliceQueryResultsParserOutput::Boolean(value) => say(&set, "boolean", Literal::from(value).into()),
        SliceQueryResultsParserOutput::Solutions(rows) => {
            let name = |name: &str| Term::from(Literal::new_simple_literal(name));
            for variable in rows.variables() {
                say(&set, "resultVariable", name(variable.as_str()));
            }
            for row in rows {
                let solution = BlankNode::default();
                say(&set, "solution", solution.clone().into());
                for (variable, value) in &row.unwrap() {
                    let binding = BlankNode::default();
                    say(&solution, "binding", binding.clone().into());
                    say(&binding, "variable", name(variable.as_str()));
                    say(&binding, "value", value.clone());
                }
            }
        }
    }
    graph.insert(&Triple::new(set, rdf::TYPE, node(RS, "ResultSet")));
    graph
}
