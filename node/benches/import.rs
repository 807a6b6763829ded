//! How fast an inventory and a catalog in RDF come in: durable and to be found,
//! and in how much memory.
//!
//! ```sh
//! cargo bench -p node --bench import              # 10,000 and 100,000 records, csv and Turtle
//! cargo bench -p node --bench import -- rdf 30000
//! ```
//!
//! Figures for people, see docs/performance.md; each size runs in a data
//! directory of its own and reads its file in this process.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark tells people")]

use std::fmt::Write as _;
use std::io::{Seek as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use crdt::ids::Town;
use node::directory::{Directory, NewTown};
use node::handle::{NodeHandle, OpenNode, OpenOptions};
use node::import::reader::Upload;
use node::import::{ImportOptions, ImportState, Report, SourceName};

/// What is imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Csv,
    Rdf,
}

fn main() {
    let asked: Vec<String> = std::env::args().collect();
    let sizes: Vec<usize> = asked.iter().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![10_000, 100_000] } else { sizes };
    let kinds = [("csv", Kind::Csv), ("rdf", Kind::Rdf)];
    let named = kinds.iter().any(|(name, _)| asked.iter().any(|argument| argument == name));
    println!(
        "{:>4}  {:>8}  {:>5}  {:>10}  {:>10}  {:>10}  {:>10}",
        "kind", "records", "MiB", "durable/s", "found/s", "again/s", "peak MiB"
    );
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (name, kind) in kinds {
        if !named || asked.iter().any(|argument| argument == name) {
            sizes.iter().for_each(|rows| runtime.block_on(measure(name, kind, *rows)));
        }
    }
}

async fn measure(name: &str, kind: Kind, rows: usize) {
    let directory = tempfile::tempdir().unwrap();
    let node = open(&directory.path().join("soest"));
    let file = match kind {
        Kind::Csv => inventory(rows),
        Kind::Rdf => catalog(rows),
    };
    let ending = if kind == Kind::Csv { "inventar.csv" } else { "catalog.ttl" };
    let (first, durable) = import(node.handle(), ending, &file).await;
    assert_eq!((first.created, first.rejected), (rows as u64, 0));
    let settling = Instant::now();
    let handle = node.handle().clone();
    tokio::task::spawn_blocking(move || handle.settle_search()).await.unwrap();
    let found = durable + settling.elapsed();
    let (again, unchanged) = import(node.handle(), ending, &file).await;
    assert_eq!(again.unchanged, rows as u64);
    println!(
        "{name:>4}  {rows:>8}  {:>5}  {:>10}  {:>10}  {:>10}  {:>10}",
        file.len() >> 20,
        per_second(rows, durable),
        per_second(rows, found),
        per_second(rows, unchanged),
        peak_mib()
    );
}

fn open(path: &Path) -> OpenNode {
    let town = NewTown {
        town: Town::parse("05974040").unwrap(),
        code: "soest".into(),
        name: "Soest".into(),
        addresses: Vec::new(),
    };
    Directory::init(path, &town).unwrap();
    OpenNode::open(path, OpenOptions::default()).unwrap()
}

async fn import(handle: &NodeHandle, name: &str, text: &str) -> (Report, Duration) {
    let begun = Instant::now();
    let mut file = handle.upload_file().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.rewind().unwrap();
    let options = ImportOptions::new(SourceName::new("inventar"));
    let job = handle.import_file(Upload { name: name.into(), file }, options).unwrap();
    loop {
        match job.state() {
            ImportState::Done(report) => return ((*report).clone(), begun.elapsed()),
            ImportState::Unreadable(_) | ImportState::Failed(_) => panic!("{:?}", job.state()),
            _ => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
}

/// Rows as an office writes them, some 600 bytes each.
fn inventory(rows: usize) -> String {
    const THEMES: [&str; 4] =
        ["Umwelt", "Verkehr", "Bevölkerung und Gesellschaft", "Bildung, Kultur und Sport"];
    const TURNS: [&str; 4] = ["jährlich", "monatlich", "nach Bedarf", "täglich"];
    let mut text = String::from(
        "Titel;Beschreibung;Thema;Verantwortlichkeit;IT-Fachverfahren;Dateiformat;Aktualisierungsfrequenz;\
         Zuletzt aktualisiert;Ressource Link;Personenbezug;Tags;Kommentar;Kennung\n",
    );
    for n in 0..rows {
        let (theme, turn) = (THEMES[n % 4], TURNS[n / 3 % 4]);
        writeln!(
            text,
            "Verzeichnis {n} der Abteilung {};\"Alle Vorgänge der Nummer {n} mit Lage, Zustand, Zuständigkeit und \
             Bemerkung, wie sie im Verfahren geführt werden; ohne Vorgänge, die vor dem Jahr 2000 abgeschlossen \
             wurden.\";\"{theme}\";Fachbereich {};Verfahren {};\"CSV, GeoJSON\";{turn};{:02}.{:02}.2026;\
             https://daten.soest.example/verzeichnis/{n};nein;\"Verzeichnis, Vorgang, Lage {}\";Stand geprüft;v-{n}",
            n % 97,
            n % 12,
            n % 31,
            n % 28 + 1,
            n % 12 + 1,
            n % 500,
        )
        .unwrap();
    }
    text
}

/// Datasets as a portal writes them, some 600 bytes and 14 statements each.
fn catalog(datasets: usize) -> String {
    const THEMES: [&str; 4] = ["ENVI", "TRAN", "SOCI", "EDUC"];
    const TURNS: [&str; 4] = ["ANNUAL", "MONTHLY", "AS_NEEDED", "DAILY"];
    let mut text = String::from(
        "@prefix dcat: <http://www.w3.org/ns/dcat#> .\n@prefix dct: <http://purl.org/dc/terms/> .\n\
         @prefix e: <http://publications.europa.eu/resource/authority/> .\n@prefix d: <https://p.example/d/> .\n\
         <https://p.example/> a dcat:Catalog .\n",
    );
    for n in 0..datasets {
        writeln!(
            text,
            "d:v{n} a dcat:Dataset ; dct:identifier \"verzeichnis-{n}\" ; dct:title \"Verzeichnis {n} der Abteilung {}\"@de ;\n\
             dct:description \"Alle Vorgänge der Nummer {n} mit Lage, Zustand und Zuständigkeit, wie sie geführt werden.\"@de ;\n\
             dcat:keyword \"Verzeichnis\" , \"Lage {}\" ; dcat:theme <http://publications.europa.eu/resource/authority/data-theme/{}> ;\n\
             dct:accrualPeriodicity <http://publications.europa.eu/resource/authority/frequency/{}> ;\n\
             dcat:distribution [ a dcat:Distribution ; dcat:accessURL <https://p.example/f/{n}> ; dct:format \"CSV\" ;\n\
             dct:license <http://dcat-ap.de/def/licenses/cc-zero> ] .",
            n % 97,
            n % 500,
            THEMES[n % 4],
            TURNS[n / 3 % 4],
        )
        .unwrap();
    }
    text
}

fn per_second(rows: usize, time: Duration) -> u64 {
    (rows as f64 / time.as_secs_f64()) as u64
}

/// Most memory that this process has held, as Linux tells it.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: u64 = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0);
    kib / 1024
}
