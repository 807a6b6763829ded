//! Catalog records as Automerge documents: edited, merged, read back and
//! explained field by field. The only place that names Automerge.
//!
//! A record's values lie in maps of scalars ([`crate::catalog`] has the table),
//! so that concurrent edits merge per field and per member of a set. Whoever
//! edits gives the actor; Automerge's own random one is never used, nor its
//! time, message, author or `Text`.
//!
//! ```text
//! DatasetEdit ──> edit ──> Edited { document, change } ──> (seal, store) ──> kept
//! rebuilt change ──> apply ──> read, conflicts, history
//! ```
//!
//! # Invariants
//!
//! - Bytes of a peer never reach Automerge's parser: [`Document::load`] is for
//!   what this node saved itself, and changes come rebuilt from operations.
//! - Reading never fails: a field that this version cannot read neither panics
//!   nor hides another.
//! - An edit touches what it names and nothing else; unknown fields stay.

mod edit;
mod history;
mod plain;
mod read;
mod rebuild;
pub mod schema;
#[cfg(test)]
mod tests;
mod tree;

use automerge::{Automerge, LoadOptions, ReadDoc, VerificationMode};

use crate::ids::{ActorId, ChangeHash};

pub use edit::{EditError, Edited};
pub use history::{ChangeRecord, Conflict, ConflictValue, FieldDifference};
pub use read::{CatalogContent, DatasetContent};
pub use rebuild::{ExplainError, LocalChange};

/// One document: a record with its whole history.
#[derive(Clone)]
pub struct Document {
    inner: Automerge,
}

/// Why bytes that this node should have saved are no document.
#[derive(Debug, thiserror::Error)]
#[error("load a saved document: {reason}")]
pub struct LoadError {
    reason: String,
}

/// Why a change cannot be applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// Changes it builds on are missing.
    #[error("apply a change: it builds on `{0}`, which is missing")]
    MissingDependency(ChangeHash),
    /// Automerge refuses it.
    #[error("apply a change: {0}")]
    Refused(String),
}

impl Document {
    /// A document without changes.
    pub fn empty() -> Self {
        Self { inner: with_idle_actor(Automerge::new()) }
    }

    /// Loads what [`Document::save`] of this node wrote.
    ///
    /// INVARIANT: never call it with bytes of a peer.
    pub fn load(saved: &[u8]) -> Result<Self, LoadError> {
        let options = LoadOptions::new().verification_mode(VerificationMode::Check);
        let inner = Automerge::load_with_options(saved, options)
            .map_err(|error| LoadError { reason: error.to_string() })?;
        Ok(Self { inner: with_idle_actor(inner) })
    }

    /// The document's bytes for this node's own files.
    pub fn save(&self) -> Vec<u8> {
        self.inner.save()
    }

    /// The changes that no other builds on, ascending.
    pub fn heads(&self) -> Vec<ChangeHash> {
        let mut heads: Vec<_> = self.inner.get_heads().into_iter().map(from_automerge).collect();
        heads.sort_unstable();
        heads
    }

    /// Whether it holds this change.
    pub fn holds(&self, change: &ChangeHash) -> bool {
        self.inner.get_missing_deps(&[automerge::ChangeHash(change.0)]).is_empty()
    }

    /// How many changes it holds.
    pub fn change_count(&self) -> usize {
        self.inner.get_changes_meta(&[]).len()
    }

    /// Applies a change that was rebuilt from its operations, at once or not at
    /// all; a change that is held already changes nothing.
    pub(crate) fn apply(&mut self, LocalChange(change): LocalChange) -> Result<(), ApplyError> {
        // Automerge would queue such a change without saying so.
        if let Some(missing) =
            change.deps().iter().copied().map(from_automerge).find(|hash| !self.holds(hash))
        {
            return Err(ApplyError::MissingDependency(missing));
        }
        self.inner.apply_changes([change]).map_err(|error| ApplyError::Refused(error.to_string()))
    }
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Document").field("heads", &self.heads()).finish_non_exhaustive()
    }
}

/// Automerge draws a random actor for each document; this one never authors.
fn with_idle_actor(document: Automerge) -> Automerge {
    document.with_actor(automerge::ActorId::from([0; ActorId::SIZE]))
}

fn from_automerge(hash: automerge::ChangeHash) -> ChangeHash {
    ChangeHash(hash.0)
}

/// The actor, if it has the length that all of ours have.
fn actor_of(actor: &automerge::ActorId) -> ActorId {
    ActorId::from_slice(actor.to_bytes()).unwrap_or_default()
}
