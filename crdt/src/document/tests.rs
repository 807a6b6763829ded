//! Properties of documents over arbitrary edits, and the cases that matter by
//! name.

use automerge::transaction::{CommitOptions, Transactable};
use automerge::{Automerge, ObjId, ObjType, ScalarValue};
use proptest::prelude::*;
use serde_json::{Value, json};

use std::collections::BTreeMap;

use super::*;
use crate::catalog::testing::full_dataset;
use crate::catalog::{Catalog, CatalogEdit, Dataset, DatasetEdit, FieldPath};
use crate::gate::Structure;
use crate::genesis::DocumentKind;
use crate::ids::Town;
use crate::operations::{self, Action, Key, OpId, Operation, Operations};

fn actor(n: u8) -> ActorId {
    ActorId([n; 16])
}

fn parse(body: &Value) -> DatasetEdit {
    DatasetEdit::parse(body).unwrap()
}

/// A document that holds the whole test dataset.
fn full() -> Document {
    let first = DatasetEdit::first(&full_dataset());
    Document::empty().edit_dataset(actor(1), &first).unwrap().unwrap().document
}

fn edited(document: &Document, by: u8, body: &Value) -> Document {
    document
        .edit_dataset(actor(by), &parse(body))
        .unwrap()
        .map_or_else(|| document.clone(), |edited| edited.document)
}

fn changes(document: &Document) -> Vec<LocalChange> {
    document.inner.get_changes(&[]).into_iter().map(LocalChange).collect()
}

fn merged(a: &Document, b: &Document) -> Document {
    let mut both = a.clone();
    for change in changes(b) {
        if !both.holds(&change.hash()) {
            both.apply(change).unwrap();
        }
    }
    both
}

fn by_raw_change(
    document: &Document,
    by: u8,
    write: impl FnOnce(&mut automerge::transaction::Transaction<'_>),
) -> Document {
    let mut inner: Automerge = document.inner.clone();
    inner.set_actor(automerge::ActorId::from([by; 16]));
    let mut transaction = inner.transaction();
    write(&mut transaction);
    transaction.commit_with(CommitOptions::default().with_time(0));
    Document { inner: with_idle_actor(inner) }
}

fn paths(paths: &[FieldPath]) -> Vec<String> {
    paths.iter().map(ToString::to_string).collect()
}

/// Bodies of edits that overlap often.
fn body() -> impl Strategy<Value = Value> {
    let word = prop_oneof![Just("Baum"), Just("Ast"), Just("Weg/Platz"), Just("Ümläut")];
    let code = prop_oneof![Just("ENVI"), Just("TRAN"), Just("HEAL")];
    let id = prop_oneof![Just("csv"), Just("a-wfs"), Just("neu")];
    let line = "[a-zäöüß]{1,8}";
    prop_oneof![
        line.prop_map(|text| json!({"title": text})),
        line.prop_map(|text| json!({"title": {"en": text}, "domain": text})),
        Just(json!({"description": {"en": null}, "spatial": null, "frequency": null})),
        line.prop_map(|text| json!({"description": text, "contact": {"name": text, "phone": null}})),
        word.clone().prop_map(|word| json!({"keywords": {"de": {"add": [word]}}})),
        word.clone().prop_map(|word| json!({"keywords": {"de": {"remove": [word]}, "en": [word]}})),
        prop::collection::vec(word, 0..4).prop_map(|words| json!({"keywords": words})),
        prop::collection::vec(code, 0..3).prop_map(|codes| json!({"themes": codes})),
        (id.clone(), line).prop_map(
            |(id, text)| json!({"distributions": {id: {"title": text, "format": text, "byte_size": 7}}})
        ),
        (id.clone(), 0..3)
            .prop_map(|(id, place)| json!({"distributions": {id: {"position": place, "access_url": null}}})),
        id.clone().prop_map(|id| json!({"distributions": {id: null}})),
        id.prop_map(
            |id| json!({"distributions": [{"id": id, "access_url": "https://a.example"}, {"title": "x"}]})
        ),
        Just(json!({"quality_criteria": null, "hvd": "nein", "data_modified": "2026-01-01"})),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn i1_forks_that_exchange_their_changes_read_the_same(
        edits in prop::collection::vec((0u8..3, body(), any::<Option<u8>>()), 1..16),
    ) {
        let mut forks = [full(), full(), full()];
        for (fork, body, merge_with) in edits {
            let by = usize::from(fork);
            forks[by] = edited(&forks[by], fork + 2, &body);
            if let Some(other) = merge_with.filter(|other| other % 2 == 0) {
                forks[by] = merged(&forks[by], &forks[usize::from(other) % 3]);
            }
        }
        let one = merged(&merged(&forks[0], &forks[1]), &forks[2]);
        let two = merged(&merged(&forks[2], &forks[0]), &forks[1]);
        prop_assert_eq!(one.heads(), two.heads());
        prop_assert_eq!(one.read_dataset(), two.read_dataset());
        prop_assert_eq!(one.conflicts(), two.conflicts());
        let again = Document::load(&one.save()).unwrap();
        prop_assert_eq!(again.read_dataset(), one.read_dataset());
        let unreadable = one.read_dataset().unreadable;
        prop_assert!(unreadable.is_empty(), "{unreadable:?}");
        let contested: Vec<_> = one.conflicts().into_iter().map(|conflict| conflict.path).collect();
        prop_assert_eq!(contested, one.read_dataset().conflicts);
    }

    #[test]
    fn an_edit_of_a_record_and_of_its_document_read_the_same(bodies in prop::collection::vec(body(), 1..8)) {
        let (mut document, mut dataset) = (full(), full_dataset());
        for body in bodies {
            let edit = parse(&body);
            let heads = document.heads();
            let new = edit.apply(&dataset).unwrap();
            match document.edit_dataset(actor(2), &edit).unwrap() {
                Some(outcome) => {
                    prop_assert_eq!(document.heads(), heads, "the document itself stays");
                    prop_assert_eq!(outcome.document.heads(), vec![outcome.hash]);
                    document = outcome.document;
                }
                None => prop_assert_eq!(&new, &dataset, "no change means no difference"),
            }
            dataset = new;
            prop_assert_eq!(&document.read_dataset().dataset, &dataset);
            prop_assert!(document.edit_dataset(actor(2), &edit).unwrap().is_none_or(|again| again.document.read_dataset().dataset == dataset));
        }
    }

    #[test]
    fn history_adds_up_to_what_is_read(bodies in prop::collection::vec((0u8..2, body()), 1..8)) {
        let mut document = full();
        for (by, body) in bodies {
            document = edited(&document, by + 2, &body);
        }
        let mut state = std::collections::BTreeMap::new();
        for record in document.history() {
            for difference in record.fields {
                prop_assert_eq!(state.get(&difference.path), difference.before.as_ref());
                match difference.after {
                    Some(after) => drop(state.insert(difference.path, after)),
                    None => drop(state.remove(&difference.path)),
                }
            }
        }
        prop_assert_eq!(state, tree::leaves(&tree::tree(&document.inner, None)));
    }
}

#[test]
fn a_record_is_read_back_as_it_was_written() {
    let content = full().read_dataset();
    assert_eq!(content.dataset, full_dataset());
    assert_eq!((content.extra, content.conflicts, content.unreadable), (json!({}), vec![], vec![]));
    assert!(full().edit_dataset(actor(2), &DatasetEdit::first(&full_dataset())).unwrap().is_none());
}

#[test]
fn a_catalog_is_read_back_as_it_was_written() {
    let town = Town::parse("05974040").unwrap();
    let dataset = full_dataset();
    let mut catalog = Catalog::new(town);
    (catalog.title, catalog.publisher, catalog.contact) = (dataset.title, dataset.publisher, dataset.contact);
    let first = CatalogEdit::first(&catalog);
    let document = Document::empty().edit_catalog(actor(1), town, &first).unwrap().unwrap().document;
    assert_eq!(document.read_catalog(town).catalog, catalog);
    let edit =
        CatalogEdit::parse(&json!({"title": {"en": null}, "homepage": "https://soest.example"})).unwrap();
    let document = document.edit_catalog(actor(1), town, &edit).unwrap().unwrap().document;
    assert_eq!(document.read_catalog(town).catalog, edit.apply(&catalog).unwrap());
}

#[test]
fn the_same_edit_by_the_same_actor_is_the_same_change() {
    let edit = DatasetEdit::first(&full_dataset());
    let once = Document::empty().edit_dataset(actor(1), &edit).unwrap().unwrap();
    let twice = Document::empty().edit_dataset(actor(1), &edit).unwrap().unwrap();
    assert_eq!(once.hash, twice.hash);
    assert_eq!(
        (once.change.timestamp(), once.change.message(), once.change.extra_bytes().len()),
        (0, None, 0)
    );
    assert_eq!(actor_of(once.change.actor_id()), actor(1));
    let operations = LocalChange::from(once).explain().unwrap();
    assert_eq!(LocalChange::rebuild(&operations, &actor(1), 1).hash(), twice.hash);
}

#[test]
fn edits_of_different_fields_and_members_merge() {
    let start = full();
    let a = edited(
        &start,
        2,
        &json!({"title": "Bäume", "keywords": {"de": {"add": ["Ast"]}}, "contact": {"name": "A"}}),
    );
    let b = edited(
        &start,
        3,
        &json!({"licence": "cc-zero", "keywords": {"de": {"remove": ["Baum"], "add": ["Laub"]}}, "contact": {"phone": null}}),
    );
    let content = merged(&a, &b).read_dataset();
    assert!(content.conflicts.is_empty(), "{:?}", content.conflicts);
    let json = serde_json::to_value(&content.dataset).unwrap();
    assert_eq!(json["title"]["de"], "Bäume");
    assert_eq!(json["licence"], "http://dcat-ap.de/def/licenses/cc-zero");
    assert_eq!(json["keywords"]["de"], json!(["Ast", "Grünfläche", "Laub"]));
    assert_eq!((&json["contact"]["name"], json["contact"].get("phone")), (&json!("A"), None));
}

#[test]
fn values_set_at_the_same_time_are_kept_and_shown_until_settled() {
    let start = full();
    let a = edited(&start, 2, &json!({"title": "Bäume", "domain": "Umwelt und Klima"}));
    let b = edited(&start, 3, &json!({"title": "Gehölze", "domain": "Umwelt und Klima"}));
    let both = merged(&a, &b);
    let content = both.read_dataset();
    assert_eq!(paths(&content.conflicts), ["title/de"], "who enters the same does not disagree");
    let conflicts = both.conflicts();
    assert_eq!((conflicts.len(), conflicts[0].values.len()), (1, 2));
    let shown = content.dataset.title.de.unwrap();
    assert_eq!(conflicts[0].values[0].value, shown.as_str(), "the value shown comes first");
    let mut authors: Vec<_> =
        conflicts[0].values.iter().map(|one| (one.value.clone(), one.actor, one.change)).collect();
    authors.sort_by_key(|one| one.1);
    assert_eq!(
        authors,
        [(json!("Bäume"), actor(2), a.heads()[0]), (json!("Gehölze"), actor(3), b.heads()[0])]
    );

    let settled = edited(&both, 2, &json!({"title": shown.as_str()}));
    assert!(settled.conflicts().is_empty(), "setting the shown value again settles it");
    assert_eq!(settled.read_dataset().dataset.title.de, Some(shown));
}

#[test]
fn an_entry_removed_here_and_edited_there_is_gone_everywhere() {
    let start = full();
    let a = edited(&start, 2, &json!({"distributions": {"csv": null}}));
    let b = edited(&start, 3, &json!({"distributions": {"csv": {"title": "Neu"}}}));
    let one = merged(&a, &b).read_dataset();
    assert_eq!(one, merged(&b, &a).read_dataset());
    assert_eq!(one.dataset.distributions.len(), 1);
}

#[test]
fn fields_of_other_versions_survive_and_are_handed_on() {
    let newer = by_raw_change(&full(), 9, |transaction| {
        transaction.put(ObjId::Root, "wetter", "sonnig").unwrap();
        let list = transaction.put_object(ObjId::Root, "messwerte", ObjType::List).unwrap();
        transaction.insert(&list, 0, 7).unwrap();
        for (place, key) in [("contact", "matrix"), ("title", "fr"), ("themes", "neues Thema")] {
            let (_, id) = transaction.get(ObjId::Root, place).unwrap().unwrap();
            transaction.put(id, key, true).unwrap();
        }
    });
    let extra = json!({"wetter": "sonnig", "messwerte": [7], "contact": {"matrix": true}, "title": {"fr": true}, "themes": {"neues Thema": true}});
    let content = newer.read_dataset();
    assert_eq!((&content.extra, &content.dataset), (&extra, &full_dataset()));
    assert!(content.unreadable.is_empty() && content.conflicts.is_empty());
    let body = json!({"title": null, "contact": null, "themes": ["TRAN"], "keywords": null, "distributions": null, "spatial": null});
    let after = edited(&newer, 2, &body).read_dataset();
    assert_eq!(after.extra, extra, "an edit by an older version leaves them alone");
    assert_eq!(after.dataset, parse(&body).apply(&full_dataset()).unwrap());
}

#[test]
fn a_field_of_the_wrong_kind_hides_no_other() {
    let bad = by_raw_change(&full(), 9, |transaction| {
        transaction.put(ObjId::Root, "licence", 7).unwrap();
        transaction.put(ObjId::Root, "frequency", "dann und wann").unwrap();
        transaction.put(ObjId::Root, "title", ScalarValue::Null).unwrap();
        transaction.put_object(ObjId::Root, "domain", ObjType::Map).unwrap();
        transaction.put_object(ObjId::Root, "keywords", ObjType::List).unwrap();
        transaction.put(ObjId::Root, "id", "nobody").unwrap();
        let (_, id) = transaction.get(ObjId::Root, "distributions").unwrap().unwrap();
        transaction.put(&id, "csv", 1.5).unwrap();
        let entry = transaction.put_object(&id, "leer", ObjType::Map).unwrap();
        transaction.put(entry, "position", "oben").unwrap();
        transaction.put(ObjId::Root, "temporal", u64::MAX).unwrap();
    });
    let content = bad.read_dataset();
    let mut unreadable = paths(&content.unreadable);
    unreadable.sort();
    assert_eq!(
        unreadable,
        [
            "distributions/csv",
            "distributions/leer/position",
            "domain",
            "frequency",
            "id",
            "keywords",
            "licence",
            "temporal",
            "title"
        ]
    );
    assert_eq!(content.dataset.description, full_dataset().description);
    assert_eq!(content.dataset.distributions.len(), 2, "the readable one and the empty one");
    assert!(content.dataset.id.0.is_nil());
    let repaired = edited(
        &bad,
        2,
        &json!({"title": "Bäume", "licence": "cc-zero", "frequency": null, "temporal": {"start": "2026-01-01"}, "domain": "Umwelt"}),
    );
    let mut unreadable = paths(&repaired.read_dataset().unreadable);
    unreadable.sort();
    assert_eq!(
        unreadable,
        ["distributions/csv", "distributions/leer/position", "id", "keywords"],
        "setting a field repairs it"
    );
    assert_eq!(repaired.read_dataset().dataset.title.de.unwrap().as_str(), "Bäume");
}

#[test]
fn history_names_each_field_with_before_and_after() {
    let document = edited(
        &full(),
        2,
        &json!({"title": "Bäume", "keywords": {"de": {"remove": ["Baum"]}}, "hvd": "ja", "in_series": null}),
    );
    let history = document.history();
    assert_eq!((history.len(), history[1].actor, history[1].seq), (2, actor(2), 1));
    assert_eq!(history[1].dependencies, [history[0].change]);
    let fields = serde_json::to_value(&history[1].fields).unwrap();
    assert_eq!(
        fields,
        json!([
            {"path": "in_series", "before": "https://daten.soest.example/serie/baeume", "after": null},
            {"path": "keywords/de/Baum", "before": true, "after": null},
            {"path": "title/de", "before": "Baumkataster", "after": "Bäume"},
        ])
    );
}

#[test]
fn a_change_whose_ground_is_missing_is_refused_not_queued() {
    let start = full();
    let next = edited(&start, 2, &json!({"title": "Bäume"}));
    let mut empty = Document::empty();
    let error = empty.apply(changes(&next).pop().unwrap()).unwrap_err();
    assert!(matches!(error, ApplyError::MissingDependency(hash) if hash == start.heads()[0]));
    assert_eq!((empty.heads(), empty.change_count()), (vec![], 0));
    assert!(next.holds(&start.heads()[0]) && !start.holds(&next.heads()[0]));
}

#[test]
fn an_edit_that_breaks_a_rule_changes_nothing() {
    let error = full().edit_dataset(actor(2), &parse(&json!({"status": "entwurf"}))).unwrap_err();
    assert!(matches!(error, EditError::Invalid(field) if field.field == "status"));
    assert!(Document::load(b"not a document").is_err());
    assert_eq!(
        Document::empty().read_dataset().dataset,
        Dataset {
            class: crate::catalog::Class::Closed,
            ..Dataset::new(Document::empty().read_dataset().dataset.id)
        }
    );
}

/// A value of the operation encoding, or a map of such.
#[derive(Debug, Clone)]
enum Plain {
    Value(operations::Scalar),
    Map(BTreeMap<String, Plain>),
}

fn plain_map() -> impl Strategy<Value = BTreeMap<String, Plain>> {
    let value = prop_oneof![
        Just(operations::Scalar::Null),
        any::<bool>().prop_map(operations::Scalar::Boolean),
        any::<i64>().prop_map(operations::Scalar::Integer),
        prop_oneof![".{0,40}", "[a-zäöüß \\n]{300,4000}"].prop_map(operations::Scalar::Text),
        proptest::collection::vec(any::<u8>(), 0..200).prop_map(operations::Scalar::Bytes),
    ];
    let key = prop_oneof!["x[a-z]{0,6}", "x\\PC{0,30}"];
    let leaf = value.prop_map(Plain::Value);
    let tree = leaf.prop_recursive(5, 60, 8, {
        let key = key.clone();
        move |inner| proptest::collection::btree_map(key.clone(), inner, 0..8).prop_map(Plain::Map)
    });
    proptest::collection::btree_map(key, tree, 1..12)
}

/// Writes a map's entries, those of the maps in it after each or behind all.
fn write(map: &BTreeMap<String, Plain>, object: Option<OpId>, by: ActorId, list: &mut Vec<Operation>) {
    let mut below = Vec::new();
    for (key, plain) in map {
        let id = OpId { counter: list.len() as u64 + 1, actor: by };
        let action = match plain {
            Plain::Value(value) => Action::Put(value.clone()),
            Plain::Map(inner) => {
                below.push((id, inner));
                Action::MakeMap
            }
        };
        let key = Key::Map(key.clone());
        list.push(Operation { action, object, key, insert: false, predecessors: Vec::new() });
    }
    for (id, inner) in below {
        write(inner, Some(id), by, list);
    }
}

proptest! {
    /// What spares a newcomer the staging of documents with one change.
    #[test]
    fn a_plain_first_change_reads_saves_loads_and_takes_an_edit_as_its_document_does(map in plain_map()) {
        let mut list = Vec::new();
        write(&map, None, actor(3), &mut list);
        let first = explained(&full());
        for operations in [
            Operations { dependencies: Vec::new(), start_op: 1, list: list.clone() },
            with_more(&first, list),
        ] {
            let (by, mut structure) = (author_of(&operations), Structure::new(DocumentKind::Dataset));
            let change = LocalChange::rebuild(&operations, &by, 1);
            if structure.apply(change.hash(), by, 1, &operations).is_err() {
                // Too deep or too wide: the gate has refused it before.
                continue;
            }
            let mut document = Document::empty();
            document.apply(change).unwrap();
            prop_assert_eq!(plain::tree(&operations, &by), Some(tree::tree(&document.inner, None)));
            prop_assert_eq!(DatasetContent::of_only_change(&operations, &by), Some(document.read_dataset()));
            let loaded = Document::load(&document.save()).unwrap();
            prop_assert_eq!(loaded.heads(), document.heads());
            prop_assert_eq!(loaded.read_dataset(), document.read_dataset());
            let later = edited(&loaded, 9, &json!({"title": {"de": "Danach"}}));
            let title = later.read_dataset().dataset.title.de;
            prop_assert_eq!(title.map(|title| title.to_string()), Some("Danach".to_owned()));
            prop_assert!(Document::load(&later.save()).is_ok());
        }
    }
}

fn explained(document: &Document) -> Operations {
    changes(document)[0].explain().unwrap()
}

/// A change that makes what `first` does, and more in unknown fields.
fn with_more(first: &Operations, list: Vec<Operation>) -> Operations {
    let (by, moved) = (author_of(first), first.list.len() as u64);
    let id = |id: OpId| OpId { counter: id.counter + moved, actor: by };
    let more = list.into_iter().map(|one| Operation { object: one.object.map(id), ..one });
    Operations { list: first.list.iter().cloned().chain(more).collect(), ..first.clone() }
}

/// Who made the operations' objects; anybody if they make none.
fn author_of(operations: &Operations) -> ActorId {
    operations.list.iter().find_map(|one| one.object).map_or(actor(3), |object| object.actor)
}

#[test]
fn what_takes_more_than_to_be_read_is_not_read_from_its_operations() {
    let first = explained(&full());
    let by = author_of(&first);
    assert!(plain::tree(&first, &by).is_some());
    let with = |change: &dyn Fn(&mut Operation)| {
        let mut operations = first.clone();
        change(operations.list.last_mut().unwrap());
        operations
    };
    let id = OpId { counter: 1, actor: by };
    for other in [
        with(&|one| one.action = Action::Delete),
        with(&|one| one.action = Action::MakeList),
        with(&|one| one.key = Key::Head),
        with(&|one| one.insert = true),
        with(&|one| one.predecessors = vec![id]),
        with(&|one| one.object = Some(OpId { actor: actor(77), ..id })),
        Operations { dependencies: vec![ChangeHash([1; 32])], ..first.clone() },
    ] {
        assert_eq!(plain::tree(&other, &by), None, "{other:?}");
    }
}
