//! What parsers of RDF and JSON suffer from: DTDs, deep nesting, ends in the
//! middle.

use super::page::{Form, UnreadablePage};

/// Deepest nesting of brackets or elements.
pub const DEPTH_MAX: usize = 100;

/// Refuses what parsers suffer from before one sees it.
pub(super) fn bounded(text: &str, form: Form) -> Result<(), UnreadablePage> {
    let deep = || {
        UnreadablePage::made(
            format!("die Seite ist tiefer als {DEPTH_MAX} Ebenen verschachtelt"),
            format!("the page is nested deeper than {DEPTH_MAX} levels"),
            "die Quelle prüfen; ein Katalog ist flach",
            "check the source; a catalog is flat",
        )
    };
    match form {
        Form::RdfXml
            if contains_ignoring_case(text, "<!doctype") || contains_ignoring_case(text, "<!entity") =>
        {
            Err(UnreadablePage::fixed(
                "die Seite enthält eine DTD oder Entitäten",
                "the page contains a DTD or entities",
                "ohne <!DOCTYPE …> und <!ENTITY …> liefern",
                "send it without <!DOCTYPE …> and <!ENTITY …>",
            ))
        }
        Form::RdfXml => match elements(text) {
            (deepest, _) if deepest > DEPTH_MAX => Err(deep()),
            (_, 0) => Ok(()),
            _ => Err(UnreadablePage::fixed(
                "die Seite endet mitten in einem Element",
                "the page ends in the middle of an element",
                "noch einmal abrufen; von der Seite wurde nichts übernommen",
                "fetch it again; nothing of the page was taken",
            )),
        },
        Form::JsonLd | Form::Ckan if depth_of_brackets(text, b"\"") > DEPTH_MAX => Err(deep()),
        Form::Turtle if depth_of_brackets(text, b"\"'") > DEPTH_MAX => Err(deep()),
        _ => Ok(()),
    }
}

fn contains_ignoring_case(text: &str, needle: &str) -> bool {
    text.as_bytes().windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle.as_bytes()))
}

/// How deep elements stand in each other, and how many are open at the end: a
/// page that was cut off has some, and the parser would take it for whole.
fn elements(text: &str) -> (usize, usize) {
    let (mut depth, mut deepest) = (0usize, 0usize);
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        rest = &rest[at..];
        let skipped = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")];
        let skipped = skipped.into_iter().find(|(open, _)| rest.starts_with(open));
        let end = match skipped {
            Some((_, close)) => rest.find(close).map(|at| at + close.len()),
            None => end_of_tag(rest),
        };
        let Some(end) = end else { return (deepest, depth + 1) };
        if skipped.is_none() {
            let tag = &rest[..end];
            if tag.starts_with("</") {
                depth = depth.saturating_sub(1);
            } else if !tag.ends_with("/>") {
                depth += 1;
                deepest = deepest.max(depth);
            }
        }
        rest = &rest[end..];
    }
    (deepest, depth)
}

/// The end of a tag: a `>` within a quoted attribute is none.
fn end_of_tag(tag: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in tag.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at + 1),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

/// How deep brackets stand in each other, outside of quoted texts; an estimate
/// from above, since some brackets of Turtle stand in IRIs.
fn depth_of_brackets(text: &str, quotes: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0usize, 0usize);
    let mut quote: Option<u8> = None;
    let mut escaped = false;
    for byte in text.bytes() {
        match (quote, byte) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            // An apostrophe in a comment must not swallow the rest of the page.
            (Some(b'\''), b'\n') => quote = None,
            (Some(open), byte) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, byte) if quotes.contains(&byte) => quote = Some(byte),
            (None, b'[' | b'{' | b'(') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (None, b']' | b'}' | b')') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
