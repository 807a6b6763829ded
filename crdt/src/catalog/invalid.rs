//! What is wrong with a value, said so that the one who typed it can put it
//! right: field, value, problem and remedy, in German and English.
//!
//! Never decides anything; never holds more than an excerpt of what was given.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A language the catalog speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Lang {
    /// German, the language of the administration.
    #[default]
    De,
    /// English.
    En,
}

impl Lang {
    /// Both languages, German first.
    pub const ALL: [Self; 2] = [Self::De, Self::En];

    /// The ISO 639-1 code used in JSON and in documents.
    pub fn code(self) -> &'static str {
        match self {
            Self::De => "de",
            Self::En => "en",
        }
    }

    /// Reads an ISO 639-1 code.
    pub fn parse(text: &str) -> Result<Self, InvalidField> {
        Self::ALL.into_iter().find(|lang| lang.code() == text).ok_or_else(|| {
            InvalidField::new(
                "language",
                text,
                Bilingual::fixed("ist keine Sprache des Katalogs", "is not a language of the catalog"),
                Bilingual::fixed("`de` oder `en` angeben", "give `de` or `en`"),
            )
        })
    }
}

/// One message in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bilingual {
    /// German.
    pub de: Box<str>,
    /// English.
    pub en: Box<str>,
}

impl Bilingual {
    /// A message without variable parts.
    pub fn fixed(de: &str, en: &str) -> Self {
        Self { de: de.into(), en: en.into() }
    }

    /// A message made for the case at hand.
    pub fn made(de: String, en: String) -> Self {
        Self { de: de.into(), en: en.into() }
    }

    /// The message in one language.
    pub fn in_lang(&self, lang: Lang) -> &str {
        match lang {
            Lang::De => &self.de,
            Lang::En => &self.en,
        }
    }
}

impl fmt::Display for Bilingual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.en)
    }
}

/// Characters of a refused value that an error repeats.
const EXCERPT_CHARS: usize = 80;

/// A value that its field cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("field `{field}`: `{value}` {problem}; {remedy}")]
pub struct InvalidField {
    /// Path of the field as the caller wrote it, `/` between its parts.
    pub field: String,
    /// The value as given, shortened.
    pub value: String,
    /// What is wrong: completes "the value …".
    pub problem: Bilingual,
    /// What to do, in the imperative.
    pub remedy: Bilingual,
}

impl InvalidField {
    /// An error about one value.
    pub fn new(
        field: impl Into<String>,
        value: impl fmt::Display,
        problem: Bilingual,
        remedy: Bilingual,
    ) -> Self {
        Self { field: field.into(), value: excerpt(&value.to_string()), problem, remedy }
    }

    /// The same error, said about the field at `path`.
    #[must_use]
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.field = path.into();
        self
    }

    /// The whole sentence in German.
    pub fn message_de(&self) -> String {
        format!(
            "Feld „{}“: Wert „{}“ {}. Abhilfe: {}.",
            self.field, self.value, self.problem.de, self.remedy.de
        )
    }

    /// The whole sentence in English.
    pub fn message_en(&self) -> String {
        self.to_string()
    }

    /// The whole sentence in the language asked for.
    pub fn message(&self, lang: Lang) -> String {
        match lang {
            Lang::De => self.message_de(),
            Lang::En => self.message_en(),
        }
    }
}

fn excerpt(value: &str) -> String {
    let clean = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut shown: String = value.chars().take(EXCERPT_CHARS).map(clean).collect();
    if value.chars().nth(EXCERPT_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

/// The candidate that a misspelt word most likely meant, if any comes close.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.chars().take(64).flat_map(char::to_lowercase).collect();
    candidates
        .into_iter()
        .map(|candidate| (distance(&word, &candidate.to_lowercase().chars().collect::<Vec<_>>()), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.chars().count() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How alike two short texts are, in hundredths: the share of characters that
/// need not change to make one from the other.
pub(crate) fn likeness(a: &str, b: &str) -> u32 {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let longest = a.len().max(b.len());
    // Lengths alone rule most pairs out, at no cost.
    if longest == 0 || a.len().abs_diff(b.len()) * 2 > longest {
        return 0;
    }
    u32::try_from((longest - distance(&a, &b)) * 100 / longest).unwrap_or(0)
}

/// How many characters must be put in, taken out or replaced to make one text
/// from the other (Levenshtein's distance).
pub fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let replace = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replace.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_finds_its_word() {
        let words = ["title", "licence", "description", "department"];
        assert_eq!(nearest("titel", words), Some("title"));
        assert_eq!(nearest("Licence", words), Some("licence"));
        assert_eq!(nearest("license", words), Some("licence"));
        assert_eq!(nearest("geruch", words), None);
    }

    #[test]
    fn an_error_names_field_value_and_remedy_and_hides_control_characters() {
        let problem = Bilingual::fixed("ist zu lang", "is too long");
        let error = InvalidField::new(
            "title/de",
            format!("a\u{7}{}", "x".repeat(500)),
            problem,
            Bilingual::fixed("kürzen", "shorten it"),
        );
        assert!(
            error.message_de().starts_with("Feld „title/de“: Wert „a\u{fffd}x"),
            "{}",
            error.message_de()
        );
        assert!(error.message_en().ends_with("…` is too long; shorten it"), "{}", error.message_en());
        assert!(error.value.chars().count() <= EXCERPT_CHARS + 1);
    }
}
