//! Records that seem to be about the same data: found, scored and given reasons
//! for a person, who decides.
//!
//! ```text
//! Dataset ─> Features ─> keys ─> candidates ─> compare ─> Hint: score, reasons
//!            (hashes)    └─ a key that many share is none
//! ```
//!
//! Everything here is derived from the stores and kept in memory only; a person's
//! decisions about hints are rows of `closed.redb`. What counts as a duplicate,
//! with which weight, and how well that works is in `docs/duplicates.md`.
//!
//! # Invariants
//!
//! - Nothing is merged, deleted or hidden because of a score.
//! - Closed records take part in hints for the town's own desk only.
//! - Memory grows with the number of records alone, never with the number of
//!   pairs: [`index::PAIRS_MAX`] are kept.

pub mod features;
pub mod index;
pub(crate) mod level;
pub mod score;
#[cfg(test)]
mod tests;
