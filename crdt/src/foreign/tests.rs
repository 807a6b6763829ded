use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::catalog::testing::{full_dataset, full_record, full_series};
use crate::catalog::{Catalog, Dataset, Iri, NewDataset, RecordEdit};
use crate::dcat::{CatalogContext, dataset_triples};
use crate::ids::Town;
use crate::vocabulary::Vocabularies;

fn context() -> CatalogContext {
    let mut catalog = Catalog::new(Town::parse("05974040").unwrap());
    catalog.base_url = Iri::parse("https://daten.soest.example/").ok();
    catalog.series = vec![full_series()];
    CatalogContext::new(catalog, "Soest")
}

fn triples(dataset: &Dataset) -> BTreeSet<String> {
    dataset_triples(dataset, &context()).iter().map(ToString::to_string).collect()
}

/// The record that our own RDF reads back to; what the node keeps itself is
/// taken from where it came from.
fn back(dataset: &Dataset) -> Dataset {
    let mut statements = Gathering::default();
    dataset_triples(dataset, &context()).into_iter().for_each(|triple| statements.insert(triple));
    let statements = statements.finish();
    let records: Vec<ForeignRecord> = statements.datasets(Vocabularies::builtin()).collect();
    assert_eq!(records.len(), 1);
    assert!(records[0].hints.is_empty(), "{:?}", records[0].hints);
    let new = NewDataset::parse(records[0].body.as_ref().unwrap()).unwrap();
    let mut read = new.into_record(dataset.id).unwrap().dataset;
    read.iri.clone_from(&dataset.iri);
    (read.class, read.status) = (dataset.class, dataset.status);
    (read.issued, read.modified) = (dataset.issued, dataset.modified);
    read
}

#[test]
fn a_full_record_comes_back_through_rdf() {
    let mut dataset = full_dataset();
    let read = back(&dataset);
    // What DCAT-AP.de has no property for, and what is said once instead of
    // with each distribution.
    dataset.replaced_by = None;
    dataset.formats.clear();
    dataset.domain = None;
    dataset.update_process = None;
    dataset.personal_data = None;
    dataset.quality_criteria.clear();
    for one in &mut dataset.distributions {
        (one.licence, one.attribution, one.modified) = (None, None, None);
        // RDF names the service that is behind a distribution by its address.
        one.service = "karten".parse().ok();
    }
    dataset.contact.phone = "+49-2921-103-0".parse().ok();
    dataset.distributions.sort_by(|one, other| one.id.cmp(&other.id));
    dataset.distributions.iter_mut().zip(0..).for_each(|(one, position)| one.position = position);
    // Without a status of its own a distribution has none.
    assert_eq!(read, dataset);
}

fn texts() -> impl Strategy<Value = serde_json::Value> {
    let text = "[A-Za-zäöüß][A-Za-zäöüß0-9 .,\"\\\\<>&'-]{0,20}[a-z]";
    (text, proptest::option::of(text)).prop_map(|(de, en)| match en {
        Some(en) => json!({"de": de, "en": en}),
        None => json!({"de": de}),
    })
}

fn distribution() -> impl Strategy<Value = serde_json::Value> {
    let format = prop_oneof![Just("CSV"), Just("WFS"), Just("Shapefile"), Just("GeoJSON"), Just("Turtle")];
    let status = prop_oneof![Just(json!(null)), Just(json!("COMPLETED")), Just(json!("DEPRECATED"))];
    (texts(), format, status, 0u64..1 << 40, proptest::option::of(0u32..3)).prop_map(
        |(title, format, status, size, licence)| {
            let licence = licence.map(|which| ["cc-zero", "cc-by/4.0", "officialWork"][which as usize]);
            json!({"title": title, "format": format, "status": status, "byte_size": size, "licence": licence})
        },
    )
}

fn body() -> impl Strategy<Value = serde_json::Value> {
    let codes = (
        proptest::collection::btree_set(prop_oneof![Just("ENVI"), Just("TRAN"), Just("GOVE")], 0..3),
        prop_oneof![
            Just(json!(null)),
            Just(json!("DAILY")),
            Just(json!("UNKNOWN")),
            Just(json!("AS_NEEDED"))
        ],
        prop_oneof![Just(json!("dl-zero-de/2.0")), Just(json!("cc-by-nc/4.0"))],
    );
    let place = (-179_000i32..178_000, -89_000i32..88_000, 1i32..900, 1i32..900);
    let words = proptest::collection::btree_set("[A-Za-zäöü]{2,12}", 0..6);
    (texts(), texts(), words, codes, place, proptest::collection::vec(distribution(), 0..5)).prop_map(
        |(title, description, words, (themes, frequency, licence), (west, south, wide, high), parts)| {
            let edge = |milli: i32| f64::from(milli) / 1000.0;
            let bbox = format!("{},{},{},{}", edge(west), edge(south), edge(west + wide), edge(south + high));
            let parts: serde_json::Map<String, serde_json::Value> = parts
                .into_iter()
                .enumerate()
                .map(|(index, mut part)| {
                    part["access_url"] = json!(format!("https://daten.soest.example/d/{index}"));
                    part["position"] = json!(index);
                    (format!("teil-{index}"), part)
                })
                .collect();
            json!({"title": title, "description": description, "keywords": {"de": words}, "themes": themes,
                "frequency": frequency, "licence": licence, "spatial": {"bbox": bbox}, "distributions": parts})
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_our_rdf_says_is_said_again_after_it_was_read(body in body()) {
        let mut record = full_record();
        record.dataset.distributions.clear();
        let dataset = RecordEdit::parse(&body).unwrap().apply(&record).unwrap().dataset;
        let (first, again) = (triples(&dataset), triples(&back(&dataset)));
        let lost: Vec<_> = first.difference(&again).chain(again.difference(&first)).collect();
        prop_assert!(lost.is_empty(), "{lost:#?}");
    }
}

#[test]
fn statements_of_old_profiles_mean_the_same() {
    use oxrdf::{BlankNode, Literal, NamedNode, NamedOrBlankNode, Term, Triple};

    let dataset = NamedNode::new("https://alt.example/1").unwrap();
    let iri = |text: &str| Term::NamedNode(NamedNode::new_unchecked(text));
    let mut statements = Gathering::default();
    let mut say = |subject: &NamedOrBlankNode, predicate: &str, object: Term| {
        statements.insert(Triple::new(subject.clone(), NamedNode::new_unchecked(predicate), object));
    };
    let subject = NamedOrBlankNode::from(dataset);
    let (period, moment) = (BlankNode::new("p").unwrap(), BlankNode::new("m").unwrap());
    let text = |text: &str| Term::Literal(Literal::new_simple_literal(text));
    say(
        &subject,
        "http://www.w3.org/1999/02/22-rdf-syntax-ns#type",
        iri("https://www.w3.org/ns/dcat#Dataset"),
    );
    say(&subject, "http://purl.org/dc/elements/1.1/title", text("Bäume"));
    say(&subject, "https://www.dcat-ap.de/def/dcatde/1.0.1/legalBasis", text("UIG"));
    let key = "https://www.dcat-ap.de/def/politicalGeocoding/";
    say(
        &subject,
        "http://dcat-ap.de/def/dcatde/1_0/politicalGeocodingURI",
        iri(&format!("{key}stateKey/05")),
    );
    say(
        &subject,
        "http://dcat-ap.de/def/dcatde/politicalGeocodingURI",
        text(&format!("{key}municipalityKey/05974040")),
    );
    say(&subject, "http://purl.org/dc/terms/accessRights", text("public"));
    say(&subject, "http://purl.org/dc/terms/temporal", period.clone().into());
    say(&period.into(), "http://www.w3.org/2006/time#hasBeginning", moment.clone().into());
    say(&moment.into(), "http://www.w3.org/2006/time#inXSDDateTime", text("2016-01-01T00:00:00"));
    let statements = statements.finish();
    let record = statements.datasets(Vocabularies::builtin()).next().unwrap();
    let body = record.body.unwrap();
    assert_eq!(body["title"]["de"], "Bäume");
    assert_eq!(body["internal"], json!({"legal_basis": "UIG", "proposed_classification": "open"}));
    assert_eq!(
        body["spatial"]["geocoding"],
        "http://dcat-ap.de/def/politicalGeocoding/municipalityKey/05974040"
    );
    assert_eq!(body["temporal"], json!({"start": "2016-01-01"}));
    assert_eq!(record.key, "https://alt.example/1");
}

#[test]
fn codes_are_those_of_the_towns_own_lists() {
    use crate::vocabulary::{List, Vocabulary};

    let renamed = List::Themes.builtin_text().replace("ENVI", "GRUEN");
    let mut lists = Vocabularies::builtin().clone();
    lists.replace(Vocabulary::parse(List::Themes, &renamed).unwrap());
    let package = json!({"id": "a", "title": "b", "theme": ["GRUEN"]});
    assert_eq!(read_package(&package, &lists).body.unwrap()["themes"], json!(["GRUEN"]));
    let builtin = read_package(&package, Vocabularies::builtin());
    assert!(builtin.body.unwrap().get("themes").is_none());
    assert!(builtin.hints.iter().any(|hint| hint.field == "theme"), "{:?}", builtin.hints);
}
