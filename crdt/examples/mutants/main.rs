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

use crdt::catalog::{Catalog, Dataset, Internal, Iri, catalog_faults, obstacles};
use crdt::dcat::{CatalogContext, catalog_triples, dataset_triples};
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
    let catalog: Value = serde_json::from_str(include_str!("catalog.json")).expect("the catalog is JSON");
    let mutants = match std::env::args().nth(1).as_deref() {
        Some("rdf") => rdf::mutants(&record),
        _ => of_values(&record, "as it is", ""),
    };
    let datasets = mutants.iter().map(|(name, mutant)| (name, mutant, &catalog));
    let of_catalog = match std::env::args().len() {
        1 => of_values(&catalog, "the catalog as it is", "catalog "),
        _ => Vec::new(),
    };
    let catalogs = of_catalog.iter().map(|(name, mutant)| (name, &record, mutant));
    for (number, (name, dataset, catalog)) in datasets.chain(catalogs).enumerate() {
        println!("{}", judged(number, name, dataset, catalog));
    }
}

/// A record and its mutants, by name.
fn of_values(record: &Value, whole: &str, of: &str) -> Vec<(String, Value)> {
    let mut mutants = vec![(whole.to_owned(), record.clone())];
    for place in places(record, "") {
        let Some(value) = record.pointer(&place) else { continue };
        mutants.push((format!("{of}without {place}"), without(record, &place)));
        for other in others(value) {
            let mut mutant = record.clone();
            if let Some(there) = mutant.pointer_mut(&place) {
                *there = other.clone();
            }
            mutants.push((format!("{of}{place} = {other}"), mutant));
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

fn judged(number: usize, name: &str, dataset: &Value, catalog: &Value) -> Value {
    let internal: Internal = serde_json::from_value(json!({
        "responsible_role": {"role": "Daten-Verantwortliche", "mailbox": "gruen@soest.example"},
    }))
    .expect("the notes are right");
    let held = serde_json::from_value::<Dataset>(dataset.clone())
        .and_then(|dataset| Ok((dataset, serde_json::from_value::<Catalog>(catalog.clone())?)));
    let Ok((mut dataset, mut catalog)) = held else {
        return json!({"name": name, "held": false});
    };
    let lists = Vocabularies::builtin();
    let mut rules: Vec<String> =
        obstacles(&dataset, &internal, lists).iter().map(|finding| finding.rule.id.to_owned()).collect();
    rules.extend(catalog_faults(&catalog, lists).into_iter().map(|fault| format!("catalog {}", fault.field)));
    rules.dedup();
    let is_of_high_value = catalog.series.iter().all(|series| !series.hvd_categories.is_empty());
    name_apart(number, &mut dataset, &mut catalog);
    let context = CatalogContext::new(catalog, "Soest");
    let said = [catalog_triples(&context), dataset_triples(&dataset, &context)].concat();
    let triples: Vec<String> = said.iter().map(|triple| format!("{triple} .")).collect();
    json!({
        "name": name,
        "held": true,
        // The profile is for high-value datasets and for series of them, not for other series.
        "hvd": dataset.hvd == Some(crdt::catalog::Hvd::Yes) && is_of_high_value,
        "obstacles": rules,
        "triples": triples.join("\n"),
    })
}

/// Gives a mutant names of its own, by which its triples are known afterwards.
fn name_apart(number: usize, dataset: &mut Dataset, catalog: &mut Catalog) {
    let below = |name: &str| Iri::parse(&format!("https://daten.soest.example/m/{number}/{name}")).ok();
    dataset.iri = below("dataset");
    catalog.iri = below("catalog");
    for series in &mut catalog.series {
        let member = dataset.in_series.is_some() && dataset.in_series == series.iri;
        series.iri = below(&format!("serie-{}", series.id));
        if member {
            dataset.in_series = series.iri.clone();
        }
    }
}
