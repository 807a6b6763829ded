//! Finds out what people meant: known spellings exactly, all others by
//! likeness, with how sure that is.
//!
//! Never decides alone: only [`Certainty::Exact`] may be taken without asking.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;

use super::{Concept, Vocabulary};
use crate::catalog::invalid::likeness;

/// Most concepts suggested for one text.
pub const SUGGESTIONS_MAX: usize = 5;

/// Longest text compared by likeness, in characters; longer ones are prose.
const COMPARED_CHARS_MAX: usize = 120;

/// Most segments that one label with commas may have.
const SEGMENTS_MAX: usize = 6;

/// Most parts told apart in one text.
const PARTS_MAX: usize = 32;

/// How sure a suggestion is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// Something in the text resembles it.
    Possible,
    /// A person should confirm it.
    Likely,
    /// The text is a known spelling of this concept and of no other.
    Exact,
}

/// A concept that a text may mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suggestion<'a> {
    /// The concept.
    pub concept: &'a Concept,
    /// How sure it is.
    pub certainty: Certainty,
}

/// How a spelling belongs to its concept; the nearer wins over the farther.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Bond {
    Code,
    Label,
    Alias,
}

/// The spellings of a list in their plain form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Spellings(BTreeMap<String, Vec<(Bond, usize)>>);

impl Spellings {
    pub(super) fn of(concepts: &[Concept]) -> Self {
        let mut spellings = Self::default();
        for (index, concept) in concepts.iter().enumerate() {
            let mut add = |text: &str, bond: Bond| {
                let plain = plain(text);
                let owners = spellings.0.entry(plain).or_default();
                if !owners.iter().any(|(_, owner)| *owner == index) {
                    owners.push((bond, index));
                }
            };
            add(&concept.code, Bond::Code);
            concept.iter_names().for_each(|name| add(name, Bond::Code));
            add(&concept.label.de, Bond::Label);
            add(&concept.label.en, Bond::Label);
            concept.aliases.iter().for_each(|alias| add(alias, Bond::Alias));
        }
        spellings.0.remove("");
        spellings
    }

    /// The index of the concept that alone has this spelling, or has it by a
    /// nearer bond than all others.
    pub(super) fn find(&self, text: &str) -> Option<usize> {
        let owners = self.0.get(&plain(text))?;
        let nearest = owners.iter().map(|(bond, _)| *bond).min()?;
        let mut best = owners.iter().filter(|(bond, _)| *bond == nearest);
        match (best.next(), best.next()) {
            (Some((_, index)), None) => Some(*index),
            _ => None,
        }
    }
}

impl Concept {
    fn iter_names(&self) -> impl Iterator<Item = &str> {
        self.name.as_deref().into_iter().chain(self.iri.as_deref())
    }
}

/// The plain form of a spelling: lower-case words of letters and digits, one
/// space between them; no scheme of an address, umlauts written out.
fn plain(text: &str) -> String {
    let text = text.trim();
    let text = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
    let text = text.strip_prefix("www.").unwrap_or(text);
    let mut plain = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            'ä' => plain.push_str("ae"),
            'ö' => plain.push_str("oe"),
            'ü' => plain.push_str("ue"),
            'ß' => plain.push_str("ss"),
            c if c.is_alphanumeric() => plain.push(c),
            _ if plain.is_empty() || plain.ends_with(' ') => {}
            _ => plain.push(' '),
        }
    }
    plain.truncate(plain.trim_end().len());
    plain
}

pub(super) fn suggest<'a>(vocabulary: &'a Vocabulary, text: &str) -> Vec<Suggestion<'a>> {
    if let Some(concept) = vocabulary.find(text) {
        return vec![Suggestion { concept, certainty: Certainty::Exact }];
    }
    let wanted = plain(text);
    if wanted.is_empty() || wanted.chars().count() > COMPARED_CHARS_MAX {
        return Vec::new();
    }
    let mut best: BTreeMap<usize, u32> = BTreeMap::new();
    for (spelling, owners) in &vocabulary.spellings.0 {
        let score = alike(&wanted, spelling);
        if score >= POSSIBLE {
            for (_, index) in owners {
                let held = best.entry(*index).or_default();
                *held = score.max(*held);
            }
        }
    }
    let mut ranked: Vec<(usize, u32)> = best.into_iter().collect();
    ranked.sort_by_key(|(index, score)| (Reverse(*score), *index));
    ranked.truncate(SUGGESTIONS_MAX);
    let certainty = |score| if score >= LIKELY { Certainty::Likely } else { Certainty::Possible };
    ranked
        .into_iter()
        .filter_map(|(index, score)| {
            Some(Suggestion { concept: vocabulary.concepts.get(index)?, certainty: certainty(score) })
        })
        .collect()
}

/// Likeness from which a concept is worth showing, in hundredths.
const POSSIBLE: u32 = 55;
/// Likeness from which one may well be meant, in hundredths.
const LIKELY: u32 = 80;

/// How much two plain spellings have in common, in hundredths.
fn alike(wanted: &str, spelling: &str) -> u32 {
    if wanted == spelling {
        // Several concepts share it, or it would have been found.
        return 95;
    }
    let padded = |text: &str| format!(" {text} ");
    let (wanted_padded, spelling_padded) = (padded(wanted), padded(spelling));
    let share = |part: &str, whole: &str| (part.len() * 20 / whole.len().max(1)) as u32;
    // A code of one or two letters turns up in prose by chance.
    if spelling.len() > 2 && wanted_padded.contains(&spelling_padded) {
        return 70 + share(spelling, wanted);
    }
    if wanted.len() > 2 && spelling_padded.contains(&wanted_padded) {
        return 65 + share(wanted, spelling);
    }
    likeness(wanted, spelling)
}

pub(super) fn suggest_each<'t, 'v>(
    vocabulary: &'v Vocabulary,
    text: &'t str,
) -> Vec<(&'t str, Vec<Suggestion<'v>>)> {
    if vocabulary.find(text).is_some() {
        return vec![(text.trim(), vocabulary.suggest(text))];
    }
    let segments = segments(text);
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some((start, end)) = segments.get(at).copied()
        && parts.len() < PARTS_MAX
    {
        let reach = (at..segments.len().min(at + SEGMENTS_MAX)).rev();
        let longest = reach.map(|last| (last, &text[start..segments[last].1]));
        let known = longest.clone().find(|(_, part)| vocabulary.find(part).is_some());
        let (last, part) = known.unwrap_or((at, &text[start..end]));
        let part = part.trim();
        if !part.is_empty() {
            parts.push((part, vocabulary.suggest(part)));
        }
        at = last + 1;
    }
    parts
}

/// Where the pieces between separators begin and end, in bytes.
fn segments(text: &str) -> Vec<(usize, usize)> {
    let mut segments = Vec::new();
    let mut start = 0;
    for (end, separator) in text.match_indices([',', ';', '|', '\n']) {
        segments.push((start, end));
        start = end + separator.len();
    }
    segments.push((start, text.len()));
    segments
}
