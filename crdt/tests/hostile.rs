//! I6, bounded: the hostile corpus of `docs/design`, told in our own operations
//! and frames and sealed by a member that is entitled to write.
//!
//! Each case is refused with its stable code, within [`JUDGING_BYTES_MAX`] of
//! memory, and leaves the document bit for bit as it was: it saves, restores
//! and takes the next edit. `HANSE_MUTATIONS=1000000` makes the two mutation
//! tests run long; a failure prints the seed.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod league;
mod sealing;

#[path = "hostile/counting.rs"]
mod counting;
#[path = "hostile/encodings.rs"]
mod encodings;
#[path = "hostile/ground.rs"]
mod ground;
#[path = "hostile/limits.rs"]
mod limits;
#[path = "hostile/messages.rs"]
mod messages;
#[path = "hostile/mutations.rs"]
mod mutations;
#[path = "simulation/random.rs"]
mod random;
#[path = "hostile/structures.rs"]
mod structures;

/// Memory that judging one change, or handling one message, takes at most:
/// a change is 256 KiB, a message 320 KiB, and staging copies the document.
const JUDGING_BYTES_MAX: usize = 24 * 1_048_576;

/// How many mutations to try: a default for every run, or as asked for.
#[expect(clippy::disallowed_methods, reason = "a variable asks for the long run")]
fn mutations(default: u64) -> u64 {
    std::env::var("HANSE_MUTATIONS").map_or(default, |text| text.parse().expect("a number"))
}
