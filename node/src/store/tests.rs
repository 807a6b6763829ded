//! The stores alone: rows, bounds, formats, a full disk.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crdt::epoch::{EpochReason, EpochRecord, EpochState};
use crdt::frontier::Frontier;
use crdt::genesis::{DocumentKind, Genesis, GenesisClass};
use crdt::ids::{ActorId, ChangeHash, DocumentId, FederationId, GenesisNonce, Town, UnixMillis};
use crdt::inventory::Holding;
use crdt::seal::{ALGORITHM, FEATURE_LEVEL, Seal, SealedChange};
use redb::backends::InMemoryBackend;

use super::*;

/// A disk that is full while the switch is on.
#[derive(Debug)]
pub(crate) struct FullDisk {
    disk: InMemoryBackend,
    full: Arc<AtomicBool>,
}

impl FullDisk {
    pub(crate) fn new() -> (Self, Arc<AtomicBool>) {
        let full = Arc::new(AtomicBool::new(false));
        (Self { disk: InMemoryBackend::new(), full: Arc::clone(&full) }, full)
    }

    fn room(&self) -> Result<(), io::Error> {
        if self.full.load(Ordering::SeqCst) { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl redb::StorageBackend for FullDisk {
    fn len(&self) -> Result<u64, io::Error> {
        self.disk.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        self.disk.read(offset, out)
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        self.room().and_then(|()| self.disk.set_len(len))
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        self.room().and_then(|()| self.disk.sync_data())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        self.room().and_then(|()| self.disk.write(offset, data))
    }
}

fn change(bytes: usize, change: u8) -> SealedChange {
    let seal = Seal {
        feature_level: FEATURE_LEVEL,
        algorithm: ALGORITHM,
        federation: FederationId([1; 32]),
        document: DocumentId([2; 32]),
        epoch: 1,
        actor: ActorId([3; 16]),
        seq: 1,
        change: ChangeHash([change; 32]),
        previous: Default::default(),
        boot: Default::default(),
        certificate: Default::default(),
        charter_version: 1,
        pseudonym: Default::default(),
        time: UnixMillis(0),
        signature: [0; 64],
    };
    SealedChange { seal, operations: vec![7; bytes] }
}

fn set_aside(author: &str, one: SealedChange) -> QuarantinedChange {
    QuarantinedChange {
        author: Town::parse(author).unwrap(),
        carrier: None,
        code: "bad-structure".into(),
        at: UnixMillis(5),
        change: one,
    }
}

#[test]
fn one_town_cannot_fill_the_quarantine_of_another() {
    let store = ReplicaStore::in_memory();
    let mut write = store.write().unwrap();
    let kept = (0..20).filter(|n| write.quarantine(&set_aside("05974040", change(100_000, *n))).unwrap());
    assert_eq!(kept.count(), 10, "ten of 100 KB fit into 1 MiB");
    assert!(!write.quarantine(&set_aside("05974040", change(100_000, 3))).unwrap(), "kept already");
    assert!(write.quarantine(&set_aside("05966024", change(100_000, 0))).unwrap());
    write.commit().unwrap();
    let snapshot = store.read().unwrap();
    let (changes, bytes, _) = snapshot.quarantine_counts().unwrap();
    assert_eq!(changes, 11);
    assert!(bytes < 1_200_000, "{bytes}");
    let olpe = snapshot.quarantine(Some(&Town::parse("05966024").unwrap())).unwrap();
    assert_eq!(olpe, [set_aside("05966024", change(100_000, 0))]);
    let mut write = store.write().unwrap();
    write.release_quarantine(&DocumentId([2; 32])).unwrap();
    write.commit().unwrap();
    assert_eq!(store.read().unwrap().quarantine_counts().unwrap().0, 0);
}

#[test]
fn only_one_proof_of_an_equivocation_is_kept() {
    let store = ReplicaStore::in_memory();
    let mut write = store.write().unwrap();
    for n in 0..5 {
        write.put_evidence(&change(10, n)).unwrap();
    }
    write.commit().unwrap();
    assert_eq!(store.read().unwrap().evidence(None).unwrap(), [change(10, 0)]);
}

#[test]
fn epoch_records_come_back_as_they_were_signed() {
    let key = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
    let record = |epoch| {
        let record = EpochRecord {
            format: crdt::encoding::FormatOne,
            federation: FederationId([1; 32]),
            document: DocumentId([2; 32]),
            epoch,
            audience: crdt::audience::Audience::Open,
            state: EpochState::Erased,
            reason: EpochReason::Withdrawal,
            previous: crdt::ids::EpochHash([4; 32]),
            first_change: None,
            certificate: Default::default(),
            time: UnixMillis(0),
        };
        crdt::signed::Signed::new(record, &key)
    };
    let store = ReplicaStore::in_memory();
    let mut write = store.write().unwrap();
    write.put_epoch(&record(3)).unwrap();
    write.put_epoch(&record(2)).unwrap();
    write.commit().unwrap();
    let held = store.read().unwrap().epoch_records(&DocumentId([2; 32])).unwrap();
    assert_eq!(held, [record(2), record(3)]);
    assert!(store.read().unwrap().epoch_records(&DocumentId([5; 32])).unwrap().is_empty());
}

#[test]
fn what_is_not_committed_never_was() {
    let store = ReplicaStore::in_memory();
    let mut write = store.write().unwrap();
    write.put_evidence(&change(10, 0)).unwrap();
    drop(write);
    assert!(store.read().unwrap().evidence(None).unwrap().is_empty());
}

#[test]
fn a_full_disk_is_said_and_changes_nothing() {
    let (disk, full) = FullDisk::new();
    let store = ReplicaStore::over(disk);
    full.store(true, Ordering::SeqCst);
    let mut write = store.write().unwrap();
    let error = write.put_evidence(&change(200_000, 0)).and_then(|()| write.commit()).unwrap_err();
    assert!(matches!(error, WriteError::DiskFull { .. }), "{error}");
    assert!(error.to_string().contains("no space left"), "{error}");
    assert!(store.read().unwrap().evidence(None).unwrap().is_empty());
}

#[test]
fn a_file_of_a_newer_release_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    drop(ReplicaStore::open(directory.path(), StoreSettings::default()).unwrap());
    let path = directory.path().join(REPLICA_FILE);
    let meta: redb::TableDefinition<'static, &'static str, &'static [u8]> =
        redb::TableDefinition::new("meta");
    let file = redb::Database::open(&path).unwrap();
    let write = file.begin_write().unwrap();
    write.open_table(meta).unwrap().insert("format", 2u32.to_be_bytes().as_slice()).unwrap();
    write.commit().unwrap();
    drop(file);
    let error = ReplicaStore::open(directory.path(), StoreSettings::default()).unwrap_err();
    assert!(matches!(error, OpenStoreError::NewerFormat { found: 2, known: 1, .. }), "{error}");
    assert!(error.to_string().contains("newer one"), "{error}");
}

/// A document without content of one of two towns, as of a commit.
fn dataset(number: u8, town: &str, position: u64) -> (DocumentId, DocumentRow) {
    let genesis = Genesis {
        federation: FederationId([1; 32]),
        kind: DocumentKind::Dataset,
        owner: Town::parse(town).unwrap(),
        class: GenesisClass::Open,
        nonce: GenesisNonce([number; 16]),
    };
    let row = DocumentRow {
        genesis,
        holding: Holding::live(1, Frontier::default()),
        position,
        dataset: None,
        replaced: false,
    };
    (DocumentId([number; 32]), row)
}

#[test]
fn datasets_are_told_anew_some_at_a_time_over_restarts_and_only_those_that_are_meant() {
    let (soest, olpe) = ("05974040", "05966024");
    let directory = tempfile::tempdir().unwrap();
    let store = ReplicaStore::open(directory.path(), StoreSettings::default()).unwrap();
    let mut write = store.write().unwrap();
    write.set_federation(FederationId([1; 32])).unwrap();
    // The fifth has changed since, the sixth is of another town, the seventh is not wanted.
    let rows =
        [(soest, 1), (soest, 1), (soest, 2), (soest, 2), (soest, 10), (olpe, 1), (soest, 3), (soest, 3)];
    for (number, (town, position)) in (1u8..).zip(rows) {
        let (id, row) = dataset(number, town, position);
        write.put_document(&id, &row).unwrap();
    }
    write.begin_retelling(Town::parse(soest).unwrap(), 9).unwrap();
    write.set_position(10).unwrap();
    write.commit().unwrap();
    let mut store = store;
    let mut moved = Vec::new();
    for position in 11.. {
        drop(store);
        store = ReplicaStore::open(directory.path(), StoreSettings::default()).unwrap();
        let before = store.read().unwrap();
        if !before.retells().unwrap() {
            break;
        }
        let mut write = store.write().unwrap();
        let retold = write.retell(&before, position, 3, |row| row.genesis.nonce.0[0] != 7).unwrap();
        write.set_position(position).unwrap();
        write.commit().unwrap();
        assert_eq!(retold.more, store.read().unwrap().retells().unwrap());
        moved.push(retold.moved);
    }
    assert_eq!(moved, [3, 1, 1]);
    let after = store.read().unwrap();
    let positions =
        (1..=8).map(|number| after.document(&DocumentId([number; 32])).unwrap().unwrap().position);
    assert_eq!(positions.collect::<Vec<_>>(), [11, 11, 11, 12, 10, 1, 3, 13]);
    let log = after.changed_after(0, 100).unwrap();
    let log: Vec<(u64, u8)> = log.into_iter().map(|(position, id)| (position, id.0[0])).collect();
    assert_eq!(log, [(1, 6), (3, 7), (10, 5), (11, 1), (11, 2), (11, 3), (12, 4), (13, 8)]);
}
