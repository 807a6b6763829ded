//! Finds the rows of a newer file that are rows of the version before under
//! another name: a title with its slip of the pen mended, an office renamed, a
//! column or a Kennung added.
//!
//! ```text
//! keys of the file that are new ─┐
//!                                ├─ same title, similar title, scorer ─> sure: a change
//! keys that the file lacks ──────┘                                    └> perhaps: a question
//! ```
//!
//! Only a file that can be the next version of its source is looked at: a table
//! that is no list of mended rows and has at least half as many rows as were
//! taken before. What two rows are told apart by on purpose, two Kennungen, is
//! never overruled without a person.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use crdt::catalog::invalid::distance;
use crdt::catalog::{Dataset, Lang, NewDataset};
use crdt::ids::DatasetId;
use serde_json::Value;

use super::candidate::{Candidate, Line, Place, SourceName, name_hash};
use super::inventory::is_mended;
use super::pipeline::ImportError;
use super::private::Persons;
use super::spool::Spool;
use crate::handle::{DuplicateHint, NodeHandle};
use crate::keys;
use crate::store::SourceRow;

/// Pairs of titles that are compared letter by letter, at most.
const TITLE_PAIRS_MAX: usize = 1_000_000;
/// Rows that are looked up among all records, at most.
const SCORED_ROWS_MAX: usize = 200;
/// Letters of a title that may differ: one in so many.
const LETTERS_PER_SLIP: usize = 5;
/// A pair of this score is a question, in hundredths.
const ASKED_SCORE: u8 = 65;
/// A pair of this score is the same row if something else says so too.
const SURE_SCORE: u8 = 85;

/// What a row with a new key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pairing {
    /// The row that had this key in the version before.
    Sure {
        /// That key.
        was: String,
        /// Its title then.
        title: String,
    },
    /// Perhaps the one that became this record.
    Perhaps {
        /// Its title then.
        title: String,
        /// What the record is called by programs.
        identifier: String,
    },
}

/// What a walk over the whole file says before its first row is taken.
#[derive(Debug, Default)]
pub(super) struct Foresight {
    pairings: HashMap<[u8; 32], Pairing>,
    /// What names its records.
    keys: HashSet<[u8; 32]>,
    /// Who is named in its columns of persons, if it is a table.
    persons: Option<Persons>,
    /// Where each title stands, the first two times.
    titles: HashMap<[u8; 16], (Place, Option<Place>)>,
}

impl Foresight {
    /// Walks over all lines.
    pub(super) fn of(
        handle: &NodeHandle,
        source: &SourceName,
        spool: &mut Spool,
    ) -> Result<Self, ImportError> {
        let (mut titles, mut keys, mut persons) = (HashMap::new(), HashSet::new(), Persons::default());
        let (mut table, mut version) = (false, false);
        let mut lines = spool.lines()?;
        while let Some(line) = lines.next()? {
            match line {
                Line::Candidate(candidate) => {
                    keys.insert(source.key_hash(&candidate.key));
                    note_title(&mut titles, &candidate);
                }
                Line::Person(cell) => persons.add(&cell),
                Line::Mapping(mapping) => (table, version) = (true, !is_mended(&mapping.head)),
                _ => {}
            }
        }
        let pairings = if version { pairings(handle, source, spool, &keys)? } else { HashMap::new() };
        Ok(Self { pairings, keys, titles, persons: table.then_some(persons) })
    }

    /// What a row with this key is, if it seems to be one of the version before.
    pub(super) fn pairing(&self, key: &[u8; 32]) -> Option<&Pairing> {
        self.pairings.get(key)
    }

    /// Takes out of a row's public fields what is the house's own.
    pub(super) fn withhold(&self, candidate: &mut Candidate) {
        if let Some(persons) = &self.persons {
            persons.withhold(candidate);
        }
    }

    /// Whether a record of this key stands in the file.
    pub(super) fn has_key(&self, key: &[u8; 32]) -> bool {
        self.keys.contains(key)
    }

    /// Where else in the file a title stands.
    pub(super) fn twin(&self, candidate: &Candidate) -> Option<&Place> {
        let title = candidate.title()?;
        let (first, second) = self.titles.get(&name_hash(&plain(title)))?;
        if *first == candidate.place { second.as_ref() } else { Some(first) }
    }
}

fn note_title(titles: &mut HashMap<[u8; 16], (Place, Option<Place>)>, candidate: &Candidate) {
    let Some(title) = candidate.title() else { return };
    match titles.entry(name_hash(&plain(title))) {
        Entry::Occupied(mut known) => {
            known.get_mut().1.get_or_insert_with(|| candidate.place.clone());
        }
        Entry::Vacant(free) => {
            free.insert((candidate.place.clone(), None));
        }
    }
}

/// A text as it is compared: letters and figures, in small letters.
fn plain(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

/// One side of a pair: a row of the version before, or one of the file.
#[derive(Debug, Clone)]
struct Side {
    key: String,
    title: String,
    /// The title as it is compared.
    plain: String,
    department: String,
    description: String,
    place: String,
    /// Whether it has a Kennung of its own.
    named: bool,
    /// The record that it became.
    dataset: Option<DatasetId>,
    identifier: String,
}

impl Side {
    /// A row that was taken before, by what its source said then.
    fn before(row: SourceRow) -> Self {
        let SourceRow { key, place, dataset: id, said, .. } = row;
        let Dataset { title, description, department, identifier, .. } = said.dataset;
        let title = title.de.or(title.en).map(|title| title.to_string()).unwrap_or_default();
        let identifier = identifier.map(|identifier| identifier.to_string()).unwrap_or_default();
        Self {
            plain: plain(&title),
            department: department.map(|unit| plain(unit.as_str())).unwrap_or_default(),
            description: description.de.map(|text| plain(text.as_str())).unwrap_or_default(),
            named: identifier.to_lowercase() == key,
            dataset: Some(id),
            key,
            title,
            place,
            identifier,
        }
    }

    /// A row of the file.
    fn now(candidate: &Candidate) -> Self {
        let text = |path: [&str; 2]| {
            let found = candidate.fields.get(path[0]);
            let found = if path[1].is_empty() { found } else { found.and_then(|value| value.get(path[1])) };
            found.and_then(Value::as_str).unwrap_or_default()
        };
        let title = candidate.title().unwrap_or_default().to_owned();
        Self {
            key: candidate.key.clone(),
            plain: plain(&title),
            title,
            department: plain(text(["department", ""])),
            description: plain(text(["description", "de"])),
            place: candidate.place.in_lang(Lang::De),
            named: !text(["identifier", ""]).is_empty(),
            dataset: None,
            identifier: String::new(),
        }
    }

    fn sure(&self) -> Pairing {
        Pairing::Sure { was: self.key.clone(), title: self.title.clone() }
    }

    fn perhaps(&self) -> Pairing {
        Pairing::Perhaps { title: self.title.clone(), identifier: self.identifier.clone() }
    }
}

/// Whether both say something, and something else.
fn contradict(one: &str, other: &str) -> bool {
    !one.is_empty() && !other.is_empty() && one != other
}

/// Whether both say the same.
fn agree(one: &str, other: &str) -> bool {
    !one.is_empty() && one == other
}

/// Rows on both sides that have no partner yet.
struct Open {
    gone: Vec<Side>,
    fresh: Vec<Side>,
    found: HashMap<[u8; 32], Pairing>,
    source: SourceName,
}

fn pairings(
    handle: &NodeHandle,
    source: &SourceName,
    spool: &mut Spool,
    keys: &HashSet<[u8; 32]>,
) -> Result<HashMap<[u8; 32], Pairing>, ImportError> {
    let (mut gone, mut held, mut present) = (Vec::new(), HashSet::new(), HashSet::new());
    handle.each_of_source(source, |row| {
        let key = source.key_hash(&row.key);
        held.insert(key);
        if keys.contains(&key) {
            present.insert(row.dataset);
        } else if !row.thrown_away {
            gone.push(Side::before(row));
        }
    })?;
    // A row that goes by another name already is not gone.
    gone.retain(|side| side.dataset.is_none_or(|id| !present.contains(&id)));
    if gone.is_empty() || keys.len() * 2 < held.len() {
        return Ok(HashMap::new());
    }
    let mut left = Vec::with_capacity(gone.len());
    for side in gone {
        if side.dataset.map(|id| handle.has_own_record(id)).transpose()?.unwrap_or(false) {
            left.push(side);
        }
    }
    let mut fresh = Vec::new();
    each_candidate(spool, |candidate| {
        if !held.contains(&source.key_hash(&candidate.key)) && candidate.title().is_some() {
            fresh.push(Side::now(candidate));
        }
    })?;
    let mut open = Open { gone: left, fresh, found: HashMap::new(), source: source.clone() };
    open.by_title();
    open.by_letters();
    open.by_score(handle, spool)?;
    Ok(open.found)
}

fn each_candidate(spool: &mut Spool, mut visit: impl FnMut(&Candidate)) -> Result<(), ImportError> {
    let mut lines = spool.lines()?;
    while let Some(line) = lines.next()? {
        if let Line::Candidate(candidate) = line {
            visit(&candidate);
        }
    }
    Ok(())
}

impl Open {
    /// Pairs what has the same title, first within its department.
    fn by_title(&mut self) {
        self.by_same(|side| format!("{}\u{1f}{}", side.plain, side.department));
        self.by_same(|side| side.plain.clone());
    }

    /// Pairs what is the only one on both sides with the same word.
    fn by_same(&mut self, word: impl Fn(&Side) -> String) {
        let mut groups: HashMap<String, [Vec<usize>; 2]> = HashMap::new();
        for (at, side) in self.gone.iter().enumerate() {
            groups.entry(word(side)).or_default()[0].push(at);
        }
        for (at, side) in self.fresh.iter().enumerate() {
            if let Some(group) = groups.get_mut(&word(side)) {
                group[1].push(at);
            }
        }
        let mut pairs = Vec::new();
        for [gone, fresh] in groups.into_values() {
            let (Some(first), false) = (gone.first(), fresh.is_empty()) else { continue };
            if let ([gone], [fresh]) = (gone.as_slice(), fresh.as_slice()) {
                pairs.extend(
                    of_one_title(&self.gone[*gone], &self.fresh[*fresh]).map(|how| (*gone, *fresh, how)),
                );
            } else if gone.len() == fresh.len()
                && agree(&self.gone[*first].department, &self.fresh[fresh[0]].department)
            {
                // Several rows of one title and office: which is which, a person knows.
                pairs.extend(
                    gone.iter().zip(&fresh).map(|(gone, fresh)| (*gone, *fresh, self.gone[*gone].perhaps())),
                );
            }
        }
        self.take(pairs);
    }

    /// Pairs titles that differ in a few letters, if nothing else is as near.
    fn by_letters(&mut self) {
        if self.gone.len() * self.fresh.len() > TITLE_PAIRS_MAX {
            return;
        }
        let letters = |sides: &[Side]| -> Vec<Vec<char>> {
            sides.iter().map(|side| side.plain.chars().collect()).collect()
        };
        let (gone, fresh) = (letters(&self.gone), letters(&self.fresh));
        let mut near = Vec::new();
        for (from, before) in gone.iter().enumerate() {
            let close = fresh.iter().enumerate().filter(|(_, now)| is_a_slip(before, now));
            near.extend(close.map(|(to, _)| (from, to)));
        }
        let alone = |&(from, to): &(usize, usize)| {
            near.iter().filter(|(gone, fresh)| *gone == from || *fresh == to).count() == 1
        };
        let pairs: Vec<_> = near
            .iter()
            .filter_map(|pair| {
                let (before, now) = (&self.gone[pair.0], &self.fresh[pair.1]);
                of_similar_titles(before, now, alone(pair)).map(|how| (pair.0, pair.1, how))
            })
            .collect();
        self.take(pairs);
    }

    /// Asks the scorer of duplicates about the rest, as far as it is not long.
    fn by_score(&mut self, handle: &NodeHandle, spool: &mut Spool) -> Result<(), ImportError> {
        if self.gone.is_empty() || self.fresh.is_empty() || self.fresh.len() > SCORED_ROWS_MAX {
            return Ok(());
        }
        let rows: HashMap<&str, usize> =
            self.fresh.iter().enumerate().map(|(at, side)| (side.key.as_str(), at)).collect();
        let mut asked: Vec<(usize, Candidate)> = Vec::new();
        each_candidate(spool, |candidate| {
            asked.extend(rows.get(candidate.key.as_str()).map(|at| (*at, candidate.clone())));
        })?;
        let mut pairs = Vec::new();
        for (number, (to, candidate)) in asked.into_iter().enumerate() {
            let Some(hint) = nearest(handle, candidate, number == 0)? else { continue };
            let Some(from) = self.gone.iter().position(|side| side.dataset == Some(hint.other.id)) else {
                continue;
            };
            pairs.extend(of_score(&self.gone[from], &self.fresh[to], hint.score).map(|how| (from, to, how)));
        }
        self.take(pairs);
        Ok(())
    }

    /// Notes pairs; each row takes part in one.
    fn take(&mut self, pairs: Vec<(usize, usize, Pairing)>) {
        let (mut gone, mut fresh) = (HashSet::new(), HashSet::new());
        for (from, to, pairing) in pairs {
            if gone.contains(&from) || fresh.contains(&to) {
                continue;
            }
            gone.insert(from);
            fresh.insert(to);
            self.found.insert(self.source.key_hash(&self.fresh[to].key), pairing);
        }
        let mut at = 0..;
        self.gone.retain(|_| !at.next().is_some_and(|at| gone.contains(&at)));
        let mut at = 0..;
        self.fresh.retain(|_| !at.next().is_some_and(|at| fresh.contains(&at)));
    }
}

/// What two rows of one title are.
fn of_one_title(before: &Side, now: &Side) -> Option<Pairing> {
    if before.named && now.named {
        return Some(before.perhaps());
    }
    let offices_differ = contradict(&before.department, &now.department);
    if offices_differ && contradict(&before.description, &now.description) {
        // Two offices may keep lists of one name; a Kennung tells them apart.
        return (!now.named).then(|| before.perhaps());
    }
    Some(before.sure())
}

/// What two rows are whose titles differ in a few letters.
fn of_similar_titles(before: &Side, now: &Side, alone: bool) -> Option<Pairing> {
    if now.named {
        return None;
    }
    let else_agree = before.place == now.place || agree(&before.description, &now.description);
    let contradicts =
        contradict(&before.department, &now.department) || contradict(&before.description, &now.description);
    Some(if alone && else_agree && !contradicts { before.sure() } else { before.perhaps() })
}

/// What two rows are that the scorer finds alike.
fn of_score(before: &Side, now: &Side, score: u8) -> Option<Pairing> {
    if now.named || score < ASKED_SCORE {
        return None;
    }
    let else_agree = before.place == now.place && agree(&before.department, &now.department)
        || agree(&before.description, &now.description);
    Some(if score >= SURE_SCORE && else_agree { before.sure() } else { before.perhaps() })
}

/// Whether two titles differ in a few letters only, and in no figure.
fn is_a_slip(one: &[char], other: &[char]) -> bool {
    let most = one.len().max(other.len()) / LETTERS_PER_SLIP;
    let figures = |title: &[char]| title.iter().filter(|c| c.is_numeric()).copied().collect::<Vec<_>>();
    one.len().abs_diff(other.len()) <= most && figures(one) == figures(other) && distance(one, other) <= most
}

fn nearest(
    handle: &NodeHandle,
    candidate: Candidate,
    anew: bool,
) -> Result<Option<DuplicateHint>, ImportError> {
    let fields = Value::Object(candidate.fields);
    let Ok(new) = NewDataset::parse_with(handle.vocabularies(), &fields) else { return Ok(None) };
    let Ok(record) = new.into_record(DatasetId::from_random(keys::random()?)) else { return Ok(None) };
    Ok(handle.nearest(&record.dataset, anew)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_pen_are_told_from_other_words() {
        let slip = |one: &str, other: &str| {
            let letters = |text: &str| plain(text).chars().collect::<Vec<_>>();
            is_a_slip(&letters(one), &letters(other))
        };
        assert!(slip("Baumkatster", "Baumkataster") && slip("Verkehrs-Zählung", "Verkehrszählungen"));
        assert!(!slip("Haushalt 2023", "Haushalt 2024"), "another year is another list");
        assert!(!slip("Bäume", "Zäune") && !slip("Brunnen", "Spielplätze"));
    }
}
