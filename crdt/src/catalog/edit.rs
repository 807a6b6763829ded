//! What a person changes in a record: only the given fields, valid by
//! construction, applicable to plain records and to documents alike.
//!
//! The public part ([`DatasetEdit`]) and the internal part ([`InternalEdit`])
//! are different types; only a [`RecordEdit`] holds both, and no document
//! takes one. Never invents identifiers or times: the caller gives them.

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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::invalid::Lang;
    use super::super::testing::{full_dataset, full_record};
    use super::*;

    fn edited(body: serde_json::Value) -> Dataset {
        DatasetEdit::parse(&body).unwrap().apply(&full_dataset()).unwrap()
    }

    #[test]
    fn only_the_given_fields_change() {
        let mut expected = full_dataset();
        expected.title.de = Some("Bäume".parse().unwrap());
        expected.contact.phone = None;
        expected.frequency = Some(super::super::Frequency::parse("DAILY").unwrap());
        let iri = "http://publications.europa.eu/resource/authority/frequency/DAILY";
        assert_eq!(edited(json!({"title": "Bäume", "contact": {"phone": null}, "frequency": iri})), expected);
        assert_eq!(edited(json!({})), full_dataset());
    }

    #[test]
    fn null_clears_and_lists_replace() {
        let dataset = edited(
            json!({"description": null, "spatial": null, "themes": ["TRAN"], "keywords": {"de": ["Ast"]}}),
        );
        assert!(dataset.description.is_empty() && dataset.spatial.is_empty());
        assert_eq!(serde_json::to_value(&dataset.themes).unwrap(), json!(["TRAN"]));
        assert_eq!(serde_json::to_value(&dataset.keywords).unwrap(), json!({"de": ["Ast"], "en": ["tree"]}));
        let dataset = edited(json!({"keywords": ["Ast"], "formats": {"add": ["gml"], "remove": ["csv"]}}));
        assert_eq!(serde_json::to_value(&dataset.keywords.de).unwrap(), json!(["Ast"]));
        assert_eq!(serde_json::to_value(&dataset.formats).unwrap(), json!(["GML", "WFS"]));
    }

    #[test]
    fn series_are_made_by_name_or_as_a_list_and_told_apart_by_their_iris() {
        let empty = Catalog::new(crate::ids::Town::parse("05974040").unwrap());
        let edited = |body| CatalogEdit::parse(&body).unwrap().apply(&empty);
        let by_name = edited(json!({"series": {"haushalt": {"title": "Haushalt", "frequency": "jährlich"}}}));
        let series = by_name.unwrap().series;
        assert_eq!((series.len(), series[0].id.as_str()), (1, "haushalt"));
        assert_eq!(series[0].frequency, super::super::Frequency::parse("ANNUAL").ok());
        let iri = "https://daten.soest.example/serie";
        let listed = edited(json!({"series": [{"title": "Haushalt"}, {"title": "Wahlen", "iri": iri}]}));
        assert_eq!(listed.unwrap().series.iter().filter(|one| one.iri.is_some()).count(), 1);
        let twice = edited(json!({"series": {"a": {"iri": iri}, "b": {"iri": iri}}})).unwrap_err();
        assert_eq!((twice.field.as_str(), twice.value.as_str()), ("series/b/iri", iri));
        let many: serde_json::Map<_, _> =
            (0..=DISTRIBUTIONS_MAX).map(|n| (format!("s{n}"), json!({"title": "x"}))).collect();
        assert!(CatalogEdit::parse(&json!({"series": many})).is_err());
        assert!(DatasetEdit::parse(&json!({"services": {"x y": {}}})).is_err());
    }

    #[test]
    fn distributions_change_by_id_or_as_a_list() {
        let dataset = edited(json!({"distributions": {"csv": {"title": "Tabelle"}, "a-wfs": null}}));
        assert_eq!(dataset.distributions.len(), 1);
        assert_eq!(dataset.distributions[0].title.de.as_ref().unwrap().as_str(), "Tabelle");
        assert_eq!(dataset.distributions[0].format, full_dataset().distributions[0].format);

        let list = json!({"distributions": [{"access_url": "https://a.example/1"}, {"id": "csv", "format": "CSV"}, {"access_url": "https://a.example/1"}]});
        let dataset = edited(list.clone());
        let ids: Vec<_> = dataset.distributions.iter().map(|one| one.id.as_str()).collect();
        assert_eq!((ids.len(), ids[1], ids[2]), (3, "csv", format!("{}-2", ids[0]).as_str()));
        assert_eq!(dataset.distributions[1].access_url, None, "a list replaces its entries as a whole");
        assert_eq!(edited(list), dataset, "derived ids are the same each time");
    }

    #[test]
    fn an_unknown_field_is_refused_by_name_with_the_nearest() {
        let refused = |body| RecordEdit::parse(&body).unwrap_err().to_string();
        assert!(
            refused(json!({"titel": "x"}))
                .contains("field `titel`: `x` stands in an unknown field; did you mean `title`?")
        );
        assert!(refused(json!({"license": "x"})).contains("did you mean `licence`?"));
        assert!(refused(json!({"legal_basis": "x"})).contains("give it as internal/legal_basis"));
        assert!(refused(json!({"contact": {"mail": "x"}})).contains("field `contact/mail`"));
        assert!(refused(json!({"internal": {"notiz": "x"}})).contains("field `internal/notiz`"));
        assert!(refused(json!({"title": {"fr": "x"}})).contains("field `title/fr`"));
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once_in_both_languages() {
        let body = json!({"frequency": "MONTLY", "themes": ["ENVI", 7], "data_modified": "gestern", "contact": {"email": "x"}, "title": 4.5,
            "distributions": [{"byte_size": -1}, "x"], "class": "open", "id": "x", "spatial": 3, "formats": "CSV", "internal": []});
        let error = RecordEdit::parse(&body).unwrap_err();
        let mut fields: Vec<_> = error.fields.iter().map(|field| field.field.as_str()).collect();
        fields.sort_unstable();
        assert!(
            fields.iter().any(|field| field.starts_with("distributions/") && field.ends_with("/byte_size")),
            "{fields:?}"
        );
        for field in [
            "class",
            "contact/email",
            "data_modified",
            "distributions/1",
            "formats",
            "frequency",
            "id",
            "internal",
            "spatial",
            "themes",
            "title",
        ] {
            assert!(fields.contains(&field), "{field} is not in {fields:?}");
        }
        assert!(error.messages(Lang::De).iter().all(|message| message.starts_with("Feld „")));
        assert!(RecordEdit::parse(&json!([1])).is_err() && RecordEdit::parse(&json!(null)).is_err());
    }

    #[test]
    fn too_much_is_refused() {
        let many: Vec<String> = (0..=MEMBERS_MAX).map(|n| format!("w{n}")).collect();
        assert!(DatasetEdit::parse(&json!({"keywords": many})).is_err());
        let half: Vec<String> = (0..200).map(|n| format!("x{n}")).collect();
        let first = edited(json!({"keywords": half}));
        let rest: Vec<String> = (0..200).map(|n| format!("y{n}")).collect();
        let edit = DatasetEdit::parse(&json!({"keywords": {"de": {"add": rest}}})).unwrap();
        assert_eq!(edit.apply(&first).unwrap_err().field, "keywords/de");
        let long = "x".repeat(30_000);
        let mut grown = full_dataset();
        let mut outcomes = (0..8).map(|n| {
            let edit =
                DatasetEdit::parse(&json!({"distributions": {format!("d{n}"): {"description": long}}}))
                    .unwrap();
            edit.apply(&grown).map(|new| grown = new).map_err(|error| error.field)
        });
        assert_eq!(
            outcomes.find(Result::is_err),
            Some(Err("dataset".to_owned())),
            "many small edits end there too"
        );
        let one = json!({"description": {"de": long, "en": long}});
        let body = json!({"distributions": [one, one, one, one]});
        assert!(DatasetEdit::parse(&body).unwrap_err().to_string().contains("are too much for one record"));
    }

    #[test]
    fn rules_between_fields_hold_for_what_an_edit_touches() {
        let edit = |body| DatasetEdit::parse(&body).unwrap();
        let error = edit(json!({"temporal": {"start": "2030-01-01"}})).apply(&full_dataset()).unwrap_err();
        assert_eq!(error.field, "temporal/end");
        assert_eq!(edit(json!({"status": "entwurf"})).apply(&full_dataset()).unwrap_err().field, "status");
        assert!(edit(json!({"status": "veraltet"})).apply(&full_dataset()).is_ok());
        assert!(NewDataset::parse(&json!({"title": "x", "status": "veroeffentlicht"})).is_err());
    }

    #[test]
    fn the_difference_of_two_records_leads_from_one_to_the_other() {
        let old = full_dataset();
        let new = edited(
            json!({"title": null, "distributions": {"csv": null}, "themes": ["HEAL"], "domain": "Soziales"}),
        );
        let edit = DatasetEdit::between(&old, &new);
        assert_eq!(edit.apply(&old).unwrap(), new);
        assert_eq!(
            edit.fields().into_iter().collect::<Vec<_>>(),
            ["distributions", "domain", "themes", "title"]
        );
        assert!(DatasetEdit::between(&old, &old).is_empty());
        assert_eq!(DatasetEdit::first(&old).apply(&Dataset::new(old.id)).unwrap(), old);
    }

    #[test]
    fn fields_of_other_versions_are_written_unless_they_would_change_what_is_known() {
        let extra = json!({"wetter": {"heute": "sonnig", "grad": 7}, "messwerte": [7], "title": {"de": "x"}, "contact": {"matrix": true}});
        let extra = extra.as_object().unwrap().clone().into_iter().collect();
        let (edit, left_out) = DatasetEdit::first_with_extra(&full_dataset(), &extra);
        assert_eq!(left_out, ["messwerte", "title"]);
        assert_eq!(edit.apply(&Dataset::new(full_dataset().id)).unwrap(), full_dataset());
        assert!(edit.fields().contains("wetter"));
        let place = FieldPath::new(["contact", "matrix"]);
        assert_eq!(edit.0.set.get(&place), Some(&Scalar::Bool(true)));
    }

    #[test]
    fn a_new_record_is_a_closed_draft_whatever_it_was_made_from() {
        let id = DatasetId(uuid::Uuid::from_u128(7));
        let new =
            NewDataset::parse(&json!({"title": "Bäume", "identifier": "b-1", "internal": {"notes": "n"}}))
                .unwrap();
        let record = new
            .with_identity(&"b-2".parse().unwrap(), &"https://a.example/b".parse().unwrap())
            .into_record(id)
            .unwrap();
        assert_eq!(
            (record.dataset.id, record.dataset.class, record.dataset.status),
            (id, Class::Closed, LifecycleStatus::Draft)
        );
        assert_eq!(record.dataset.identifier.unwrap().as_str(), "b-1");
        assert_eq!(record.internal.notes.unwrap().as_str(), "n");
        let mut open = full_record();
        open.dataset.status = LifecycleStatus::Internal;
        let copy = NewDataset::from_record(&open).into_record(id).unwrap();
        assert_eq!((copy.dataset.class, copy.dataset.title), (Class::Closed, open.dataset.title));
        assert!(
            RecordEdit::parse(&json!({"identifier": "b-3"})).unwrap_err().to_string().contains("given once")
        );
    }

    #[test]
    fn notes_are_no_part_of_what_a_document_is_made_of() {
        let edit =
            RecordEdit::parse(&json!({"title": "x", "internal": {"notes": "geheim", "steward_role": null}}))
                .unwrap();
        assert_eq!(edit.dataset, DatasetEdit::parse(&json!({"title": "x"})).unwrap());
        let record = edit.apply(&full_record()).unwrap();
        assert_eq!(record.internal.notes.as_ref().unwrap().as_str(), "geheim");
        assert!(record.internal.steward_role.is_empty() && !record.internal.responsible_role.is_empty());
        assert!(!serde_json::to_string(&record.dataset).unwrap().contains("geheim"));
    }
}
