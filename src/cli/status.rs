//! `hanse status`: the town, the league, the other towns, the files, and who
//! harvests.

use serde_json::Value;

use super::Directory;
use crate::access::Access;
use crate::failure::Failure;
use crate::output;
use crate::words::{ago, bytes, text};

/// Show how the node is: peers, lag, stored records, queues
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hanse status --dir D/soest
  hanse status --dir D/soest --json | jq '.peers[] | {name, connected, lag_changes}'")]
pub(crate) struct Args {
    #[command(flatten)]
    directory: Directory,
    /// Print JSON for programs
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let access = Access::to(&args.directory.dir).await?;
    let mut status = access.status().await?;
    status["harvesters"] = access.harvesters().await?;
    let running = access.is_running();
    access.close().await?;
    if args.json { output::json(&status) } else { write(&status, running) }
}

fn write(status: &Value, running: bool) -> Result<(), Failure> {
    let node = &status["node"];
    output::line(format!(
        "Town        {} ({}), {}",
        text(&node["name"]),
        text(&node["code"]),
        text(&node["town"])
    ))?;
    let state = if running { text(&status["phase"]) } else { "not running".into() };
    output::line(format!("Node        {state}, hanse {}", text(&status["version"])))?;
    match &status["federation"] {
        Value::Null => output::line("Federation  none yet; see `hanse help charter`")?,
        league => output::line(format!(
            "Federation  {}, charter version {}\n            {}",
            text(&league["name"]),
            text(&league["charter_version"]),
            text(&league["id"])
        ))?,
    }
    let store = &status["store"];
    output::line(format!(
        "Records     {} open of all towns, {} closed of this town; {} changes",
        text(&store["datasets"]),
        text(&store["closed"]),
        text(&store["changes"])
    ))?;
    output::line(format!(
        "Files       replica.redb {}, closed.redb {}",
        bytes(&store["replica_bytes"]),
        bytes(&store["closed_bytes"])
    ))?;
    if let Value::Object(newest) = &status["newest_change"] {
        let title = newest.get("title").map(crate::words::title).unwrap_or_default();
        let town = newest.get("town_name").map(text).unwrap_or_default();
        let at = newest.get("at").map(ago).unwrap_or_default();
        output::line(format!("Newest      {title} ({town}), {at}"))?;
    }
    write_trouble(status)?;
    write_peers(status)?;
    write_harvesters(status)
}

fn write_trouble(status: &Value) -> Result<(), Failure> {
    let quarantine = &status["quarantine"];
    let count = |name: &str| quarantine[name].as_u64().unwrap_or(0);
    if count("changes") + count("equivocations") > 0 {
        output::line(format!(
            "Quarantine  {} changes, {} authors that contradict themselves",
            count("changes"),
            count("equivocations")
        ))?;
    }
    Ok(())
}

fn write_peers(status: &Value) -> Result<(), Failure> {
    let Some(peers) = status["peers"].as_array().filter(|peers| !peers.is_empty()) else {
        return Ok(());
    };
    let rows: Vec<Vec<String>> = peers
        .iter()
        .map(|peer| {
            let connected = if peer["connected"].as_bool() == Some(true) { "yes" } else { "no" };
            vec![
                text(&peer["name"]),
                connected.to_owned(),
                format!("{} changes, {} s", text(&peer["lag_changes"]), text(&peer["lag_seconds"])),
                ago(&peer["last_seen"]),
                text(&peer["datasets"]),
                text(&peer["address"]),
            ]
        })
        .collect();
    output::line("")?;
    output::table(&["PEER", "CONNECTED", "LAG", "HEARD", "RECORDS", "ADDRESS"], &rows)
}

/// Who fetches the catalog as a whole, since the node started.
fn write_harvesters(status: &Value) -> Result<(), Failure> {
    let Some(harvesters) = status["harvesters"].as_array().filter(|all| !all.is_empty()) else {
        return Ok(());
    };
    let rows: Vec<Vec<String>> = harvesters
        .iter()
        .map(|one| {
            vec![
                text(&one["client"]),
                text(&one["interface"]),
                text(&one["requests"]),
                ago(&one["last"]),
                text(&one["fetched"]),
            ]
        })
        .collect();
    output::line("")?;
    output::table(&["HARVESTER", "INTERFACE", "REQUESTS", "LAST", "FETCHED"], &rows)
}
