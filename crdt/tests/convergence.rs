//! I1, convergence, as a property: whatever is edited, whoever holds what in
//! whatever order, twice or in part, with restarts in between — when all hold
//! the same sealed changes, all show the same.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod league;
mod sealing;

use crdt::{
    authority::Authority,
    document::{EditError, LocalChange},
    gate::Code,
    operations::{Action, Key, OpId, Operation, Operations, Scalar},
    seal::SealedChange,
    sealed_document::{AuthorError, SealedDocument},
};
use league::*;
use proptest::prelude::*;
use sealing::*;
use serde_json::{Value, json};

/// Nodes that hold a copy. All write: a town may run more than one node, and a
/// restored backup is one more run.
const REPLICAS: usize = 3;

#[derive(Debug, Clone)]
enum Step {
    /// A person edits at a replica.
    Edit(usize, Value),
    /// A newer version writes what this one does not know.
    Unknown(usize, i64),
    /// Some changes of one replica reach another, in any order, some twice.
    Deliver { from: usize, to: usize, picks: Vec<prop::sample::Index> },
    /// A replica restarts: a new actor, and the document from its changes.
    Restart(usize),
}

fn body() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec!["Baum", "Straße", "Haushalt", "Wasser", "Müll"]);
    (0..7, word, 0..50u32).prop_map(|(field, word, number)| match field {
        0 => json!({ "title": format!("{word} {number}") }),
        1 => json!({ "title": { "en": format!("{word} in English {number}") } }),
        2 => json!({ "description": null, "department": format!("Amt {number}") }),
        3 => json!({ "keywords": { "de": { "add": [word] } } }),
        4 => json!({ "keywords": { "de": { "remove": [word] } } }),
        5 => json!({ "distributions": { "csv": { "title": word, "access_url": format!("https://daten.example/{number}") } } }),
        _ => json!({ "distributions": { "csv": null } }),
    })
}

fn step() -> impl Strategy<Value = Step> {
    let replica = || 0..REPLICAS;
    prop_oneof![
        5 => (replica(), body()).prop_map(|(at, body)| Step::Edit(at, body)),
        1 => (replica(), any::<i64>()).prop_map(|(at, value)| Step::Unknown(at, value)),
        4 => (replica(), replica(), prop::collection::vec(any::<prop::sample::Index>(), 0..8))
            .prop_map(|(from, to, picks)| Step::Deliver { from, to, picks }),
        1 => replica().prop_map(Step::Restart),
    ]
}

struct Replica {
    document: SealedDocument,
    boot: u8,
}

struct World {
    authority: Authority,
    replicas: Vec<Replica>,
    boots: u8,
}

impl World {
    fn new() -> Self {
        let document = SealedDocument::begin(genesis(ARNSBERG), None);
        let mut first = document.clone();
        edit(&mut first, &signer(ARNSBERG, 100), &json!({ "title": "Anfang" })).unwrap();
        let replica = |boot| Replica { document: first.clone(), boot };
        let replicas = (0..REPLICAS as u8).map(replica).collect();
        Self { authority: certified_authority(), replicas, boots: REPLICAS as u8 }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Edit(at, body) => {
                let replica = &mut self.replicas[at];
                let outcome = try_edit(&mut replica.document, &signer(ARNSBERG, replica.boot), &body);
                // The record that came of others' edits may not take this one.
                assert!(
                    matches!(outcome, Ok(_) | Err(AuthorError::Edit(EditError::Invalid(_)))),
                    "{outcome:?}"
                );
            }
            Step::Unknown(at, value) => {
                let replica = &mut self.replicas[at];
                let change = unknown(&replica.document, replica.boot, value);
                assert_eq!(admit(&self.authority, &mut replica.document, change), Ok(true));
            }
            Step::Deliver { from, to, picks } => {
                let changes = self.replicas[from].document.changes().to_vec();
                for pick in picks {
                    self.deliver(to, pick.get(&changes).clone());
                }
            }
            Step::Restart(at) => {
                self.boots += 1;
                let document = restored(&self.replicas[at].document);
                self.replicas[at] = Replica { document, boot: self.boots };
            }
        }
    }

    /// A change that comes too early is refused and leaves nothing.
    fn deliver(&mut self, to: usize, change: SealedChange) {
        let document = &mut self.replicas[to].document;
        let before = document.document().heads();
        if let Err(rejection) = admit(&self.authority, document, change) {
            assert_eq!(rejection.code, Code::MissingDependency, "{rejection}");
            assert_eq!(document.document().heads(), before);
        }
    }

    /// In the end everybody is told everything, backwards and again and again.
    fn exchange(&mut self) {
        for _ in 0..REPLICAS {
            for from in 0..REPLICAS {
                let changes = self.replicas[from].document.changes().to_vec();
                for to in (0..REPLICAS).filter(|to| *to != from) {
                    changes.iter().rev().take(3).for_each(|change| self.deliver(to, change.clone()));
                    changes.iter().for_each(|change| self.deliver(to, change.clone()));
                }
            }
        }
    }
}

/// A change by a version that knows more fields: here and in a map of ours.
fn unknown(document: &SealedDocument, boot: u8, value: i64) -> SealedChange {
    let signer = signer(ARNSBERG, boot);
    let (dependencies, start_op) = ground(document);
    let id = |index| OpId { counter: start_op + index, actor: signer.actor(&document.id(), 1) };
    let field = format!("kuenftig-{start_op}-{boot}");
    let number = || Action::Put(Scalar::Integer(value));
    let list = vec![
        put(None, &field, Action::MakeMap),
        put(Some(id(0)), "liste", Action::MakeList),
        insert(id(1), Key::Head, number()),
        insert(id(1), Key::Element(id(2)), Action::Put(Scalar::Bytes(vec![1, 2, 3]))),
        put(Some(id(0)), "nichts", Action::Put(Scalar::Null)),
    ];
    seal(document, &signer, &Operations { dependencies, start_op, list })
}

/// I1: a change is its operations, and back.
fn assert_rebuilt(change: &SealedChange) {
    let operations = operations(change);
    assert_eq!(operations.encode(&change.seal.actor), change.operations);
    let rebuilt = LocalChange::rebuild(&operations, &change.seal.actor, change.seal.seq);
    assert_eq!(rebuilt.hash(), change.seal.change);
    assert_eq!(rebuilt.explain(), Ok(operations));
    assert_eq!(SealedChange::from_bytes(&change.to_bytes()).as_ref(), Ok(change));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn i1_replicas_that_hold_the_same_show_the_same(steps in prop::collection::vec(step(), 1..30)) {
        let mut world = World::new();
        steps.into_iter().for_each(|step| world.take(step));
        world.exchange();
        let [first, others @ ..] = world.replicas.as_slice() else { unreachable!("there are three") };
        let content = first.document.document().read_dataset();
        for change in first.document.changes() {
            assert_rebuilt(change);
        }
        let mut copies = vec![restored(&first.document)];
        copies.extend(others.iter().map(|replica| replica.document.clone()));
        for other in &copies {
            prop_assert_eq!(other.frontier(), first.document.frontier());
            prop_assert_eq!(other.holding().hash(), first.document.holding().hash());
            prop_assert_eq!(other.document().heads(), first.document.document().heads());
            prop_assert_eq!(&other.document().read_dataset(), &content);
            prop_assert_eq!(other.document().conflicts(), first.document.document().conflicts());
        }
        // The next edit is the same change wherever it is made.
        let next = json!({ "title": "Schluss" });
        let hashes: Vec<_> = copies
            .iter_mut()
            .map(|copy| try_edit(copy, &signer(ARNSBERG, 200), &next).ok().flatten())
            .map(|change| change.map(|change| change.seal.change))
            .collect();
        prop_assert!(hashes.windows(2).all(|pair| pair[0] == pair[1]));
    }
}

/// I8: what a newer version writes passes through nodes that do not know it.
#[test]
fn i8_unknown_fields_pass_through() {
    let authority = certified_authority();
    let mut newer = SealedDocument::begin(genesis(ARNSBERG), None);
    edit(&mut newer, &signer(ARNSBERG, 1), &json!({ "title": "Anfang" })).unwrap();
    let change = unknown(&newer, 1, 7);
    let field = match &operations(&change).list[0] {
        Operation { key: Key::Map(field), .. } => field.clone(),
        other => panic!("a field was expected, not {other:?}"),
    };
    assert_eq!(admit(&authority, &mut newer, change), Ok(true));

    let mut older = restored(&newer);
    let after =
        edit(&mut older, &signer(ARNSBERG, 2), &json!({ "title": "Danach", "keywords": null })).unwrap();
    let kept = json!({ "liste": [7, "010203"], "nichts": null });
    assert_eq!(older.document().read_dataset().extra[&field], kept);
    assert_eq!(admit(&authority, &mut newer, after), Ok(true));
    let content = restored(&newer).document().read_dataset();
    assert_eq!(content.extra[&field], kept);
    assert_eq!(content.dataset.title.de.unwrap().as_str(), "Danach");
    older.changes().iter().for_each(assert_rebuilt);
}
