//! What a crash, a damaged file, a second process or a newer release leaves:
//! nothing acknowledged is lost, and what cannot be used says so.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail as the test does")]

mod support;

use std::fs;
use std::path::Path;

use crdt::catalog::RecordEdit;
use node::directory::{Directory, DirectoryError};
use node::handle::{OpenNode, OpenNodeError, OpenOptions};
use node::store::{CLOSED_FILE, ClosedStore, OpenStoreError, REPLICA_FILE, ReplicaStore, StoreSettings};
use node::view::{Reader, SearchQuery};
use serde_json::json;
use support::{found, open, publish, record};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[tokio::test]
async fn everything_acknowledged_survives_a_crash_at_that_moment() {
    let root = tempfile::tempdir().unwrap();
    found(root.path());
    let soest = root.path().join("soest");
    let (node, _) = open(&soest);
    let handle = node.handle();
    for step in 0..6 {
        let draft = handle.create_record(record(step)).await.unwrap().id;
        let id = publish(handle, 100 + step..101 + step).await[0];
        let edit = RecordEdit::parse(&json!({"department": format!("Amt {step}")})).unwrap();
        handle.edit(id, edit, None).await.unwrap();
        // The files as a power cut would leave them: the node is not told.
        let crashed = root.path().join(format!("crashed-{step}"));
        copy(&soest, &crashed);
        let (again, _) = open(&crashed);
        let found = again.handle().dataset(Reader::Public, id).unwrap().unwrap();
        assert_eq!(found.dataset.department.unwrap().as_str(), format!("Amt {step}"));
        assert!(again.handle().dataset(Reader::Staff, draft).unwrap().is_some());
        assert_eq!(again.handle().public_status().datasets, step + 1);
        again.handle().settle_search();
        let all = SearchQuery { limit: 50, ..SearchQuery::default() };
        assert_eq!(again.handle().search(Reader::Public, &all).unwrap().total as u64, step + 1);
    }
}

#[tokio::test]
async fn a_publication_cut_off_between_the_files_is_finished_at_the_start() {
    let root = tempfile::tempdir().unwrap();
    found(root.path());
    let soest = root.path().join("soest");
    let (node, _) = open(&soest);
    let mut local = record(0);
    local.internal.notes = Some("nur hier".parse().unwrap());
    let id = node.handle().create_record(local).await.unwrap().id;
    let before = root.path().join("before");
    copy(&soest, &before);
    node.handle().publish(id).await.unwrap();
    drop(node);
    // The replica has it, the closed store does not know yet.
    fs::copy(before.join(CLOSED_FILE), soest.join(CLOSED_FILE)).unwrap();
    assert!(
        ClosedStore::open(&soest, StoreSettings::default())
            .unwrap()
            .read()
            .unwrap()
            .record(&id)
            .unwrap()
            .is_some()
    );

    let (node, _) = open(&soest);
    let detail = node.handle().dataset(Reader::Staff, id).unwrap().unwrap();
    assert_eq!(detail.internal.unwrap().notes.unwrap().as_str(), "nur hier");
    assert_eq!(node.handle().status().store.closed, 0);
    node.handle().settle_search();
    let all = SearchQuery { limit: 50, ..SearchQuery::default() };
    assert_eq!(node.handle().search(Reader::Staff, &all).unwrap().total, 1);
}

#[tokio::test]
async fn views_and_index_come_back_from_the_sealed_changes() {
    let root = tempfile::tempdir().unwrap();
    found(root.path());
    let soest = root.path().join("soest");
    let (node, _) = open(&soest);
    let ids = publish(node.handle(), 0..5).await;
    let before: Vec<_> = ids.iter().map(|id| node.handle().dataset(Reader::Public, *id).unwrap()).collect();
    drop(node);
    let replica = ReplicaStore::open(&soest, StoreSettings::default()).unwrap();
    let mut write = replica.write().unwrap();
    write.delete_views().unwrap();
    write.commit().unwrap();
    drop(replica);
    fs::remove_dir_all(soest.join("index")).unwrap();

    let (node, _) = open(&soest);
    let after: Vec<_> = ids.iter().map(|id| node.handle().dataset(Reader::Public, *id).unwrap()).collect();
    assert_eq!(before, after);
    assert_eq!(node.handle().rebuild_views().unwrap(), 5);
    node.handle().settle_search();
    let all = SearchQuery { limit: 50, ..SearchQuery::default() };
    assert_eq!(node.handle().search(Reader::Public, &all).unwrap().total, 5);
}

#[tokio::test]
async fn a_second_process_is_told_who_has_the_directory() {
    let root = tempfile::tempdir().unwrap();
    found(root.path());
    let soest = root.path().join("soest");
    let (node, _) = open(&soest);
    let error = Directory::open(&soest, StoreSettings::default()).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, DirectoryError::Store(OpenStoreError::Locked { .. })), "{text}");
    assert!(text.contains(&format!("process {}", std::process::id())), "{text}");
    drop(node);
    Directory::open(&soest, StoreSettings::default()).unwrap();
}

#[tokio::test]
async fn a_damaged_file_is_named_with_what_is_lost_and_who_can_give_it_back() {
    let root = tempfile::tempdir().unwrap();
    found(root.path());
    let soest = root.path().join("soest");
    let (node, _) = open(&soest);
    publish(node.handle(), 0..50).await;
    node.handle().create_record(record(60)).await.unwrap();
    drop(node);
    for (file, words) in [(REPLICA_FILE, "towns give back"), (CLOSED_FILE, "no other town has a copy")] {
        let damaged = root.path().join(format!("damaged-{file}"));
        copy(&soest, &damaged);
        let path = damaged.join(file);
        let mut bytes = fs::read(&path).unwrap();
        // Every used page, from the first after the header on.
        bytes.iter_mut().skip(4096).step_by(97).for_each(|byte| *byte ^= 0x10);
        fs::write(&path, bytes).unwrap();
        let text = match OpenNode::open(&damaged, OpenOptions::default()) {
            Err(error @ OpenNodeError::Directory(DirectoryError::Store(OpenStoreError::Damaged { .. }))) => {
                error.to_string()
            }
            Err(error) => panic!("{file}: {error}"),
            Ok(_) => panic!("{file}: damage went unnoticed"),
        };
        assert!(text.contains(file) && text.contains(words), "{text}");
    }
    let cut = root.path().join("cut");
    copy(&soest, &cut);
    let bytes = fs::read(cut.join(REPLICA_FILE)).unwrap();
    fs::write(cut.join(REPLICA_FILE), &bytes[..1000]).unwrap();
    let error = OpenNode::open(&cut, OpenOptions::default()).unwrap_err().to_string();
    assert!(error.contains(REPLICA_FILE) && error.contains("damaged"), "{error}");
}

#[test]
fn a_directory_is_made_once_and_only_from_what_a_charter_can_hold() {
    let root = tempfile::tempdir().unwrap();
    let [mut soest, _] = support::towns();
    soest.addresses = vec!["/dns4/hanse.soest.example/tcp/8301".into()];
    let member = Directory::init(&root.path().join("soest"), &soest).unwrap();
    assert!(member.addresses[0].contains("/p2p/12D3"), "{member:?}");
    let again = Directory::init(&root.path().join("soest"), &soest).unwrap_err();
    assert!(matches!(again, DirectoryError::Exists { .. }));
    for (code, address) in [("Bad Berleburg", ""), ("", ""), ("soest", "hanse.soest.example:8301")] {
        let addresses = if address.is_empty() { Vec::new() } else { vec![address.to_owned()] };
        let wrong = node::directory::NewTown { code: code.into(), addresses, ..soest.clone() };
        let path = root.path().join("wrong");
        let error = Directory::init(&path, &wrong).unwrap_err().to_string();
        assert!(error.contains("give "), "{error}");
        assert!(!path.join("member.json").exists());
    }
    let none = Directory::open(&root.path().join("nowhere"), StoreSettings::default()).unwrap_err();
    assert!(none.to_string().contains("hanse init"), "{none}");
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_what_a_directory_holds() {
    use std::os::unix::fs::PermissionsExt;
    let root = tempfile::tempdir().unwrap();
    let [soest, _] = support::towns();
    let path = root.path().join("soest");
    Directory::init(&path, &soest).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    for file in ["identity.key", "node.key", "transport.key", "desk.token", REPLICA_FILE, CLOSED_FILE] {
        assert_eq!(mode(&path.join(file)), 0o600, "{file}");
    }
}
