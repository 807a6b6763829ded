//! The shape of a document, kept beside Automerge, and the structural rules
//! that a change must meet before Automerge sees it.
//!
//! Automerge trusts its input: a change that names an object which does not
//! exist, or a predecessor elsewhere, panics it or makes it save a file that
//! it cannot load. So every admitted operation is also entered here, and the
//! next change is judged against it (`docs/protocol.md` section 5, rule 15):
//! an operation overwrites exactly what its author could see.

use std::collections::BTreeMap;

use crate::{
    catalog::ValueKind,
    document::schema::{self, PathPart, SchemaViolation},
    genesis::DocumentKind,
    ids::{ActorId, ChangeHash},
    operations::{Action, Key, OpId, Operation, Operations, Scalar},
};

/// Objects inside each other, root included, at most.
pub const DEPTH_MAX: usize = 8;
/// Keys of one map or elements of one list in one epoch, removed ones included.
pub const ENTRIES_MAX: usize = 1_024;

/// Which rule a change breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StructureError {
    /// A dependency is not in the document (yet).
    #[error("dependency {0:?} is not applied")]
    MissingDependency(ChangeHash),
    /// The change is in the document already.
    #[error("the change is applied already")]
    Repeated,
    /// Dependencies that follow from each other.
    #[error("dependencies do not cover the actor's own previous change")]
    ForgetsItself,
    /// The first counter is not the next.
    #[error("start op is {found}, must be {expected}")]
    StartOp {
        /// As given.
        found: u64,
        /// One more than the greatest in the dependencies.
        expected: u64,
    },
    /// One operation breaks a rule.
    #[error("operation {index}: {problem}")]
    Operation {
        /// Position in the change, from 0.
        index: usize,
        /// What is wrong with it.
        problem: Problem,
    },
}

/// What is wrong with one operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Its object was never made or is removed where the author stood.
    #[error("its object does not exist")]
    NoObject,
    /// A map key on a list or an element on a map.
    #[error("its key does not fit the kind of its object")]
    WrongKey,
    /// It names a list element that does not exist.
    #[error("its list element does not exist")]
    NoElement,
    /// An earlier operation of the same change wrote there: one would do, and
    /// many would make every later change dear to judge.
    #[error("an earlier operation of the change wrote to the same place")]
    TwiceInOneChange,
    /// It does not overwrite just what its author could see there.
    #[error("its predecessors are not the values that its author could see")]
    WrongPredecessors,
    /// Objects too deep inside each other.
    #[error("its value would be deeper than {DEPTH_MAX}")]
    TooDeep,
    /// Too many places in one object.
    #[error("its object would have more than {ENTRIES_MAX} entries")]
    TooManyEntries,
    /// The schema has another kind of value there.
    #[error(transparent)]
    Schema(SchemaViolation),
}

/// How far an author could see: per actor the greatest operation counter and
/// sequence number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Clock(BTreeMap<ActorId, Seen>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    max_op: u64,
    seq: u64,
}

impl Clock {
    fn covers(&self, id: &OpId) -> bool {
        self.0.get(&id.actor).is_some_and(|seen| id.counter <= seen.max_op)
    }

    fn merge(&mut self, other: &Self) {
        for (actor, seen) in &other.0 {
            let mine = self.0.entry(*actor).or_insert(*seen);
            mine.max_op = mine.max_op.max(seen.max_op);
            mine.seq = mine.seq.max(seen.seq);
        }
    }

    fn max_op(&self) -> u64 {
        self.0.values().map(|seen| seen.max_op).max().unwrap_or(0)
    }
}

#[derive(Debug, Clone)]
struct Object {
    list: bool,
    /// Steps from the root to here.
    path: Vec<PathPart>,
    /// Where this object itself stands, `None` for the root.
    place: Option<(ObjectKey, Slot)>,
    entries: BTreeMap<Slot, Vec<Entry>>,
}

/// The root, or the operation that made the object.
type ObjectKey = Option<OpId>;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Slot {
    Key(String),
    Element(OpId),
}

#[derive(Debug, Clone)]
struct Entry {
    id: OpId,
    overwritten_by: Vec<OpId>,
}

/// The shape of one document in one epoch.
#[derive(Debug, Clone)]
pub struct Structure {
    objects: BTreeMap<ObjectKey, Object>,
    clocks: BTreeMap<ChangeHash, Clock>,
    kind: DocumentKind,
}

impl Structure {
    /// An empty document of a kind, which has a schema.
    pub fn new(kind: DocumentKind) -> Self {
        let root = Object { list: false, path: Vec::new(), place: None, entries: BTreeMap::new() };
        Self { objects: BTreeMap::from([(None, root)]), clocks: BTreeMap::new(), kind }
    }

    /// Whether a change is in the document.
    pub fn contains(&self, change: &ChangeHash) -> bool {
        self.clocks.contains_key(change)
    }

    /// How many changes are in the document.
    pub fn changes(&self) -> usize {
        self.clocks.len()
    }

    /// Judges a change and enters it. After an error the structure must not be
    /// used again: it may hold the operations before the refused one.
    pub fn apply(
        &mut self,
        change: ChangeHash,
        actor: ActorId,
        seq: u64,
        operations: &Operations,
    ) -> Result<(), StructureError> {
        if self.contains(&change) {
            return Err(StructureError::Repeated);
        }
        let mut clock = Clock::default();
        for dependency in &operations.dependencies {
            let past = self.clocks.get(dependency).ok_or(StructureError::MissingDependency(*dependency))?;
            clock.merge(past);
        }
        let own = clock.0.get(&actor).map_or(0, |seen| seen.seq);
        if own + 1 != seq {
            return Err(StructureError::ForgetsItself);
        }
        let expected = clock.max_op() + 1;
        if operations.start_op != expected {
            return Err(StructureError::StartOp { found: operations.start_op, expected });
        }
        for (index, operation) in operations.list.iter().enumerate() {
            let id = OpId { counter: operations.start_op + index as u64, actor };
            self.operation(&clock, operations.start_op, id, operation)
                .map_err(|problem| StructureError::Operation { index, problem })?;
            clock.0.insert(actor, Seen { max_op: id.counter, seq });
        }
        self.clocks.insert(change, clock);
        Ok(())
    }

    fn operation(
        &mut self,
        clock: &Clock,
        start_op: u64,
        id: OpId,
        operation: &Operation,
    ) -> Result<(), Problem> {
        if !self.visible(clock, &operation.object) {
            return Err(Problem::NoObject);
        }
        let object = self.objects.get(&operation.object).ok_or(Problem::NoObject)?;
        let slot = Self::slot(object, clock, id, operation)?;
        let held = object.entries.get(&slot).map_or(&[][..], Vec::as_slice);
        let own = |entry: &Entry| entry.id.actor == id.actor && entry.id.counter >= start_op;
        if held.iter().rev().any(own) {
            return Err(Problem::TwiceInOneChange);
        }
        let seen = held.iter().filter(|entry| entry.is_visible(clock)).map(|entry| entry.id);
        if !seen.eq(operation.predecessors.iter().copied()) {
            return Err(Problem::WrongPredecessors);
        }
        if held.is_empty() && object.entries.len() >= ENTRIES_MAX {
            return Err(Problem::TooManyEntries);
        }
        if operation.action != Action::Delete {
            self.check_value(object, &slot, operation)?;
        }
        self.enter(id, slot, operation);
        Ok(())
    }

    /// Which place an operation means, if it can mean one in this object.
    fn slot(object: &Object, clock: &Clock, id: OpId, operation: &Operation) -> Result<Slot, Problem> {
        let exists =
            |element: &OpId| clock.covers(element) && object.entries.contains_key(&Slot::Element(*element));
        match (&operation.key, object.list) {
            (Key::Map(key), false) => Ok(Slot::Key(key.clone())),
            (Key::Head, true) => Ok(Slot::Element(id)),
            (Key::Element(element), true) if !exists(element) => Err(Problem::NoElement),
            (Key::Element(_), true) if operation.insert => Ok(Slot::Element(id)),
            (Key::Element(element), true) => Ok(Slot::Element(*element)),
            _ => Err(Problem::WrongKey),
        }
    }

    fn check_value(&self, object: &Object, slot: &Slot, operation: &Operation) -> Result<(), Problem> {
        let kind = operation.action.kind();
        let nested = matches!(kind, ValueKind::Map | ValueKind::List);
        // The root is depth 1; an object stands one deeper than what holds it.
        if nested && object.path.len() + 2 > DEPTH_MAX {
            return Err(Problem::TooDeep);
        }
        let mut path = object.path.clone();
        path.push(slot.part());
        schema::check(self.kind, &path, kind).map_err(Problem::Schema)
    }

    fn enter(&mut self, id: OpId, slot: Slot, operation: &Operation) {
        let Some(object) = self.objects.get_mut(&operation.object) else { return };
        let entries = object.entries.entry(slot.clone()).or_default();
        for entry in entries.iter_mut().filter(|entry| operation.predecessors.contains(&entry.id)) {
            entry.overwritten_by.push(id);
        }
        if operation.action == Action::Delete {
            return;
        }
        let at = entries.partition_point(|entry| entry.id < id);
        entries.insert(at, Entry { id, overwritten_by: Vec::new() });
        let list = match operation.action {
            Action::MakeMap => false,
            Action::MakeList => true,
            Action::Put(_) | Action::Delete => return,
        };
        let mut path = object.path.clone();
        path.push(slot.part());
        let made = Object { list, path, place: Some((operation.object, slot)), entries: BTreeMap::new() };
        self.objects.insert(Some(id), made);
    }

    /// Whether the author could see the object, and all that it stands in.
    fn visible(&self, clock: &Clock, object: &ObjectKey) -> bool {
        let mut at = *object;
        while let Some(id) = at {
            let Some((parent, slot)) = self.objects.get(&at).and_then(|object| object.place.as_ref()) else {
                return false;
            };
            let entries = self.objects.get(parent).and_then(|parent| parent.entries.get(slot));
            let stands = entries
                .is_some_and(|entries| entries.iter().any(|entry| entry.id == id && entry.is_visible(clock)));
            if !stands {
                return false;
            }
            at = *parent;
        }
        true
    }
}

impl Entry {
    fn is_visible(&self, clock: &Clock) -> bool {
        clock.covers(&self.id) && !self.overwritten_by.iter().any(|id| clock.covers(id))
    }
}

impl Slot {
    fn part(&self) -> PathPart {
        match self {
            Self::Key(key) => PathPart::Key(key.clone()),
            Self::Element(_) => PathPart::Element,
        }
    }
}

impl Action {
    fn kind(&self) -> ValueKind {
        match self {
            Self::MakeMap => ValueKind::Map,
            Self::MakeList => ValueKind::List,
            Self::Put(Scalar::Null) | Self::Delete => ValueKind::Null,
            Self::Put(Scalar::Boolean(_)) => ValueKind::Bool,
            Self::Put(Scalar::Integer(_)) => ValueKind::Int,
            Self::Put(Scalar::Text(_)) => ValueKind::Text,
            Self::Put(Scalar::Bytes(_)) => ValueKind::Bytes,
        }
    }
}
