//! Comparisons that pass over upper case or accents.
//!
//! The index holds values as they were written, so these walk all values of a field; how many such
//! walks an expression may ask for is bounded by [`PATTERNS_MAX`](super::PATTERNS_MAX).

use std::fmt;
use std::ops::{Bound, RangeBounds};

use icu_normalizer::DecomposingNormalizerBorrowed;
use tantivy::query::{BitSetDocSet, ConstScorer, EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{BitSet, DocId, DocSet as _, Score, SegmentReader, TERMINATED, Term};

use super::expression::{NamedField, Pattern};

/// What a comparison passes over in the values of a field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Folding {
    /// Upper and lower case: full case folding (Unicode 14, 5.18), so that ß is ss.
    pub case: bool,
    /// Accents and all other marks that Unicode takes off a letter (canonical decomposition).
    pub accents: bool,
}

impl Folding {
    /// Whether it leaves every text as it is.
    pub fn is_none(self) -> bool {
        self == Self::default()
    }

    /// The text without what is passed over.
    pub fn apply(self, text: &str) -> String {
        let plain = if self.accents { without_marks(text) } else { text.to_owned() };
        if self.case { plain.chars().flat_map(caseless).collect() } else { plain }
    }
}

/// Both ways of a letter's case, which leads ß and ẞ to ss and all sigmas to one.
fn caseless(letter: char) -> impl Iterator<Item = char> {
    // The dotless i of Turkish is no i: only its upper case looks like one.
    let dotless = (letter == 'ı').then_some(letter);
    let folded = (letter != 'ı').then_some(letter).into_iter();
    let folded = folded.flat_map(char::to_lowercase).flat_map(char::to_uppercase);
    dotless.into_iter().chain(folded.flat_map(char::to_lowercase))
}

fn without_marks(text: &str) -> String {
    let is_mark = |letter: &char| matches!(letter, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}');
    let apart = DecomposingNormalizerBorrowed::new_nfd().normalize(text);
    apart.chars().filter(|letter| !is_mark(letter)).collect()
}

/// What a value is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fit {
    /// It is one of these.
    Among(Vec<String>),
    /// It has this form as a whole.
    Like(Pattern),
    /// It lies between these, in the order of their letters.
    Between(Bound<String>, Bound<String>),
}

impl Fit {
    /// Whether a value fits; what is passed over was taken off it before.
    pub fn holds(&self, value: &str) -> bool {
        match self {
            Self::Among(values) => values.iter().any(|one| one == value),
            Self::Like(pattern) => pattern.fits(value),
            Self::Between(from, to) => {
                let ends = (from.as_ref().map(String::as_str), to.as_ref().map(String::as_str));
                RangeBounds::<str>::contains(&ends, value)
            }
        }
    }
}

/// The records of which a value of a field fits; all count the same.
#[derive(Clone)]
pub(super) struct FoldedQuery {
    pub(super) named: Field,
    pub(super) field: NamedField,
    pub(super) folding: Folding,
    pub(super) fit: Fit,
}

impl fmt::Debug for FoldedQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FoldedQuery").field(&self.field).field(&self.folding).field(&self.fit).finish()
    }
}

impl Query for FoldedQuery {
    fn weight(&self, _: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(self.clone()))
    }
}

impl Weight for FoldedQuery {
    fn scorer(&self, segment: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let before = self.field.value_term("");
        let term = |text: &str| Term::from_field_text(self.named, text);
        let (from, to) = (term(&before), term(&self.field.value_term(&char::MAX.to_string())));
        let index = segment.inverted_index(self.named)?;
        let range = index.terms().range().ge(from.serialized_value_bytes());
        let mut values = range.lt(to.serialized_value_bytes()).into_stream()?;
        let mut found = BitSet::with_max_value(segment.max_doc());
        while values.advance() {
            // Terms were made of texts.
            let value = std::str::from_utf8(&values.key()[before.len()..]).unwrap_or_default();
            if !self.fit.holds(&self.folding.apply(value)) {
                continue;
            }
            let mut records = index.read_postings_from_terminfo(values.value(), IndexRecordOption::Basic)?;
            while records.doc() != TERMINATED {
                found.insert(records.doc());
                records.advance();
            }
        }
        Ok(Box::new(ConstScorer::new(BitSetDocSet::from(found), boost)))
    }

    fn explain(&self, segment: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        let mut scorer = self.scorer(segment, 1.0)?;
        let holds = scorer.doc() <= doc && scorer.seek(doc) == doc;
        Ok(Explanation::new("FoldedQuery", if holds { 1.0 } else { 0.0 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_accents_are_taken_off_each_by_itself() {
        let fold = |case, accents, text: &str| Folding { case, accents }.apply(text);
        assert_eq!(fold(false, false, "Große ÄRA"), "Große ÄRA");
        assert_eq!(fold(true, false, "Große STRAẞE ÄRA Σίσυφος"), "grosse strasse ära σίσυφοσ");
        assert_eq!(fold(false, true, "Große Çédille ÄRA a\u{308}"), "Große Cedille ARA a");
        assert_eq!(fold(true, true, "Müllabfuhr ÉCOLE"), "mullabfuhr ecole");
        assert_eq!(fold(true, true, "ıI"), "ıi");
    }
}
