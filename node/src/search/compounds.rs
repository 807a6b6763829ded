//! Splits German compounds into the parts a reader may search for.
//!
//! "Grünflächenkataster" is found by "Kataster", "Fläche" and "Grünfläche". A list of municipal
//! word parts (`parts.txt`) with the endings and linking letters of German is enough: a word is
//! split where it is covered by known parts, with at most one unknown stretch at its start or its
//! end ("Möhnetalradweg"). A word that is itself in the list is never split.
//!
//! It never looks at other records: the same word is split the same way on every node.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::analysis::{Stemmers, fold};

/// Shortest known part beside an unknown stretch: "Standort" is not "Stand" and "Ort".
const PART_BESIDE_UNKNOWN_MIN_BYTES: usize = 4;
/// Shortest run of several known parts there ("Radweg").
const PARTS_BESIDE_UNKNOWN_MIN_BYTES: usize = 6;
/// Shortest unknown stretch that counts as a part of its own.
const UNKNOWN_MIN_BYTES: usize = 4;
/// Longer words are left whole.
const SPLIT_MAX_BYTES: usize = 64;
/// What may follow a part inside a word (linking) or at its end (plural, case).
const ENDINGS: [&str; 8] = ["", "s", "es", "n", "en", "e", "er", "ern"];

/// Finds the parts of a compound.
pub(super) struct Splitter {
    /// From a folded part as it is written to the term it is indexed by.
    terms: HashMap<String, String>,
    longest_bytes: usize,
}

/// A part of a compound.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Part {
    /// What other forms of it share.
    pub(super) stem: String,
    /// As it stands in the compound, without linking letters.
    pub(super) folded: String,
}

/// A known part in a word: `word[start..end]`, followed by an ending up to `next`.
#[derive(Clone, Copy)]
struct Piece {
    start: usize,
    end: usize,
    next: usize,
}

/// The best way to cover `word[at..]` by known parts.
#[derive(Clone, Copy)]
struct Cover {
    cost: u32,
    first: Option<Piece>,
}

impl Splitter {
    /// The one splitter of this process, built from the list at first use.
    pub(super) fn shared() -> &'static Splitter {
        static SHARED: LazyLock<Splitter> = LazyLock::new(|| Splitter::from_list(include_str!("parts.txt")));
        &SHARED
    }

    fn from_list(list: &str) -> Splitter {
        let mut stemmers = Stemmers::new();
        let mut terms = HashMap::new();
        let words = list.lines().filter_map(|line| line.split('#').next()).flat_map(str::split_whitespace);
        for word in words {
            let folded = fold(word);
            let term = fold(&stemmers.german(word));
            // Schule, but Schulstandort: the final e is lost inside a compound.
            if let Some(short) = folded.strip_suffix('e').filter(|short| short.len() >= 4) {
                terms.entry(short.to_owned()).or_insert_with(|| term.clone());
            }
            terms.insert(folded, term);
        }
        let longest_bytes = terms.keys().map(String::len).max().unwrap_or(0);
        Splitter { terms, longest_bytes }
    }

    /// The parts of `folded`, without the word itself; none if it is no compound.
    pub(super) fn split(&self, folded: &str, stemmers: &mut Stemmers) -> Vec<Part> {
        if !folded.is_ascii() || folded.len() > SPLIT_MAX_BYTES || self.terms.contains_key(folded) {
            return Vec::new();
        }
        let covers = self.cover_from_each(folded);
        if let Some(pieces) = pieces_from(&covers, 0) {
            return if pieces.len() < 2 {
                Vec::new()
            } else {
                self.parts_of(folded, &pieces, None, stemmers)
            };
        }
        let head_unknown = (UNKNOWN_MIN_BYTES..folded.len()).find_map(|at| {
            let pieces = pieces_from(&covers, at)?;
            trusted(&pieces).then_some((at, pieces))
        });
        let tail_unknown = self.longest_start(folded, &covers);
        let head_bytes = head_unknown.as_ref().map_or(folded.len(), |(at, _)| *at);
        let tail_bytes = tail_unknown.as_ref().map_or(folded.len(), |(at, _)| folded.len() - at);
        match (head_unknown, tail_unknown) {
            (Some((at, pieces)), _) if head_bytes <= tail_bytes => {
                self.parts_of(folded, &pieces, Some(&folded[..at]), stemmers)
            }
            (_, Some((at, pieces))) => self.parts_of(folded, &pieces, Some(&folded[at..]), stemmers),
            _ => Vec::new(),
        }
    }

    /// For each position of the word, how to cover the rest of it with the fewest parts.
    fn cover_from_each(&self, word: &str) -> Vec<Option<Cover>> {
        let mut covers: Vec<Option<Cover>> = vec![None; word.len() + 1];
        covers[word.len()] = Some(Cover { cost: 0, first: None });
        for start in (0..word.len()).rev() {
            let mut best: Option<Cover> = None;
            for piece in self.pieces_at(word, start) {
                let Some(rest) = covers[piece.next] else { continue };
                // Fewest parts first; among these, the fewest letters spent on endings.
                let cost = rest.cost + 10 + (piece.next - piece.end) as u32;
                if best.is_none_or(|cover| cost < cover.cost) {
                    best = Some(Cover { cost, first: Some(piece) });
                }
            }
            covers[start] = best;
        }
        covers
    }

    fn pieces_at<'a>(&'a self, word: &'a str, start: usize) -> impl Iterator<Item = Piece> + 'a {
        let longest = word.len().min(start + self.longest_bytes);
        (start + 2..=longest).filter(move |&end| self.terms.contains_key(&word[start..end])).flat_map(
            move |end| {
                ENDINGS
                    .iter()
                    .filter(move |ending| word[end..].starts_with(**ending))
                    .map(move |ending| Piece { start, end, next: end + ending.len() })
            },
        )
    }

    /// The longest start of the word that known parts cover, leaving an unknown end.
    fn longest_start(&self, word: &str, covers: &[Option<Cover>]) -> Option<(usize, Vec<Piece>)> {
        debug_assert!(covers[0].is_none(), "a fully covered word has no unknown end");
        let mut reached: Vec<Option<Vec<Piece>>> = vec![None; word.len() + 1];
        reached[0] = Some(Vec::new());
        for start in 0..word.len() {
            let Some(before) = reached[start].clone() else { continue };
            for piece in self.pieces_at(word, start) {
                if reached[piece.next].as_ref().is_none_or(|known| known.len() > before.len() + 1) {
                    let mut pieces = before.clone();
                    pieces.push(piece);
                    reached[piece.next] = Some(pieces);
                }
            }
        }
        let latest = word.len().checked_sub(UNKNOWN_MIN_BYTES)?;
        (1..=latest).rev().find_map(|at| {
            let pieces = reached[at].take()?;
            trusted(&pieces).then_some((at, pieces))
        })
    }

    /// Each known part, each run of neighbouring parts, and the unknown stretch.
    fn parts_of(
        &self,
        word: &str,
        pieces: &[Piece],
        unknown: Option<&str>,
        stemmers: &mut Stemmers,
    ) -> Vec<Part> {
        let mut stemmed =
            |folded: &str| Part { stem: fold(&stemmers.german(folded)), folded: folded.to_owned() };
        let mut parts: Vec<Part> = unknown.map(&mut stemmed).into_iter().collect();
        for (first, piece) in pieces.iter().enumerate() {
            let folded = &word[piece.start..piece.end];
            parts.extend(
                self.terms.get(folded).map(|stem| Part { stem: stem.clone(), folded: folded.to_owned() }),
            );
            let runs = pieces[first + 1..].iter().map(|last| &word[piece.start..last.end]);
            parts.extend(runs.filter(|run| run.len() < word.len()).map(&mut stemmed));
        }
        parts.sort_unstable();
        parts.dedup();
        parts
    }
}

/// Whether known parts beside an unknown stretch are more than a coincidence of letters.
fn trusted(pieces: &[Piece]) -> bool {
    match pieces {
        [] => false,
        [only] => only.end - only.start >= PART_BESIDE_UNKNOWN_MIN_BYTES,
        [first, .., last] => last.end - first.start >= PARTS_BESIDE_UNKNOWN_MIN_BYTES,
    }
}

fn pieces_from(covers: &[Option<Cover>], start: usize) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut at = start;
    while let Some(piece) = covers[at]?.first {
        pieces.push(piece);
        at = piece.next;
    }
    Some(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(word: &str) -> Vec<String> {
        let parts = Splitter::shared().split(&fold(&word.to_lowercase()), &mut Stemmers::new());
        parts.into_iter().map(|part| part.stem).collect()
    }

    /// Each of `searched`, as a reader would type it, is a part of `word`.
    fn check(word: &str, searched: &[&str]) {
        let parts = parts(word);
        for query in searched {
            let term = fold(&Stemmers::new().german(&query.to_lowercase()));
            assert!(parts.contains(&term), "`{query}` ({term}) is not among {parts:?} of `{word}`");
        }
    }

    #[test]
    fn compounds_of_municipal_titles_are_split_where_a_reader_would() {
        check("Baumkataster", &["Baum", "Bäume", "Kataster"]);
        check("Grünflächenkataster", &["Grünfläche", "Flächen", "Kataster", "Flächenkataster"]);
        check("Straßenbaumkataster", &["Straße", "Straßen", "Baumkataster", "Kataster"]);
        check("Schulstandorte", &["Schule", "Schulen", "Standort"]);
        check("Schülerzahlen", &["Schüler", "Zahlen", "Zahl"]);
        check("Haushaltsplan", &["Haushalt", "Plan", "Pläne"]);
        check("Löschwasserentnahmestellen", &["Löschwasser", "Entnahmestelle"]);
        check("Geschwindigkeitsmessungen", &["Geschwindigkeit", "Messung"]);
        check("Bebauungsplanübersicht", &["Bebauungsplan", "Bebauungspläne", "Übersicht"]);
        check("Hundesteuersatzung", &["Hundesteuer", "Satzung"]);
        check("Bodenfeuchtesensoren", &["Boden", "Feuchte", "Sensor"]);
        check("Müllabfuhrtermine", &["Müll", "Abfuhr", "Termine"]);
    }

    #[test]
    fn one_unknown_stretch_at_either_end_is_a_part_too() {
        check("Möhnetalradweg", &["Radweg"]);
        check("Parkettfußboden", &["Boden"]);
        check("Kirchenorgelverzeichnis", &["Verzeichnis"]);
        check("Haldenwanderkarte", &["Karte"]);
    }

    #[test]
    fn words_with_a_meaning_of_their_own_stay_whole() {
        for word in ["Rathaus", "Haushalt", "Standort", "Verwaltung", "Transport", "Soest", "Menden"] {
            assert!(parts(word).is_empty(), "`{word}` was split into {:?}", parts(word));
        }
    }

    #[test]
    fn a_search_for_house_does_not_find_the_budget() {
        assert!(!parts("Haushaltsplan").contains(&"haus".to_owned()));
    }
}
