//! What harvesters and query editors ask in both worlds, made from a grammar:
//! SPARQL, OAI-PMH, and walks of the RDF catalog and of Atom that are narrowed.

use super::ckan::{Chance, form};

/// Generated questions of each interface.
const QUESTIONS: usize = 80;
const SEED: u64 = 0x5eed_0a1d;

const WORDS: [&str; 7] = ["Canary", "Zugangscodes", "Wasserwerk", "Entwurf", "Baumkataster", "Baum", "soest"];
const SOLUTIONS: [&str; 6] =
    ["?d", "?d ?v", "(COUNT(*) AS ?n)", "(COUNT(DISTINCT ?v) AS ?n)", "(MAX(?v) AS ?n)", "*"];
const PROPERTIES: [&str; 7] = [
    "<http://purl.org/dc/terms/title>",
    "<http://purl.org/dc/terms/modified>",
    "<http://purl.org/dc/terms/identifier>",
    "<http://www.w3.org/ns/dcat#keyword>",
    "<http://www.w3.org/ns/dcat#contactPoint>",
    "?p",
    "(<http://www.w3.org/ns/dcat#distribution>|<http://www.w3.org/ns/dcat#dataset>)+",
];
const VERBS: [&str; 4] = ["ListRecords", "ListIdentifiers", "ListSets", "Identify"];
const PREFIXES: [&str; 3] = ["oai_dc", "dcat_ap", "marc"];
const SETS: [&str; 5] = ["", "town-soest", "town-arnsberg", "theme-ENVI", "theme-TRAN"];
const DAYS: [&str; 4] = ["", "2020-01-01", "2026-11-18", "2199-01-01"];
const WALKS: [&str; 4] =
    ["/catalog.nt", "/federation/catalog.ttl", "/catalog.rdf", "/federation/catalog.jsonld"];

/// Addresses that every reader may ask.
pub(crate) fn queries() -> Vec<String> {
    let mut chance = Chance(SEED);
    let mut all: Vec<String> = (0..QUESTIONS).map(|_| sparql(&mut chance)).collect();
    all.extend((0..QUESTIONS).map(|_| oai(&mut chance)));
    all.extend((0..QUESTIONS).map(|_| walk(&mut chance)));
    all
}

fn sparql(chance: &mut Chance) -> String {
    let (solutions, property, word) = (chance.of(&SOLUTIONS), chance.of(&PROPERTIES), chance.of(&WORDS));
    let filter = match chance.below(4) {
        0 => format!("FILTER(CONTAINS(STR(?v), '{word}'))"),
        1 => format!("FILTER NOT EXISTS {{ ?d ?any ?other FILTER(CONTAINS(STR(?other), '{word}')) }}"),
        2 => format!("FILTER(REGEX(STR(?v), '{word}', 'i'))"),
        _ => String::new(),
    };
    let pattern = match chance.below(3) {
        0 => format!("GRAPH ?g {{ ?d {property} ?v }} {filter}"),
        _ => format!("?d {property} ?v {filter}"),
    };
    let order = if solutions.contains('(') { "" } else { " ORDER BY ?d ?v LIMIT 50" };
    format!("/sparql?format=csv&query={}", form(format!("SELECT {solutions} {{ {pattern} }}{order}")))
}

fn oai(chance: &mut Chance) -> String {
    let mut query = format!("/oai?verb={}", chance.of(&VERBS));
    for (name, value) in [
        ("metadataPrefix", chance.of(&PREFIXES)),
        ("set", chance.of(&SETS)),
        ("from", chance.of(&DAYS)),
        ("until", chance.of(&DAYS)),
    ] {
        if !value.is_empty() && (query.contains("=ListRecords") || query.contains("=ListIdentifiers")) {
            query.push_str(&format!("&{name}={}", form(value)));
        }
    }
    query
}

fn walk(chance: &mut Chance) -> String {
    let word = form(chance.of(&WORDS));
    match chance.below(4) {
        0 => format!("/feeds/custom.atom?q={word}"),
        1 => format!("/feeds/tag/{word}.atom"),
        2 => format!("{}?q={word}&page={}", chance.of(&WALKS), 1 + chance.below(2)),
        _ => format!("{}?fq={}{word}", chance.of(&WALKS), form(chance.of(&["tags:", "-title:", "notes:"]))),
    }
}
