//! `hanse demo`: a federation of five towns on this machine.

use std::num::NonZeroU32;
use std::path::PathBuf;

use crate::demo::{self, Order};
use crate::failure::Failure;

/// Run a federation of five towns on this machine, with invented records
///
/// Founds the federation of Soest, Arnsberg, Menden, Olpe and Bad Berleburg, each
/// with a data directory of its own below --dir, publishes their open records,
/// keeps all others closed, and serves all five until Ctrl-C. A second start
/// continues. Each directory is the same node alone: hanse serve --dir DIR/soest
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Town i (1 to 5) has its portal on port P+i, its desk on P+100+i and its link to
the other towns on P+200+i, all on 127.0.0.1; P is --base-port.

Examples:
  hanse demo
  hanse demo --live                  edit one record every 10 seconds
  hanse demo --prepare-only          only make the directories, then stop
  hanse demo --dir /tmp/big --synthetic 20000 --base-port 9000")]
pub(crate) struct Args {
    /// Directory that holds the five data directories
    #[arg(long, value_name = "DIR", default_value = "demo-data")]
    dir: PathBuf,
    /// Found the federation, load the records and stop
    #[arg(long)]
    prepare_only: bool,
    /// Take the records from this JSON file instead of those that come with Hanse
    #[arg(long, value_name = "FILE")]
    records: Option<PathBuf>,
    /// Port before the first town's [default: 8100]
    #[arg(long, value_name = "P", value_parser = clap::value_parser!(u16).range(1..=i64::from(demo::BASE_PORT_MAX)))]
    base_port: Option<u16>,
    /// Edit one record every so many seconds [default: 10]
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "10", require_equals = true, conflicts_with = "prepare_only")]
    live: Option<NonZeroU32>,
    /// Add so many generated open records to each town, for measurements
    #[arg(long, value_name = "N", default_value_t = 0)]
    synthetic: u64,
    /// Seed of the generated records: the same seed makes the same records
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    demo::run(Order {
        directory: args.dir,
        prepare_only: args.prepare_only,
        records: args.records,
        base_port: args.base_port,
        live_s: args.live,
        synthetic: args.synthetic,
        seed: args.seed,
    })
    .await
}
