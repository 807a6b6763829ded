//! What a document says, as far as this version understands it, and what it
//! says beyond.
//!
//! Never fails and never drops: unknown fields are handed on, unreadable ones
//! named, contested ones listed.

use serde_json::{Map, Value};

use super::Document;
use super::tree::{self, Content, Node, Tree};
use crate::catalog::fields::{CATALOG, DATASET, Field, FieldPath, Shape, check_entry, find};
use crate::catalog::form::{Form, Leaves, graft};
use crate::catalog::{Catalog, Dataset, Scalar};
use crate::ids::{DatasetId, Town};

/// A dataset's document, read.
#[derive(Debug, Clone, PartialEq)]
pub struct DatasetContent {
    /// What this version understands. Its `id` is nil, and `unreadable` names
    /// it, if the document gives none; its class is the author's word: the
    /// genesis decides.
    pub dataset: Dataset,
    /// Fields of other versions, as an object; empty if there are none.
    pub extra: Value,
    /// Places where people set different values at the same time.
    pub conflicts: Vec<FieldPath>,
    /// Known fields whose value this version cannot read.
    pub unreadable: Vec<FieldPath>,
}

/// A catalog's document, read.
#[derive(Debug, Clone, PartialEq)]
pub struct CatalogContent {
    /// What this version understands.
    pub catalog: Catalog,
    /// Fields of other versions, as an object; empty if there are none.
    pub extra: Value,
    /// Places where people set different values at the same time.
    pub conflicts: Vec<FieldPath>,
    /// Known fields whose value this version cannot read.
    pub unreadable: Vec<FieldPath>,
}

impl Document {
    /// The dataset it describes.
    pub fn read_dataset(&self) -> DatasetContent {
        let mut reading = Reading::of(DATASET, &tree::tree(&self.inner, None));
        let id = FieldPath::new(["id"]);
        let nil = DatasetId(uuid::Uuid::nil());
        if !reading.leaves.contains_key(&id) {
            reading.leaves.insert(id.clone(), Scalar::Text(nil.to_string()));
            if !reading.unreadable.contains(&id) {
                reading.unreadable.push(id);
            }
        }
        // Each leaf was read by its type and the id is there, so the whole is
        // readable; if the table were wrong, an empty record says it better
        // than a panic while reading a peer's document.
        let dataset = Dataset::from_leaves(&reading.leaves).unwrap_or_else(|_| Dataset::new(nil));
        let Reading { extra, conflicts, unreadable, .. } = reading;
        DatasetContent { dataset, extra: Value::Object(extra), conflicts, unreadable }
    }

    /// The catalog it describes; the town is the document's owner.
    pub fn read_catalog(&self, owner: Town) -> CatalogContent {
        let mut reading = Reading::of(CATALOG, &tree::tree(&self.inner, None));
        reading.leaves.insert(FieldPath::new(["town"]), Scalar::Text(owner.to_string()));
        let catalog = Catalog::from_leaves(&reading.leaves).unwrap_or_else(|_| Catalog::new(owner));
        let Reading { extra, conflicts, unreadable, .. } = reading;
        CatalogContent { catalog, extra: Value::Object(extra), conflicts, unreadable }
    }
}

/// A tree sorted into what is known and what is not.
#[derive(Default)]
pub(super) struct Reading {
    pub(super) leaves: Leaves,
    extra: Map<String, Value>,
    conflicts: Vec<FieldPath>,
    unreadable: Vec<FieldPath>,
}

impl Reading {
    pub(super) fn of(fields: &'static [Field], tree: &Tree) -> Self {
        let mut reading = Self::default();
        reading.record(fields, &FieldPath::new::<_, String>([]), tree);
        reading
    }

    fn record(&mut self, fields: &'static [Field], path: &FieldPath, tree: &Tree) {
        for (name, node) in tree {
            let place = path.child(name);
            self.note_conflict(&place, node);
            match find(fields, name) {
                Some(field) => self.field(field.shape, place, node),
                None => self.unknown(&place, node),
            }
        }
    }

    fn field(&mut self, shape: Shape, place: FieldPath, node: &Node) {
        match (shape, &node.content) {
            (Shape::Scalar(_, check), Content::Scalar(value)) => match check(value) {
                Ok(value) => drop(self.leaves.insert(place, value)),
                Err(_) => self.unreadable.push(place),
            },
            (Shape::Record(fields), Content::Map(tree)) => self.record(fields, &place, tree),
            (Shape::Set(check), Content::Map(members)) => {
                for (key, member) in members {
                    match (check(key), &member.content) {
                        (Ok(key), Content::Scalar(Scalar::Bool(true))) => {
                            self.leaves.insert(place.child(&key), Scalar::Bool(true));
                        }
                        (Ok(_), Content::Scalar(Scalar::Bool(false))) => {}
                        (Ok(key), _) => self.unreadable.push(place.child(&key)),
                        (Err(_), _) => self.unknown(&place.child(key), member),
                    }
                }
            }
            (Shape::Entries(fields), Content::Map(entries)) => {
                for (key, entry) in entries {
                    self.note_conflict(&place.child(key), entry);
                    self.entry(fields, &place, key, entry);
                }
            }
            _ => self.unreadable.push(place),
        }
    }

    fn entry(&mut self, fields: &'static [Field], place: &FieldPath, key: &str, entry: &Node) {
        match (check_entry(key), &entry.content) {
            (Ok(id), Content::Map(tree)) => {
                let place = place.child(&id);
                self.record(fields, &place, tree);
                // An entry exists even if nothing else in it is readable.
                self.leaves.entry(place.child("position")).or_insert(Scalar::Int(0));
            }
            (Ok(_), _) => self.unreadable.push(place.child(key)),
            (Err(_), _) => self.unknown(&place.child(key), entry),
        }
    }

    fn unknown(&mut self, place: &FieldPath, node: &Node) {
        graft(&mut self.extra, place.keys(), node.content.to_json());
    }

    fn note_conflict(&mut self, place: &FieldPath, node: &Node) {
        if node.contested {
            self.conflicts.push(place.clone());
        }
    }
}
