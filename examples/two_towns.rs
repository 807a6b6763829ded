//! Two towns found a federation and find each other's records.
//!
//! Everything runs in this process, but as it would on two machines: two data
//! directories, two sets of keys, a TCP connection between them.
//!
//! ```sh
//! cargo run --example two_towns
//! ```

#![expect(clippy::print_stdout, reason = "an example tells what it does")]

use std::error::Error;
use std::path::Path;

use crdt::catalog::{NewDataset, RecordEdit};
use crdt::ids::{DatasetId, Town, UnixMillis};
use node::config::Config;
use node::directory::{Directory, NewTown};
use node::founding;
use node::handle::NodeHandle;
use node::node::{Node, Reach};
use node::view::{Phase, Reader, SearchQuery};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let place = tempfile::tempdir()?;
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let address = format!("/ip4/127.0.0.1/tcp/{port}");
    let (soest, olpe) = (place.path().join("soest"), place.path().join("olpe"));
    init(&soest, "05974040", "soest", vec![address.clone()])?;
    // Olpe only dials out: its firewall lets nobody in.
    init(&olpe, "05966024", "olpe", vec![])?;
    founding::found_here("Beispiel", &[&soest, &olpe], UnixMillis(0))?;

    let soest = serve(&soest, vec![address]).await?;
    let olpe = serve(&olpe, vec![]).await?;
    let new = NewDataset::parse(&json!({
        "title": {"de": "Trinkbrunnen"}, "description": {"de": "Wo es Wasser gibt."},
        "publisher": {"name": "Stadt Soest"}, "contact": {"email": "daten@soest.example"},
        "licence": "http://dcat-ap.de/def/licenses/dl-zero-de/2.0", "personal_data": "keiner",
        "distributions": [{"access_url": "https://daten.soest.example/brunnen.csv", "format": "CSV"}],
        "internal": {"responsible_role": {"role": "Tiefbau", "mailbox": "tiefbau@soest.example"}},
    }))?;
    let id = soest.handle().create(new).await?.id;
    let found = found_by(&olpe.handle(), "Trinkbrunnen")?;
    println!("Soest has made a record; it is closed, so Olpe finds {}.", found.len());

    ready(&soest.handle()).await?;
    soest.handle().publish(id).await?;
    until(&olpe.handle(), "Trinkbrunnen", id).await?;
    println!("Published in Soest, found in Olpe.");

    soest.handle().edit(id, RecordEdit::parse(&json!({"title": {"de": "Refillstationen"}}))?, None).await?;
    until(&olpe.handle(), "Refillstationen", id).await?;
    println!("Edited in Soest, found in Olpe.");

    soest.shutdown().await;
    olpe.shutdown().await;
    Ok(())
}

fn init(path: &Path, key: &str, code: &str, addresses: Vec<String>) -> Result<(), Box<dyn Error>> {
    let new = NewTown { town: Town::parse(key)?, code: code.into(), name: code.into(), addresses };
    Directory::init(path, &new)?;
    Ok(())
}

async fn serve(path: &Path, listen: Vec<String>) -> Result<Node, Box<dyn Error>> {
    let mut config = Config::default();
    config.network.listen = listen;
    Ok(Node::start(path, &config, Reach::Peers).await?)
}

fn found_by(handle: &NodeHandle, words: &str) -> Result<Vec<DatasetId>, Box<dyn Error>> {
    let query = SearchQuery { text: words.into(), limit: 10, ..SearchQuery::default() };
    Ok(handle.search(Reader::Public, &query)?.items.into_iter().map(|hit| hit.id).collect())
}

/// Looks again whenever something has happened, until the record is found.
async fn until(handle: &NodeHandle, words: &str, id: DatasetId) -> Result<(), Box<dyn Error>> {
    let mut events = handle.subscribe();
    while !found_by(handle, words)?.contains(&id) {
        events.recv().await?;
        tokio::task::block_in_place(|| handle.settle_search());
    }
    Ok(())
}

/// A node publishes once it knows from a peer what it has published before.
async fn ready(handle: &NodeHandle) -> Result<(), Box<dyn Error>> {
    let mut events = handle.subscribe();
    while handle.phase() != Phase::Ready {
        events.recv().await?;
        tokio::task::block_in_place(|| handle.settle_search());
    }
    Ok(())
}
