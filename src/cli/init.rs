//! `hanse init`: a data directory with new keys for one town.

use std::path::PathBuf;

use crdt::ids::Town;
use node::config::Config;
use node::directory::{Directory, IDENTITY_KEY_FILE, MEMBER_FILE, NewTown};

use crate::failure::Failure;
use crate::output;

/// Make the data directory of a town: keys, settings and empty catalogs
#[derive(Debug, clap::Args)]
#[command(after_help = "\
What comes after:
  1. look through DIR/hanse.toml, above all the ports
  2. send DIR/member.json to the town that founds the federation; it holds no secret
  3. put DIR/identity.key on a medium that is locked away, once the charter is signed

Examples:
  hanse init --dir /var/lib/hanse --town soest --ags 05974040 --address /dns/hanse.soest.example/tcp/8301
  hanse init --dir D --town bad-berleburg --ags 05970004       a town that only dials out")]
pub(crate) struct Args {
    /// Directory to make; it must not be a data directory yet
    #[arg(long, value_name = "DIR", env = "HANSE_DIR")]
    dir: PathBuf,
    /// Short name in small letters, such as bad-berleburg
    #[arg(long, value_name = "CODE")]
    town: String,
    /// Municipality key (Amtlicher Gemeindeschlüssel), 8 digits
    #[arg(long, value_name = "AGS", value_parser = Town::parse)]
    ags: Town,
    /// Name of the town; without it, the short name in capitals: Bad Berleburg
    #[arg(long)]
    name: Option<String>,
    /// Where other towns reach the node; may be repeated. None: it only dials out
    #[arg(long, value_name = "MULTIADDR")]
    address: Vec<String>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let name = args.name.clone().unwrap_or_else(|| capitals(&args.town));
    let new = NewTown { town: args.ags, code: args.town.clone(), name, addresses: args.address.clone() };
    let settings = args.dir.join(node::config::FILE_NAME);
    // The operator's own settings, if they came first, stay.
    let fresh = !settings.exists();
    if !fresh {
        Config::load(&args.dir, []).map_err(Failure::input)?;
    }
    let member = Directory::init(&args.dir, &new).map_err(Failure::input)?;
    if fresh {
        let text = Config::default().to_toml();
        std::fs::write(&settings, text)
            .map_err(|error| Failure::refused(format!("write `{}`: {error}", settings.display())))?;
    }
    let dir = args.dir.display();
    output::line(format!("{} ({}) has a data directory: {dir}", member.name, member.town))?;
    output::line(format!("  settings       {}", settings.display()))?;
    output::line(format!("  for the others {}", args.dir.join(MEMBER_FILE).display()))?;
    output::line(format!("  town's key     {}", args.dir.join(IDENTITY_KEY_FILE).display()))?;
    output::line(format!("  its public key {}", crate::words::in_groups(&member.identity_key.to_string())))?;
    output::line("Next: `hanse help charter`.")
}

fn capitals(code: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters
            .next()
            .map(|first| first.to_uppercase().chain(letters).collect::<String>())
            .unwrap_or_default()
    };
    code.split('-').map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_short_name_becomes_a_name() {
        assert_eq!(super::capitals("bad-berleburg"), "Bad Berleburg");
    }
}
