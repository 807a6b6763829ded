//! `hanse source`: the catalogs that are harvested.

use std::time::Duration;

use serde_json::{Value, json};

use super::Directory;
use crate::access::{Access, Offline};
use crate::failure::Failure;
use crate::words::text;
use crate::{output, progress};

/// How often a running source is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// Harvest other catalogs: DCAT-AP(.de) in RDF and CKAN
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Everything arrives closed. Records that were edited or published here are never overwritten or deleted.

Examples:
  hanse source add --dir D/soest portal https://portal.example/catalog.ttl --every 86400
  hanse source run --dir D/soest portal
  hanse source show --dir D/soest portal")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Add a source
    Add(Add),
    /// List the sources
    List(All),
    /// Show how a source stands, and what is in quarantine
    Show(One),
    /// Ask a source now
    Run(One),
    /// Stop asking a source; what it has said by then is kept
    Stop(One),
    /// Allow the deletions that wait for a word
    Confirm(One),
    /// Harvest a source no longer; its records stay
    Remove(One),
}

#[derive(Debug, clap::Args)]
struct Add {
    #[command(flatten)]
    directory: Directory,
    /// Its name here
    name: String,
    /// Where it begins: a catalog in RDF, or a CKAN
    url: String,
    /// What it speaks; by default guessed from the address
    #[arg(long, value_parser = ["rdf", "ckan"])]
    kind: Option<String>,
    /// Ask it every so many seconds; by default only with `hanse source run`
    #[arg(long, value_name = "SECONDS")]
    every: Option<u64>,
    /// Let it be a machine of the house (private addresses, this machine)
    #[arg(long)]
    allow_private: bool,
    /// Let it redirect to other hosts
    #[arg(long)]
    allow_redirects: bool,
}

#[derive(Debug, clap::Args)]
struct All {
    #[command(flatten)]
    directory: Directory,
    /// Print JSON for programs
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct One {
    #[command(flatten)]
    directory: Directory,
    /// The source
    name: String,
    /// Print JSON for programs
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let directory = match &args.action {
        Action::Add(Add { directory, .. }) | Action::List(All { directory, .. }) => directory,
        Action::Show(one)
        | Action::Run(one)
        | Action::Stop(one)
        | Action::Confirm(one)
        | Action::Remove(one) => &one.directory,
    };
    let access = Access::for_writing(&directory.dir, Offline { offline: false }).await?;
    let outcome = ask(&access, &args.action).await;
    access.close().await?;
    show(&args.action, &outcome?)
}

async fn ask(access: &Access, action: &Action) -> Result<Value, Failure> {
    match action {
        Action::Add(add) => {
            let body = json!({
                "name": add.name, "url": add.url, "kind": add.kind, "interval_s": add.every,
                "allow_private": add.allow_private, "allow_redirects": add.allow_redirects,
            });
            access.add_source(&body).await
        }
        Action::List(_) => access.sources().await,
        Action::Show(one) => access.source(&one.name).await,
        Action::Stop(one) => access.tell_source(&one.name, "stop").await,
        Action::Confirm(one) => access.tell_source(&one.name, "confirm").await,
        Action::Remove(one) => access.remove_source(&one.name).await,
        Action::Run(one) => {
            access.tell_source(&one.name, "run").await?;
            watch(access, &one.name).await
        }
    }
}

async fn watch(access: &Access, name: &str) -> Result<Value, Failure> {
    let bar = progress::bar("harvesting", 0);
    loop {
        let source = access.source(name).await?;
        let Some(running) = source.get("running") else {
            bar.finish_and_clear();
            return Ok(source);
        };
        bar.set_length(running["total"].as_u64().unwrap_or(0));
        bar.set_position(running["records"].as_u64().unwrap_or(0));
        tokio::time::sleep(LOOK).await;
    }
}

fn show(action: &Action, answer: &Value) -> Result<(), Failure> {
    match action {
        Action::List(All { json: true, .. }) | Action::Confirm(One { json: true, .. }) => {
            output::json(answer)
        }
        Action::Show(One { json: true, .. }) | Action::Run(One { json: true, .. }) => {
            output::json(answer).and_then(|()| found_a_problem(answer))
        }
        Action::List(_) => list(answer),
        Action::Stop(One { json: true, .. }) => output::json(answer),
        Action::Stop(one) => output::line(format!("the source {} is asked no further", one.name)),
        Action::Add(add) => output::line(format!("added the source {}", add.name)),
        Action::Remove(one) => output::line(format!("removed the source {}; its records stay", one.name)),
        Action::Confirm(one) => output::line(format!(
            "{} deletions are allowed; they are carried out after the next walk of {}",
            text(&answer["confirmed"]),
            one.name
        )),
        Action::Show(_) | Action::Run(_) => stands(answer),
    }
}

fn list(sources: &Value) -> Result<(), Failure> {
    let row = |source: &Value| {
        let spec = &source["spec"];
        let state =
            if source["problem"].is_null() { "ok".to_owned() } else { text(&source["problem"]["en"]) };
        vec![text(&spec["name"]), text(&spec["url"]), text(&source["progress"]["records"]), state]
    };
    let rows: Vec<_> = sources.as_array().map(Vec::as_slice).unwrap_or_default().iter().map(row).collect();
    output::table(&["SOURCE", "ADDRESS", "RECORDS", "STATE"], &rows)
}

fn stands(source: &Value) -> Result<(), Failure> {
    let counts = &source["counts"];
    let words = ["created", "changed", "unchanged", "rejected", "own", "deleted", "kept"];
    let said: Vec<String> = words.iter().map(|word| format!("{} {word}", text(&counts[*word]))).collect();
    output::line(said.join(", "))?;
    for one in source["quarantine"].as_array().map(Vec::as_slice).unwrap_or_default() {
        output::line(format!(
            "quarantine: {}: {} `{}` {}; {}",
            text(&one["key"]),
            text(&one["field"]),
            text(&one["value"]),
            text(&one["reason"]["en"]),
            text(&one["remedy"]["en"])
        ))?;
    }
    let missing = source["missing"].as_array().map_or(0, Vec::len);
    if missing > 0 {
        output::line(format!("{missing} missing: deleted if the next walk does not find them either"))?;
    }
    if !source["problem"].is_null() {
        output::line(format!("!! {}", text(&source["problem"]["en"])))?;
    }
    found_a_problem(source)
}

/// A source that was not walked to its end, or that waits for a word, ends the
/// command with exit code 1.
fn found_a_problem(source: &Value) -> Result<(), Failure> {
    if source["problem"].is_null() { Ok(()) } else { Err(Failure::found()) }
}
