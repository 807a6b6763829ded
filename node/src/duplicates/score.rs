//! How far two records seem to be the same, and why.
//!
//! Each piece of evidence takes away a share of the doubt that is left (noisy
//! or); what speaks against it takes away a share of the score. The weights are
//! measured against labelled pairs (`docs/duplicates.md`).

use crdt::catalog::Bilingual;
use serde::{Deserialize, Serialize};

use super::features::{Features, Key, SIGNATURE, term_key, url_key};

/// A pair of this score or above is shown, in hundredths.
pub const HINT_SCORE: u8 = 50;

/// Share of the doubt that each piece of evidence takes away at its strongest.
struct Weights {
    name: f32,
    url: f32,
    title: f32,
    /// A title that is alike in part says less than that part.
    title_exponent: i32,
    description: f32,
    keywords: f32,
    reference: f32,
    department: f32,
}

/// Within a town, records of one department resemble each other anyway: what
/// counts is the whole title and the description.
const WITHIN: Weights = Weights {
    name: 0.97,
    url: 0.8,
    title: 0.85,
    title_exponent: 2,
    description: 0.7,
    keywords: 0.15,
    reference: 0.15,
    department: 0.05,
};

/// In two towns, the same thing has other words.
const ACROSS: Weights = Weights {
    name: 0.97,
    url: 0.8,
    title: 0.75,
    title_exponent: 1,
    description: 0.65,
    keywords: 0.3,
    reference: 0.35,
    department: 0.0,
};

/// Share of the score that stays where something speaks against a pair.
mod doubt {
    /// Titles name different years, numbers or parts.
    pub(super) const EDITIONS: f32 = 0.35;
    /// One title names some, the other none or not all of them.
    pub(super) const ONE_EDITION: f32 = 0.9;
    /// Titles name different towns.
    pub(super) const PLACES: f32 = 0.35;
    /// The data are of years that do not meet.
    pub(super) const YEARS: f32 = 0.6;
}

/// What speaks for or against a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonKind {
    /// The same identifier or IRI.
    Identifier,
    /// The same address of data or page.
    Url,
    /// Titles of the same words.
    Title,
    /// Descriptions of the same words.
    Description,
    /// The same keywords.
    Keywords,
    /// The same Musterdatensatz.
    ReferenceType,
    /// The same department of the same town.
    Department,
    /// Against it: titles name different years, numbers or parts.
    Editions,
    /// Against it: titles name different towns.
    Places,
    /// Against it: the data are of different years.
    Years,
}

/// One reason of a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// What kind.
    pub kind: ReasonKind,
    /// How alike the two are in this, in hundredths; 0 if it speaks against them.
    pub alike: u8,
    /// In words.
    pub text: Bilingual,
}

/// How far two records seem to be the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// From 0 to 100: how sure the reasons make.
    pub score: u8,
    /// Why, the strongest first, what speaks against it last.
    pub reasons: Vec<Reason>,
}

/// How common words and addresses are among the records there are.
pub(super) struct Common<'a> {
    /// Records that share a key.
    pub(super) shared_by: Box<dyn Fn(Key) -> u32 + 'a>,
    /// All records.
    pub(super) records: u32,
}

/// Evidence as it is weighed.
#[derive(Debug, Clone, Copy, Default)]
struct Evidence {
    name: f32,
    url: f32,
    title: f32,
    description: f32,
    keywords: f32,
    reference: f32,
    department: f32,
}

/// What speaks for a pair and what against it, each with its weight.
struct Weighed {
    evidence: [(ReasonKind, f32, f32); 7],
    against: Vec<(ReasonKind, f32)>,
}

impl Weighed {
    fn of(a: &Features, b: &Features, common: &Common<'_>) -> Self {
        let evidence = Evidence::of(a, b, common);
        let against = against(a, b, evidence.name > 0.0);
        Self { evidence: evidence.weighed(if a.town == b.town { &WITHIN } else { &ACROSS }), against }
    }

    fn score(&self) -> u8 {
        let doubt = self.evidence.iter().fold(1.0, |doubt, (_, _, strength)| doubt * (1.0 - strength));
        let kept = self.against.iter().fold(1.0, |kept, (_, share)| kept * share);
        hundredths((1.0 - doubt) * kept)
    }
}

/// How far two records seem to be the same, without the reasons.
pub(super) fn score(a: &Features, b: &Features, common: &Common<'_>) -> u8 {
    Weighed::of(a, b, common).score()
}

/// Compares two records.
pub(super) fn compare(a: &Features, b: &Features, common: &Common<'_>) -> Comparison {
    let weighed = Weighed::of(a, b, common);
    let score = weighed.score();
    let Weighed { evidence, against } = weighed;
    let mut reasons: Vec<(ReasonKind, f32, f32)> = evidence.into();
    reasons.retain(|(_, alike, _)| *alike >= 0.1);
    reasons.sort_by(|one, other| other.2.total_cmp(&one.2));
    let mut reasons: Vec<Reason> =
        reasons.into_iter().map(|(kind, alike, _)| reason(kind, hundredths(alike))).collect();
    let named = against.into_iter().filter(|(_, share)| *share < doubt::ONE_EDITION);
    reasons.extend(named.map(|(kind, _)| reason(kind, 0)));
    Comparison { score, reasons }
}

impl Evidence {
    fn of(a: &Features, b: &Features, common: &Common<'_>) -> Self {
        let same = |one: Option<u32>, other: Option<u32>| f32::from(u8::from(one.is_some() && one == other));
        Self {
            name: f32::from(u8::from(meet(&a.names, &b.names))),
            url: url(a, b, common),
            title: title(a, b, common),
            description: description(a, b),
            keywords: jaccard(&a.keywords, &b.keywords),
            reference: same(a.reference, b.reference),
            department: same(a.department, b.department),
        }
    }

    /// Each kind with how alike the two are in it and how much doubt that takes.
    fn weighed(&self, weights: &Weights) -> [(ReasonKind, f32, f32); 7] {
        use ReasonKind::{Department, Description, Identifier, Keywords, ReferenceType, Title, Url};
        [
            (Identifier, self.name, weights.name * self.name),
            (Url, self.url, weights.url * self.url),
            (Title, self.title, weights.title * self.title.powi(weights.title_exponent)),
            (Description, self.description, weights.description * self.description),
            (Keywords, self.keywords, weights.keywords * self.keywords),
            (ReferenceType, self.reference, weights.reference * self.reference),
            (Department, self.department, weights.department * self.department),
        ]
    }
}

/// What speaks against a pair, with the share of the score that stays.
fn against(a: &Features, b: &Features, same_name: bool) -> Vec<(ReasonKind, f32)> {
    if same_name {
        return Vec::new();
    }
    let mut against = Vec::new();
    if a.marks != b.marks {
        // "2022/2023" may be "2023"; "Januar 2024" is not "Februar 2024".
        let parted = lacks(&a.marks, &b.marks) && lacks(&b.marks, &a.marks);
        against.push((ReasonKind::Editions, if parted { doubt::EDITIONS } else { doubt::ONE_EDITION }));
    }
    let placed = !a.places.is_empty() && !b.places.is_empty();
    if a.town == b.town && placed && !meet(&a.places, &b.places) {
        against.push((ReasonKind::Places, doubt::PLACES));
    }
    if let (Some((from, to)), Some((other_from, other_to))) = (a.years, b.years)
        && (to < other_from || other_to < from)
    {
        against.push((ReasonKind::Years, doubt::YEARS));
    }
    against
}

/// How much a common address says: the more records lead there, the less.
fn url(a: &Features, b: &Features, common: &Common<'_>) -> f32 {
    let shared = a.urls.iter().filter(|url| b.urls.binary_search(url).is_ok());
    let says = |url: &u64| match (common.shared_by)(url_key(*url)) {
        0..=2 => 1.0,
        3..=4 => 0.5,
        5..=16 => 0.15,
        _ => 0.0,
    };
    shared.map(says).fold(0.0, f32::max)
}

/// Common share of the titles' words, rare ones counting more (inverse
/// document frequency).
fn title(a: &Features, b: &Features, common: &Common<'_>) -> f32 {
    let all = common.records as f32 + 10.0;
    let says = |term: &u32| (1.0 + all / (1.0 + (common.shared_by)(term_key(*term)) as f32)).ln();
    let (mut shared, mut whole) = (0.0, 0.0);
    for term in &a.title {
        let says = says(term);
        whole += says;
        if b.title.binary_search(term).is_ok() {
            shared += says;
        }
    }
    whole += b.title.iter().filter(|term| a.title.binary_search(term).is_err()).map(says).sum::<f32>();
    if whole > 0.0 { shared / whole } else { 0.0 }
}

/// Common share of the descriptions' words, as their signatures estimate it,
/// from what texts of one field share anyway upwards.
fn description(a: &Features, b: &Features) -> f32 {
    const ANYWAY: f32 = 0.4;
    let (Some(a), Some(b)) = (&a.description, &b.description) else { return 0.0 };
    let equal = a.iter().zip(b.iter()).filter(|(one, other)| one == other).count();
    ((equal as f32 / SIGNATURE as f32 - ANYWAY) / (1.0 - ANYWAY)).max(0.0)
}

fn jaccard(a: &[u32], b: &[u32]) -> f32 {
    let shared = a.iter().filter(|one| b.binary_search(one).is_ok()).count();
    let whole = a.len() + b.len() - shared;
    if whole > 0 { shared as f32 / whole as f32 } else { 0.0 }
}

/// Whether two sorted lists have something in common.
fn meet<T: Ord>(a: &[T], b: &[T]) -> bool {
    a.iter().any(|one| b.binary_search(one).is_ok())
}

/// Whether the first has something that the second, sorted, does not have.
fn lacks(a: &[u32], b: &[u32]) -> bool {
    a.iter().any(|one| b.binary_search(one).is_err())
}

fn hundredths(share: f32) -> u8 {
    (share.clamp(0.0, 1.0) * 100.0).round() as u8
}

fn reason(kind: ReasonKind, alike: u8) -> Reason {
    let made = |de: &str, en: &str| {
        Bilingual::made(format!("{de} zu {alike} % gleich"), format!("{en} {alike} % alike"))
    };
    let text = match kind {
        ReasonKind::Identifier => Bilingual::fixed("gleiche Kennung oder IRI", "same identifier or IRI"),
        ReasonKind::Url if alike < 100 => Bilingual::fixed(
            "gleiche Adresse, die auch andere Datensätze nennen",
            "same address, which other records name too",
        ),
        ReasonKind::Url => {
            Bilingual::fixed("gleiche Adresse der Daten oder Seite", "same address of data or page")
        }
        ReasonKind::Title => made("Titel", "titles"),
        ReasonKind::Description => made("Beschreibung", "descriptions"),
        ReasonKind::Keywords => made("Schlagwörter", "keywords"),
        ReasonKind::ReferenceType => Bilingual::fixed("gleicher Musterdatensatz", "same Musterdatensatz"),
        ReasonKind::Department => Bilingual::fixed("gleiche Stelle", "same department"),
        ReasonKind::Editions => Bilingual::fixed(
            "dagegen: andere Jahre, Nummern oder Teile im Titel",
            "against it: other years, numbers or parts in the title",
        ),
        ReasonKind::Places => {
            Bilingual::fixed("dagegen: andere Orte im Titel", "against it: other towns in the title")
        }
        ReasonKind::Years => {
            Bilingual::fixed("dagegen: Daten aus anderen Jahren", "against it: data of other years")
        }
    };
    Reason { kind, alike, text }
}
