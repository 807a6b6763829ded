//! What search costs: bulk indexing, searches with facets, single edits, opening, memory.
//!
//! ```text
//! cargo bench -p node --bench search              # 100,000 generated records
//! cargo bench -p node --bench search -- 1500      # as many as said
//! ```
//!
//! The records are generated from a fixed seed with German municipal words; the files lie in a
//! temporary directory. Searches run one after the other on one thread.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement reports and stops at surprises")]

use std::fs;
use std::time::{Duration, Instant};

use node::search::{Facet, Filters, OpenOutcome, SearchChange, SearchIndex, SearchQuery, SearchRecord, Sort};

const RECORDS_DEFAULT: usize = 100_000;
const ROUNDS: usize = 40;
const EDITS: usize = 200;
const BATCH: usize = 1_000;

const THINGS: &[&str] = &[
    "Baum",
    "Straßen",
    "Spielplatz",
    "Schul",
    "Müllabfuhr",
    "Gewässer",
    "Haushalts",
    "Verkehrs",
    "Bebauungs",
    "Flächen",
    "Einwohner",
    "Wahl",
    "Kita",
    "Denkmal",
    "Feuerwehr",
    "Hydranten",
    "Lärm",
    "Luftmess",
    "Radwege",
    "Parkplatz",
    "Wohnungs",
    "Gewerbe",
    "Sozialhilfe",
    "Tourismus",
    "Museums",
    "Sportstätten",
    "Friedhofs",
    "Grundstücks",
    "Hunde",
    "Personal",
    "Vergabe",
    "Ratsinformations",
    "Energieverbrauchs",
    "Solar",
    "Windkraft",
    "Boden",
    "Pegel",
    "Starkregen",
    "Abwasser",
    "Breitband",
    "Ladesäulen",
    "Haltestellen",
    "Unfall",
    "Baustellen",
    "Veranstaltungs",
    "Bücherei",
    "Impf",
    "Pflege",
    "Jugend",
    "Geburten",
];
const KINDS: &[&str] = &[
    "kataster",
    "verzeichnis",
    "plan",
    "zahlen",
    "standorte",
    "statistik",
    "übersicht",
    "termine",
    "messungen",
    "flächen",
    "daten",
    "liste",
    "karte",
    "bericht",
    "prognose",
    "register",
];
const TOPICS: &[&str] = &[
    "nach Ortsteilen",
    "nach Altersgruppen",
    "im Stadtgebiet",
    "der Stadtverwaltung",
    "seit 2010",
    "2023",
    "2024",
    "nach Geschlecht",
    "mit Ausstattung",
    "in öffentlicher Hand",
    "Stand Jahresende",
    "im Kreisgebiet",
    "",
];
const SENTENCES: &[&str] = &[
    "Der Datensatz enthält die Standorte mit Koordinaten und Angaben zum Zustand.",
    "Erfasst werden Art, Größe und Alter, soweit sie bekannt sind.",
    "Grundlage sind die Kontrollen der Fachabteilung und Meldungen der Bürgerinnen und Bürger.",
    "Die Werte werden stündlich von Sensoren übertragen und automatisch geprüft.",
    "Private Flächen und personenbezogene Angaben sind nicht enthalten.",
    "Die Geometrien liegen in ETRS89 vor und werden monatlich aus dem Fachverfahren abgegeben.",
    "Angaben zu Trägern, Öffnungszeiten und Plätzen stammen aus den Anträgen der Einrichtungen.",
    "Die Zahlen beruhen auf dem Melderegister und werden zum Jahresende fortgeschrieben.",
    "Für kleine Ortsteile werden Werte aus Gründen des Datenschutzes zusammengefasst.",
    "Die Liste wird bei Änderungen von Straßennamen und Hausnummern aktualisiert.",
    "Enthalten sind Erträge und Aufwendungen nach Produkten und Jahren.",
    "Die Termine gelten für Restmüll, Papier, Bioabfall und Sperrmüll.",
    "Messstellen an Bächen und Talsperren melden Pegel und Temperatur.",
    "Die Ergebnisse sind nach Stimmbezirken gegliedert und amtlich festgestellt.",
];
const DOMAINS: &[&str] = &[
    "Umwelt",
    "Mobilität",
    "Bildung",
    "Sicherheit",
    "Wirtschaft",
    "Kultur",
    "Soziales",
    "Finanzen",
    "Bauen",
    "Gesundheit",
    "Energie",
    "Verwaltung",
];
const THEMES: &[&str] =
    &["ENVI", "EDUC", "TRAN", "TECH", "REGI", "ENER", "SOCI", "ECON", "GOVE", "JUST", "AGRI", "HEAL"];
const FORMATS: &[&str] = &["CSV", "GeoJSON", "JSON", "XLSX", "PDF", "WFS", "WMS", "Shape", "ICS"];
const FREQUENCIES: &[&str] = &["ANNUAL", "MONTHLY", "DAILY", "IRREG", "QUARTERLY", "HOURLY"];
const LICENCES: &[&str] = &["dl-zero-de/2.0", "dl-by-de/2.0", "cc-by/4.0"];

/// SplitMix64: the same records from the same seed, everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed >> 33) as usize % bound
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

fn record(number: usize) -> SearchRecord {
    let mut random = Random(number as u64);
    let town = random.below(64);
    let (thing, kind) = (random.of(THINGS), random.of(KINDS));
    let sentences: Vec<&str> = (0..2 + random.below(3)).map(|_| random.of(SENTENCES)).collect();
    SearchRecord {
        key: format!("{:016x}{number:048x}", random.below(usize::MAX >> 1)),
        id: format!("6f2c1a5e-{:04x}-4000-8000-{number:012}", random.below(1 << 16)),
        identifier: format!("https://daten.stadt{town}.example/dataset/{number}"),
        town: format!("059{town:05}"),
        title_de: format!("{thing}{kind} {}", random.of(TOPICS)).trim_end().to_owned(),
        description_de: format!(
            "{} Aktenzeichen {}-{}.",
            sentences.join(" "),
            random.below(900),
            random.below(9_000)
        ),
        keywords: (0..1 + random.below(4))
            .map(|_| random.of(THINGS).trim_end_matches('s').to_owned())
            .collect(),
        themes: (0..1 + random.below(2)).map(|_| random.of(THEMES).to_owned()).collect(),
        domain: Some(random.of(DOMAINS).to_owned()),
        department: format!("Fachbereich {}", random.of(DOMAINS)),
        publisher: format!("Stadt Musterstadt{town}"),
        formats: (0..1 + random.below(3)).map(|_| random.of(FORMATS).to_owned()).collect(),
        licence: Some(format!("http://dcat-ap.de/def/licenses/{}", random.of(LICENCES))),
        frequency: Some(random.of(FREQUENCIES).to_owned()),
        class: "open".to_owned(),
        status: "published".to_owned(),
        modified: Some(1_600_000_000 + random.below(100_000_000) as i64),
        issued: None,
        ..SearchRecord::default()
    }
}

fn main() {
    let count = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(RECORDS_DEFAULT);
    let dir = tempfile::tempdir().unwrap();
    println!("{count} records");
    report_memory("at the start");

    let (index, _) = SearchIndex::open(dir.path(), "bench").unwrap();
    rebuild(&index, count);
    report_memory("after the rebuild");
    search(&index, "after the rebuild");
    edit(&index, count);
    search(&index, "after the edits");
    drop(index);

    let started = Instant::now();
    let (index, outcome) = SearchIndex::open(dir.path(), "bench").unwrap();
    assert_eq!(outcome, OpenOutcome::Ready);
    println!("open and check: {:?}, {} MB on disk", started.elapsed(), megabytes_below(dir.path()));
    report_memory("after opening");
    drop(index);

    let joined = tempfile::tempdir().unwrap();
    let (index, _) = SearchIndex::open(joined.path(), "bench").unwrap();
    join(&index, count);
    search(&index, "after joining");
    report_memory("after joining");
}

fn rebuild(index: &SearchIndex, count: usize) {
    let started = Instant::now();
    let mut rebuild = index.begin_rebuild().unwrap();
    for number in 0..count {
        rebuild.put(&record(number)).unwrap();
    }
    let written = started.elapsed();
    rebuild.finish(count as u64).unwrap();
    report_rate("rebuild", count, started.elapsed());
    println!("  of which writing records: {written:?}");
}

/// As a new member does: batches that are visible one after the other.
fn join(index: &SearchIndex, count: usize) {
    let started = Instant::now();
    index.set_bulk(true);
    let mut batches = Vec::new();
    for first in (0..count).step_by(BATCH) {
        let changes: Vec<SearchChange> =
            (first..count.min(first + BATCH)).map(|number| SearchChange::Put(record(number))).collect();
        let batch = Instant::now();
        index.apply(&changes, (first + changes.len()) as u64).unwrap();
        batches.push(batch.elapsed());
    }
    index.set_bulk(false);
    report_rate(&format!("join in batches of {BATCH}"), count, started.elapsed());
    report("  one batch", batches);
}

fn edit(index: &SearchIndex, count: usize) {
    let mut times = Vec::new();
    for number in 0..EDITS {
        let mut edited = record(number * 7 % count);
        edited.title_de = format!("Geändert {number} {}", edited.title_de);
        let started = Instant::now();
        index.apply(&[SearchChange::Put(edited)], (count + number) as u64).unwrap();
        times.push(started.elapsed());
    }
    report("one edit, applied and visible", times);
}

fn chosen(facet: Facet, value: &str) -> Filters {
    Filters::from([(facet, vec![value.to_owned()])])
}

fn search(index: &SearchIndex, when: &str) {
    let query = |text: &str| SearchQuery {
        text: text.to_owned(),
        audience: chosen(Facet::Class, "open"),
        limit: 20,
        facets: true,
        highlight: true,
        ..SearchQuery::default()
    };
    let kinds: Vec<(&str, Vec<SearchQuery>)> = vec![
        ("nothing typed", vec![query("")]),
        ("one word", vec![query("Baumkataster"), query("Spielplätze"), query("Hydranten")]),
        ("a part of many", vec![query("Kataster"), query("Standorte"), query("plan")]),
        ("in most records", vec![query("Stadt"), query("Angaben")]),
        ("two words", vec![query("Straßen Verzeichnis"), query("Pegel Musterstadt17"), query("Kita Plätze")]),
        ("a beginning", vec![query("spielpl"), query("gew"), query("verk")]),
        ("a phrase", vec![query("\"nach Ortsteilen\""), query("\"Standorte mit Koordinaten\"")]),
        ("with an error", vec![query("Spielplaz"), query("Hydrnten"), query("Abfalkalender")]),
        (
            "filtered",
            vec![
                SearchQuery { filters: chosen(Facet::Town, "05900017"), ..query("") },
                SearchQuery { filters: chosen(Facet::Theme, "ENVI"), ..query("Baum") },
            ],
        ),
        ("by title", vec![SearchQuery { sort: Sort::Title, ..query("") }]),
        ("far page", vec![SearchQuery { offset: 2_000, ..query("Stadt") }]),
    ];
    println!("searches with facets and highlights, {when}:");
    let mut all = Vec::new();
    for (kind, queries) in kinds {
        let mut times = Vec::new();
        let mut total = 0;
        for _ in 0..ROUNDS {
            for query in &queries {
                let started = Instant::now();
                total = index.search(query).unwrap().total;
                times.push(started.elapsed());
            }
        }
        all.extend(times.iter().copied());
        report(&format!("  {kind} ({total})"), times);
    }
    report("  all of these", all);
}

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    println!("{what}: p50 {:.2?}, p95 {:.2?}, most {:.2?}", at(50), at(95), at(100));
}

fn report_rate(what: &str, count: usize, time: Duration) {
    println!("{what}: {:.2?}, {:.0} records/s", time, count as f64 / time.as_secs_f64());
}

fn report_memory(when: &str) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let lines = status.lines().filter(|line| line.starts_with("VmRSS") || line.starts_with("RssAnon"));
    let sizes: Vec<String> =
        lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    println!("memory {when}: {}", sizes.join(", "));
}

fn megabytes_below(dir: &std::path::Path) -> u64 {
    let mut bytes = 0;
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            let metadata = entry.metadata().unwrap();
            if metadata.is_dir() { open.push(entry.path()) } else { bytes += metadata.len() }
        }
    }
    bytes / 1_000_000
}
