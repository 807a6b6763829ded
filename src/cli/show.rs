//! `hanse show`: one record with all that is known about it.

use std::path::PathBuf;

use serde_json::Value;

use super::Directory;
use crate::access::Access;
use crate::failure::Failure;
use crate::output;
use crate::words::{leaves, text};

/// Show one record with every field, its heads and its signature status
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hanse show --dir D/soest baumkataster
  hanse show --dir D/soest baumkataster --json > record.json
  hanse show --dir D/soest baumkataster --proof record.proof   then: hanse verify record.proof --federation FEDERATION")]
pub(crate) struct Args {
    #[command(flatten)]
    directory: Directory,
    /// The record: its id, its identifier, or the last part of it
    record: String,
    /// Print JSON for programs
    #[arg(long)]
    json: bool,
    /// Write everything needed to check an open record offline to this file
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    proof: Option<PathBuf>,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let access = Access::to(&args.directory.dir).await?;
    let read = read(&access, &args).await;
    access.close().await?;
    match (read?, args.proof) {
        (Read::Proof(proof), Some(file)) => {
            std::fs::write(&file, &proof)
                .map_err(|error| Failure::refused(format!("write `{}`: {error}", file.display())))?;
            output::line(format!("{}: {} bytes", file.display(), proof.len()))
        }
        (Read::Record(record), _) if args.json => output::json(&record),
        (Read::Record(record), _) => for_people(record),
        (Read::Proof(_), None) => Ok(()),
    }
}

/// Every field, and below what the record's sources say beside the town.
fn for_people(mut record: Value) -> Result<(), Failure> {
    let sources = record.as_object_mut().and_then(|record| record.remove("sources")).unwrap_or_default();
    output::table(&["FIELD", "VALUE"], &leaves(&record))?;
    for source in sources.as_array().map(Vec::as_slice).unwrap_or_default() {
        let differs = source["differs"].as_array().map(Vec::as_slice).unwrap_or_default();
        let agrees = if differs.is_empty() { "; it says the same" } else { "" };
        output::line(format!(
            "\nFrom the source {} ({}, {}){agrees}",
            text(&source["source"]),
            text(&source["place"]),
            text(&source["at"])
        ))?;
        let row = |one: &Value| vec![text(&one["field"]), text(&one["own"]), text(&one["source"])];
        if !differs.is_empty() {
            output::table(&["FIELD", "HERE", "SOURCE"], &differs.iter().map(row).collect::<Vec<_>>())?;
        }
    }
    Ok(())
}

enum Read {
    Record(Value),
    Proof(Vec<u8>),
}

async fn read(access: &Access, args: &Args) -> Result<Read, Failure> {
    let id = access.record(&args.record).await?;
    match args.proof {
        Some(_) => access.proof(id).await.map(Read::Proof),
        None => access.dataset(id).await.map(Read::Record),
    }
}
