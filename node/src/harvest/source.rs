//! A source: what it is, how it is asked, and all that is known of it.
//!
//! Everything here is plain data that `closed.redb` keeps as JSON: the town's
//! own business, never told to anyone.

use std::collections::BTreeSet;

use crdt::catalog::{Bilingual, InvalidField};
use crdt::ids::UnixMillis;
use serde::{Deserialize, Serialize};
use url::Url;

use super::fetch::{Reach, Validators};
use super::walk::WalkProgress;

/// Most sources of one town.
pub const SOURCES_MAX: usize = 100;
/// Longest name of a source, in bytes.
pub const NAME_BYTES_MAX: usize = 64;
/// Shortest time between two runs.
pub const INTERVAL_MIN_S: u64 = 600;
/// Longest.
pub const INTERVAL_MAX_S: u64 = 31 * 24 * 3600;
/// Most records in quarantine that are kept with their reasons.
pub const QUARANTINE_MAX: usize = 500;
/// More than this share of a source's records (in per cent) is never deleted
/// without a person's word …
pub const MASS_DELETION_PERCENT: usize = 10;
/// … unless they are no more than these, nor than a third of all.
pub const MASS_DELETION_FREE: usize = 3;
/// When a source of several pages is asked again if records were missing: only
/// what a second walk does not find either is gone.
const SECOND_LOOK_S: u64 = 600;

/// What a source speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// DCAT-AP in RDF, in one piece or in pages.
    Rdf,
    /// CKAN's Action API.
    Ckan,
}

/// How a source is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceSpec {
    /// Its name here.
    pub name: String,
    /// Where it begins.
    pub url: Url,
    /// What it speaks.
    pub kind: Kind,
    /// Seconds between two runs; `None`: only when a person asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_s: Option<u64>,
    /// Whether it may be a machine of the house.
    #[serde(default)]
    pub allow_private: bool,
    /// Whether it may redirect to other hosts.
    #[serde(default)]
    pub allow_redirects: bool,
}

impl SourceSpec {
    /// A source as a person or program gives it.
    pub fn new(
        name: &str,
        url: &str,
        kind: Option<&str>,
        interval_s: Option<u64>,
    ) -> Result<Self, InvalidField> {
        let name = checked_name(name)?;
        let url = checked_url(url)?;
        let kind = match kind {
            None => guessed(&url),
            Some("rdf") => Kind::Rdf,
            Some("ckan") => Kind::Ckan,
            Some(other) => {
                let problem = Bilingual::fixed("ist keine Art von Quelle", "is no kind of source");
                return Err(InvalidField::new(
                    "kind",
                    other,
                    problem,
                    Bilingual::fixed("`rdf` oder `ckan` angeben", "give `rdf` or `ckan`"),
                ));
            }
        };
        if let Some(seconds) =
            interval_s.filter(|seconds| !(INTERVAL_MIN_S..=INTERVAL_MAX_S).contains(seconds))
        {
            return Err(InvalidField::new(
                "interval_s",
                seconds,
                Bilingual::fixed("ist kein Abstand zwischen zwei Läufen", "is no time between two runs"),
                Bilingual::made(
                    format!("Sekunden von {INTERVAL_MIN_S} bis {INTERVAL_MAX_S} angeben"),
                    format!("give seconds from {INTERVAL_MIN_S} to {INTERVAL_MAX_S}"),
                ),
            ));
        }
        Ok(Self { name, url, kind, interval_s, allow_private: false, allow_redirects: false })
    }

    /// A source that is asked once and not kept.
    pub(super) fn once(url: Url, kind: Kind, reach: Reach) -> Self {
        let (allow_private, allow_redirects) = (reach.private, reach.elsewhere);
        Self { name: String::new(), url, kind, interval_s: None, allow_private, allow_redirects }
    }

    /// What it may lead to.
    pub fn reach(&self) -> Reach {
        Reach { private: self.allow_private, elsewhere: self.allow_redirects }
    }
}

fn checked_name(name: &str) -> Result<String, InvalidField> {
    let fine = !name.is_empty()
        && name.len() <= NAME_BYTES_MAX
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if fine {
        return Ok(name.to_owned());
    }
    Err(InvalidField::new(
        "name",
        name,
        Bilingual::fixed("ist kein Name einer Quelle", "is not the name of a source"),
        Bilingual::made(
            format!("1 bis {NAME_BYTES_MAX} Zeichen aus a–z, 0–9 und Bindestrich verwenden"),
            format!("use 1 to {NAME_BYTES_MAX} of a–z, 0–9 and the hyphen"),
        ),
    ))
}

pub(super) fn checked_url(text: &str) -> Result<Url, InvalidField> {
    let url = Url::parse(text.trim()).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none()
    });
    url.ok_or_else(|| {
        InvalidField::new(
            "url",
            if text.contains('@') { "…" } else { text },
            Bilingual::fixed("ist keine Adresse einer Quelle", "is not the address of a source"),
            Bilingual::fixed(
                "eine Adresse mit https:// und ohne Zugangsdaten angeben",
                "give an address with https:// and without credentials",
            ),
        )
    })
}

/// RDF lies at a path of its own; a CKAN is named by its portal or its API.
pub(super) fn guessed(url: &Url) -> Kind {
    let path = url.path();
    if path.contains("/api/3") || path.contains("/api/action") || matches!(path, "" | "/") {
        Kind::Ckan
    } else {
        Kind::Rdf
    }
}

/// A record that was kept out, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// Its name at the source.
    pub key: String,
    /// The property.
    pub field: String,
    /// Its value, shortened.
    pub value: String,
    /// What is wrong with it.
    pub reason: Bilingual,
    /// What to do.
    pub remedy: Bilingual,
}

/// What the last run brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// New records.
    pub created: u64,
    /// Records in which the source's new word was carried over.
    pub changed: u64,
    /// Records that say what they said.
    pub unchanged: u64,
    /// Records in quarantine.
    pub rejected: u64,
    /// Records of this federation that came back by another road.
    pub own: u64,
    /// Records deleted because the source has them no more.
    pub deleted: u64,
    /// Records that the source has no more but the town keeps.
    pub kept: u64,
}

/// All that is known of a source, at every moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// How it is asked.
    pub spec: SourceSpec,
    /// When it was last begun to ask.
    #[serde(default)]
    pub tried: Option<UnixMillis>,
    /// When it was last walked through to the end.
    #[serde(default)]
    pub walked: Option<UnixMillis>,
    /// When it is asked next.
    #[serde(default)]
    pub next: Option<UnixMillis>,
    /// How far the last walk came.
    #[serde(default)]
    pub progress: WalkProgress,
    /// What it brought.
    #[serde(default)]
    pub counts: Counts,
    /// Why it did not come to its end, or why nothing was deleted.
    #[serde(default)]
    pub problem: Option<Bilingual>,
    /// Walks in a row that did not come to their end.
    #[serde(default)]
    pub failures: u32,
    /// Records that were kept out.
    #[serde(default)]
    pub quarantine: Vec<Quarantined>,
    /// How many records are missing and wait for a person's word.
    #[serde(default)]
    pub awaiting: usize,
    /// How many of those a person has allowed to be deleted.
    #[serde(default)]
    pub confirmed: usize,
    /// Records that the source has no more and that people were told of.
    #[serde(default)]
    pub gone: BTreeSet<String>,
    /// Records that the last walk through several pages did not find, and that
    /// are gone if the next one does not find them either: pages that move while
    /// they are read hide a record without a trace.
    #[serde(default)]
    pub missing: BTreeSet<String>,
    /// How to ask whether anything changed.
    #[serde(default)]
    pub validators: Validators,
    /// The newest change that the source has told of, in its own words.
    #[serde(default)]
    pub newest: Option<String>,
}

impl Source {
    /// One that was never asked. On a schedule it is asked at once.
    pub fn new(spec: SourceSpec, now: UnixMillis) -> Self {
        Self {
            next: spec.interval_s.map(|_| now),
            spec,
            tried: None,
            walked: None,
            progress: WalkProgress::default(),
            counts: Counts::default(),
            problem: None,
            failures: 0,
            quarantine: Vec::new(),
            awaiting: 0,
            confirmed: 0,
            gone: BTreeSet::new(),
            missing: BTreeSet::new(),
            validators: Validators::default(),
            newest: None,
        }
    }

    /// Whether it is to be asked by now.
    pub fn is_due(&self, now: UnixMillis) -> bool {
        self.next.is_some_and(|next| next.0 <= now.0)
    }

    /// Says when to ask next: after the interval, longer after failures, and
    /// not before the source wants it.
    pub fn schedule(&mut self, now: UnixMillis, retry_after_s: Option<u64>) {
        let Some(interval) = self.spec.interval_s else {
            self.next = None;
            return;
        };
        let patience = match self.missing.is_empty() || self.failures > 0 {
            true => interval.saturating_mul(1 << self.failures.min(4)).min(INTERVAL_MAX_S),
            false => interval.min(SECOND_LOOK_S),
        };
        let wait = patience.max(retry_after_s.unwrap_or(0));
        self.next =
            Some(UnixMillis(now.0 + i64::try_from(wait.saturating_mul(1000)).unwrap_or(i64::MAX / 2)));
    }
}

/// Whether so many missing records ask for a person's word: all of them always
/// do, however few a source has.
pub fn is_mass_deletion(missing: usize, held: usize) -> bool {
    let free = MASS_DELETION_FREE.min(held / 3);
    missing > 0 && (missing == held || missing > free && missing * 100 > held * MASS_DELETION_PERCENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_named_addressed_and_guessed() {
        let spec = |url: &str| SourceSpec::new("portal", url, None, None);
        assert_eq!(spec("https://a.example").unwrap().kind, Kind::Ckan);
        assert_eq!(spec("https://a.example/api/3/action/package_search").unwrap().kind, Kind::Ckan);
        assert_eq!(spec("https://a.example/catalog.ttl").unwrap().kind, Kind::Rdf);
        for url in ["ftp://a.example/x", "a.example", "https://u:geheim@a.example", "file:///etc/passwd"] {
            let error = spec(url).unwrap_err();
            assert!(error.field == "url" && !error.message_de().contains("geheim"), "{error}");
        }
        for name in ["", "Portal", "a b", "../x", &"x".repeat(65)] {
            assert_eq!(SourceSpec::new(name, "https://a.example", None, None).unwrap_err().field, "name");
        }
        assert_eq!(SourceSpec::new("a", "https://a.example", Some("oai"), None).unwrap_err().field, "kind");
        assert_eq!(SourceSpec::new("a", "https://a.example", None, Some(5)).unwrap_err().field, "interval_s");
    }

    #[test]
    fn a_failing_source_is_asked_less_often_and_not_before_it_wants() {
        let spec = SourceSpec::new("a", "https://a.example", None, Some(3600)).unwrap();
        let mut source = Source::new(spec, UnixMillis(0));
        assert!(source.is_due(UnixMillis(0)));
        source.schedule(UnixMillis(0), None);
        assert_eq!(source.next, Some(UnixMillis(3_600_000)));
        source.failures = 2;
        source.schedule(UnixMillis(0), None);
        assert_eq!(source.next, Some(UnixMillis(4 * 3_600_000)));
        source.schedule(UnixMillis(0), Some(86_400));
        assert_eq!(source.next, Some(UnixMillis(86_400_000)));
    }

    #[test]
    fn many_deletions_ask_a_person_and_few_do_not() {
        for held in 1..5 {
            assert!(is_mass_deletion(held, held), "all are never few");
        }
        assert!(!is_mass_deletion(0, 0) && !is_mass_deletion(0, 5));
        assert!(!is_mass_deletion(1, 3) && is_mass_deletion(2, 3));
        assert!(!is_mass_deletion(3, 9) && is_mass_deletion(3, 8));
        assert!(is_mass_deletion(4, 20));
        assert!(!is_mass_deletion(4, 40));
        assert!(is_mass_deletion(11, 100) && !is_mass_deletion(10, 100));
    }
}
