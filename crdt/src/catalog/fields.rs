//! The one table of fields: what each is called, what it holds, who keeps it.
//!
//! JSON bodies, edits, documents and the gate's schema all walk this table, so
//! that they cannot disagree. It describes the document's form: a set is a map
//! from its members to `true`, a text in languages a map from language to
//! text, distributions, services and series a map from their ids; concurrent edits then merge
//! per member. Never holds a value.

use std::fmt;

use super::codes::{Class, Hvd, LifecycleStatus, PersonalData, QualityCriterion};
use super::dataset::ByteSize;
use super::geo::BoundingBox;
use super::invalid::{Bilingual, InvalidField};
use super::listed::{DistributionStatus, Frequency, HvdCategory, LicenceIri, Theme};
use super::text::{DistributionId, Format, Identifier, Iri, Line, Mailbox, Phone, Text, Word};
use super::time::{Date, Timestamp};
use crate::ids::{DatasetId, Town};
use crate::vocabulary::List;

/// A value that is replaced as a whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scalar {
    /// Text, also for codes, dates and IRIs.
    Text(String),
    /// A whole number.
    Int(i64),
    /// Yes or no; members of sets are `true`.
    Bool(bool),
}

impl Scalar {
    /// What kind of value it is.
    pub fn kind(&self) -> ValueKind {
        match self {
            Self::Text(_) => ValueKind::Text,
            Self::Int(_) => ValueKind::Int,
            Self::Bool(_) => ValueKind::Bool,
        }
    }

    /// Bytes of text in it.
    pub(crate) fn text_len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Int(_) | Self::Bool(_) => 0,
        }
    }

    /// The same value in JSON.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Int(number) => (*number).into(),
            Self::Bool(yes) => (*yes).into(),
        }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Int(number) => write!(f, "{number}"),
            Self::Bool(yes) => write!(f, "{yes}"),
        }
    }
}

/// What can stand at a place of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ValueKind {
    /// A map.
    Map,
    /// A list; no field of level 1 is one.
    List,
    /// A text scalar.
    Text,
    /// An integer scalar.
    Int,
    /// A boolean scalar.
    Bool,
    /// Null; no field of level 1 is.
    Null,
    /// A byte scalar; no field of level 1 is.
    Bytes,
}

impl ValueKind {
    /// The kind's name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Map => "map",
            Self::List => "list",
            Self::Text => "text",
            Self::Int => "integer",
            Self::Bool => "boolean",
            Self::Null => "null",
            Self::Bytes => "bytes",
        }
    }
}

/// A place in a record: its keys from the root.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(Vec<String>);

impl FieldPath {
    /// The place that these keys name.
    pub fn new<I: IntoIterator<Item = S>, S: Into<String>>(keys: I) -> Self {
        Self(keys.into_iter().map(Into::into).collect())
    }

    /// The keys.
    pub fn keys(&self) -> &[String] {
        &self.0
    }

    /// The place of `key` below this one.
    pub fn child(&self, key: &str) -> Self {
        Self(self.0.iter().cloned().chain([key.to_owned()]).collect())
    }

    /// Whether it is `other` or lies below it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }
}

impl serde::Serialize for FieldPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}

/// Reads a value and gives it back in its one canonical spelling.
pub(crate) type Check = fn(&Scalar) -> Result<Scalar, InvalidField>;
/// The same for a map key.
pub(crate) type KeyCheck = fn(&str) -> Result<String, InvalidField>;

/// The language that a text without one is taken for.
pub(crate) const GERMAN: &str = "de";

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// One value.
    Scalar(ValueKind, Check),
    /// A map with these fields.
    Record(&'static [Field]),
    /// A map from member to `true`.
    Set(KeyCheck),
    /// A map from id to a record with these fields.
    Entries(&'static [Field]),
}

/// Who may change a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeper {
    /// People.
    Person,
    /// People, but only while creating the record.
    Creator,
    /// The node alone.
    Node,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) keeper: Keeper,
    /// The list that people's words for it are looked up in.
    pub(crate) list: Option<List>,
}

/// The row of that name.
pub(crate) fn find(fields: &'static [Field], name: &str) -> Option<&'static Field> {
    fields.iter().find(|field| field.name == name)
}

const fn field(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, keeper: Keeper::Person, list: None }
}

const fn kept(name: &'static str, shape: Shape, keeper: Keeper) -> Field {
    Field { name, shape, keeper, list: None }
}

const fn listed(name: &'static str, shape: Shape, list: List) -> Field {
    Field { name, shape, keeper: Keeper::Person, list: Some(list) }
}

static TITLE: &[Field] = &[field(GERMAN, scalar(text::<Line>)), field("en", scalar(text::<Line>))];

static PROSE: &[Field] = &[field(GERMAN, scalar(text::<Text>)), field("en", scalar(text::<Text>))];

static KEYWORDS: &[Field] = &[field(GERMAN, Shape::Set(key::<Word>)), field("en", Shape::Set(key::<Word>))];

/// The distributions' table.
pub(crate) static DISTRIBUTION: &[Field] = &[
    field("position", Shape::Scalar(ValueKind::Int, position)),
    field("title", Shape::Record(TITLE)),
    field("description", Shape::Record(PROSE)),
    field("access_url", scalar(text::<Iri>)),
    field("download_url", scalar(text::<Iri>)),
    listed("format", scalar(text::<Format>), List::Formats),
    field("media_type", scalar(text::<Line>)),
    listed("licence", scalar(text::<LicenceIri>), List::Licences),
    field("attribution", scalar(text::<Line>)),
    listed("status", scalar(text::<DistributionStatus>), List::DistributionStatuses),
    field("modified", scalar(text::<Date>)),
    field("byte_size", Shape::Scalar(ValueKind::Int, byte_size)),
    field("service", scalar(text::<DistributionId>)),
];

/// The services' table.
pub(crate) static SERVICE: &[Field] = &[
    field("position", Shape::Scalar(ValueKind::Int, position)),
    field("title", Shape::Record(TITLE)),
    field("description", Shape::Record(PROSE)),
    field("endpoint_url", scalar(text::<Iri>)),
    field("endpoint_description", scalar(text::<Iri>)),
    field("documentation", scalar(text::<Iri>)),
    listed("format", scalar(text::<Format>), List::Formats),
    listed("licence", scalar(text::<LicenceIri>), List::Licences),
    field("contact", Shape::Record(CONTACT)),
];

/// The series' table.
pub(crate) static SERIES: &[Field] = &[
    field("position", Shape::Scalar(ValueKind::Int, position)),
    field("iri", scalar(text::<Iri>)),
    field("title", Shape::Record(TITLE)),
    field("description", Shape::Record(PROSE)),
    listed("frequency", scalar(text::<Frequency>), List::Frequencies),
    listed("hvd_categories", Shape::Set(key::<HvdCategory>), List::HvdCategories),
];

static AGENT: &[Field] = &[
    field("name", scalar(text::<Line>)),
    field("iri", scalar(text::<Iri>)),
    field("url", scalar(text::<Iri>)),
];

static CONTACT: &[Field] = &[
    field("name", scalar(text::<Line>)),
    field("email", scalar(text::<Mailbox>)),
    field("url", scalar(text::<Iri>)),
    field("phone", scalar(text::<Phone>)),
];

static SPATIAL: &[Field] = &[
    field("geocoding", scalar(text::<Iri>)),
    field("unit", scalar(text::<Line>)),
    field("bbox", scalar(text::<BoundingBox>)),
];

static TEMPORAL: &[Field] = &[field("start", scalar(text::<Date>)), field("end", scalar(text::<Date>))];

/// The datasets' table.
pub(crate) static DATASET: &[Field] = &[
    kept("id", scalar(text::<DatasetId>), Keeper::Node),
    kept("identifier", scalar(text::<Identifier>), Keeper::Creator),
    kept("iri", scalar(text::<Iri>), Keeper::Node),
    field("other_identifiers", Shape::Set(key::<Identifier>)),
    kept("replaced_by", scalar(text::<DatasetId>), Keeper::Node),
    kept("class", scalar(text::<Class>), Keeper::Node),
    field("status", scalar(text::<LifecycleStatus>)),
    field("title", Shape::Record(TITLE)),
    field("description", Shape::Record(PROSE)),
    field("keywords", Shape::Record(KEYWORDS)),
    listed("themes", Shape::Set(key::<Theme>), List::Themes),
    listed("musterdatensatz", scalar(text::<Iri>), List::ReferenceTypes),
    listed("licence", scalar(text::<LicenceIri>), List::Licences),
    field("attribution", scalar(text::<Line>)),
    listed("formats", Shape::Set(key::<Format>), List::Formats),
    listed("frequency", scalar(text::<Frequency>), List::Frequencies),
    field("update_process", scalar(text::<Line>)),
    kept("issued", scalar(text::<Timestamp>), Keeper::Node),
    kept("modified", scalar(text::<Timestamp>), Keeper::Node),
    field("data_modified", scalar(text::<Date>)),
    field("spatial", Shape::Record(SPATIAL)),
    field("temporal", Shape::Record(TEMPORAL)),
    field("publisher", Shape::Record(AGENT)),
    field("contact", Shape::Record(CONTACT)),
    field("department", scalar(text::<Line>)),
    field("domain", scalar(text::<Line>)),
    field("personal_data", scalar(text::<PersonalData>)),
    field("hvd", scalar(text::<Hvd>)),
    listed("hvd_categories", Shape::Set(key::<HvdCategory>), List::HvdCategories),
    field("quality_criteria", Shape::Set(key::<QualityCriterion>)),
    field("in_series", scalar(text::<Iri>)),
    field("distributions", Shape::Entries(DISTRIBUTION)),
    field("services", Shape::Entries(SERVICE)),
];

/// The catalogs' table.
pub(crate) static CATALOG: &[Field] = &[
    kept("town", scalar(text::<Town>), Keeper::Node),
    field("iri", scalar(text::<Iri>)),
    field("base_url", scalar(text::<Iri>)),
    field("homepage", scalar(text::<Iri>)),
    field("title", Shape::Record(TITLE)),
    field("description", Shape::Record(PROSE)),
    field("publisher", Shape::Record(AGENT)),
    field("contact", Shape::Record(CONTACT)),
    listed("licence", scalar(text::<LicenceIri>), List::Licences),
    listed("contributor_id", scalar(text::<Iri>), List::Contributors),
    field("spatial", Shape::Record(SPATIAL)),
    field("series", Shape::Entries(SERIES)),
];

static ROLE: &[Field] = &[
    field("role", scalar(text::<Line>)),
    field("unit", scalar(text::<Line>)),
    field("mailbox", scalar(text::<Mailbox>)),
];

static SHARING: &[Field] = &[
    field("recipients", Shape::Set(key::<Line>)),
    field("purpose", scalar(text::<Text>)),
    field("valid_until", scalar(text::<Date>)),
    field("usage_terms", scalar(text::<Text>)),
];

/// The table of what never leaves the town; no document is made of it.
pub(crate) static INTERNAL: &[Field] = &[
    field("legal_basis", scalar(text::<Text>)),
    field("source_system", scalar(text::<Line>)),
    field("responsible_role", Shape::Record(ROLE)),
    field("steward_role", Shape::Record(ROLE)),
    field("classification_reason", scalar(text::<Text>)),
    field("proposed_classification", scalar(text::<Class>)),
    field("sharing", Shape::Record(SHARING)),
    field("notes", scalar(text::<Text>)),
];

const fn scalar(check: Check) -> Shape {
    Shape::Scalar(ValueKind::Text, check)
}

/// A type whose values are text.
pub(crate) trait TextValue: fmt::Display + Sized {
    /// Reads it.
    fn read(text: &str) -> Result<Self, InvalidField>;
}

macro_rules! text_values {
    ($how:ident: $($name:ident),+) => { $(
        impl TextValue for $name {
            fn read(text: &str) -> Result<Self, InvalidField> {
                Self::$how(text)
            }
        }
    )+ };
}
text_values!(read: DistributionStatus, Format, Frequency, HvdCategory, LicenceIri, Theme);
text_values!(
    parse:
    BoundingBox,
    Class,
    Date,
    DistributionId,
    Hvd,
    Identifier,
    Iri,
    LifecycleStatus,
    Line,
    Mailbox,
    PersonalData,
    Phone,
    QualityCriterion,
    Text,
    Timestamp,
    Word
);

fn from_id(what: &'static str, text: &str, error: &crate::ids::InvalidId) -> InvalidField {
    let problem = Bilingual::made(
        format!("ist keine gültige Kennung ({})", error.what),
        format!("is not a valid {}", error.what),
    );
    InvalidField::new(what, text, problem, Bilingual::fixed(error.remedy, error.remedy))
}

impl TextValue for DatasetId {
    fn read(text: &str) -> Result<Self, InvalidField> {
        text.parse().map_err(|error| from_id("id", text, &error))
    }
}

impl TextValue for Town {
    fn read(text: &str) -> Result<Self, InvalidField> {
        Self::parse(text).map_err(|error| from_id("town", text, &error))
    }
}

fn text<T: TextValue>(value: &Scalar) -> Result<Scalar, InvalidField> {
    match value {
        Scalar::Text(text) => T::read(text).map(|value| Scalar::Text(value.to_string())),
        other => Err(wrong_kind("", other, ValueKind::Text)),
    }
}

fn key<T: TextValue>(text: &str) -> Result<String, InvalidField> {
    let key = T::read(text)?.to_string();
    if key.len() > KEY_BYTES_MAX {
        let remedy = Bilingual::fixed("auf höchstens 256 Byte kürzen", "shorten it to at most 256 bytes");
        return Err(InvalidField::new("", text, Bilingual::fixed("ist zu lang", "is too long"), remedy));
    }
    Ok(key)
}

/// Longest map key in bytes (protocol section 13).
pub(crate) const KEY_BYTES_MAX: usize = 256;

fn position(value: &Scalar) -> Result<Scalar, InvalidField> {
    whole_number(value, i64::from(u32::MAX))
}

fn byte_size(value: &Scalar) -> Result<Scalar, InvalidField> {
    whole_number(value, i64::try_from(ByteSize::MAX).unwrap_or(i64::MAX))
}

fn whole_number(value: &Scalar, max: i64) -> Result<Scalar, InvalidField> {
    match value {
        Scalar::Int(number) if (0..=max).contains(number) => Ok(value.clone()),
        Scalar::Int(number) => Err(InvalidField::new(
            "",
            number,
            Bilingual::fixed("liegt nicht im erlaubten Bereich", "is out of range"),
            Bilingual::made(
                format!("eine Zahl von 0 bis {max} angeben"),
                format!("give a number from 0 to {max}"),
            ),
        )),
        other => Err(wrong_kind("", other, ValueKind::Int)),
    }
}

/// A value of the wrong kind.
pub(crate) fn wrong_kind(field: &str, value: &dyn fmt::Display, wanted: ValueKind) -> InvalidField {
    let (de, en) = match wanted {
        ValueKind::Text => ("einen Text in Anführungszeichen angeben", "give a text in quotation marks"),
        ValueKind::Int => ("eine ganze Zahl angeben", "give a whole number"),
        ValueKind::Bool => ("true oder false angeben", "give true or false"),
        _ => ("ein Objekt angeben", "give an object"),
    };
    InvalidField::new(
        field,
        value,
        Bilingual::fixed("hat den falschen Typ", "is of the wrong type"),
        Bilingual::fixed(de, en),
    )
}

/// Reads the key of an entry: of a distribution, a service or a series.
pub(crate) fn check_entry(key: &str) -> Result<String, InvalidField> {
    DistributionId::parse(key).map(String::from)
}
