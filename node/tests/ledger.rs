//! The writer and what readers see of it: create, edit, publish, group commit,
//! admission of another town's documents.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail as the test does")]

mod support;

use crdt::audience::Audience;
use crdt::catalog::{Class, NewDataset, RecordEdit};
use crdt::ids::DatasetId;
use node::handle::{EditError, NodeHandle, PublishError};
use node::view::{Reader, SearchQuery, SignatureVerdict};
use serde_json::json;
use support::{carry, found, open, publish, record};

fn edit(body: serde_json::Value) -> RecordEdit {
    RecordEdit::parse(&body).unwrap()
}

fn titles(handle: &NodeHandle, reader: Reader, text: &str) -> Vec<String> {
    handle.settle_search();
    let query = SearchQuery { text: text.into(), limit: 10, ..SearchQuery::default() };
    let page = handle.search(reader, &query).unwrap();
    page.items.iter().map(|hit| hit.title.de.as_ref().unwrap().as_str().to_owned()).collect()
}

#[tokio::test]
async fn a_closed_record_does_not_exist_for_the_public() {
    let root = tempfile::tempdir().unwrap();
    found(root.path());
    let (node, told) = open(&root.path().join("soest"));
    let handle = node.handle();
    let new = NewDataset::parse(&json!({"title": {"de": "Zwergenverzeichnis"}})).unwrap();
    let id = handle.create(new).await.unwrap().id;

    let staff = handle.dataset(Reader::Staff, id).unwrap().unwrap();
    assert_eq!((staff.class, staff.verdict), (Class::Closed, SignatureVerdict::Local));
    assert_eq!(handle.dataset(Reader::Public, id).unwrap(), None);
    assert_eq!(handle.history(Reader::Public, id).unwrap(), None);
    assert_eq!(handle.conflicts(Reader::Public, id).unwrap(), None);
    assert_eq!(handle.proof(Reader::Staff, id).unwrap(), None);
    assert_eq!(titles(handle, Reader::Staff, "Zwergenverzeichnis"), ["Zwergenverzeichnis"]);
    assert!(titles(handle, Reader::Public, "Zwergenverzeichnis").is_empty());
    let public = handle.public_status();
    assert_eq!((public.datasets, public.newest_change), (0, None));
    assert!(told.lock().unwrap().is_empty(), "no peer hears of a closed record");
}

#[tokio::test]
async fn a_published_record_is_public_and_keeps_its_notes_at_home() {
    let root = tempfile::tempdir().unwrap();
    found(root.path());
    let (node, told) = open(&root.path().join("soest"));
    let handle = node.handle();
    let mut record = record(0);
    record.internal.notes = Some("Kellerschlüssel bei der Poststelle".parse().unwrap());
    let id = handle.create_record(record.clone()).await.unwrap().id;
    let receipt = handle.publish(id).await.unwrap();

    let public = handle.dataset(Reader::Public, id).unwrap().unwrap();
    assert_eq!((public.class, public.verdict, public.changes), (Class::Open, SignatureVerdict::Verified, 1));
    assert_eq!((public.heads.clone(), public.internal.clone()), (receipt.heads, None));
    assert_eq!(public.dataset.title, record.dataset.title);
    let staff = handle.dataset(Reader::Staff, id).unwrap().unwrap();
    assert_eq!(staff.internal, Some(record.internal));
    let proof = handle.proof(Reader::Public, id).unwrap().unwrap();
    let poststelle = b"Kellerschl";
    assert!(!proof.windows(poststelle.len()).any(|part| part == poststelle));
    assert_eq!(handle.public_status().newest_change.unwrap().id, id);

    let told = told.lock().unwrap().clone();
    assert_eq!((told.len(), told[0].documents.len(), told[0].manifests.len()), (1, 1, 1));
    assert_eq!((told[0].manifests[0].value().documents, told[0].manifests[0].value().changes), (1, 1));
    assert!(matches!(handle.publish(id).await, Err(PublishError::AlreadyOpen(_))));
}

#[tokio::test]
async fn what_is_incomplete_is_not_published_and_says_what_is_missing() {
    let root = tempfile::tempdir().unwrap();
    found(root.path());
    let (node, _) = open(&root.path().join("soest"));
    let new = NewDataset::parse(&json!({"title": {"de": "Entwurf"}})).unwrap();
    let id = node.handle().create(new).await.unwrap().id;
    match node.handle().publish(id).await {
        Err(PublishError::Incomplete { obstacles, .. }) => {
            assert!(obstacles.iter().any(|obstacle| obstacle.field == "description"), "{obstacles:?}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(node.handle().dataset(Reader::Staff, id).unwrap().unwrap().class, Class::Closed);
    let unknown = DatasetId::from_random([9; 16]);
    assert!(matches!(node.handle().publish(unknown).await, Err(PublishError::NotFound(_))));
}

#[tokio::test]
async fn an_edit_changes_the_given_fields_and_detects_what_was_edited_meanwhile() {
    let root = tempfile::tempdir().unwrap();
    found(root.path());
    let (node, _) = open(&root.path().join("soest"));
    let handle = node.handle();
    let id = publish(handle, 0..1).await[0];
    let base = handle.dataset(Reader::Staff, id).unwrap().unwrap().heads;

    let changed =
        handle.edit(id, edit(json!({"title": {"de": "Neuer Titel"}})), Some(base.clone())).await.unwrap();
    assert!(changed.changed && changed.heads != base);
    // Another field, from the same old state: nothing is overwritten.
    handle.edit(id, edit(json!({"department": "Bauamt"})), Some(base.clone())).await.unwrap();
    match handle.edit(id, edit(json!({"title": {"de": "Anderer Titel"}})), Some(base)).await {
        Err(EditError::EditedMeanwhile { fields, .. }) => {
            assert_eq!(fields.iter().map(|field| field.path.as_str()).collect::<Vec<_>>(), ["title/de"]);
        }
        other => panic!("{other:?}"),
    }
    let detail = handle.dataset(Reader::Public, id).unwrap().unwrap();
    assert_eq!(detail.dataset.title.de.unwrap().as_str(), "Neuer Titel");
    assert_eq!(detail.changes, 3);
    let history = handle.history(Reader::Public, id).unwrap().unwrap();
    assert_eq!(history.len(), 3);
    assert!(history[0].fields.iter().any(|field| field.path == "department" && field.before != field.after));
    assert_eq!(titles(handle, Reader::Public, "\"Neuer Titel\""), ["Neuer Titel"]);

    let wrong = handle.edit(id, edit(json!({"licence": null, "description": null})), None).await;
    assert!(matches!(wrong, Err(EditError::Obstructed { .. })), "{wrong:?}");
    let same = handle.edit(id, edit(json!({"department": "Bauamt"})), None).await.unwrap();
    assert!(!same.changed);
    let heads = vec![crdt::ids::ChangeHash([1; 32])];
    let strange = handle.edit(id, edit(json!({"department": "X"})), Some(heads)).await;
    assert!(matches!(strange, Err(EditError::UnknownHeads { .. })));
}

#[tokio::test]
async fn open_datasets_wait_until_the_node_has_caught_up_and_closed_records_do_not() {
    let root = tempfile::tempdir().unwrap();
    found(root.path());
    let (node, _) = open(&root.path().join("soest"));
    let handle = node.handle();
    let id = publish(handle, 0..1).await[0];
    handle.allow_publishing(false);
    let refused = handle.edit(id, edit(json!({"department": "Bauamt"})), None).await;
    assert!(matches!(refused, Err(EditError::CatchingUp { .. })));
    let draft = handle.create_record(record(1)).await.unwrap().id;
    assert!(matches!(handle.publish(draft).await, Err(PublishError::CatchingUp { .. })));
    handle.edit(draft, edit(json!({"department": "Bauamt"})), None).await.unwrap();
    handle.edit(id, edit(json!({"internal": {"notes": "nur hier"}})), None).await.unwrap();
    handle.delete(draft).await.unwrap();
    assert_eq!(handle.dataset(Reader::Staff, draft).unwrap(), None);
    assert!(matches!(handle.delete(id).await, Err(EditError::NotEditable { .. })));
}

#[tokio::test]
async fn jobs_that_wait_share_a_commit_and_a_failed_one_harms_no_neighbour() {
    let root = tempfile::tempdir().unwrap();
    found(root.path());
    let (node, told) = open(&root.path().join("soest"));
    let handle = node.handle();
    let mut drafts = Vec::new();
    for index in 0..40 {
        drafts.push(handle.create_record(record(index)).await.unwrap().id);
    }
    let before = handle.status().store.position;
    let unknown = DatasetId::from_random([9; 16]);
    let jobs = drafts.iter().copied().chain([unknown]).map(|id| handle.publish(id));
    let mut results = futures::future::join_all(jobs).await;
    assert!(matches!(results.pop(), Some(Err(PublishError::NotFound(_)))));
    assert!(results.iter().all(Result::is_ok));
    let commits = handle.status().store.position - before;
    assert!((1..40).contains(&commits), "{commits} commits for 40 publications");
    let told = told.lock().unwrap();
    let documents: usize = told.iter().map(|committed| committed.documents.len()).sum();
    assert_eq!((documents, told.len() as u64), (40, commits));
    assert_eq!(told.last().unwrap().manifests[0].value().documents, 40);
}

#[tokio::test]
async fn another_town_s_documents_are_judged_stored_shown_and_not_edited() {
    let root = tempfile::tempdir().unwrap();
    found(root.path());
    let (soest, _) = open(&root.path().join("soest"));
    let (olpe, _) = open(&root.path().join("olpe"));
    let ids = publish(soest.handle(), 0..20).await;
    carry(soest.handle(), olpe.handle()).await;
    soest.handle().edit(ids[3], edit(json!({"title": {"de": "Nachgereicht"}})), None).await.unwrap();
    // Twice: what is held already changes nothing.
    carry(soest.handle(), olpe.handle()).await;
    carry(soest.handle(), olpe.handle()).await;

    let digest = |handle: &NodeHandle| handle.digest(&Audience::Open).unwrap();
    assert_eq!(digest(soest.handle()), digest(olpe.handle()));
    for id in &ids {
        let shown = |handle: &NodeHandle| handle.dataset(Reader::Public, *id).unwrap().unwrap();
        assert_eq!(shown(soest.handle()), shown(olpe.handle()));
    }
    assert_eq!(titles(olpe.handle(), Reader::Public, "Nachgereicht"), ["Nachgereicht"]);
    assert_eq!(olpe.handle().public_status().datasets, 20);
    let refused = olpe.handle().edit(ids[0], edit(json!({"department": "X"})), None).await;
    assert!(matches!(refused, Err(EditError::NotOwn { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_change_that_its_author_garbled_is_quarantined_and_the_document_stays() {
    let root = tempfile::tempdir().unwrap();
    found(root.path());
    let (soest, _) = open(&root.path().join("soest"));
    let (olpe, told) = open(&root.path().join("olpe"));
    publish(soest.handle(), 0..1).await;
    let held = soest.handle().committed_documents().unwrap();
    let want = crdt::sync::Want { document: held[0].document, epoch: 0, frontier: Default::default() };
    let mut documents = soest.handle().load(&[want]).unwrap();
    documents[0].changes[0].operations.push(0);
    let town = soest.handle().town().town;
    let outcomes = olpe.handle().ledger().admit(town, documents).await.unwrap();
    let rejection = outcomes[0].1.clone().unwrap_err();
    assert_eq!(rejection.code.as_str(), "malformed-operations");
    let status = olpe.handle().status();
    assert_eq!((status.quarantine.changes, status.store.documents), (1, 0));
    assert!(told.lock().unwrap().is_empty());
    carry(soest.handle(), olpe.handle()).await;
    assert_eq!(olpe.handle().public_status().datasets, 1);
}
