//! `hanse charter`: the founding of a federation, by files that people exchange.

mod file;
mod found;
mod show;
mod sign;

use clap::Subcommand;

use crate::failure::Failure;

/// Found a federation: make, sign and show its charter
///
/// A charter names the towns, their keys and how many must agree to what. It
/// counts when every town has signed it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
How a federation begins:
  1. every town:   hanse init …              and sends its member.json to one of them
  2. that one:     hanse charter found --name \"Datenverbund\" --out charter.json */member.json
  3. all towns     compare the fingerprint by telephone
  4. every town:   hanse charter sign charter.json --dir DIR --fingerprint …
                   and hands charter.json on, or back
  5. every town    repeats step 4 with the charter that all have signed: its node
                   then belongs to the federation
  6. every town:   hanse serve --dir DIR")]
pub(crate) struct Args {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    Found(found::Args),
    Sign(sign::Args),
    Show(show::Args),
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    match &args.step {
        Step::Found(args) => found::run(args),
        Step::Sign(args) => sign::run(args),
        Step::Show(args) => show::run(args),
    }
}
