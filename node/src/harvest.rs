//! Other catalogs' records, once or on a schedule: what is fetched how, read
//! into records, and taken over without the troubles that harvesters have.
//!
//! Everything that comes from outside is bounded before it is read. Nothing
//! here decides what a record may hold (`crdt::foreign`, `crdt::catalog`) or
//! what a source's new word changes (`crate::import`).

mod bounds;
pub mod fetch;
pub(crate) mod file;
pub mod live;
pub mod once;
pub mod page;
pub mod run;
pub mod source;
pub mod walk;
