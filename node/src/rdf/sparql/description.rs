//! The description of the query service (SPARQL 1.1 Service Description).

use oxrdf::vocab::rdf;
use oxrdf::{NamedNode, Term, Triple};

use super::run::write_triples;
use super::{SparqlAnswer, SparqlError};
use crate::rdf::RdfForm;
use crate::rdf::term::decode;
use crate::store::GraphSnapshot;

const SD: &str = "http://www.w3.org/ns/sparql-service-description#";
/// Forms of results (<https://www.w3.org/ns/formats/>).
const FORMS: [&str; 8] = [
    "SPARQL_Results_JSON",
    "SPARQL_Results_XML",
    "SPARQL_Results_CSV",
    "SPARQL_Results_TSV",
    "Turtle",
    "RDF_XML",
    "N-Triples",
    "JSON-LD",
];

/// Describes the service at `endpoint`, with the graphs that can be named.
pub(crate) fn description(
    snapshot: &GraphSnapshot,
    endpoint: &str,
    format: RdfForm,
) -> Result<SparqlAnswer, SparqlError> {
    let address = NamedNode::new(endpoint).map_err(|error| SparqlError::Malformed(error.to_string()))?;
    let sd = |name: &str| NamedNode::new_unchecked(format!("{SD}{name}"));
    let part = |name: &str| NamedNode::new_unchecked(format!("{endpoint}#{name}"));
    let mut triples = Vec::new();
    let mut say = |subject: &NamedNode, predicate: NamedNode, object: NamedNode| {
        triples.push(Triple::new(subject.clone(), predicate, object));
    };
    let (service, dataset, union) = (part("service"), part("dataset"), part("default-graph"));
    say(&service, rdf::TYPE.into_owned(), sd("Service"));
    say(&service, sd("endpoint"), address);
    say(&service, sd("supportedLanguage"), sd("SPARQL11Query"));
    say(&service, sd("feature"), sd("UnionDefaultGraph"));
    for form in FORMS {
        let form = NamedNode::new_unchecked(format!("http://www.w3.org/ns/formats/{form}"));
        say(&service, sd("resultFormat"), form);
    }
    say(&service, sd("defaultDataset"), dataset.clone());
    say(&dataset, rdf::TYPE.into_owned(), sd("Dataset"));
    say(&dataset, sd("defaultGraph"), union.clone());
    say(&union, rdf::TYPE.into_owned(), sd("Graph"));
    for (number, id) in snapshot.graphs()?.into_iter().enumerate() {
        let Some(Term::NamedNode(name)) = snapshot.term(id, decode)? else { continue };
        let (named, graph) = (part(&format!("named-{number}")), part(&format!("graph-{number}")));
        say(&dataset, sd("namedGraph"), named.clone());
        say(&named, rdf::TYPE.into_owned(), sd("NamedGraph"));
        say(&named, sd("name"), name);
        say(&named, sd("graph"), graph.clone());
        say(&graph, rdf::TYPE.into_owned(), sd("Graph"));
    }
    write_triples(triples.into_iter().map(Ok), format)
}
