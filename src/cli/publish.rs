//! `hanse publish`: make a closed record open, for everyone.

use super::Directory;
use crate::access::{Access, Offline};
use crate::failure::Failure;
use crate::output;
use crate::words::text;

/// Publish a closed record: every town and every reader may have it from now on
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Nothing of the record's earlier drafts is published, and no internal note. What
others have copied cannot be called back.

Examples:
  hanse publish --dir D/soest baumkataster")]
pub(crate) struct Args {
    #[command(flatten)]
    directory: Directory,
    /// The record: its id, its identifier, or the last part of it
    record: String,
    #[command(flatten)]
    offline: Offline,
    /// Print JSON for programs
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let access = Access::for_writing(&args.directory.dir, args.offline).await?;
    let receipt = publish(&access, &args.record).await;
    access.close().await?;
    let receipt = receipt?;
    if args.json {
        return output::json(&receipt);
    }
    output::line(format!("published {}, document {}", text(&receipt["id"]), text(&receipt["document"])))
}

async fn publish(access: &Access, record: &str) -> Result<serde_json::Value, Failure> {
    access.publish(access.record(record).await?).await
}
