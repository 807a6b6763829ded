//! The explicit list of operations as which a change travels and rests.
//!
//! Automerge never parses a peer's bytes: this bounded, canonical encoding is
//! decoded under hard limits, and the Automerge change is rebuilt from it
//! (`docs/protocol.md` section 3). Nothing here knows Automerge.

use std::collections::BTreeSet;

use crate::{
    encoding::{DecodeError, Reader, write_bytes, write_varint},
    ids::{ActorId, ChangeHash},
};

/// Version of the encoding.
const VERSION: u8 = 1;

/// What one change may hold (protocol section 13).
pub mod limits {
    /// Bytes of one encoded change.
    pub const CHANGE_BYTES_MAX: usize = 262_144;
    /// Operations of one change.
    pub const OPERATIONS_MAX: usize = 4_096;
    /// Dependencies of one change.
    pub const DEPENDENCIES_MAX: usize = 256;
    /// Other actors that one change names.
    pub const ACTORS_MAX: usize = 256;
    /// Predecessors of one operation.
    pub const PREDECESSORS_MAX: usize = 64;
    /// Bytes of one text or byte value.
    pub const VALUE_BYTES_MAX: usize = 32_768;
    /// Bytes of one map key.
    pub const KEY_BYTES_MAX: usize = 256;
    /// Greatest operation counter: far from where Automerge's own arithmetic ends.
    pub const COUNTER_MAX: u64 = 1 << 32;
}

/// Operations as they stand in one change, without actor and sequence number,
/// which the seal carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operations {
    /// Hashes of the changes this one builds on, ascending.
    pub dependencies: Vec<ChangeHash>,
    /// Counter of the first operation; the others follow one by one.
    pub start_op: u64,
    /// The operations in their order.
    pub list: Vec<Operation>,
}

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// What it does.
    pub action: Action,
    /// The map or list it acts on; `None` is the document's root map.
    pub object: Option<OpId>,
    /// The place in that object.
    pub key: Key,
    /// Whether it makes a new list element after `key`.
    pub insert: bool,
    /// The operations it overwrites, ascending.
    pub predecessors: Vec<OpId>,
}

/// What an operation does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Makes a map.
    MakeMap,
    /// Makes a list.
    MakeList,
    /// Sets a scalar.
    Put(Scalar),
    /// Removes the value.
    Delete,
}

/// A scalar value. Floats do not exist: they have no single canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scalar {
    /// Nothing.
    Null,
    /// Yes or no.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A text, replaced as a whole.
    Text(String),
    /// Raw bytes.
    Bytes(Vec<u8>),
}

/// A place in a map or list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// A key of a map.
    Map(String),
    /// Before the first element of a list.
    Head,
    /// An element of a list, named by the operation that inserted it.
    Element(OpId),
}

/// Names an operation: its counter and who made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpId {
    /// Lamport counter, from 1.
    pub counter: u64,
    /// The author's actor.
    pub actor: ActorId,
}

mod head {
    pub(super) const ACTION: u8 = 0b0000_0111;
    pub(super) const INSERT: u8 = 0b0000_1000;
    pub(super) const OBJECT: u8 = 0b0001_0000;
    pub(super) const ELEMENT: u8 = 0b0010_0000;
    pub(super) const UNUSED: u8 = 0b1100_0000;
    pub(super) const MAKE_MAP: u8 = 0;
    pub(super) const PUT: u8 = 1;
    pub(super) const MAKE_LIST: u8 = 2;
    pub(super) const DELETE: u8 = 3;
}

impl Operations {
    /// Counter of the last operation.
    pub fn max_op(&self) -> u64 {
        self.start_op + self.list.len() as u64 - 1
    }

    /// All op ids that the operations name.
    fn named(&self) -> impl Iterator<Item = &OpId> {
        self.list.iter().flat_map(|operation| {
            let element = match &operation.key {
                Key::Element(id) => Some(id),
                Key::Map(_) | Key::Head => None,
            };
            operation.object.iter().chain(element).chain(&operation.predecessors)
        })
    }

    /// Encodes the operations of a change by `author`.
    pub fn encode(&self, author: &ActorId) -> Vec<u8> {
        let others: BTreeSet<ActorId> =
            self.named().map(|id| id.actor).filter(|actor| actor != author).collect();
        let others: Vec<ActorId> = others.into_iter().collect();
        let mut writer = OperationWriter { out: vec![VERSION], author, others: &others };
        write_varint(&mut writer.out, self.dependencies.len() as u64);
        for dependency in &self.dependencies {
            writer.out.extend_from_slice(&dependency.0);
        }
        write_varint(&mut writer.out, self.start_op);
        write_varint(&mut writer.out, others.len() as u64);
        for actor in &others {
            writer.out.extend_from_slice(&actor.0);
        }
        write_varint(&mut writer.out, self.list.len() as u64);
        for operation in &self.list {
            writer.operation(operation);
        }
        writer.out
    }

    /// Decodes the operations of a change by `author`: limits before memory,
    /// one canonical form only.
    pub fn decode(bytes: &[u8], author: &ActorId) -> Result<Self, DecodeError> {
        let limit = limits::CHANGE_BYTES_MAX as u64;
        if bytes.len() as u64 > limit {
            return Err(DecodeError::TooMuch { what: "bytes of a change", found: bytes.len() as u64, limit });
        }
        let mut reader = Reader::new(bytes);
        if reader.u8("encoding version")? != VERSION {
            return Err(DecodeError::Invalid("encoding version"));
        }
        let dependencies = ascending(&mut reader, limits::DEPENDENCIES_MAX, "dependencies", |reader| {
            reader.array("dependency").map(ChangeHash)
        })?;
        let start_op = reader.bounded(limits::COUNTER_MAX, "start op")?;
        if start_op == 0 {
            return Err(DecodeError::Invalid("start op"));
        }
        let others = ascending(&mut reader, limits::ACTORS_MAX, "other actors", |reader| {
            reader.array("actor").map(ActorId)
        })?;
        if others.binary_search(author).is_ok() {
            return Err(DecodeError::NotCanonical("other actors"));
        }
        let count = reader.bounded(limits::OPERATIONS_MAX as u64, "operations")? as usize;
        if count == 0 {
            return Err(DecodeError::Invalid("operations"));
        }
        let mut decoder = OperationReader { reader, author, others: &others };
        let list = (0..count).map(|_| decoder.operation()).collect::<Result<Vec<_>, _>>()?;
        decoder.reader.end()?;
        let operations = Self { dependencies, start_op, list };
        let used: BTreeSet<&ActorId> =
            operations.named().map(|id| &id.actor).filter(|actor| *actor != author).collect();
        if used.len() != others.len() {
            return Err(DecodeError::NotCanonical("other actors"));
        }
        Ok(operations)
    }
}

fn ascending<T: Ord>(
    reader: &mut Reader<'_>,
    limit: usize,
    what: &'static str,
    mut item: impl FnMut(&mut Reader<'_>) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let count = reader.bounded(limit as u64, what)?;
    let mut items: Vec<T> = Vec::new();
    for _ in 0..count {
        let next = item(reader)?;
        if items.last().is_some_and(|last| *last >= next) {
            return Err(DecodeError::NotCanonical(what));
        }
        items.push(next);
    }
    Ok(items)
}

struct OperationWriter<'a> {
    out: Vec<u8>,
    author: &'a ActorId,
    others: &'a [ActorId],
}

impl OperationWriter<'_> {
    fn operation(&mut self, operation: &Operation) {
        let action = match operation.action {
            Action::MakeMap => head::MAKE_MAP,
            Action::Put(_) => head::PUT,
            Action::MakeList => head::MAKE_LIST,
            Action::Delete => head::DELETE,
        };
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        self.out.push(
            action
                | flag(operation.insert, head::INSERT)
                | flag(operation.object.is_some(), head::OBJECT)
                | flag(!matches!(operation.key, Key::Map(_)), head::ELEMENT),
        );
        if let Some(object) = &operation.object {
            self.op_id(object);
        }
        match &operation.key {
            Key::Map(key) => write_bytes(&mut self.out, key.as_bytes()),
            Key::Head => write_varint(&mut self.out, 0),
            Key::Element(id) => self.op_id(id),
        }
        write_varint(&mut self.out, operation.predecessors.len() as u64);
        for predecessor in &operation.predecessors {
            self.op_id(predecessor);
        }
        if let Action::Put(value) = &operation.action {
            self.value(value);
        }
    }

    fn op_id(&mut self, id: &OpId) {
        write_varint(&mut self.out, id.counter);
        let index = if id.actor == *self.author {
            0
        } else {
            // `others` was collected from the very operations that are written.
            self.others.binary_search(&id.actor).map_or(0, |at| at + 1)
        };
        write_varint(&mut self.out, index as u64);
    }

    fn value(&mut self, value: &Scalar) {
        match value {
            Scalar::Null => self.out.push(0),
            Scalar::Boolean(false) => self.out.push(1),
            Scalar::Boolean(true) => self.out.push(2),
            Scalar::Integer(number) => {
                self.out.push(3);
                write_varint(&mut self.out, (number << 1 ^ number >> 63) as u64);
            }
            Scalar::Text(text) => {
                self.out.push(4);
                write_bytes(&mut self.out, text.as_bytes());
            }
            Scalar::Bytes(bytes) => {
                self.out.push(5);
                write_bytes(&mut self.out, bytes);
            }
        }
    }
}

struct OperationReader<'a> {
    reader: Reader<'a>,
    author: &'a ActorId,
    others: &'a [ActorId],
}

impl OperationReader<'_> {
    fn operation(&mut self) -> Result<Operation, DecodeError> {
        let bits = self.reader.u8("operation")?;
        if bits & head::UNUSED != 0 {
            return Err(DecodeError::Invalid("operation"));
        }
        let insert = bits & head::INSERT != 0;
        let element = bits & head::ELEMENT != 0;
        if insert && !element {
            return Err(DecodeError::Invalid("insert into a map"));
        }
        let object = if bits & head::OBJECT != 0 { Some(self.op_id()?) } else { None };
        let key = if element { self.element()? } else { self.map_key()? };
        if !insert && key == Key::Head {
            return Err(DecodeError::Invalid("list head as an element"));
        }
        let predecessors = self.predecessors()?;
        let action = match bits & head::ACTION {
            head::MAKE_MAP => Action::MakeMap,
            head::PUT => Action::Put(self.value()?),
            head::MAKE_LIST => Action::MakeList,
            head::DELETE => Action::Delete,
            _ => return Err(DecodeError::Invalid("action")),
        };
        if insert && (action == Action::Delete || !predecessors.is_empty()) {
            return Err(DecodeError::Invalid("insert"));
        }
        if action == Action::Delete && predecessors.is_empty() {
            return Err(DecodeError::Invalid("delete of nothing"));
        }
        Ok(Operation { action, object, key, insert, predecessors })
    }

    fn op_id(&mut self) -> Result<OpId, DecodeError> {
        let counter = self.reader.bounded(limits::COUNTER_MAX, "op id")?;
        if counter == 0 {
            return Err(DecodeError::Invalid("op id"));
        }
        self.actor_of(counter)
    }

    fn actor_of(&mut self, counter: u64) -> Result<OpId, DecodeError> {
        let index = self.reader.bounded(self.others.len() as u64, "actor index")? as usize;
        let actor = if index == 0 { *self.author } else { self.others[index - 1] };
        Ok(OpId { counter, actor })
    }

    fn element(&mut self) -> Result<Key, DecodeError> {
        match self.reader.bounded(limits::COUNTER_MAX, "element")? {
            0 => Ok(Key::Head),
            counter => self.actor_of(counter).map(Key::Element),
        }
    }

    fn map_key(&mut self) -> Result<Key, DecodeError> {
        let key = self.reader.text(limits::KEY_BYTES_MAX, "map key")?;
        if key.is_empty() {
            return Err(DecodeError::Invalid("empty map key"));
        }
        Ok(Key::Map(key.to_owned()))
    }

    fn predecessors(&mut self) -> Result<Vec<OpId>, DecodeError> {
        let count = self.reader.bounded(limits::PREDECESSORS_MAX as u64, "predecessors")?;
        let mut ids: Vec<OpId> = Vec::new();
        for _ in 0..count {
            let id = self.op_id()?;
            if ids.last().is_some_and(|last| *last >= id) {
                return Err(DecodeError::NotCanonical("predecessors"));
            }
            ids.push(id);
        }
        Ok(ids)
    }

    fn value(&mut self) -> Result<Scalar, DecodeError> {
        Ok(match self.reader.u8("value type")? {
            0 => Scalar::Null,
            1 => Scalar::Boolean(false),
            2 => Scalar::Boolean(true),
            3 => {
                let zigzag = self.reader.varint("integer")?;
                Scalar::Integer((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
            }
            4 => Scalar::Text(self.reader.text(limits::VALUE_BYTES_MAX, "text value")?.to_owned()),
            5 => Scalar::Bytes(self.reader.bytes(limits::VALUE_BYTES_MAX, "bytes value")?.to_vec()),
            _ => return Err(DecodeError::Invalid("value type")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUTHOR: ActorId = ActorId([1; 16]);
    const OTHER: ActorId = ActorId([2; 16]);

    fn sample() -> Operations {
        let id = |counter, actor| OpId { counter, actor };
        Operations {
            dependencies: vec![ChangeHash([3; 32])],
            start_op: 7,
            list: vec![
                Operation {
                    action: Action::MakeMap,
                    object: None,
                    key: Key::Map("title".into()),
                    insert: false,
                    predecessors: vec![],
                },
                Operation {
                    action: Action::Put(Scalar::Text("Straßenbäume".into())),
                    object: Some(id(7, AUTHOR)),
                    key: Key::Map("de".into()),
                    insert: false,
                    predecessors: vec![id(2, OTHER), id(3, AUTHOR)],
                },
                Operation {
                    action: Action::Put(Scalar::Integer(i64::MIN)),
                    object: Some(id(5, OTHER)),
                    key: Key::Head,
                    insert: true,
                    predecessors: vec![],
                },
            ],
        }
    }

    #[test]
    fn operations_go_both_ways() {
        let bytes = sample().encode(&AUTHOR);
        assert_eq!(Operations::decode(&bytes, &AUTHOR), Ok(sample()));
    }

    #[test]
    fn every_truncation_and_an_appended_byte_are_refused() {
        let bytes = sample().encode(&AUTHOR);
        for length in 0..bytes.len() {
            assert!(Operations::decode(&bytes[..length], &AUTHOR).is_err(), "{length}");
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert_eq!(Operations::decode(&longer, &AUTHOR), Err(DecodeError::Trailing(1)));
    }

    #[test]
    fn whatever_decodes_encodes_to_the_same_bytes() {
        let bytes = sample().encode(&AUTHOR);
        for at in 0..bytes.len() {
            for flip in 1..=255u8 {
                let mut mutated = bytes.clone();
                mutated[at] ^= flip;
                if let Ok(operations) = Operations::decode(&mutated, &AUTHOR) {
                    assert_eq!(operations.encode(&AUTHOR), mutated, "byte {at} xor {flip}");
                }
            }
        }
    }

    #[test]
    fn a_count_past_its_limit_takes_no_memory() {
        let mut bytes = vec![VERSION, 0, 1, 0];
        write_varint(&mut bytes, 3_000_000);
        assert!(matches!(Operations::decode(&bytes, &AUTHOR), Err(DecodeError::TooMuch { .. })));
    }
}
