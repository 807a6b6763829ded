//! Hands terms that are already analysed to tantivy, as one text.
//!
//! A term stands between separators; nothing between two separators is a place without a term,
//! as of a stop word. So places in a text survive, and with them phrases.

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

/// The name the tokenizer is registered by.
pub(super) const TERMS_TOKENIZER: &str = "terms";
/// A control character, which no word contains.
const SEPARATOR: char = '\u{1f}';
/// Distance between the texts of one field, so that no phrase spans two.
const GAP_PLACES: usize = 16;

/// The terms of one field of one record, in order.
#[derive(Default)]
pub(super) struct TermList {
    text: String,
}

impl TermList {
    /// Adds a term, or a place without one.
    pub(super) fn push(&mut self, term: Option<&str>) {
        // Only identifiers can contain it; they are then found without it.
        for part in term.into_iter().flat_map(|term| term.split(SEPARATOR)) {
            self.text.push_str(part);
        }
        self.text.push(SEPARATOR);
    }

    /// Ends one of several texts.
    pub(super) fn end_text(&mut self) {
        self.text.extend(std::iter::repeat_n(SEPARATOR, GAP_PLACES));
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

/// Takes a [`TermList`] apart again.
#[derive(Clone, Default)]
pub(super) struct TermsTokenizer {
    token: Token,
}

/// The terms of one list.
pub(super) struct TermStream<'a> {
    rest: Option<&'a str>,
    token: &'a mut Token,
}

impl Tokenizer for TermsTokenizer {
    type TokenStream<'a> = TermStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> TermStream<'a> {
        self.token.reset();
        TermStream { rest: Some(text), token: &mut self.token }
    }
}

impl TokenStream for TermStream<'_> {
    fn advance(&mut self) -> bool {
        while let Some(rest) = self.rest {
            let (term, behind) = match rest.split_once(SEPARATOR) {
                Some((term, behind)) => (term, Some(behind)),
                None => (rest, None),
            };
            self.rest = behind;
            self.token.position = self.token.position.wrapping_add(1);
            if !term.is_empty() {
                self.token.text.clear();
                self.token.text.push_str(term);
                return true;
            }
        }
        false
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_come_back_in_their_places() {
        let mut list = TermList::default();
        for term in [Some("pegel"), None, Some("gewass")] {
            list.push(term);
        }
        list.end_text();
        list.push(Some("se\u{1f}e"));
        let text = list.into_text();
        let mut tokenizer = TermsTokenizer::default();
        let mut stream = tokenizer.token_stream(&text);
        let mut found = Vec::new();
        while let Some(token) = stream.next() {
            found.push((token.position, token.text.clone()));
        }
        let expected = [(0, "pegel"), (2, "gewass"), (3 + GAP_PLACES, "see")];
        assert_eq!(found, expected.map(|(place, term)| (place, term.to_owned())));
    }
}
