//! What a document says, as far as this version understands it, and what it
//! says beyond.
//!
//! Never fails and never drops: unknown fields are handed on, unreadable ones
//! named, contested ones listed.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::tree::{self, Content, Node, Tree};
use super::{Document, plain};
use crate::catalog::fields::{CATALOG, DATASET, Field, FieldPath, KeyCheck, Shape, check_entry, find};
use crate::catalog::form::graft;
use crate::catalog::{Catalog, Dataset, Scalar};
use crate::ids::{ActorId, DatasetId, Town};
use crate::operations::Operations;

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

impl DatasetContent {
    /// What a document says whose only change is this one, by `actor`, as
    /// [`Document::read_dataset`] would; `None` if that takes more than to read
    /// the operations. They must have passed the structural rules.
    pub(crate) fn of_only_change(operations: &Operations, actor: &ActorId) -> Option<Self> {
        plain::tree(operations, actor).map(|tree| Self::of_tree(&tree))
    }

    fn of_tree(tree: &Tree) -> Self {
        let mut reading = Reading::default();
        let mut known = reading.record(DATASET, tree);
        let nil = DatasetId(uuid::Uuid::nil());
        if !known.contains_key("id") {
            known.insert("id".to_owned(), nil.to_string().into());
            let id = FieldPath::new(["id"]);
            if !reading.unreadable.contains(&id) {
                reading.unreadable.push(id);
            }
        }
        // Each value was read by its type and the id is there, so the whole is
        // readable; if the table were wrong, an empty record says it better
        // than a panic while reading a peer's document.
        let dataset = from_json(known).unwrap_or_else(|_| Dataset::new(nil));
        let Reading { extra, conflicts, unreadable, .. } = reading;
        Self { dataset, extra: Value::Object(extra), conflicts, unreadable }
    }
}

impl Document {
    /// The dataset it describes.
    pub fn read_dataset(&self) -> DatasetContent {
        DatasetContent::of_tree(&tree::tree(&self.inner, None))
    }

    /// The catalog it describes; the town is the document's owner.
    pub fn read_catalog(&self, owner: Town) -> CatalogContent {
        let tree = tree::tree(&self.inner, None);
        let mut reading = Reading::default();
        let mut known = reading.record(CATALOG, &tree);
        known.insert("town".to_owned(), owner.to_string().into());
        let catalog = from_json(known).unwrap_or_else(|_| Catalog::new(owner));
        let Reading { extra, conflicts, unreadable, .. } = reading;
        CatalogContent { catalog, extra: Value::Object(extra), conflicts, unreadable }
    }
}

fn from_json<T: DeserializeOwned>(known: Map<String, Value>) -> serde_json::Result<T> {
    serde_json::from_value(Value::Object(known))
}

/// Sorts a tree into what is known and what is not.
#[derive(Default)]
struct Reading<'a> {
    /// Where in the tree the reading is.
    path: Vec<&'a str>,
    extra: Map<String, Value>,
    conflicts: Vec<FieldPath>,
    unreadable: Vec<FieldPath>,
}

impl<'a> Reading<'a> {
    /// The known fields of a record in the form of the public API.
    fn record(&mut self, fields: &'static [Field], tree: &'a Tree) -> Map<String, Value> {
        let mut known = Map::new();
        for (name, node) in tree {
            self.path.push(name);
            self.note_conflict(node);
            match find(fields, name) {
                Some(field) => {
                    if let Some(value) = self.field(field.shape, node) {
                        known.insert(name.clone(), value);
                    }
                }
                None => self.unknown(node),
            }
            self.path.pop();
        }
        known
    }

    fn field(&mut self, shape: Shape, node: &'a Node) -> Option<Value> {
        match (shape, &node.content) {
            (Shape::Scalar(_, check), Content::Scalar(value)) => match check(value) {
                Ok(value) => return Some(value.to_json()),
                Err(_) => self.note_unreadable(),
            },
            (Shape::Record(fields), Content::Map(tree)) => {
                return Some(self.record(fields, tree))
                    .filter(|record| !record.is_empty())
                    .map(Value::Object);
            }
            (Shape::Set(check), Content::Map(members)) => return self.set(check, members),
            (Shape::Entries(fields), Content::Map(entries)) => return self.entries(fields, entries),
            _ => self.note_unreadable(),
        }
        None
    }

    fn set(&mut self, check: KeyCheck, members: &'a Tree) -> Option<Value> {
        let mut keys = BTreeSet::new();
        for (key, member) in members {
            self.path.push(key);
            match (check(key), &member.content) {
                (Ok(key), Content::Scalar(Scalar::Bool(true))) => drop(keys.insert(key)),
                (Ok(_), Content::Scalar(Scalar::Bool(false))) => {}
                (Ok(_), _) => self.note_unreadable(),
                (Err(_), _) => self.unknown(member),
            }
            self.path.pop();
        }
        (!keys.is_empty()).then(|| keys.into_iter().collect())
    }

    fn entries(&mut self, fields: &'static [Field], entries: &'a Tree) -> Option<Value> {
        let mut known = BTreeMap::new();
        for (key, entry) in entries {
            self.path.push(key);
            self.note_conflict(entry);
            match (check_entry(key), &entry.content) {
                (Ok(id), Content::Map(tree)) => {
                    let mut record = self.record(fields, tree);
                    record.insert("id".to_owned(), id.clone().into());
                    // An entry exists even if nothing else in it is readable.
                    record.entry("position").or_insert_with(|| 0.into());
                    known.insert(id, record);
                }
                (Ok(_), _) => self.note_unreadable(),
                (Err(_), _) => self.unknown(entry),
            }
            self.path.pop();
        }
        let mut known: Vec<_> = known.into_values().collect();
        // Ids are in order already; the sort is stable.
        known.sort_by_key(|entry| entry.get("position").and_then(Value::as_i64).unwrap_or(0));
        (!known.is_empty()).then(|| known.into_iter().map(Value::Object).collect())
    }

    fn place(&self) -> FieldPath {
        FieldPath::new(self.path.iter().copied())
    }

    fn unknown(&mut self, node: &Node) {
        let place = self.place();
        graft(&mut self.extra, place.keys(), node.content.to_json());
    }

    fn note_unreadable(&mut self) {
        let place = self.place();
        self.unreadable.push(place);
    }

    fn note_conflict(&mut self, node: &Node) {
        if node.contested {
            let place = self.place();
            self.conflicts.push(place);
        }
    }
}
