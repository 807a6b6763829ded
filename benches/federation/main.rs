//! Measures a federation on this machine: how long an edit takes to be found
//! elsewhere and to be shown by every interface, how fast a node joins, how quick search, CKAN's actions, SPARQL and a harvester's
//! walk are, what a node holds in memory and what it costs when nothing happens.
//!
//! ```sh
//! cargo bench --bench federation                       # all, small, some minutes
//! cargo bench --bench federation -- join               # some of edit, join, search, walk, ckan, sparql, memory, start, reindex, visible, idle
//! cargo bench --bench federation -- search start --datasets 100000
//! ```
//!
//! Absolute times are this machine's; ratios are measured in the same run and
//! may be compared. It asserts nothing: it prints figures for people
//! (`docs/performance.md`).

#![expect(clippy::print_stdout, reason = "figures are what it is for")]

mod child;
mod ckan;
mod edit;
mod idle;
mod join;
mod machine;
mod reindex;
mod search;
mod sparql;
mod visible;
mod walk;
mod wire;
mod world;

use anyhow::{Context, Result, bail};
use mimalloc::MiMalloc;

use crate::world::Large;

/// The same as the program's.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Datasets in the large catalog unless told otherwise.
const DATASETS: usize = 5_000;
/// Towns, and datasets of each in the small one.
const TOWNS: usize = 5;
const SMALL: usize = 300;

const MODES: [&str; 11] =
    ["edit", "search", "walk", "ckan", "sparql", "start", "memory", "join", "reindex", "visible", "idle"];

struct Options {
    modes: Vec<String>,
    datasets: usize,
}

fn main() -> Result<()> {
    // The client is built on rustls, though it asks over plain HTTP.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments.peek().is_some_and(|first| first == child::MODE) {
        return child::run(&arguments.skip(1).collect::<Vec<_>>());
    }
    // Silent unless RUST_LOG asks: what a node logs belongs to no figure.
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let options = options(arguments)?;
    println!("{}", machine::describe());
    let mut large = Large::new(options.datasets);
    for mode in &options.modes {
        println!("\n== {mode}");
        match mode.as_str() {
            "edit" => edit::measure(SMALL),
            "join" => join::measure(&mut large),
            "search" => search::measure(&mut large),
            "ckan" => ckan::measure(&mut large),
            "sparql" => sparql::measure(&mut large),
            "walk" => walk::measure(&mut large),
            "memory" => child::measure_memory(Large::new(TOWNS * SMALL), &mut large),
            "start" => child::measure_start(&mut large),
            "reindex" => reindex::measure(&mut large),
            "visible" => visible::measure(&mut large),
            _ => idle::measure(SMALL),
        }
        .with_context(|| format!("measure {mode}"))?;
    }
    Ok(())
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Options> {
    let mut options = Options { modes: Vec::new(), datasets: DATASETS };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--datasets" => {
                let count = arguments.next().unwrap_or_default();
                options.datasets =
                    count.parse().with_context(|| format!("`--datasets {count}`: give a whole number"))?;
            }
            // Cargo says this to every benchmark.
            "--bench" => {}
            mode if MODES.contains(&mode) => options.modes.push(argument),
            other => bail!("no mode or option `{other}`; the modes are {}", MODES.join(", ")),
        }
    }
    if options.modes.is_empty() {
        options.modes = MODES.map(str::to_owned).to_vec();
    }
    Ok(options)
}
