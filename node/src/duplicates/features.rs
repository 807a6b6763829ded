//! What of a record is compared: hashes of its names, addresses and words.
//!
//! A hundred thousand records are to fit beside everything else, so texts are
//! not kept: a description is a signature of [`SIGNATURE`] numbers (MinHash,
//! Broder 1997), everything else short sorted lists of hashes.

use std::collections::{BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use crdt::catalog::{Dataset, Date};
use crdt::ids::Town;
use url::Url;

use crate::search::{Wordform, Wording};

/// Numbers in the signature of a description.
pub const SIGNATURE: usize = 30;
/// Numbers of a signature that make one key together: descriptions of which
/// half the words are the same share a key in three of four cases, of which
/// two thirds are the same in 29 of 30.
const BAND: usize = 3;
/// Addresses of one record that are compared.
const URLS_MAX: usize = 64;
/// Terms of a title, keywords of a record that are compared.
const TERMS_MAX: usize = 32;
/// Words of a title that make keys in pairs, the longest ones.
const PAIRED_WORDS: usize = 4;
/// Shortest name that means the same record in another town: two catalogs may
/// both call something `1` or `baum`.
const FOREIGN_NAME_BYTES_MIN: usize = 16;
/// Fewer words than this are no description to compare.
const DESCRIPTION_WORDS_MIN: usize = 4;

/// Words that tell parts and editions of one thing apart, as stems and folded.
const PART_WORDS: [&str; 32] = [
    "januar",
    "februar",
    "marz",
    "april",
    "mai",
    "juni",
    "juli",
    "august",
    "september",
    "oktober",
    "november",
    "dezember",
    "quartal",
    "halbjahr",
    "fruhjahr",
    "sommer",
    "herbst",
    "winter",
    "nord",
    "sud",
    "ost",
    "west",
    "norden",
    "suden",
    "osten",
    "westen",
    "nordlich",
    "sudlich",
    "ostlich",
    "westlich",
    "entwurf",
    "archiv",
];

/// Words of titles that every record could carry, folded.
const FILLERS: [&str; 6] = ["datensatz", "datensatze", "daten", "open", "data", "opendata"];

/// Reads records into [`Features`].
pub struct Reading {
    wording: Wording,
    /// Words of the names of towns, as stems.
    places: HashSet<u32>,
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading").field("places", &self.places.len()).finish_non_exhaustive()
    }
}

/// What is compared of one record.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Features {
    /// Identifier, IRI and further identifiers.
    pub(super) names: Box<[u64]>,
    /// Normalised addresses of its data and pages.
    pub(super) urls: Box<[u64]>,
    /// Words of the title and parts of its compounds.
    pub(super) title: Box<[u32]>,
    /// Years, numbers, months and quarters of the compass in the title.
    pub(super) marks: Box<[u32]>,
    /// Words of towns' names in the title.
    pub(super) places: Box<[u32]>,
    pub(super) keywords: Box<[u32]>,
    /// Signature of the description.
    pub(super) description: Option<Box<[u16; SIGNATURE]>>,
    /// Musterdatensatz.
    pub(super) reference: Option<u32>,
    pub(super) department: Option<u32>,
    /// First and last year of the data.
    pub(super) years: Option<(i16, i16)>,
    pub(super) town: u64,
}

/// By what a record is found by those that may be the same.
pub type Key = u64;

impl Reading {
    /// Knows the names of these towns, which say nothing about what a record is.
    pub fn new<'a>(towns: impl IntoIterator<Item = &'a str>) -> Self {
        let mut wording = Wording::for_many();
        let names = towns.into_iter().flat_map(|name| wording.read(name));
        let mut places: HashSet<u32> = names.map(|word| hash32(word.stem())).collect();
        places.extend(["stadt", "gemeind", "stadtgebiet", "gemeindegebiet"].map(hash32));
        Self { wording, places }
    }

    /// What is compared of a record, and its keys.
    pub fn read(&mut self, dataset: &Dataset, town: Town) -> (Features, Vec<Key>) {
        let title =
            dataset.title.de.as_ref().or(dataset.title.en.as_ref()).map_or("", |title| title.as_str());
        let description = dataset.description.de.as_ref().or(dataset.description.en.as_ref());
        let titled = self.title(title);
        let signature = description.and_then(|text| self.signature(text.as_str()));
        let town = u64::from_be_bytes(*town.digits());
        let features = Features {
            names: names(dataset, town),
            urls: urls(dataset),
            title: listed(titled.terms),
            marks: listed(titled.marks),
            places: listed(titled.places),
            keywords: self.keywords(dataset),
            description: signature.map(|signature| Box::new(signature.map(|number| number as u16))),
            reference: dataset.musterdatensatz.as_ref().map(|iri| hash32(iri.as_str())),
            department: dataset.department.as_ref().map(|unit| hash32(&unit.as_str().to_lowercase())),
            years: years(dataset),
            town,
        };
        let keys = keys(&features, &titled.words, signature.as_ref());
        (features, keys)
    }

    fn title(&mut self, title: &str) -> Titled {
        let mut titled = Titled::default();
        let mut words = Vec::new();
        for word in self.wording.read(title) {
            let stem = hash32(word.stem());
            if word.folded().contains(|c: char| c.is_ascii_digit()) {
                titled.marks.insert(hash32(word.folded().trim_start_matches('0')));
            } else if PART_WORDS.contains(&word.folded()) {
                titled.marks.insert(stem);
            } else if self.places.contains(&stem) {
                titled.places.insert(stem);
            } else if says_something(&word) {
                titled.terms.insert(stem);
                titled.terms.extend(word.parts().map(hash32));
                words.push((std::cmp::Reverse(word.stem().len()), stem));
            }
        }
        words.sort_unstable();
        words.dedup();
        titled.words = words.into_iter().map(|(_, stem)| stem).take(PAIRED_WORDS).collect();
        titled
    }

    fn keywords(&mut self, dataset: &Dataset) -> Box<[u32]> {
        let mut terms = BTreeSet::new();
        for keyword in dataset.keywords.iter() {
            let words = self.wording.read(keyword.word.as_str());
            terms.insert(hash32(&words.iter().map(|word| word.stem()).collect::<Vec<_>>().join(" ")));
        }
        listed(terms)
    }

    fn signature(&mut self, text: &str) -> Option<[u32; SIGNATURE]> {
        let words = self.wording.read(text);
        let words: HashSet<u64> =
            words.iter().filter(|word| !word.is_stop_word()).map(|word| hash(word.stem())).collect();
        if words.len() < DESCRIPTION_WORDS_MIN {
            return None;
        }
        let mut signature = [u32::MAX; SIGNATURE];
        for word in words {
            for (number, seed) in signature.iter_mut().zip(1..) {
                *number = (*number).min((mixed(word ^ mixed(seed)) >> 32) as u32);
            }
        }
        Some(signature)
    }
}

fn says_something(word: &Wordform) -> bool {
    let is_letter = word.folded().chars().nth(1).is_none();
    !(word.is_stop_word() || is_letter || FILLERS.contains(&word.folded()))
}

/// A title taken apart.
#[derive(Default)]
struct Titled {
    terms: BTreeSet<u32>,
    marks: BTreeSet<u32>,
    places: BTreeSet<u32>,
    words: Vec<u32>,
}

fn listed(set: BTreeSet<u32>) -> Box<[u32]> {
    set.into_iter().take(TERMS_MAX).collect()
}

/// Kinds of keys; a name and an address of the same text are no match.
#[derive(Hash)]
enum Kind {
    Name,
    Url,
    Term,
    Terms,
    Title,
    Band(usize),
    Reference,
}

fn key(kind: Kind, value: impl Hash) -> Key {
    let mut hasher = DefaultHasher::new();
    (kind, value).hash(&mut hasher);
    hasher.finish()
}

fn keys(features: &Features, words: &[u32], signature: Option<&[u32; SIGNATURE]>) -> Vec<Key> {
    let mut keys: Vec<Key> = features.names.iter().map(|name| key(Kind::Name, name)).collect();
    keys.extend(features.urls.iter().map(|url| url_key(*url)));
    keys.extend(features.title.iter().map(|term| term_key(*term)));
    for (at, one) in words.iter().enumerate() {
        let rest = words.iter().skip(at + 1);
        keys.extend(rest.map(|other| key(Kind::Terms, (one.min(other), one.max(other)))));
    }
    if !features.title.is_empty() {
        keys.push(key(Kind::Title, (&features.title, &features.marks, features.town)));
    }
    let bands = signature.into_iter().flat_map(|signature| signature.chunks(BAND)).enumerate();
    keys.extend(bands.map(|(at, band)| key(Kind::Band(at), band)));
    keys.extend(features.reference.map(|reference| key(Kind::Reference, reference)));
    keys.extend(features.reference.map(|reference| key(Kind::Reference, (reference, features.town))));
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Under this key the index knows how many records share an address.
pub(super) fn url_key(url: u64) -> Key {
    key(Kind::Url, url)
}

/// Under this key it knows how many share a word of their titles.
pub(super) fn term_key(term: u32) -> Key {
    key(Kind::Term, term)
}

fn names(dataset: &Dataset, town: u64) -> Box<[u64]> {
    let identifier = dataset.identifier.as_ref().map(|identifier| identifier.as_str().to_owned());
    let iri = dataset.iri.as_ref().map(|iri| iri.as_str().to_owned());
    let mut names: Vec<u64> = [identifier, iri]
        .into_iter()
        .flatten()
        .map(|name| {
            let name = name.trim().to_lowercase();
            let name = normalised(&name).unwrap_or(name);
            // A short name means something in its own town only.
            if name.len() >= FOREIGN_NAME_BYTES_MIN { hash(&name) } else { hash((&name, town)) }
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names.into()
}

fn urls(dataset: &Dataset) -> Box<[u64]> {
    let given = dataset.distributions.iter().flat_map(|one| [&one.access_url, &one.download_url]);
    let mut urls: Vec<u64> =
        given.flatten().take(URLS_MAX).filter_map(|url| normalised(url.as_str())).map(hash).collect();
    urls.sort_unstable();
    urls.dedup();
    urls.into()
}

/// An address as it is compared: without what does not change where it leads.
/// `None` for what is no address of anything in particular.
fn normalised(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let host = url.host_str()?.trim_start_matches("www.");
    let path = url.path().trim_end_matches('/');
    let mut query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    query.retain(|(name, _)| !name.starts_with("utm_"));
    query.sort();
    if path.is_empty() && query.is_empty() {
        return None;
    }
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let query: String = query.into_iter().map(|(name, value)| format!("&{name}={value}")).collect();
    Some(format!("{host}{port}{path}{query}"))
}

fn years(dataset: &Dataset) -> Option<(i16, i16)> {
    let year = |date: Date| date.civil().year();
    let (start, end) = (dataset.temporal.start.map(year), dataset.temporal.end.map(year));
    Some((start.or(end)?, end.or(start)?))
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn hash32(text: &str) -> u32 {
    (hash(text) >> 32) as u32
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014).
fn mixed(mut number: u64) -> u64 {
    number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_lead_to_the_same_place_are_one() {
        let same = "a.example/daten/x.csv&b=2&c=1";
        for text in [
            "https://a.example/daten/x.csv?c=1&b=2",
            "http://www.a.example/daten/x.csv?b=2&c=1#top",
            "HTTPS://A.example:443/daten/x.csv/?b=2&utm_source=mail&c=1",
        ] {
            assert_eq!(normalised(text).as_deref(), Some(same), "{text}");
        }
        assert_ne!(normalised("https://a.example/daten/X.csv").as_deref(), Some("a.example/daten/x.csv"));
        for text in ["https://a.example/", "https://a.example", "urn:uuid:1", "baum"] {
            assert_eq!(normalised(text), None, "{text}");
        }
    }

    #[test]
    fn years_and_towns_are_no_words_of_a_title() {
        let mut reading = Reading::new(["Soest", "Bad Berleburg"]);
        let plain = reading.title("Bebauungspläne");
        let dressed = reading.title("Bebauungsplaene der Stadt Soest 2022, Nr. 07");
        assert!(plain.terms.is_subset(&dressed.terms));
        assert_eq!((dressed.marks.len(), dressed.places.len()), (2, 2));
        assert!(reading.title("Berleburg").terms.is_empty());
        assert_ne!(reading.title("Pläne 2022").marks, reading.title("Pläne 2023").marks);
    }

    #[test]
    fn descriptions_of_many_common_words_have_similar_signatures() {
        let mut reading = Reading::new([]);
        let words = |from: u32, to: u32| (from..to).map(|n| format!("wort{n} ")).collect::<String>();
        let whole = reading.signature(&words(0, 200)).unwrap();
        let alike = |other: [u32; SIGNATURE]| whole.iter().zip(&other).filter(|(a, b)| a == b).count();
        assert_eq!(alike(reading.signature(&words(0, 200)).unwrap()), SIGNATURE);
        // 160 of 240 words are common: two thirds, in expectation 20 numbers.
        assert!((14..=26).contains(&alike(reading.signature(&words(40, 240)).unwrap())));
        assert!(alike(reading.signature(&words(500, 700)).unwrap()) <= 2);
        assert!(reading.signature("nur drei Worte").is_none());
    }
}
