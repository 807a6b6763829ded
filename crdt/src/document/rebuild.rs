//! Between our list of operations and Automerge's change.
//!
//! A received change is rebuilt from decoded operations; Automerge never
//! parses the sender's bytes. A local change is explained as operations before
//! it is sealed, and must survive the way back.

use std::num::NonZeroU64;

use automerge::{ActorId as AutomergeActor, Change, ExpandedChange, ObjType, ScalarValue, legacy};

use crate::{
    ids::{ActorId, ChangeHash},
    operations::{Action, Key, OpId, Operation, Operations, Scalar},
};

/// Why a local change cannot be written as operations. Seeing one is a fault
/// of this program: the document code makes no such change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExplainError {
    /// An action or value that the format does not have.
    #[error("the change holds {0}, which the format does not have")]
    Unsupported(&'static str),
    /// An actor id that is not 16 bytes.
    #[error("the change names an actor id of {0} bytes")]
    Actor(usize),
}

/// A change as Automerge holds it: made here, or rebuilt from operations.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalChange(pub(super) Change);

impl From<super::Edited> for LocalChange {
    fn from(edited: super::Edited) -> Self {
        Self(edited.change)
    }
}

impl LocalChange {
    /// The hash that the seal names.
    pub fn hash(&self) -> ChangeHash {
        ChangeHash(self.0.hash().0)
    }

    /// The operations of a change that this program made.
    ///
    /// # Errors
    ///
    /// When the change holds what the format does not have.
    pub fn explain(&self) -> Result<Operations, ExplainError> {
        explain(&self.0)
    }

    /// The change that operations describe. They must have passed the
    /// structural rules: Automerge may panic over others.
    pub fn rebuild(operations: &Operations, actor: &ActorId, seq: u64) -> Self {
        Self(rebuild(operations, actor, seq))
    }
}

/// Builds the Automerge change that `operations` by `actor` describe.
///
/// The operations must have passed the structural rules: counters that cannot
/// overflow, predecessors in order.
fn rebuild(operations: &Operations, actor: &ActorId, seq: u64) -> Change {
    let start_op = NonZeroU64::new(operations.start_op).unwrap_or(NonZeroU64::MIN);
    Change::from(ExpandedChange {
        operations: operations.list.iter().map(to_legacy).collect(),
        actor_id: AutomergeActor::from(actor.0.as_slice()),
        hash: None,
        seq,
        start_op,
        time: 0,
        message: None,
        deps: operations.dependencies.iter().map(|hash| automerge::ChangeHash(hash.0)).collect(),
        extra_bytes: Vec::new(),
        author: None,
    })
}

/// Lists the operations of an Automerge change that this program made.
fn explain(change: &Change) -> Result<Operations, ExplainError> {
    let expanded = change.decode();
    if expanded.time != 0 || expanded.message.is_some() || !expanded.extra_bytes.is_empty() {
        return Err(ExplainError::Unsupported("a time, message or extra bytes"));
    }
    let mut dependencies: Vec<ChangeHash> = expanded.deps.iter().map(|hash| ChangeHash(hash.0)).collect();
    dependencies.sort_unstable();
    Ok(Operations {
        dependencies,
        start_op: expanded.start_op.get(),
        list: expanded.operations.iter().map(from_legacy).collect::<Result<_, _>>()?,
    })
}

fn to_legacy(operation: &Operation) -> legacy::Op {
    legacy::Op {
        action: match &operation.action {
            Action::MakeMap => legacy::OpType::Make(ObjType::Map),
            Action::MakeList => legacy::OpType::Make(ObjType::List),
            Action::Delete => legacy::OpType::Delete,
            Action::Put(value) => legacy::OpType::Put(match value {
                Scalar::Null => ScalarValue::Null,
                Scalar::Boolean(value) => ScalarValue::Boolean(*value),
                Scalar::Integer(number) => ScalarValue::Int(*number),
                Scalar::Text(text) => ScalarValue::Str(text.as_str().into()),
                Scalar::Bytes(bytes) => ScalarValue::Bytes(bytes.clone()),
            }),
        },
        obj: operation
            .object
            .as_ref()
            .map_or(legacy::ObjectId::Root, |id| legacy::ObjectId::Id(to_op_id(id))),
        key: match &operation.key {
            Key::Map(key) => legacy::Key::Map(key.as_str().into()),
            Key::Head => legacy::Key::Seq(legacy::ElementId::Head),
            Key::Element(id) => legacy::Key::Seq(legacy::ElementId::Id(to_op_id(id))),
        },
        pred: operation.predecessors.iter().map(to_op_id).collect(),
        insert: operation.insert,
    }
}

fn from_legacy(operation: &legacy::Op) -> Result<Operation, ExplainError> {
    let action = match &operation.action {
        legacy::OpType::Make(ObjType::Map) => Action::MakeMap,
        legacy::OpType::Make(ObjType::List) => Action::MakeList,
        legacy::OpType::Make(_) => return Err(ExplainError::Unsupported("a text or table object")),
        legacy::OpType::Delete => Action::Delete,
        legacy::OpType::Put(value) => Action::Put(match value {
            ScalarValue::Null => Scalar::Null,
            ScalarValue::Boolean(value) => Scalar::Boolean(*value),
            ScalarValue::Int(number) => Scalar::Integer(*number),
            ScalarValue::Str(text) => Scalar::Text(text.to_string()),
            ScalarValue::Bytes(bytes) => Scalar::Bytes(bytes.clone()),
            _ => return Err(ExplainError::Unsupported("a float, counter, timestamp or unknown value")),
        }),
        legacy::OpType::Increment(_) => return Err(ExplainError::Unsupported("a counter")),
        legacy::OpType::MarkBegin(_) | legacy::OpType::MarkEnd(_) => {
            return Err(ExplainError::Unsupported("a mark"));
        }
    };
    Ok(Operation {
        action,
        object: match &operation.obj {
            legacy::ObjectId::Root => None,
            legacy::ObjectId::Id(id) => Some(from_op_id(id)?),
        },
        key: match &operation.key {
            legacy::Key::Map(key) => Key::Map(key.to_string()),
            legacy::Key::Seq(legacy::ElementId::Head) => Key::Head,
            legacy::Key::Seq(legacy::ElementId::Id(id)) => Key::Element(from_op_id(id)?),
        },
        insert: operation.insert,
        predecessors: operation.pred.iter().map(from_op_id).collect::<Result<_, _>>()?,
    })
}

fn to_op_id(id: &OpId) -> legacy::OpId {
    legacy::OpId::new(id.counter, &AutomergeActor::from(id.actor.0.as_slice()))
}

fn from_op_id(id: &legacy::OpId) -> Result<OpId, ExplainError> {
    let bytes = id.actor().to_bytes();
    let actor = ActorId::from_slice(bytes).ok_or(ExplainError::Actor(bytes.len()))?;
    Ok(OpId { counter: id.counter(), actor })
}
