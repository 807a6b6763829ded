//! A source that changes between runs, and what becomes of the town's catalog.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crdt::catalog::{Class, NewDataset, RecordEdit};
use crdt::ids::{DatasetId, UnixMillis};
use node::handle::{NodeHandle, OpenNode};
use node::harvest::run::HarvestError;
use node::harvest::source::{Kind, Source, SourceSpec};
use serde_json::json;

use super::server::{Answer, Server, page};
use super::support;

/// A town with one source, `quelle`, at the server's `/catalog.ttl`.
pub(crate) struct Town {
    _directory: tempfile::TempDir,
    node: OpenNode,
    pub(crate) server: Server,
    /// Seconds by the node's clock, which stands still.
    pub(crate) seconds: Arc<AtomicI64>,
}

impl Town {
    pub(crate) async fn start() -> Self {
        Self::reading(Kind::Rdf, "/catalog.ttl").await
    }

    /// With a source of this kind at a path of the server.
    pub(crate) async fn reading(kind: Kind, path: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        support::found(directory.path());
        let seconds = Arc::new(AtomicI64::new(1_790_000_000));
        let read = Arc::clone(&seconds);
        let (mut options, _) = support::options();
        options.clock = Arc::new(move || UnixMillis(read.load(Ordering::Relaxed) * 1000));
        let node = OpenNode::open(&directory.path().join("soest"), options).unwrap();
        node.handle().allow_publishing(true);
        let server = Server::start().await;
        let spec = SourceSpec {
            name: "quelle".into(),
            url: server.url(path),
            kind,
            interval_s: Some(3600),
            allow_private: true,
            allow_redirects: false,
        };
        node.handle().add_source(spec).await.unwrap();
        Self { _directory: directory, node, server, seconds }
    }

    pub(crate) fn handle(&self) -> &NodeHandle {
        self.node.handle()
    }

    /// Some time goes by.
    pub(crate) fn wait(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::Relaxed);
    }

    pub(crate) async fn run(&self) -> Source {
        self.handle().run_source("quelle").await.unwrap()
    }

    /// One page with these datasets, then a run.
    pub(crate) async fn run_with(&self, numbers: impl IntoIterator<Item = u32>) -> Source {
        self.server.set("/catalog.ttl", Answer::turtle(page(numbers, None, None)));
        self.run().await
    }

    /// German titles of the town's records, in order, with their ids.
    pub(crate) fn records(&self) -> Vec<(String, DatasetId)> {
        let mut found = Vec::new();
        self.handle()
            .each_own_record(|record| {
                let title = record.dataset.title.de.map(String::from).unwrap_or_default();
                found.push((title, record.dataset.id));
            })
            .unwrap();
        found.sort();
        found
    }

    pub(crate) fn titles(&self) -> Vec<String> {
        self.records().into_iter().map(|(title, _)| title.replace("Datensatz ", "")).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_come_once_closed_and_change_with_their_source() {
    let town = Town::start().await;
    let source = town.run_with([1, 2, 3]).await;
    assert_eq!((source.counts.created, source.counts.rejected, &source.problem), (3, 0, &None));
    assert!(source.walked.is_some() && source.next > source.tried);
    town.handle().each_own_record(|record| assert_eq!(record.dataset.class, Class::Closed)).unwrap();
    // The same again, in another order.
    let source = town.run_with([3, 1, 2]).await;
    assert_eq!((source.counts.created, source.counts.changed, source.counts.unchanged), (0, 0, 3));
    let edited = page([1, 2, 3], None, None).replace("Datensatz 2", "Datensatz 2b");
    town.server.set("/catalog.ttl", Answer::turtle(edited));
    let source = town.run().await;
    assert_eq!((source.counts.changed, source.counts.unchanged), (1, 2));
    assert_eq!(town.titles(), ["1", "2b", "3"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_gone_is_deleted_only_after_a_whole_walk() {
    let town = Town::start().await;
    town.run_with(1..=40).await;
    // Half pages, errors and empty answers delete nothing.
    for answer in [
        Answer::Half(page(1..=20, None, None).into_bytes()),
        Answer::Status(500, String::new()),
        Answer::turtle(page(1..=20, Some("/weg"), None)),
        Answer::turtle(page(1..=20, None, Some(40))),
        Answer::turtle(""),
        Answer::turtle("<!DOCTYPE html>"),
    ] {
        town.server.set("/catalog.ttl", answer.clone());
        let source = town.run().await;
        assert!(source.problem.is_some() && source.failures > 0, "{answer:?}");
        assert_eq!(town.titles().len(), 40, "{answer:?}");
    }
    let source = town.run_with(1..=38).await;
    assert_eq!((source.counts.deleted, source.awaiting, source.failures), (2, 0, 0));
    assert_eq!(town.titles().len(), 38);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mass_deletion_waits_for_a_word() {
    let town = Town::start().await;
    town.run_with(1..=40).await;
    assert!(matches!(town.handle().confirm_source("quelle").await, Err(HarvestError::NothingAwaits(_))));
    for last in [20, 0] {
        let source = town.run_with(1..=last).await;
        assert!(source.awaiting >= 20 && source.problem.is_some(), "{source:?}");
        assert_eq!(town.titles().len(), 40);
    }
    town.run_with(1..=20).await;
    let source = town.handle().confirm_source("quelle").await.unwrap();
    assert_eq!(source.confirmed, 20);
    // More are missing now than were allowed.
    let source = town.run_with(1..=10).await;
    assert_eq!((source.awaiting, town.titles().len()), (30, 40));
    town.handle().confirm_source("quelle").await.unwrap();
    let source = town.run_with(1..=10).await;
    assert_eq!((source.counts.deleted, source.awaiting, source.confirmed), (30, 0, 0));
    assert_eq!(town.titles().len(), 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_town_changed_stays_and_becomes_a_task() {
    let town = Town::start().await;
    town.run_with(1..=3).await;
    let id = town.records()[0].1;
    let edit = RecordEdit::parse(&json!({"title": "Eigener Titel"})).unwrap();
    town.handle().edit(id, edit, None).await.unwrap();
    let renamed = page(1..=3, None, None).replace("Datensatz 1", "Datensatz 1b");
    town.server.set("/catalog.ttl", Answer::turtle(renamed));
    town.run().await;
    assert_eq!(town.titles(), ["2", "3", "Eigener Titel"]);
    assert!(town.handle().tasks_of(id).unwrap().iter().any(|task| task.field == "title/de"));
    let source = town.run_with(2..=3).await;
    assert_eq!((source.counts.deleted, source.counts.kept), (0, 1));
    assert!(town.handle().tasks_of(id).unwrap().iter().any(|task| task.field == "status"));
    let again = town.run_with(2..=3).await;
    assert_eq!((again.counts.kept, town.titles().len()), (0, 3), "it is said once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_with_another_address_but_the_same_identifier_is_the_same() {
    let town = Town::start().await;
    town.run_with(1..=3).await;
    let before = town.records();
    let moved = page(1..=3, None, None).replace("https://quelle.example/d/", "https://neu.example/d/");
    town.server.set("/catalog.ttl", Answer::turtle(moved));
    let source = town.run().await;
    assert_eq!((source.counts.deleted, source.counts.created), (0, 0));
    assert_eq!(town.records(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn own_records_that_come_back_are_not_taken() {
    let town = Town::start().await;
    let record = NewDataset::from_record(&support::record(7));
    let receipt = town.handle().create(record).await.unwrap();
    town.handle().publish(receipt.id).await.unwrap();
    let iri = town.handle().open_dataset(receipt.id).unwrap().unwrap().dataset.iri.unwrap();
    let text = page([1], None, None).replace("https://quelle.example/d/1", iri.as_str());
    town.server.set("/catalog.ttl", Answer::turtle(text));
    let source = town.run().await;
    assert_eq!((source.counts.own, source.counts.created), (1, 0));
    assert_eq!(town.records().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_record_goes_to_quarantine_with_its_reason_and_harms_no_neighbour() {
    let town = Town::start().await;
    let text = page([1, 2], None, None).replace("dct:title \"Datensatz 2\"@de", "dct:description \"x\"");
    town.server.set("/catalog.ttl", Answer::turtle(text));
    let source = town.run().await;
    assert_eq!((source.counts.created, source.counts.rejected), (1, 1));
    assert_eq!(source.quarantine[0].key, "https://quelle.example/d/2");
    assert_eq!(source.quarantine[0].field, "dct:title");
    let known = town.handle().source("quelle").unwrap();
    assert_eq!(known, source, "what is known is durable");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sources_are_added_once_and_removed_without_their_records() {
    let town = Town::start().await;
    town.run_with(1..=2).await;
    let spec = town.handle().source("quelle").unwrap().spec;
    assert!(matches!(town.handle().add_source(spec).await, Err(HarvestError::Exists(_))));
    assert!(matches!(town.handle().run_source("nirgends").await, Err(HarvestError::Unknown(_))));
    town.handle().remove_source("quelle").await.unwrap();
    assert!(town.handle().sources().unwrap().is_empty());
    assert_eq!(town.titles().len(), 2);
}
