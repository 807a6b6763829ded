//! Between the documents' form and JSON's: flat leaves on one side, the public
//! API's objects and lists on the other.
//!
//! Both directions walk [`super::fields`]. Never guesses: what does not fit the
//! table is handed back to the caller.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::fields::{CATALOG, DATASET, Field, FieldPath, INTERNAL, Scalar, Shape, find};
use super::{Catalog, Dataset, Internal};

/// The values of a record by their place.
pub(crate) type Leaves = BTreeMap<FieldPath, Scalar>;

/// A type that the table describes.
pub(crate) trait Form: Sized + serde::Serialize + serde::de::DeserializeOwned {
    /// Its fields.
    const FIELDS: &'static [Field];

    /// All its values.
    fn to_leaves(&self) -> Leaves {
        let mut leaves = Leaves::new();
        // Serialising these types cannot fail: they are structs of text,
        // integers and maps with text keys.
        if let Ok(Value::Object(object)) = serde_json::to_value(self) {
            flatten_record(Self::FIELDS, &FieldPath::new::<_, String>([]), &object, &mut leaves);
        }
        leaves
    }

    /// The record that these values make.
    fn from_leaves(leaves: &Leaves) -> serde_json::Result<Self> {
        serde_json::from_value(Value::Object(to_json(Self::FIELDS, leaves)))
    }
}

impl Form for Dataset {
    const FIELDS: &'static [Field] = DATASET;
}

impl Form for Catalog {
    const FIELDS: &'static [Field] = CATALOG;
}

impl Form for Internal {
    const FIELDS: &'static [Field] = INTERNAL;
}

fn flatten_record(
    fields: &'static [Field],
    path: &FieldPath,
    object: &Map<String, Value>,
    leaves: &mut Leaves,
) {
    for (name, value) in object {
        if let Some(field) = find(fields, name) {
            flatten(field.shape, path.child(name), value, leaves);
        }
    }
}

fn flatten(shape: Shape, path: FieldPath, value: &Value, leaves: &mut Leaves) {
    match (shape, value) {
        (Shape::Scalar(..), value) => {
            if let Some(scalar) = scalar(value) {
                leaves.insert(path, scalar);
            }
        }
        (Shape::Record(fields), Value::Object(object)) => flatten_record(fields, &path, object, leaves),
        (Shape::Set(_), Value::Array(members)) => {
            leaves.extend(
                members.iter().filter_map(Value::as_str).map(|key| (path.child(key), Scalar::Bool(true))),
            );
        }
        (Shape::Entries(fields), Value::Array(entries)) => {
            for entry in entries.iter().filter_map(Value::as_object) {
                if let Some(id) = entry.get("id").and_then(Value::as_str) {
                    flatten_record(fields, &path.child(id), entry, leaves);
                }
            }
        }
        _ => {}
    }
}

/// The scalar that a JSON value is.
pub(crate) fn scalar(value: &Value) -> Option<Scalar> {
    match value {
        Value::String(text) => Some(Scalar::Text(text.clone())),
        Value::Bool(yes) => Some(Scalar::Bool(*yes)),
        Value::Number(number) => number.as_i64().map(Scalar::Int),
        _ => None,
    }
}

/// The JSON object of the public API that these values make; values without a
/// place in the table are left out.
pub(crate) fn to_json(fields: &'static [Field], leaves: &Leaves) -> Map<String, Value> {
    let mut tree = Map::new();
    for (path, value) in leaves {
        graft(&mut tree, path.keys(), value.to_json());
    }
    present_record(fields, tree)
}

/// Puts a value at its place in a tree of objects.
pub(crate) fn graft(tree: &mut Map<String, Value>, keys: &[String], value: Value) {
    match keys {
        [] => {}
        [last] => {
            tree.insert(last.clone(), value);
        }
        [first, rest @ ..] => {
            let below = tree.entry(first.clone()).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(below) = below {
                graft(below, rest, value);
            }
        }
    }
}

fn present_record(fields: &'static [Field], tree: Map<String, Value>) -> Map<String, Value> {
    let known = tree.into_iter().filter_map(|(name, value)| {
        let value = present(find(fields, &name)?.shape, value)?;
        Some((name, value))
    });
    known.collect()
}

fn present(shape: Shape, value: Value) -> Option<Value> {
    Some(match (shape, value) {
        (Shape::Scalar(..), value) if !value.is_object() => value,
        (Shape::Record(fields), Value::Object(tree)) => Value::Object(present_record(fields, tree)),
        (Shape::Set(_), Value::Object(members)) => members.into_iter().map(|(key, _)| key).collect(),
        (Shape::Entries(fields), Value::Object(entries)) => {
            let mut entries: Vec<Map<String, Value>> = entries
                .into_iter()
                .filter_map(|(id, entry)| {
                    let Value::Object(tree) = entry else { return None };
                    let mut entry = present_record(fields, tree);
                    entry.insert("id".to_owned(), id.into());
                    Some(entry)
                })
                .collect();
            // Ids are in order already; the sort is stable.
            entries.sort_by_key(|entry| entry.get("position").and_then(Value::as_i64).unwrap_or(0));
            entries.into_iter().map(Value::Object).collect()
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_and_the_types_name_the_same_fields() {
        let names = |fields: &'static [Field]| fields.iter().map(|field| field.name).collect::<Vec<_>>();
        let dataset = super::super::testing::full_dataset();
        let Value::Object(json) = serde_json::to_value(&dataset).unwrap() else { panic!("not an object") };
        let mut keys: Vec<_> = json.keys().map(String::as_str).collect();
        let mut table = names(DATASET);
        keys.sort_unstable();
        table.sort_unstable();
        assert_eq!(keys, table);
        let Value::Object(one) = &json["distributions"][0] else { panic!("not an object") };
        assert_eq!(one.len(), names(super::super::fields::DISTRIBUTION).len() + 1, "and the id");
        let Value::Object(one) = &json["services"][0] else { panic!("not an object") };
        assert_eq!(one.len(), names(super::super::fields::SERVICE).len() + 1, "and the id");
        let Value::Object(one) = serde_json::to_value(super::super::testing::full_series()).unwrap() else {
            panic!("not an object")
        };
        assert_eq!(one.len(), names(super::super::fields::SERIES).len() + 1, "and the id");
    }

    #[test]
    fn leaves_make_the_same_record_again() {
        let dataset = super::super::testing::full_dataset();
        assert_eq!(Dataset::from_leaves(&dataset.to_leaves()).unwrap(), dataset);
        let internal = super::super::testing::full_internal();
        assert_eq!(Internal::from_leaves(&internal.to_leaves()).unwrap(), internal);
    }
}
