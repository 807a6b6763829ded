//! The walk of a harvester over the whole federation's catalog, page after page.

use std::time::{Duration, Instant};

use crate::child::Serving;
use crate::machine::{self, ms, percentile};
use crate::world::{Large, runtime};
use anyhow::{Result, ensure};

/// Property whose value is the address of the next page.
const NEXT: &str = "hydra:next <";

pub(crate) fn measure(large: &mut Large) -> Result<()> {
    let datasets = large.datasets;
    let node = Serving::start(large.directory()?, true, None)?;
    node.wait_until_ready()?;
    for ending in ["ttl", "rdf", "jsonld"] {
        let walk = runtime("harvester")?.block_on(walk(&node.public, ending, datasets))?;
        println!(
            "/federation/catalog.{ending}: {} pages, {:.1} MB in {:.1} s; page p50 {}, p95 {}",
            walk.times.len(),
            walk.bytes as f64 / 1e6,
            walk.whole.as_secs_f64(),
            ms(percentile(&walk.times, 0.5)),
            ms(percentile(&walk.times, 0.95)),
        );
    }
    println!("load {}", machine::load());
    node.stop()
}

struct Walk {
    whole: Duration,
    /// Of each page, ascending.
    times: Vec<Duration>,
    bytes: usize,
}

async fn walk(public: &str, ending: &str, datasets: usize) -> Result<Walk> {
    let client = reqwest::Client::new();
    let first = format!("http://{public}/federation/catalog.{ending}");
    let (begun, mut times, mut bytes) = (Instant::now(), Vec::new(), 0);
    let pages = datasets.div_ceil(100);
    let mut next = Some(first);
    while let Some(address) = next {
        let page = Instant::now();
        let answer = client.get(&address).send().await?;
        ensure!(answer.status().is_success(), "{address} answered {}", answer.status());
        let text = answer.text().await?;
        times.push(page.elapsed());
        bytes += text.len();
        next = link(&text, ending);
    }
    ensure!(times.len() == pages, "{} pages instead of {pages}", times.len());
    let whole = begun.elapsed();
    times.sort_unstable();
    Ok(Walk { whole, times, bytes })
}

fn link(text: &str, ending: &str) -> Option<String> {
    let (before, after) = match ending {
        "ttl" => (NEXT, '>'),
        "rdf" => ("<hydra:next rdf:resource=\"", '"'),
        _ => ("core#next\":[{\"@id\":\"", '"'),
    };
    let rest = text.split_once(before)?.1;
    rest.split(after).next().map(|address| address.replace("&amp;", "&"))
}
