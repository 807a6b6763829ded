//! What the running demo shows: where each town is, and a line per town that
//! follows what happens.

use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use crdt::catalog::RecordEdit;
use crdt::ids::DatasetId;
use node::handle::NodeHandle;
use node::view::{Phase, Reader, SearchQuery, Sort, Status};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;
use crate::serving::Serving;
use crate::{output, words};

/// How often the lines are looked at, besides when something happens.
const LOOK: Duration = Duration::from_secs(1);
/// Letters of a title that fit on a line.
const TITLE_MAX: usize = 40;

/// Shows the towns until `stop`, editing a record now and then if asked.
pub(super) async fn run(
    nodes: &[Serving],
    directory: &Path,
    live_s: Option<NonZeroU32>,
    stop: CancellationToken,
) -> Result<(), Failure> {
    write_table(nodes, directory)?;
    let mut lines = Lines::default();
    let mut look = tokio::time::interval(LOOK);
    let mut editor = Editor::default();
    let mut edit = tokio::time::interval(Duration::from_secs(live_s.map_or(3600, NonZeroU32::get).into()));
    edit.tick().await;
    loop {
        tokio::select! {
            () = stop.cancelled() => return output::line("stopping"),
            _ = look.tick() => {
                let handles: Vec<NodeHandle> = nodes.iter().map(|node| node.handle().clone()).collect();
                let now = tokio::task::spawn_blocking(move || {
                    handles.iter().map(|handle| line(&handle.status())).collect::<Vec<String>>()
                });
                let now = now.await.map_err(|error| Failure::refused(format!("read the nodes' status: {error}")))?;
                lines.show(now)?;
            }
            _ = edit.tick(), if live_s.is_some() => {
                if let Err(reason) = editor.edit(nodes).await {
                    tracing::warn!(reason, "the demo's edit was not made");
                }
            }
            failure = broken(nodes) => return Err(failure),
        }
    }
}

/// Ends when one of the nodes has stopped serving by itself.
async fn broken(nodes: &[Serving]) -> Failure {
    let ended = nodes.iter().map(|node| Box::pin(node.ended()));
    let (failure, ..) = futures::future::select_all(ended).await;
    failure
}

/// A multiaddr without the peer id, which nobody needs to read here.
fn place_of(address: &str) -> &str {
    address.split_once("/p2p/").map_or(address, |(place, _)| place)
}

fn write_table(nodes: &[Serving], directory: &Path) -> Result<(), Failure> {
    let rows: Vec<Vec<String>> = nodes
        .iter()
        .map(|node| {
            let listeners = node.listeners();
            vec![
                node.handle().town().name,
                listeners.public_url(),
                listeners.desk_url(),
                listeners.network.first().map_or(String::new(), |address| place_of(address).to_owned()),
            ]
        })
        .collect();
    output::table(&["TOWN", "PORTAL", "DESK", "NETWORK"], &rows)?;
    if directory.join("soest").is_dir() {
        write_hint(directory)?;
    }
    output::line("Ctrl-C stops all; the same command continues.\n")
}

fn write_hint(directory: &Path) -> Result<(), Failure> {
    output::line("\nOpen a portal, or edit a record and watch the others find it:")?;
    output::line(format!(
        "  hanse edit --dir {} baumkataster --set title.de=\"Baumkataster der Stadt\"",
        directory.join("soest").display()
    ))
}

/// One line about a node, equal as long as nothing happens.
fn line(status: &Status) -> String {
    let phase = match status.phase {
        Phase::Starting => "starting",
        Phase::CatchingUp => "catching up",
        Phase::Ready => "ready",
    };
    let connected = status.peers.iter().filter(|peer| peer.connected).count();
    let lag: u64 = status.peers.iter().map(|peer| peer.lag_changes).sum();
    let newest = status.newest_change.as_ref().map_or(String::new(), |newest| {
        let title = words::title(&serde_json::to_value(&newest.title).unwrap_or_default());
        let short: String = title.chars().take(TITLE_MAX).collect();
        format!("newest: {short} ({})", newest.town_name)
    });
    format!(
        "{:18} {:11} peers {connected}/{}  behind {lag:4}  open {:5}  closed {:4}  {newest}",
        status.node.name,
        phase,
        status.peers.len(),
        status.store.datasets,
        status.store.closed,
    )
}

/// The lines shown so far.
#[derive(Default)]
struct Lines {
    shown: Vec<String>,
}

impl Lines {
    /// On a terminal the lines are drawn over; elsewhere, changed ones follow.
    fn show(&mut self, now: Vec<String>) -> Result<(), Failure> {
        if now == self.shown {
            return Ok(());
        }
        if output::is_terminal() {
            let up =
                if self.shown.is_empty() { String::new() } else { format!("\u{1b}[{}A", self.shown.len()) };
            let lines: String = now.iter().map(|line| format!("\u{1b}[2K{line}\n")).collect();
            // Without wrapping, a narrow window cuts lines off instead of scrolling them apart.
            output::raw(&format!("\u{1b}[?7l{up}{lines}\u{1b}[?7h"))?;
        } else {
            for line in now.iter().filter(|line| !self.shown.contains(line)) {
                output::line(line)?;
            }
        }
        self.shown = now;
        Ok(())
    }
}

/// Edits one open record after the other, town by town.
#[derive(Default)]
struct Editor {
    round: usize,
}

impl Editor {
    async fn edit(&mut self, nodes: &[Serving]) -> Result<(), String> {
        let node = &nodes[self.round % nodes.len()];
        let place = self.round / nodes.len();
        self.round += 1;
        let handle = node.handle().clone();
        let found = tokio::task::spawn_blocking(move || pick(&handle, place))
            .await
            .map_err(|error| error.to_string())??;
        let Some((id, description)) = found else { return Ok(()) };
        let now = jiff::Timestamp::now();
        let marked =
            format!("{} [Demo: geändert {now:.0}]", description.split(" [Demo: ").next().unwrap_or_default());
        let edit =
            RecordEdit::parse(&json!({"description": {"de": marked}})).map_err(|error| error.to_string())?;
        node.handle().edit(id, edit, None).await.map_err(|error| error.to_string())?;
        Ok(())
    }
}

/// An open record of the node's own town, another one each round.
fn pick(handle: &NodeHandle, place: usize) -> Result<Option<(DatasetId, String)>, String> {
    let own = handle.town().town.to_string();
    let query = |offset| SearchQuery {
        town: vec![own.clone()],
        class: vec!["open".to_owned()],
        sort: Sort::Title,
        limit: 1,
        offset,
        ..SearchQuery::default()
    };
    let search = |offset| handle.search(Reader::Staff, &query(offset)).map_err(|error| error.to_string());
    let total = search(0)?.total.min(node::view::PAGE_OFFSET_MAX);
    if total == 0 {
        return Ok(None);
    }
    let Some(hit) = search(place % total)?.items.into_iter().next() else { return Ok(None) };
    let detail = handle.dataset(Reader::Staff, hit.id).map_err(|error| error.to_string())?;
    Ok(detail.map(|detail| {
        let json = serde_json::to_value(&detail.dataset.description).unwrap_or_default();
        (hit.id, json["de"].as_str().unwrap_or_default().to_owned())
    }))
}
