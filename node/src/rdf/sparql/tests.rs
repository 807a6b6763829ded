//! What a query may ask, what it may cost, and what is said when it may not.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use oxrdf::{Literal, NamedNode, Triple};

use super::*;
use crate::rdf::{encode, encode_triple};
use crate::store::{GraphChange, GraphStore};

const TOWNS: [&str; 2] = ["https://daten.soest.example/catalog", "https://daten.olpe.example/catalog"];

/// Two towns with `count` datasets each; both name one publisher with the same triple.
fn store(count: usize) -> GraphStore {
    let store = GraphStore::in_memory();
    let iri = |name: &str| NamedNode::new_unchecked(format!("https://w3.example/{name}"));
    let mut changes = Vec::new();
    for town in TOWNS {
        for n in 0..count {
            let dataset = NamedNode::new_unchecked(format!("{town}/{n}"));
            let triples = [
                Triple::new(dataset.clone(), iri("type"), iri("Dataset")),
                Triple::new(dataset.clone(), iri("title"), Literal::new_simple_literal(format!("Baum {n}"))),
                Triple::new(dataset, iri("publisher"), iri("Kreis")),
                Triple::new(iri("Kreis"), iri("name"), Literal::new_simple_literal("Kreis Soest")),
            ];
            changes.push(GraphChange::Put {
                key: format!("{town} {n}").into_bytes(),
                graph: encode(&NamedNode::new_unchecked(town)),
                triples: triples.iter().map(|triple| encode_triple(triple.as_ref())).collect(),
            });
        }
    }
    store.apply(&changes, 1, false).unwrap();
    store
}

fn request(query: &str) -> SparqlRequest {
    SparqlRequest {
        query: query.to_owned(),
        default_graphs: Vec::new(),
        named_graphs: Vec::new(),
        solutions: Some(SolutionsFormat::Csv),
        triples: Some(RdfForm::NTriples),
        abandoned: Arc::new(AtomicBool::new(false)),
    }
}

fn ask(store: &GraphStore, query: &str) -> Result<String, SparqlError> {
    let answer = answer(store.read().unwrap(), &request(query))?;
    Ok(String::from_utf8(answer.body).unwrap())
}

/// The rows of a CSV answer without its first line.
fn rows(store: &GraphStore, query: &str) -> Vec<String> {
    ask(store, query).unwrap().lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn the_default_graph_holds_each_triple_once_and_each_town_is_a_graph() {
    let store = store(3);
    let name = "SELECT ?n { <https://w3.example/Kreis> <https://w3.example/name> ?n }";
    assert_eq!(rows(&store, name), ["Kreis Soest"]);
    let count = "SELECT (COUNT(*) AS ?n) { ?d a|<https://w3.example/type> <https://w3.example/Dataset> }";
    assert_eq!(rows(&store, count), ["6"]);
    let by_graph = "SELECT ?g (COUNT(?d) AS ?n) { GRAPH ?g { ?d <https://w3.example/type> ?t } } GROUP BY ?g ORDER BY ?g";
    assert_eq!(rows(&store, by_graph), [format!("{},3", TOWNS[1]), format!("{},3", TOWNS[0])]);
    let from = format!("SELECT (COUNT(*) AS ?n) FROM <{}> {{ ?s ?p ?o }}", TOWNS[0]);
    assert_eq!(rows(&store, &from), ["10"]);
    let both = format!("SELECT (COUNT(*) AS ?n) FROM <{}> FROM <{}> {{ ?s ?p ?o }}", TOWNS[0], TOWNS[1]);
    assert_eq!(rows(&store, &both), ["19"], "the name of the publisher counts once");
    let none = format!("SELECT * FROM <{}> {{ GRAPH ?g {{ ?s ?p ?o }} }}", TOWNS[0]);
    assert!(rows(&store, &none).is_empty(), "FROM alone leaves no graph to name");
}

#[test]
fn graphs_of_the_protocol_replace_those_of_the_query() {
    let store = store(2);
    let mut asked = request(&format!("SELECT (COUNT(*) AS ?n) FROM <{}> {{ ?s ?p ?o }}", TOWNS[0]));
    asked.default_graphs = vec!["https://elsewhere.example/graph".into()];
    let unknown = SparqlError::UnknownGraph("https://elsewhere.example/graph".into());
    assert_eq!(answer(store.read().unwrap(), &asked), Err(unknown));
    asked.default_graphs = vec![TOWNS[1].into()];
    assert!(answer(store.read().unwrap(), &asked).is_ok());
}

#[test]
fn nothing_is_changed_fetched_or_asked_elsewhere() {
    let store = store(1);
    let refused = |query: &str| ask(&store, query).unwrap_err();
    assert_eq!(refused("INSERT DATA { <a:a> <a:b> <a:c> }"), SparqlError::Update);
    assert_eq!(refused("DROP ALL"), SparqlError::Update);
    assert_eq!(
        refused("SELECT * { SERVICE <https://other.example/sparql> { ?s ?p ?o } }"),
        SparqlError::Service
    );
    assert_eq!(refused("ASK { FILTER EXISTS { SERVICE SILENT ?x { ?s ?p ?o } } }"), SparqlError::Service);
    assert_eq!(
        refused("SELECT * FROM <https://other.example/x.ttl> { ?s ?p ?o }"),
        SparqlError::UnknownGraph("https://other.example/x.ttl".into())
    );
    assert_eq!(
        refused("SELECT (<https://other.example/f>(1) AS ?x) {}"),
        SparqlError::UnknownFunction("https://other.example/f".into())
    );
}

#[test]
fn a_mistake_is_said_with_line_and_column() {
    let error = ask(&store(1), "SELECT *\nWHERE { ?s ?p }").unwrap_err();
    let SparqlError::Syntax { line, column, expected } = &error else { panic!("{error}") };
    assert_eq!((*line, *column), (2, 16));
    assert!(!expected.is_empty());
    assert!(error.to_string().starts_with("read the query at line 2, column 16: expected "), "{error}");
}

/// Queries that would take for ever, or all memory, each with what stops it.
#[test]
fn a_query_that_costs_too_much_is_stopped() {
    let store = store(200);
    let values = (0..400).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
    let product = |names: &[&str]| {
        names.iter().map(|name| format!("VALUES ?{name} {{ {values} }} ")).collect::<String>()
    };
    let doubled: String = (0..40).map(|n| format!("BIND(CONCAT(?x{n}, ?x{n}) AS ?x{}) ", n + 1)).collect();
    let nested = (0..9).fold("?t".to_owned(), |inner, _| format!("REPLACE({inner}, \".\", \"........\")"));
    let cases = [
        // Sorted: all solutions are kept.
        ("SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } ORDER BY ?a".to_owned(), &[Costly::Memory, Costly::Time][..]),
        // Reads no quad at all.
        (format!("SELECT (COUNT(*) AS ?n) {{ {} }}", product(&["a", "b", "c", "d"])), &[Costly::Time]),
        (format!("SELECT * {{ {} }} ORDER BY ?d", product(&["a", "b", "c", "d"])), &[Costly::Memory]),
        (format!("SELECT DISTINCT * {{ {} }}", product(&["a", "b", "c"])), &[Costly::Rows, Costly::Memory]),
        // Binds nothing.
        ("SELECT (COUNT(*) AS ?n) { {SELECT ?x {?a ?b ?c}} {SELECT ?y {?d ?e ?f}} {SELECT ?z {?g ?h ?i}} }".to_owned(), &[Costly::EmptySolutions]),
        // Long texts.
        (format!("SELECT * {{ VALUES ?x0 {{ \"0123456789\" }} {doubled} }}"), &[Costly::Text]),
        (format!("SELECT ({nested} AS ?r) {{ ?s <https://w3.example/title> ?t }}"), &[Costly::Text]),
        ("SELECT (GROUP_CONCAT(?c) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }".to_owned(), &[Costly::Text]),
        ("CONSTRUCT { ?a ?e ?i } { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }".to_owned(), &[Costly::Rows, Costly::Time]),
        ("SELECT * { ?a ?b ?c . ?d ?e ?f }".to_owned(), &[Costly::Rows, Costly::Bytes]),
    ];
    for (query, reasons) in cases {
        let began = Instant::now();
        let error = ask(&store, &query).expect_err(&query);
        let SparqlError::Costly(costly) = error else { panic!("{query}: {error}") };
        assert!(reasons.contains(&costly), "{query}: {costly:?}");
        assert!(began.elapsed() < QUERY_TIME_MAX * 2, "{query}: stopped only after {:?}", began.elapsed());
    }
}

#[test]
fn a_query_nobody_waits_for_ends() {
    let store = store(50);
    let asked = request("SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }");
    asked.abandoned.store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(answer(store.read().unwrap(), &asked), Err(SparqlError::Abandoned));
}

/// The deepest and longest queries: each is answered or refused in time, and
/// the node lives.
#[test]
fn no_query_is_too_deep_or_too_long() {
    let store = store(1);
    let kinds: [(&str, &str, &str, &str, &str); 20] = [
        ("ASK { FILTER(", "(", "true", ")", ") }"),
        ("ASK { FILTER(", "!(", "true", ")", ") }"),
        ("ASK { FILTER(", "-(", "1", ")", ") }"),
        ("ASK { FILTER(", "REPLACE(", "'a'", ",'a','b')", ") }"),
        ("ASK { FILTER(1", "+1", "", "", ") }"),
        ("ASK { FILTER(true", "&&true", "", "", ") }"),
        ("ASK ", "{", "?s ?p ?o", "}", ""),
        ("ASK {{}", "UNION{}", "", "", "}"),
        ("ASK {", "OPTIONAL{", "", "}", "}"),
        ("ASK {", "OPTIONAL{}", "", "", "}"),
        ("ASK {", "MINUS{?s ?p ?o}", "", "", "}"),
        ("ASK {", "FILTER NOT EXISTS{", "", "}", "}"),
        ("ASK { ?s ", "(", "<a:a>", ")*", " ?o }"),
        ("ASK { ?s <a:a>", "/<a:a>", "", "", " ?o }"),
        ("ASK { ?s <a:a>", "|<a:a>", "", "", " ?o }"),
        ("ASK { ?s ?p ", "(", "", ")", " }"),
        ("ASK { ?s ?p 1 ", ".?s ?p 1", "", "", " }"),
        ("SELECT * ", "{SELECT*", "{}", "}", ""),
        ("", "(", "", "", ""),
        ("", "SELECT*{{", "", "", ""),
    ];
    for (start, open, middle, close, end) in kinds {
        let longest = (QUERY_BYTES_MAX - 40) / (open.len() + close.len());
        for times in [10, 16, 100, longest] {
            let query = format!("{start}{}{middle}{}{end}", open.repeat(times), close.repeat(times));
            let began = Instant::now();
            let answer = ask(&store, &query);
            assert_ne!(answer, Err(SparqlError::Fault), "{start}{open} {times} times");
            let took = began.elapsed();
            assert!(took < QUERY_TIME_MAX * 2, "{start}{open} {times} times took {took:?}");
        }
    }
    let long = " ".repeat(QUERY_BYTES_MAX + 1);
    assert_eq!(ask(&store, &long), Err(SparqlError::TooLong { found: long.len() }));
    let brackets = format!("SELECT ('{}' AS ?text) {{}} # {}", "(".repeat(400), "(".repeat(400));
    assert!(ask(&store, &brackets).is_ok(), "brackets in texts and comments are none");
}

#[test]
fn an_answer_comes_in_the_form_asked_for_or_says_which_there_are() {
    let store = store(1);
    let mut asked = request("CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }");
    for form in RdfForm::ALL {
        asked.triples = Some(form);
        assert_eq!(answer(store.read().unwrap(), &asked).unwrap().media_type, form.media_type());
    }
    asked.triples = None;
    let error = answer(store.read().unwrap(), &asked).unwrap_err();
    assert!(error.to_string().contains("text/turtle"), "{error}");
    for query in ["ASK { ?s ?p ?o }", "SELECT * { ?s ?p ?o }"] {
        let mut asked = request(query);
        for form in SolutionsFormat::ALL {
            asked.solutions = Some(form);
            assert_eq!(answer(store.read().unwrap(), &asked).unwrap().media_type, form.media_type());
        }
    }
    let mut asked = request("CONSTRUCT { ?s <urn:1> ?o } WHERE { ?s ?p ?o }");
    asked.triples = Some(RdfForm::RdfXml);
    let error = answer(store.read().unwrap(), &asked).unwrap_err();
    assert!(matches!(error, SparqlError::NotExpressible { .. }), "{error}");
}
