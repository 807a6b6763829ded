//! The chain of an actor, and how much an epoch may hold.

use crdt::{
    gate::Code,
    ids::{ChangeHash, SealHash},
    operations::{Action, Operation, Operations, Scalar},
    seal::{Seal, SealedChange},
    sealed_document::{AuthorError, EPOCH_ACTORS_MAX, EPOCH_CHANGES_MAX, SealedDocument},
};
use serde_json::json;

use crate::{counting::peak_of, ground::Ground, league::*, sealing::*};

fn number(value: i64) -> Action {
    Action::Put(Scalar::Integer(value))
}

#[test]
fn i6_an_actors_changes_follow_each_other() {
    let mut ground = Ground::new();
    let honest = ground.sealed(vec![put(None, "neu", number(1))]);
    let with = |altered: Seal| SealedChange {
        seal: altered.sign(&ground.signer.key),
        operations: honest.operations.clone(),
    };
    let seal = &honest.seal;
    let cases = [
        ("a gap", with(Seal { seq: seal.seq + 1, ..seal.clone() }), Code::MissingDependency),
        ("number 0", with(Seal { seq: 0, ..seal.clone() }), Code::BrokenChain),
        ("the greatest number", with(Seal { seq: u64::MAX, ..seal.clone() }), Code::MissingDependency),
        ("no seal before", with(Seal { previous: SealHash::default(), ..seal.clone() }), Code::BrokenChain),
        (
            "another seal before",
            with(Seal { previous: SealHash([7; 32]), ..seal.clone() }),
            Code::BrokenChain,
        ),
        ("a number that is taken", with(Seal { seq: 1, ..seal.clone() }), Code::Equivocation),
    ];
    for (name, change, code) in cases {
        ground.refuses(name, code, change);
    }
    assert_eq!(admit(&ground.authority, &mut ground.document, honest.clone()), Ok(true));
    assert_eq!(admit(&ground.authority, &mut ground.document, honest), Ok(false), "again is no harm");
}

/// The disaster of a restored backup, were the actor not new at each start.
#[test]
fn i6_an_actor_that_is_used_again_is_found_out() {
    let mut ground = Ground::new();
    let mut backup = ground.document.clone();
    let lost = edit(&mut ground.document, &ground.signer, &json!({"title": "Vor dem Absturz"})).unwrap();
    let reused = edit(&mut backup, &ground.signer, &json!({"title": "Nach dem Absturz"})).unwrap();
    assert_eq!((lost.seal.actor, lost.seal.seq), (reused.seal.actor, reused.seal.seq));
    ground.refuses("an actor used again", Code::Equivocation, reused);
}

#[test]
fn i6_an_epoch_has_so_many_actors() {
    let authority = certified_authority();
    let mut document = SealedDocument::begin(genesis(ARNSBERG), None);
    let run = |number: usize| crdt::sealed_document::Signer {
        boot: crdt::ids::BootNonce((number as u128).to_be_bytes()),
        ..signer(ARNSBERG, 0)
    };
    let one = |document: &SealedDocument, actor: usize| {
        // All at the same time, so that nothing needs to be known of the others.
        let list = vec![put(None, &format!("feld-{actor}"), number(1))];
        seal(document, &run(actor), &Operations { dependencies: vec![], start_op: 1, list })
    };
    let audience = document.audience().hash();
    let changes = (0..EPOCH_ACTORS_MAX).map(|actor| {
        crdt::gate::verify(&authority, &genesis(ARNSBERG), 1, &audience, one(&document, actor)).unwrap()
    });
    let changes = changes.collect();
    assert!(document.admit(changes).refused.is_none());
    let before = document.document().save();
    let late = one(&document, EPOCH_ACTORS_MAX);
    let rejection = admit(&authority, &mut document, late).unwrap_err();
    assert_eq!(rejection.code, Code::EpochFull);
    assert_eq!(document.document().save(), before);
    let outcome =
        document.author(&run(EPOCH_ACTORS_MAX), crdt::ids::Pseudonym([0; 16]), TIME, |_, _| Ok(None));
    assert!(matches!(outcome, Err(AuthorError::EpochFull)));
    restored(&document);
}

/// The costliest history that one run can write, up to the last change.
#[test]
fn i6_an_epoch_has_so_many_changes() {
    let authority = certified_authority();
    let mut document = SealedDocument::begin(genesis(ARNSBERG), None);
    let signer = signer(ARNSBERG, 1);
    let actor = signer.actor(&document.id(), 1);
    let (mut changes, mut previous) = (Vec::new(), SealHash::default());
    let mut last = Vec::<ChangeHash>::new();
    for seq in 1..=EPOCH_CHANGES_MAX as u64 + 1 {
        let predecessors = (seq > 1).then(|| crdt::operations::OpId { counter: seq - 1, actor });
        let operation = Operation {
            predecessors: predecessors.into_iter().collect(),
            ..put(None, "zahl", number(seq as i64))
        };
        let operations = Operations { dependencies: last, start_op: seq, list: vec![operation] };
        let hash = hash_of(&operations, &actor, seq);
        let seal = Seal { seq, previous, ..next_seal(&document, &signer, hash) }.sign(&signer.key);
        (previous, last) = (seal.hash(), vec![hash]);
        changes.push(SealedChange { seal, operations: operations.encode(&actor) });
    }
    let late = changes.pop().unwrap();
    let audience = document.audience().hash();
    let verified = changes
        .into_iter()
        .map(|change| crdt::gate::verify(&authority, &genesis(ARNSBERG), 1, &audience, change).unwrap());
    let verified = verified.collect();
    assert!(document.admit(verified).refused.is_none());
    assert_eq!(document.changes().len(), EPOCH_CHANGES_MAX);
    let before = document.document().save();
    assert_eq!(admit(&authority, &mut document, late).unwrap_err().code, Code::EpochFull);
    assert_eq!(document.document().save(), before);
    assert_eq!(document.document().read_dataset().extra["zahl"], EPOCH_CHANGES_MAX as u64);
}

/// The positive control of the memory bound: the largest change that is let in.
#[test]
fn i6_the_largest_change_is_within_the_bound() {
    let mut ground = Ground::new();
    let outer = (0..4).map(|number| put(None, &format!("karte-{number}"), Action::MakeMap));
    let inner = (0..4_092u64).map(|index| {
        let name = format!("{index:030}");
        put(Some(ground.own(index % 4)), &name, Action::Put(Scalar::Text("Ü".repeat(6))))
    });
    let list: Vec<Operation> = outer.chain(inner).collect();
    let change = ground.sealed(list);
    let size = change.operations.len();
    assert!((200_000..=262_144).contains(&size), "{size}");
    let (outcome, peak) = peak_of(|| admit(&ground.authority, &mut ground.document, change));
    assert_eq!(outcome, Ok(true));
    assert!(peak <= crate::JUDGING_BYTES_MAX, "{peak}");
    ground.goes_on("the largest change");
}
