//! How fast an inventory comes in: durable and to be found, and in how much
//! memory.
//!
//! ```sh
//! cargo bench -p node --bench import              # 10,000 and 100,000 rows
//! cargo bench -p node --bench import -- 30000
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

fn main() {
    let sizes: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![10_000, 100_000] } else { sizes };
    println!("{:>8}  {:>10}  {:>10}  {:>10}  {:>10}", "rows", "durable/s", "found/s", "again/s", "peak MiB");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for rows in sizes {
        runtime.block_on(measure(rows));
    }
}

async fn measure(rows: usize) {
    let directory = tempfile::tempdir().unwrap();
    let node = open(&directory.path().join("soest"));
    let file = inventory(rows);
    let (first, durable) = import(node.handle(), &file).await;
    assert_eq!((first.created, first.rejected), (rows as u64, 0));
    let settling = Instant::now();
    let handle = node.handle().clone();
    tokio::task::spawn_blocking(move || handle.settle_search()).await.unwrap();
    let found = durable + settling.elapsed();
    let (again, unchanged) = import(node.handle(), &file).await;
    assert_eq!(again.unchanged, rows as u64);
    println!(
        "{rows:>8}  {:>10}  {:>10}  {:>10}  {:>10}",
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

async fn import(handle: &NodeHandle, text: &str) -> (Report, Duration) {
    let begun = Instant::now();
    let mut file = handle.upload_file().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.rewind().unwrap();
    let options =
        ImportOptions { source: SourceName::new("inventar"), dry_run: false, all_or_nothing: false };
    let job = handle.import_file(Upload { name: "inventar.csv".into(), file }, options).unwrap();
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
