//! `hanse create`: make a new record, closed until it is published.

use super::Directory;
use super::edit::Body;
use crate::access::{Access, Offline};
use crate::failure::Failure;
use crate::output;
use crate::words::text;

/// Create a record; it starts closed, as a draft
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hanse create --dir D/soest --set title.de=Baumkataster --set 'themes=[\"ENVI\"]'
  hanse create --dir D/soest --json-file record.json")]
pub(crate) struct Args {
    #[command(flatten)]
    directory: Directory,
    #[command(flatten)]
    body: Body,
    #[command(flatten)]
    offline: Offline,
    /// Print JSON for programs
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let body = args.body.read()?;
    let access = Access::for_writing(&args.directory.dir, args.offline).await?;
    let receipt = access.create(body).await;
    access.close().await?;
    let receipt = receipt?;
    if args.json { output::json(&receipt) } else { output::line(format!("created {}", text(&receipt["id"]))) }
}
