//! Automerge documents: the only home of the `automerge` crate.
//!
//! [`Document`] is one Automerge document of any kind. It never sets an author,
//! always sets the actor, uses no clock (times are zero, the seal has the time)
//! and loads only what this node itself has saved.

mod rebuild;

pub use rebuild::ExplainError;

use automerge::{Automerge, AutomergeError, Change};

use crate::{
    gate::ValueKind,
    ids::{ActorId, ChangeHash},
    operations::Operations,
};

/// A change as Automerge holds it: made here, or rebuilt from operations.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalChange(Change);

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
        rebuild::explain(&self.0)
    }

    /// The change that operations describe. They must have passed the
    /// structural rules.
    pub(crate) fn rebuild(operations: &Operations, actor: &ActorId, seq: u64) -> Self {
        Self(rebuild::rebuild(operations, actor, seq))
    }
}

/// One Automerge document.
#[derive(Debug, Clone)]
pub struct Document {
    automerge: Automerge,
}

impl Document {
    /// A document without changes.
    pub fn empty() -> Self {
        Self::of(Automerge::new())
    }

    /// Loads what [`Document::save`] gave.
    ///
    /// # Errors
    ///
    /// When the bytes are not a saved document.
    pub fn load(saved: &[u8]) -> Result<Self, AutomergeError> {
        Automerge::load(saved).map(Self::of)
    }

    /// INVARIANT: the actor is never the random one that Automerge draws.
    fn of(automerge: Automerge) -> Self {
        Self { automerge: automerge.with_actor(automerge::ActorId::from([0; 16].as_slice())) }
    }

    /// The document as bytes for [`Document::load`].
    pub fn save(&self) -> Vec<u8> {
        self.automerge.save()
    }

    /// Hashes of the changes that no other builds on, ascending.
    pub fn heads(&self) -> Vec<ChangeHash> {
        let mut heads: Vec<ChangeHash> =
            self.automerge.get_heads().into_iter().map(|hash| ChangeHash(hash.0)).collect();
        heads.sort_unstable();
        heads
    }

    /// Applies changes whose dependencies are in the document or among them.
    ///
    /// # Errors
    ///
    /// What Automerge refuses.
    pub(crate) fn apply(&mut self, changes: Vec<LocalChange>) -> Result<(), AutomergeError> {
        self.automerge.apply_changes(changes.into_iter().map(|change| change.0))
    }
}

/// Whether a kind of value may stand at a path.
pub fn schema_allows(_path: &[&str], _kind: ValueKind) -> bool {
    true
}
