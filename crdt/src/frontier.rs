//! Frontiers: how far the history of one epoch of one document is held.
//!
//! A frontier names, for every author's run, the last seal held. Because each
//! seal names the one before, it stands for everything up to there
//! (`docs/protocol.md` section 9).

use minicbor::{Decode, Encode};

use crate::{
    encoding::{self, DecodeError, Reader},
    ids::{ActorId, SealHash},
};

/// The last seal held of one actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FrontierEntry {
    /// The actor.
    pub actor: ActorId,
    /// Its sequence number, from 1.
    pub seq: u64,
    /// Hash of the seal.
    pub seal: SealHash,
}

impl FrontierEntry {
    /// Length in bytes.
    pub const SIZE: usize = 56;
}

/// Changes of one actor that somebody has and we do not: `first..=last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    /// The actor.
    pub actor: ActorId,
    /// First sequence number missing.
    pub first: u64,
    /// Last sequence number missing.
    pub last: u64,
}

/// The last seals held, one per actor.
///
/// INVARIANT: actors ascend strictly; sequence numbers are 1 ..= [`Self::SEQ_MAX`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier(Box<[FrontierEntry]>);

impl Frontier {
    /// Actors a frontier may name (protocol section 13).
    pub const ACTORS_MAX: usize = 256;

    /// Greatest sequence number, far above any epoch's limit; keeps sums of
    /// claimed changes from overflowing.
    pub const SEQ_MAX: u64 = u32::MAX as u64;

    /// A frontier of entries that ascend by actor.
    pub fn from_entries(entries: Vec<FrontierEntry>) -> Result<Self, DecodeError> {
        encoding::require_at_most(entries.len(), Self::ACTORS_MAX, "actors of a frontier")?;
        encoding::require_ascending(&entries, "order of a frontier", |entry| entry.actor)?;
        if entries.iter().any(|entry| !(1..=Self::SEQ_MAX).contains(&entry.seq)) {
            return Err(DecodeError::Invalid("sequence number of a frontier"));
        }
        Ok(Self(entries.into()))
    }

    /// The entries, ascending by actor.
    pub fn entries(&self) -> &[FrontierEntry] {
        &self.0
    }

    /// The entry of an actor.
    pub fn get(&self, actor: &ActorId) -> Option<&FrontierEntry> {
        self.0.binary_search_by(|entry| entry.actor.cmp(actor)).ok().map(|at| &self.0[at])
    }

    /// Sequence number held of an actor; 0 if none.
    pub fn seq(&self, actor: &ActorId) -> u64 {
        self.get(actor).map_or(0, |entry| entry.seq)
    }

    /// Whether the actor's change with this sequence number is held.
    pub fn covers(&self, actor: &ActorId, seq: u64) -> bool {
        seq <= self.seq(actor)
    }

    /// Sets how far an actor is held.
    pub fn advance(&mut self, entry: FrontierEntry) {
        match self.0.binary_search_by(|held| held.actor.cmp(&entry.actor)) {
            Ok(at) => self.0[at] = entry,
            Err(at) => {
                let mut entries = std::mem::take(&mut self.0).into_vec();
                entries.insert(at, entry);
                self.0 = entries.into();
            }
        }
    }

    /// What `other` has and this frontier has not, ascending by actor.
    pub fn lacks(&self, other: &Self) -> impl Iterator<Item = Missing> {
        other.0.iter().filter_map(|theirs| {
            let held = self.seq(&theirs.actor);
            (held < theirs.seq).then(|| Missing { actor: theirs.actor, first: held + 1, last: theirs.seq })
        })
    }

    /// Actors of which both hold equally much, but not the same: somebody
    /// sealed two changes under one number.
    pub fn contradicts(&self, other: &Self) -> impl Iterator<Item = ActorId> {
        other.0.iter().filter_map(|theirs| {
            let held = self.get(&theirs.actor)?;
            (held.seq == theirs.seq && held.seal != theirs.seal).then_some(theirs.actor)
        })
    }

    /// Changes up to the frontier.
    pub fn changes(&self) -> u64 {
        self.0.iter().map(|entry| entry.seq).sum()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `H("hanse frontier 1", joined)`.
    pub fn hash(&self) -> [u8; 32] {
        encoding::hash(encoding::FRONTIER, &[&self.to_bytes()])
    }

    /// The entries joined, 56 bytes each.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * FrontierEntry::SIZE);
        for entry in &self.0 {
            bytes.extend_from_slice(&entry.actor.0);
            bytes.extend_from_slice(&entry.seq.to_be_bytes());
            bytes.extend_from_slice(&entry.seal.0);
        }
        bytes
    }

    /// Reads joined entries.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        if !bytes.len().is_multiple_of(FrontierEntry::SIZE) {
            return Err(DecodeError::Invalid("length of a frontier"));
        }
        let count = bytes.len() / FrontierEntry::SIZE;
        encoding::require_at_most(count, Self::ACTORS_MAX, "actors of a frontier")?;
        let mut reader = Reader::new(bytes);
        let mut entries = Vec::with_capacity(count);
        for _ in 0..count {
            entries.push(FrontierEntry {
                actor: ActorId(reader.array("frontier")?),
                seq: reader.u64("frontier")?,
                seal: SealHash(reader.array("frontier")?),
            });
        }
        reader.end()?;
        Self::from_entries(entries)
    }
}

impl<C> Encode<C> for Frontier {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.to_bytes())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Frontier {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let at = d.position();
        Self::from_bytes(d.bytes()?).map_err(|error| minicbor::decode::Error::message(error).at(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(actor: u8, seq: u64) -> FrontierEntry {
        FrontierEntry { actor: ActorId([actor; 16]), seq, seal: SealHash([seq as u8; 32]) }
    }

    fn frontier(entries: &[(u8, u64)]) -> Frontier {
        Frontier::from_entries(entries.iter().map(|(actor, seq)| entry(*actor, *seq)).collect()).unwrap()
    }

    #[test]
    fn bytes_go_both_ways_in_one_order_only() {
        let held = frontier(&[(1, 3), (2, 1)]);
        assert_eq!(Frontier::from_bytes(&held.to_bytes()), Ok(held.clone()));
        assert_eq!(Frontier::from_bytes(&[]), Ok(Frontier::default()));
        assert!(Frontier::from_bytes(&held.to_bytes()[1..]).is_err());
        for wrong in [
            vec![entry(2, 1), entry(1, 3)],
            vec![entry(1, 1), entry(1, 2)],
            vec![entry(1, 0)],
            vec![entry(1, 1 << 32)],
        ] {
            assert!(Frontier::from_entries(wrong).is_err());
        }
    }

    #[test]
    fn what_is_missing_is_named_by_actor_and_number() {
        let (ours, theirs) = (frontier(&[(1, 3), (2, 5)]), frontier(&[(1, 7), (2, 4), (3, 2)]));
        let missing: Vec<_> = ours.lacks(&theirs).map(|m| (m.actor.0[0], m.first, m.last)).collect();
        assert_eq!(missing, [(1, 4, 7), (3, 1, 2)]);
        assert_eq!(
            theirs.lacks(&ours).map(|m| (m.actor.0[0], m.first, m.last)).collect::<Vec<_>>(),
            [(2, 5, 5)]
        );
        assert!(ours.covers(&ActorId([1; 16]), 3) && !ours.covers(&ActorId([1; 16]), 4));
        assert!(!ours.covers(&ActorId([9; 16]), 1));
        assert_eq!(theirs.changes(), 13);
    }

    #[test]
    fn advancing_keeps_the_order() {
        let mut held = Frontier::default();
        for (actor, seq) in [(3, 1), (1, 1), (2, 1), (1, 2)] {
            held.advance(entry(actor, seq));
        }
        assert_eq!(held, frontier(&[(1, 2), (2, 1), (3, 1)]));
    }

    #[test]
    fn two_seals_under_one_number_contradict() {
        let ours = frontier(&[(1, 3), (2, 1)]);
        let mut theirs = ours.clone();
        theirs.advance(FrontierEntry { seal: SealHash([9; 32]), ..entry(1, 3) });
        assert_eq!(ours.contradicts(&theirs).collect::<Vec<_>>(), [ActorId([1; 16])]);
        assert_eq!(ours.contradicts(&ours).count(), 0);
    }
}
