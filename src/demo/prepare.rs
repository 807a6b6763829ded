//! Makes the demo's directories: founds the federation, then loads the records.
//!
//! Founding happens once; loading goes on where an earlier start was
//! interrupted, because every record has its own lasting id.

use std::fs;
use std::path::{Path, PathBuf};

use crdt::catalog::CatalogEdit;
use node::demo::{DemoRecord, Records, synthetic_record};
use node::directory::{Directory, MEMBER_FILE, NewTown};
use node::founding;
use node::handle::{CreateError, NodeHandle, PublishError};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{BASE_PORT_DEFAULT, Order, Place};
use crate::failure::Failure;
use crate::serving::Serving;
use crate::{clock, progress};

/// Says that the demo in a directory was founded, and what was loaded.
const NOTE: &str = "demo.json";
/// Name of the invented federation.
const FEDERATION: &str = "Datenverbund Südwestfalen (Demo)";
/// Records handed to a node at once.
const BATCH: usize = 256;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    base_port: u16,
    towns: Vec<String>,
    /// Records loaded per town, besides the generated ones; none while loading.
    records: Option<usize>,
    synthetic: u64,
    seed: u64,
}

/// Founds and loads what is not there yet.
pub(super) async fn run(
    order: &Order,
    records: &Records,
    stop: &CancellationToken,
) -> Result<Vec<Place>, Failure> {
    let places = Place::all(&order.directory, &records.towns);
    let note_path = order.directory.join(NOTE);
    let mut note = match read_note(&note_path)? {
        Some(note) => {
            check(order, &note, &places)?;
            note
        }
        None => {
            let note = Note {
                base_port: order.base_port.unwrap_or(BASE_PORT_DEFAULT),
                towns: records.towns.iter().map(|town| town.code.clone()).collect(),
                records: None,
                synthetic: 0,
                seed: order.seed,
            };
            found(order, &places, note.base_port)?;
            write_note(&note_path, &note)?;
            note
        }
    };
    let wanted = Note {
        records: Some(records.records.len()),
        synthetic: note.synthetic.max(order.synthetic),
        ..note.clone()
    };
    if note != wanted {
        load(&places, &records.records, wanted.synthetic, wanted.seed, stop).await?;
        note = wanted;
        write_note(&note_path, &note)?;
    }
    Ok(places)
}

/// A demo that is there already can be served and grow, not become another.
fn check(order: &Order, note: &Note, places: &[Place]) -> Result<(), Failure> {
    let shown = order.directory.display();
    if let Some(asked) = order.base_port.filter(|asked| *asked != note.base_port) {
        return Err(Failure::input(format!(
            "use --base-port {asked}: the demo in `{shown}` was founded with {}, and its charter names these ports; \
             leave --base-port out or give another --dir",
            note.base_port
        )));
    }
    let codes: Vec<&str> = places.iter().map(|place| place.town.code.as_str()).collect();
    if codes != note.towns {
        return Err(Failure::input(format!(
            "use these records: they are of {}, but the demo in `{shown}` is of {}; give another --dir",
            codes.join(", "),
            note.towns.join(", ")
        )));
    }
    if order.synthetic > 0 && order.seed != note.seed {
        return Err(Failure::input(format!(
            "use --seed {}: the demo in `{shown}` has seed {}; give that or another --dir",
            order.seed, note.seed
        )));
    }
    match places.iter().find(|place| !place.directory.join(MEMBER_FILE).is_file()) {
        Some(place) => Err(Failure::refused(format!(
            "continue the demo in `{shown}`: `{}` is missing; delete `{shown}` to begin anew",
            place.directory.display()
        ))),
        None => Ok(()),
    }
}

fn found(order: &Order, places: &[Place], base_port: u16) -> Result<(), Failure> {
    if let Some(half) = places.iter().find(|place| place.directory.exists()) {
        return Err(Failure::refused(format!(
            "found the demo in `{}`: `{}` is there already, but no finished demo; delete it or give another --dir",
            order.directory.display(),
            half.directory.display()
        )));
    }
    let spinner = progress::spinner("founding the federation");
    for place in places {
        init(place, base_port)?;
    }
    let paths: Vec<&Path> = places.iter().map(|place| place.directory.as_path()).collect();
    founding::found_here(FEDERATION, &paths, clock::now()).map_err(Failure::input)?;
    spinner.finish_and_clear();
    Ok(())
}

fn init(place: &Place, base_port: u16) -> Result<(), Failure> {
    let new = NewTown {
        town: place.town.town,
        code: place.town.code.clone(),
        name: place.town.name.clone(),
        addresses: vec![place.network_address(base_port)],
    };
    Directory::init(&place.directory, &new).map_err(Failure::refused)?;
    let settings = place.directory.join(node::config::FILE_NAME);
    fs::write(&settings, place.config(base_port).to_toml())
        .map_err(|error| Failure::refused(format!("write `{}`: {error}", settings.display())))
}

async fn load(
    places: &[Place],
    records: &[DemoRecord],
    synthetic: u64,
    seed: u64,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    let total = records.len() as u64 + synthetic * places.len() as u64;
    let bar = progress::bar("loading records", total);
    let towns = places.iter().map(|place| async {
        let own = records.iter().filter(|record| record.town == place.town.town).cloned();
        let generated = (0..synthetic).map(|index| DemoRecord {
            town: place.town.town,
            publish: true,
            record: synthetic_record(seed, &place.town, index),
        });
        let serving = Serving::alone(&place.directory, true).await?;
        say_catalog(serving.handle(), place).await?;
        let loaded = load_town(&serving, own.chain(generated), &bar, stop).await;
        serving.stop().await?;
        loaded
    });
    // All towns at once: each waits for its own disk most of the time.
    let loaded = futures::future::join_all(towns).await;
    bar.finish_and_clear();
    loaded.into_iter().collect()
}

/// What a town says of its catalog as a whole; said again, it changes nothing.
async fn say_catalog(handle: &NodeHandle, place: &Place) -> Result<(), Failure> {
    let (name, base) = (&place.town.name, &place.town.base_url);
    let said = json!({
        "title": {"de": format!("Offene Daten der Stadt {name}"), "en": format!("Open data of {name}")},
        "description": {
            "de": format!("Alle offenen Datensätze der Stadt {name}, erfunden für die Vorführung."),
            "en": format!("All open datasets of {name}, invented for the demo."),
        },
        "base_url": base,
        "iri": format!("{base}/catalog"),
        "homepage": base,
        "publisher": {"name": format!("Stadt {name}"), "url": base},
        "licence": "http://dcat-ap.de/def/licenses/dl-zero-de/2.0",
        "spatial": {
            "geocoding": format!("http://dcat-ap.de/def/politicalGeocoding/municipalityKey/{}", place.town.town),
        },
    });
    let edit = CatalogEdit::parse(&said).map_err(Failure::refused)?;
    handle.edit_catalog(edit).await.map(drop).map_err(Failure::refused)
}

async fn load_town(
    serving: &Serving,
    mut records: impl Iterator<Item = DemoRecord>,
    bar: &indicatif::ProgressBar,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    loop {
        let batch: Vec<DemoRecord> = records.by_ref().take(BATCH).collect();
        if batch.is_empty() {
            return Ok(());
        }
        if stop.is_cancelled() {
            return Err(Failure::refused_saying(
                "stopped while loading records; the same command goes on with them",
            ));
        }
        let loaded = batch.len() as u64;
        // Together, so that they share commits.
        futures::future::try_join_all(batch.into_iter().map(|one| take(serving.handle(), one))).await?;
        bar.inc(loaded);
    }
}

/// Records that are there already, from a start that was interrupted, stay.
async fn take(handle: &NodeHandle, one: DemoRecord) -> Result<(), Failure> {
    let id = one.record.dataset.id;
    match handle.create_record(one.record).await {
        Ok(_) | Err(CreateError::Exists(_)) => {}
        Err(error) => return Err(Failure::refused(error)),
    }
    if one.publish {
        match handle.publish(id).await {
            Ok(_) | Err(PublishError::AlreadyOpen(_)) => {}
            Err(error) => return Err(Failure::refused(error)),
        }
    }
    Ok(())
}

fn read_note(path: &Path) -> Result<Option<Note>, Failure> {
    match fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text).map(Some).map_err(|error| {
            Failure::refused(format!(
                "read `{}`: {error}; delete the demo's directory to begin anew",
                path.display()
            ))
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::refused(format!("read `{}`: {error}", path.display()))),
    }
}

fn write_note(path: &PathBuf, note: &Note) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::refused(format!("write `{}`: {error}", path.display()));
    let text = serde_json::to_string_pretty(note).map_err(|error| failed(error.into()))?;
    fs::write(path, text + "\n").map_err(failed)
}
