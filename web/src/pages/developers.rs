//! The page for programmers: every interface of this node with examples that
//! work as they stand, with ids of this very catalog.
//!
//! What is shown follows the table of routes: an interface whose route is not
//! there is not on the page.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use node::handle::Scope;

use super::{Frame, Place, render};
use crate::app::App;
use crate::error::Problem;
use crate::locale::Texts;
use crate::router::{Listener, routes};

#[derive(Template)]
#[template(path = "developers.html")]
struct DevelopersView {
    frame: Frame,
    interfaces: Vec<Interface>,
}

/// One interface and how to try it.
struct Interface {
    anchor: &'static str,
    title: &'static str,
    what: &'static str,
    examples: Vec<Example>,
}

/// A command to copy, and the address in it to open.
struct Example {
    what: &'static str,
    command: String,
    address: String,
}

/// What an example is made of: its route, and the rest of the address behind it.
struct Sample {
    route: &'static str,
    what: fn(&Texts) -> &'static str,
    path: &'static str,
}

/// An interface, as far as it does not depend on the catalog.
struct Known {
    anchor: &'static str,
    title: fn(&Texts) -> &'static str,
    what: fn(&Texts) -> &'static str,
    samples: &'static [Sample],
}

/// In the paths, `{id}` stands for a dataset of this node and `{town}` for its town.
const KNOWN: [Known; 8] = [
    Known {
        anchor: "json",
        title: |t| t.api_json,
        what: |t| t.api_json_what,
        samples: &[
            Sample {
                route: "/api/v1/datasets",
                what: |t| t.api_search,
                path: "/api/v1/datasets?q=Baum&limit=5",
            },
            Sample { route: "/api/v1/datasets/{id}", what: |t| t.api_one, path: "/api/v1/datasets/{id}" },
            Sample {
                route: "/api/v1/openapi.json",
                what: |t| t.api_description,
                path: "/api/v1/openapi.json",
            },
        ],
    },
    Known {
        anchor: "dcat",
        title: |t| t.api_rdf,
        what: |t| t.api_rdf_what,
        samples: &[
            Sample { route: "/catalog.ttl", what: |t| t.api_catalog, path: "/catalog.ttl" },
            Sample { route: "/federation/catalog.ttl", what: |t| t.api_all, path: "/federation/catalog.ttl" },
            Sample { route: "/catalog.ttl", what: |t| t.api_one, path: "/dataset/{id}.ttl" },
        ],
    },
    Known {
        anchor: "ckan",
        title: |t| t.api_ckan,
        what: |t| t.api_ckan_what,
        samples: &[
            Sample {
                route: "/api/3/action/{action}",
                what: |t| t.api_search,
                path: "/api/3/action/package_search?q=Baum&rows=5",
            },
            Sample {
                route: "/api/3/action/{action}",
                what: |t| t.api_one,
                path: "/api/3/action/package_show?id={id}",
            },
        ],
    },
    Known {
        anchor: "sparql",
        title: |t| t.api_sparql,
        what: |t| t.api_sparql_what,
        samples: &[Sample {
            route: "/sparql",
            what: |t| t.api_query,
            path: "/sparql?query=SELECT%20%3Fd%20%7B%20%3Fd%20a%20%3Chttp%3A%2F%2Fwww.w3.org%2Fns%2Fdcat%23Dataset%3E%20%7D%20LIMIT%205",
        }],
    },
    Known {
        anchor: "records",
        title: |t| t.api_records,
        what: |t| t.api_records_what,
        samples: &[
            Sample {
                route: "/collections/{id}/items",
                what: |t| t.api_search,
                path: "/collections/federation/items?q=Baum&limit=5",
            },
            Sample {
                route: "/collections/{id}/items",
                what: |t| t.api_map,
                path: "/collections/federation/items?bbox=7.5,50.9,8.5,51.7",
            },
            Sample {
                route: "/collections/{id}/items",
                what: |t| t.api_filter,
                path: "/collections/federation/items?filter=CASEI(title)%20LIKE%20CASEI(%27%25baum%25%27)%20AND%20updated%20%3E%20DATE(%272020-01-01%27)",
            },
            Sample {
                route: "/collections/{id}/items/{item}",
                what: |t| t.api_one,
                path: "/collections/{town}/items/{id}",
            },
            Sample { route: "/ogc/openapi.json", what: |t| t.api_description, path: "/ogc/openapi.json" },
        ],
    },
    Known {
        anchor: "oai-pmh",
        title: |t| t.api_oai,
        what: |t| t.api_oai_what,
        samples: &[Sample {
            route: "/oai",
            what: |t| t.api_walk,
            path: "/oai?verb=ListRecords&metadataPrefix=oai_dc",
        }],
    },
    Known {
        anchor: "feeds",
        title: |t| t.api_feeds,
        what: |t| t.api_feeds_what,
        samples: &[
            Sample { route: "/feeds/dataset.atom", what: |t| t.api_latest, path: "/feeds/dataset.atom" },
            Sample { route: "/feed", what: |t| t.api_walk, path: "/feed" },
            Sample { route: "/sitemap.xml", what: |t| t.api_sitemap, path: "/sitemap.xml" },
        ],
    },
    Known {
        anchor: "proof",
        title: |t| t.api_proof,
        what: |t| t.api_proof_what,
        samples: &[Sample {
            route: "/api/v1/datasets/{id}/proof",
            what: |t| t.signature_proof,
            path: "/api/v1/datasets/{id}/proof",
        }],
    },
];

/// Answers `GET /developers`.
pub(crate) async fn page(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    crate::api::refuse_while_starting(&app)?;
    let own = Scope::Town(app.handle.town().town);
    let listed = app
        .read(move |handle| {
            let first = handle.open_datasets(own, None, 1)?;
            if first.is_empty() { handle.open_datasets(Scope::Federation, None, 1) } else { Ok(first) }
        })
        .await?;
    let known = listed.first().and_then(|one| {
        let town = app.handle.members().into_iter().find(|town| town.town == one.town)?;
        Some((one.dataset.id.to_string(), town.code))
    });
    let frame = Frame::new(&app, &uri, &headers, Place::Developers);
    let interfaces = interfaces(frame.t, &app.base_url(&headers), known.as_ref());
    Ok(render(&DevelopersView { frame, interfaces }, &uri))
}

/// Those that have a route and, in an empty catalog, need no dataset.
fn interfaces(t: &'static Texts, base: &str, known: Option<&(String, String)>) -> Vec<Interface> {
    let routes: Vec<&str> = routes()
        .into_iter()
        .filter(|route| route.listener == Listener::Public)
        .map(|route| route.path)
        .collect();
    let example = |sample: &Sample| {
        if !routes.contains(&sample.route) {
            return None;
        }
        let path = match known {
            Some((id, town)) => sample.path.replace("{id}", id).replace("{town}", town),
            None if sample.path.contains('{') => return None,
            None => sample.path.to_owned(),
        };
        let address = format!("{base}{path}");
        let out = if sample.route.ends_with("/proof") { " -o proof.cbor" } else { "" };
        Some(Example { what: (sample.what)(t), command: format!("curl '{address}'{out}"), address })
    };
    KNOWN
        .iter()
        .map(|known| Interface {
            anchor: known.anchor,
            title: (known.title)(t),
            what: (known.what)(t),
            examples: known.samples.iter().filter_map(example).collect(),
        })
        .filter(|interface| !interface.examples.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crdt::catalog::Lang;

    #[test]
    fn only_what_has_a_route_is_shown_and_an_empty_catalog_needs_no_id() {
        let known = ("6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10".to_owned(), "soest".to_owned());
        let full = interfaces(Texts::of(Lang::De), "https://daten.example", Some(&known));
        let empty = interfaces(Texts::of(Lang::De), "https://daten.example", None);
        let commands = |all: &[Interface]| -> Vec<String> {
            all.iter().flat_map(|one| one.examples.iter().map(|example| example.command.clone())).collect()
        };
        assert!(full.len() >= 3 && commands(&empty).len() < commands(&full).len());
        for command in commands(&full).into_iter().chain(commands(&empty)) {
            assert!(
                command.starts_with("curl 'https://daten.example/") && !command.contains('{'),
                "{command}"
            );
        }
        let paths: Vec<&str> = routes().into_iter().map(|route| route.path).collect();
        let samples = KNOWN.iter().flat_map(|known| known.samples);
        let dead = samples.filter(|sample| !paths.contains(&sample.route)).count();
        let shown: usize = full.iter().map(|one| one.examples.len()).sum();
        assert_eq!(shown + dead, KNOWN.iter().map(|known| known.samples.len()).sum::<usize>());
    }
}
