//! `hanse show`: one record with all that is known about it.

use std::path::PathBuf;

use super::Directory;
use crate::access::Access;
use crate::failure::Failure;
use crate::output;
use crate::words::leaves;

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
        (Read::Record(record), _) => output::table(&["FIELD", "VALUE"], &leaves(&record)),
        (Read::Proof(_), None) => Ok(()),
    }
}

enum Read {
    Record(serde_json::Value),
    Proof(Vec<u8>),
}

async fn read(access: &Access, args: &Args) -> Result<Read, Failure> {
    let id = access.record(&args.record).await?;
    match args.proof {
        Some(_) => access.proof(id).await.map(Read::Proof),
        None => access.dataset(id).await.map(Read::Record),
    }
}
