//! `hanse config`: every setting with meaning, unit and default; or the check
//! of a directory's settings without starting anything.

use std::path::PathBuf;

use node::config::Config;

use crate::failure::Failure;
use crate::{output, settings};

/// Print every setting with its meaning, unit and default
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Settings stand in hanse.toml in the data directory. Each can be overridden by a
variable of the environment, for example HANSE_PUBLIC_LISTEN=0.0.0.0:8101.

Examples:
  hanse config > hanse.toml           a file to start from
  hanse config --check --dir D/soest  is this directory's hanse.toml right?")]
pub(crate) struct Args {
    /// Read the settings of --dir and the environment, say what is wrong or risky
    #[arg(long, requires = "dir")]
    check: bool,
    /// Data directory whose hanse.toml is checked
    #[arg(long, value_name = "DIR", requires = "check")]
    dir: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let Some(dir) = &args.dir else {
        return output::raw(&Config::reference());
    };
    let path = dir.join(node::config::FILE_NAME);
    if !path.is_file() {
        return Err(Failure::input(format!(
            "check the settings `{}`: there is no such file; make it with `hanse init` or `hanse config`",
            path.display()
        )));
    }
    let config = settings::load(dir)?;
    settings::warn(&config);
    output::line(format!("{} is right", path.display()))
}
