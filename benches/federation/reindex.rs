//! Making search indexes and graph anew while the old ones answer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use node::node::{Node, Reach};
use node::view::{Reader, SearchQuery};

use crate::machine::{self, ms, percentile};
use crate::world::{Large, config, runtime};

/// Between two searches meanwhile.
const PAUSE: Duration = Duration::from_millis(50);

pub(crate) fn measure(large: &mut Large) -> Result<()> {
    let datasets = large.datasets;
    let runtime = runtime("serving")?;
    let node = runtime.block_on(Node::start(large.directory()?, &config(&[]), Reach::Nobody))?;
    let handle = node.handle();
    handle.settle_search();
    let cpu = machine::cpu();
    let begun = Instant::now();
    handle.remake_indexes();
    let done = AtomicBool::new(false);
    let (took, mut times) = std::thread::scope(|scope| {
        let searching = scope.spawn(|| {
            let mut times = Vec::new();
            while !done.load(Ordering::Relaxed) {
                let query = SearchQuery { text: "Baum".to_owned(), limit: 10, ..SearchQuery::default() };
                let asked = Instant::now();
                handle.search(Reader::Public, &query)?;
                times.push(asked.elapsed());
                std::thread::sleep(PAUSE);
            }
            anyhow::Ok(times)
        });
        handle.settle_search();
        let took = begun.elapsed();
        done.store(true, Ordering::Relaxed);
        let times = searching.join().expect("a search does not panic")?;
        anyhow::Ok((took, times))
    })?;
    let cpu = machine::cpu() - cpu;
    times.sort_unstable();
    println!(
        "{datasets} datasets: indexes and graph anew in {:.1} s, {:.1} s of processor time",
        took.as_secs_f64(),
        cpu.as_secs_f64()
    );
    let (half, most) = (ms(percentile(&times, 0.5)), ms(percentile(&times, 0.95)));
    println!("  {} searches meanwhile: p50 {half}, p95 {most}", times.len());
    println!("load {}", machine::load());
    runtime.block_on(node.shutdown());
    Ok(())
}
