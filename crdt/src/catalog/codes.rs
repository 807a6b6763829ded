//! The catalog's own words: short lists that the program itself knows, each
//! with German and English labels. What others publish as a list is in
//! [`super::listed`].
//!
//! Never grows without a release: rules and stores depend on each word.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::invalid::{Bilingual, InvalidField, Lang, nearest};

macro_rules! code_list {
    ($(#[$meta:meta])* $name:ident, $field:literal,
     { $($(#[$variant_meta:meta])* $variant:ident = $code:literal, $de:literal, $en:literal;)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub enum $name {
            $(#[doc = $en] $(#[$variant_meta])* $variant,)+
        }

        impl $name {
            /// All codes of the list.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code as JSON and documents hold it.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// What people read.
            pub fn label(self, lang: Lang) -> &'static str {
                match (self, lang) {
                    $((Self::$variant, Lang::De) => $de, (Self::$variant, Lang::En) => $en,)+
                }
            }

            /// Reads a code; upper and lower case and its German label mean the
            /// same.
            pub fn parse(text: &str) -> Result<Self, InvalidField> {
                let text = text.trim();
                // Documents hold the code itself: no need to compare labels.
                if let Some(code) = Self::ALL.iter().copied().find(|code| code.code() == text) {
                    return Ok(code);
                }
                let word = text.to_lowercase();
                let meant = |code: &Self| code.code().to_lowercase() == word || code.label(Lang::De).to_lowercase() == word;
                Self::ALL.iter().copied().find(meant).ok_or_else(|| not_in_list($field, text, Self::ALL.iter().map(|code| code.code())))
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
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(code: $name) -> String {
                code.code().to_owned()
            }
        }
    };
}

fn not_in_list(field: &str, text: &str, codes: impl Iterator<Item = &'static str> + Clone) -> InvalidField {
    let guess = nearest(text, codes.clone());
    let all = codes.collect::<Vec<_>>().join(", ");
    let remedy = match guess {
        Some(guess) => Bilingual::made(
            format!("vielleicht „{guess}“? Möglich sind: {all}"),
            format!("did you mean `{guess}`? Possible are: {all}"),
        ),
        None => Bilingual::made(format!("einen dieser Werte angeben: {all}"), format!("give one of: {all}")),
    };
    InvalidField::new(field, text, Bilingual::fixed("steht nicht in der Liste", "is not in the list"), remedy)
}

code_list!(
    /// Whether a dataset is a high-value dataset.
    Hvd, "hvd",
    {
        Yes = "ja", "ja", "yes";
        No = "nein", "nein", "no";
        ToCheck = "zu prüfen", "zu prüfen", "to be checked";
    }
);

code_list!(
    /// How the data relate to persons.
    PersonalData, "personal_data",
    {
        None = "keiner", "kein Personenbezug", "no personal data";
        Anonymised = "anonymisiert", "anonymisierte Daten", "anonymised";
        Pseudonymised = "pseudonymisiert", "pseudonymisierte Daten", "pseudonymised";
        Personal = "personenbezogen", "personenbezogene Daten", "personal data";
        ToCheck = "zu prüfen", "noch zu prüfen", "to be checked";
    }
);

code_list!(
    /// Dimension of data quality that a dataset promises.
    QualityCriterion, "quality_criteria",
    {
        Correct = "korrekt", "korrekt", "correct";
        Consistent = "konsistent", "konsistent", "consistent";
        Reliable = "zuverlässig", "zuverlässig", "reliable";
        Complete = "vollständig", "vollständig", "complete";
        Accurate = "genau", "genau", "accurate";
        Current = "aktuell", "aktuell", "current";
        FreeOfRedundancy = "redundanzfrei", "redundanzfrei", "free of redundancy";
        Relevant = "relevant", "relevant", "relevant";
        Uniform = "einheitlich", "einheitlich", "uniform";
        Unambiguous = "eindeutig", "eindeutig", "unambiguous";
        Understandable = "verständlich", "verständlich", "understandable";
    }
);

code_list!(
    /// Where a record stands in its life.
    LifecycleStatus, "status",
    {
        Draft = "entwurf", "Entwurf", "draft";
        InReview = "in_pruefung", "in Prüfung", "in review";
        Internal = "intern", "intern", "internal";
        Shared = "geteilt", "geteilt", "shared";
        Published = "veroeffentlicht", "veröffentlicht", "published";
        Deprecated = "veraltet", "veraltet", "deprecated";
        Withdrawn = "zurueckgezogen", "zurückgezogen", "withdrawn";
        Archived = "archiviert", "archiviert", "archived";
    }
);

code_list!(
    /// Who may see a record.
    Class, "class",
    {
        Open = "open", "offen", "open";
        Shared = "shared", "geteilt", "shared";
        Closed = "closed", "geschlossen", "closed";
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_itself_back() {
        assert_eq!((QualityCriterion::ALL.len(), LifecycleStatus::ALL.len()), (11, 8));
        for status in LifecycleStatus::ALL {
            assert_eq!(LifecycleStatus::parse(status.code()), Ok(*status));
            assert_eq!(LifecycleStatus::parse(&status.label(Lang::De).to_uppercase()), Ok(*status));
        }
    }

    #[test]
    fn a_wrong_code_names_the_list_and_the_nearest() {
        assert!(PersonalData::parse("geheim").unwrap_err().message_en().contains("personenbezogen"));
        assert!(
            LifecycleStatus::parse("veralted").unwrap_err().message_de().contains("vielleicht „veraltet“")
        );
    }
}
