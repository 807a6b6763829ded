//! The database files of a node: what may leave the town, what never does, and
//! a derived one.
//!
//! [`ReplicaStore`] (`replica.redb`) takes sealed and signed things only;
//! [`ClosedStore`] (`closed.redb`) takes the town's own records only. Neither
//! can name the other's types. [`GraphStore`] (`index/graph.redb`) is made from
//! the first and can be made again. The tables are specified byte by byte in
//! `docs/storage.md`. Nothing here decides what is true: the store keeps what
//! it is given, durably, and gives it back or says what is lost.

mod closed;
mod compress;
mod database;
mod error;
mod graph;
mod graph_write;
mod replica;
mod replica_write;
mod retelling;
mod rows;
#[cfg(test)]
pub(crate) mod tests;

pub use closed::{
    AliasRow, ClosedSnapshot, ClosedStore, ClosedWrite, Leading, PairOfRecords, SourceRow, TaskRow,
};
pub(crate) use error::is_full;
pub use error::{OpenStoreError, ReadStoreError, WriteError};
pub use graph::{GraphRange, GraphSnapshot, GraphStore, TermId};
pub use graph_write::GraphChange;
pub use replica::{ReplicaCounts, ReplicaSnapshot, ReplicaStore};
pub use replica_write::ReplicaWrite;
pub use rows::{DocumentRow, QuarantinedChange, ViewContent, ViewRow};

/// Name of the file of sealed documents.
pub const REPLICA_FILE: &str = "replica.redb";
/// Name of the file of the town's own records.
pub const CLOSED_FILE: &str = "closed.redb";
/// Name of the file of triples, below the directory of indexes.
pub const GRAPH_FILE: &str = "graph.redb";

/// Format of both files that this build writes.
pub const FORMAT_VERSION: u32 = 1;

/// How a store file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreSettings {
    /// Page cache in bytes.
    pub cache_bytes: usize,
    /// Whether every page is checked first. Without it, one flipped bit can be
    /// read as other data (design, section 9).
    pub check_integrity: bool,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self { cache_bytes: 32 * 1024 * 1024, check_integrity: true }
    }
}
