//! Terms as the graph store keeps them: one byte for the kind, then the text.
//!
//! Two terms are the same (RDF 1.1 Concepts, section 3) if and only if their
//! bytes are.

use oxrdf::vocab::xsd;
use oxrdf::{BlankNode, Literal, NamedNode, NamedNodeRef, NamedOrBlankNodeRef, Term, TermRef, TripleRef};

const IRI: u8 = b'i';
const BLANK: u8 = b'b';
const STRING: u8 = b's';
/// Language, a zero byte, text.
const TAGGED: u8 = b'l';
/// Datatype, a zero byte, text.
const TYPED: u8 = b't';

/// The bytes of a term.
pub(crate) fn encode<'a>(term: impl Into<TermRef<'a>>) -> Vec<u8> {
    let one = |kind: u8, text: &str| [&[kind], text.as_bytes()].concat();
    let two = |kind: u8, first: &str, text: &str| [&[kind], first.as_bytes(), &[0], text.as_bytes()].concat();
    match term.into() {
        TermRef::NamedNode(node) => one(IRI, node.as_str()),
        TermRef::BlankNode(node) => one(BLANK, node.as_str()),
        TermRef::Literal(literal) => match literal.language() {
            Some(language) => two(TAGGED, language, literal.value()),
            None if literal.datatype() == xsd::STRING => one(STRING, literal.value()),
            None => two(TYPED, literal.datatype().as_str(), literal.value()),
        },
    }
}

/// The bytes of a triple's terms.
pub(crate) fn encode_triple(triple: TripleRef<'_>) -> [Vec<u8>; 3] {
    let subject = match triple.subject {
        NamedOrBlankNodeRef::NamedNode(node) => TermRef::from(node),
        NamedOrBlankNodeRef::BlankNode(node) => TermRef::from(node),
    };
    [encode(subject), encode(triple.predicate), encode(triple.object)]
}

/// A term from its bytes; `None` for bytes that are none.
pub(crate) fn decode(bytes: &[u8]) -> Option<Term> {
    let (kind, text) = bytes.split_first()?;
    let text = std::str::from_utf8(text).ok()?;
    Some(match *kind {
        IRI => NamedNode::new_unchecked(text).into(),
        BLANK => BlankNode::new_unchecked(text).into(),
        STRING => Literal::new_simple_literal(text).into(),
        TAGGED => {
            let (language, text) = text.split_once('\0')?;
            Literal::new_language_tagged_literal_unchecked(text, language).into()
        }
        TYPED => {
            let (datatype, text) = text.split_once('\0')?;
            Literal::new_typed_literal(text, NamedNodeRef::new_unchecked(datatype)).into()
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_term_comes_back_as_it_was_and_no_two_are_alike() {
        let terms: Vec<Term> = vec![
            NamedNode::new_unchecked("https://daten.soest.example/dataset/1").into(),
            BlankNode::new_unchecked("b1").into(),
            Literal::new_simple_literal("").into(),
            Literal::new_simple_literal("Straße\0mit Null").into(),
            Literal::new_language_tagged_literal_unchecked("Baum\0", "de").into(),
            Literal::new_language_tagged_literal_unchecked("Baum\0", "en").into(),
            Literal::new_typed_literal("12", xsd::INTEGER).into(),
            Literal::new_typed_literal("12", xsd::DECIMAL).into(),
            Literal::new_simple_literal("12").into(),
        ];
        for term in &terms {
            assert_eq!(decode(&encode(term)).as_ref(), Some(term));
        }
        let bytes: std::collections::BTreeSet<_> = terms.iter().map(encode).collect();
        assert_eq!(bytes.len(), terms.len());
        assert!(decode(b"").is_none() && decode(b"x").is_none() && decode(b"lde").is_none());
    }
}
