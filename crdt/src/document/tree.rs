//! A document's state as plain values, once out of Automerge.
//!
//! Reading, planning an edit and comparing states work on this tree. Depth is
//! bounded here too, whatever the gate let through.

use std::collections::BTreeMap;

use automerge::{Automerge, ObjId, ObjType, ReadDoc, ScalarValueRef, ValueRef};
use serde_json::Value;

use crate::catalog::{FieldPath, Scalar, ValueKind};
use crate::ids::hex;
use crate::operations;

/// Levels that are read; deeper values show as null.
const DEPTH_MAX: usize = 16;

/// A map's entries.
pub(super) type Tree = BTreeMap<String, Node>;

/// What stands at one place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) content: Content,
    /// Whether several people set different values at the same time.
    pub(super) contested: bool,
}

/// A value of a document.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Content {
    /// A map.
    Map(Tree),
    /// A value of a kind that fields of this version have.
    Scalar(Scalar),
    /// Anything else.
    Other(ValueKind, Value),
}

impl Content {
    /// The value as JSON.
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Map(tree) => tree.iter().map(|(key, node)| (key.clone(), node.content.to_json())).collect(),
            Self::Scalar(scalar) => scalar.to_json(),
            Self::Other(_, json) => json.clone(),
        }
    }
}

/// The whole document, now or as it was at `heads`.
pub(super) fn tree(document: &Automerge, heads: Option<&[automerge::ChangeHash]>) -> Tree {
    map(document, &ObjId::Root, heads, 0)
}

fn map(document: &Automerge, object: &ObjId, heads: Option<&[automerge::ChangeHash]>, depth: usize) -> Tree {
    let items = match heads {
        Some(heads) => document.map_range_at(object, .., heads),
        None => document.map_range(object, ..),
    };
    let nodes = items.map(|item| {
        let contested = item.conflict && differ(document, object, &item.key, heads);
        let content = content(document, &item.value, || item.id(), heads, depth + 1);
        (item.key.into_owned(), Node { content, contested })
    });
    nodes.collect()
}

pub(super) fn content(
    document: &Automerge,
    value: &ValueRef<'_>,
    id: impl FnOnce() -> ObjId,
    heads: Option<&[automerge::ChangeHash]>,
    depth: usize,
) -> Content {
    match value {
        ValueRef::Scalar(scalar) => scalar_content(scalar),
        ValueRef::Object(_) if depth > DEPTH_MAX => Content::Other(ValueKind::Null, Value::Null),
        ValueRef::Object(ObjType::Map | ObjType::Table) => Content::Map(map(document, &id(), heads, depth)),
        ValueRef::Object(ObjType::List | ObjType::Text) => {
            Content::Other(ValueKind::List, list(document, &id(), heads, depth))
        }
    }
}

fn list(
    document: &Automerge,
    object: &ObjId,
    heads: Option<&[automerge::ChangeHash]>,
    depth: usize,
) -> Value {
    let items = match heads {
        Some(heads) => document.list_range_at(object, .., heads),
        None => document.list_range(object, ..),
    };
    items.map(|item| content(document, &item.value, || item.id(), heads, depth + 1).to_json()).collect()
}

fn scalar_content(scalar: &ScalarValueRef<'_>) -> Content {
    match scalar {
        ScalarValueRef::Str(text) => Content::Scalar(Scalar::Text(text.to_string())),
        ScalarValueRef::Boolean(yes) => Content::Scalar(Scalar::Bool(*yes)),
        ScalarValueRef::Int(number) => Content::Scalar(Scalar::Int(*number)),
        ScalarValueRef::Uint(number) => match i64::try_from(*number) {
            Ok(number) => Content::Scalar(Scalar::Int(number)),
            Err(_) => Content::Other(ValueKind::Int, Value::from(*number)),
        },
        ScalarValueRef::Bytes(bytes) => Content::Other(ValueKind::Bytes, Value::from(hex(bytes))),
        // The operation encoding has no other scalars.
        _ => Content::Other(ValueKind::Null, Value::Null),
    }
}

/// What a value of the operation encoding reads as.
pub(super) fn value_content(value: &operations::Scalar) -> Content {
    match value {
        operations::Scalar::Text(text) => Content::Scalar(Scalar::Text(text.clone())),
        operations::Scalar::Boolean(yes) => Content::Scalar(Scalar::Bool(*yes)),
        operations::Scalar::Integer(number) => Content::Scalar(Scalar::Int(*number)),
        operations::Scalar::Bytes(bytes) => Content::Other(ValueKind::Bytes, Value::from(hex(bytes))),
        operations::Scalar::Null => Content::Other(ValueKind::Null, Value::Null),
    }
}

/// Whether the values that were set at the same time differ: two people who
/// enter the same do not disagree.
fn differ(document: &Automerge, object: &ObjId, key: &str, heads: Option<&[automerge::ChangeHash]>) -> bool {
    let values = match heads {
        Some(heads) => document.get_all_at(object, key, heads),
        None => document.get_all(object, key),
    };
    let values = values.unwrap_or_default();
    values.windows(2).any(|pair| pair[0].0.is_object() || pair[0].0 != pair[1].0)
}

/// All values that are not maps, by their place.
pub(super) fn leaves(tree: &Tree) -> BTreeMap<FieldPath, Value> {
    let mut leaves = BTreeMap::new();
    collect(tree, &FieldPath::new::<_, String>([]), &mut leaves);
    leaves
}

fn collect(tree: &Tree, path: &FieldPath, leaves: &mut BTreeMap<FieldPath, Value>) {
    for (key, node) in tree {
        let place = path.child(key);
        match &node.content {
            Content::Map(below) => collect(below, &place, leaves),
            other => {
                leaves.insert(place, other.to_json());
            }
        }
    }
}
