//! Imports from an address, and what is known of them after a restart.

use std::path::Path;
use std::sync::Arc;

use crdt::catalog::NewDataset;
use node::handle::OpenNode;
use node::harvest::fetch::Reach;
use node::harvest::once::Address;
use node::import::{ImportJob, ImportOptions, ImportState, Report};
use tokio::sync::Notify;

use super::server::{Answer, Server, page};
use super::support;

async fn imported(node: &OpenNode, url: &str, dry_run: bool) -> Arc<ImportJob> {
    let address = Address::parse(url, Reach { private: true, elsewhere: false }).unwrap();
    let options = ImportOptions { dry_run, ..ImportOptions::new(address.source()) };
    let job = node.handle().import_address(address, options).unwrap();
    while !job.state().is_final() {
        tokio::task::yield_now().await;
    }
    job
}

fn report(job: &ImportJob) -> Arc<Report> {
    match job.state() {
        ImportState::Done(report) => report,
        other => panic!("{other:?}"),
    }
}

fn open(root: &Path) -> OpenNode {
    support::open(&root.join("soest")).0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_became_of_an_import_is_known_after_a_restart() {
    let root = tempfile::tempdir().unwrap();
    support::found(root.path());
    let server = Server::start().await;
    let text = page([1, 2, 3], None, None).replace("dct:title \"Datensatz 2\"@de", "dct:description \"x\"");
    server.set("/catalog.ttl", Answer::turtle(text));
    let url = server.url("/catalog.ttl").to_string();
    let node = open(root.path());
    let (rehearsed, done) = (imported(&node, &url, true).await, imported(&node, &url, false).await);
    let lost = imported(&node, server.url("/nirgends").as_str(), false).await;
    assert_eq!((report(&done).created, report(&done).rejected), (2, 1));
    assert_eq!((done.progress.done(), done.progress.total()), (3, 3));
    drop(node);

    let node = open(root.path());
    let known = node.handle().import_jobs();
    let ids: Vec<_> = known.iter().map(|job| job.id).collect();
    assert_eq!(ids, [lost.id, done.id, rehearsed.id], "the newest first");
    assert_eq!((report(&known[1]), known[1].ended()), (report(&done), done.ended()));
    assert!(report(&known[2]).dry_run);
    assert!(matches!(known[0].state(), ImportState::Unreadable(_)));
    assert_eq!(node.handle().import_job(done.id).unwrap().name, done.name);
    let again = imported(&node, &url, false).await;
    assert_eq!(report(&again).unchanged, 2, "the source is known too");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_records_of_the_federation_are_not_taken_from_an_address() {
    let root = tempfile::tempdir().unwrap();
    support::found(root.path());
    let olpe = support::open(&root.path().join("olpe")).0;
    let record = NewDataset::from_record(&support::record(7));
    let id = olpe.handle().create(record).await.unwrap().id;
    olpe.handle().publish(id).await.unwrap();
    let iri = olpe.handle().open_dataset(id).unwrap().unwrap().dataset.iri.unwrap();
    let node = open(root.path());
    support::carry(olpe.handle(), node.handle()).await;
    let server = Server::start().await;
    let text = page([1, 2], None, None).replace("https://quelle.example/d/1", iri.as_str());
    server.set("/catalog.ttl", Answer::turtle(text));
    let job = imported(&node, server.url("/catalog.ttl").as_str(), false).await;
    let report = report(&job);
    assert_eq!((report.created, report.own, report.rejected), (1, 1, 0));
    assert!(report.hints.iter().any(|hint| hint.reason.en.contains("another road")), "{:?}", report.hints);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_drips_holds_up_no_other_import() {
    let root = tempfile::tempdir().unwrap();
    support::found(root.path());
    let server = Server::start().await;
    let word = Arc::new(Notify::new());
    let slow = Answer::After(Arc::clone(&word), Box::new(Answer::turtle(page([1], None, None))));
    server.set("/langsam.ttl", slow);
    server.set("/catalog.ttl", Answer::turtle(page([2], None, None)));
    let node = open(root.path());
    let address =
        Address::parse(server.url("/langsam.ttl").as_str(), Reach { private: true, elsewhere: false })
            .unwrap();
    let options = ImportOptions::new(address.source());
    let waiting = node.handle().import_address(address, options).unwrap();
    let other = imported(&node, server.url("/catalog.ttl").as_str(), false).await;
    assert_eq!((report(&other).created, waiting.state().is_final()), (1, false));
    word.notify_one();
    while !waiting.state().is_final() {
        tokio::task::yield_now().await;
    }
    assert_eq!(report(&waiting).created, 1);
}
