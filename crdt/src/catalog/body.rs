//! Reads JSON bodies of people and programs into changes, field by field, and
//! says of everything wrong which field, which value and what to do.
//!
//! Forms that mean the same are taken alike: a plain text is German, a code's
//! IRI, label or known spelling is the code, a list replaces a set as a whole while
//! `{"add": […], "remove": […]}` changes it. Never lets an unknown name pass.

use serde_json::{Map, Value};

use super::edit::{Changes, DISTRIBUTIONS_MAX, MEMBERS_MAX, RECORD_BYTES_MAX, too_large, too_many};
use super::fields::{
    Check, DATASET, Field, FieldPath, GERMAN, INTERNAL, Keeper, KeyCheck, Scalar, Shape, ValueKind,
    check_entry, find, wrong_kind,
};
use super::form;
use super::invalid::{Bilingual, InvalidField, Lang, nearest};
use super::text::DistributionId;
use crate::vocabulary::{List, Vocabularies};

/// Most errors reported of one body.
const ERRORS_MAX: usize = 20;

/// A body that cannot be taken as it is; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidBody {
    /// What is wrong, at least one.
    pub fields: Vec<InvalidField>,
}

impl InvalidBody {
    /// All sentences in one language.
    pub fn messages(&self, lang: Lang) -> Vec<String> {
        self.fields.iter().map(|field| field.message(lang)).collect()
    }
}

impl std::fmt::Display for InvalidBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.messages(Lang::En).join("; "))
    }
}

impl std::error::Error for InvalidBody {}

impl From<InvalidField> for InvalidBody {
    fn from(field: InvalidField) -> Self {
        Self { fields: vec![field] }
    }
}

/// What the body is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// A new record.
    Create,
    /// Changes to one that exists.
    Change,
}

/// Reads a body of one table.
pub(super) fn parse(
    fields: &'static [Field],
    kind: &'static str,
    mode: Mode,
    json: &Value,
    lists: &Vocabularies,
) -> Result<Changes, InvalidBody> {
    let mut reader = Reader::new(mode, lists);
    reader.root(fields, kind, "", json);
    reader.finish()
}

/// Reads a body of a record: the dataset's fields, and `internal`.
pub(super) fn parse_record(
    mode: Mode,
    json: &Value,
    lists: &Vocabularies,
) -> Result<(Changes, Changes), InvalidBody> {
    let (mut public, mut internal) = (Reader::new(mode, lists), Reader::new(mode, lists));
    let mut rest = json.clone();
    if let Some(value) = rest.as_object_mut().and_then(|object| object.remove("internal")) {
        internal.root(INTERNAL, "internal", "internal/", &value);
    }
    public.root(DATASET, "dataset", "", &rest);
    match (public.finish(), internal.finish()) {
        (Ok(public), Ok(internal)) => Ok((public, internal)),
        (public, internal) => {
            let errors = [public.err(), internal.err()].into_iter().flatten().flat_map(|body| body.fields);
            Err(InvalidBody { fields: errors.take(ERRORS_MAX).collect() })
        }
    }
}

struct Reader<'a> {
    mode: Mode,
    lists: &'a Vocabularies,
    prefix: &'static str,
    changes: Changes,
    errors: Vec<InvalidField>,
    bytes: usize,
}

impl<'a> Reader<'a> {
    fn new(mode: Mode, lists: &'a Vocabularies) -> Self {
        Self { mode, lists, prefix: "", changes: Changes::default(), errors: Vec::new(), bytes: 0 }
    }

    fn finish(mut self) -> Result<Changes, InvalidBody> {
        if self.bytes > RECORD_BYTES_MAX && self.errors.is_empty() {
            self.errors.push(too_large(self.bytes));
        }
        if self.errors.is_empty() { Ok(self.changes) } else { Err(InvalidBody { fields: self.errors }) }
    }

    fn fail(&mut self, error: InvalidField) {
        if self.errors.len() < ERRORS_MAX {
            let field = format!("{}{}", self.prefix, error.field);
            self.errors.push(error.at(field));
        }
    }

    fn root(&mut self, fields: &'static [Field], kind: &'static str, prefix: &'static str, json: &Value) {
        self.prefix = prefix;
        match json {
            Value::Object(object) => self.record(fields, &FieldPath::new::<_, String>([]), object),
            Value::Null if self.mode == Mode::Change && kind == "internal" => {
                self.changes.clear.extend(fields.iter().map(|field| FieldPath::new([field.name])));
            }
            other => self.errors.push(wrong_kind(kind, &shown(other), ValueKind::Map)),
        }
    }

    fn record(&mut self, fields: &'static [Field], path: &FieldPath, object: &Map<String, Value>) {
        for (name, value) in object {
            let place = path.child(name);
            match find(fields, name) {
                None => self.fail(unknown_field(fields, &place, name, value)),
                Some(field)
                    if field.keeper == Keeper::Node
                        || (field.keeper == Keeper::Creator && self.mode == Mode::Change) =>
                {
                    self.fail(kept_by_the_node(&place, value));
                }
                Some(Field { list: None, shape, .. }) => self.field(*shape, place, value),
                Some(Field { list: Some(list), shape, .. }) => match known(self.lists, *list, value) {
                    Ok(value) => self.field(*shape, place, &value),
                    Err(errors) => {
                        errors.into_iter().for_each(|error| self.fail(error.at(place.to_string())))
                    }
                },
            }
        }
    }

    fn field(&mut self, shape: Shape, path: FieldPath, value: &Value) {
        match (shape, value) {
            (_, Value::Null) => {
                self.changes.clear.insert(path);
            }
            (Shape::Scalar(kind, check), value) => self.scalar(kind, check, path, value),
            (Shape::Record(fields), Value::Object(object)) => self.record(fields, &path, object),
            (Shape::Record(fields), value @ (Value::String(_) | Value::Array(_))) => {
                match find(fields, GERMAN) {
                    Some(german) => self.field(german.shape, path.child(GERMAN), value),
                    None => self.fail(wrong_kind(&path.to_string(), &shown(value), ValueKind::Map)),
                }
            }
            (Shape::Set(check), Value::Array(members)) => {
                self.changes.clear.insert(path.clone());
                self.members(check, &path, members);
            }
            (Shape::Set(check), Value::Object(object)) => self.set_changes(check, &path, object),
            (Shape::Entries(fields), Value::Array(entries)) => self.entry_list(fields, path, entries),
            (Shape::Entries(fields), Value::Object(entries)) => self.entry_map(fields, &path, entries),
            (Shape::Set(_) | Shape::Entries(_), value) => self.fail(InvalidField::new(
                path.to_string(),
                shown(value),
                Bilingual::fixed("ist keine Liste", "is not a list"),
                Bilingual::fixed("eine Liste in eckigen Klammern angeben", "give a list in square brackets"),
            )),
            (Shape::Record(_), value) => {
                self.fail(wrong_kind(&path.to_string(), &shown(value), ValueKind::Map))
            }
        }
    }

    fn scalar(&mut self, kind: ValueKind, check: Check, path: FieldPath, value: &Value) {
        // Programs write sizes as text, and a bounding box as a list.
        let given = match (kind, value) {
            (ValueKind::Int, Value::String(text)) => text.trim().parse().ok().map(Scalar::Int),
            _ => form::scalar(value),
        };
        let checked = match given {
            Some(given) => check(&given).map_err(|error| error.at(path.to_string())),
            None => Err(wrong_kind(&path.to_string(), &shown(value), kind)),
        };
        match checked {
            Ok(value) => self.set(path, value),
            Err(error) => self.fail(error),
        }
    }

    fn set(&mut self, path: FieldPath, value: Scalar) {
        self.bytes += path.keys().last().map_or(0, String::len) + value.text_len();
        self.changes.set.insert(path, value);
    }

    fn members(&mut self, check: KeyCheck, path: &FieldPath, members: &[Value]) {
        if members.len() > MEMBERS_MAX {
            return self.fail(too_many(&path.to_string(), members.len(), MEMBERS_MAX));
        }
        for member in members {
            match self.member(check, path, member) {
                Ok(key) => self.set(path.child(&key), Scalar::Bool(true)),
                Err(error) => self.fail(error),
            }
        }
    }

    fn member(&self, check: KeyCheck, path: &FieldPath, member: &Value) -> Result<String, InvalidField> {
        match member {
            Value::String(text) => check(text).map_err(|error| error.at(path.to_string())),
            other => Err(wrong_kind(&path.to_string(), &shown(other), ValueKind::Text)),
        }
    }

    fn set_changes(&mut self, check: KeyCheck, path: &FieldPath, object: &Map<String, Value>) {
        for (name, value) in object {
            match (name.as_str(), value) {
                ("add", Value::Array(members)) => self.members(check, path, members),
                ("remove", Value::Array(members)) => {
                    for member in members {
                        match self.member(check, path, member) {
                            Ok(key) => drop(self.changes.clear.insert(path.child(&key))),
                            Err(error) => self.fail(error),
                        }
                    }
                }
                _ => self.fail(InvalidField::new(
                    path.child(name).to_string(),
                    shown(value),
                    Bilingual::fixed("ändert keine Liste", "does not change a list"),
                    Bilingual::fixed(
                        "die ganze Liste angeben, oder {\"add\": […], \"remove\": […]}",
                        "give the whole list, or {\"add\": […], \"remove\": […]}",
                    ),
                )),
            }
        }
    }

    fn entry_list(&mut self, fields: &'static [Field], path: FieldPath, entries: &[Value]) {
        if entries.len() > DISTRIBUTIONS_MAX {
            return self.fail(too_many(&path.to_string(), entries.len(), DISTRIBUTIONS_MAX));
        }
        self.changes.clear.insert(path.clone());
        let mut seen = std::collections::BTreeSet::new();
        for (index, entry) in entries.iter().enumerate() {
            let at = path.child(&index.to_string()).to_string();
            let Value::Object(object) = entry else {
                self.fail(wrong_kind(&at, &shown(entry), ValueKind::Map));
                continue;
            };
            let mut object = object.clone();
            let id = match object.remove("id") {
                Some(Value::String(id)) => check_entry(&id).map_err(|error| error.at(format!("{at}/id"))),
                Some(other) => Err(wrong_kind(&format!("{at}/id"), &shown(&other), ValueKind::Text)),
                None => Ok(unused(derived_id(&object), &seen)),
            };
            match id {
                Ok(id) if seen.insert(id.clone()) => {
                    object.insert("position".to_owned(), index.into());
                    self.record(fields, &path.child(&id), &object);
                }
                Ok(id) => self.fail(InvalidField::new(
                    format!("{at}/id"),
                    id,
                    Bilingual::fixed("kommt zweimal vor", "occurs twice"),
                    Bilingual::fixed("jede Kennung nur einmal verwenden", "use each id once"),
                )),
                Err(error) => self.fail(error),
            }
        }
    }

    fn entry_map(&mut self, fields: &'static [Field], path: &FieldPath, entries: &Map<String, Value>) {
        if entries.len() > DISTRIBUTIONS_MAX {
            return self.fail(too_many(&path.to_string(), entries.len(), DISTRIBUTIONS_MAX));
        }
        for (id, entry) in entries {
            let id = match check_entry(id) {
                Ok(id) => id,
                Err(error) => {
                    self.fail(error.at(path.to_string()));
                    continue;
                }
            };
            match entry {
                Value::Null => drop(self.changes.clear.insert(path.child(&id))),
                Value::Object(object) => self.record(fields, &path.child(&id), object),
                other => self.fail(wrong_kind(&path.child(&id).to_string(), &shown(other), ValueKind::Map)),
            }
        }
    }
}

/// The value with its words looked up in a list: what is known becomes what
/// records write.
fn known(lists: &Vocabularies, list: List, value: &Value) -> Result<Value, Vec<InvalidField>> {
    match value {
        Value::String(text) => known_word(lists, list, text).map(Value::String).map_err(|error| vec![error]),
        Value::Array(members) => {
            let (known, wrong): (Vec<_>, Vec<_>) =
                members.iter().map(|member| known(lists, list, member)).partition(Result::is_ok);
            match wrong.is_empty() {
                true => Ok(known.into_iter().filter_map(Result::ok).collect()),
                false => Err(wrong.into_iter().filter_map(Result::err).flatten().collect()),
            }
        }
        // `remove` too: whoever writes a spelling means its code.
        Value::Object(changes) => {
            let change = |(name, value): (&String, &Value)| Ok((name.clone(), known(lists, list, value)?));
            changes.iter().map(change).collect::<Result<_, _>>().map(Value::Object)
        }
        other => Ok(other.clone()),
    }
}

fn known_word(lists: &Vocabularies, list: List, text: &str) -> Result<String, InvalidField> {
    let vocabulary = lists.list(list);
    let free = match list {
        // Formats are named freely where no list has them yet.
        List::Formats => true,
        // These lists grow faster than they are taken over.
        List::ReferenceTypes | List::Contributors => text.contains(':'),
        _ => false,
    };
    let concept = match vocabulary.find(text) {
        Some(concept) => concept,
        None if free => return Ok(text.to_owned()),
        None => vocabulary.resolve("", text)?,
    };
    Ok(match list {
        List::Licences | List::ReferenceTypes | List::Contributors => {
            concept.iri.as_deref().unwrap_or(&concept.code).to_owned()
        }
        _ => concept.name().to_owned(),
    })
}

fn derived_id(object: &Map<String, Value>) -> String {
    let text = |name: &str| object.get(name).and_then(Value::as_str);
    let title = text("title").or_else(|| object.get("title")?.get(GERMAN)?.as_str());
    let address = text("access_url").or_else(|| text("endpoint_url")).or_else(|| text("iri"));
    DistributionId::derive(address, text("download_url"), text("format"), title).to_string()
}

fn unused(id: String, seen: &std::collections::BTreeSet<String>) -> String {
    let numbered = (2..).map(|n: u32| format!("{id}-{n}"));
    std::iter::once(id.clone()).chain(numbered).find(|id| !seen.contains(id)).unwrap_or(id)
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn unknown_field(fields: &'static [Field], place: &FieldPath, name: &str, value: &Value) -> InvalidField {
    let problem = Bilingual::fixed("steht in einem unbekannten Feld", "stands in an unknown field");
    let remedy =
        if place.keys().len() == 1 && find(fields, "title").is_some() && find(INTERNAL, name).is_some() {
            Bilingual::made(format!("als internal/{name} angeben"), format!("give it as internal/{name}"))
        } else if let Some(guess) = nearest(name, fields.iter().map(|field| field.name)) {
            Bilingual::made(format!("vielleicht „{guess}“?"), format!("did you mean `{guess}`?"))
        } else {
            let names = fields.iter().map(|field| field.name).collect::<Vec<_>>().join(", ");
            Bilingual::made(format!("möglich sind: {names}"), format!("possible are: {names}"))
        };
    InvalidField::new(place.to_string(), shown(value), problem, remedy)
}

fn kept_by_the_node(place: &FieldPath, value: &Value) -> InvalidField {
    let (de, en) = match place.keys().first().map(String::as_str) {
        Some("class") => (
            "weglassen; veröffentlichen ändert die Einstufung, internal/proposed_classification schlägt eine vor",
            "leave it out; publishing changes the class, internal/proposed_classification proposes one",
        ),
        Some("identifier") => (
            "weglassen; die Kennung wird einmal vergeben und bleibt",
            "leave it out; the identifier is given once and stays",
        ),
        _ => (
            "weglassen; der Knoten führt dieses Feld selbst",
            "leave it out; the node keeps this field itself",
        ),
    };
    let problem = Bilingual::fixed("kann so nicht geändert werden", "cannot be changed this way");
    InvalidField::new(place.to_string(), shown(value), problem, Bilingual::fixed(de, en))
}
