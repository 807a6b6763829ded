//! Takes other people's records in: inventories of a town, catalogs of others.
//!
//! ```text
//! file, URL ─> reader ─> Candidate ─> valid record ─> compared with what is held ─> ledger
//!              (own process)          └─ Problem      └─ created, changed, unchanged
//! ```
//!
//! A [`Candidate`] is what a source says of one record, still unchecked; the
//! pipeline is the same for all sources. A record is known again by its source
//! and its key there, so that the same file twice changes nothing and an import
//! that was cut off can simply be run again.
//!
//! # Invariants
//!
//! - Everything arrives closed; nothing in a source can release anything. Only
//!   the town's own export (`restore`) opens again what it had opened.
//! - A record and the note of where it came from are written in one commit.
//! - What the town has changed itself is not overwritten, what it has published
//!   is not touched: the source's new word becomes a task.
//! - A file is read under the bounds of [`limits`], in a process of its own
//!   where the program provides one ([`reader::read_with`]).

mod candidate;
mod decision;
mod export;
pub mod inventory;
mod jobs;
mod known;
pub mod limits;
mod origin;
mod pipeline;
mod private;
pub mod reader;
mod remarks;
mod renamed;
mod report;
mod restore;
pub mod sheets;
mod spool;
#[cfg(test)]
mod tests;

pub use candidate::{Candidate, Fault, Line, Place, Remark, RemarkKind, SourceName};
pub use decision::{Batch, Item, Outcome};
pub use export::{ExportHead, ExportPart};
pub use inventory::Mapping;
pub use jobs::{Ended, EndedImport, ImportId, ImportJob, ImportState, Jobs};
pub use limits::REPORTS_MAX;
pub use origin::{Curated, Origin};
pub use pipeline::{ImportError, ImportOptions, Progress, run};
pub use report::{Problem, ProblemText, RejectedRow, Report, ReportText};
pub use restore::{Returned, Returning, ReturningRecord};
pub use spool::{Spool, SpoolWriter, private_file};

pub(crate) use candidate::field_hash;
pub(crate) use decision::{Held, decide};
pub(crate) use restore::fits;
