//! The properties that filters name: what they are called, what they hold, and
//! how the collection describes them (Features, Part 3, OGC 19-079r2, clause 6).

use crdt::vocabulary::Vocabularies;
use serde_json::{Value, json};

/// A property that filters may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Queryable {
    Id,
    ExternalIds,
    Type,
    Title,
    Keywords,
    Themes,
    Formats,
    License,
    Town,
    Created,
    Updated,
    Time,
    Geometry,
}

/// What a property holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// One text or several.
    Text,
    /// A moment.
    Moment,
    /// The days that the data describe.
    Interval,
    /// A rectangle.
    Geometry,
}

impl Queryable {
    /// All, with their names.
    const ALL: [(Self, &'static str); 13] = [
        (Self::Id, "id"),
        (Self::ExternalIds, "externalIds"),
        (Self::Type, "type"),
        (Self::Title, "title"),
        (Self::Keywords, "keywords"),
        (Self::Themes, "themes"),
        (Self::Formats, "formats"),
        (Self::License, "license"),
        (Self::Town, "town"),
        (Self::Created, "created"),
        (Self::Updated, "updated"),
        (Self::Time, "time"),
        (Self::Geometry, "geometry"),
    ];

    /// Their names.
    pub(super) fn names() -> [&'static str; 13] {
        Self::ALL.map(|(_, name)| name)
    }

    /// The property with a name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(property, _)| *property)
    }

    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Created | Self::Updated => Kind::Moment,
            Self::Time => Kind::Interval,
            Self::Geometry => Kind::Geometry,
            _ => Kind::Text,
        }
    }

    fn schema(self, towns: &[String], lists: &Vocabularies) -> Value {
        let text = |title: &str| json!({"title": title, "type": "string"});
        let any = |title: &str| json!({"title": title, "type": "string", "description": "A comparison is true if it is true of one of the values"});
        let moment = |title: &str| json!({"title": title, "type": "string", "format": "date-time"});
        match self {
            Self::Id => text("UUID of the dataset"),
            Self::ExternalIds => any("Identifier that the town gave (`dct:identifier`)"),
            Self::Type => json!({"title": "Resource type", "type": "string", "enum": ["dataset"]}),
            Self::Title => any("Title as a whole, in German or English"),
            Self::Keywords => any("Keyword"),
            Self::Themes => {
                let codes: Vec<&str> =
                    lists.themes().concepts().iter().map(|one| one.code.as_ref()).collect();
                let mut themes = any("EU data theme");
                themes["enum"] = codes.into();
                themes
            }
            Self::Formats => any("File format or service type"),
            Self::License => any("SPDX name or DCAT-AP.de IRI of the licence"),
            Self::Town => json!({"title": "Short name of the town", "type": "string", "enum": towns}),
            Self::Created => moment("First published"),
            Self::Updated => moment("Last changed"),
            Self::Time => json!({
                "title": "Days that the data describe, from and to", "type": "array",
                "items": {"type": "string", "format": "date"}, "minItems": 2, "maxItems": 2,
                "description": "Only for temporal functions such as T_INTERSECTS, and IS NULL",
            }),
            Self::Geometry => json!({
                "title": "Rectangle in which the data lie (WGS 84)", "format": "geometry-polygon",
                "x-ogc-role": "primary-geometry",
                "description": "Only for S_INTERSECTS, and IS NULL",
            }),
        }
    }
}

/// The properties with their schemas.
pub(super) fn schemas(towns: &[String], lists: &Vocabularies) -> Value {
    let schema = |(property, name): &(Queryable, &str)| ((*name).to_owned(), property.schema(towns, lists));
    Value::Object(Queryable::ALL.iter().map(schema).collect())
}
