//! I3, authenticity: what nobody entitled has signed is believed by no node,
//! whatever it looks like and in whatever order it arrives.
//!
//! Every test has its positive control: the same bytes, signed by those who may.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod league;
mod sealing;

#[path = "forgeries/charters.rs"]
mod charters;
#[path = "forgeries/encodings.rs"]
mod encodings;
#[path = "forgeries/forks.rs"]
mod forks;
#[path = "forgeries/nodes.rs"]
mod nodes;
#[path = "forgeries/seals.rs"]
mod seals;
#[path = "forgeries/statements.rs"]
mod statements;
