//! Marks in a text what a query found, and picks the telling stretch of a long one.
//!
//! The pieces are plain text; whoever shows them escapes them.

use super::Fragment;
use super::analysis::{Analyzer, TextLanguage, Word, words};
use super::compounds::Part;
use super::matching::{Matcher, Plan, WordForms};

/// About how much of a description is shown.
const EXCERPT_CHARS: usize = 240;
/// How much of it stands before the first mark.
const LEAD_CHARS: usize = 60;
/// Words behind this are not looked at.
const HIGHLIGHTED_WORDS_MAX: usize = 6_000;

/// Marks the words of one query in many texts.
pub(super) struct Highlighter<'a> {
    plan: &'a Plan,
    analyzer: &'a mut Analyzer,
}

impl<'a> Highlighter<'a> {
    pub(super) fn new(plan: &'a Plan, analyzer: &'a mut Analyzer) -> Highlighter<'a> {
        Highlighter { plan, analyzer }
    }

    /// The whole text in pieces.
    pub(super) fn text(&mut self, language: TextLanguage, text: &str) -> Vec<Fragment> {
        let marks = self.marks(language, text);
        fragments(text, 0, text.len(), &marks)
    }

    /// The stretch of the text with the most marks in pieces, with "…" where something is left out.
    pub(super) fn excerpt(&mut self, language: TextLanguage, text: &str) -> Vec<Fragment> {
        let text = text.trim();
        let marks = self.marks(language, text);
        let (start, end) = window(text, &marks);
        let mut pieces = fragments(text, start, end, &marks);
        let ellipsis = |text: &str| Fragment { text: text.to_owned(), marked: false };
        if start > 0 {
            pieces.insert(0, ellipsis("… "));
        }
        if end < text.len() {
            pieces.push(ellipsis(" …"));
        }
        pieces
    }

    /// The marked words of the text, in order.
    fn marks(&mut self, language: TextLanguage, text: &str) -> Vec<(usize, usize)> {
        if self.plan.wanted.is_empty() {
            return Vec::new();
        }
        let mut marks = Vec::new();
        for word in words(text).into_iter().take(HIGHLIGHTED_WORDS_MAX) {
            if self.is_found(language, &word) {
                marks.push((word.start, word.end));
            }
        }
        marks
    }

    fn is_found(&mut self, language: TextLanguage, word: &Word) -> bool {
        let analysed = self.analyzer.analyse(language, &word.lower);
        if analysed.stop && !self.plan.wanted.iter().all(is_one_word) {
            return false;
        }
        self.plan.wanted.iter().any(|matcher| {
            let tolerant = matches!(matcher, Matcher::Words { .. });
            matcher.words().iter().any(|sought| {
                let exact = sought.stems.contains(&analysed.stem);
                let related = || {
                    let begins = sought.may_be_prefix() && analysed.folded.starts_with(&sought.folded);
                    begins
                        || analysed.parts.iter().any(|part| is_part(sought, part))
                        || is_tolerated(sought, &analysed.folded, &analysed.stem)
                };
                exact || (tolerant && related())
            })
        })
    }
}

fn is_one_word(matcher: &Matcher) -> bool {
    matcher.words().len() == 1
}

fn is_part(sought: &WordForms, part: &Part) -> bool {
    let edits = sought.tolerance.as_ref().map_or(0, |tolerance| usize::from(tolerance.edits));
    sought.stems.contains(&part.stem)
        || (sought.may_be_prefix() && begins_within_edits(&sought.folded, &part.folded, edits))
}

fn is_tolerated(sought: &WordForms, folded: &str, stem: &str) -> bool {
    let Some(tolerance) = &sought.tolerance else { return false };
    let edits = usize::from(tolerance.edits);
    (tolerance.inside && folded.contains(&sought.folded))
        || sought.parts.iter().any(|part| part == stem)
        || (edits > 0 && begins_within_edits(&sought.folded, folded, edits))
}

/// Whether a word begins with `start`, but for `edits` letters left out, added, replaced or swapped.
fn begins_within_edits(start: &str, word: &str, edits: usize) -> bool {
    if edits == 0 {
        return word.starts_with(start);
    }
    let (start, word): (Vec<char>, Vec<char>) = (start.chars().collect(), word.chars().collect());
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=word.len()).collect();
    for row in 1..=start.len() {
        let mut current = vec![row];
        for column in 1..=word.len() {
            let replaced = last[column - 1] + usize::from(start[row - 1] != word[column - 1]);
            let mut cost = replaced.min(last[column] + 1).min(current[column - 1] + 1);
            let swapped = row > 1
                && column > 1
                && start[row - 1] == word[column - 2]
                && start[row - 2] == word[column - 1];
            if swapped {
                cost = cost.min(before_last[column - 2] + 1);
            }
            current.push(cost);
        }
        (before_last, last) = (last, current);
    }
    last.iter().any(|cost| *cost <= edits)
}

/// Cuts `text[start..end]` at the marks; neighbouring marked words stay separate pieces.
fn fragments(text: &str, start: usize, end: usize, marks: &[(usize, usize)]) -> Vec<Fragment> {
    let mut pieces = Vec::new();
    let mut push = |from: usize, to: usize, marked: bool| {
        if from < to {
            pieces.push(Fragment { text: text[from..to].to_owned(), marked });
        }
    };
    let mut at = start;
    for &(from, to) in marks.iter().filter(|(from, to)| *from >= start && *to <= end) {
        push(at, from, false);
        push(from, to, true);
        at = to;
    }
    push(at, end, false);
    pieces
}

/// Start and end of the stretch to show, at word boundaries.
fn window(text: &str, marks: &[(usize, usize)]) -> (usize, usize) {
    let chars = text.chars().count();
    if chars <= EXCERPT_CHARS {
        return (0, text.len());
    }
    // Byte distances stand in for characters: a little shorter with many umlauts.
    let within =
        |from: usize| marks.iter().filter(|mark| mark.0 >= from && mark.1 <= from + EXCERPT_CHARS).count();
    let best =
        marks.iter().map(|mark| mark.0).max_by_key(|from| (within(*from), usize::MAX - from)).unwrap_or(0);
    let mut start = boundary(text, best.saturating_sub(LEAD_CHARS));
    if best <= LEAD_CHARS {
        start = 0;
    } else if let Some(space) = text[start..best].find(char::is_whitespace) {
        start += space;
        start += text[start..].chars().next().map_or(0, char::len_utf8);
    }
    let mut end = boundary(text, (start + EXCERPT_CHARS).min(text.len()));
    if end < text.len()
        && let Some(space) = text[start..end].rfind(char::is_whitespace).filter(|space| start + space > best)
    {
        end = start + space;
    }
    // A marked word is not cut in two.
    let cut = marks.iter().find(|mark| mark.0 < end && end < mark.1);
    (start, cut.map_or(end, |mark| mark.1))
}

fn boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
