//! What a person changes in a record: only the given fields, valid by
//! construction, applicable to plain records and to documents alike.
//!
//! The public part ([`DatasetEdit`]) and the internal part ([`InternalEdit`])
//! are different types; only a [`RecordEdit`] holds both, and no document
//! takes one. Never invents identifiers or times: the caller gives them.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::body::{self, InvalidBody, Mode};
use super::fields::{CATALOG, DATASET, FieldPath, INTERNAL, KEY_BYTES_MAX, Scalar};
use super::form::{Form, Leaves, scalar};
use super::invalid::{Bilingual, InvalidField};
use super::{Catalog, Class, Dataset, Identifier, Internal, Iri, LifecycleStatus, LocalRecord, Timestamp};
use crate::ids::DatasetId;
use crate::vocabulary::Vocabularies;

/// Most members of one set, such as the keywords of one language.
pub const MEMBERS_MAX: usize = 256;
/// Most distributions of one dataset; services of one and series of a catalog
/// are no more.
pub const DISTRIBUTIONS_MAX: usize = 100;

/// Most bytes of text in one record: publishing and squashing write it whole, as
/// one change within the protocol's limit.
pub const RECORD_BYTES_MAX: usize = 200 * 1024;

/// Places to clear and values to set, in this order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Changes {
    /// Places whose values, and all below, go.
    pub(crate) clear: BTreeSet<FieldPath>,
    /// Values that come.
    pub(crate) set: Leaves,
}

impl Changes {
    fn between(old: &Leaves, new: &Leaves) -> Self {
        let clear = old.keys().filter(|path| !new.contains_key(*path)).cloned().collect();
        let set = new.iter().filter(|(path, value)| old.get(*path) != Some(*value));
        Self { clear, set: set.map(|(path, value)| (path.clone(), value.clone())).collect() }
    }

    /// Whether the value at this place goes.
    pub(crate) fn clears(&self, path: &FieldPath) -> bool {
        let keys = path.keys();
        (1..=keys.len()).any(|n| self.clear.contains(&FieldPath::new(&keys[..n])))
    }

    fn apply(&self, mut leaves: Leaves) -> Leaves {
        leaves.retain(|path, _| !self.clears(path));
        leaves.extend(self.set.iter().map(|(path, value)| (path.clone(), value.clone())));
        leaves
    }

    fn is_empty(&self) -> bool {
        self.clear.is_empty() && self.set.is_empty()
    }

    fn fields(&self) -> BTreeSet<&str> {
        self.clear
            .iter()
            .chain(self.set.keys())
            .filter_map(|path| path.keys().first())
            .map(String::as_str)
            .collect()
    }

    fn text(&mut self, name: &str, text: String) {
        self.set.insert(FieldPath::new([name]), Scalar::Text(text));
    }
}

fn apply<T: Form>(changes: &Changes, to: &T) -> Result<T, InvalidField> {
    let leaves = changes.apply(to.to_leaves());
    let bytes =
        leaves.iter().map(|(path, value)| path.keys().last().map_or(0, String::len) + value.text_len()).sum();
    if bytes > RECORD_BYTES_MAX {
        return Err(too_large(bytes));
    }
    T::from_leaves(&leaves).map_err(|error| {
        let problem = Bilingual::made(
            format!("ergibt keinen Datensatz ({error})"),
            format!("makes no record ({error})"),
        );
        InvalidField::new("dataset", "…", problem, Bilingual::fixed("die Änderung prüfen", "check the edit"))
    })
}

/// A record that one change cannot write.
pub(super) fn too_large(bytes: usize) -> InvalidField {
    InvalidField::new(
        "dataset",
        format!("{bytes} Byte"),
        Bilingual::fixed("sind zu viel für einen Datensatz", "are too much for one record"),
        Bilingual::made(
            format!("Texte und Bereitstellungen auf zusammen {RECORD_BYTES_MAX} Byte kürzen"),
            format!("shorten texts and distributions to {RECORD_BYTES_MAX} bytes together"),
        ),
    )
}

/// Adds what an unknown field holds; whether all of it is text, whole numbers
/// and truth values at places that nothing else has.
fn unknown(path: &FieldPath, value: &Value, leaves: &mut Leaves) -> bool {
    match value {
        Value::Object(fields) => {
            !fields.is_empty() && fields.iter().all(|(name, value)| unknown(&path.child(name), value, leaves))
        }
        value => scalar(value).is_some_and(|value| leaves.insert(path.clone(), value).is_none()),
    }
}

macro_rules! edit_type {
    ($(#[$meta:meta])* $name:ident, $of:ident, $fields:expr, $kind:literal) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Default)]
        pub struct $name(pub(crate) Changes);

        impl $name {
            /// What changes `old` into `new`.
            pub fn between(old: &$of, new: &$of) -> Self {
                Self(Changes::between(&old.to_leaves(), &new.to_leaves()))
            }

            /// What writes all of a record into an empty one.
            pub fn first(new: &$of) -> Self {
                Self(Changes { clear: BTreeSet::new(), set: new.to_leaves() })
            }

            /// The same with fields of other versions, as a document's reader
            /// hands them on; also says which of these cannot be written, or
            /// would change what the record says.
            pub fn first_with_extra(new: &$of, extra: &BTreeMap<String, Value>) -> (Self, Vec<String>) {
                let mut edit = Self::first(new);
                let mut left_out = Vec::new();
                for (name, value) in extra {
                    let mut with = edit.clone();
                    let written = unknown(&FieldPath::new([name]), value, &mut with.0.set);
                    if written && $of::from_leaves(&with.0.set).is_ok_and(|read| read == *new) {
                        edit = with;
                    } else {
                        left_out.push(name.clone());
                    }
                }
                (edit, left_out)
            }

            /// Reads a JSON object in which only the given fields change and
            /// `null` clears.
            pub fn parse(json: &Value) -> Result<Self, InvalidBody> {
                Self::parse_with(Vocabularies::builtin(), json)
            }

            /// [`Self::parse`] with the lists of a town.
            pub fn parse_with(lists: &Vocabularies, json: &Value) -> Result<Self, InvalidBody> {
                body::parse($fields, $kind, Mode::Change, json, lists).map(Self)
            }

            /// Whether it changes nothing.
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }

            /// The top-level fields that it changes.
            pub fn fields(&self) -> BTreeSet<&str> {
                self.0.fields()
            }
        }
    };
}

edit_type!(
    /// Changes to the public part of a record.
    DatasetEdit, Dataset, DATASET, "dataset"
);
edit_type!(
    /// Changes to a town's catalog record.
    CatalogEdit, Catalog, CATALOG, "catalog"
);
edit_type!(
    /// Changes to what never leaves the town.
    InternalEdit, Internal, INTERNAL, "internal"
);

impl DatasetEdit {
    /// The dataset as it will be, without touching a document.
    pub fn apply(&self, dataset: &Dataset) -> Result<Dataset, InvalidField> {
        let new = apply(&self.0, dataset)?;
        self.check(&new)?;
        Ok(new)
    }

    /// Also says when the owner changed the record (`dct:modified`).
    #[must_use]
    pub fn modified_at(mut self, at: Timestamp) -> Self {
        self.0.text("modified", at.to_string());
        self
    }

    /// Also says under which further names the dataset goes on, as far as they
    /// are none that it has, and none too long to be kept.
    #[must_use]
    pub fn also_called(mut self, dataset: &Dataset, names: impl IntoIterator<Item = String>) -> Self {
        let id = dataset.id.to_string();
        let own =
            [dataset.identifier.as_ref().map(Identifier::as_str), dataset.iri.as_ref().map(Iri::as_str)];
        let is_own = |name: &str| name == id || own.into_iter().flatten().any(|own| own == name);
        for name in names.into_iter().filter(|name| name.len() <= KEY_BYTES_MAX && !is_own(name)) {
            self.0.set.insert(FieldPath::new(["other_identifiers", &name]), Scalar::Bool(true));
        }
        self
    }

    /// Says that a dataset was given up in favour of another.
    pub fn replaced_by(kept: DatasetId) -> Self {
        let mut edit = Self::default();
        edit.0.text("replaced_by", kept.to_string());
        edit.0.text("status", LifecycleStatus::Withdrawn.code().to_owned());
        edit
    }

    /// Rules between fields, asked only of fields that this edit touches.
    fn check(&self, new: &Dataset) -> Result<(), InvalidField> {
        let fields = self.fields();
        if fields.contains("temporal") && new.temporal.is_reversed() {
            return Err(InvalidField::new(
                "temporal/end",
                new.temporal.end.map(|day| day.to_string()).unwrap_or_default(),
                Bilingual::fixed("liegt vor dem Beginn", "lies before the start"),
                Bilingual::fixed("Beginn und Ende tauschen", "swap start and end"),
            ));
        }
        if fields.contains("status") {
            check_status(new.class, new.status)?;
        }
        let counts = [
            ("keywords/de", new.keywords.de.len()),
            ("keywords/en", new.keywords.en.len()),
            ("formats", new.formats.len()),
            ("other_identifiers", new.other_identifiers.len()),
        ];
        let over = counts.into_iter().find(|(_, count)| *count > MEMBERS_MAX);
        over.map_or(Ok(()), |(field, count)| Err(too_many(field, count, MEMBERS_MAX)))?;
        few_entries("distributions", new.distributions.len())?;
        few_entries("services", new.services.len())
    }
}

fn few_entries(field: &str, count: usize) -> Result<(), InvalidField> {
    if count > DISTRIBUTIONS_MAX { Err(too_many(field, count, DISTRIBUTIONS_MAX)) } else { Ok(()) }
}

pub(super) fn too_many(field: &str, count: usize, max: usize) -> InvalidField {
    InvalidField::new(
        field,
        count,
        Bilingual::fixed("Einträge sind zu viele", "entries are too many"),
        Bilingual::made(format!("höchstens {max} angeben"), format!("give at most {max}")),
    )
}

/// Which status a record of a class may have.
fn check_status(class: Class, status: LifecycleStatus) -> Result<(), InvalidField> {
    use LifecycleStatus::{Archived, Deprecated, Draft, InReview, Internal, Published, Shared, Withdrawn};
    let possible: &[LifecycleStatus] = match class {
        Class::Open => &[Published, Deprecated, Archived, Withdrawn],
        Class::Shared => &[Shared, Deprecated, Archived, Withdrawn],
        Class::Closed => &[Draft, InReview, Internal, Deprecated, Archived, Withdrawn],
    };
    if possible.contains(&status) {
        return Ok(());
    }
    let words = possible.iter().map(|status| status.code()).collect::<Vec<_>>().join(", ");
    Err(InvalidField::new(
        "status",
        status,
        Bilingual::made(
            format!("passt nicht zur Einstufung „{class}“"),
            format!("does not go with class `{class}`"),
        ),
        Bilingual::made(
            format!("einen dieser Werte angeben oder den Datensatz veröffentlichen: {words}"),
            format!("give one of these, or publish the dataset: {words}"),
        ),
    ))
}

impl CatalogEdit {
    /// The catalog as it will be, without touching a document.
    pub fn apply(&self, catalog: &Catalog) -> Result<Catalog, InvalidField> {
        let new = apply(&self.0, catalog)?;
        if self.fields().contains("series") {
            few_entries("series", new.series.len())?;
            told_apart(&new)?;
        }
        Ok(new)
    }
}

/// Two series of one IRI would be one.
fn told_apart(catalog: &Catalog) -> Result<(), InvalidField> {
    let mut seen = BTreeSet::new();
    let twice = catalog.series.iter().find(|one| one.iri.as_ref().is_some_and(|iri| !seen.insert(iri)));
    match twice {
        None => Ok(()),
        Some(one) => Err(InvalidField::new(
            format!("series/{}/iri", one.id),
            one.iri.as_ref().map(ToString::to_string).unwrap_or_default(),
            Bilingual::fixed("ist schon die IRI einer anderen Serie", "is the IRI of another series already"),
            Bilingual::fixed("jeder Serie eine eigene IRI geben", "give each series an IRI of its own"),
        )),
    }
}

impl InternalEdit {
    /// The notes as they will be.
    pub fn apply(&self, internal: &Internal) -> Result<Internal, InvalidField> {
        apply(&self.0, internal)
    }
}

/// Changes to a record of one's own town, as the desk sends them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordEdit {
    /// What may be published.
    pub dataset: DatasetEdit,
    /// What never is.
    pub internal: InternalEdit,
}

impl RecordEdit {
    /// Reads the body of a PATCH: the dataset's fields, and the town's own
    /// notes under `internal`. Only the given fields change; `null` clears.
    pub fn parse(json: &Value) -> Result<Self, InvalidBody> {
        Self::parse_with(Vocabularies::builtin(), json)
    }

    /// [`Self::parse`] with the lists of a town.
    pub fn parse_with(lists: &Vocabularies, json: &Value) -> Result<Self, InvalidBody> {
        let (dataset, internal) = body::parse_record(Mode::Change, json, lists)?;
        Ok(Self { dataset: DatasetEdit(dataset), internal: InternalEdit(internal) })
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.dataset.is_empty() && self.internal.is_empty()
    }

    /// The record as it will be.
    pub fn apply(&self, record: &LocalRecord) -> Result<LocalRecord, InvalidField> {
        let internal = self.internal.apply(&record.internal).map_err(|error| {
            let field = format!("internal/{}", error.field);
            error.at(field)
        })?;
        Ok(LocalRecord { dataset: self.dataset.apply(&record.dataset)?, internal })
    }
}

/// A record to be created: closed, a draft, with the given fields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewDataset(RecordEdit);

impl NewDataset {
    /// Reads the body of a POST: as [`RecordEdit::parse`], and `identifier`
    /// may be given.
    pub fn parse(json: &Value) -> Result<Self, InvalidBody> {
        Self::parse_with(Vocabularies::builtin(), json)
    }

    /// [`Self::parse`] with the lists of a town.
    pub fn parse_with(lists: &Vocabularies, json: &Value) -> Result<Self, InvalidBody> {
        let (dataset, internal) = body::parse_record(Mode::Create, json, lists)?;
        let new = Self(RecordEdit { dataset: DatasetEdit(dataset), internal: InternalEdit(internal) });
        // What only shows in the whole record is said now, not at the store.
        new.clone().into_record(DatasetId(uuid::Uuid::nil())).map_err(InvalidBody::from)?;
        Ok(new)
    }

    /// Takes a record made in code, its id and class excepted.
    pub fn from_record(record: &LocalRecord) -> Self {
        let mut dataset = DatasetEdit::first(&record.dataset);
        dataset
            .0
            .set
            .retain(|path, _| !matches!(path.keys().first().map(String::as_str), Some("id" | "class")));
        Self(RecordEdit { dataset, internal: InternalEdit::first(&record.internal) })
    }

    /// Says where the record lives, if it does not say so itself.
    #[must_use]
    pub fn with_identity(mut self, identifier: &Identifier, iri: &Iri) -> Self {
        for (name, text) in [("identifier", identifier.as_str()), ("iri", iri.as_str())] {
            if !self.0.dataset.0.set.contains_key(&FieldPath::new([name])) {
                self.0.dataset.0.text(name, text.to_owned());
            }
        }
        self
    }

    /// The record, under an id that the caller drew.
    pub fn into_record(self, id: DatasetId) -> Result<LocalRecord, InvalidField> {
        self.0.apply(&LocalRecord { dataset: Dataset::new(id), internal: Internal::default() })
    }
}
