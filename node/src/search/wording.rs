//! The words of a German text as other parts of the node compare texts: by the
//! same stems, spellings and compounds as the search.

use std::sync::Arc;

use super::analysis::{Analysed, Analyzer, TextLanguage, words};

/// Reads texts into words, remembering recent ones.
pub(crate) struct Wording(Analyzer);

/// One word of a text.
pub(crate) struct Wordform(Arc<Analysed>);

impl Wording {
    /// For many texts.
    pub(crate) fn for_many() -> Self {
        Self(Analyzer::for_many())
    }

    /// The words of a text, in order.
    pub(crate) fn read(&mut self, text: &str) -> Vec<Wordform> {
        let words = words(text);
        words.iter().map(|word| Wordform(self.0.analyse(TextLanguage::German, &word.lower))).collect()
    }
}

impl Wordform {
    /// The word itself, folded.
    pub(crate) fn folded(&self) -> &str {
        &self.0.folded
    }

    /// What all its forms have in common.
    pub(crate) fn stem(&self) -> &str {
        &self.0.stem
    }

    /// Stems of its parts, if it is a compound.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.parts.iter().map(|part| part.stem.as_str())
    }

    /// Whether it is too common to say anything.
    pub(crate) fn is_stop_word(&self) -> bool {
        self.0.stop
    }
}
