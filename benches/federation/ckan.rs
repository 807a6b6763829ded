//! CKAN's `package_search` through the HTTP API of a node on one core: a page
//! as a reader sees it, a harvester's page, and the walk over everything.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::child::Serving;
use crate::machine::{self, ms, percentile};
use crate::world::{Large, runtime};

/// Requests of one kind.
const ROUNDS: usize = 60;
/// What CKAN's own search page counts.
const FACETS: &str =
    "facet.field=%5B%22organization%22,%22groups%22,%22tags%22,%22res_format%22,%22license_id%22%5D";

/// What readers and portals ask, ten rows each.
const QUERIES: [&str; 8] = [
    "q=",
    "q=Baum",
    "q=Haushalt&fq=groups:gove",
    "q=title:Kataster*+AND+res_format:CSV",
    "fq=organization:soest",
    "fq=-organization:soest+-organization:olpe",
    "q=Verkehr+Soest&sort=metadata_modified+desc",
    "fq=metadata_modified:%5B2020-01-01T00:00:00Z+TO+*%5D",
];

/// What harvesters ask, a thousand rows each.
const PAGES: [&str; 3] = ["sort=id+asc&start=0", "sort=id+asc&start=50000", "start=1000"];

pub(crate) fn measure(large: &mut Large) -> Result<()> {
    let datasets = large.datasets;
    let node = Serving::start(large.directory()?, true, Some(0))?;
    node.wait_until_ready()?;
    let asking = runtime("asking")?;
    asking.block_on(async {
        let client = reqwest::Client::new();
        let base = format!("http://{}/api/3/action/package_search", node.public);
        println!("{datasets} datasets, one request after the other, the node on one core");
        for query in QUERIES {
            let url = format!("{base}?rows=10&{FACETS}&{query}");
            report(&format!("rows=10 with facets, {query}"), &client, &url, ROUNDS).await?;
        }
        for page in PAGES {
            let url = format!("{base}?rows=1000&{page}");
            report(&format!("rows=1000, {page}"), &client, &url, ROUNDS).await?;
        }
        walk(&client, &base, datasets).await
    })?;
    println!("load {}", machine::load());
    node.stop()
}

async fn report(what: &str, client: &reqwest::Client, url: &str, rounds: usize) -> Result<()> {
    let mut times = Vec::new();
    let mut count = 0;
    for _ in 0..rounds {
        let begun = Instant::now();
        count = ask(client, url).await?["count"].as_u64().unwrap_or_default();
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    let at = |share| ms(percentile(&times, share));
    println!("  p50 {:>8}  p95 {:>8}  {what} ({count})", at(0.5), at(0.95));
    Ok(())
}

async fn walk(client: &reqwest::Client, base: &str, datasets: usize) -> Result<()> {
    let begun = Instant::now();
    let (mut seen, mut slowest) = (0, Duration::ZERO);
    loop {
        let page = Instant::now();
        let result = ask(client, &format!("{base}?rows=1000&sort=id+asc&start={seen}")).await?;
        slowest = slowest.max(page.elapsed());
        let rows = result["results"].as_array().context("an answer without results")?.len();
        if rows == 0 {
            break;
        }
        seen += rows;
    }
    ensure!(seen == datasets, "the walk saw {seen} of {datasets} datasets");
    println!("  the whole walk, 1000 rows a page: {}, the slowest page {}", ms(begun.elapsed()), ms(slowest));
    Ok(())
}

/// The result; the time a client takes to read it counts.
async fn ask(client: &reqwest::Client, url: &str) -> Result<Value> {
    let mut answer: Value = client.get(url).send().await?.json().await?;
    ensure!(answer["success"] == true, "{url} answered {answer}");
    Ok(answer["result"].take())
}
