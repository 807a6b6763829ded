//! What programs of others ask the public listener, interface by interface.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../support/mod.rs"]
mod support;

mod ckan;
mod sparql;
mod told;
mod vocabularies;
