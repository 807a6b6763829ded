//! What followers of the catalog read: OAI-PMH, the event stream of
//! DCAT-AP Feeds, Atom, the sitemap, and schema.org's words in the pages.
//!
//! Everything is made from the node's one log (`NodeHandle::log_from` and its
//! kin), so a dataset that is created, changed or withdrawn shows in all of
//! them, and nothing else does. Never asks for more than the public may see.

pub(crate) mod atom;
pub(crate) mod linked;
pub(crate) mod oai;
pub(crate) mod sitemap;
pub(crate) mod stream;

use askama::Template;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use crdt::catalog::Timestamp;
use crdt::ids::UnixMillis;

use crate::error::Problem;

/// A rendered XML document of this media type.
fn xml(document: &impl Template, media_type: &'static str) -> Response {
    match document.render() {
        Ok(text) => {
            let media_type = HeaderValue::from_static(media_type);
            ([(header::CONTENT_TYPE, media_type)], only_xml_characters(text)).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "a feed could not be rendered");
            Problem::internal().into_response()
        }
    }
}

/// Markup is escaped by the templates; some characters XML 1.0 cannot hold in
/// any form (section 2.2).
fn only_xml_characters(text: String) -> String {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
    match text.chars().all(allowed) {
        true => text,
        false => text.chars().map(|c| if allowed(c) { c } else { '\u{fffd}' }).collect(),
    }
}

/// A moment to the second, in UTC: `2026-11-02T08:41:00Z`.
fn second(at: UnixMillis) -> String {
    Timestamp::from_unix(at).map(|at| at.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_no_xml_may_hold_are_replaced() {
        let kept = "a\t\n\r äß€ \u{d7ff}\u{e000}\u{fffd}\u{10000}\u{10ffff}";
        assert_eq!(only_xml_characters(kept.to_owned()), kept);
        assert_eq!(
            only_xml_characters("\0a\u{8}b\u{1f}c\u{ffff}".to_owned()),
            "\u{fffd}a\u{fffd}b\u{fffd}c\u{fffd}"
        );
    }
}
