//! Why a read or a write through the handle did not happen.
//!
//! Each completes "failed to …". Nothing here knows HTTP or German: `web`
//! alone turns an error into a status and into words for a clerk.

use crdt::catalog::{Finding, InvalidBody, InvalidField};
use crdt::ids::{ChangeHash, DatasetId, Pseudonym, Town, UnixMillis};
use serde::Serialize;

/// Why a read gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A filter or a page that cannot be.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// The search index is being rebuilt.
    #[error("search: the index is being rebuilt; ask again in {retry_s} seconds")]
    Rebuilding {
        /// When to ask again.
        retry_s: u32,
    },
    /// A file of the data directory could not be read.
    #[error("read from the data directory: {0}")]
    Store(String),
    /// The search index failed.
    #[error("search: {0}")]
    Search(String),
}

/// Why no record was made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// A field cannot hold what was given.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// A record of this id is here already.
    #[error("create dataset `{0}`: it exists already")]
    Exists(DatasetId),
    /// The writer has too much to do.
    #[error("create a dataset: {waiting} jobs are waiting, no more are taken; try again in a moment")]
    Busy {
        /// Jobs in the queue.
        waiting: usize,
    },
    /// The node is shutting down.
    #[error("create a dataset: the node is shutting down")]
    Stopped,
    /// Nothing was changed, because nothing could be written.
    #[error("create a dataset: {0}")]
    Write(String),
}

/// A field that somebody else changed since the editor read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EditedField {
    /// Path, `/` between its parts.
    pub path: String,
    /// When it was changed, by the author's clock.
    pub at: UnixMillis,
    /// By whose town.
    pub town: Town,
    /// By whom.
    pub pseudonym: Pseudonym,
}

/// Why the town's catalog was not changed.
#[derive(Debug, thiserror::Error)]
pub enum EditCatalogError {
    /// A field cannot hold what was given.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// The catalog could not be served as DCAT-AP.de asks for it.
    #[error("edit the catalog: {0}")]
    Faulty(InvalidBody),
    /// The node does not know yet what it published before.
    #[error("edit the catalog: the node is catching up with its peers; try again in a moment")]
    CatchingUp,
    /// The node may not seal for its town.
    #[error("edit the catalog: this node cannot seal: {0}")]
    NotCertified(String),
    /// The document does not take the change.
    #[error("edit the catalog: {0}")]
    Refused(String),
    /// The writer has too much to do.
    #[error("edit the catalog: {waiting} jobs are waiting, no more are taken; try again in a moment")]
    Busy {
        /// Jobs in the queue.
        waiting: usize,
    },
    /// The node is shutting down.
    #[error("edit the catalog: the node is shutting down")]
    Stopped,
    /// Nothing was changed, because nothing could be written.
    #[error("edit the catalog: {0}")]
    Write(String),
}

/// Why a dataset was not changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// There is none, or none that the caller may know of.
    #[error("edit dataset `{0}`: there is no such dataset")]
    NotFound(DatasetId),
    /// It belongs to another town.
    #[error("edit dataset `{id}`: it belongs to {owner}; only a node of that town can change it")]
    NotOwn {
        /// The dataset.
        id: DatasetId,
        /// Its town.
        owner: Town,
    },
    /// A field cannot hold what was given.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// Given fields were changed by others since the heads that were given back.
    #[error("edit dataset `{id}`: {} changed meanwhile: {}", if fields.len() == 1 { "a field was" } else { "fields were" }, paths(fields))]
    EditedMeanwhile {
        /// The dataset.
        id: DatasetId,
        /// Which fields, when and by whom.
        fields: Vec<EditedField>,
        /// The heads now.
        heads: Vec<ChangeHash>,
    },
    /// The heads given back are none of this dataset's.
    #[error("edit dataset `{id}`: the heads given are not of its history; read it again and repeat the edit")]
    UnknownHeads {
        /// The dataset.
        id: DatasetId,
    },
    /// An internal note was given for a public one, or the class was changed by an edit.
    #[error("edit dataset `{id}`: `{field}` cannot be changed by an edit: {remedy}")]
    NotEditable {
        /// The dataset.
        id: DatasetId,
        /// The field.
        field: String,
        /// What to do instead.
        remedy: &'static str,
    },
    /// It would take away what an open dataset needs.
    #[error("edit dataset `{id}`: it is open and must stay complete: {}", listed(obstacles))]
    Obstructed {
        /// The dataset.
        id: DatasetId,
        /// What would be wrong, field by field.
        obstacles: Vec<Finding>,
    },
    /// The node does not publish before it knows what it published before.
    #[error(
        "edit dataset `{id}`: this node is still catching up with the other towns; try again when it is ready"
    )]
    CatchingUp {
        /// The dataset.
        id: DatasetId,
    },
    /// The node has no valid certificate under which to seal.
    #[error("edit dataset `{id}`: this node has no valid certificate of its town: {reason}")]
    NotCertified {
        /// The dataset.
        id: DatasetId,
        /// What is missing.
        reason: String,
    },
    /// The dataset's document cannot take the change.
    #[error("edit dataset `{id}`: {reason}")]
    Refused {
        /// The dataset.
        id: DatasetId,
        /// Why not.
        reason: String,
    },
    /// The writer has too much to do.
    #[error("edit a dataset: {waiting} jobs are waiting, no more are taken; try again in a moment")]
    Busy {
        /// Jobs in the queue.
        waiting: usize,
    },
    /// The node is shutting down.
    #[error("edit a dataset: the node is shutting down")]
    Stopped,
    /// Nothing was changed, because nothing could be written.
    #[error("edit a dataset: {0}")]
    Write(String),
}

/// Why a record was not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// There is none.
    #[error("publish dataset `{0}`: there is no such record")]
    NotFound(DatasetId),
    /// It belongs to another town.
    #[error("publish dataset `{id}`: it belongs to {owner}")]
    NotOwn {
        /// The dataset.
        id: DatasetId,
        /// Its town.
        owner: Town,
    },
    /// It is open already.
    #[error("publish dataset `{0}`: it is published already")]
    AlreadyOpen(DatasetId),
    /// Something that readers need is missing.
    #[error("publish dataset `{id}`: {}", listed(obstacles))]
    Incomplete {
        /// The dataset.
        id: DatasetId,
        /// What stands in the way, field by field.
        obstacles: Vec<Finding>,
    },
    /// The node belongs to no federation yet, or may not sign for its town.
    #[error("publish dataset `{id}`: {reason}")]
    NotCertified {
        /// The dataset.
        id: DatasetId,
        /// What is missing and how to get it.
        reason: String,
    },
    /// The node does not publish before it knows what it published before.
    #[error(
        "publish dataset `{id}`: this node is still catching up with the other towns; try again when it is ready"
    )]
    CatchingUp {
        /// The dataset.
        id: DatasetId,
    },
    /// The record does not fit into a document.
    #[error("publish dataset `{id}`: {reason}")]
    Refused {
        /// The dataset.
        id: DatasetId,
        /// Why not.
        reason: String,
    },
    /// The writer has too much to do.
    #[error("publish a dataset: {waiting} jobs are waiting, no more are taken; try again in a moment")]
    Busy {
        /// Jobs in the queue.
        waiting: usize,
    },
    /// The node is shutting down.
    #[error("publish a dataset: the node is shutting down")]
    Stopped,
    /// Nothing was changed, because nothing could be written.
    #[error("publish a dataset: {0}")]
    Write(String),
}

fn paths(fields: &[EditedField]) -> String {
    fields.iter().map(|field| format!("`{}`", field.path)).collect::<Vec<_>>().join(", ")
}

fn listed(obstacles: &[Finding]) -> String {
    obstacles.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
