//! The document under attack, and what must hold after every attempt.

use crdt::{
    authority::Authority,
    gate::Code,
    operations::{Action, Key, OpId, Operation, Operations, Scalar},
    seal::SealedChange,
    sealed_document::{SealedDocument, Signer},
};
use serde_json::json;

use crate::{JUDGING_BYTES_MAX, counting::peak_of, league::*, sealing::*};

/// A dataset of Arnsberg with fields known and unknown, lists, values that two
/// runs wrote at the same time, and an object that was removed.
pub(crate) struct Ground {
    pub(crate) authority: Authority,
    pub(crate) document: SealedDocument,
    /// The run that attacks; it has written here before.
    pub(crate) signer: Signer,
    /// Heads and first counter of the next change.
    pub(crate) dependencies: Vec<crdt::ids::ChangeHash>,
    pub(crate) start: u64,
    /// The map `title` and the text `title/de` in it.
    pub(crate) title: OpId,
    pub(crate) title_de: OpId,
    /// A text that has been overwritten.
    pub(crate) overwritten: OpId,
    /// Two lists with two elements each.
    pub(crate) lists: [OpId; 2],
    pub(crate) elements: [OpId; 2],
    pub(crate) other_elements: [OpId; 2],
    /// A map that has been removed.
    pub(crate) removed: OpId,
    /// `wetter`, written by two runs at the same time.
    pub(crate) contested: [OpId; 2],
}

impl Ground {
    pub(crate) fn new() -> Self {
        let authority = certified_authority();
        let (one, two) = (signer(ARNSBERG, 1), signer(ARNSBERG, 2));
        let mut document = SealedDocument::begin(genesis(ARNSBERG), None);
        let body =
            json!({"title": "Baumkataster", "keywords": {"de": ["Baum"]}, "department": "Grünflächen"});
        let first = edit(&mut document, &one, &body).unwrap();
        let second = edit(&mut document, &one, &json!({"title": "Bäume"})).unwrap();
        let title = found(&first, |operation| operation.key == map_key("title"));
        let overwritten = found(&first, |operation| operation.object == Some(title));
        let title_de = found(&second, |operation| operation.object == Some(title));

        let (dependencies, start) = ground(&document);
        let id = |counter| OpId { counter: start + counter, actor: one.actor(&document.id(), 1) };
        let number = |number| Action::Put(Scalar::Integer(number));
        let list = vec![
            put(None, "messwerte", Action::MakeList),
            insert(id(0), Key::Head, number(7)),
            insert(id(0), Key::Element(id(1)), number(8)),
            put(None, "farben", Action::MakeList),
            insert(id(3), Key::Head, text("rot")),
            insert(id(3), Key::Head, text("blau")),
            put(None, "weg", Action::MakeMap),
            put(Some(id(6)), "tief", Action::MakeMap),
        ];
        let (lists, elements, other_elements, removed) =
            ([id(0), id(3)], [id(1), id(2)], [id(4), id(5)], id(6));
        let change = seal(&document, &one, &Operations { dependencies, start_op: start, list });
        assert_eq!(admit(&authority, &mut document, change), Ok(true));

        let (dependencies, start) = ground(&document);
        let of = |signer: &Signer| OpId { counter: start, actor: signer.actor(&document.id(), 1) };
        let contested = [of(&one), of(&two)];
        let gone = Operation {
            action: Action::Delete,
            predecessors: vec![removed],
            ..put(None, "weg", Action::Delete)
        };
        let here = vec![put(None, "wetter", text("sonnig")), gone];
        let there = vec![put(None, "wetter", text("trüb"))];
        let both = [(&one, here), (&two, there)].map(|(signer, list)| {
            let dependencies = dependencies.clone();
            seal(&document, signer, &Operations { dependencies, start_op: start, list })
        });
        for change in both {
            assert_eq!(admit(&authority, &mut document, change), Ok(true));
        }
        let mut contested = contested;
        contested.sort();
        let (dependencies, start) = ground(&document);
        Self {
            authority,
            document,
            signer: one,
            dependencies,
            start,
            title,
            title_de,
            overwritten,
            lists,
            elements,
            other_elements,
            removed,
            contested,
        }
    }

    /// The attacker's operation with the n-th counter of its next change.
    pub(crate) fn own(&self, index: u64) -> OpId {
        OpId { counter: self.start + index, actor: self.signer.actor(&self.document.id(), 1) }
    }

    /// Operations that follow all that is here.
    pub(crate) fn next(&self, list: Vec<Operation>) -> Operations {
        Operations { dependencies: self.dependencies.clone(), start_op: self.start, list }
    }

    pub(crate) fn sealed(&self, list: Vec<Operation>) -> SealedChange {
        seal(&self.document, &self.signer, &self.next(list))
    }

    /// INVARIANT under test: a refused change costs little and leaves nothing.
    pub(crate) fn refuses(&mut self, name: &str, code: Code, change: SealedChange) {
        let (saved, heads) = (self.document.document().save(), self.document.document().heads());
        let (frontier, changes) = (self.document.frontier().clone(), self.document.changes().to_vec());
        let (outcome, peak) = peak_of(|| admit(&self.authority, &mut self.document, change));
        let rejection = outcome.expect_err(name);
        assert_eq!(rejection.code, code, "{name}: {rejection}");
        assert!(peak <= JUDGING_BYTES_MAX, "{name}: {peak} bytes");
        assert_eq!(self.document.document().save(), saved, "{name}: the document was altered");
        assert_eq!(self.document.document().heads(), heads, "{name}");
        assert_eq!(self.document.frontier(), &frontier, "{name}");
        assert!(self.document.changes() == changes, "{name}");
        self.goes_on(name);
    }

    /// The document restarts and takes an honest edit, here and after a restart.
    pub(crate) fn goes_on(&self, name: &str) {
        let mut here = self.document.clone();
        let mut there = restored(&self.document);
        let body = json!({"title": {"de": "Straßenbäume", "en": "Street trees"}, "department": null});
        let change = edit(&mut here, &signer(ARNSBERG, 3), &body).expect(name);
        assert_eq!(admit(&self.authority, &mut there, change), Ok(true), "{name}");
        assert_eq!(there.document().heads(), here.document().heads(), "{name}");
        let content = there.document().read_dataset();
        assert_eq!(content, here.document().read_dataset(), "{name}");
        assert_eq!(content.dataset.title.de.unwrap().as_str(), "Straßenbäume", "{name}");
        let saved = there.document().save();
        let loaded = crdt::document::Document::load(&saved).expect(name);
        assert_eq!(loaded.heads(), here.document().heads(), "{name}");
    }
}

/// The operation of a change that is like this.
fn found(change: &SealedChange, like: impl Fn(&Operation) -> bool) -> OpId {
    let operations = operations(change);
    let index = operations.list.iter().position(like).unwrap();
    OpId { counter: operations.start_op + index as u64, actor: change.seal.actor }
}

#[test]
fn the_ground_is_what_the_cases_take_it_for() {
    let mut ground = Ground::new();
    ground.goes_on("untouched");
    let content = ground.document.document().read_dataset();
    assert_eq!(content.dataset.title.de.unwrap().as_str(), "Bäume");
    assert_eq!(content.extra["messwerte"], json!([7, 8]));
    assert_eq!(content.extra["farben"], json!(["blau", "rot"]));
    assert_eq!(content.extra.get("weg"), None);
    assert_eq!(content.conflicts.iter().map(ToString::to_string).collect::<Vec<_>>(), ["wetter"]);
    // The positive control of all cases: the same tools make a change that is let in.
    let settled =
        Operation { predecessors: ground.contested.to_vec(), ..put(None, "wetter", text("heiter")) };
    let change = ground.sealed(vec![settled]);
    let (outcome, peak) = peak_of(|| admit(&ground.authority, &mut ground.document, change));
    assert_eq!(outcome, Ok(true));
    assert!(peak > 10_000, "the allocator counts: {peak}");
    assert_eq!(ground.document.document().read_dataset().extra["wetter"], "heiter");
}
