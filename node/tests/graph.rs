//! The graph that SPARQL asks: kept over a restart, made again when it cannot be
//! used, level with the store whatever comes in one batch.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail as the test does")]
#![cfg(unix)]

mod support;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crdt::catalog::{CatalogEdit, RecordEdit};
use node::handle::NodeHandle;
use node::rdf::RdfForm;
use node::rdf::sparql::{SolutionsFormat, SparqlRequest};
use node::store::GRAPH_FILE;
use node::view::{Reader, SearchQuery};
use serde_json::json;
use support::{found, open, publish};

const TITLES: &str = "SELECT ?title { ?d a <http://www.w3.org/ns/dcat#Dataset>; \
    <http://purl.org/dc/terms/title> ?title } ORDER BY ?title";
const DATASETS: &str = "SELECT ?d { ?d a <http://www.w3.org/ns/dcat#Dataset> }";
const CONTRIBUTORS: &str = "SELECT (COUNT(?d) AS ?n) { ?d a <http://www.w3.org/ns/dcat#Dataset>; \
    <http://dcat-ap.de/def/dcatde/contributorID> <http://dcat-ap.de/def/contributors/openNRW> }";
const TRIPLES: &str = "SELECT ?s ?p ?o { ?s ?p ?o } ORDER BY ?s ?p ?o";

/// The rows of an answer in CSV, without its first line.
async fn rows(handle: &NodeHandle, query: &str) -> Vec<String> {
    let request = SparqlRequest {
        query: query.to_owned(),
        default_graphs: Vec::new(),
        named_graphs: Vec::new(),
        solutions: Some(SolutionsFormat::Csv),
        triples: Some(RdfForm::NTriples),
        abandoned: Arc::new(AtomicBool::new(false)),
    };
    let answer = handle.sparql(request).await.unwrap();
    String::from_utf8(answer.body).unwrap().lines().skip(1).map(str::to_owned).collect()
}

/// The same once everything durable is in the graph.
async fn settled(handle: &NodeHandle, query: &str) -> Vec<String> {
    handle.settle_search();
    rows(handle, query).await
}

fn file(town: &Path) -> PathBuf {
    town.join("index").join(GRAPH_FILE)
}

/// Which file it is: one that is made anew takes the place of the old one.
fn inode(town: &Path) -> u64 {
    fs::metadata(file(town)).unwrap().ino()
}

fn contributor() -> CatalogEdit {
    CatalogEdit::parse(&json!({"contributor_id": "http://dcat-ap.de/def/contributors/openNRW"})).unwrap()
}

#[tokio::test]
async fn the_graph_of_the_last_run_is_served_again_and_follows() {
    let root = tempfile::tempdir().unwrap();
    found(root.path());
    let soest = root.path().join("soest");
    let (node, _) = open(&soest);
    publish(node.handle(), 0..4).await;
    let before = settled(node.handle(), TRIPLES).await;
    drop(node);
    let first = inode(&soest);

    let (node, _) = open(&soest);
    assert_eq!(settled(node.handle(), TRIPLES).await, before);
    publish(node.handle(), 4..5).await;
    assert_eq!(settled(node.handle(), DATASETS).await.len(), 5);
    drop(node);
    assert_eq!(inode(&soest), first, "it was not made anew");
}

#[tokio::test]
async fn a_graph_that_cannot_be_used_is_made_again() {
    let root = tempfile::tempdir().unwrap();
    found(root.path());
    let [soest, olpe] = ["soest", "olpe"].map(|town| root.path().join(town));
    let (node, _) = open(&soest);
    publish(node.handle(), 0..4).await;
    let right = settled(node.handle(), TRIPLES).await;
    drop(node);
    let whole = fs::read(file(&soest)).unwrap();
    let (other, _) = open(&olpe);
    assert_eq!(settled(other.handle(), DATASETS).await.len(), 0);
    drop(other);

    let mut flipped = whole.clone();
    flipped.iter_mut().skip(4096).step_by(97).for_each(|byte| *byte ^= 0x10);
    let cases = [
        ("damaged", Some(flipped)),
        ("cut off", Some(whole[..1000].to_vec())),
        ("empty", Some(Vec::new())),
        ("no graph", Some(b"Graph".to_vec())),
        ("of another store", Some(fs::read(file(&olpe)).unwrap())),
        ("missing", None),
    ];
    for (what, bytes) in cases {
        match bytes {
            Some(bytes) => fs::write(file(&soest), bytes).unwrap(),
            None => fs::remove_file(file(&soest)).unwrap(),
        }
        let (node, _) = open(&soest);
        assert_eq!(settled(node.handle(), TRIPLES).await, right, "{what}");
    }
}

#[tokio::test]
async fn what_the_catalog_says_changes_every_dataset_now_and_after_a_restart() {
    let root = tempfile::tempdir().unwrap();
    found(root.path());
    let soest = root.path().join("soest");
    let (node, _) = open(&soest);
    publish(node.handle(), 0..3).await;
    assert_eq!(settled(node.handle(), CONTRIBUTORS).await, ["0"]);
    node.handle().edit_catalog(contributor()).await.unwrap();
    assert_eq!(settled(node.handle(), CONTRIBUTORS).await, ["3"]);
    drop(node);
    let (node, _) = open(&soest);
    assert_eq!(settled(node.handle(), CONTRIBUTORS).await, ["3"]);
}

#[tokio::test]
async fn a_graph_that_lags_takes_catalog_and_datasets_in_at_once() {
    let root = tempfile::tempdir().unwrap();
    found(root.path());
    let soest = root.path().join("soest");
    let (node, _) = open(&soest);
    let ids = publish(node.handle(), 0..3).await;
    node.handle().settle_search();
    drop(node);
    let lagging = fs::read(file(&soest)).unwrap();

    let (node, _) = open(&soest);
    let edit = RecordEdit::parse(&json!({"title": "Brunnen vor dem Tore"})).unwrap();
    node.handle().edit(ids[0], edit, None).await.unwrap();
    node.handle().edit_catalog(contributor()).await.unwrap();
    publish(node.handle(), 3..5).await;
    let right = settled(node.handle(), TRIPLES).await;
    drop(node);
    fs::write(file(&soest), lagging).unwrap();

    let (node, _) = open(&soest);
    assert_eq!(settled(node.handle(), TRIPLES).await, right);
    assert_eq!(settled(node.handle(), CONTRIBUTORS).await, ["5"]);
    assert!(settled(node.handle(), TITLES).await.contains(&"Brunnen vor dem Tore".to_owned()));
}

#[tokio::test]
async fn indexes_are_made_anew_while_the_old_ones_answer() {
    let root = tempfile::tempdir().unwrap();
    found(root.path());
    let soest = root.path().join("soest");
    let (node, _) = open(&soest);
    let handle = node.handle();
    publish(handle, 0..20).await;
    let right = settled(handle, TRIPLES).await;
    let first = inode(&soest);
    let everything = SearchQuery { limit: 50, ..SearchQuery::default() };
    handle.remake_indexes();
    for index in 20..30 {
        // Never fewer than before, and never an error.
        assert!(handle.search(Reader::Public, &everything).unwrap().total >= 20);
        assert!(rows(handle, DATASETS).await.len() >= 20);
        publish(handle, index..index + 1).await;
    }
    handle.settle_search();
    assert_ne!(inode(&soest), first, "the graph is another file");
    assert_eq!(handle.search(Reader::Public, &everything).unwrap().total, 30);
    let now = rows(handle, TRIPLES).await;
    assert!(now.len() > right.len() && rows(handle, DATASETS).await.len() == 30);
    // What was made meanwhile is what would be made from nothing.
    drop(node);
    fs::remove_file(file(&soest)).unwrap();
    let (node, _) = open(&soest);
    assert_eq!(settled(node.handle(), TRIPLES).await, now);
}
