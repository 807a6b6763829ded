//! Public search with facets through the HTTP API of a node on one core.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::child::Serving;
use crate::machine::{self, ms, percentile};
use crate::world::{Large, runtime};

/// Requests a second, whatever the answers take.
const RATE: u32 = 50;
const SECONDS: u32 = 30;

/// What people look for: words, parts of compounds, beginnings, typing errors,
/// filters, nothing.
const QUERIES: [&str; 16] = [
    "q=Baum",
    "q=Kataster",
    "q=Straßenbäume",
    "q=spielpl",
    "q=Haushalt&theme=GOVE",
    "q=",
    "q=&town=05974040",
    "q=Bebauungsplan&format=WFS",
    "q=Verkehr+Soest",
    "q=Luftqualität",
    "q=Kindertagesstätten&town=05958004",
    "q=Hausalt",
    "q=%22Untere+Naturschutzbehörde%22",
    "q=Abfall&theme=ENVI&format=CSV",
    "q=Radwege+Zählung",
    "q=Denkmal&limit=50",
];

pub(crate) fn measure(large: &mut Large) -> Result<()> {
    let datasets = large.datasets;
    let node = Serving::start(large.directory()?, true, Some(0))?;
    ask_many(&node.public, 200)?;
    let mut times = at_rate(&node.public)?;
    times.sort_unstable();
    println!(
        "{datasets} datasets, {} requests at {RATE}/s, the node on one core: p50 {}, p95 {}, p99 {}, most {}",
        times.len(),
        ms(percentile(&times, 0.5)),
        ms(percentile(&times, 0.95)),
        ms(percentile(&times, 0.99)),
        ms(times.last().copied().unwrap_or_default())
    );
    for query in QUERIES {
        println!("  {:>8}  {query}", ms(alone(&node.public, query)?));
    }
    println!("load {}", machine::load());
    node.stop()
}

fn url(public: &str, query: &str) -> String {
    format!("http://{public}/api/v1/datasets?{query}")
}

/// Asks one after the other, to warm up.
pub(crate) fn ask_many(public: &str, count: usize) -> Result<()> {
    runtime("asking")?.block_on(async {
        let client = reqwest::Client::new();
        for query in QUERIES.iter().cycle().take(count) {
            ask(&client, &url(public, query)).await?;
        }
        Ok(())
    })
}

/// Median of one query when no other runs.
fn alone(public: &str, query: &str) -> Result<Duration> {
    runtime("asking")?.block_on(async {
        let client = reqwest::Client::new();
        let mut times = Vec::new();
        for _ in 0..15 {
            times.push(ask(&client, &url(public, query)).await?);
        }
        times.sort_unstable();
        Ok(percentile(&times, 0.5))
    })
}

/// Asks at a fixed rate; a late answer delays no later question, and the time
/// counts from when the question was due.
fn at_rate(public: &str) -> Result<Vec<Duration>> {
    runtime("asking")?.block_on(async {
        let client = reqwest::Client::new();
        let begun = Instant::now();
        let mut asked = Vec::new();
        for (number, query) in (0..RATE * SECONDS).zip(QUERIES.iter().cycle()) {
            let due = begun + Duration::from_secs(1) * number / RATE;
            tokio::time::sleep_until(due.into()).await;
            let (client, url) = (client.clone(), url(public, query));
            asked.push(tokio::spawn(async move { ask(&client, &url).await.map(|_| due.elapsed()) }));
        }
        let mut times = Vec::new();
        for one in asked {
            times.push(one.await??);
        }
        Ok(times)
    })
}

async fn ask(client: &reqwest::Client, url: &str) -> Result<Duration> {
    let begun = Instant::now();
    let answer = client.get(url).send().await?;
    let status = answer.status();
    let body: serde_json::Value = answer.json().await?;
    ensure!(status.is_success() && body["facets"].is_object(), "{url} answered {status}: {body}");
    Ok(begun.elapsed())
}
