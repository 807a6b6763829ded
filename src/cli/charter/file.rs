//! The file in which a charter travels between towns: text that survives mail,
//! with the charter, its signatures and the nodes' certificates.
//!
//! Nothing in it is secret, and nothing in it is believed without signatures.

use std::io::Read as _;
use std::path::Path;

use crdt::certificate::NodeCertificate;
use crdt::charter::Charter;
use crdt::ids::{from_hex, hex};
use crdt::signed::{Record, Signed};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::{output, words};

/// Names the form of the file.
const FORM: &str = "hanse charter 1";
/// Longest file, in bytes: 64 towns with eight keys each need a tenth of it.
const BYTES_MAX: u64 = 4 * 1024 * 1024;

/// A charter on its way.
#[derive(Debug, Clone)]
pub(super) struct CharterFile {
    pub(super) charter: Signed<Charter>,
    pub(super) certificates: Vec<Signed<NodeCertificate>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    form: String,
    charter: String,
    #[serde(default)]
    certificates: Vec<String>,
}

impl CharterFile {
    /// Reads a file.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let wrong = |detail: String| {
            Failure::input(format!(
                "read the charter `{shown}`: {detail}; ask the town that made it to send the file again"
            ))
        };
        let mut text = String::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(BYTES_MAX).read_to_string(&mut text))
            .map_err(|error| Failure::input(format!("read the charter `{shown}`: {error}")))?;
        let text: Text =
            serde_json::from_str(&text).map_err(|error| wrong(format!("it is no charter file ({error})")))?;
        if text.form != FORM {
            return Err(wrong(format!("its form is `{}`, not `{FORM}`", text.form)));
        }
        let charter = decode(&text.charter).map_err(wrong)?;
        let certificates =
            text.certificates.iter().map(|hex| decode(hex)).collect::<Result<_, _>>().map_err(wrong)?;
        Ok(Self { charter, certificates })
    }

    /// Writes the file whole or not at all.
    pub(super) fn write(&self, path: &Path) -> Result<(), Failure> {
        let text = Text {
            form: FORM.to_owned(),
            charter: hex(&self.charter.to_bytes()),
            certificates: self.certificates.iter().map(|one| hex(&one.to_bytes())).collect(),
        };
        let failed = |error: std::io::Error| Failure::refused(format!("write `{}`: {error}", path.display()));
        let text = serde_json::to_string_pretty(&text).map_err(|error| failed(error.into()))?;
        let fresh = path.with_extension("json.new");
        std::fs::write(&fresh, text + "\n").and_then(|()| std::fs::rename(&fresh, path)).map_err(failed)
    }

    /// Takes over signatures and certificates of another copy.
    pub(super) fn merge(&mut self, other: Self) {
        self.charter.merge(&other.charter);
        for certificate in other.certificates {
            self.add(certificate);
        }
    }

    /// Adds a certificate, or its signatures to the copy held.
    pub(super) fn add(&mut self, certificate: Signed<NodeCertificate>) {
        match self.certificates.iter_mut().find(|held| held.body() == certificate.body()) {
            Some(held) => {
                held.merge(&certificate);
            }
            None => self.certificates.push(certificate),
        }
    }
}

fn decode<T: Record>(text: &str) -> Result<Signed<T>, String> {
    let bytes = from_hex(text).ok_or_else(|| format!("its {} is not hexadecimal", T::NAME))?;
    Signed::from_bytes(&bytes).map_err(|error| format!("its {} is not right: {error}", T::NAME))
}

/// What people compare: the hash of the first charter.
pub(super) fn fingerprint(charter: &Signed<Charter>) -> String {
    charter.id().to_string()
}

/// Says what the charter says.
pub(super) fn write_words(charter: &Signed<Charter>) -> Result<(), Failure> {
    let content = charter.value();
    output::line(format!("Federation   {}, charter version {}", content.name, content.version))?;
    let groups: Vec<String> = fingerprint_lines(charter);
    output::line(format!("Fingerprint  {}", groups.join("\n             ")))?;
    let thresholds = content.thresholds;
    output::line(format!(
        "Thresholds   {} of {} towns for a change, {} to expel a town, {} to change these numbers",
        thresholds.change,
        content.members.len(),
        thresholds.expel,
        thresholds.thresholds
    ))?;
    let rows: Vec<Vec<String>> = content
        .members
        .iter()
        .map(|member| {
            let signed = if member.has_signed(charter) { "yes" } else { "no" };
            let addresses = if member.addresses.is_empty() {
                "dials out only".to_owned()
            } else {
                member.addresses.join(" ")
            };
            vec![
                member.town.to_string(),
                member.code.clone(),
                member.name.clone(),
                signed.to_owned(),
                addresses,
            ]
        })
        .collect();
    output::table(&["KEY", "CODE", "TOWN", "SIGNED", "ADDRESSES"], &rows)
}

fn fingerprint_lines(charter: &Signed<Charter>) -> Vec<String> {
    let groups = words::in_groups(&fingerprint(charter));
    let groups: Vec<&str> = groups.split(' ').collect();
    groups.chunks(8).map(|line| line.join(" ")).collect()
}
