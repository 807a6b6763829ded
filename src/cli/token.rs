//! `hanse token`: the secret that opens the desk.

use super::Directory;
use crate::failure::Failure;
use crate::{directory, output};

/// Print the token that opens the desk API, or make a new one
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Whoever has the token can write and publish in the town's name.

Examples:
  curl -H \"Authorization: Bearer $(hanse token --dir D/soest)\" http://127.0.0.1:8201/api/v1/status
  hanse token --dir D/soest --renew     the old token stops working at once")]
pub(crate) struct Args {
    #[command(flatten)]
    directory: Directory,
    /// Make a new token first; the old one counts no more, in a running node too
    #[arg(long)]
    renew: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let dir = &args.directory.dir;
    directory::require(dir)?;
    let token = if args.renew { directory::renew_token(dir)? } else { directory::token(dir)? };
    output::line(token)
}
