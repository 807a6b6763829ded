//! The writer when the disk fills, and the end of a withdrawn document.

use std::sync::atomic::Ordering;

use crdt::audience::Audience;
use crdt::authority::{Authority, Standing};
use crdt::catalog::{Class, DatasetEdit, LifecycleStatus, LocalRecord, RecordEdit};
use crdt::charter::CharterChain;
use crdt::epoch::{EpochReason, EpochRecord, EpochState};
use crdt::genesis::{DocumentKind, Genesis, GenesisClass};
use crdt::ids::{BootNonce, Town, UnixMillis};
use crdt::sealed_document::{SealedDocument, Signer};
use crdt::signed::{Signed, public_key};
use crdt::sync::{DocumentChanges, Want};
use ed25519_dalek::SigningKey;

use crate::demo::{DemoTown, synthetic_record};
use crate::directory::MemberFile;
use crate::founding;
use crate::handle::{EditError, LogEntry, LogStart, NodeHandle, OpenOptions, Place, PublishError, Scope};
use crate::store::tests::FullDisk;
use crate::store::{ClosedStore, ReplicaStore};
use crate::view::{Reader, SignatureVerdict};

struct TestTown {
    member: MemberFile,
    identity: SigningKey,
    node_key: SigningKey,
}

fn town(key: &str, code: &str, seed: u8) -> TestTown {
    let [identity, node_key, transport] =
        [seed, seed + 1, seed + 2].map(|seed| SigningKey::from_bytes(&[seed; 32]));
    let member = MemberFile {
        format: 1,
        town: Town::parse(key).unwrap(),
        code: code.into(),
        name: code.into(),
        identity_key: public_key(&identity),
        node_key: public_key(&node_key),
        transport_key: public_key(&transport),
        addresses: Vec::new(),
    };
    TestTown { member, identity, node_key }
}

fn federation(towns: &[&TestTown]) -> Authority {
    let members: Vec<MemberFile> = towns.iter().map(|town| town.member.clone()).collect();
    let mut charter = founding::found("Probe", &members, [3; 16], UnixMillis(0)).unwrap();
    for town in towns {
        founding::sign(&mut charter, &town.identity).unwrap();
    }
    let federation = charter.id().as_federation();
    let mut authority = Authority::new(CharterChain::found(charter, &federation).unwrap());
    for town in towns {
        let certificate = founding::certificate(&town.member, federation, &town.identity);
        authority.admit_certificate(certificate).unwrap();
    }
    authority
}

fn open(town: &TestTown, authority: &Authority, replica: ReplicaStore) -> NodeHandle {
    let stores = (replica, ClosedStore::in_memory());
    let (member, key) = (town.member.clone(), town.node_key.clone());
    let handle =
        NodeHandle::over(stores, member, key, Some(authority.clone()), OpenOptions::default()).unwrap();
    handle.allow_publishing(true);
    handle
}

fn record(index: u64) -> LocalRecord {
    let town = DemoTown {
        town: Town::parse("05974040").unwrap(),
        code: "soest".into(),
        name: "Soest".into(),
        base_url: "https://daten.soest.example".into(),
        mailbox: "opendata@soest.example".into(),
    };
    let mut record = synthetic_record(2, &town, index);
    (record.dataset.class, record.dataset.status) = (Class::Closed, LifecycleStatus::Draft);
    record
}

#[tokio::test]
async fn when_the_disk_is_full_every_job_of_the_commit_fails_and_memory_agrees() {
    let soest = town("05974040", "soest", 10);
    let authority = federation(&[&soest]);
    let (disk, full) = FullDisk::new();
    let handle = open(&soest, &authority, ReplicaStore::over(disk));
    let id = handle.create_record(record(0)).await.unwrap().id;
    let other = handle.create_record(record(1)).await.unwrap().id;
    handle.publish(id).await.unwrap();
    let before = (handle.digest(&Audience::Open).unwrap(), handle.public_status());

    full.store(true, Ordering::SeqCst);
    let edit = RecordEdit::parse(&serde_json::json!({"title": {"de": "Verloren"}})).unwrap();
    let (edited, published) = tokio::join!(handle.edit(id, edit, None), handle.publish(other));
    assert!(matches!(&edited, Err(EditError::Write(text)) if text.contains("no space left")), "{edited:?}");
    assert!(matches!(published, Err(PublishError::Write(_))), "{published:?}");
    assert_eq!((handle.digest(&Audience::Open).unwrap(), handle.public_status()), before);
    let shown = handle.dataset(Reader::Public, id).unwrap().unwrap();
    assert_ne!(shown.dataset.title.de.unwrap().as_str(), "Verloren");
    assert_eq!(handle.dataset(Reader::Staff, other).unwrap().unwrap().class, Class::Closed);
}

#[tokio::test]
async fn a_withdrawn_document_leaves_a_stub_and_does_not_come_back() {
    let (soest, olpe) = (town("05974040", "soest", 10), town("05966024", "olpe", 20));
    let authority = federation(&[&soest, &olpe]);
    let (at_soest, at_olpe) = (
        open(&soest, &authority, ReplicaStore::in_memory()),
        open(&olpe, &authority, ReplicaStore::in_memory()),
    );
    let id = at_soest.create_record(record(0)).await.unwrap().id;
    at_soest.publish(id).await.unwrap();
    let held = at_soest.committed_documents().unwrap().remove(0);
    let want = Want { document: held.document, epoch: 0, frontier: Default::default() };
    let live = at_soest.load(std::slice::from_ref(&want)).unwrap();
    let from = soest.member.town;
    assert_eq!(at_olpe.ledger().admit(from, live.clone()).await.unwrap()[0].1, Ok(()));
    assert!(at_olpe.dataset(Reader::Public, id).unwrap().is_some());

    let certificate = authority
        .certificates()
        .find(|one| {
            one.value().town == from
                && authority.standing(&one.id(), &Audience::Open.hash()) == Standing::Unrevoked
        })
        .unwrap()
        .id();
    let erasure = EpochRecord {
        format: crdt::encoding::FormatOne,
        federation: authority.federation(),
        document: held.document,
        epoch: 2,
        audience: Audience::Open,
        state: EpochState::Erased,
        reason: EpochReason::Withdrawal,
        previous: Default::default(),
        first_change: None,
        certificate,
        time: UnixMillis(0),
    };
    let erased = DocumentChanges {
        genesis: live[0].genesis,
        record: Some(Signed::new(erasure, &soest.node_key)),
        changes: Vec::new(),
        more: false,
    };
    let mut forged = erased.clone();
    forged.record = forged.record.map(|record| Signed::new(record.value().clone(), &olpe.node_key));
    let refused = at_olpe.ledger().admit(from, vec![forged]).await.unwrap().remove(0).1.unwrap_err();
    assert_eq!(refused.code.as_str(), "bad-signature");
    assert_eq!(at_olpe.ledger().admit(from, vec![erased.clone()]).await.unwrap()[0].1, Ok(()));

    assert_eq!(at_olpe.dataset(Reader::Staff, id).unwrap(), None);
    let status = at_olpe.status();
    assert_eq!((status.store.changes, status.store.datasets, status.newest_change), (0, 0, None));
    let stub = at_olpe.committed_documents().unwrap();
    assert!(stub[0].holding.is_erased());
    assert!(at_olpe.load(&[want]).unwrap()[0].changes.is_empty());
    let receipts = at_olpe.receipts(&held.document).unwrap();
    assert_eq!(receipts[0].value().witness, olpe.member.town);
    assert!(authority.node_signature(&receipts[0], &receipts[0].value().certificate).is_ok());

    // Those who follow the log are told, by the id alone.
    let log = at_olpe.log_after(Scope::Federation, 0, 10).unwrap();
    assert!(log.complete && log.entries.len() == 1, "{log:?}");
    assert_eq!((log.entries[0].id, &log.entries[0].dataset), (id, &None));
    assert_eq!(at_olpe.open_datasets(Scope::Federation, None, 10).unwrap(), []);
    let by_id = at_olpe.log_by_id(Scope::Town(soest.member.town), None, 10, |_| true).unwrap();
    assert_eq!((by_id.entries, by_id.more), (log.entries.clone(), false));
    assert_eq!(at_olpe.log_of(id).unwrap().as_ref(), log.entries.first());
    assert_eq!(at_olpe.log_count(Scope::Federation, None, None).unwrap(), 1);

    // An old node brings the old copy: it stays gone.
    let again = at_olpe.ledger().admit(from, live).await.unwrap().remove(0).1.unwrap_err();
    assert_eq!(again.code.as_str(), "wrong-epoch");
    assert_eq!(at_olpe.ledger().admit(from, vec![erased]).await.unwrap()[0].1, Ok(()));
    assert_eq!(at_olpe.status().store.changes, 0);
}

#[tokio::test]
async fn a_walk_by_id_and_a_log_by_commit_tell_every_open_dataset_once() {
    let soest = town("05974040", "soest", 10);
    let authority = federation(&[&soest]);
    let handle = open(&soest, &authority, ReplicaStore::in_memory());
    let mut ids = Vec::new();
    for index in 0..7 {
        let id = handle.create_record(record(index)).await.unwrap().id;
        if index != 3 {
            handle.publish(id).await.unwrap();
            ids.push(id);
        }
    }
    let first = handle.log_after(Scope::Federation, 0, 4).unwrap();
    let edit = RecordEdit::parse(&serde_json::json!({"title": {"de": "Neu"}})).unwrap();
    handle.edit(ids[0], edit, None).await.unwrap();

    let mut walked = Vec::new();
    let mut after = None;
    loop {
        let page = handle.open_datasets(Scope::Town(soest.member.town), after, 2).unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.dataset.id);
        walked.extend(page.iter().map(|one| one.dataset.id));
    }
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    assert_eq!(walked, sorted);
    assert_eq!(handle.open_count(Scope::Federation), 6);
    assert_eq!(handle.open_datasets(Scope::Town(Town::parse("05966024").unwrap()), None, 9).unwrap(), []);

    // What was told first and edited since is told again, at its new place.
    assert!(!first.complete && first.entries[0].id == ids[0]);
    let rest = handle.log_after(Scope::Federation, first.reached, 100).unwrap();
    assert!(rest.complete && rest.reached == handle.log_position().unwrap());
    let told: Vec<_> = first.entries[1..].iter().chain(&rest.entries).map(|entry| entry.id).collect();
    assert_eq!(told, [&ids[1..], &ids[..1]].concat());
    let last = rest.entries.last().unwrap().dataset.as_ref().unwrap();
    assert_eq!((last.dataset.title.de.as_ref().unwrap().as_str(), last.changes), ("Neu", 2));
    assert!(rest.entries.iter().is_sorted_by_key(|entry| (entry.position, entry.at)));
}

#[tokio::test]
async fn the_log_is_read_in_pieces_of_any_size_from_any_place_in_both_directions() {
    let soest = town("05974040", "soest", 10);
    let authority = federation(&[&soest]);
    let handle = open(&soest, &authority, ReplicaStore::in_memory());
    // Several records share a commit, as when a newcomer fetches a catalog.
    let mut published = Vec::new();
    for index in 0..9 {
        published.push(handle.create_record(record(index)).await.unwrap().id);
    }
    let all = published.iter().map(|id| handle.publish(*id));
    for receipt in futures::future::join_all(all).await {
        receipt.unwrap();
    }
    let everything = |_: &LogEntry| true;
    let whole =
        handle.log_from(Scope::Federation, LogStart::Beginning, None, 100, everything).unwrap().entries;
    assert_eq!(whole.len(), 9);
    assert!(whole.is_sorted_by_key(LogEntry::place));
    assert_eq!(handle.log_count(Scope::Federation, None, None).unwrap(), 9);
    assert_eq!(handle.log_begin().unwrap(), Some(whole[0].at));

    for size in 1..=10 {
        let (mut forward, mut start) = (Vec::new(), LogStart::Beginning);
        let (mut backward, mut before) = (Vec::new(), None);
        let (mut by_id, mut after) = (Vec::new(), None);
        loop {
            let slice = handle.log_from(Scope::Federation, start, None, size, everything).unwrap();
            assert!(slice.entries.len() == size || !slice.more);
            start = LogStart::After(slice.entries.last().unwrap().place());
            let newest = handle.log_newest(Scope::Federation, before, size).unwrap();
            before = newest.entries.last().map(LogEntry::place);
            let ids = handle.log_by_id(Scope::Federation, after, size, everything).unwrap();
            after = ids.entries.last().map(|entry| entry.id);
            assert_eq!((slice.more, slice.more), (newest.more, ids.more));
            forward.extend(slice.entries);
            backward.extend(newest.entries);
            by_id.extend(ids.entries);
            if !slice.more {
                break;
            }
        }
        backward.reverse();
        assert_eq!((&forward, &backward), (&whole, &whole), "in pieces of {size}");
        by_id.sort_by_key(LogEntry::place);
        assert_eq!(by_id, whole);
    }

    let from = |start, end| {
        let slice = handle.log_from(Scope::Federation, start, end, 100, everything).unwrap();
        slice.entries.iter().map(|entry| entry.id).collect::<Vec<_>>()
    };
    let ids = |keep: &dyn Fn(&LogEntry) -> bool| {
        whole.iter().filter(|entry| keep(entry)).map(|entry| entry.id).collect::<Vec<_>>()
    };
    for entry in &whole {
        let (at, next) = (entry.at, UnixMillis(entry.at.0 + 1));
        assert_eq!(from(LogStart::At(at), None), ids(&|one| one.at >= at));
        assert_eq!(from(LogStart::Beginning, Some(at)), ids(&|one| one.at < at));
        assert_eq!(from(LogStart::At(at), Some(next)), ids(&|one| one.at == at));
        let count = handle.log_count(Scope::Federation, Some(at), Some(next)).unwrap();
        assert_eq!(count as usize, ids(&|one| one.at == at).len());
        // A place from before an older backup was restored: what came later by the clock.
        let lost = Place { position: entry.position + 1_000, ..entry.place() };
        assert_eq!(from(LogStart::After(lost), None), ids(&|one| one.at > at));
        assert_eq!(entry.place().to_string().parse(), Ok(entry.place()));
    }
    assert_eq!(handle.log_of(whole[3].id).unwrap().as_ref(), Some(&whole[3]));
    for wrong in ["", "1-2", "01-2-6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10", "-1-2-x", "1-2-ö"] {
        assert!(wrong.parse::<Place>().is_err(), "{wrong}");
    }
}

/// A document of `town` with one change for each title, sealed outside the node.
fn sealed(town: &TestTown, authority: &Authority, titles: &[&str]) -> SealedDocument {
    let mut dataset = record(7).dataset;
    let genesis = Genesis {
        federation: authority.federation(),
        kind: DocumentKind::Dataset,
        owner: town.member.town,
        class: GenesisClass::Open,
        nonce: Default::default(),
    };
    let certificate = authority.certificates().find(|one| one.value().town == town.member.town).unwrap();
    let signer = Signer {
        federation: authority.federation(),
        key: town.node_key.clone(),
        certificate: certificate.id(),
        charter_version: 1,
        boot: BootNonce([5; 16]),
    };
    let mut document = SealedDocument::begin(genesis, None);
    for title in titles {
        dataset.title.de = Some(title.parse().unwrap());
        let edit = DatasetEdit::between(&document.document().read_dataset().dataset, &dataset);
        let author = document.author(&signer, Default::default(), UnixMillis(1), |document, actor| {
            document.edit_dataset(actor, &edit)
        });
        assert!(author.unwrap().is_some());
    }
    document
}

fn offered(document: &SealedDocument, changes: usize) -> Vec<DocumentChanges> {
    let changes = document.changes()[..changes].to_vec();
    vec![DocumentChanges { genesis: *document.genesis(), record: None, changes, more: false }]
}

#[tokio::test]
async fn two_changes_under_one_number_are_shown_and_the_first_stays() {
    let (soest, olpe) = (town("05974040", "soest", 10), town("05966024", "olpe", 20));
    let authority = federation(&[&soest, &olpe]);
    let at_olpe = open(&olpe, &authority, ReplicaStore::in_memory());
    let (one, other) = (sealed(&soest, &authority, &["Eins"]), sealed(&soest, &authority, &["Zwei"]));
    let from = soest.member.town;
    assert_eq!(at_olpe.ledger().admit(from, offered(&one, 1)).await.unwrap()[0].1, Ok(()));
    let id = record(7).dataset.id;
    let before = at_olpe.dataset(Reader::Public, id).unwrap().unwrap();
    assert_eq!(before.verdict, SignatureVerdict::Verified);

    let refused = at_olpe.ledger().admit(from, offered(&other, 1)).await.unwrap().remove(0).1.unwrap_err();
    assert_eq!(refused.code.as_str(), "equivocation");
    let after = at_olpe.dataset(Reader::Public, id).unwrap().unwrap();
    assert_eq!(after.verdict, SignatureVerdict::Equivocation);
    assert_eq!((after.dataset, after.heads), (before.dataset, before.heads));
    assert_eq!(at_olpe.status().quarantine.equivocations, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peers_that_bring_parts_of_one_document_at_once_do_not_disturb_each_other() {
    let (soest, olpe) = (town("05974040", "soest", 10), town("05966024", "olpe", 20));
    let authority = federation(&[&soest, &olpe]);
    let document = sealed(&soest, &authority, &["Eins", "Zwei", "Drei", "Vier"]);
    let from = soest.member.town;
    for _ in 0..10 {
        let at_olpe = open(&olpe, &authority, ReplicaStore::in_memory());
        let ledger = at_olpe.ledger();
        let (one, two, three) = tokio::join!(
            ledger.admit(from, offered(&document, 1)),
            ledger.admit(from, offered(&document, 4)),
            ledger.admit(from, offered(&document, 2)),
        );
        for outcome in [one, two, three] {
            assert_eq!(outcome.unwrap()[0].1, Ok(()));
        }
        let held = at_olpe.committed_documents().unwrap();
        assert_eq!(held[0].holding, document.holding());
        let stored =
            at_olpe.load(&[Want { document: document.id(), epoch: 0, frontier: Default::default() }]);
        assert_eq!(stored.unwrap()[0].changes, document.changes());
        let detail = at_olpe.dataset(Reader::Public, record(7).dataset.id).unwrap().unwrap();
        assert_eq!(detail.dataset.title.de.unwrap().as_str(), "Vier");
    }
}
