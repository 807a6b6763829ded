//! Mutants of the record's RDF, read back as the RDF of another catalog.
//!
//! What the reader repairs is no fault, and what it cannot hold it leaves out:
//! whatever comes out is a record like any other, and is judged like one.

use crdt::catalog::{Catalog, Dataset, DatasetSeries, NewDataset};
use crdt::dcat::{CatalogContext, dataset_triples};
use crdt::foreign::Gathering;
use crdt::ids::Town;
use crdt::vocabulary::Vocabularies;
use oxrdf::{Literal, NamedNode, Term, Triple};
use serde_json::Value;

/// The record and what is read from each of its RDF's mutants, by name. A
/// mutant that is refused as a whole is none that a record can hold.
pub(super) fn mutants(record: &Value) -> Vec<(String, Value)> {
    let whole: Dataset = serde_json::from_value(record.clone()).expect("the record is right");
    let triples = dataset_triples(&whole, &context());
    let mut mutants = vec![("as it is".to_owned(), read(&triples, &whole))];
    for (at, triple) in triples.iter().enumerate() {
        let mut without = triples.clone();
        without.remove(at);
        mutants.push((format!("without {triple}"), read(&without, &whole)));
        for object in others(&triple.object) {
            let mut mutant = triples.clone();
            let name = format!("{triple} says {object}");
            mutant[at].object = object;
            mutants.push((name, read(&mutant, &whole)));
        }
    }
    mutants
}

fn context() -> CatalogContext {
    let mut catalog = Catalog::new(Town::parse("05974040").expect("a municipality key"));
    let series: DatasetSeries =
        serde_json::from_str(include_str!("series.json")).expect("the series is right");
    catalog.series = vec![series];
    CatalogContext::new(catalog, "Soest")
}

/// What an object is replaced by: nothing, nonsense, and the other kind of thing.
fn others(object: &Term) -> Vec<Term> {
    let text = |text: &str| Term::from(Literal::new_simple_literal(text));
    let iri = |iri: &str| NamedNode::new(iri).ok().map(Term::from);
    let mut others = vec![text(""), text("x"), text("2026-02-31")];
    others.extend(iri("https://example.org/x"));
    match object {
        Term::Literal(literal) => others.extend(iri(literal.value())),
        Term::NamedNode(node) => {
            others.push(text(node.as_str()));
            others.extend(iri(&node.as_str().replacen("http:", "https:", 1)));
        }
        Term::BlankNode(_) => {}
    }
    others.retain(|other| other != object);
    others
}

/// The record that is read, with what RDF does not say: its id, class and
/// status, and how it relates to persons. Null if it is refused.
fn read(triples: &[Triple], whole: &Dataset) -> Value {
    let mut statements = Gathering::default();
    triples.iter().cloned().for_each(|triple| statements.insert(triple));
    let statements = statements.finish();
    let Some(Ok(body)) = statements.datasets(Vocabularies::builtin()).next().map(|record| record.body) else {
        return Value::Null;
    };
    let read = NewDataset::parse(&body).ok().and_then(|new| new.into_record(whole.id).ok());
    let Some(mut dataset) = read.map(|record| record.dataset) else { return Value::Null };
    (dataset.class, dataset.status, dataset.personal_data) = (whole.class, whole.status, whole.personal_data);
    (dataset.issued, dataset.modified) = (whole.issued, whole.modified);
    serde_json::to_value(&dataset).unwrap_or(Value::Null)
}
