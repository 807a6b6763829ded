//! What a reader finds: the search index at its boundary, with titles as German towns write them.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod counting;
mod finding;
mod keeping;
mod narrowing;
mod selecting;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use node::search::{
    ApplyError, Facet, Filters, Fragment, OpenOutcome, QueryError, RebuildReason, SearchChange, SearchError,
    SearchIndex, SearchQuery, SearchRecord, SearchResults, Sort, search_merged,
};
use proptest::prelude::*;

const SOEST: &str = "05974040";
const ARNSBERG: &str = "05958004";
const MENDEN: &str = "05962032";

/// town, title, description, keywords, themes, formats
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    &'static [&'static str],
);

const ROWS: &[Row] = &[
    (
        SOEST,
        "Baumkataster",
        "Standorte, Baumart, Pflanzjahr und Kronendurchmesser der städtischen Bäume an Straßen, in Grünanlagen und auf Schulhöfen.",
        &["Baum", "Baumbestand"],
        &["ENVI"],
        &["CSV", "GeoJSON", "WFS"],
    ),
    (
        SOEST,
        "Grünflächenkataster der Stadt Soest",
        "Gepflegte Flächen mit Größe und Pflegestufe.",
        &["Park"],
        &["ENVI", "REGI"],
        &["GeoJSON"],
    ),
    (
        SOEST,
        "Spielplätze",
        "Lage und Ausstattung der öffentlichen Anlagen für Kinder.",
        &["Kinder", "Freizeit"],
        &["SOCI"],
        &["CSV", "GeoJSON"],
    ),
    (
        ARNSBERG,
        "Spielplatzstandorte Arnsberg 2023",
        "Punkte mit Altersgruppe und Geräten.",
        &["Spielen"],
        &["SOCI"],
        &["CSV"],
    ),
    (
        ARNSBERG,
        "Müllabfuhrtermine 2024",
        "Abfuhrtage der Rest-, Bio- und Papiertonne nach Straße.",
        &["Abfall", "Abfallkalender"],
        &["ENVI"],
        &["ICS", "CSV"],
    ),
    (
        MENDEN,
        "Bebauungsplanübersicht der Stadt Menden (Sauerland)",
        "Geltungsbereiche der rechtskräftigen Pläne.",
        &["Bauleitplanung"],
        &["REGI"],
        &["Shape", "WFS"],
    ),
    (
        MENDEN,
        "Hundebestand nach Rassen",
        "Anzahl der zur Hundesteuer gemeldeten Tiere.",
        &["Hund", "Statistik"],
        &["GOVE"],
        &["CSV"],
    ),
    (
        MENDEN,
        "Straßenverzeichnis",
        "Alle Straßen mit Schlüssel und Ortsteil.",
        &["Adresse"],
        &["REGI", "TRAN"],
        &["CSV"],
    ),
    (
        SOEST,
        "Pegelstände der Nebengewässer",
        "Stündliche Messwerte der Sensoren an Soestbach und Rosenau.",
        &["Hochwasser", "Sensor"],
        &["ENVI"],
        &["JSON"],
    ),
    (
        ARNSBERG,
        "Europawahl 2014 - Ergebnisse in Arnsberg",
        "Stimmen nach Wahlbezirken.",
        &["Wahl"],
        &["GOVE"],
        &["CSV", "JSON"],
    ),
    (
        ARNSBERG,
        "Einwohner mit Migrationshintergrund in den Ortsteilen",
        "Stand 31.12.2017, Melderegister.",
        &["Bevölkerung"],
        &["SOCI"],
        &["XLSX"],
    ),
    (
        SOEST,
        "Haushaltsplan 2024",
        "Erträge und Aufwendungen nach Produkten.",
        &["Finanzen"],
        &["ECON"],
        &["PDF", "CSV"],
    ),
    (
        MENDEN,
        "Kindertageseinrichtungen",
        "Adressen, Träger und Plätze der Kitas.",
        &["Kita", "Betreuung"],
        &["EDUC"],
        &["CSV"],
    ),
    (
        MENDEN,
        "Löschwasserentnahmestellen",
        "Hydranten und Teiche für die Feuerwehr; neben einem Baum markiert.",
        &["Feuerwehr"],
        &["GOVE"],
        &["Shape"],
    ),
];

fn records() -> Vec<SearchRecord> {
    ROWS.iter().enumerate().map(|(number, row)| record(number, row)).collect()
}

fn record(number: usize, (town, title, description, keywords, themes, formats): &Row) -> SearchRecord {
    let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<String>>();
    let publisher = match *town {
        SOEST => "Stadt Soest",
        ARNSBERG => "Stadt Arnsberg",
        _ => "Stadt Menden (Sauerland)",
    };
    SearchRecord {
        key: format!("{number:064x}"),
        id: format!("6f2c1a5e-0000-4000-8000-{number:012}"),
        identifier: format!("https://daten.example/dataset/{number}"),
        town: (*town).to_owned(),
        title_de: (*title).to_owned(),
        description_de: (*description).to_owned(),
        keywords: owned(keywords),
        themes: owned(themes),
        formats: owned(formats),
        publisher: publisher.to_owned(),
        department: "Statistik und Geoinformation".to_owned(),
        licence: Some("http://dcat-ap.de/def/licenses/dl-zero-de/2.0".to_owned()),
        class: "open".to_owned(),
        status: "published".to_owned(),
        modified: Some(1_700_000_000 + number as i64),
        ..SearchRecord::default()
    }
}

fn put(records: &[SearchRecord]) -> Vec<SearchChange> {
    records.iter().cloned().map(SearchChange::Put).collect()
}

fn indexed(records: &[SearchRecord]) -> SearchIndex {
    let index = SearchIndex::in_memory().unwrap();
    index.apply(&put(records), 1).unwrap();
    index
}

fn query(text: &str) -> SearchQuery {
    SearchQuery { text: text.to_owned(), limit: 100, facets: true, highlight: true, ..SearchQuery::default() }
}

fn search(index: &SearchIndex, text: &str) -> SearchResults {
    index.search(&query(text)).unwrap()
}

fn titles(results: &SearchResults) -> Vec<&str> {
    results.hits.iter().map(|hit| hit.record.title_de.as_str()).collect()
}

/// The query finds the titles (by their beginnings) among others, in any order.
fn check_finds(index: &SearchIndex, text: &str, expected: &[&str]) {
    let results = search(index, text);
    let found = titles(&results);
    assert_eq!(results.total as usize, found.len());
    for title in expected {
        assert!(
            found.iter().any(|found| found.starts_with(title)),
            "`{text}` found only {found:?}, not `{title}`"
        );
    }
}

/// The query finds exactly these titles (by their beginnings), in this order.
fn check_exactly(index: &SearchIndex, text: &str, expected: &[&str]) {
    let results = search(index, text);
    let found = titles(&results);
    let same = found.len() == expected.len()
        && found.iter().zip(expected).all(|(title, start)| title.starts_with(start));
    assert!(same, "`{text}` found {found:?}, not {expected:?}");
}

fn counts(results: &SearchResults, facet: Facet) -> BTreeMap<&str, u64> {
    results.facets[&facet].iter().map(|counted| (counted.value.as_str(), counted.count)).collect()
}

fn chosen(facet: Facet, values: &[&str]) -> Filters {
    Filters::from([(facet, values.iter().map(|value| (*value).to_owned()).collect())])
}
