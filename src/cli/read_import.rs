//! `hanse read-import`: the process in which an import reads a file from
//! outside; started by the program itself, see [`node::import::reader`].

use crate::failure::Failure;

/// Read a file for an import (started by the program itself)
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub(crate) struct Args {
    /// What to read, as JSON
    request: String,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    node::import::reader::serve(&args.request)
        .map_err(|error| Failure::refused(format!("read a file for an import: {error}")))
}
