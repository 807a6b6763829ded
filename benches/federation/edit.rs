//! An edit on one node until search finds it on the four others.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use crdt::catalog::RecordEdit;
use crdt::ids::DatasetId;
use node::handle::NodeHandle;
use node::view::{Phase, Reader, SearchQuery};

use crate::machine::{self, ms, percentile};
use crate::world::{World, runtime, wait_for};

const EDITS: usize = 150;
/// Edits before the measured ones.
const WARM_UP: usize = 10;
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn measure(per_town: usize) -> Result<()> {
    let world = World::found()?;
    for holder in 0..world.homes.len() {
        world.fill(holder, &[holder], per_town)?;
    }
    let runtime = runtime("nodes")?;
    let nodes = runtime.block_on(world.start_all(async |address| Ok(address.to_owned())))?;
    let handles: Vec<NodeHandle> = nodes.iter().map(|node| node.handle()).collect();
    for handle in &handles {
        runtime.block_on(wait_for(handle, per_town * handles.len()))?;
    }
    wait_until_ready(&handles)?;

    let (mut acknowledged, mut found) = (Vec::new(), Vec::new());
    for number in 0..WARM_UP + EDITS {
        let author = number % handles.len();
        let id = world.dataset(&[author], number / handles.len() % per_town)?.id;
        let token = token(number);
        let title = serde_json::json!({ "title": { "de": format!("Messung {token}") } });
        let edit = RecordEdit::parse(&title).map_err(|error| anyhow::anyhow!("{error}"))?;
        let begun = Instant::now();
        runtime.block_on(handles[author].edit(id, edit, None))?;
        let (ack, at) = (begun.elapsed(), Instant::now());
        let others = handles.iter().enumerate().filter(|(other, _)| *other != author);
        let last = std::thread::scope(|scope| {
            let waiting: Vec<_> =
                others.map(|(_, handle)| scope.spawn(|| until_found(handle, id, &token, at))).collect();
            let found = waiting.into_iter().map(|one| one.join().expect("a search does not panic"));
            found.collect::<Result<Vec<Duration>>>()
        })?;
        if number >= WARM_UP {
            acknowledged.push(ack);
            found.push(last.into_iter().max().unwrap_or_default());
        }
    }
    acknowledged.sort_unstable();
    found.sort_unstable();
    let syncs = machine::two_syncs(world.root())?;
    let trip = machine::round_trip()?;
    let floor = syncs + trip;
    let shares = |sorted: &[Duration]| {
        format!("p50 {}, p95 {}", ms(percentile(sorted, 0.5)), ms(percentile(sorted, 0.95)))
    };
    println!("{EDITS} edits, five nodes with {per_town} datasets each");
    println!("edit acknowledged: {}", shares(&acknowledged));
    println!("acknowledged here to found on all four others: {}", shares(&found));
    println!("floor: two syncs of 4 KiB {}, one round trip {}", ms(syncs), ms(trip));
    let ratio = |share| percentile(&found, share).as_secs_f64() / floor.as_secs_f64();
    println!("ratio to the floor: p50 {:.1}, p95 {:.1}", ratio(0.5), ratio(0.95));
    println!("load {}", machine::load());
    for node in nodes {
        runtime.block_on(node.shutdown());
    }
    Ok(())
}

pub(crate) fn wait_until_ready(handles: &[NodeHandle]) -> Result<()> {
    let begun = Instant::now();
    while handles.iter().any(|handle| handle.phase() != Phase::Ready) {
        ensure!(begun.elapsed() < PATIENCE, "the nodes did not become ready");
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// A word that no other edit has, too far from any for tolerance.
pub(crate) fn token(number: usize) -> String {
    let hash = crdt::encoding::hash("bench token", &[&number.to_be_bytes()]);
    hash.iter().take(12).map(|byte| char::from(b'a' + byte % 26)).collect()
}

fn until_found(handle: &NodeHandle, id: DatasetId, token: &str, begun: Instant) -> Result<Duration> {
    loop {
        let query = SearchQuery { text: token.to_owned(), limit: 3, ..SearchQuery::default() };
        let page = handle.search(Reader::Public, &query).context("search a node")?;
        let is_it = |title: &str| title.contains(token);
        if page
            .items
            .iter()
            .any(|hit| hit.id == id && hit.title.de.as_ref().is_some_and(|de| is_it(de.as_str())))
        {
            return Ok(begun.elapsed());
        }
        ensure!(begun.elapsed() < PATIENCE, "an edit was not found within {} s", PATIENCE.as_secs());
        std::thread::sleep(Duration::from_millis(1));
    }
}
