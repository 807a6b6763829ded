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
use node::store::StoreSettings;
use node::view::{Reader, SearchQuery};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let place = tempfile::tempdir()?;
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let address = format!("/ip4/127.0.0.1/tcp/{port}");
    let (soest, olpe) = (place.path().join("soest"), place.path().join("olpe"));
    found(&[
        (
            &soest,
            NewTown {
                town: Town::parse("05974040")?,
                code: "soest".into(),
                name: "Soest".into(),
                addresses: vec![address.clone()],
            },
        ),
        // Olpe only dials out: its firewall lets nobody in.
        (
            &olpe,
            NewTown {
                town: Town::parse("05966024")?,
                code: "olpe".into(),
                name: "Olpe".into(),
                addresses: vec![],
            },
        ),
    ])?;

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
    println!(
        "Soest has made a record; it is closed, so Olpe finds {} records.",
        found_by(&olpe.handle(), "Trinkbrunnen")?.len()
    );

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

/// What people do with member files, a charter file and the telephone.
fn found(towns: &[(&Path, NewTown)]) -> Result<(), Box<dyn Error>> {
    let members =
        towns.iter().map(|(path, new)| Directory::init(path, new)).collect::<Result<Vec<_>, _>>()?;
    let mut charter = founding::found("Beispiel", &members, node::keys::random()?, UnixMillis(0))?;
    let federation = charter.id().as_federation();
    let mut certificates = Vec::new();
    for (path, _) in towns {
        let directory = Directory::open(path, StoreSettings::default())?;
        let identity = directory.identity_key()?;
        founding::sign(&mut charter, &identity)?;
        certificates.push(founding::certificate(&directory.member, federation, &identity));
    }
    for (path, _) in towns {
        let directory = Directory::open(path, StoreSettings::default())?;
        founding::adopt(&directory, charter.clone(), certificates.clone())?;
    }
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
    }
    Ok(())
}
