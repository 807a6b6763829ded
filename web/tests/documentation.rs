//! `docs/api.md` names every route on its listener, and every error code.

use std::collections::BTreeSet;

use web::Listener;

const DOCUMENT: &str = include_str!("../../docs/api.md");

fn section(heading: &str) -> &'static str {
    let from = DOCUMENT.find(&format!("## {heading}\n")).expect("the section is there");
    let rest = &DOCUMENT[from + 3..];
    rest.find("\n## ").map_or(rest, |to| &rest[..to])
}

fn documented(heading: &str) -> BTreeSet<(String, String)> {
    section(heading)
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .filter_map(|(route, _)| route.split_once(' '))
        .map(|(method, path)| (method.to_owned(), path.to_owned()))
        .collect()
}

#[test]
fn every_route_is_documented_where_it_is() {
    for (listener, heading) in [(Listener::Public, "Public listener"), (Listener::Desk, "Desk listener")] {
        let routes: BTreeSet<(String, String)> = web::routes()
            .into_iter()
            .filter(|route| route.listener == listener)
            .map(|route| (route.method.to_owned(), route.path.to_owned()))
            .collect();
        assert_eq!(documented(heading), routes, "{heading}");
    }
}

#[test]
fn every_error_code_is_documented() {
    // Codes stand second in `Problem::new(StatusCode::…, "code", …)`.
    let sources = [include_str!("../src/error.rs"), include_str!("../src/error/node.rs")];
    let codes: BTreeSet<&str> = sources
        .iter()
        .flat_map(|source| source.split("StatusCode::").skip(1))
        .filter_map(|rest| rest.split_once(", \"")?.1.split_once("\","))
        .map(|(code, _)| code)
        .filter(|code| code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
        .collect();
    assert!(codes.len() > 20, "{codes:?}");
    let documented: BTreeSet<&str> = section("Errors")
        .lines()
        .filter(|line| line.starts_with("| "))
        .filter_map(|line| line.split('|').nth(2))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .filter(|code| *code != "code")
        .collect();
    assert_eq!(documented, codes);
}
