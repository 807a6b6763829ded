//! What a source's new word about a record means for the record as the town
//! keeps it by now.
//!
//! Three records decide, place by place: what the source said when it was last
//! taken in, what it says now, and what is held. Only what the source itself
//! changed is carried over, and only where nobody in the town has changed it
//! since. Never touches identity, class, status or times.

use std::collections::BTreeSet;

use super::edit::{Changes, DatasetEdit, InternalEdit, RecordEdit};
use super::fields::FieldPath;
use super::form::{Form, Leaves};
use super::internal::LocalRecord;

/// Fields that no source decides about.
const OWN: [&str; 8] = ["id", "identifier", "iri", "class", "status", "issued", "modified", "replaced_by"];

/// What a source's new word changes in a record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Merge {
    /// What is carried over.
    pub edit: RecordEdit,
    /// Places where the source says something new, but the town has put its
    /// own word since: that stays. Notes carry `internal/` before their names.
    pub kept: BTreeSet<String>,
}

impl Merge {
    /// Compares what a source `said`, what it `says` now and what is `held`.
    pub fn of(said: &LocalRecord, says: &LocalRecord, held: &LocalRecord) -> Self {
        let mut kept = BTreeSet::new();
        let dataset = carried([&said.dataset, &says.dataset, &held.dataset].map(Form::to_leaves), |path| {
            kept.extend([path.to_string()])
        });
        let internal =
            carried([&said.internal, &says.internal, &held.internal].map(Form::to_leaves), |path| {
                kept.extend([format!("internal/{path}")])
            });
        Self { edit: RecordEdit { dataset: DatasetEdit(dataset), internal: InternalEdit(internal) }, kept }
    }

    /// Top-level fields in which two words of a source differ.
    pub fn differences(said: &LocalRecord, says: &LocalRecord) -> BTreeSet<String> {
        let Self { edit, .. } = Self::of(said, says, said);
        let internal = edit.internal.fields().into_iter().map(|name| format!("internal/{name}"));
        edit.dataset.fields().into_iter().map(str::to_owned).chain(internal).collect()
    }
}

impl Merge {
    /// Top-level fields that a record lacks and another one has, `internal/`
    /// before those of the notes.
    pub fn lacking(record: &LocalRecord, other: &LocalRecord) -> BTreeSet<String> {
        let internal = lacking(&record.internal.to_leaves(), &other.internal.to_leaves());
        let internal = internal.into_iter().map(|name| format!("internal/{name}"));
        lacking(&record.dataset.to_leaves(), &other.dataset.to_leaves()).into_iter().chain(internal).collect()
    }

    /// What fills the given fields, as far as the record lacks them, with what
    /// another one says.
    pub fn filling(record: &LocalRecord, other: &LocalRecord, fields: &BTreeSet<String>) -> RecordEdit {
        let fields: BTreeSet<String> = Self::lacking(record, other).intersection(fields).cloned().collect();
        let dataset = taken(other.dataset.to_leaves(), |name| fields.contains(name));
        let internal = taken(other.internal.to_leaves(), |name| fields.contains(&format!("internal/{name}")));
        RecordEdit { dataset: DatasetEdit(dataset), internal: InternalEdit(internal) }
    }
}

fn lacking(leaves: &Leaves, other: &Leaves) -> BTreeSet<String> {
    let names = |leaves: &Leaves| -> BTreeSet<String> {
        leaves.keys().filter_map(|path| path.keys().first().cloned()).collect()
    };
    let held = names(leaves);
    names(other).into_iter().filter(|name| !held.contains(name) && !OWN.contains(&name.as_str())).collect()
}

fn taken(leaves: Leaves, wanted: impl Fn(&str) -> bool) -> Changes {
    let is_wanted = |path: &FieldPath| path.keys().first().is_some_and(|name| wanted(name));
    let set = leaves.into_iter().filter(|(path, _)| is_wanted(path)).collect();
    Changes { set, ..Changes::default() }
}

fn carried([said, says, held]: [Leaves; 3], mut keep: impl FnMut(&FieldPath)) -> Changes {
    let mut changes = Changes::default();
    let places: BTreeSet<&FieldPath> = said.keys().chain(says.keys()).collect();
    for path in places {
        let own = path.keys().first().is_some_and(|name| OWN.contains(&name.as_str()));
        if own || said.get(path) == says.get(path) || held.get(path) == says.get(path) {
            continue;
        }
        if held.get(path) != said.get(path) {
            keep(path);
            continue;
        }
        match says.get(path) {
            Some(value) => drop(changes.set.insert(path.clone(), value.clone())),
            None => drop(changes.clear.insert(path.clone())),
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{NewDataset, testing};
    use super::*;
    use crate::ids::DatasetId;

    fn record(body: serde_json::Value) -> LocalRecord {
        NewDataset::parse(&body).unwrap().into_record(DatasetId(uuid::Uuid::from_u128(1))).unwrap()
    }

    #[test]
    fn what_the_source_changed_is_carried_over_and_nothing_else() {
        let said = record(json!({"title": "Bäume", "keywords": ["Baum", "Ast"], "internal": {"notes": "a"}}));
        let says =
            record(json!({"title": "Bäume", "keywords": ["Baum", "Holz"], "internal": {"notes": "b"}}));
        let mut held = said.clone();
        held.dataset.title.de = Some("Baumkataster".parse().unwrap());
        let merge = Merge::of(&said, &says, &held);
        assert!(merge.kept.is_empty());
        let new = merge.edit.apply(&held).unwrap();
        assert_eq!(new.dataset.title.de.as_ref().unwrap().as_str(), "Baumkataster", "the town's word stays");
        assert_eq!(serde_json::to_value(&new.dataset.keywords.de).unwrap(), json!(["Baum", "Holz"]));
        assert_eq!(new.internal.notes.as_ref().unwrap().as_str(), "b");
        assert_eq!(
            Merge::differences(&said, &says).into_iter().collect::<Vec<_>>(),
            ["internal/notes", "keywords"]
        );
    }

    #[test]
    fn where_both_changed_the_town_has_the_last_word() {
        let said = record(json!({"title": "Bäume", "internal": {"notes": "a"}}));
        let says = record(json!({"title": "Gehölze", "internal": {}}));
        let mut held = said.clone();
        held.dataset.title.de = Some("Baumkataster".parse().unwrap());
        held.internal.notes = Some("c".parse().unwrap());
        let merge = Merge::of(&said, &says, &held);
        assert!(merge.edit.is_empty());
        assert_eq!(merge.kept.into_iter().collect::<Vec<_>>(), ["internal/notes", "title/de"]);
    }

    #[test]
    fn what_a_record_lacks_can_be_taken_over_and_nothing_else() {
        let held = record(json!({"title": "Bäume", "keywords": ["Baum"]}));
        let other = record(json!({
            "title": "Stadtbäume", "keywords": ["Ast"], "frequency": "DAILY", "identifier": "x", "hvd": "nein",
            "internal": {"notes": "a"}
        }));
        let lacking = Merge::lacking(&held, &other);
        assert_eq!(lacking.iter().collect::<Vec<_>>(), ["frequency", "hvd", "internal/notes"]);
        let wanted = ["frequency", "title", "internal/notes"].map(str::to_owned).into();
        let new = Merge::filling(&held, &other, &wanted).apply(&held).unwrap();
        assert_eq!(new.dataset.title, held.dataset.title);
        assert_eq!((new.dataset.frequency, new.dataset.hvd), (other.dataset.frequency, None));
        assert_eq!(new.internal, other.internal);
    }

    #[test]
    fn names_of_a_record_that_was_given_up_are_further_identifiers() {
        let mut held = record(json!({"title": "Bäume", "identifier": "baum"}));
        let id = held.dataset.id.to_string();
        let long = "x".repeat(300);
        let edit = DatasetEdit::default()
            .also_called(&held.dataset, ["alt", "baum", id.as_str(), long.as_str()].map(str::to_owned));
        held.dataset = edit.apply(&held.dataset).unwrap();
        let others: Vec<&str> = held.dataset.other_identifiers.iter().map(|one| one.as_str()).collect();
        assert_eq!(others, ["alt"]);
        let gone =
            DatasetEdit::replaced_by(DatasetId(uuid::Uuid::from_u128(2))).apply(&held.dataset).unwrap();
        assert_eq!(gone.status, super::super::LifecycleStatus::Withdrawn);
        assert!(gone.replaced_by.is_some());
    }

    #[test]
    fn identity_class_and_status_are_no_sources_business() {
        let said = testing::full_record();
        let mut says = said.clone();
        says.dataset.id = DatasetId(uuid::Uuid::from_u128(9));
        says.dataset.identifier = Some("other".parse().unwrap());
        says.dataset.status = super::super::LifecycleStatus::Withdrawn;
        says.dataset.modified = None;
        assert_eq!(Merge::of(&said, &says, &said), Merge::default());
    }
}
