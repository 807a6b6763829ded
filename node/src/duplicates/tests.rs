//! Labelled pairs: how many duplicates are found, and how many hints are right.
//!
//! ```sh
//! cargo test -p node --lib duplicates -- --nocapture     # prints the table of docs/duplicates.md
//! ```
//!
//! Weights were chosen on pairs made of the demo records and of generated ones;
//! those made of generated records of another seed were only measured.

use std::collections::BTreeMap;

use crdt::catalog::{Dataset, Distribution, DistributionId, Identifier, Iri, Line, Text, Title};
use crdt::ids::{DatasetId, Town};

use super::features::Reading;
use super::index::{BLOCK_MAX, Index};
use super::score::ReasonKind;
use crate::demo::{DemoTown, Records, synthetic_record};

/// Generated records per town.
const GENERATED: u64 = 120;
/// Seeds of the generated records: that of the pairs by which the weights were
/// chosen, and that of pairs which were only measured.
const SEEDS: [u64; 2] = [7, 11];

/// One question: is the second record the same as the first?
struct Labelled {
    kind: &'static str,
    same: bool,
    first: Dataset,
    second: Dataset,
    towns: [Town; 2],
}

/// Outcomes by kind of pair: wanted and hinted, of how many.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    pairs: usize,
    hinted: usize,
}

struct World {
    index: Index,
    reading: Reading,
}

impl World {
    fn new(records: &[(Dataset, Town)], towns: &[DemoTown]) -> Self {
        let mut reading = Reading::new(towns.iter().map(|town| town.name.as_str()));
        let mut index = Index::default();
        for (dataset, town) in records {
            let (features, keys) = reading.read(dataset, *town);
            index.put(dataset.id, true, features, &keys);
        }
        index.settle();
        Self { index, reading }
    }

    /// Whether the second record, coming anew, gets a hint to the first.
    fn hints(&mut self, pair: &Labelled) -> bool {
        let known = self.index.compared(&pair.first.id, &pair.first.id).is_some();
        if !known {
            let (features, keys) = self.reading.read(&pair.first, pair.towns[0]);
            self.index.put(pair.first.id, true, features, &keys);
        }
        let (features, keys) = self.reading.read(&pair.second, pair.towns[1]);
        let near = self.index.near(&pair.second.id, &features, &keys, usize::MAX);
        if !known {
            self.index.remove(&pair.first.id);
        }
        near.iter().any(|near| near.id == pair.first.id)
    }
}

/// Demo records that are about the same thing in several towns, by the ends of
/// their identifiers: one thing under three titles, regional duplicates, one
/// measuring programme, two kinds of parking sensors.
const ALIKE: [&[&str]; 4] = [
    &["e-ladestationen", "ladepunkte", "ladesaeulen"],
    &["poi", "erlebnisse", "ausflugsziele"],
    &["bodenfeuchte", "strassenbaeume-feuchte"],
    &["parkplatzbelegung", "parkraum"],
];

type Owned = (Dataset, Town);

/// Names the distribution that all records of a town have.
const SERVICE: &str = "dienst";

/// Demo records; those of a town also name one page of its map service.
fn demo(records: &Records) -> Vec<Owned> {
    let with_service = |record: &crate::demo::DemoRecord| {
        let mut dataset = record.record.dataset.clone();
        let service = format!("https://karten.example/{}/dienste", record.town);
        dataset.distributions.push(distribution(SERVICE, &service));
        (dataset, record.town)
    };
    records.records.iter().map(with_service).collect()
}

fn generated(towns: &[DemoTown], seed: u64) -> Vec<Owned> {
    let of = |town: &DemoTown| {
        let town = town.clone();
        (0..GENERATED).map(move |index| (synthetic_record(seed, &town, index).dataset, town.town))
    };
    towns.iter().flat_map(of).collect()
}

fn distribution(id: &str, url: &str) -> Distribution {
    let mut distribution = Distribution::new(DistributionId::parse(id).unwrap());
    distribution.access_url = Some(Iri::parse(url).unwrap());
    distribution
}

fn title(dataset: &Dataset) -> String {
    dataset.title.de.as_ref().unwrap().to_string()
}

fn description(dataset: &Dataset) -> String {
    dataset.description.de.as_ref().unwrap().to_string()
}

fn set_title(dataset: &mut Dataset, text: &str) {
    dataset.title = Title { de: Some(Line::parse(text).unwrap()), ..Title::default() };
}

fn set_description(dataset: &mut Dataset, text: &str) {
    dataset.description.de = Text::parse(text).ok();
}

/// The record as another hand enters it: without what only the catalog knows.
fn retyped(first: &Dataset, number: usize) -> Dataset {
    let mut other = first.clone();
    other.id = DatasetId::from_random([number as u8 + 1; 16]);
    other.identifier = Some(Identifier::parse(&format!("liste-{number}")).unwrap());
    other.iri = None;
    other.distributions.clear();
    other
}

/// Letters as typed in a hurry: umlauts spelt out, one letter twice.
fn hurried(text: &str) -> String {
    let spelt = [("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"), ("Ä", "Ae"), ("Ö", "Oe"), ("Ü", "Ue")]
        .iter()
        .fold(text.to_owned(), |text, (umlaut, plain)| text.replace(umlaut, plain));
    let longest = spelt.split(' ').max_by_key(|word| word.len()).unwrap_or_default().to_owned();
    match longest.char_indices().nth(longest.chars().count() / 2) {
        Some((at, letter)) if spelt.contains(' ') => {
            let slipped = format!("{}{letter}{}", &longest[..at], &longest[at..]);
            spelt.replacen(&longest, &slipped, 1)
        }
        _ => spelt,
    }
}

fn without_every(nth: usize, text: &str) -> String {
    let words = text.split(' ').enumerate().filter(|(place, _)| place % nth != nth - 1);
    words.map(|(_, word)| word).collect::<Vec<_>>().join(" ")
}

/// Pairs that one record gives: seven that are the same, four that are not.
fn made_of(first: &Dataset, town: Town, elsewhere: Town) -> Vec<Labelled> {
    let mut pairs = Vec::new();
    let mut pair = |kind, same, first: Dataset, to: Town, change: &dyn Fn(&mut Dataset)| {
        let mut second = retyped(&first, pairs.len());
        change(&mut second);
        pairs.push(Labelled { kind, same, first, second, towns: [town, to] });
    };
    let named = title(first);
    pair("typed again", true, first.clone(), town, &|_| {});
    pair("slips of the pen", true, first.clone(), town, &|other| {
        set_title(other, &hurried(&title(other)));
        set_description(other, &hurried(&description(other)));
    });
    pair("title alone", true, first.clone(), town, &|other| {
        other.description = Default::default();
        other.keywords = Default::default();
        other.musterdatensatz = None;
    });
    pair("reworded", true, first.clone(), town, &|other| {
        set_title(other, &format!("Datensatz {named} (Stadt Soest, Open Data)"));
        set_description(other, &without_every(4, &description(other)));
        other.keywords = Default::default();
    });
    // The page of the map service says nothing; a file of its own does.
    if first.distributions.iter().any(|one| one.id.as_str() != SERVICE) {
        pair("same file", true, first.clone(), town, &|other| {
            set_title(other, "Download");
            other.description = Default::default();
            other.keywords = Default::default();
            other.distributions = first.distributions.clone();
            for distribution in &mut other.distributions {
                let moved = distribution
                    .access_url
                    .as_ref()
                    .map(|url| url.as_str().replace("https://", "http://www."));
                distribution.access_url = moved.and_then(|url| Iri::parse(&url).ok());
            }
        });
    }
    pair("same identifier", true, first.clone(), town, &|other| {
        set_title(other, "Alter Titel aus dem Vorverfahren");
        other.description = Default::default();
        other.keywords = Default::default();
        other.identifier.clone_from(&first.identifier);
    });
    pair("from another portal", true, first.clone(), elsewhere, &|other| {
        set_description(other, &without_every(6, &description(other)));
    });
    let titled = |suffix: &str| {
        let mut dataset = first.clone();
        dataset.id = DatasetId::from_random([0xee; 16]);
        dataset.identifier = Some(Identifier::parse("erste-ausgabe").unwrap());
        dataset.iri = None;
        dataset.distributions.clear();
        set_title(&mut dataset, &format!("{named} {suffix}"));
        dataset
    };
    for (kind, one, other) in [
        ("next year", "2022", "2023"),
        ("other number", "Nr. 12", "Nr. 14"),
        ("other part", "Nord", "Süd"),
        ("other month", "Januar 2024", "Februar 2024"),
    ] {
        pair(kind, false, titled(one), town, &|second| set_title(second, &format!("{named} {other}")));
    }
    pairs
}

/// All pairs of different records; which are the same is known.
fn crossed(records: &[Owned]) -> Vec<Labelled> {
    let slug = |dataset: &Dataset| {
        dataset.identifier.as_ref().unwrap().as_str().rsplit('/').next().unwrap_or_default().to_owned()
    };
    let mut pairs = Vec::new();
    for (at, (first, town)) in records.iter().enumerate() {
        for (second, other) in &records[at + 1..] {
            let both = [slug(first), slug(second)];
            let same = ALIKE.iter().any(|group| both.iter().all(|one| group.contains(&one.as_str())));
            let kind = if same { "alike in two towns" } else { "different records" };
            pairs.push(Labelled {
                kind,
                same,
                first: first.clone(),
                second: second.clone(),
                towns: [*town, *other],
            });
        }
    }
    pairs
}

/// Asks all pairs; prints what became of each kind; gives precision and recall.
fn measure(name: &str, world: &mut World, pairs: &[Labelled]) -> (f64, f64) {
    let mut tallies: BTreeMap<(bool, &str), Tally> = BTreeMap::new();
    for pair in pairs {
        let tally = tallies.entry((pair.same, pair.kind)).or_default();
        tally.pairs += 1;
        let hinted = world.hints(pair);
        tally.hinted += usize::from(hinted);
        if hinted != pair.same {
            println!("  wrong, {}: {} / {}", pair.kind, title(&pair.first), title(&pair.second));
        }
    }
    let sum = |same| {
        let of = tallies.iter().filter(|((is, _), _)| *is == same).map(|(_, tally)| *tally);
        of.fold(Tally::default(), |sum, tally| Tally {
            pairs: sum.pairs + tally.pairs,
            hinted: sum.hinted + tally.hinted,
        })
    };
    let (right, wrong) = (sum(true), sum(false));
    let precision = right.hinted as f64 / (right.hinted + wrong.hinted) as f64;
    let recall = right.hinted as f64 / right.pairs as f64;
    println!("{name}: {} pairs, precision {precision:.3}, recall {recall:.3}", pairs.len());
    for ((same, kind), Tally { pairs, hinted }) in tallies {
        println!("| {kind} | {} | {pairs} | {hinted} |", if same { "same" } else { "different" });
    }
    (precision, recall)
}

/// A town other than this one.
fn elsewhere(towns: &[DemoTown], town: Town) -> Town {
    towns.iter().map(|other| other.town).find(|other| *other != town).unwrap()
}

/// Pairs of generated records: every eighth with what is made of it, and
/// siblings as different ones.
fn made_of_generated(generated: &[Owned], towns: &[DemoTown]) -> Vec<Labelled> {
    let made = |(dataset, town): &Owned| made_of(dataset, *town, elsewhere(towns, *town));
    generated.iter().step_by(8).flat_map(made).chain(siblings(generated)).collect()
}

#[test]
fn hints_on_labelled_pairs_are_right_and_hardly_any_is_missing() {
    let shipped = Records::shipped();
    let demo = demo(&shipped);
    for seed in SEEDS {
        let generated = generated(&shipped.towns, seed);
        let all: Vec<Owned> = demo.iter().chain(&generated).cloned().collect();
        let mut world = World::new(&all, &shipped.towns);

        let mut pairs = crossed(&demo);
        pairs.extend(
            demo.iter().flat_map(|(one, town)| made_of(one, *town, elsewhere(&shipped.towns, *town))),
        );
        let (precision, recall) = measure("demo records", &mut world, &pairs);
        assert!(pairs.len() > 1_000 && precision >= 0.98 && recall >= 0.96, "{precision} {recall}");

        let pairs = made_of_generated(&generated, &shipped.towns);
        let (precision, recall) = measure(&format!("generated records, seed {seed}"), &mut world, &pairs);
        assert!(pairs.len() > 1_000 && precision >= 0.95 && recall >= 0.97, "{precision} {recall}");
    }
}

#[test]
fn a_regional_duplicate_is_hinted_with_its_reasons() {
    let shipped = Records::shipped();
    let demo = demo(&shipped);
    let world = World::new(&demo, &shipped.towns);
    let called = |slug: &str| {
        let is = |dataset: &Dataset| dataset.identifier.as_ref().unwrap().as_str().ends_with(slug);
        demo.iter().find(|(dataset, _)| is(dataset)).unwrap().0.id
    };
    let menden = called("menden.example/dataset/poi");
    let olpe = called("olpe.example/dataset/erlebnisse");
    let found = world.index.pairs().find(|pair| [pair.id, pair.other] == [menden, olpe].map(|id| id));
    let found = found.or_else(|| world.index.pairs().find(|pair| [pair.id, pair.other] == [olpe, menden]));
    let kinds: Vec<ReasonKind> =
        found.expect("a hint").comparison.reasons.iter().map(|reason| reason.kind).collect();
    assert!(kinds.contains(&ReasonKind::ReferenceType) && kinds.contains(&ReasonKind::Title), "{kinds:?}");
}

#[test]
fn a_key_that_many_share_is_none_and_pairs_follow_what_records_say() {
    let mut reading = Reading::new([]);
    let town = Town::parse("05974040").unwrap();
    let record = |number: u8, title: &str| {
        let mut dataset = Dataset::new(DatasetId::from_random([number; 16]));
        set_title(&mut dataset, title);
        dataset
    };
    let mut index = Index::default();
    let mut put = |index: &mut Index, dataset: &Dataset, own| {
        let (features, keys) = reading.read(dataset, town);
        index.put(dataset.id, own, features, &keys);
        index.settle();
        index.pairs().count()
    };
    let first = record(1, "Hundesteuer");
    assert_eq!(put(&mut index, &first, true), 0);
    assert_eq!(put(&mut index, &record(2, "Hundesteuern"), false), 1);
    assert_eq!(put(&mut index, &record(2, "Denkmalliste"), false), 0, "it says something else now");
    assert_eq!(put(&mut index, &record(3, "Denkmallisten"), false), 0, "none of the two is ours");
    assert_eq!(put(&mut index, &record(2, "Hundesteuer"), false), 1);
    index.remove(&first.id);
    index.settle();
    assert_eq!((index.pairs().count(), index.len()), (0, 2));
    for number in 10..10 + BLOCK_MAX as u8 + 10 {
        put(&mut index, &record(number, "Abfuhrkalender"), true);
    }
    let (features, keys) = reading.read(&record(9, "Abfuhrkalender"), town);
    assert!(index.near(&first.id, &features, &keys, 10).is_empty(), "all are called so");
}

/// Generated records of one town and one subject, but of another aspect or
/// area: as like as different records get.
fn siblings(generated: &[Owned]) -> Vec<Labelled> {
    let subject = |dataset: &Dataset| title(dataset).split(':').next().unwrap_or_default().to_owned();
    let mut pairs = Vec::new();
    for (at, (first, town)) in generated.iter().enumerate() {
        let rest =
            generated[at + 1..].iter().filter(|(other, of)| of == town && subject(other) == subject(first));
        for (second, other) in rest.filter(|(other, _)| title(other) != title(first)).take(2) {
            let kind = "same subject, other area or aspect";
            let towns = [*town, *other];
            pairs.push(Labelled { kind, same: false, first: first.clone(), second: second.clone(), towns });
        }
    }
    pairs
}
