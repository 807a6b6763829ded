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
        Form::JsonLd | Form::Ckan | Form::Turtle if depth_of_brackets(text, form) > DEPTH_MAX => Err(deep()),
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

/// Within what a byte of Turtle or JSON stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    Nothing,
    /// A text between these quotes, one each or three.
    Text(u8, usize),
    /// An IRI of Turtle.
    Iri,
    /// A comment of Turtle.
    Comment,
}

/// How deep brackets stand in each other, outside of texts, IRIs and comments.
fn depth_of_brackets(text: &str, form: Form) -> usize {
    let bytes = text.as_bytes();
    let (mut depth, mut deepest, mut at) = (0usize, 0usize, 0);
    let mut within = Within::Nothing;
    while let Some(byte) = bytes.get(at).copied() {
        at += 1;
        within = match (within, byte) {
            (Within::Nothing, b'"' | b'\'') if byte == b'"' || form == Form::Turtle => {
                let is_long = form == Form::Turtle && bytes[at..].starts_with(&[byte, byte]);
                at += if is_long { 2 } else { 0 };
                Within::Text(byte, if is_long { 3 } else { 1 })
            }
            (Within::Nothing, b'<') if form == Form::Turtle => Within::Iri,
            (Within::Nothing, b'#') if form == Form::Turtle => Within::Comment,
            (Within::Nothing, b'[' | b'{' | b'(') => {
                depth += 1;
                deepest = deepest.max(depth);
                within
            }
            (Within::Nothing, b']' | b'}' | b')') => {
                depth = depth.saturating_sub(1);
                within
            }
            (Within::Text(..), b'\\') => {
                at += 1;
                within
            }
            // A text between single quotes ends with its line, whatever else is wrong.
            (Within::Text(_, 1), b'\n') | (Within::Iri, b'>' | b'\n' | b' ') | (Within::Comment, b'\n') => {
                Within::Nothing
            }
            (Within::Text(quote, 1), byte) if byte == quote => Within::Nothing,
            (Within::Text(quote, 3), byte) if byte == quote && bytes[at..].starts_with(&[quote, quote]) => {
                at += 2;
                Within::Nothing
            }
            _ => within,
        };
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_count_wherever_a_parser_sees_them() {
        let turtle = |text: &str| depth_of_brackets(text, Form::Turtle);
        let deep = "[".repeat(7);
        for before in ["# it's\n", "\"\"\"a \" b\"\"\" ", "'a\\'' ", "<a#b> ", "\"\" ", "# \"\n", "<a\"b> "] {
            assert_eq!(turtle(&format!("{before}{deep}")), 7, "{before}");
        }
        for hidden in ["# [[\n", "\"[[\"", "'[['", "\"\"\"[\"[\n[\"\"\"", "<[[>"] {
            assert_eq!(turtle(hidden), 0, "{hidden}");
        }
        let json = |text: &str| depth_of_brackets(text, Form::Ckan);
        assert_eq!(json("{\"it's\": [\"[\\\"[\", {}]}"), 3);
    }
}
