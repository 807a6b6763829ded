//! Records for measurements: as long, as German and as repetitive as real ones,
//! and the same for the same seed on every machine.
//!
//! Nothing here is random: record `index` of a town is a function of seed,
//! town and index, so that two runs can be compared and one record can be made
//! without the others before it.

use crdt::catalog::{Dataset, DistributionId, Internal, LocalRecord};
use crdt::ids::DatasetId;
use serde_json::{Value, json};

use super::DemoTown;
use super::words::{
    AREAS, ASPECTS, COMPOUND_HEADS, COMPOUND_TAILS, CRITERIA, FREQUENCIES, LICENCES, MAP_FORMATS, METHODS,
    MONTHS, QUALITY, STREET_HEADS, STREET_TAILS, SUBJECTS, SYSTEMS, Subject, TABLE_FORMATS, UNITS, USES,
};

/// Record number `index` of a town, ready to be published.
///
/// # Panics
///
/// Never for a town that [`Records`](super::Records) has accepted: the word lists hold
/// valid values only, which a test goes through.
pub fn record(seed: u64, town: &DemoTown, index: u64) -> LocalRecord {
    let mut chance = Chance::of(seed, town, index);
    let subject = &SUBJECTS[chance.below(SUBJECTS.len())];
    let dataset = dataset(town, index, subject, &mut chance);
    let internal = internal(town, subject, &mut chance);
    LocalRecord { dataset, internal }
}

fn dataset(town: &DemoTown, index: u64, subject: &Subject, chance: &mut Chance) -> Dataset {
    let id = DatasetId::from_random(chance.bytes());
    let title = format!("{}: {}, {}", subject.title, chance.pick(&ASPECTS), chance.pick(&AREAS));
    let slug = format!("{}-{index:06}", subject.slug);
    let page = format!("{}/dataset/{slug}", town.base_url);
    let (licence, named) = *chance.pick(&LICENCES);
    let data_modified = chance.day();
    let attribution = named.then(|| format!("Stadt {}", town.name));
    let spatial = json!({
        "geocoding": format!("http://dcat-ap.de/def/politicalGeocoding/municipalityKey/{}", town.town),
        "unit": chance.pick(&UNITS),
        "bbox": chance.rectangle(),
    });
    let first_year = 1990 + chance.below(30);
    let mut record = json!({
        "id": id,
        "identifier": page,
        "title": { "de": title },
        "description": { "de": description(subject, chance) },
        "keywords": { "de": subject.keywords },
        "themes": subject.themes,
        "licence": licence,
        "attribution": attribution,
        "frequency": chance.pick(&FREQUENCIES),
        "update_process": chance.pick(&["automatisiert", "manuell"]),
        "data_modified": data_modified,
        "spatial": spatial,
        "temporal": { "start": format!("{first_year}-01-01"), "end": data_modified },
        "publisher": { "name": format!("Stadt {}", town.name), "url": town.base_url },
        "contact": { "name": "Zentrales Datenmanagement", "email": town.mailbox },
        "department": subject.department,
        "domain": subject.domain,
        "personal_data": chance.pick(&["keiner", "anonymisiert"]),
        "hvd": chance.pick(&["nein", "zu prüfen"]),
        "quality_criteria": chance.some_of(&CRITERIA, 3),
    });
    let distributions = distributions(town, &page, data_modified, subject, chance);
    record["formats"] = distributions.iter().map(|one| one["format"].clone()).collect();
    record["distributions"] = Value::Array(distributions);
    serde_json::from_value(record).expect("the word lists hold valid values only")
}

/// Some nine hundred letters: what, how, where, how much, how good, what for.
fn description(subject: &Subject, chance: &mut Chance) -> String {
    let recorded = chance.some_of(subject.attributes, 4).join(", ");
    let sentences = [
        format!("Der Datensatz beschreibt je Eintrag: {recorded}."),
        format!("Erhoben wird {}; zuständig ist: {}.", chance.pick(&METHODS), subject.department),
        format!("Berücksichtigt sind {}.", chance.list(5, Chance::compound)),
        format!(
            "Letzter Stichtag der Fortschreibung ist der {}. {}, die nächste ist in {} Wochen vorgesehen.",
            1 + chance.below(28),
            chance.pick(&MONTHS),
            1 + chance.below(52)
        ),
        format!(
            "Der Bestand umfasst {} Einträge mit {} Merkmalen, davon {} vor Ort geprüft.",
            20 + chance.below(40_000),
            5 + chance.below(60),
            chance.below(4_000)
        ),
        format!("Schwerpunkte waren zuletzt {}.", chance.list(5, Chance::address)),
        (*chance.pick(&QUALITY)).to_owned(),
        (*chance.pick(&USES)).to_owned(),
        format!("Verknüpfen lässt er sich mit {}.", chance.list(4, Chance::compound)),
        format!("Spaltenschlüssel stehen im Merkblatt {}/{}.", 100 + chance.below(900), 1 + chance.below(60)),
    ];
    sentences.join(" ")
}

fn distributions(
    town: &DemoTown,
    page: &str,
    modified: Value,
    subject: &Subject,
    chance: &mut Chance,
) -> Vec<Value> {
    let formats = if subject.geographic { &MAP_FORMATS } else { &TABLE_FORMATS };
    let count = 2 + chance.below(3);
    formats
        .iter()
        .take(count)
        .enumerate()
        .map(|(position, (format, ending, media_type))| {
            let resource = DatasetId::from_random(chance.bytes());
            let file = format!("{}/resource/{resource}/{}.{ending}", town.base_url, subject.slug);
            json!({
                "id": DistributionId::derive(Some(&file), Some(&file), Some(format), None),
                "position": position,
                "title": { "de": format!("{} ({format})", subject.title) },
                "access_url": page,
                "download_url": file,
                "format": format,
                "media_type": media_type,
                "status": "COMPLETED",
                "modified": modified,
                "byte_size": 2_000 + chance.below(9_000_000),
            })
        })
        .collect()
}

fn internal(town: &DemoTown, subject: &Subject, chance: &mut Chance) -> Internal {
    let host = town.mailbox.split('@').next_back().unwrap_or_default();
    let internal = json!({
        "source_system": chance.pick(&SYSTEMS),
        "responsible_role": {
            "role": "Daten-Verantwortliche",
            "unit": subject.department,
            "mailbox": format!("daten-{}@{host}", subject.slug),
        },
        "steward_role": { "role": "Daten-Beauftragte", "mailbox": format!("pflege-{}@{host}", subject.slug) },
    });
    serde_json::from_value(internal).expect("the word lists hold valid values only")
}

/// A stream of numbers from a seed: SplitMix64 (Steele, Lea, Flood 2014).
struct Chance(u64);

impl Chance {
    fn of(seed: u64, town: &DemoTown, index: u64) -> Self {
        let digits = u64::from_be_bytes(*town.town.digits());
        let mut chance = Self(seed);
        // Each part passes through the mixer, so that neighbours share nothing.
        chance.0 = chance.next() ^ digits;
        chance.0 = chance.next() ^ index;
        chance
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// `count` different ones, in their order.
    fn some_of<'a>(&mut self, from: &[&'a str], count: usize) -> Vec<&'a str> {
        let mut left = count.min(from.len());
        let mut chosen = Vec::with_capacity(left);
        for (position, entry) in from.iter().enumerate() {
            if self.below(from.len() - position) < left {
                chosen.push(*entry);
                left -= 1;
            }
        }
        chosen
    }

    /// `count` things with commas and a final "und" between them.
    fn list(&mut self, count: usize, thing: fn(&mut Self) -> String) -> String {
        let mut things: Vec<String> = (0..count).map(|_| thing(self)).collect();
        let last = things.pop().unwrap_or_default();
        format!("{} und {last}", things.join(", "))
    }

    fn compound(&mut self) -> String {
        format!("{}{}", self.pick(&COMPOUND_HEADS), self.pick(&COMPOUND_TAILS))
    }

    fn address(&mut self) -> String {
        let street = format!("{}{}", self.pick(&STREET_HEADS), self.pick(&STREET_TAILS));
        format!("{street} {}", 1 + self.below(180))
    }

    /// Some square kilometres of southern Westphalia.
    fn rectangle(&mut self) -> String {
        let (west, south) = (7_700_000 + self.below(900_000), 50_950_000 + self.below(650_000));
        let (east, north) = (west + 1_000 + self.below(90_000), south + 1_000 + self.below(60_000));
        let degrees = |micro: usize| format!("{}.{:06}", micro / 1_000_000, micro % 1_000_000);
        [west, south, east, north].map(degrees).join(",")
    }

    fn bytes(&mut self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.next().to_be_bytes());
        bytes[8..].copy_from_slice(&self.next().to_be_bytes());
        bytes
    }

    /// A day of the last years, as the catalog writes it.
    fn day(&mut self) -> Value {
        let (year, month, day) = (2021 + self.below(5), 1 + self.below(12), 1 + self.below(28));
        Value::from(format!("{year}-{month:02}-{day:02}"))
    }
}
