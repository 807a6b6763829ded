//! Mutates a whole record, one value at a time, and says of each mutant what
//! the rules of publication say and how it looks in RDF. With the argument
//! `rdf` it mutates the record's RDF instead, one triple at a time, and takes
//! each in as if another catalog had said it.
//!
//! A line of JSON per mutant on standard output: `name`, whether the types
//! could hold it (`held`), the `obstacles` by rule, and `triples` in N-Triples,
//! those of its catalog and its series among them.
//! Everything of mutant 7 lies below `…/m/7/`, so that a validator can take all
//! at once. `tests/clients/test_rules.py` compares the two.

#![expect(clippy::print_stdout, reason = "the lines are what it is for")]
#![expect(clippy::disallowed_methods, reason = "an example is a program, which has arguments")]

mod rdf;

use crdt::catalog::{Catalog, Dataset, Internal, Iri, obstacles};
use crdt::dcat::{CatalogContext, catalog_triples, dataset_triples};
use crdt::ids::Town;
use crdt::vocabulary::Vocabularies;
use serde_json::{Value, json};

/// What a text is replaced by: nothing, nonsense, another kind of thing, a
/// thing of another list, and what is nearly right.
const REPLACEMENTS: [&str; 22] = [
    "",
    "x",
    "…",
    "UNBEKANNTER_CODE",
    "OP_DATPRO",
    "31.02.2026",
    "2026-02-31",
    "1066-10-14",
    "2999-12-31",
    "2999-12-31T00:00:00Z",
    "gestern",
    "ftp://daten.example/x",
    "urn:uuid:6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b11",
    "https://example.org/x",
    "mailto:jemand@example.org",
    "http://dcat-ap.de/def/licenses/cc-by-nc/4.0",
    "https://dcat-ap.de/def/licenses/cc-by/4.0",
    "http://publications.europa.eu/resource/authority/licence/CC_BY_4_0",
    "http://dcat-ap.de/def/politicalGeocoding/municipalityKey/5974040",
    "personenbezogen",
    "zurueckgezogen",
    "-1",
];

fn main() {
    let record: Value = serde_json::from_str(include_str!("record.json")).expect("the record is JSON");
    let mutants = match std::env::args().nth(1).as_deref() {
        Some("rdf") => rdf::mutants(&record),
        _ => of_values(&record),
    };
    for (number, (name, mutant)) in mutants.iter().enumerate() {
        println!("{}", judged(number, name, mutant));
    }
}

/// The record and its mutants, by name.
fn of_values(record: &Value) -> Vec<(String, Value)> {
    let mut mutants = vec![("as it is".to_owned(), record.clone())];
    for place in places(record, "") {
        let Some(value) = record.pointer(&place) else { continue };
        mutants.push((format!("without {place}"), without(record, &place)));
        for other in others(value) {
            let mut mutant = record.clone();
            if let Some(there) = mutant.pointer_mut(&place) {
                *there = other.clone();
            }
            mutants.push((format!("{place} = {other}"), mutant));
        }
    }
    mutants
}

/// Every place in a record, above and below.
fn places(value: &Value, path: &str) -> Vec<String> {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(object) => {
            object.iter().map(|(name, value)| (format!("{path}/{name}"), value)).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, value)| (format!("{path}/{index}"), value)).collect()
        }
        _ => Vec::new(),
    };
    below
        .into_iter()
        .flat_map(|(path, value)| std::iter::once(path.clone()).chain(places(value, &path)))
        .collect()
}

fn without(record: &Value, place: &str) -> Value {
    let mut mutant = record.clone();
    let (above, name) = place.rsplit_once('/').unwrap_or_default();
    match mutant.pointer_mut(above) {
        Some(Value::Object(object)) => drop(object.remove(name)),
        Some(Value::Array(items)) => drop(name.parse().ok().map(|index: usize| items.remove(index))),
        _ => {}
    }
    mutant
}

fn others(value: &Value) -> Vec<Value> {
    match value {
        Value::String(text) => {
            let nearly = [
                text.replacen("http:", "https:", 1),
                text.replacen("https:", "http:", 1),
                format!("{text}/"),
                format!("{text} {text}"),
                text.to_uppercase(),
                text.to_lowercase(),
                text.chars().skip(1).collect(),
            ];
            let all = REPLACEMENTS.iter().map(|text| (*text).to_owned()).chain(nearly);
            all.filter(|other| other != text).map(Value::from).collect()
        }
        Value::Number(_) => vec![json!(0), json!(-1), json!(1.5), json!(u64::MAX), json!("viel")],
        Value::Array(_) => vec![json!([])],
        Value::Object(_) => vec![json!({})],
        _ => Vec::new(),
    }
}

fn judged(number: usize, name: &str, mutant: &Value) -> Value {
    let internal: Internal = serde_json::from_value(json!({
        "responsible_role": {"role": "Daten-Verantwortliche", "mailbox": "gruen@soest.example"},
    }))
    .expect("the notes are right");
    let Ok(mut dataset) = serde_json::from_value::<Dataset>(mutant.clone()) else {
        return json!({"name": name, "held": false});
    };
    let found = obstacles(&dataset, &internal, Vocabularies::builtin());
    let mut rules: Vec<&str> = found.iter().map(|finding| finding.rule.id).collect();
    rules.dedup();
    // The dataset's own name is what its triples are known by afterwards.
    dataset.iri = Iri::parse(&format!("https://daten.soest.example/m/{number}/dataset")).ok();
    let mut catalog = Catalog::new(Town::parse("05974040").expect("a municipality key"));
    catalog.iri = Iri::parse(&format!("https://daten.soest.example/m/{number}/catalog")).ok();
    catalog.series = vec![serde_json::from_str(include_str!("series.json")).expect("the series is right")];
    let context = CatalogContext::new(catalog, "Soest");
    let said = [catalog_triples(&context), dataset_triples(&dataset, &context)].concat();
    let triples: Vec<String> = said.iter().map(|triple| format!("{triple} .")).collect();
    json!({
        "name": name,
        "held": true,
        "hvd": dataset.hvd == Some(crdt::catalog::Hvd::Yes),
        "obstacles": rules,
        "triples": triples.join("\n"),
    })
}
