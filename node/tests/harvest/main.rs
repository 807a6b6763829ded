//! Other catalogs' records: reading, fetching, taking over.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod corpus;
mod fetching;
mod hostile;
mod merging;
mod once;
mod running;
mod seasons;
mod server;
#[path = "../support/mod.rs"]
mod support;
