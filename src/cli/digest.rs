//! `hanse digest`: one line that is equal on nodes that hold the same.

use super::Directory;
use crate::access::Access;
use crate::failure::Failure;
use crate::output;
use crate::words::text;

/// Print one hash over all open records: equal on nodes that hold the same
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hanse digest --dir D/soest --audience open
  for town in D/*/; do hanse digest --dir $town; done | uniq -c")]
pub(crate) struct Args {
    #[command(flatten)]
    directory: Directory,
    /// Over which records; shared ones follow with shared audiences
    #[arg(long, default_value = "open", value_parser = ["open"])]
    audience: String,
    /// Print JSON for programs
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let access = Access::to(&args.directory.dir).await?;
    let digest = access.digest().await;
    access.close().await?;
    let digest = digest?;
    if args.json { output::json(&digest) } else { output::line(text(&digest["digest"])) }
}
