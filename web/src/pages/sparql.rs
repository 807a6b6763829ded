//! A form for SPARQL queries, with examples.

use askama::Template;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use crdt::catalog::Lang;

use super::{Frame, Place, render};
use crate::app::App;

#[derive(Template)]
#[template(path = "sparql.html")]
struct FormPage {
    frame: Frame,
    examples: Vec<Example>,
}

struct Example {
    title: &'static str,
    query: &'static str,
}

/// Queries to begin with, in German and English.
const EXAMPLES: [(&str, &str, &str); 4] = [
    (
        "Die zuletzt geänderten Datensätze",
        "The datasets changed last",
        "PREFIX dcat: <http://www.w3.org/ns/dcat#>\nPREFIX dcterms: <http://purl.org/dc/terms/>\nSELECT ?dataset ?title ?modified WHERE {\n  ?dataset a dcat:Dataset ; dcterms:title ?title ; dcterms:modified ?modified .\n  FILTER(LANG(?title) = \"de\")\n}\nORDER BY DESC(?modified) LIMIT 20",
    ),
    (
        "Wie viele Datensätze jede Stadt hat",
        "How many datasets each town has",
        "PREFIX dcat: <http://www.w3.org/ns/dcat#>\nSELECT ?catalog (COUNT(?dataset) AS ?datasets) WHERE {\n  GRAPH ?catalog { ?catalog dcat:dataset ?dataset }\n}\nGROUP BY ?catalog ORDER BY DESC(?datasets)",
    ),
    (
        "Datensätze zu Umwelt mit ihren Downloads",
        "Datasets on the environment with their downloads",
        "PREFIX dcat: <http://www.w3.org/ns/dcat#>\nPREFIX dcterms: <http://purl.org/dc/terms/>\nSELECT ?title ?format ?url WHERE {\n  ?dataset dcat:theme <http://publications.europa.eu/resource/authority/data-theme/ENVI> ;\n           dcterms:title ?title ; dcat:distribution ?distribution .\n  ?distribution dcat:accessURL ?url .\n  OPTIONAL { ?distribution dcterms:format ?format }\n}\nLIMIT 100",
    ),
    (
        "Alles über einen Datensatz",
        "Everything about one dataset",
        "PREFIX dcat: <http://www.w3.org/ns/dcat#>\nDESCRIBE ?dataset WHERE { ?dataset a dcat:Dataset } LIMIT 1",
    ),
];

/// The form, at the address that programs ask.
pub(crate) fn form(app: &App, uri: &Uri, headers: &HeaderMap) -> Response {
    let frame = Frame::new(app, uri, headers, Place::Elsewhere);
    let title = |de, en| if frame.lang == Lang::De { de } else { en };
    let examples =
        EXAMPLES.map(|(de, en, query)| Example { title: title(de, en), query }).into_iter().collect();
    render(&FormPage { frame, examples }, uri)
}
