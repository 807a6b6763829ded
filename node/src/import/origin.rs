//! Where a record came from, and what its source says of it beside what the
//! town says.

use crdt::catalog::{LocalRecord, Merge};
use crdt::ids::UnixMillis;
use serde_json::Value;

use crate::store::SourceRow;

/// A source of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Origin {
    /// The source.
    pub source: String,
    /// What names the record there.
    pub key: String,
    /// Where it stood, in words.
    pub place: String,
    /// When the source said it last that something had changed.
    pub at: UnixMillis,
    /// Fields in which the town says something else, by name.
    pub differs: Vec<Curated>,
}

/// A field that has another value here than at the source.
#[derive(Debug, Clone, PartialEq)]
pub struct Curated {
    /// Its name; notes carry `internal/` before theirs.
    pub field: String,
    /// What the source says; null if nothing.
    pub source: Value,
    /// What the town says; null if nothing.
    pub own: Value,
}

impl Origin {
    /// A source's last word about a record, compared with what is held.
    pub(crate) fn of(row: SourceRow, held: &LocalRecord) -> Self {
        let said = Fields::of(&row.said);
        let own = Fields::of(held);
        let differs = Merge::differences(&row.said, held)
            .into_iter()
            .map(|field| Curated { source: said.value(&field), own: own.value(&field), field })
            .collect();
        let SourceRow { source, key, place, at, .. } = row;
        Self { source, key, place, at, differs }
    }
}

/// A record as JSON, by its top-level fields.
struct Fields {
    dataset: Value,
    internal: Value,
}

impl Fields {
    fn of(record: &LocalRecord) -> Self {
        // These types are structs of text, numbers and maps with text keys.
        let dataset = serde_json::to_value(&record.dataset).unwrap_or_default();
        Self { dataset, internal: serde_json::to_value(&record.internal).unwrap_or_default() }
    }

    fn value(&self, field: &str) -> Value {
        let found = match field.strip_prefix("internal/") {
            Some(note) => self.internal.get(note),
            None => self.dataset.get(field),
        };
        found.cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use crdt::catalog::NewDataset;
    use crdt::ids::DatasetId;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_sources_value_stands_beside_the_towns_own() {
        let id = DatasetId::from_random([7; 16]);
        let record = |body| NewDataset::parse(&body).unwrap().into_record(id).unwrap();
        let said = record(json!({"title": "Bäume", "keywords": ["Baum"], "internal": {"notes": "a"}}));
        let held = record(json!({"title": "Baumkataster", "keywords": ["Baum"], "frequency": "ANNUAL"}));
        let row = SourceRow {
            source: "inventar".into(),
            key: "1".into(),
            place: "Zeile 2".into(),
            dataset: id,
            at: UnixMillis(5),
            said,
            thrown_away: false,
        };
        let origin = Origin::of(row, &held);
        let differs: Vec<_> =
            origin.differs.iter().map(|one| (one.field.as_str(), &one.source, &one.own)).collect();
        assert_eq!(
            differs,
            [
                ("frequency", &json!(null), &json!("ANNUAL")),
                ("internal/notes", &json!("a"), &json!(null)),
                ("title", &json!({"de": "Bäume"}), &json!({"de": "Baumkataster"})),
            ]
        );
    }
}
