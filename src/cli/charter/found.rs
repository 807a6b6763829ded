//! `hanse charter found`: the first charter, made of the towns' member files.

use std::path::PathBuf;

use node::directory::MemberFile;
use node::{founding, keys};

use super::file::{CharterFile, write_words};
use crate::failure::Failure;
use crate::{clock, output};

/// Make the charter of a new federation from the member files of its towns
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hanse charter found --name \"Datenverbund Südwestfalen\" --out charter.json soest.json olpe.json")]
pub(crate) struct Args {
    /// Name of the federation
    #[arg(long)]
    name: String,
    /// File to write; it must not exist yet
    #[arg(long, value_name = "FILE", default_value = "charter.json")]
    out: PathBuf,
    /// The towns' member files, each made by `hanse init`
    #[arg(required = true, value_name = "MEMBER.JSON")]
    members: Vec<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    if args.out.exists() {
        return Err(Failure::input(format!(
            "write `{}`: it is there already and signatures in it would be lost; give another --out",
            args.out.display()
        )));
    }
    let members: Vec<MemberFile> = args
        .members
        .iter()
        .map(|path| MemberFile::read(path))
        .collect::<Result<_, _>>()
        .map_err(Failure::input)?;
    let nonce = keys::random().map_err(Failure::refused)?;
    let charter = founding::found(&args.name, &members, nonce, clock::now()).map_err(Failure::input)?;
    let file = CharterFile { charter, certificates: Vec::new() };
    file.write(&args.out)?;
    write_words(&file.charter)?;
    output::line(format!(
        "\nWritten to {}. Every town compares the fingerprint by telephone and signs: `hanse charter sign`.",
        args.out.display()
    ))
}
