//! Reads a change that needs no Automerge to be understood: the first of a
//! document, made of maps and values alone.
//!
//! Such a change *is* the tree that it makes: it overwrites nothing, nothing is
//! concurrent with it, and the structural rules let no place be written twice.
//! A property test holds this module to what Automerge makes of the same
//! change, and to a document that saves, loads and takes the next edit.

use std::collections::BTreeMap;

use super::tree::{self, Content, Node, Tree};
use crate::ids::ActorId;
use crate::operations::{Action, Key, OpId, Operation, Operations};

/// The tree that a change by `actor` makes of an empty document; `None` if
/// that takes more than to read it. The change must have passed the structural
/// rules.
pub(super) fn tree(operations: &Operations, actor: &ActorId) -> Option<Tree> {
    if !operations.dependencies.is_empty() {
        return None;
    }
    // Which operations stand in which object, by the counter of its making.
    let mut children: BTreeMap<u64, Vec<(u64, &Operation)>> = BTreeMap::new();
    for (operation, counter) in operations.list.iter().zip(operations.start_op..) {
        let object = match operation.object {
            None => 0,
            Some(OpId { counter, actor: maker }) if maker == *actor => counter,
            Some(_) => return None,
        };
        if operation.insert || !operation.predecessors.is_empty() {
            return None;
        }
        children.entry(object).or_default().push((counter, operation));
    }
    map(&mut children, 0)
}

/// Depth is bounded by the structural rules.
fn map(children: &mut BTreeMap<u64, Vec<(u64, &Operation)>>, object: u64) -> Option<Tree> {
    let mut tree = Tree::new();
    for (counter, operation) in children.remove(&object).unwrap_or_default() {
        let Key::Map(key) = &operation.key else { return None };
        let content = match &operation.action {
            Action::MakeMap => Content::Map(map(children, counter)?),
            Action::Put(value) => tree::value_content(value),
            Action::MakeList | Action::Delete => return None,
        };
        tree.insert(key.clone(), Node { content, contested: false });
    }
    Some(tree)
}
