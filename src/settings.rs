//! Settings of a directory, with the environment above them, and logging.

use std::path::Path;

use node::config::{Config, LogFormat};
use tracing_subscriber::EnvFilter;

use crate::failure::Failure;
use crate::output;

/// The variables of the environment that are text. Others are none of ours.
pub(crate) fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// The settings under which a directory is served.
pub(crate) fn load(directory: &Path) -> Result<Config, Failure> {
    Config::load(directory, environment()).map_err(Failure::input)
}

/// Says what is allowed but risky.
pub(crate) fn warn(config: &Config) {
    for warning in config.warnings() {
        output::note(format!("warning: {warning}"));
    }
}

/// Sends log lines to standard error as the settings ask. Once per process.
pub(crate) fn start_log(config: &Config) -> Result<(), Failure> {
    let level = &config.log.level;
    let filter = EnvFilter::try_new(level)
        .map_err(|error| Failure::input(format!("use the setting `log.level`: `{level}`: {error}")))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match config.log.format {
        LogFormat::Text => log.with_ansi(output::is_error_terminal()).try_init(),
        LogFormat::Json => log.json().try_init(),
    }
    .map_err(|error| Failure::refused(format!("start the log: {error}")))
}
