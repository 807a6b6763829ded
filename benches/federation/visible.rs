//! An edit in one town until each interface of another town's node shows it.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use crdt::catalog::RecordEdit;
use crdt::ids::DatasetId;
use node::handle::{NodeHandle, Scope};
use node::node::{Node, Reach};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::edit::{token, wait_until_ready};
use crate::machine::{self, ms, percentile};
use crate::world::{HOLDER, Large, OWNERS, config, runtime, wait_for};

/// Whose interfaces are asked.
const VIEWER: usize = 4;
/// Edits for each interface.
const EDITS: usize = 25;
const PATIENCE: Duration = Duration::from_secs(30);

/// What is edited, and how it is known when it is there.
struct Edited {
    id: DatasetId,
    iri: String,
    token: String,
    /// The last entry of the viewer's log before the edit.
    place: String,
}

/// What it is, and the address that shows an edit.
type Interface = (&'static str, fn(&Edited) -> String);

const INTERFACES: [Interface; 11] = [
    ("portal, the page", |edited| format!("/dataset/{}", edited.id)),
    ("portal, the search", |edited| format!("/?q={}", edited.token)),
    ("DCAT-AP.de, the dataset", |edited| format!("/dataset/{}.ttl", edited.id)),
    ("CKAN, package_show", |edited| format!("/api/3/action/package_show?id={}", edited.id)),
    ("CKAN, package_search", |edited| format!("/api/3/action/package_search?q={}", edited.token)),
    ("SPARQL", |edited| {
        let query = format!(
            "SELECT ?title {{ <{}> <http://purl.org/dc/terms/title> ?title \
             FILTER(CONTAINS(?title, \"{}\")) }}",
            edited.iri, edited.token
        );
        format!("/sparql?query={query}")
    }),
    ("Records, the record", |edited| format!("/collections/federation/items/{}", edited.id)),
    ("Records, the search", |edited| format!("/collections/federation/items?q={}", edited.token)),
    ("OAI-PMH", |edited| {
        let identifier = format!("oai:bad-berleburg.invalid:{}", edited.id);
        format!("/oai?verb=GetRecord&metadataPrefix=oai_dc&identifier={identifier}")
    }),
    ("DCAT-AP feed", |edited| format!("/feed?after={}", edited.place)),
    ("Atom", |_| "/feeds/dataset.atom".to_owned()),
];

pub(crate) fn measure(large: &mut Large) -> Result<()> {
    let datasets = large.datasets;
    let world = large.world()?;
    let (editing, viewing) = (runtime("editor")?, runtime("viewer")?);
    let editor = editing.block_on(Node::start(&world.homes[HOLDER].path, &config(&[]), Reach::Peers))?;
    editor.handle().settle_search();
    let settings = config(&editor.addresses());
    let viewer = viewing.block_on(Node::start(&world.homes[VIEWER].path, &settings, Reach::Peers))?;
    viewing.block_on(wait_for(&viewer.handle(), datasets))?;
    viewer.handle().settle_search();
    wait_until_ready(&[editor.handle(), viewer.handle()])?;
    let server = viewing.block_on(web::Server::bind(viewer.handle(), settings))?;
    let base = format!("http://{}", server.public_address());
    let stop = CancellationToken::new();
    let serving = viewing.spawn(server.serve(stop.clone()));

    println!("{datasets} datasets on both nodes; from the answer to the edit until the other node shows it");
    let client = reqwest::Client::new();
    for (kind, (what, address)) in INTERFACES.iter().enumerate() {
        let mut times = Vec::with_capacity(EDITS);
        for number in kind * EDITS..(kind + 1) * EDITS {
            // Every fourth is the editor's own.
            let dataset =
                world.dataset(&OWNERS, number * OWNERS.len() % datasets.next_multiple_of(OWNERS.len()))?;
            let last = viewer.handle().log_newest(Scope::Federation, None, 1)?;
            let edited = Edited {
                id: dataset.id,
                iri: crdt::dcat::dataset_iri(&dataset).as_str().to_owned(),
                token: token(number),
                place: last.entries.first().context("the viewer holds something")?.place().to_string(),
            };
            editing.block_on(edit(&editor.handle(), &edited))?;
            let url = reqwest::Url::parse(&format!("{base}{}", address(&edited)))?;
            let accept = if what.starts_with("portal") { "text/html" } else { "*/*" };
            times.push(editing.block_on(until_shown(&client, url, accept, &edited.token))?);
        }
        times.sort_unstable();
        let at = |share| ms(percentile(&times, share));
        println!("  p50 {:>8}  p95 {:>8}  {what}", at(0.5), at(0.95));
    }
    println!("load {}", machine::load());
    stop.cancel();
    viewing.block_on(serving)??;
    viewing.block_on(viewer.shutdown());
    editing.block_on(editor.shutdown());
    Ok(())
}

async fn edit(handle: &NodeHandle, edited: &Edited) -> Result<()> {
    let title = json!({ "title": { "de": format!("Messung {}", edited.token) } });
    let edit = RecordEdit::parse(&title).map_err(|error| anyhow::anyhow!("{error}"))?;
    handle.edit(edited.id, edit, None).await?;
    Ok(())
}

async fn until_shown(
    client: &reqwest::Client,
    url: reqwest::Url,
    accept: &str,
    token: &str,
) -> Result<Duration> {
    let begun = Instant::now();
    loop {
        let answer = client.get(url.clone()).header("Accept", accept).send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        // A page of hits says what was asked for, too: the title counts.
        if text.contains(&format!("Messung {token}")) || text.contains(&format!("Messung <mark>{token}")) {
            return Ok(begun.elapsed());
        }
        ensure!(begun.elapsed() < PATIENCE, "{url} does not show the edit: {status} {text:.300}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
