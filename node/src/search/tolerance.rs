//! What a word that hardly any record contains may stand for: words that begin
//! with it but for some typing errors, and words that it is the inside of.
//!
//! A segment's dictionary can be asked either with an automaton, which walks over
//! most of its nodes, once for each section and way. So each segment keeps its
//! words in one text, where a walk costs a tenth of that, and what a word may
//! stand for is found once and looked up in every run of the query.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use levenshtein_automata::{DFA, Distance, LevenshteinAutomatonBuilder, SINK_STATE};
use tantivy::SegmentReader;

use super::fields::{Fields, Section};

/// Stands behind each word of a [`WordList`]; no word contains it.
const END: char = '\u{1f}';

/// How tolerantly a rare word is searched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tolerance {
    /// Letters that may be wrong.
    pub(super) edits: u8,
    /// Whether it may be the inside of a longer word.
    pub(super) inside: bool,
    /// Words of title and keywords that begin with it, but for the errors.
    pub(super) words: BTreeSet<String>,
    /// The same of the body.
    pub(super) body_words: BTreeSet<String>,
    /// Words of either that it is the inside of, if that is allowed.
    pub(super) around: BTreeSet<String>,
}

impl Tolerance {
    /// Finds what `word` may stand for with so many errors.
    pub(super) fn for_errors(word: &str, edits: u8, lists: &[&WordList]) -> Tolerance {
        let spelling = Spelling::new(word, edits);
        let mut found = Tolerance { edits, ..Tolerance::default() };
        for list in lists {
            found.words.extend(list.words().filter(|word| spelling.begins(word)).map(str::to_owned));
            found
                .body_words
                .extend(list.body_words().filter(|word| spelling.begins(word)).map(str::to_owned));
        }
        found
    }

    /// Finds what `word` may be the inside of, too.
    pub(super) fn look_inside(&mut self, word: &str, lists: &[&WordList]) {
        self.inside = true;
        for list in lists {
            self.around.extend(list.around(word).map(str::to_owned));
        }
    }
}

/// The words of one segment, those of title and keywords and those of the body.
#[derive(Debug, Default)]
pub(super) struct WordList {
    words: String,
    body_words: String,
}

impl WordList {
    pub(super) fn read(segment: &SegmentReader, fields: Fields) -> tantivy::Result<WordList> {
        let index = segment.inverted_index(fields.presence)?;
        let section = |section: Section| -> tantivy::Result<String> {
            let (start, end) = fields.beginnings(section, "");
            let range = index.terms().range().ge(start.serialized_value_bytes());
            let mut terms = range.lt(end.serialized_value_bytes()).into_stream()?;
            let mut words = String::new();
            while terms.advance() {
                // Behind the tag of the section, which is one byte.
                if let Some(word) = terms.key().get(1..).and_then(|word| std::str::from_utf8(word).ok()) {
                    words.push_str(word);
                    words.push(END);
                }
            }
            words.shrink_to_fit();
            Ok(words)
        };
        Ok(WordList { words: section(Section::Word)?, body_words: section(Section::BodyWord)? })
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        self.words.split_terminator(END)
    }

    fn body_words(&self) -> impl Iterator<Item = &str> {
        self.body_words.split_terminator(END)
    }

    /// The words with `part` in them.
    fn around<'a>(&'a self, part: &'a str) -> impl Iterator<Item = &'a str> {
        [self.words.as_str(), &self.body_words].into_iter().flat_map(move |words| {
            words.match_indices(part).map(move |(at, _)| {
                let start = words[..at].rfind(END).map_or(0, |end| end + END.len_utf8());
                let end = words[at..].find(END).map_or(words.len(), |end| at + end);
                &words[start..end]
            })
        })
    }
}

/// Recognises words that begin like one, but for some errors.
struct Spelling(DFA);

impl Spelling {
    fn new(word: &str, edits: u8) -> Spelling {
        static BUILDERS: [OnceLock<LevenshteinAutomatonBuilder>; 3] = [const { OnceLock::new() }; 3];
        let edits = edits.min(BUILDERS.len() as u8 - 1);
        // Two letters that are swapped are one error.
        let builder =
            BUILDERS[usize::from(edits)].get_or_init(|| LevenshteinAutomatonBuilder::new(edits, true));
        Spelling(builder.build_prefix_dfa(word))
    }

    fn begins(&self, word: &str) -> bool {
        let mut state = self.0.initial_state();
        for byte in word.bytes() {
            state = self.0.transition(state, byte);
            if state == SINK_STATE {
                return false;
            }
        }
        matches!(self.0.distance(state), Distance::Exact(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(words: &str, body_words: &str) -> WordList {
        let ended = |words: &str| words.split(' ').map(|word| format!("{word}{END}")).collect();
        WordList { words: ended(words), body_words: ended(body_words) }
    }

    #[test]
    fn errors_are_letters_left_out_added_replaced_or_swapped() {
        let lists = [list("haushalt haushaltsplan haus", "huashalt ausgaben"), list("hashalt", "haushaltt")];
        let lists: Vec<&WordList> = lists.iter().collect();
        let found = Tolerance::for_errors("haushalt", 1, &lists);
        assert_eq!(found.words, ["haushalt", "haushaltsplan", "hashalt"].map(str::to_owned).into());
        assert_eq!(found.body_words, ["huashalt", "haushaltt"].map(str::to_owned).into());
        assert!(found.around.is_empty());
    }

    #[test]
    fn words_around_a_part_are_found_whole_at_both_ends_of_a_list() {
        let list = list("strassenbaum baumkataster baum", "obstbaum ampel baumbaum");
        let mut found = Tolerance::default();
        found.look_inside("baum", &[&list]);
        let expected = ["baum", "baumbaum", "baumkataster", "obstbaum", "strassenbaum"];
        assert_eq!(found.around, expected.map(str::to_owned).into());
        found.look_inside("fehlt", &[&list]);
        assert_eq!(found.around.len(), 5);
    }
}
