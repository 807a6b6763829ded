//! Turns demands into tantivy queries: which terms of which fields, and what each is worth.
//!
//! The weights are the ranking: exact words of the title above those of keywords, parts of
//! compounds, publisher and description, then beginnings of words, then typing errors. It never
//! decides what a reader may see.

use std::ops::Bound;

use tantivy::postings::TermInfo;
use tantivy::query::{
    AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, EmptyQuery, Occur, PhraseQuery, Query, RangeQuery,
    TermQuery, TermSetQuery,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocSet as _, SegmentReader, TERMINATED, Term};

use super::analysis::{Analyzer, TextLanguage, Word};
use super::fields::{Fields, Section, cut};
use super::query::{Clause, Demands};
use super::run::View;
use super::tolerance::{Tolerance, WordList};

/// A word that fewer records contain is searched with typing errors as well.
const RARE_BELOW_RECORDS: u64 = 3;
/// Most words of a query that are searched with typing errors; each costs a walk over all terms.
const TOLERATED_WORDS_MAX: usize = 4;
/// Shorter beginnings of words find only whole words.
const PREFIX_CHARS_MIN: usize = 3;
const ONE_EDIT_CHARS_MIN: usize = 5;
const TWO_EDITS_CHARS_MIN: usize = 9;
/// The automaton for typing errors grows with the word.
const EDITS_CHARS_MAX: usize = 40;

/// Worth of a whole word by field, times its rarity.
const TITLE_WORTH: f32 = 8.0;
const KEYWORDS_WORTH: f32 = 4.0;
const PART_WORTH: f32 = 2.5;
const BODY_WORTH: f32 = 1.0;
const BODY_PART_WORTH: f32 = 0.4;
/// Worth of the beginning of a word.
const PREFIX_WORTH: f32 = 1.5;
const BODY_PREFIX_WORTH: f32 = 0.3;
/// Worth of a word with typing errors, or inside another: below everything above.
const TOLERATED_WORTH: f32 = 0.10;
const BODY_TOLERATED_WORTH: f32 = 0.03;
/// The identifier itself was typed.
const ID_WORTH: f32 = 200.0;
const PHRASE_WORTH: f32 = 1.5;

/// A word of a query in all forms it is searched by.
#[derive(Debug, Clone)]
pub(super) struct WordForms {
    /// Lower-case, as typed.
    pub(super) typed: String,
    /// For prefixes and typing errors.
    pub(super) folded: String,
    /// German stem, and the English one if it differs.
    pub(super) stems: Vec<String>,
    /// Stems of its parts, if it is a compound.
    pub(super) parts: Vec<String>,
    /// How far other words may differ and still be meant.
    pub(super) tolerance: Option<Tolerance>,
    /// Too common to be demanded; in German texts it is not even indexed.
    german_stop: bool,
    english_stop: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Matcher {
    Words { typed: String, words: Vec<WordForms> },
    Phrase(Vec<WordForms>),
}

impl Matcher {
    pub(super) fn words(&self) -> &[WordForms] {
        match self {
            Matcher::Words { words, .. } | Matcher::Phrase(words) => words,
        }
    }
}

/// A query on its way into an index.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) wanted: Vec<Matcher>,
    excluded: Vec<Matcher>,
    fields: Fields,
}

impl Plan {
    pub(super) fn new(demands: &Demands, fields: Fields, analyzer: &mut Analyzer) -> Plan {
        let mut matchers = |clauses: &[Clause]| -> Vec<Matcher> {
            clauses.iter().map(|clause| matcher(clause, analyzer)).collect()
        };
        let excluded = matchers(&demands.excluded);
        let mut wanted = matchers(&demands.wanted);
        // "der" alone may be the beginning of a word; beside other words it says nothing.
        if wanted.iter().any(|matcher| !matcher.words().iter().all(|word| word.german_stop)) {
            wanted.retain_mut(|matcher| {
                if let Matcher::Words { words, .. } = matcher {
                    words.retain(|word| !word.german_stop);
                }
                !matcher.words().iter().all(|word| word.german_stop)
            });
        }
        Plan { wanted, excluded, fields }
    }

    /// Whether records have anything to be ranked by.
    pub(super) fn is_scored(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// Allows typing errors in words that hardly any record contains; returns these words.
    pub(super) fn tolerate(&mut self, views: &[View]) -> tantivy::Result<Vec<String>> {
        let mut tolerated = Vec::new();
        let fields = self.fields;
        for matcher in &mut self.wanted {
            let Matcher::Words { words, .. } = matcher else { continue };
            for word in words {
                if tolerated.len() == TOLERATED_WORDS_MAX {
                    return Ok(tolerated);
                }
                if let Some(edits) = edits_allowed(word, fields.records_with(word, views)?) {
                    let lists = word_lists(views)?;
                    word.tolerance = Some(Tolerance::for_errors(&word.folded, edits, &lists));
                    tolerated.push(word.typed.clone());
                }
            }
        }
        Ok(tolerated)
    }

    /// Allows tolerated words to be the inside of others; false if there is none of them.
    pub(super) fn look_inside(&mut self, views: &[View]) -> tantivy::Result<bool> {
        let words = self.wanted.iter_mut().flat_map(|matcher| match matcher {
            Matcher::Words { words, .. } | Matcher::Phrase(words) => words,
        });
        let mut any = false;
        for word in words {
            if let Some(tolerance) = &mut word.tolerance {
                tolerance.look_inside(&word.folded, &word_lists(views)?);
                any = true;
            }
        }
        Ok(any)
    }

    /// The numbers of clauses to demand one after the other when no record has all.
    pub(super) fn fewer(&self) -> Vec<usize> {
        let all = self.wanted.len();
        let mut numbers = vec![all.div_ceil(2), 1];
        numbers.retain(|number| *number < all);
        numbers.dedup();
        numbers
    }

    /// The query that finds records with `demanded` of the wanted clauses.
    pub(super) fn query(&self, demanded: usize) -> Box<dyn Query> {
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        let occur = if demanded == self.wanted.len() { Occur::Must } else { Occur::Should };
        let wanted = self.wanted.iter().map(|matcher| (occur, self.fields.matching(matcher))).collect();
        if self.wanted.is_empty() {
            clauses.push((Occur::Must, Box::new(AllQuery)));
        } else if occur == Occur::Must {
            clauses = wanted;
        } else {
            let some = BooleanQuery::with_minimum_required_clauses(wanted, demanded);
            clauses.push((Occur::Must, Box::new(some)));
        }
        clauses.extend(self.excluded.iter().map(|matcher| (Occur::MustNot, self.fields.excluding(matcher))));
        Box::new(BooleanQuery::new(clauses))
    }
}

fn matcher(clause: &Clause, analyzer: &mut Analyzer) -> Matcher {
    let mut forms = |words: &[Word]| words.iter().map(|word| WordForms::new(&word.lower, analyzer)).collect();
    match clause {
        Clause::Words { typed, words } => Matcher::Words { typed: typed.clone(), words: forms(words) },
        Clause::Phrase(words) => Matcher::Phrase(forms(words)),
    }
}

impl WordForms {
    fn new(lower: &str, analyzer: &mut Analyzer) -> WordForms {
        let german = analyzer.analyse(TextLanguage::German, lower);
        let english = analyzer.analyse(TextLanguage::English, lower);
        let stems = analyzer.stems(lower);
        WordForms {
            typed: lower.to_owned(),
            folded: german.folded.clone(),
            stems,
            parts: german.parts.iter().map(|part| part.stem.clone()).collect(),
            tolerance: None,
            german_stop: german.stop,
            english_stop: english.stop,
        }
    }

    pub(super) fn may_be_prefix(&self) -> bool {
        self.folded.chars().count() >= PREFIX_CHARS_MIN
    }
}

/// The words of all segments.
fn word_lists(views: &[View]) -> tantivy::Result<Vec<&WordList>> {
    Ok(views.iter().map(View::word_lists).collect::<tantivy::Result<Vec<_>>>()?.concat())
}

/// How many letters of a word may be wrong that so many records contain.
fn edits_allowed(word: &WordForms, records: u64) -> Option<u8> {
    let chars = word.folded.chars().count();
    let has_digit = word.folded.contains(|letter: char| letter.is_numeric());
    if records >= RARE_BELOW_RECORDS || has_digit || !(ONE_EDIT_CHARS_MIN..=EDITS_CHARS_MAX).contains(&chars)
    {
        return None;
    }
    Some(if chars >= TWO_EDITS_CHARS_MIN { 2 } else { 1 })
}

impl Fields {
    /// The terms by which a stem is found exactly, with their worth.
    fn exact_terms(&self, stem: &str) -> [(Term, f32); 5] {
        [
            (Term::from_field_text(self.title, stem), TITLE_WORTH),
            (Term::from_field_text(self.keywords, stem), KEYWORDS_WORTH),
            (self.present(Section::Part, stem), PART_WORTH),
            (Term::from_field_text(self.body, stem), BODY_WORTH),
            (self.present(Section::BodyPart, stem), BODY_PART_WORTH),
        ]
    }

    /// How many records contain a word or a beginning of it, up to [`RARE_BELOW_RECORDS`].
    fn records_with(&self, word: &WordForms, views: &[View]) -> tantivy::Result<u64> {
        let segments = || views.iter().flat_map(|view| view.searcher.segment_readers());
        let mut most = 0;
        for (term, _) in word.stems.iter().flat_map(|stem| self.exact_terms(stem)) {
            let mut records = 0;
            for segment in segments() {
                if let Some(info) = segment.inverted_index(term.field())?.get_term_info(&term)? {
                    records += alive_records(segment, term.field(), &info)?;
                }
                if records >= RARE_BELOW_RECORDS {
                    return Ok(records);
                }
            }
            // A record may have the word in several fields: they are not added up.
            most = most.max(records);
        }
        if !word.may_be_prefix() {
            return Ok(most);
        }
        for section in [Section::Word, Section::BodyWord] {
            let (start, end) = self.beginnings(section, &word.folded);
            let mut records = 0;
            for segment in segments() {
                let index = segment.inverted_index(self.presence)?;
                let range = index.terms().range().ge(start.serialized_value_bytes());
                let mut terms = range.lt(end.serialized_value_bytes()).into_stream()?;
                while records < RARE_BELOW_RECORDS && terms.advance() {
                    records += alive_records(segment, self.presence, terms.value())?;
                }
            }
            most = most.max(records);
        }
        Ok(most)
    }

    /// The first term of a section that begins with `start`, and the first one behind these.
    pub(super) fn beginnings(&self, section: Section, start: &str) -> (Term, Term) {
        (self.present(section, start), self.present(section, &format!("{start}{}", char::MAX)))
    }

    fn matching(&self, matcher: &Matcher) -> Box<dyn Query> {
        match matcher {
            Matcher::Phrase(words) => self.phrase(words),
            Matcher::Words { typed, words } => {
                let id = TermQuery::new(self.present(Section::Id, cut(typed)), IndexRecordOption::Basic);
                let id: Box<dyn Query> = Box::new(ConstScoreQuery::new(Box::new(id), ID_WORTH));
                let mut all = Vec::new();
                let only = words.len() == 1;
                for word in words {
                    // English texts lack their stop words, German ones may contain them ("IT").
                    let occur = if word.english_stop && !only { Occur::Should } else { Occur::Must };
                    all.push((occur, self.word(word)));
                }
                any(vec![id, Box::new(BooleanQuery::new(all))])
            }
        }
    }

    fn word(&self, word: &WordForms) -> Box<dyn Query> {
        let exact_terms = word.stems.iter().flat_map(|stem| self.exact_terms(stem));
        let mut ways: Vec<Box<dyn Query>> = exact_terms.map(|(term, worth)| exact(term, worth)).collect();
        if word.may_be_prefix() {
            for (section, worth) in [(Section::Word, PREFIX_WORTH), (Section::BodyWord, BODY_PREFIX_WORTH)] {
                let (start, end) = self.beginnings(section, &word.folded);
                let prefix = RangeQuery::new(Bound::Included(start), Bound::Excluded(end));
                ways.push(Box::new(ConstScoreQuery::new(Box::new(prefix), worth)));
            }
        }
        if let Some(tolerance) = &word.tolerance {
            self.tolerant(word, tolerance, &mut ways);
        }
        any(ways)
    }

    fn tolerant(&self, word: &WordForms, tolerance: &Tolerance, ways: &mut Vec<Box<dyn Query>>) {
        use Section::{BodyWord, Word};
        let found = [
            (vec![Word], &tolerance.words, TOLERATED_WORTH),
            (vec![BodyWord], &tolerance.body_words, BODY_TOLERATED_WORTH),
            (vec![Word, BodyWord], &tolerance.around, BODY_TOLERATED_WORTH),
        ];
        for (sections, words, worth) in found.into_iter().filter(|(_, words, _)| !words.is_empty()) {
            let in_section = |section| words.iter().map(move |word| self.present(section, word));
            let query = TermSetQuery::new(sections.into_iter().flat_map(in_section));
            ways.push(Box::new(ConstScoreQuery::new(Box::new(query), worth)));
        }
        if !word.parts.is_empty() {
            let parts = word.parts.iter().map(|part| {
                let terms = self.exact_terms(part);
                (Occur::Must, any(terms.into_iter().map(|(term, worth)| exact(term, worth)).collect()))
            });
            let apart = BooleanQuery::new(parts.collect());
            ways.push(Box::new(ConstScoreQuery::new(Box::new(apart), TOLERATED_WORTH)));
        }
    }

    fn phrase(&self, words: &[WordForms]) -> Box<dyn Query> {
        let german: Vec<(usize, &str)> = numbered(words)
            .filter(|(_, word)| !word.german_stop)
            .map(|(at, word)| (at, word.stems[0].as_str()))
            .collect();
        let english: Vec<(usize, &str)> = numbered(words)
            .filter(|(_, word)| !word.english_stop)
            .filter_map(|(at, word)| Some((at, word.stems.last()?.as_str())))
            .collect();
        let mut readings = vec![german];
        if !readings.contains(&english) {
            readings.push(english);
        }
        let mut ways = Vec::new();
        for reading in readings {
            for (field, worth) in
                [(self.title, TITLE_WORTH), (self.keywords, KEYWORDS_WORTH), (self.body, BODY_WORTH)]
            {
                ways.extend(in_order(field, &reading, worth * PHRASE_WORTH));
            }
        }
        any(ways)
    }

    /// What a record must not have: the words or phrases themselves, not what begins with them.
    fn excluding(&self, matcher: &Matcher) -> Box<dyn Query> {
        match matcher {
            Matcher::Phrase(words) => self.phrase(words),
            Matcher::Words { words, .. } => {
                let all = words.iter().map(|word| {
                    let terms = word.stems.iter().flat_map(|stem| self.exact_terms(stem));
                    (Occur::Must, any(terms.map(|(term, worth)| exact(term, worth)).collect()))
                });
                Box::new(BooleanQuery::new(all.collect()))
            }
        }
    }
}

/// How many records with a term are not deleted, counted up to [`RARE_BELOW_RECORDS`].
fn alive_records(segment: &SegmentReader, field: Field, term: &TermInfo) -> tantivy::Result<u64> {
    let Some(alive) = segment.alive_bitset() else { return Ok(u64::from(term.doc_freq)) };
    let index = segment.inverted_index(field)?;
    let mut postings = index.read_postings_from_terminfo(term, IndexRecordOption::Basic)?;
    let mut records = 0;
    while postings.doc() != TERMINATED && records < RARE_BELOW_RECORDS {
        records += u64::from(alive.is_alive(postings.doc()));
        postings.advance();
    }
    Ok(records)
}

fn numbered(words: &[WordForms]) -> impl Iterator<Item = (usize, &WordForms)> {
    words.iter().enumerate()
}

fn any(mut ways: Vec<Box<dyn Query>>) -> Box<dyn Query> {
    match ways.len() {
        0 => Box::new(EmptyQuery),
        1 => ways.swap_remove(0),
        _ => Box::new(BooleanQuery::union(ways)),
    }
}

fn exact(term: Term, worth: f32) -> Box<dyn Query> {
    Box::new(BoostQuery::new(Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs)), worth))
}

fn in_order(field: Field, words: &[(usize, &str)], worth: f32) -> Option<Box<dyn Query>> {
    match words {
        [] => None,
        [(_, only)] => Some(exact(Term::from_field_text(field, only), worth)),
        _ => {
            let terms = words.iter().map(|(at, stem)| (*at, Term::from_field_text(field, stem))).collect();
            let phrase = PhraseQuery::new_with_offset(terms);
            Some(Box::new(BoostQuery::new(Box::new(phrase), worth)))
        }
    }
}
