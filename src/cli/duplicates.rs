//! `hanse duplicates`: records that seem to be the same, and what a person
//! decides about them.

use serde_json::{Value, json};

use super::Directory;
use crate::access::{Access, Offline};
use crate::failure::Failure;
use crate::output;
use crate::words::text;

/// List records that seem to be the same, and decide about them
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Nothing is merged or deleted without a person's word. Scores and reasons are explained in
docs/duplicates.md.

Examples:
  hanse duplicates list --dir D/soest
  hanse duplicates list --dir D/soest --of baumkataster --scope town
  hanse duplicates different --dir D/soest baumkataster stadtbaeume
  hanse duplicates merge --dir D/soest baumkataster stadtbaeume --take-over description,frequency
  hanse duplicates lead --dir D/soest baumkataster 'harvest portal'")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List the pairs, the surest first
    List(List),
    /// Note that two records are different: the pair is not shown again
    Different(Different),
    /// Keep one of two records of this town and give the other up; its names
    /// lead to the kept one
    Merge(Merge),
    /// Show where a record comes from, or say whose word counts for it
    Lead(Lead),
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    directory: Directory,
    /// Only pairs with this record
    #[arg(long, value_name = "RECORD")]
    of: Option<String>,
    /// Only pairs inside the town, or with records of other towns
    #[arg(long, value_parser = ["town", "federation"])]
    scope: Option<String>,
    /// From this score on, 50 to 100
    #[arg(long, value_name = "SCORE", default_value_t = 50)]
    score: u8,
    /// Pairs to skip
    #[arg(long, value_name = "N", default_value_t = 0)]
    offset: usize,
    /// Pairs to show at most, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    /// Print JSON for programs
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Different {
    #[command(flatten)]
    directory: Directory,
    /// One of the two records
    record: String,
    /// The other
    other: String,
    /// Take the note back: they may be the same after all
    #[arg(long)]
    undo: bool,
}

#[derive(Debug, clap::Args)]
struct Merge {
    #[command(flatten)]
    directory: Directory,
    /// The record that is kept
    keep: String,
    /// The one that is given up
    give_up: String,
    /// Fields that the kept record lacks and takes over from the other, separated
    /// by commas; `internal/` before the town's own notes
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    take_over: Vec<String>,
    #[command(flatten)]
    offline: Offline,
    /// Print JSON for programs
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Lead {
    #[command(flatten)]
    directory: Directory,
    /// The record
    record: String,
    /// The leading source: what others say is not carried over any more
    #[arg(conflicts_with_all = ["hand", "nobody"])]
    source: Option<String>,
    /// The town's own word counts: no source changes the record
    #[arg(long, conflicts_with = "nobody")]
    hand: bool,
    /// Nobody's word counts in particular, as before
    #[arg(long)]
    nobody: bool,
    /// Print JSON for programs
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    match args.action {
        Action::Merge(args) => merge(args).await,
        Action::Lead(args) => lead(args).await,
        Action::List(args) => list(args).await,
        Action::Different(args) => different(args).await,
    }
}

async fn list(args: List) -> Result<(), Failure> {
    let access = Access::to(&args.directory.dir).await?;
    let page = ask(&access, &args).await;
    access.close().await?;
    let page = page?;
    if args.json {
        return output::json(&page);
    }
    let items = page["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    for hint in items {
        output::line(format!("{}  {}", text(&hint["score"]), named(&hint["record"])))?;
        output::line(format!("    {}", named(&hint["other"])))?;
        let reasons = hint["reasons"].as_array().map(Vec::as_slice).unwrap_or_default();
        let texts: Vec<String> = reasons.iter().map(|reason| text(&reason["text"])).collect();
        output::line(format!("    {}", texts.join("; ")))?;
    }
    output::line(format!(
        "{} of {} pairs among {} records",
        items.len(),
        text(&page["total"]),
        text(&page["records"])
    ))
}

async fn ask(access: &Access, args: &List) -> Result<Value, Failure> {
    let mut query = vec![
        ("score", args.score.to_string()),
        ("offset", args.offset.to_string()),
        ("limit", args.limit.to_string()),
    ];
    if let Some(record) = &args.of {
        query.push(("of", access.record(record).await?.to_string()));
    }
    query.extend(args.scope.as_ref().map(|scope| ("scope", scope.clone())));
    access.duplicates(&query).await
}

fn named(record: &Value) -> String {
    format!(
        "{}  {} ({}, {})",
        text(&record["id"]),
        text(&record["title"]),
        text(&record["town"]),
        text(&record["class"])
    )
}

async fn different(args: Different) -> Result<(), Failure> {
    let access = Access::for_writing(&args.directory.dir, Offline { offline: false }).await?;
    let done = async {
        let (record, other) = (access.record(&args.record).await?, access.record(&args.other).await?);
        access.note_different(record, other, args.undo).await
    };
    let done = done.await;
    access.close().await?;
    done?;
    output::line(if args.undo { "the pair may be shown again" } else { "the pair is not shown again" })
}

async fn merge(args: Merge) -> Result<(), Failure> {
    let access = Access::for_writing(&args.directory.dir, args.offline).await?;
    let done = async {
        let (keep, give_up) = (access.record(&args.keep).await?, access.record(&args.give_up).await?);
        access.merge(keep, give_up, &args.take_over).await
    };
    let done = done.await;
    access.close().await?;
    let done = done?;
    if args.json {
        return output::json(&done);
    }
    let left = if done["left"] == "deleted" { "thrown away" } else { "replaced: it leads to the kept one" };
    output::line(format!("kept {}; {} is {left}", text(&done["kept"]["id"]), text(&done["given_up"])))
}

async fn lead(args: Lead) -> Result<(), Failure> {
    let access = Access::for_writing(&args.directory.dir, Offline { offline: false }).await?;
    let done = async {
        let id = access.record(&args.record).await?;
        let body = match (&args.source, args.hand, args.nobody) {
            (Some(source), ..) => json!({ "leading": "source", "source": source }),
            (None, true, _) => json!({ "leading": "hand" }),
            (None, _, true) => json!({ "leading": "nobody" }),
            (None, false, false) => return access.lead_of(id).await,
        };
        access.lead(id, &body).await
    };
    let done = done.await;
    access.close().await?;
    let lead = done?;
    if args.json {
        return output::json(&lead);
    }
    let sources = lead["sources"].as_array().map(Vec::as_slice).unwrap_or_default();
    let names: Vec<String> = sources.iter().map(text).collect();
    output::line(format!("sources: {}", if names.is_empty() { "-".to_owned() } else { names.join(", ") }))?;
    let leading = match lead["leading"].as_str() {
        Some("source") => text(&lead["source"]),
        Some("hand") => "the town's own word".to_owned(),
        _ => "-".to_owned(),
    };
    output::line(format!("leading: {leading}"))
}
