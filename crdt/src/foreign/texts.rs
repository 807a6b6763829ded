//! Texts by number, each held once.

#![expect(clippy::disallowed_types, reason = "texts are looked up by hash; the map's order shows nowhere")]

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

/// Number of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct TextId(u32);

/// All texts, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Texts {
    all: String,
    /// Where each ends.
    ends: Vec<usize>,
    /// By hash, or by the next free number behind it where two texts share one.
    known: HashMap<u64, TextId>,
    hasher: RandomState,
}

impl Texts {
    /// The number of a text, a new one for a new text.
    pub(super) fn id(&mut self, text: &str) -> TextId {
        let mut slot = self.hasher.hash_one(text);
        while let Some(id) = self.known.get(&slot) {
            if self.get(*id) == text {
                return *id;
            }
            slot = slot.wrapping_add(1);
        }
        let id = TextId(u32::try_from(self.ends.len()).expect("a graph is bounded by its reader"));
        self.all.push_str(text);
        self.ends.push(self.all.len());
        self.known.insert(slot, id);
        id
    }

    /// A text by its number.
    pub(super) fn get(&self, id: TextId) -> &str {
        let at = id.0 as usize;
        let begin = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.all[begin..self.ends[at]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_number_and_comes_back_whole() {
        let mut texts = Texts::default();
        let given = ["", "Bäume", "B", "äume", "Bäume", ""];
        let ids = given.map(|text| texts.id(text));
        assert_eq!(ids.map(|id| texts.get(id)), given);
        assert_eq!((ids[1], ids[0]), (ids[4], ids[5]));
        assert_eq!(texts.all, "BäumeBäume");
    }
}
