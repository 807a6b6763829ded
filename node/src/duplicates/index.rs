//! Finds the pairs worth comparing, without comparing all with all.
//!
//! Records that share a key meet (blocking); a key that more than
//! [`BLOCK_MAX`] records share is none any more. Found pairs are kept by score.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use crdt::ids::DatasetId;

use super::features::{Features, Key};
use super::score::{Common, Comparison, HINT_SCORE, compare, score};

/// Most records that a key brings together.
pub const BLOCK_MAX: u32 = 48;
/// Most pairs that are kept; of more, those of the highest scores.
pub const PAIRS_MAX: usize = 200_000;
/// Ends a chain of postings.
const END: u32 = u32::MAX;

/// A record that may be the same as the one asked about.
#[derive(Debug, Clone, PartialEq)]
pub struct Near {
    /// The record.
    pub id: DatasetId,
    /// How far it is.
    pub comparison: Comparison,
}

/// Two records that may be the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// One of the two, of the town whose index it is.
    pub id: DatasetId,
    /// The other.
    pub other: DatasetId,
    /// How far they are.
    pub comparison: Comparison,
}

/// All records and the pairs among them.
#[derive(Debug, Default)]
pub struct Index {
    records: Vec<Record>,
    slots: HashMap<DatasetId, u32>,
    live: u32,
    blocks: HashMap<Key, Block>,
    /// Records of the blocks: each with the next of its block.
    postings: Vec<(u32, u32)>,
    pairs: BTreeSet<(Reverse<u8>, u32, u32)>,
    truncated: bool,
    /// Records whose pairs are to be found, with their keys.
    waiting: BTreeMap<u32, Box<[Key]>>,
}

#[derive(Debug)]
struct Record {
    id: DatasetId,
    /// Whether it is one of the town whose index it is.
    own: bool,
    /// `None` once it is gone.
    features: Option<Features>,
}

#[derive(Debug)]
struct Block {
    first: u32,
    records: u32,
}

impl Index {
    /// Records that there are.
    pub fn len(&self) -> usize {
        self.live as usize
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Whether there are pairs beyond those that are kept.
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// Whether a record is one of the town whose index it is.
    pub fn is_own(&self, id: &DatasetId) -> bool {
        let record = self.slots.get(id).and_then(|slot| self.records.get(*slot as usize));
        record.is_some_and(|record| record.own && record.features.is_some())
    }

    /// Takes a record in, or what it says now. Its pairs are found by [`Self::settle`].
    pub fn put(&mut self, id: DatasetId, own: bool, features: Features, keys: &[Key]) {
        let new = u32::try_from(self.records.len()).unwrap_or(END);
        let slot = *self.slots.entry(id).or_insert(new);
        let record = Record { id, own, features: Some(features) };
        match self.records.get_mut(slot as usize) {
            Some(held) => {
                self.live += u32::from(held.features.is_none());
                *held = record;
            }
            None => {
                self.records.push(record);
                self.live += 1;
            }
        }
        for key in keys {
            self.post(*key, slot);
        }
        self.waiting.insert(slot, keys.into());
    }

    /// Takes a record out.
    pub fn remove(&mut self, id: &DatasetId) {
        if let Some(slot) = self.slots.get(id)
            && let Some(record) = self.records.get_mut(*slot as usize)
            && record.features.take().is_some()
        {
            self.live -= 1;
            self.waiting.insert(*slot, Box::default());
        }
    }

    /// What a record said before stays posted: the comparison decides.
    fn post(&mut self, key: Key, slot: u32) {
        let block = self.blocks.entry(key).or_insert(Block { first: END, records: 0 });
        let mut at = block.first;
        for _ in 0..block.records.min(BLOCK_MAX) {
            let Some((record, next)) = self.postings.get(at as usize) else { break };
            if *record == slot {
                return;
            }
            at = *next;
        }
        let posting = u32::try_from(self.postings.len()).unwrap_or(END);
        self.postings.push((slot, block.first));
        block.first = posting;
        block.records += 1;
    }

    /// Finds the pairs of everything that was put or taken out since.
    pub fn settle(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.is_empty() {
            return;
        }
        self.pairs.retain(|(_, a, b)| !waiting.contains_key(a) && !waiting.contains_key(b));
        let mut all = std::mem::take(&mut self.pairs);
        let mut truncated = self.truncated;
        let common = self.common();
        for (slot, keys) in &waiting {
            let Some(Record { own, features: Some(features), .. }) = self.records.get(*slot as usize) else {
                continue;
            };
            // Of two that wait, the later one finds the pair.
            let later = |other: &u32| other > slot && waiting.contains_key(other);
            let mut found = Vec::new();
            for other in self.met(keys).into_iter().filter(|other| other != slot && !later(other)) {
                let Some(Record { own: others, features: Some(there), .. }) =
                    self.records.get(other as usize)
                else {
                    continue;
                };
                if *own || *others {
                    let score = score(features, there, &common);
                    found.extend((score >= HINT_SCORE).then_some((
                        Reverse(score),
                        *slot.min(&other),
                        *slot.max(&other),
                    )));
                }
            }
            all.extend(found);
            while all.len() > PAIRS_MAX {
                all.pop_last();
                truncated = true;
            }
        }
        drop(common);
        (self.pairs, self.truncated) = (all, truncated);
    }

    /// Records that may be the same as this one, the likeliest first, at most
    /// `limit`. The record itself may be in the index or not.
    pub fn near(&self, id: &DatasetId, features: &Features, keys: &[Key], limit: usize) -> Vec<Near> {
        let (mut near, common) = (Vec::new(), self.common());
        for slot in self.met(keys) {
            let Some(Record { id: other, features: Some(there), .. }) = self.records.get(slot as usize)
            else {
                continue;
            };
            if other == id {
                continue;
            }
            let score = score(features, there, &common);
            if score >= HINT_SCORE {
                near.push((Reverse(score), *other, there));
            }
        }
        near.sort_by_key(|(score, id, _)| (*score, *id));
        near.truncate(limit);
        let compared = |(_, id, there)| Near { id, comparison: compare(features, there, &common) };
        near.into_iter().map(compared).collect()
    }

    /// The pairs that were found, the likeliest first, as they compare now.
    pub fn pairs(&self) -> impl Iterator<Item = Pair> {
        let common = self.common();
        self.pairs.iter().filter_map(move |(_, a, b)| {
            let (a, b) = (self.records.get(*a as usize)?, self.records.get(*b as usize)?);
            let (first, second) = if a.own || !b.own { (a, b) } else { (b, a) };
            let comparison = compare(first.features.as_ref()?, second.features.as_ref()?, &common);
            Some(Pair { id: first.id, other: second.id, comparison })
        })
    }

    /// How two records compare, if both are there.
    pub fn compared(&self, id: &DatasetId, other: &DatasetId) -> Option<Comparison> {
        let features = |id| self.records.get(*self.slots.get(id)? as usize)?.features.as_ref();
        Some(compare(features(id)?, features(other)?, &self.common()))
    }

    /// The records that share a key that few share.
    fn met(&self, keys: &[Key]) -> BTreeSet<u32> {
        let mut met = BTreeSet::new();
        for block in keys.iter().filter_map(|key| self.blocks.get(key)) {
            if block.records > BLOCK_MAX {
                continue;
            }
            let mut at = block.first;
            while let Some((record, next)) = self.postings.get(at as usize) {
                met.insert(*record);
                at = *next;
            }
        }
        met
    }

    fn common(&self) -> Common<'_> {
        Common { shared_by: Box::new(|key| self.shared_by(key)), records: self.live }
    }

    fn shared_by(&self, key: Key) -> u32 {
        self.blocks.get(&key).map_or(0, |block| block.records)
    }
}
