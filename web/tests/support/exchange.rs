//! What reaches a node from outside its own desk: withdrawals, and what other
//! towns publish.

use std::path::Path;

use crdt::audience::Audience;
use crdt::epoch::{EpochReason, EpochRecord, EpochState};
use crdt::ids::{CertificateHash, DatasetId, FederationId, Town, UnixMillis};
use crdt::signed::Signed;
use crdt::sync::{DocumentChanges, Want};
use node::directory::Directory;
use node::handle::{MergeRequest, NodeHandle, OpenNode, OpenOptions};
use serde_json::Value;

use super::Soest;

/// Signs for a town's node.
pub(crate) struct Seal {
    pub(crate) town: Town,
    federation: FederationId,
    certificate: CertificateHash,
    sign: Box<dyn Fn(EpochRecord) -> Signed<EpochRecord> + Send + Sync>,
}

impl Seal {
    pub(crate) fn new(directory: &Directory, federation: FederationId, certificate: CertificateHash) -> Self {
        let key = directory.node_key.clone();
        let sign = Box::new(move |record| Signed::new(record, &key));
        Self { town: directory.member.town, federation, certificate, sign }
    }

    /// The order to forget a dataset that `handle` holds.
    fn withdrawal(&self, handle: &NodeHandle, id: DatasetId) -> DocumentChanges {
        let held = handle.open_dataset(id).unwrap().expect("an open dataset");
        let want = Want { document: held.document, epoch: 0, frontier: Default::default() };
        let genesis = handle.load(&[want]).unwrap()[0].genesis;
        let record = EpochRecord {
            format: crdt::encoding::FormatOne,
            federation: self.federation,
            document: held.document,
            epoch: 2,
            audience: Audience::Open,
            state: EpochState::Erased,
            reason: EpochReason::Withdrawal,
            previous: Default::default(),
            first_change: None,
            certificate: self.certificate,
            time: UnixMillis(0),
        };
        DocumentChanges { genesis, record: Some((self.sign)(record)), changes: Vec::new(), more: false }
    }
}

/// The node of Olpe, with which Soest never speaks by itself.
pub(crate) struct Olpe {
    node: OpenNode,
}

impl Olpe {
    pub(crate) fn open(soest: &Soest) -> Self {
        let path: &Path = soest.directory.path();
        let node = OpenNode::open(&path.join("olpe"), OpenOptions::default()).unwrap();
        node.handle().allow_publishing(true);
        Self { node }
    }

    /// Publishes a record there.
    pub(crate) async fn publish(&self, body: Value) -> DatasetId {
        let new = crdt::catalog::NewDataset::parse(&body).unwrap();
        let id = self.node.handle().create(new).await.unwrap().id;
        self.node.handle().publish(id).await.unwrap();
        id
    }

    /// Keeps one of its datasets and gives another up for it.
    pub(crate) async fn merge(&self, keep: DatasetId, give_up: DatasetId) {
        let request = MergeRequest { keep, give_up, take_over: Default::default() };
        self.node.handle().merge(request).await.unwrap();
    }
}

impl Soest {
    /// Takes an open dataset back, as its town's order would. There is no
    /// command for it yet.
    pub(crate) async fn withdraw(&self, id: &str) {
        let (handle, id) = (self.handle(), id.parse().unwrap());
        let town = handle.open_dataset(id).unwrap().expect("an open dataset").town;
        let seal = if town == self.olpe.town { &self.olpe } else { &self.seal };
        let order = seal.withdrawal(&handle, id);
        let outcome = handle.ledger().admit(town, vec![order]).await.unwrap();
        assert_eq!(outcome[0].1, Ok(()));
        self.settle().await;
    }

    /// Takes over all that Olpe has published.
    pub(crate) async fn receive(&self, olpe: &Olpe) {
        let theirs = olpe.node.handle();
        let wants: Vec<Want> = theirs
            .committed_documents()
            .unwrap()
            .iter()
            .map(|held| Want { document: held.document, epoch: 0, frontier: Default::default() })
            .collect();
        let documents = theirs.load(&wants).unwrap();
        for (_, outcome) in self.handle().ledger().admit(self.olpe.town, documents).await.unwrap() {
            assert_eq!(outcome, Ok(()));
        }
        self.settle().await;
    }
}
