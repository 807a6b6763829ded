//! SPARQL through the HTTP API of a node on one core: what a data user asks of
//! the whole catalog.

use std::time::Instant;

use anyhow::{Result, ensure};

use crate::child::Serving;
use crate::machine::{self, ms, percentile};
use crate::world::{Large, runtime};

/// Queries of one kind.
const ROUNDS: usize = 40;
const PREFIXES: &str = "PREFIX dcat: <http://www.w3.org/ns/dcat#> PREFIX dct: <http://purl.org/dc/terms/> \
    PREFIX foaf: <http://xmlns.com/foaf/0.1/> ";
const COUNT: &str = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }";

/// What it is, and the query.
const QUERIES: [(&str, &str); 9] = [
    (
        "titles and licences of a theme, 100 of them",
        "SELECT ?title ?licence { ?d dcat:theme <http://publications.europa.eu/resource/authority/data-theme/ENVI> ; \
         dct:title ?title ; dcat:distribution ?x . ?x dct:license ?licence } LIMIT 100",
    ),
    (
        "titles with a word in them, 50 of them",
        "SELECT ?d ?title { ?d a dcat:Dataset ; dct:title ?title FILTER(CONTAINS(LCASE(STR(?title)), 'radweg')) } LIMIT 50",
    ),
    (
        "everything said of one dataset",
        "SELECT ?p ?o { { SELECT ?d { ?d a dcat:Dataset } LIMIT 1 } ?d ?p ?o }",
    ),
    ("datasets by theme, counted", "SELECT ?theme (COUNT(*) AS ?n) { ?d dcat:theme ?theme } GROUP BY ?theme"),
    (
        "everything said of a hundred datasets",
        "SELECT ?d ?p ?o { { SELECT ?d { ?d a dcat:Dataset } LIMIT 100 } ?d ?p ?o }",
    ),
    ("a keyword", "SELECT ?d { ?d dcat:keyword 'Baum'@de } LIMIT 100"),
    (
        "whether a format is offered",
        "ASK { ?x dct:format <http://publications.europa.eu/resource/authority/file-type/CSV> }",
    ),
    (
        "datasets without a description, ten",
        "SELECT ?d { ?d a dcat:Dataset FILTER NOT EXISTS { ?d dct:description ?text } } LIMIT 10",
    ),
    ("a graph's first hundred datasets", "SELECT ?g ?d { GRAPH ?g { ?d a dcat:Dataset } } LIMIT 100"),
];

pub(crate) fn measure(large: &mut Large) -> Result<()> {
    let datasets = large.datasets;
    let node = Serving::start(large.directory()?, true, Some(0))?;
    let waited = node.wait_until_ready()?;
    println!("{datasets} datasets, the graph served {:.1} s after the start", waited.as_secs_f64());
    runtime("asking")?.block_on(async {
        let client = reqwest::Client::new();
        let address = format!("http://{}/sparql", node.public);
        let ask = async |query: &str| -> Result<String> {
            let question = client.post(&address).header("Content-Type", "application/sparql-query");
            let answer =
                question.header("Accept", "text/csv").body(format!("{PREFIXES}{query}")).send().await?;
            let (status, text) = (answer.status(), answer.text().await?);
            ensure!(status.is_success(), "`{query}` answered {status}: {text}");
            Ok(text)
        };
        let count = ask(COUNT).await.map(|text| text.lines().nth(1).unwrap_or_default().to_owned());
        println!("  triples: {}", count.unwrap_or_else(|_| "more than can be counted in time".to_owned()));
        for (what, query) in QUERIES {
            let (mut times, mut rows) = (Vec::new(), 0);
            for _ in 0..ROUNDS {
                let begun = Instant::now();
                rows = ask(query).await?.lines().count();
                times.push(begun.elapsed());
            }
            times.sort_unstable();
            let at = |share| ms(percentile(&times, share));
            println!("  p50 {:>8}  p95 {:>8}  {what} ({rows} lines)", at(0.5), at(0.95));
        }
        anyhow::Ok(())
    })?;
    println!("load {}", machine::load());
    node.stop()
}
