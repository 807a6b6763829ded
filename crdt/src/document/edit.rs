//! Writes an edit into a document as one change of a given actor.
//!
//! The edit works on a copy: the document itself stays as it is until the
//! caller has sealed and stored the change and takes the copy. Values that are
//! already there are not written again, unless that settles a conflict.

use std::collections::BTreeSet;

use automerge::transaction::{CommitOptions, Transactable, Transaction};
use automerge::{AutomergeError, Change, ObjId, ObjType, ReadDoc, ScalarValue, Value};

use super::tree::{self, Content, Node, Tree};
use super::{Document, from_automerge};
use crate::catalog::fields::{CATALOG, DATASET, Field, FieldPath, Scalar, Shape, find};
use crate::catalog::{CatalogEdit, Changes, DatasetEdit, InvalidField};
use crate::ids::{ActorId, ChangeHash, Town};

/// The outcome of an edit, to be taken once its change is durable.
#[derive(Debug)]
pub struct Edited {
    /// The document with the edit.
    pub document: Document,
    /// Hash of the change.
    pub hash: ChangeHash,
    /// The change itself.
    pub(crate) change: Change,
}

/// Why an edit cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The record would break a rule.
    #[error("edit the record: {0}")]
    Invalid(#[from] InvalidField),
    /// The actor has written here and its changes are not all at hand: a copy
    /// of the data directory is running, or a backup was restored badly.
    #[error("edit the record: {0}")]
    Document(String),
}

impl Document {
    /// Writes an edit of a dataset as one change of `actor`; `None` if nothing
    /// would change. The document itself stays as it is.
    pub fn edit_dataset(&self, actor: ActorId, edit: &DatasetEdit) -> Result<Option<Edited>, EditError> {
        edit.apply(&self.read_dataset().dataset)?;
        self.edit(DATASET, actor, &edit.0)
    }

    /// Writes an edit of a catalog, as [`Document::edit_dataset`].
    pub fn edit_catalog(
        &self,
        actor: ActorId,
        owner: Town,
        edit: &CatalogEdit,
    ) -> Result<Option<Edited>, EditError> {
        edit.apply(&self.read_catalog(owner).catalog)?;
        self.edit(CATALOG, actor, &edit.0)
    }

    fn edit(
        &self,
        fields: &'static [Field],
        actor: ActorId,
        changes: &Changes,
    ) -> Result<Option<Edited>, EditError> {
        let steps = plan(fields, &tree::tree(&self.inner, None), changes);
        if steps.is_empty() {
            return Ok(None);
        }
        let mut document = self.clone();
        document.inner.set_actor(automerge::ActorId::from(actor.0));
        let mut transaction = document.inner.transaction();
        for step in steps {
            step.write(&mut transaction).map_err(|error| EditError::Document(error.to_string()))?;
        }
        let (hash, _) = transaction.commit_with(CommitOptions::default().with_time(0));
        let Some(change) = hash.and_then(|hash| document.inner.get_change_by_hash(&hash)) else {
            return Ok(None);
        };
        document = Document { inner: super::with_idle_actor(document.inner) };
        Ok(Some(Edited { document, hash: from_automerge(change.hash()), change }))
    }
}

/// One thing to write.
enum Step {
    /// Make a map there, if there is none.
    Map(FieldPath),
    /// Set a value.
    Put(FieldPath, Scalar),
    /// Remove what stands there.
    Delete(FieldPath),
}

/// What is to be written to a document of this state, in a fixed order.
fn plan(fields: &'static [Field], tree: &Tree, changes: &Changes) -> Vec<Step> {
    let root = FieldPath::new::<_, String>([]);
    let mut steps = Vec::new();
    removals(fields, &root, tree, changes, &mut steps);
    let mut puts = Vec::new();
    for (path, value) in &changes.set {
        let unchanged = node(tree, path.keys())
            .is_some_and(|node| !node.contested && node.content == Content::Scalar(value.clone()));
        if !unchanged {
            puts.push((path, value));
        }
    }
    // Maps are made before two people can make them at the same time: with the
    // record, and with each entry. Of two maps at one place only one is shown.
    let mut maps = BTreeSet::new();
    if tree.is_empty() && !puts.is_empty() {
        containers(fields, &root, &mut maps);
    }
    for (path, _) in &puts {
        if let Some((place, entry)) = entry_of(fields, path)
            && node(tree, place.keys()).is_none()
        {
            containers(entry, &place, &mut maps);
        }
    }
    steps.extend(maps.into_iter().map(Step::Map));
    steps.extend(puts.into_iter().map(|(path, value)| Step::Put(path.clone(), value.clone())));
    steps
}

fn node<'a>(tree: &'a Tree, keys: &[String]) -> Option<&'a Node> {
    let (first, rest) = keys.split_first()?;
    let found = tree.get(first)?;
    match (&found.content, rest) {
        (_, []) => Some(found),
        (Content::Map(below), rest) => node(below, rest),
        _ => None,
    }
}

/// The entry that a path leads into, and the entry's fields.
fn entry_of(fields: &'static [Field], path: &FieldPath) -> Option<(FieldPath, &'static [Field])> {
    let [name, id, _, ..] = path.keys() else { return None };
    match find(fields, name)?.shape {
        Shape::Entries(entry) => Some((FieldPath::new([name, id]), entry)),
        _ => None,
    }
}

fn containers(fields: &'static [Field], path: &FieldPath, maps: &mut BTreeSet<FieldPath>) {
    for field in fields {
        let place = path.child(field.name);
        match field.shape {
            Shape::Scalar(..) => continue,
            Shape::Record(below) => containers(below, &place, maps),
            Shape::Set(_) | Shape::Entries(_) => {}
        }
        maps.insert(place);
    }
}

/// Deletes what the edit clears and does not set again. Fields of other
/// versions stay, except below an entry that goes as a whole.
fn removals(
    fields: &'static [Field],
    path: &FieldPath,
    tree: &Tree,
    changes: &Changes,
    steps: &mut Vec<Step>,
) {
    for (name, node) in tree {
        let place = path.child(name);
        let Some(field) = find(fields, name) else { continue };
        match (field.shape, &node.content) {
            (Shape::Record(below), Content::Map(tree)) => removals(below, &place, tree, changes, steps),
            (Shape::Set(check), Content::Map(members)) => {
                let known = members.keys().filter(|key| check(key).is_ok()).map(|key| place.child(key));
                steps.extend(known.filter(|place| gone(changes, place)).map(Step::Delete));
            }
            (Shape::Entries(below), Content::Map(entries)) => {
                for (id, entry) in entries {
                    let place = place.child(id);
                    let kept = changes.set.keys().any(|path| path.is_within(&place));
                    match &entry.content {
                        _ if changes.clears(&place) && !kept => steps.push(Step::Delete(place)),
                        Content::Map(tree) => removals(below, &place, tree, changes, steps),
                        _ => {}
                    }
                }
            }
            _ if gone(changes, &place) => steps.push(Step::Delete(place)),
            _ => {}
        }
    }
}

fn gone(changes: &Changes, place: &FieldPath) -> bool {
    changes.clears(place) && !changes.set.keys().any(|path| path.is_within(place))
}

impl Step {
    fn write(self, transaction: &mut Transaction<'_>) -> Result<(), AutomergeError> {
        match self {
            Self::Map(path) => map_at(transaction, path.keys()).map(drop),
            Self::Put(path, value) => {
                let Some((key, parents)) = path.keys().split_last() else { return Ok(()) };
                let object = map_at(transaction, parents)?;
                transaction.put(object, key.as_str(), scalar_value(value))
            }
            Self::Delete(path) => {
                let Some((key, parents)) = path.keys().split_last() else { return Ok(()) };
                let object = map_at(transaction, parents)?;
                transaction.delete(object, key.as_str())
            }
        }
    }
}

/// The map at a place; whatever else stands there gives way.
fn map_at(transaction: &mut Transaction<'_>, keys: &[String]) -> Result<ObjId, AutomergeError> {
    let mut object = ObjId::Root;
    for key in keys {
        let found = match transaction.get(&object, key.as_str())? {
            Some((Value::Object(ObjType::Map), id)) => Some(id),
            _ => None,
        };
        object = match found {
            Some(id) => id,
            None => transaction.put_object(&object, key.as_str(), ObjType::Map)?,
        };
    }
    Ok(object)
}

fn scalar_value(value: Scalar) -> ScalarValue {
    match value {
        Scalar::Text(text) => ScalarValue::Str(text.into()),
        Scalar::Int(number) => ScalarValue::Int(number),
        Scalar::Bool(yes) => ScalarValue::Boolean(yes),
    }
}
