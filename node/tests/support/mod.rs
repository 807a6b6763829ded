//! Nodes for tests: data directories in temporary places, and two founded towns.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use crdt::ids::{Town, UnixMillis};
use node::demo::{DemoTown, synthetic_record};
use node::directory::{Directory, IDENTITY_KEY_FILE, MemberFile, NewTown};
use node::founding;
use node::handle::{NodeHandle, OpenNode, OpenOptions};
use node::keys;
use node::ledger::{Clock, Committed};
use node::store::StoreSettings;

/// A clock that goes on by a second whenever it is read.
pub(crate) fn clock() -> Clock {
    let seconds = AtomicI64::new(1_790_000_000);
    Arc::new(move || UnixMillis(seconds.fetch_add(1, Ordering::Relaxed) * 1000))
}

/// What a node told its loop.
pub(crate) type Told = Arc<Mutex<Vec<Committed>>>;

/// Options with the test clock that keep what is told.
pub(crate) fn options() -> (OpenOptions, Told) {
    let told = Told::default();
    let keep = Arc::clone(&told);
    let on_commit = Box::new(move |committed| keep.lock().unwrap().push(committed));
    (OpenOptions { clock: clock(), on_commit, ..OpenOptions::default() }, told)
}

/// Towns of the tests: Soest and Olpe.
pub(crate) fn towns() -> [NewTown; 2] {
    [("05974040", "soest", "Soest"), ("05966024", "olpe", "Olpe")].map(|(town, code, name)| NewTown {
        town: Town::parse(town).unwrap(),
        code: code.into(),
        name: name.into(),
        addresses: Vec::new(),
    })
}

/// Founds a federation of the two towns in `root/soest` and `root/olpe`.
pub(crate) fn found(root: &Path) {
    let members: Vec<MemberFile> =
        towns().iter().map(|town| Directory::init(&root.join(&town.code), town).unwrap()).collect();
    let mut charter = founding::found("Probe", &members, [7; 16], UnixMillis(0)).unwrap();
    let identity =
        |member: &MemberFile| keys::read(&root.join(&member.code).join(IDENTITY_KEY_FILE)).unwrap();
    for member in &members {
        founding::sign(&mut charter, &identity(member)).unwrap();
    }
    let federation = charter.id().as_federation();
    let certificates: Vec<_> =
        members.iter().map(|member| founding::certificate(member, federation, &identity(member))).collect();
    for member in &members {
        let directory = Directory::open(&root.join(&member.code), StoreSettings::default()).unwrap();
        founding::adopt(&directory, charter.clone(), certificates.clone()).unwrap();
    }
}

/// Opens a directory as a node that may publish.
pub(crate) fn open(path: &Path) -> (OpenNode, Told) {
    let (options, told) = options();
    let node = OpenNode::open(path, options).unwrap();
    node.handle().allow_publishing(true);
    (node, told)
}

/// A record that may be published.
pub(crate) fn record(index: u64) -> crdt::catalog::LocalRecord {
    let town = DemoTown {
        code: "soest".into(),
        name: "Soest".into(),
        town: Town::parse("05974040").unwrap(),
        mailbox: "opendata@soest.example".into(),
        base_url: "https://daten.soest.example".into(),
    };
    let mut record = synthetic_record(1, &town, index);
    record.dataset.class = crdt::catalog::Class::Closed;
    record.dataset.status = crdt::catalog::LifecycleStatus::Draft;
    record
}

/// Makes records `range` and publishes them.
pub(crate) async fn publish(handle: &NodeHandle, range: std::ops::Range<u64>) -> Vec<crdt::ids::DatasetId> {
    let publish = |index| async move {
        let id = handle.create_record(record(index)).await.unwrap().id;
        handle.publish(id).await.unwrap();
        id
    };
    futures::future::join_all(range.map(publish)).await
}

/// Everything one node holds, given to another as a peer would.
pub(crate) async fn carry(from: &NodeHandle, to: &NodeHandle) {
    use crdt::sync::Want;
    let held = from.committed_documents().unwrap();
    let wants: Vec<Want> = held
        .iter()
        .map(|held| Want { document: held.document, epoch: 0, frontier: Default::default() })
        .collect();
    for part in wants.chunks(256) {
        let documents = from.load(part).unwrap();
        for (document, outcome) in to.ledger().admit(from.town().town, documents).await.unwrap() {
            assert_eq!(outcome, Ok(()), "{document}");
        }
    }
}
