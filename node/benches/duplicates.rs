//! How long it takes to find what seems to be the same: among all records from
//! nothing, and for one new record; and how much memory it takes.
//!
//! ```sh
//! cargo bench -p node --bench duplicates              # 100,000 records
//! cargo bench -p node --bench duplicates -- 20000
//! ```
//!
//! Figures for people, see docs/duplicates.md. Records are made before the clock
//! starts, a town's at a time; reading them from the disk is not part of it.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark tells people")]

use std::time::{Duration, Instant};

use node::demo::{Records, synthetic_record};
use node::duplicates::features::Reading;
use node::duplicates::index::Index;

/// New records that are asked about one after the other.
const NEW: u64 = 1_000;
const SEED: u64 = 1;

fn main() {
    let given = std::env::args().filter_map(|argument| argument.parse().ok()).next();
    let records: u64 = given.unwrap_or(100_000);
    let towns = Records::shipped().towns;
    let mut reading = Reading::new(towns.iter().map(|town| town.name.as_str()));
    let mut index = Index::default();
    let before = resident_mib();
    let mut taken = Duration::ZERO;
    for town in &towns {
        for index_of in 0..records / towns.len() as u64 {
            let dataset = synthetic_record(SEED, town, index_of).dataset;
            let begun = Instant::now();
            let (features, keys) = reading.read(&dataset, town.town);
            index.put(dataset.id, true, features, &keys);
            taken += begun.elapsed();
        }
    }
    let begun = Instant::now();
    index.settle();
    taken += begun.elapsed();
    println!(
        "{} records: all hints after {:.1} s ({} pairs)",
        index.len(),
        taken.as_secs_f64(),
        index.pairs().count()
    );
    println!("index: {} MiB resident", resident_mib().saturating_sub(before));

    let town = towns.first().unwrap();
    let mut times: Vec<Duration> = (0..NEW)
        .map(|number| {
            let dataset = synthetic_record(SEED + 1, town, number).dataset;
            let begun = Instant::now();
            let (features, keys) = reading.read(&dataset, town.town);
            index.put(dataset.id, true, features, &keys);
            index.settle();
            begun.elapsed()
        })
        .collect();
    times.sort_unstable();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)].as_secs_f64() * 1_000.0;
    println!(
        "one new record: median {:.2} ms, 99 of 100 within {:.2} ms, slowest {:.2} ms",
        at(50),
        at(99),
        at(100)
    );
}

/// Memory that this process holds now, as Linux tells it.
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: u64 = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0);
    kib / 1024
}
