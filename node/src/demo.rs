//! Records to begin with: the invented catalog of five towns, a file of one's
//! own, and generated ones for measurements.
//!
//! It only makes values. Who founds a federation of them and publishes them is
//! the command `hanse demo`.

mod foreign;
mod records;
mod synthetic;
mod words;

use crdt::ids::Town;

pub use self::records::{DemoRecord, LoadRecordsError, RecordProblem, Records};
pub use self::synthetic::record as synthetic_record;

/// A town as a records file names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoTown {
    /// Its municipality key.
    pub town: Town,
    /// Short name, as in paths: `bad-berleburg`.
    pub code: String,
    /// Name.
    pub name: String,
    /// Where its datasets live, without a slash at the end.
    pub base_url: String,
    /// Mailbox of its data management.
    pub mailbox: String,
}
