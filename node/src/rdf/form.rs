//! The forms in which RDF is written.
//!
//! The same triples give the same bytes: prefixes are fixed, subjects and their
//! properties come in the order in which they are first named.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io::{self, Write};

use crdt::catalog::invalid::{Bilingual, InvalidField, nearest};
use crdt::dcat::terms::PREFIXES;
use oxrdf::Triple;
use oxrdfio::{JsonLdProfileSet, RdfFormat, RdfSerializer, WriterQuadSerializer};

/// A form of RDF that this node writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RdfForm {
    /// Turtle.
    Turtle,
    /// RDF/XML.
    RdfXml,
    /// JSON-LD with its context inside.
    JsonLd,
    /// N-Triples.
    NTriples,
    /// N3, of which only Turtle is used.
    N3,
}

impl RdfForm {
    /// All of them, the preferred first.
    pub const ALL: [Self; 5] = [Self::Turtle, Self::RdfXml, Self::JsonLd, Self::NTriples, Self::N3];

    /// What addresses and files of this form end in; the first is the usual one.
    pub fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Turtle => &["ttl"],
            Self::RdfXml => &["rdf", "xml"],
            Self::JsonLd => &["jsonld"],
            Self::NTriples => &["nt"],
            Self::N3 => &["n3"],
        }
    }

    /// The form that an ending names.
    pub fn by_ending(ending: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.endings().contains(&ending))
    }

    /// Its media type, without parameters.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Turtle => "text/turtle",
            Self::RdfXml => "application/rdf+xml",
            Self::JsonLd => "application/ld+json",
            Self::NTriples => "application/n-triples",
            Self::N3 => "text/n3",
        }
    }

    /// The form of a media type.
    pub fn by_media_type(media_type: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.media_type() == media_type)
    }

    /// Reads the name of a form: its usual ending.
    pub fn parse(text: &str) -> Result<Self, InvalidField> {
        Self::by_ending(text).ok_or_else(|| {
            let names = Self::ALL.map(|form| form.endings()[0]);
            let all = names.join(", ");
            let remedy = match nearest(text, names) {
                Some(guess) => Bilingual::made(
                    format!("vielleicht „{guess}“? Möglich sind: {all}"),
                    format!("did you mean `{guess}`? Possible are: {all}"),
                ),
                None => Bilingual::made(format!("möglich sind: {all}"), format!("possible are: {all}")),
            };
            let problem = Bilingual::fixed("ist keine Form von RDF", "is not a form of RDF");
            InvalidField::new("format", text, problem, remedy)
        })
    }

    /// Writes it, with the catalog's prefixes.
    pub(super) fn serializer(self) -> RdfSerializer {
        let format = match self {
            Self::Turtle | Self::N3 => RdfFormat::Turtle,
            Self::RdfXml => RdfFormat::RdfXml,
            Self::JsonLd => RdfFormat::JsonLd { profile: JsonLdProfileSet::empty() },
            Self::NTriples => RdfFormat::NTriples,
        };
        PREFIXES.into_iter().fold(RdfSerializer::from_format(format), |serializer, (prefix, iri)| {
            serializer.with_prefix(prefix, iri).expect("the prefixes are IRIs")
        })
    }
}

impl fmt::Display for RdfForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.endings()[0])
    }
}

/// The triples in a form, each once.
pub fn triples_as(form: RdfForm, triples: &[Triple]) -> Vec<u8> {
    let mut writer = form.serializer().for_writer(Vec::with_capacity(triples.len() * 96));
    for triple in grouped(triples) {
        writer.serialize_triple(triple).expect("a vector takes every byte, and no term is of RDF 1.2");
    }
    writer.finish().expect("a vector takes every byte")
}

/// Writes triples part by part, for what is too much to be held as a whole.
pub(super) struct TripleWriter<'a> {
    inner: WriterQuadSerializer<&'a mut dyn Write>,
    /// Triples that several parts may say, such as those of a publisher.
    shared: HashSet<Triple>,
}

impl<'a> TripleWriter<'a> {
    pub(super) fn new(form: RdfForm, out: &'a mut dyn Write) -> Self {
        Self { inner: form.serializer().for_writer(out), shared: HashSet::new() }
    }

    /// Writes a part. Triples that are not its `own` are remembered: a later
    /// part does not say them again.
    pub(super) fn write(&mut self, triples: &[Triple], own: impl Fn(&Triple) -> bool) -> io::Result<()> {
        for triple in grouped(triples) {
            if own(triple) || self.shared.insert(triple.clone()) {
                self.inner.serialize_triple(triple)?;
            }
        }
        Ok(())
    }

    pub(super) fn finish(self) -> io::Result<()> {
        self.inner.finish().map(drop)
    }
}

/// Each triple once, those of one subject together and of one property too.
fn grouped(triples: &[Triple]) -> Vec<&Triple> {
    let mut subjects = HashMap::with_capacity(triples.len() / 8);
    let mut properties = HashMap::with_capacity(triples.len());
    let mut places = Vec::with_capacity(triples.len());
    for triple in triples {
        let next = subjects.len();
        let subject = *subjects.entry(&triple.subject).or_insert(next);
        let next = properties.len();
        let property = *properties.entry((&triple.subject, &triple.predicate)).or_insert(next);
        places.push((subject, property, triple));
    }
    // Stable, so that values of one property keep their order.
    places.sort_by_key(|(subject, property, _)| (*subject, *property));
    let mut seen = HashSet::with_capacity(triples.len());
    places.into_iter().map(|(_, _, triple)| triple).filter(|triple| seen.insert(*triple)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crdt::catalog::Catalog;
    use crdt::dcat::{CatalogContext, dataset_triples};
    use oxrdf::{Literal, NamedNode};

    use super::*;

    fn triple(subject: &str, predicate: &str, object: &str) -> Triple {
        let node = |name: &str| NamedNode::new(format!("https://a.example/{name}")).unwrap();
        Triple::new(node(subject), node(predicate), Literal::new_simple_literal(object))
    }

    #[test]
    fn subjects_and_properties_stand_together_and_nothing_twice() {
        let given = [
            triple("a", "p", "1"),
            triple("b", "p", "2"),
            triple("a", "q", "3"),
            triple("a", "p", "4"),
            triple("b", "p", "2"),
        ];
        let order: Vec<String> =
            grouped(&given).into_iter().map(|triple| triple.object.to_string()).collect();
        assert_eq!(order, ["\"1\"", "\"4\"", "\"3\"", "\"2\""]);
    }

    fn read_back(form: RdfForm, bytes: &[u8]) -> BTreeSet<String> {
        let parser = oxrdfio::RdfParser::from_format(match form {
            RdfForm::Turtle | RdfForm::N3 => RdfFormat::Turtle,
            RdfForm::RdfXml => RdfFormat::RdfXml,
            RdfForm::JsonLd => RdfFormat::JsonLd { profile: JsonLdProfileSet::empty() },
            RdfForm::NTriples => RdfFormat::NTriples,
        });
        let quads = parser.for_slice(bytes).map(|quad| Triple::from(quad.unwrap()).to_string());
        quads.collect()
    }

    #[test]
    fn all_forms_of_a_record_say_the_same_triples_and_always_in_the_same_bytes() {
        let records = crate::demo::Records::shipped().records;
        assert!(records.len() > 40);
        let mut written = 0;
        for record in records {
            let context = CatalogContext::new(Catalog::new(record.town), "Stadt");
            let triples = dataset_triples(&record.record.dataset, &context);
            let said: BTreeSet<String> = triples.iter().map(ToString::to_string).collect();
            for form in RdfForm::ALL {
                let bytes = triples_as(form, &triples);
                assert_eq!(read_back(form, &bytes), said, "{form}");
                assert_eq!(bytes, triples_as(form, &triples), "{form}");
                written += bytes.len();
            }
        }
        assert!(written > 100_000, "{written}");
    }

    #[test]
    fn forms_are_known_by_ending_and_media_type() {
        for form in RdfForm::ALL {
            assert_eq!(RdfForm::by_media_type(form.media_type()), Some(form));
            assert!(form.endings().iter().all(|ending| RdfForm::by_ending(ending) == Some(form)));
        }
        let error = RdfForm::parse("tll").unwrap_err();
        assert!(error.message_en().contains("did you mean `ttl`"), "{}", error.message_en());
    }
}
