//! `hanse reindex`: make the search indexes and the graph of a running node anew.

use super::Directory;
use crate::access::Access;
use crate::failure::Failure;
use crate::output;

/// Make search indexes and graph anew, while the old ones answer
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Both are made from the records, which stay as they are. The old ones follow every
change until the new ones take their place.

Examples:
  hanse reindex --dir D/soest")]
pub(crate) struct Args {
    #[command(flatten)]
    directory: Directory,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let dir = &args.directory.dir;
    let access = Access::to(dir).await?;
    if !access.is_running() {
        access.close().await?;
        return Err(Failure::refused(format!(
            "no node is running in `{0}`: start it, or delete `{0}/index`, which it makes again",
            dir.display()
        )));
    }
    access.reindex().await?;
    output::line("begun; the old indexes answer until the new ones are made")
}
