//! Values that name a concept of a published list: themes, frequencies,
//! statuses, high-value categories, licences.
//!
//! A value here is well formed, not necessarily known: the lists are data
//! ([`crate::vocabulary`]) and may differ from town to town and version to
//! version, while all must read the same from one document. What a person
//! types is looked up (`parse`); what a document holds is taken as it stands
//! (`read`); whether it is known is a rule of publication.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::invalid::{Bilingual, InvalidField, Lang};
use super::text::{Iri, text_type};
use crate::vocabulary::{Concept, List, Mark, Vocabularies, Vocabulary};

/// Longest code in bytes.
const CODE_BYTES_MAX: usize = 23;

/// A short code, held in place; ordered as its text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Code {
    /// Padded with zeros, which no code contains.
    bytes: [u8; CODE_BYTES_MAX],
    len: u8,
}

impl Code {
    const fn new(text: &str) -> Option<Self> {
        let text = text.as_bytes();
        if text.is_empty() || text.len() > CODE_BYTES_MAX {
            return None;
        }
        let mut code = Self { bytes: [0; CODE_BYTES_MAX], len: 0 };
        let mut at = 0;
        while at < text.len() {
            if !(text[at].is_ascii_alphanumeric() || text[at] == b'_' || text[at] == b'-') {
                return None;
            }
            code.bytes[at] = text[at];
            code.len += 1;
            at += 1;
        }
        Some(code)
    }

    fn as_str(&self) -> &str {
        // Made of ASCII alone.
        str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or_default()
    }
}

macro_rules! listed_code {
    ($(#[$meta:meta])* $name:ident, $field:literal, $list:expr) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Code);

        impl $name {
            /// The list that it is of.
            pub const LIST: List = $list;

            /// Reads what a person or another program wrote: a code, its IRI, a
            /// label or a known spelling of the list compiled in.
            pub fn parse(text: &str) -> Result<Self, InvalidField> {
                Self::parse_with(Vocabularies::builtin(), text)
            }

            /// [`Self::parse`] with the lists of a town.
            pub fn parse_with(lists: &Vocabularies, text: &str) -> Result<Self, InvalidField> {
                let concept = lists.list($list).resolve($field, text)?;
                Self::read(&concept.code)
            }

            /// Reads a code as documents hold it, known or not.
            pub fn read(text: &str) -> Result<Self, InvalidField> {
                Code::new(text).map(Self).ok_or_else(|| {
                    let problem = Bilingual::fixed("ist kein Code", "is not a code");
                    let remedy = Bilingual::made(
                        format!("einen Code der Liste {} angeben", $list.name()),
                        format!("give a code of the list {}", $list.name()),
                    );
                    InvalidField::new($field, text, problem, remedy)
                })
            }

            /// The code as JSON and documents hold it.
            pub fn code(&self) -> &str {
                self.0.as_str()
            }

            /// What people read, by the list compiled in; the code itself if
            /// that does not know it.
            pub fn label(&self, lang: Lang) -> &str {
                self.label_in(Vocabularies::builtin(), lang)
            }

            /// [`Self::label`] by the lists of a town.
            pub fn label_in<'a>(&'a self, lists: &'a Vocabularies, lang: Lang) -> &'a str {
                let concept = lists.list($list).code(self.code());
                concept.map_or(self.code(), |concept| concept.label.in_lang(lang))
            }

            /// Its IRI: the list's base and the code.
            pub fn iri(&self) -> Option<String> {
                builtin($list).base().map(|base| format!("{base}{}", self.code()))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.code())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.code())
            }
        }

        impl FromStr for $name {
            type Err = InvalidField;

            fn from_str(text: &str) -> Result<Self, InvalidField> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidField;

            fn try_from(text: String) -> Result<Self, InvalidField> {
                Self::read(&text)
            }
        }

        impl From<$name> for String {
            fn from(code: $name) -> String {
                code.code().to_owned()
            }
        }
    };
}

listed_code!(
    /// EU data theme.
    Theme, "themes", List::Themes
);
listed_code!(
    /// EU frequency of updates.
    Frequency, "frequency", List::Frequencies
);
listed_code!(
    /// EU status of a distribution.
    DistributionStatus, "status", List::DistributionStatuses
);
listed_code!(
    /// EU category of high-value datasets (Implementing Regulation 2023/138).
    HvdCategory, "hvd_categories", List::HvdCategories
);

impl DistributionStatus {
    /// No longer looked after.
    pub const DEPRECATED: Self = Self(Code::new("DEPRECATED").expect("is a code"));
    /// Taken back.
    pub const WITHDRAWN: Self = Self(Code::new("WITHDRAWN").expect("is a code"));
}

text_type!(
    /// A licence, named by its IRI.
    LicenceIri, "licence", |field, text| {
        let concept = builtin(List::Licences).resolve(field, text)?;
        Ok(concept.iri.as_deref().unwrap_or(text).to_owned())
    },
    // A document may name a licence that this list lacks.
    |_, text| Iri::parse(text).map(String::from)
);

impl LicenceIri {
    /// Reads an IRI as documents hold it, known or not.
    pub fn read(text: &str) -> Result<Self, InvalidField> {
        Self::try_from(text.to_owned())
    }

    /// [`Self::parse`] with the lists of a town.
    pub fn parse_with(lists: &Vocabularies, text: &str) -> Result<Self, InvalidField> {
        let concept = lists.licences().resolve("licence", text)?;
        Self::read(concept.iri.as_deref().unwrap_or(text))
    }

    /// What people read, by the list compiled in; the IRI itself if that does
    /// not know it.
    pub fn label(&self) -> &str {
        self.label_in(Vocabularies::builtin())
    }

    /// [`Self::label`] by the lists of a town.
    pub fn label_in<'a>(&'a self, lists: &'a Vocabularies) -> &'a str {
        lists.licences().iri(self.as_str()).map_or(self.as_str(), |concept| &concept.label.de)
    }

    /// Whether open data may carry it: zero, public domain or attribution only.
    pub fn is_open(&self) -> bool {
        self.concept().is_some_and(|concept| concept.is(Mark::Open))
    }

    /// Whether it asks for the source to be named.
    pub fn asks_attribution(&self) -> bool {
        self.concept().is_some_and(|concept| concept.is(Mark::Attribution))
    }

    /// IRIs of the licences that open data may carry.
    pub fn open_list() -> impl Iterator<Item = String> {
        let open = builtin(List::Licences).concepts().iter().filter(|concept| concept.is(Mark::Open));
        open.filter_map(|concept| concept.iri.as_deref().map(str::to_owned))
    }

    fn concept(&self) -> Option<&'static Concept> {
        builtin(List::Licences).iri(self.as_str())
    }
}

fn builtin(list: List) -> &'static Vocabulary {
    Vocabularies::builtin().list(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_itself_back() {
        for concept in builtin(List::Themes).concepts() {
            let theme = Theme::parse(&concept.code).unwrap();
            assert_eq!(theme.iri().as_deref(), concept.iri.as_deref());
            assert_eq!(Theme::parse(&theme.iri().unwrap()), Ok(theme));
            assert_eq!(
                serde_json::from_str::<Theme>(&serde_json::to_string(&theme).unwrap()).unwrap(),
                theme
            );
        }
        let all = |list| builtin(list).concepts();
        assert!(all(List::Frequencies).iter().all(|one| Frequency::parse(&one.code).is_ok()));
        assert!(
            all(List::DistributionStatuses).iter().all(|one| DistributionStatus::parse(&one.code).is_ok())
        );
        assert!(all(List::HvdCategories).iter().all(|one| HvdCategory::parse(&one.code).is_ok()));
        assert!(
            all(List::Licences)
                .iter()
                .all(|one| LicenceIri::parse(&one.code).unwrap().label() == &*one.label.de)
        );
    }

    #[test]
    fn a_wrong_code_names_the_list_and_the_nearest() {
        let error = Frequency::parse("MONTLY").unwrap_err();
        assert!(error.message_de().contains("vielleicht „MONTHLY“"), "{}", error.message_de());
        for wrong in ["", "ENVIRO", "http://publications.europa.eu/resource/authority/frequency/ENVI"] {
            assert!(Theme::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_code_of_another_list_is_read_but_has_no_label() {
        let theme: Theme = serde_json::from_str("\"BOERDE\"").unwrap();
        assert_eq!((theme.code(), theme.label(Lang::De)), ("BOERDE", "BOERDE"));
        let own: LicenceIri = serde_json::from_str("\"https://soest.example/lizenz\"").unwrap();
        assert!(!own.is_open() && own.label() == own.as_str());
        for wrong in ["\"\"", "\"Umwelt und Klima\"", "\"Ä\"", "\"ABCDEFGHIJKLMNOPQRSTUVWXYZ\""] {
            assert!(serde_json::from_str::<Theme>(wrong).is_err(), "{wrong}");
        }
        assert!(Theme::read("ENVI").unwrap() < Theme::read("ENVIR").unwrap());
    }

    #[test]
    fn only_zero_public_domain_and_attribution_are_open() {
        assert!(LicenceIri::parse("https://dcat-ap.de/def/licenses/dl-zero-de/2.0").unwrap().is_open());
        assert!(LicenceIri::parse("cc-by/4.0").unwrap().asks_attribution());
        for closed in ["cc-by-nc/4.0", "dl-by-nc-de/1.0", "cc-by-nd/4.0", "other-closed"] {
            assert!(!LicenceIri::parse(closed).unwrap().is_open(), "{closed}");
        }
        assert!(LicenceIri::parse("https://example.org/meine-lizenz").is_err());
        assert!(LicenceIri::open_list().all(|iri| !iri.contains("-nc") && !iri.contains("-nd")));
    }
}
