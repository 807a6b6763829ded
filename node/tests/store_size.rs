//! What a record costs on disk, and how the dictionary of the stores was made.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail as the test does")]

mod support;

use std::fs;

use node::demo::Records;
use node::handle::NodeHandle;
use node::store::REPLICA_FILE;
use support::{found, open, publish};

/// Bytes of `replica.redb` per record of real size, with everything: change,
/// seal, view, holding and indexes.
const RECORD_BYTES_MAX: u64 = 3_072;

#[tokio::test]
async fn a_record_of_real_size_takes_three_kilobytes_at_most() {
    const RECORDS: u64 = 500;
    let root = tempfile::tempdir().unwrap();
    found(root.path());
    let soest = root.path().join("soest");
    let (node, _) = open(&soest);
    let begun = std::time::Instant::now();
    publish(node.handle(), 0..RECORDS).await;
    println!("made and published in {:?}", begun.elapsed());
    drop(node);
    // The file grows by doubling; what counts is what it needs.
    let mut store = node::store::ReplicaStore::open(&soest, Default::default()).unwrap();
    while store.compact().unwrap() {}
    drop(store);
    let each = fs::metadata(soest.join(REPLICA_FILE)).unwrap().len() / RECORDS;
    println!("{each} bytes a record");
    assert!(each <= RECORD_BYTES_MAX, "{each} bytes a record");
}

/// Writes the samples that the dictionary was trained on, one file each:
/// `HANSE_SAMPLES=DIR cargo test -p node --test store_size -- --ignored`, then
/// `zstd --train DIR/* --maxdict=32768 -o node/src/store/dictionary-1.bin`.
/// A changed dictionary needs a new form number in `store/compress.rs`.
#[tokio::test]
#[ignore = "only to make a dictionary"]
async fn samples_for_the_dictionary() {
    let Ok(directory) = std::env::var("HANSE_SAMPLES") else { panic!("HANSE_SAMPLES names no directory") };
    let root = tempfile::tempdir().unwrap();
    found(root.path());
    let (node, _) = open(&root.path().join("soest"));
    let handle: &NodeHandle = node.handle();
    fs::create_dir_all(&directory).unwrap();
    for (number, demo) in Records::shipped().records.into_iter().enumerate() {
        let mut dataset = demo.record.dataset.clone();
        let receipt = handle.create_record(demo.record).await.unwrap();
        if handle.publish(receipt.id).await.is_ok() {
            let public = handle.dataset(node::view::Reader::Public, receipt.id).unwrap().unwrap();
            dataset = public.dataset;
        }
        let json = serde_json::json!({ "dataset": dataset });
        fs::write(format!("{directory}/view-{number:03}"), serde_json::to_vec(&json).unwrap()).unwrap();
    }
    for (number, held) in handle.committed_documents().unwrap().into_iter().enumerate() {
        let want = crdt::sync::Want { document: held.document, epoch: 0, frontier: Default::default() };
        for change in &handle.load(&[want]).unwrap()[0].changes {
            fs::write(format!("{directory}/change-{number:03}"), &change.operations).unwrap();
        }
    }
}
