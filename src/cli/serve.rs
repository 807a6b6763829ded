//! `hanse serve`: run the node of one directory until it is told to stop.

use super::Directory;
use crate::failure::Failure;
use crate::serving::Serving;
use crate::{directory, output, settings, signals};

/// Run the node of a data directory: portal, desk and the link to other towns
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Stops cleanly on Ctrl-C and SIGTERM. Settings stand in DIR/hanse.toml; see
`hanse config`. Whether the node is ready: GET /readyz on the desk.

Examples:
  hanse serve --dir D/soest
  HANSE_LOG_LEVEL=debug hanse serve --dir D/soest")]
pub(crate) struct Args {
    #[command(flatten)]
    directory: Directory,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let dir = &args.directory.dir;
    directory::require(dir)?;
    let config = settings::load(dir)?;
    settings::start_log(&config)?;
    settings::warn(&config);
    let stop = signals::stop()?;
    let serving = Serving::start(dir, config).await?;
    let town = serving.handle().town();
    let listeners = serving.listeners();
    output::line(format!("{} ({})", town.name, town.town))?;
    output::line(format!("  portal   {}", listeners.public_url()))?;
    output::line(format!("  desk     {}", listeners.desk_url()))?;
    for address in &listeners.network {
        output::line(format!("  network  {address}"))?;
    }
    serving.until(stop).await
}
