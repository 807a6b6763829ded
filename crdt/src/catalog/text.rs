//! Words, names and addresses that hold no nonsense: bounded, printable, and
//! of the form their standard asks for.
//!
//! Never looks anything up: an IRI or a mailbox is well formed, not reachable.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::invalid::{Bilingual, InvalidField, Lang};
use crate::vocabulary::Vocabularies;

/// Longest text value in bytes (protocol section 13).
pub const TEXT_BYTES_MAX: usize = 32_768;
/// Longest single line in bytes: titles, names, roles.
pub const LINE_BYTES_MAX: usize = 1_000;
/// Longest word in bytes: keywords and formats are map keys, at most 256 bytes
/// with their language.
pub const WORD_BYTES_MAX: usize = 200;
/// Longest IRI in bytes.
pub const IRI_BYTES_MAX: usize = 2_048;

macro_rules! text_type {
    ($(#[$meta:meta])* $name:ident, $field:literal, $check:expr) => {
        text_type!($(#[$meta])* $name, $field, $check, $check);
    };
    // The second check is for what is stored, as opposed to typed.
    ($(#[$meta:meta])* $name:ident, $field:literal, $check:expr, $stored:expr) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Reads it from text as typed; white space around it is dropped.
            pub fn parse(text: &str) -> Result<Self, InvalidField> {
                let check: fn(&str, &str) -> Result<String, InvalidField> = $check;
                check($field, text.trim()).map(Self)
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidField;

            fn try_from(text: String) -> Result<Self, InvalidField> {
                let check: fn(&str, &str) -> Result<String, InvalidField> = $stored;
                check($field, text.trim()).map(Self)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidField;

            fn from_str(text: &str) -> Result<Self, InvalidField> {
                Self::parse(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}
pub(super) use text_type;

text_type!(
    /// Prose of one or more lines, at most 32 KiB.
    Text, "text", |field, text| printable(field, text, TEXT_BYTES_MAX, true)
);
text_type!(
    /// One line: a title, a name, a role.
    Line, "line", |field, text| printable(field, text, LINE_BYTES_MAX, false)
);
text_type!(
    /// One keyword in one language.
    Word, "keyword", |field, text| printable(field, text, WORD_BYTES_MAX, false)
);
text_type!(
    /// The plain name of a file format or service type, such as `CSV` or `WFS`.
    Format, "format", format_name, format_word
);
text_type!(
    /// An absolute IRI. Kept as given, so that identifiers stay the same.
    Iri, "iri", iri
);
text_type!(
    /// A dataset's `dct:identifier`: a UUID, an IRI or another stable name.
    Identifier, "identifier", |field, text| printable(field, text, LINE_BYTES_MAX, false)
);
text_type!(
    /// An e-mail address; in the catalog always a role's, never a person's.
    Mailbox, "email", mailbox
);
text_type!(
    /// A telephone number as people write it.
    Phone, "phone", phone
);
text_type!(
    /// Names a distribution or a service within its dataset, a series within its
    /// catalog.
    DistributionId, "distributions", distribution_id
);

impl Format {
    /// Reads a name as documents hold it.
    pub fn read(text: &str) -> Result<Self, InvalidField> {
        Self::try_from(text.to_owned())
    }

    /// [`Self::parse`] with the lists of a town.
    pub fn parse_with(lists: &Vocabularies, text: &str) -> Result<Self, InvalidField> {
        lists.formats().find(text).map_or_else(|| Self::parse(text), |concept| Self::read(concept.name()))
    }
}

impl DistributionId {
    /// The id of an entry that was given none: a digest of what makes it
    /// itself, so that nodes that add the same one call it the same.
    pub fn derive(
        access_url: Option<&str>,
        download_url: Option<&str>,
        format: Option<&str>,
        title: Option<&str>,
    ) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("hanse distribution id 1");
        for part in [access_url, download_url, format, title] {
            let part = part.unwrap_or_default();
            hasher.update(&(part.len() as u64).to_be_bytes()).update(part.as_bytes());
        }
        Self(crate::ids::hex(&hasher.finalize().as_bytes()[..8]))
    }
}

fn invalid(
    field: &str,
    value: &str,
    de: &'static str,
    en: &'static str,
    remedy_de: &'static str,
    remedy_en: &'static str,
) -> InvalidField {
    InvalidField::new(field, value, Bilingual::fixed(de, en), Bilingual::fixed(remedy_de, remedy_en))
}

fn printable(field: &str, text: &str, bytes_max: usize, lines: bool) -> Result<String, InvalidField> {
    if text.is_empty() {
        let (de, en) =
            ("Text eintragen oder das Feld mit null leeren", "give a text, or clear the field with null");
        return Err(invalid(field, text, "ist leer", "is empty", de, en));
    }
    if text.len() > bytes_max {
        return Err(InvalidField::new(
            field,
            text,
            Bilingual::fixed("ist zu lang", "is too long"),
            Bilingual::made(
                format!("auf höchstens {bytes_max} Byte kürzen"),
                format!("shorten it to at most {bytes_max} bytes"),
            ),
        ));
    }
    let text = text.replace("\r\n", "\n");
    let allowed = |c: char| lines && (c == '\n' || c == '\t');
    if let Some(c) = text.chars().find(|c| !allowed(*c) && (c.is_control() || deceives(*c))) {
        return Err(InvalidField::new(
            field,
            &text,
            Bilingual::made(
                format!("enthält das Zeichen U+{:04X}, das hier nicht stehen darf", u32::from(c)),
                format!("contains the character U+{:04X}, which may not stand here", u32::from(c)),
            ),
            Bilingual::fixed("Zeichen entfernen", "remove it"),
        ));
    }
    Ok(text)
}

/// Invisible characters that turn or break what a reader sees.
fn deceives(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// One spelling per format: facets and sets compare by text.
fn format_name(field: &str, text: &str) -> Result<String, InvalidField> {
    let known = Vocabularies::builtin().formats().find(text);
    known.map_or_else(|| format_word(field, text), |concept| Ok(concept.name().to_owned()))
}

fn format_word(field: &str, text: &str) -> Result<String, InvalidField> {
    let text = printable(field, text, WORD_BYTES_MAX, false)?;
    if text.contains(['/', '\\', '<', '>']) && !text.contains("://") && text.split('/').count() != 2 {
        let (de, en) = ("Kurznamen wie CSV oder WFS angeben", "give a short name such as CSV or WFS");
        return Err(invalid(
            field,
            &text,
            "ist kein Name eines Formats",
            "is not the name of a format",
            de,
            en,
        ));
    }
    Ok(text)
}

fn iri(field: &str, text: &str) -> Result<String, InvalidField> {
    let (de, en) = (
        "vollständige Adresse angeben, zum Beispiel https://daten.soest.example/baumkataster",
        "give a whole address, for example https://daten.soest.example/baumkataster",
    );
    let wrong = |de_problem, en_problem| invalid(field, text, de_problem, en_problem, de, en);
    if text.len() > IRI_BYTES_MAX {
        return Err(wrong("ist länger als 2048 Byte", "is longer than 2048 bytes"));
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control() || deceives(c) || "<>\"{}|\\^`".contains(c)) {
        return Err(wrong(
            "enthält Zeichen, die keine Adresse haben darf",
            "contains characters that no address may have",
        ));
    }
    let parsed =
        url::Url::parse(text).map_err(|_| wrong("ist keine Adresse", "is not an absolute address"))?;
    let known = matches!(parsed.scheme(), "http" | "https" | "urn" | "ftp" | "ftps" | "doi");
    if !known || (parsed.cannot_be_a_base() && parsed.path().is_empty()) {
        return Err(wrong(
            "beginnt nicht mit http:, https:, ftp:, doi: oder urn:",
            "does not begin with http:, https:, ftp:, doi: or urn:",
        ));
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(invalid(
            field,
            "…",
            "enthält einen Benutzernamen oder ein Kennwort",
            "contains a user name or password",
            "Adresse ohne Zugangsdaten angeben",
            "give the address without credentials",
        ));
    }
    Ok(text.to_owned())
}

fn mailbox(field: &str, text: &str) -> Result<String, InvalidField> {
    let address = text.strip_prefix("mailto:").unwrap_or(text);
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    let atom = |atom: &str| {
        !atom.is_empty()
            && atom.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c))
    };
    let fine = address.len() <= 254
        && address.split_once('@').is_some_and(|(local, domain)| {
            local.len() <= 64
                && local.split('.').all(atom)
                && domain.contains('.')
                && domain.split('.').all(label)
        });
    if fine {
        return Ok(address.to_owned());
    }
    let (de, en) = (
        "Funktionspostfach angeben, zum Beispiel opendata@soest.example",
        "give a role mailbox, for example opendata@soest.example",
    );
    Err(invalid(field, text, "ist keine E-Mail-Adresse", "is not an e-mail address", de, en))
}

fn phone(field: &str, text: &str) -> Result<String, InvalidField> {
    let number = text.strip_prefix("tel:").unwrap_or(text);
    let digits = number.chars().filter(char::is_ascii_digit).count();
    let fine = number.len() <= 40
        && (3..=20).contains(&digits)
        && number.chars().all(|c| c.is_ascii_digit() || "+-/() .".contains(c));
    if fine {
        return Ok(number.to_owned());
    }
    let (de, en) =
        ("Rufnummer angeben, zum Beispiel +49 2921 1030", "give a number, for example +49 2921 1030");
    Err(invalid(field, text, "ist keine Rufnummer", "is not a telephone number", de, en))
}

fn distribution_id(field: &str, text: &str) -> Result<String, InvalidField> {
    let fine = !text.is_empty()
        && text.len() <= 64
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if fine {
        return Ok(text.to_owned());
    }
    let (de, en) = (
        "1 bis 64 Zeichen aus Buchstaben ohne Umlaute, Ziffern, Punkt und Strich verwenden",
        "use 1 to 64 ASCII letters, digits, dots, hyphens or underscores",
    );
    Err(invalid(field, text, "ist keine Kennung", "is not an id", de, en))
}

/// A text in German, English or both.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Literal<T> {
    /// German.
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub de: Option<T>,
    /// English.
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub en: Option<T>,
}

/// A title in the languages it was given in.
pub type Title = Literal<Line>;
/// A description in the languages it was given in.
pub type Prose = Literal<Text>;

impl<T> Default for Literal<T> {
    fn default() -> Self {
        Self { de: None, en: None }
    }
}

impl<T> Literal<T> {
    /// A German text.
    pub fn german(text: T) -> Self {
        Self { de: Some(text), en: None }
    }

    /// Whether no language has a text.
    pub fn is_empty(&self) -> bool {
        self.de.is_none() && self.en.is_none()
    }

    /// The text in exactly this language.
    pub fn get(&self, lang: Lang) -> Option<&T> {
        match lang {
            Lang::De => self.de.as_ref(),
            Lang::En => self.en.as_ref(),
        }
    }

    /// The text in this language, else in the other.
    pub fn best(&self, lang: Lang) -> Option<&T> {
        self.get(lang).or(self.de.as_ref()).or(self.en.as_ref())
    }

    /// The texts there are, with their languages.
    pub fn iter(&self) -> impl Iterator<Item = (Lang, &T)> {
        Lang::ALL.into_iter().filter_map(|lang| Some((lang, self.get(lang)?)))
    }
}

/// A keyword: one word in one language.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Keyword {
    /// The word's language.
    pub lang: Lang,
    /// The word.
    pub word: Word,
}

/// A dataset's keywords: in JSON `{"de": ["Baum", …], "en": […]}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Keywords {
    /// German words.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub de: BTreeSet<Word>,
    /// English words.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub en: BTreeSet<Word>,
}

impl Keywords {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.de.is_empty() && self.en.is_empty()
    }

    /// All keywords, German first.
    pub fn iter(&self) -> impl Iterator<Item = Keyword> + '_ {
        let with = |lang| move |word: &Word| Keyword { lang, word: word.clone() };
        self.de.iter().map(with(Lang::De)).chain(self.en.iter().map(with(Lang::En)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_refuse_nonsense() {
        for wrong in ["", "   ", "a\u{0}b", "a\nb", "a\u{202e}b", "x\u{feff}y"] {
            assert!(Line::parse(wrong).is_err(), "{wrong:?}");
        }
        assert!(Line::parse(&"ä".repeat(501)).is_err());
        assert_eq!(Line::parse("  Baumkataster ").unwrap().as_str(), "Baumkataster");
        assert_eq!(Text::parse("a\r\nb\tc").unwrap().as_str(), "a\nb\tc");
        assert!(Text::parse(&"x".repeat(TEXT_BYTES_MAX + 1)).is_err());
        assert!(Text::parse(&"x".repeat(TEXT_BYTES_MAX)).is_ok());
        assert!(serde_json::from_str::<Word>("\"\"").is_err());
    }

    #[test]
    fn addresses_are_whole_and_carry_no_credentials() {
        for fine in [
            "https://daten.soest.example/a?b=c#d",
            "urn:uuid:6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10",
            "http://dcat-ap.de/def/licenses/cc-zero",
            "https://straße.example/ä",
        ] {
            assert_eq!(Iri::parse(fine).unwrap().as_str(), fine);
        }
        for wrong in [
            "",
            "soest",
            "/daten",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "https://a b",
            "https://u:p@a.example",
            "data:text/html,x",
            "https://",
            "C:\\Daten",
            "https://a.example/<x>",
        ] {
            assert!(Iri::parse(wrong).is_err(), "{wrong}");
        }
        assert!(!Iri::parse("https://u:geheim@a.example").unwrap_err().message_de().contains("geheim"));
    }

    #[test]
    fn mailboxes_and_numbers() {
        assert_eq!(
            Mailbox::parse("mailto:opendata@soest.example").unwrap().as_str(),
            "opendata@soest.example"
        );
        for wrong in [
            "",
            "opendata",
            "a@b",
            "a@@b.de",
            "a b@c.de",
            "@c.de",
            "a@.de",
            "a..b@c.de",
            "a@c.de\nBcc: x@y.de",
        ] {
            assert!(Mailbox::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Phone::parse("+49 (2921) 103-0").is_ok());
        for wrong in ["", "12", "null", "+49 x", "0123456789012345678901"] {
            assert!(Phone::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn formats_have_one_spelling() {
        assert_eq!(Format::parse("geojson").unwrap().as_str(), "GeoJSON");
        assert_eq!(Format::parse("Eigenes Format").unwrap().as_str(), "Eigenes Format");
        assert!(Format::parse("\\\\server\\laufwerk\\x").is_err());
    }

    #[test]
    fn a_literal_prefers_the_language_asked_for() {
        let both = Literal { de: Some(1), en: Some(2) };
        assert_eq!((both.best(Lang::En), Literal::german(1).best(Lang::En)), (Some(&2), Some(&1)));
        assert_eq!(Literal::<u8>::default().best(Lang::De), None);
    }
}
