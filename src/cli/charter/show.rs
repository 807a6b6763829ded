//! `hanse charter show`: what a charter says, from a file or a directory.

use std::path::PathBuf;

use node::directory::Directory;
use node::founding;
use node::store::StoreSettings;
use serde_json::json;

use super::file::{CharterFile, fingerprint, write_words};
use crate::failure::Failure;
use crate::output;

/// Show a charter: towns, thresholds, fingerprint and who has signed
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hanse charter show charter.json
  hanse charter show --dir D/soest --json")]
pub(crate) struct Args {
    /// A charter file
    #[arg(value_name = "FILE", required_unless_present = "dir", conflicts_with = "dir")]
    file: Option<PathBuf>,
    /// A data directory: the charter in force there
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Print JSON for programs
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let charter = match (&args.file, &args.dir) {
        (Some(file), _) => CharterFile::read(file)?.charter,
        (None, Some(dir)) => {
            crate::directory::require(dir)?;
            let directory = Directory::open(dir, StoreSettings::default()).map_err(Failure::refused)?;
            let snapshot = directory.replica.read().map_err(Failure::refused)?;
            let authority = founding::stored_authority(&snapshot).map_err(Failure::refused)?;
            let authority = authority.ok_or_else(|| {
                Failure::refused_saying("this node belongs to no federation yet; see `hanse help charter`")
            })?;
            authority.chain().current().clone()
        }
        (None, None) => return Err(Failure::input_saying("give a charter file or --dir")),
    };
    if !args.json {
        return write_words(&charter);
    }
    let content = charter.value();
    let members: Vec<_> = content
        .members
        .iter()
        .map(|member| {
            json!({
                "town": member.town.to_string(), "code": member.code, "name": member.name,
                "identity_keys": member.identity_keys, "required": member.required,
                "addresses": member.addresses, "signed": member.has_signed(&charter),
            })
        })
        .collect();
    output::json(&json!({
        "name": content.name,
        "version": content.version,
        "fingerprint": fingerprint(&charter),
        "thresholds": {
            "change": content.thresholds.change,
            "expel": content.thresholds.expel,
            "thresholds": content.thresholds.thresholds,
        },
        "members": members,
    }))
}
