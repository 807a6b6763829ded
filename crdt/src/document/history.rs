//! Who disagrees, and what each change did: values with their changes, and
//! differences field by field.
//!
//! Names changes and actors only; who stands behind them, and when, is in the
//! seals.

use std::collections::BTreeMap;

use automerge::{ObjId, ReadDoc, ValueRef};
use serde::Serialize;
use serde_json::Value;

use super::tree::{self, content};
use super::{Document, actor_of, from_automerge};
use crate::catalog::FieldPath;
use crate::ids::{ActorId, ChangeHash};

/// A place where people set different values at the same time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Conflict {
    /// The place.
    pub path: FieldPath,
    /// The values, the one that is shown first.
    pub values: Vec<ConflictValue>,
}

/// One of the values.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConflictValue {
    /// The value.
    pub value: Value,
    /// The change that set it.
    pub change: ChangeHash,
    /// The actor that made the change.
    pub actor: ActorId,
}

/// What one change did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChangeRecord {
    /// The change.
    pub change: ChangeHash,
    /// Who made it.
    pub actor: ActorId,
    /// Its number among the actor's changes.
    pub seq: u64,
    /// The changes it builds on.
    pub dependencies: Vec<ChangeHash>,
    /// The fields it changed, by place.
    pub fields: Vec<FieldDifference>,
}

/// One field before and after a change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldDifference {
    /// The place.
    pub path: FieldPath,
    /// What its author saw before, if anything.
    pub before: Option<Value>,
    /// What stood there afterwards, if anything.
    pub after: Option<Value>,
}

impl Document {
    /// All places where people set different values at the same time, with the
    /// values, by place.
    pub fn conflicts(&self) -> Vec<Conflict> {
        let mut found = Vec::new();
        self.conflicts_below(
            &tree::tree(&self.inner, None),
            &ObjId::Root,
            &FieldPath::new::<_, String>([]),
            &mut found,
        );
        found
    }

    fn conflicts_below(
        &self,
        tree: &tree::Tree,
        object: &ObjId,
        path: &FieldPath,
        found: &mut Vec<Conflict>,
    ) {
        for (key, node) in tree {
            let place = path.child(key);
            if node.contested {
                found.push(Conflict { path: place.clone(), values: self.values(object, key) });
            }
            if let tree::Content::Map(below) = &node.content
                && let Ok(Some((_, id))) = self.inner.get(object, key.as_str())
            {
                self.conflicts_below(below, &id, &place, found);
            }
        }
    }

    fn values(&self, object: &ObjId, key: &str) -> Vec<ConflictValue> {
        let all = self.inner.get_all(object, key).unwrap_or_default();
        // Automerge lists the one it shows last.
        let values = all.iter().rev().filter_map(|(value, id)| {
            let hash = self.inner.hash_for_opid(id)?;
            let ObjId::Id(_, actor, _) = id else { return None };
            let value = content(&self.inner, &borrowed(value), || id.clone(), None, 1).to_json();
            Some(ConflictValue { value, change: from_automerge(hash), actor: actor_of(actor) })
        });
        values.collect()
    }

    /// What each change did, in causal order: the record as its author saw it
    /// compared with the record right after.
    pub fn history(&self) -> Vec<ChangeRecord> {
        // In a history without forks each state is the next one's "before".
        let mut last: Option<(automerge::ChangeHash, BTreeMap<FieldPath, Value>)> = None;
        let mut records = Vec::new();
        for change in self.inner.get_changes_meta(&[]) {
            let before = match last.take() {
                Some((hash, state)) if *change.deps == [hash] => state,
                _ if change.deps.is_empty() => BTreeMap::new(),
                _ => tree::leaves(&tree::tree(&self.inner, Some(&change.deps))),
            };
            let after = tree::leaves(&tree::tree(&self.inner, Some(&[change.hash])));
            records.push(ChangeRecord {
                change: from_automerge(change.hash),
                actor: actor_of(&change.actor),
                seq: change.seq,
                dependencies: change.deps.iter().copied().map(from_automerge).collect(),
                fields: differences(&before, &after),
            });
            last = Some((change.hash, after));
        }
        records
    }
}

fn borrowed(value: &automerge::Value<'_>) -> ValueRef<'static> {
    match value {
        automerge::Value::Object(kind) => ValueRef::Object(*kind),
        automerge::Value::Scalar(scalar) => ValueRef::Scalar(scalar.as_ref().clone().into()),
    }
}

fn differences(
    before: &BTreeMap<FieldPath, Value>,
    after: &BTreeMap<FieldPath, Value>,
) -> Vec<FieldDifference> {
    let gone = before
        .iter()
        .filter(|(path, _)| !after.contains_key(*path))
        .map(|(path, value)| (path, Some(value), None));
    let come = after.iter().map(|(path, value)| (path, before.get(path), Some(value)));
    let changed = gone.chain(come).filter(|(_, before, after)| before != after);
    let mut fields: Vec<_> = changed
        .map(|(path, before, after)| FieldDifference {
            path: path.clone(),
            before: before.cloned(),
            after: after.cloned(),
        })
        .collect();
    fields.sort_by(|a, b| a.path.cmp(&b.path));
    fields
}
