//! `hanse dump-decoded`: all documents with their history, for audits.

use node::audit::{self, AuditError};
use node::directory::Directory as DataDirectory;
use node::store::StoreSettings;

use super::Directory;
use crate::failure::Failure;
use crate::{directory, output};

/// Print all replicated documents with every change and operation, a JSON line each
#[derive(Debug, clap::Args)]
#[command(after_help = "\
What this prints is all that other towns can ever have received from this node,
decompressed and decoded. The node must be stopped.

Examples:
  hanse dump-decoded --dir D/soest | grep -c 'Personalakte'    must be 0
  hanse dump-decoded --dir D/soest | jq -r '.content.dataset.title.de'")]
pub(crate) struct Args {
    #[command(flatten)]
    directory: Directory,
    /// Print the closed records too, which never leave this town
    #[arg(long)]
    closed: bool,
}

impl From<AuditError> for Failure {
    fn from(error: AuditError) -> Self {
        Self::refused(error)
    }
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let dir = &args.directory.dir;
    directory::require(dir)?;
    let opened = DataDirectory::open(dir, StoreSettings::default()).map_err(Failure::refused)?;
    audit::dump(&opened, args.closed, |document| output::raw(&format!("{document}\n")))
}
