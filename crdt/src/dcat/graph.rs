//! Collects triples, each once and in the order in which they were first
//! said; makes IRIs that every parser takes.

use oxrdf::{Literal, NamedNode, NamedNodeRef, Term, Triple};
use url::Url;

use super::terms;
use crate::catalog::text::Literal as Multilingual;
use crate::catalog::{Iri, Lang};

/// Triples in a fixed order.
#[derive(Debug, Default)]
pub(super) struct Triples(Vec<Triple>);

impl Triples {
    pub(super) fn into_vec(self) -> Vec<Triple> {
        self.0
    }

    fn add(&mut self, subject: &NamedNode, predicate: NamedNodeRef<'static>, object: Term) {
        let triple = Triple::new(subject.clone(), predicate, object);
        // A dataset has some sixty: comparing costs less than hashing.
        if !self.0.contains(&triple) {
            self.0.push(triple);
        }
    }

    pub(super) fn class(&mut self, subject: &NamedNode, class: NamedNodeRef<'static>) {
        self.link(subject, terms::TYPE, class);
    }

    /// Links to a node.
    pub(super) fn link<'a>(
        &mut self,
        subject: &NamedNode,
        predicate: NamedNodeRef<'static>,
        object: impl Into<NamedNodeRef<'a>>,
    ) {
        self.add(subject, predicate, object.into().into_owned().into());
    }

    /// Links to an address that a person gave; one that is no IRI even after
    /// repair is left out.
    pub(super) fn link_to(
        &mut self,
        subject: &NamedNode,
        predicate: NamedNodeRef<'static>,
        iri: Option<&Iri>,
    ) {
        if let Some(object) = iri.and_then(|iri| node(iri.as_str())) {
            self.link(subject, predicate, &object);
        }
    }

    /// Links to a code of a list.
    pub(super) fn code(
        &mut self,
        subject: &NamedNode,
        predicate: NamedNodeRef<'static>,
        iri: Option<String>,
    ) {
        if let Some(object) = iri.and_then(|iri| node(&iri)) {
            self.link(subject, predicate, &object);
        }
    }

    /// A text without language.
    pub(super) fn text(&mut self, subject: &NamedNode, predicate: NamedNodeRef<'static>, text: &str) {
        self.add(subject, predicate, Literal::new_simple_literal(text).into());
    }

    /// A text in one language.
    pub(super) fn tagged(
        &mut self,
        subject: &NamedNode,
        predicate: NamedNodeRef<'static>,
        text: &str,
        lang: Lang,
    ) {
        let tag = match lang {
            Lang::De => "de",
            Lang::En => "en",
        };
        self.add(subject, predicate, Literal::new_language_tagged_literal_unchecked(text, tag).into());
    }

    /// A text in the languages that it was given in.
    pub(super) fn texts<T: AsRef<str>>(
        &mut self,
        subject: &NamedNode,
        predicate: NamedNodeRef<'static>,
        texts: &Multilingual<T>,
    ) {
        for (lang, text) in texts.iter() {
            self.tagged(subject, predicate, text.as_ref(), lang);
        }
    }

    /// A value of a datatype.
    pub(super) fn typed(
        &mut self,
        subject: &NamedNode,
        predicate: NamedNodeRef<'static>,
        value: impl ToString,
        datatype: NamedNodeRef<'static>,
    ) {
        self.add(subject, predicate, Literal::new_typed_literal(value.to_string(), datatype).into());
    }
}

/// The node of an IRI. Browsers are more tolerant than RDF: what only they
/// understand is escaped, so that the address still leads to the same place.
pub(super) fn node(iri: &str) -> Option<NamedNode> {
    NamedNode::new(iri).ok().or_else(|| {
        let parsed = Url::parse(iri).ok()?;
        let mut fixed = String::with_capacity(iri.len());
        let mut rest = parsed.as_str();
        let mut in_fragment = false;
        while let Some(c) = rest.chars().next() {
            let after = &rest[c.len_utf8()..];
            let escape = match c {
                '%' => !after.as_bytes().get(..2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit)),
                '#' => std::mem::replace(&mut in_fragment, true),
                '[' | ']' => true,
                _ => false,
            };
            if escape {
                fixed += &format!("%{:02X}", u32::from(c));
            } else {
                fixed.push(c);
            }
            rest = after;
        }
        NamedNode::new(fixed).ok()
    })
}

/// The node of a part of something: a fragment of its IRI.
pub(super) fn part(whole: &NamedNode, name: &str) -> NamedNode {
    let join = if whole.as_str().contains('#') { '.' } else { '#' };
    // Names are ASCII letters, digits, dots and hyphens, which a fragment may hold.
    NamedNode::new_unchecked(format!("{}{join}{name}", whole.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_only_browsers_take_are_escaped() {
        let cases = [
            ("https://a.example/x?y=[1]", "https://a.example/x?y=%5B1%5D"),
            ("https://a.example/100%", "https://a.example/100%25"),
            ("https://a.example/%41", "https://a.example/%41"),
            ("https://a.example/#a#b", "https://a.example/#a%23b"),
            (
                "urn:uuid:6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10",
                "urn:uuid:6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10",
            ),
        ];
        for (given, made) in cases {
            assert_eq!(node(given).unwrap().as_str(), made);
        }
        assert_eq!(node("kein iri"), None);
    }

    #[test]
    fn a_part_is_a_fragment_even_of_a_fragment() {
        let whole = |iri: &str| NamedNode::new(iri).unwrap();
        assert_eq!(part(&whole("https://a.example/b"), "c").as_str(), "https://a.example/b#c");
        assert_eq!(part(&whole("https://a.example/#b"), "c").as_str(), "https://a.example/#b.c");
    }
}
