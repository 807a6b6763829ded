//! `hanse catalog`: what the town says of its catalog as a whole.

use clap::Subcommand;

use super::Directory;
use super::edit::Body;
use crate::access::{Access, Offline};
use crate::failure::Failure;
use crate::output;
use crate::words::leaves;

/// Show or change what the town says of its catalog as a whole
///
/// Title, publisher, contact, licence, home page, contributor id: everyone may
/// read them, and they fill what a record leaves open when it is published.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hanse catalog show --dir D/soest
  hanse catalog edit --dir D/soest --set title.de='Offene Daten der Stadt Soest' --set publisher.name='Stadt Soest'
  hanse catalog edit --dir D/soest --set contributor_id=http://dcat-ap.de/def/contributors/openNRW")]
pub(crate) struct Args {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    Show(ShowArgs),
    Edit(EditArgs),
}

/// Show what is said, and what is served where nothing is said
#[derive(Debug, clap::Args)]
struct ShowArgs {
    #[command(flatten)]
    directory: Directory,
    /// Print JSON for programs
    #[arg(long)]
    json: bool,
}

/// Change given fields; all others stay
#[derive(Debug, clap::Args)]
struct EditArgs {
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
    match args.step {
        Step::Show(args) => show(args).await,
        Step::Edit(args) => edit(args).await,
    }
}

async fn show(args: ShowArgs) -> Result<(), Failure> {
    let access = Access::to(&args.directory.dir).await?;
    let catalog = access.catalog().await;
    access.close().await?;
    let catalog = catalog?;
    if args.json {
        return output::json(&catalog);
    }
    output::table(&["FIELD", "VALUE"], &leaves(&catalog))
}

async fn edit(args: EditArgs) -> Result<(), Failure> {
    let body = args.body.read()?;
    let access = Access::for_writing(&args.directory.dir, args.offline).await?;
    let receipt = access.edit_catalog(body).await;
    access.close().await?;
    let receipt = receipt?;
    if args.json {
        return output::json(&receipt);
    }
    output::line(if receipt["changed"].as_bool() == Some(false) { "unchanged" } else { "changed" })
}
