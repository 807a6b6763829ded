//! The demo: five towns found a federation on this machine and run in one
//! process.
//!
//! Each town is a whole node with its own directory, keys and sockets; only
//! the process is shared. What a real town does by hand, file by file, is done
//! here by the same functions.

mod live;
mod prepare;

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use node::config::{Config, LogConfig};
use node::demo::{DemoTown, Records};

use crate::failure::Failure;
use crate::serving::Serving;
use crate::{output, settings, signals};

/// Greatest base port: the fifth town's network port is 205 above it.
pub(crate) const BASE_PORT_MAX: u16 = u16::MAX - NETWORK_OFFSET - TOWNS_MAX;
/// Base port if none is given.
const BASE_PORT_DEFAULT: u16 = 8100;
/// From a town's public port to its desk.
const DESK_OFFSET: u16 = 100;
/// From a town's public port to its network port.
const NETWORK_OFFSET: u16 = 200;
/// Towns that fit between two offsets.
const TOWNS_MAX: u16 = 64;

/// What the command line asks of the demo.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) directory: PathBuf,
    pub(crate) prepare_only: bool,
    pub(crate) records: Option<PathBuf>,
    pub(crate) base_port: Option<u16>,
    pub(crate) live_s: Option<NonZeroU32>,
    pub(crate) synthetic: u64,
    pub(crate) seed: u64,
}

/// A town of the demo and its place on this machine.
#[derive(Debug, Clone)]
struct Place {
    town: DemoTown,
    directory: PathBuf,
    /// From 1, in the order of the records.
    number: u16,
}

impl Place {
    fn all(directory: &Path, towns: &[DemoTown]) -> Vec<Self> {
        let place = |(town, number): (&DemoTown, u16)| Self {
            town: town.clone(),
            directory: directory.join(&town.code),
            number,
        };
        towns.iter().zip(1..).map(place).collect()
    }

    fn network_address(&self, base_port: u16) -> String {
        format!("/ip4/127.0.0.1/tcp/{}", base_port + NETWORK_OFFSET + self.number)
    }

    fn config(&self, base_port: u16) -> Config {
        let mut config = Config::default();
        config.public.listen.set_port(base_port + self.number);
        config.desk.listen.set_port(base_port + DESK_OFFSET + self.number);
        config.network.listen = vec![self.network_address(base_port)];
        config
    }
}

/// Prepares the directories where needed, then serves until told to stop.
pub(crate) async fn run(order: Order) -> Result<(), Failure> {
    let records = match &order.records {
        Some(path) => Records::read(path).map_err(Failure::input)?,
        None => Records::shipped(),
    };
    settings::start_log(&quiet())?;
    let stop = signals::stop()?;
    let places = prepare::run(&order, &records, &stop).await?;
    if order.prepare_only {
        return output::line(format!(
            "{} towns are ready in {}; `hanse demo --dir {}` serves them",
            places.len(),
            order.directory.display(),
            order.directory.display()
        ));
    }
    let mut nodes = Vec::new();
    let mut failed = None;
    for place in &places {
        match serve(place).await {
            Ok(serving) => nodes.push(serving),
            Err(failure) => {
                failed = Some(failure);
                break;
            }
        }
    }
    let shown = match failed {
        None => live::run(&nodes, &order.directory, order.live_s, stop).await,
        Some(failure) => Err(failure),
    };
    let mut stopped = Ok(());
    for serving in nodes {
        stopped = stopped.and(serving.stop().await);
    }
    shown.and(stopped)
}

async fn serve(place: &Place) -> Result<Serving, Failure> {
    // One environment cannot give five nodes different ports.
    let config = Config::load(&place.directory, []).map_err(Failure::input)?;
    Serving::start(&place.directory, config).await
}

/// Warnings only, so that the live lines stay readable; the log variables of
/// the environment still count.
fn quiet() -> Config {
    let mut config = Config::default();
    config.log = LogConfig { level: "warn".to_owned(), ..config.log };
    let log = settings::environment().filter(|(name, _)| name.starts_with("HANSE_LOG_"));
    // A mistake in them is said by whoever reads all settings; here the default does.
    let _ = config.override_from(log);
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn towns_get_the_documented_ports() {
        let records = Records::shipped();
        let places = Place::all(Path::new("D"), &records.towns);
        let codes: Vec<&str> = places.iter().map(|place| place.town.code.as_str()).collect();
        assert_eq!(codes, ["soest", "arnsberg", "menden", "olpe", "bad-berleburg"]);
        let config = places[4].config(8100);
        assert_eq!((config.public.listen.port(), config.desk.listen.port()), (8105, 8205));
        assert_eq!(config.network.listen, ["/ip4/127.0.0.1/tcp/8305"]);
        assert_eq!(places[4].directory, Path::new("D/bad-berleburg"));
    }

    #[test]
    fn the_greatest_base_port_still_fits() {
        let towns = Records::shipped().towns;
        let last = Place::all(Path::new("D"), &towns).pop().unwrap();
        assert!(last.config(BASE_PORT_MAX).network.listen[0].ends_with(&format!("{}", BASE_PORT_MAX + 205)));
    }
}
