//! `hanse history`: what was changed in a record, when and by whom.

use serde_json::Value;

use super::Directory;
use crate::access::Access;
use crate::failure::Failure;
use crate::output;
use crate::words::text;

/// Show what was changed in a record, when and by whom
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Authors appear as pseudonyms; only their own town knows the names.

Examples:
  hanse history --dir D/soest baumkataster
  hanse history --dir D/soest baumkataster --json")]
pub(crate) struct Args {
    #[command(flatten)]
    directory: Directory,
    /// The record: its id, its identifier, or the last part of it
    record: String,
    /// Print JSON for programs
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let access = Access::to(&args.directory.dir).await?;
    let history = read(&access, &args.record).await;
    access.close().await?;
    let history = history?;
    if args.json {
        return output::json(&history);
    }
    let entries = history["changes"].as_array().cloned().unwrap_or_default();
    for entry in &entries {
        output::line(format!(
            "{}  town {}  author {}  change {}",
            text(&entry["at"]),
            text(&entry["town"]),
            short(&text(&entry["author"])),
            short(&text(&entry["change"]))
        ))?;
        for field in entry["fields"].as_array().into_iter().flatten() {
            output::line(format!(
                "  {}: {} -> {}",
                text(&field["path"]),
                value(&field["before"]),
                value(&field["after"])
            ))?;
        }
    }
    if entries.is_empty() { output::line("No history: a closed record keeps none.") } else { Ok(()) }
}

async fn read(access: &Access, record: &str) -> Result<Value, Failure> {
    access.history(access.record(record).await?).await
}

fn value(value: &Value) -> String {
    if value.is_null() { "(nothing)".to_owned() } else { value.to_string() }
}

fn short(hash: &str) -> String {
    hash.chars().take(12).collect()
}
