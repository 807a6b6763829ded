//! `hanse charter sign`: one town's yes, and its entry once all have said it.

use std::path::PathBuf;

use node::directory::Directory;
use node::store::StoreSettings;
use node::{founding, keys};

use super::file::{CharterFile, fingerprint, write_words};
use crate::failure::Failure;
use crate::{output, words};

/// Digits of a fingerprint that must be compared at least: 80 bits, more than
/// anybody can search a second charter for.
const DIGITS_MIN: usize = 20;

/// Sign a charter for a town; with all signatures, its node enters the federation
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Several copies that were signed apart are joined into the first.

Examples:
  hanse charter sign charter.json --dir D/soest --fingerprint \"1f3a 99c0 5d2e 7b41 08aa\"
  hanse charter sign charter.json back-from-olpe.json --dir D/soest --fingerprint …
  hanse charter sign charter.json --dir D/soest --identity /media/stick/identity.key --fingerprint …")]
pub(crate) struct Args {
    /// The charter file, which is written again, and further copies of it
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Data directory of the town
    #[arg(long, value_name = "DIR", env = "HANSE_DIR")]
    dir: PathBuf,
    /// The fingerprint as another town read it out to you: at least its first
    /// five groups; spaces do not matter
    #[arg(long, value_name = "DIGITS")]
    fingerprint: String,
    /// The town's identity key, if it is not kept in the directory
    #[arg(long, value_name = "KEYFILE")]
    identity: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let Some((first, others)) = args.files.split_first() else {
        return Err(Failure::input_saying("give a charter file"));
    };
    let mut file = CharterFile::read(first)?;
    for other in others {
        let copy = CharterFile::read(other)?;
        if copy.charter.body() != file.charter.body() {
            return Err(Failure::input(format!(
                "join `{}` into `{}`: they are two different charters; found one of them again",
                other.display(),
                first.display()
            )));
        }
        file.merge(copy);
    }
    compare(&args.fingerprint, &fingerprint(&file.charter))?;

    crate::directory::require(&args.dir)?;
    let directory = Directory::open(&args.dir, StoreSettings::default()).map_err(Failure::refused)?;
    let identity = match &args.identity {
        Some(path) => keys::read(path).map_err(Failure::input)?,
        None => directory.identity_key().map_err(Failure::input)?,
    };
    founding::sign(&mut file.charter, &identity).map_err(Failure::input)?;
    let federation = file.charter.id().as_federation();
    file.add(founding::certificate(&directory.member, federation, &identity));
    let outstanding: Vec<String> =
        founding::outstanding(&file.charter).into_iter().map(|member| member.name.clone()).collect();
    if outstanding.is_empty() {
        founding::adopt(&directory, file.charter.clone(), file.certificates.clone())
            .map_err(Failure::refused)?;
    }
    file.write(first)?;

    write_words(&file.charter)?;
    if outstanding.is_empty() {
        return output::line(format!(
            "\nAll towns have signed: {} belongs to the federation now. Hand {} to the towns that \
             have not seen all signatures yet.",
            directory.member.name,
            first.display()
        ));
    }
    output::line(format!(
        "\n{} has signed. Outstanding: {}. Hand {} on.",
        directory.member.name,
        outstanding.join(", "),
        first.display()
    ))
}

/// Signing without comparing would make the signature worth nothing.
fn compare(given: &str, own: &str) -> Result<(), Failure> {
    let digits: String =
        given.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase();
    let shown = words::in_groups(&digits);
    if digits.len() < DIGITS_MIN || !digits.chars().all(|c| c.is_ascii_hexdigit()) {
        return Err(Failure::input(format!(
            "compare the fingerprint `{shown}`: give at least its first five groups of four digits, as another town reads them out"
        )));
    }
    if !own.starts_with(&digits) {
        return Err(Failure::refused_saying(format!(
            "the fingerprint of this charter begins with {}, not {shown}: it is not the charter that the \
             other town has; nothing was signed, clear this up by telephone",
            words::in_groups(&own[..DIGITS_MIN])
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_must_be_long_enough_and_right() {
        let own = "0123456789abcdef0123456789abcdef";
        assert!(compare("0123 4567 89AB cdef 0123", own).is_ok());
        for wrong in ["0123 4567", "1123 4567 89ab cdef 0123", "zzzz zzzz zzzz zzzz zzzz", ""] {
            assert!(compare(wrong, own).is_err(), "{wrong}");
        }
    }
}
