//! Inventories: what a node holds of one town for one audience, in a form that
//! two nodes compare with one hash when equal.
//!
//! [`Inventory`] keeps the hashes of `docs/protocol.md` section 9 up to date
//! lazily: a change marks one sub-bucket, and only marked ones are hashed again.
//! It holds names, numbers and hashes, never content.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};

use crate::{
    encoding::{self, DecodeError},
    frontier::Frontier,
    ids::{DocumentId, EpochHash, Town},
};

/// Hash of a bucket, sub-bucket or root; zero for empty buckets.
pub type NodeHash = [u8; 32];

/// Hash of an empty bucket or sub-bucket.
pub const EMPTY: NodeHash = [0; 32];
/// Buckets of an inventory: one per first byte of a document id.
pub const BUCKETS: usize = 256;
/// Sub-buckets of a bucket: one per next four bits.
pub const SUB_BUCKETS: usize = 16;

/// What is held of a document's newest epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoldingState {
    /// Changes up to this frontier.
    Live(Frontier),
    /// Nothing but the record of its withdrawal.
    Erased(EpochHash),
}

/// A document's newest epoch and what is held of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// The epoch.
    pub epoch: u32,
    /// What is held.
    pub state: HoldingState,
}

impl Holding {
    /// A live epoch.
    pub fn live(epoch: u32, frontier: Frontier) -> Self {
        Self { epoch, state: HoldingState::Live(frontier) }
    }

    /// A withdrawn document.
    pub fn erased(epoch: u32, record: EpochHash) -> Self {
        Self { epoch, state: HoldingState::Erased(record) }
    }

    /// The frontier, if the epoch is live.
    pub fn frontier(&self) -> Option<&Frontier> {
        match &self.state {
            HoldingState::Live(frontier) => Some(frontier),
            HoldingState::Erased(_) => None,
        }
    }

    /// Whether the document is withdrawn.
    pub fn is_erased(&self) -> bool {
        matches!(self.state, HoldingState::Erased(_))
    }

    /// Changes held.
    pub fn changes(&self) -> u64 {
        self.frontier().map_or(0, Frontier::changes)
    }

    /// Frontier hash, or the epoch record's for an erased epoch.
    pub fn hash(&self) -> NodeHash {
        match &self.state {
            HoldingState::Live(frontier) => frontier.hash(),
            HoldingState::Erased(record) => record.0,
        }
    }

    /// Whether a node holding `self` has something to ask a node holding
    /// `other` for, of the same document.
    pub fn lacks(&self, other: &Self) -> bool {
        match self.epoch.cmp(&other.epoch) {
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Greater => false,
            std::cmp::Ordering::Equal => match (&self.state, &other.state) {
                (HoldingState::Live(own), HoldingState::Live(theirs)) => own.lacks(theirs).next().is_some(),
                (HoldingState::Live(_), HoldingState::Erased(_)) => true,
                (HoldingState::Erased(_), HoldingState::Live(_)) => false,
                (HoldingState::Erased(own), HoldingState::Erased(theirs)) => theirs < own,
            },
        }
    }
}

/// On the wire a byte string: joined frontier entries of 56 bytes each, or the
/// 32 bytes of an erased epoch's hash. No frontier has 32 bytes.
impl<C> Encode<C> for HoldingState {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        match self {
            Self::Live(frontier) => frontier.encode(e, ctx),
            Self::Erased(record) => record.encode(e, ctx),
        }
    }
}

impl<'b, C> Decode<'b, C> for HoldingState {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let at = d.position();
        let bytes = d.bytes()?;
        match EpochHash::from_slice(bytes) {
            Some(record) => Ok(Self::Erased(record)),
            None => Frontier::from_bytes(bytes)
                .map(Self::Live)
                .map_err(|error| minicbor::decode::Error::message(error).at(at)),
        }
    }
}

/// A document and what is held of it, as told to a peer:
/// `[document, epoch, frontier]`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Leaf {
    /// The document.
    #[n(0)]
    pub document: DocumentId,
    /// Its newest epoch.
    #[n(1)]
    pub epoch: u32,
    /// What is held of it.
    #[n(2)]
    pub state: HoldingState,
}

impl Leaf {
    /// The leaf of a holding.
    pub fn new(document: DocumentId, holding: Holding) -> Self {
        Self { document, epoch: holding.epoch, state: holding.state }
    }

    /// The holding without its document.
    pub fn into_holding(self) -> (DocumentId, Holding) {
        (self.document, Holding { epoch: self.epoch, state: self.state })
    }
}

/// First bits of document ids: a bucket or a sub-bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Prefix {
    /// The first 8 bits.
    Bucket(u8),
    /// The first 12 bits; at most [`Prefix::SUB_BUCKET_MAX`].
    SubBucket(u16),
}

impl Prefix {
    /// Greatest number of a sub-bucket.
    pub const SUB_BUCKET_MAX: u16 = 0xfff;
    const SUB_BUCKET_MARK: u16 = 0x1000;

    /// The sub-bucket that a document falls into.
    pub fn of(document: &DocumentId) -> Self {
        Self::SubBucket(sub_bucket_of(document))
    }

    /// Form of protocol section 11.
    pub fn to_u16(self) -> u16 {
        match self {
            Self::Bucket(bucket) => bucket.into(),
            Self::SubBucket(number) => Self::SUB_BUCKET_MARK + number,
        }
    }

    /// Reads the form of protocol section 11.
    pub fn from_u16(code: u16) -> Result<Self, DecodeError> {
        match code {
            0..=0xff => Ok(Self::Bucket(code as u8)),
            Self::SUB_BUCKET_MARK..=0x1fff => Ok(Self::SubBucket(code - Self::SUB_BUCKET_MARK)),
            _ => Err(DecodeError::Invalid("prefix of document ids")),
        }
    }

    /// Least and greatest document id with these first bits.
    fn bounds(self) -> (DocumentId, DocumentId) {
        let (mut least, mut greatest) = (DocumentId([0; 32]), DocumentId([0xff; 32]));
        match self {
            Self::Bucket(bucket) => (least.0[0], greatest.0[0]) = (bucket, bucket),
            Self::SubBucket(number) => {
                let [high, low] = (number << 4).to_be_bytes();
                (least.0[0], least.0[1]) = (high, low);
                (greatest.0[0], greatest.0[1]) = (high, low | 0x0f);
            }
        }
        (least, greatest)
    }
}

impl<C> Encode<C> for Prefix {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.u16(self.to_u16())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Prefix {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let at = d.position();
        Self::from_u16(d.u16()?).map_err(|error| minicbor::decode::Error::message(error).at(at))
    }
}

fn sub_bucket_of(document: &DocumentId) -> u16 {
    u16::from_be_bytes([document.0[0], document.0[1]]) >> 4
}

/// What a node holds of one town for one audience.
///
/// INVARIANT: `sub_buckets`, `buckets` and `root` are right but for the
/// sub-buckets in `dirty`; empty ones are absent.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    holdings: BTreeMap<DocumentId, Holding>,
    changes: u64,
    sub_buckets: BTreeMap<u16, NodeHash>,
    buckets: BTreeMap<u8, NodeHash>,
    root: Option<NodeHash>,
    dirty: BTreeSet<u16>,
}

impl Inventory {
    /// Sets what is held of a document; returns what was held before.
    pub fn insert(&mut self, document: DocumentId, holding: Holding) -> Option<Holding> {
        self.changes += holding.changes();
        let number = sub_bucket_of(&document);
        match self.holdings.get_mut(&document) {
            Some(held) => {
                self.changes -= held.changes();
                if *held != holding {
                    self.dirty.insert(number);
                }
                Some(std::mem::replace(held, holding))
            }
            None => {
                self.dirty.insert(number);
                self.holdings.insert(document, holding)
            }
        }
    }

    /// Forgets a document; returns what was held of it.
    pub fn remove(&mut self, document: &DocumentId) -> Option<Holding> {
        let held = self.holdings.remove(document)?;
        self.changes -= held.changes();
        self.dirty.insert(sub_bucket_of(document));
        Some(held)
    }

    /// What is held of a document.
    pub fn get(&self, document: &DocumentId) -> Option<&Holding> {
        self.holdings.get(document)
    }

    /// Documents held, withdrawn ones included.
    pub fn len(&self) -> usize {
        self.holdings.len()
    }

    /// Whether no document is held.
    pub fn is_empty(&self) -> bool {
        self.holdings.is_empty()
    }

    /// Changes held of all documents.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// All documents, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (&DocumentId, &Holding)> {
        self.holdings.iter()
    }

    /// The documents whose ids begin with `prefix`, ascending.
    pub fn entries(&self, prefix: Prefix) -> impl Iterator<Item = (&DocumentId, &Holding)> {
        let (least, greatest) = prefix.bounds();
        self.holdings.range(least..=greatest)
    }

    /// One hash over everything held. Cheap when nothing changed since.
    pub fn root(&mut self) -> NodeHash {
        self.refresh();
        let Self { buckets, root, .. } = self;
        *root.get_or_insert_with(|| {
            let joined: Vec<u8> =
                (0..=u8::MAX).flat_map(|bucket| buckets.get(&bucket).copied().unwrap_or(EMPTY)).collect();
            encoding::hash(encoding::ROOT, &[&joined])
        })
    }

    /// The hashes of all buckets.
    pub fn buckets(&mut self) -> [NodeHash; BUCKETS] {
        self.refresh();
        std::array::from_fn(|bucket| self.buckets.get(&(bucket as u8)).copied().unwrap_or(EMPTY))
    }

    /// The hashes of a bucket's sub-buckets.
    pub fn sub_buckets(&mut self, bucket: u8) -> [NodeHash; SUB_BUCKETS] {
        self.refresh();
        self.sub_buckets_of(bucket)
    }

    fn sub_buckets_of(&self, bucket: u8) -> [NodeHash; SUB_BUCKETS] {
        std::array::from_fn(|index| {
            let number = u16::from(bucket) << 4 | index as u16;
            self.sub_buckets.get(&number).copied().unwrap_or(EMPTY)
        })
    }

    fn refresh(&mut self) {
        let dirty = std::mem::take(&mut self.dirty);
        let mut touched = BTreeSet::new();
        for number in dirty {
            touched.insert((number >> 4) as u8);
            match self.hash_sub_bucket(number) {
                EMPTY => self.sub_buckets.remove(&number),
                hash => self.sub_buckets.insert(number, hash),
            };
        }
        for bucket in touched {
            self.root = None;
            let parts = self.sub_buckets_of(bucket);
            if parts == [EMPTY; SUB_BUCKETS] {
                self.buckets.remove(&bucket);
            } else {
                self.buckets.insert(bucket, encoding::hash(encoding::BUCKET, &[parts.as_flattened()]));
            }
        }
    }

    fn hash_sub_bucket(&self, number: u16) -> NodeHash {
        let mut leaves = Vec::new();
        for (document, holding) in self.entries(Prefix::SubBucket(number)) {
            leaves.extend_from_slice(&document.0);
            leaves.extend_from_slice(&holding.epoch.to_be_bytes());
            leaves.extend_from_slice(&holding.hash());
        }
        if leaves.is_empty() { EMPTY } else { encoding::hash(encoding::LEAF, &[&leaves]) }
    }
}

impl FromIterator<(DocumentId, Holding)> for Inventory {
    fn from_iter<I: IntoIterator<Item = (DocumentId, Holding)>>(holdings: I) -> Self {
        let mut inventory = Self::default();
        for (document, holding) in holdings {
            inventory.insert(document, holding);
        }
        inventory
    }
}

/// `H("hanse digest 1", …)` over the roots of all towns that have at least one
/// document: what `hanse digest` prints for people to compare.
pub fn digest(roots: &BTreeMap<Town, NodeHash>) -> NodeHash {
    let joined: Vec<u8> = roots.iter().flat_map(|(town, root)| [&town.digits()[..], root].concat()).collect();
    encoding::hash(encoding::DIGEST, &[&joined])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        frontier::FrontierEntry,
        ids::{ActorId, SealHash},
    };

    fn document(number: u32) -> DocumentId {
        DocumentId(encoding::hash("test document", &[&number.to_be_bytes()]))
    }

    fn holding(seq: u64) -> Holding {
        let entry = FrontierEntry { actor: ActorId([7; 16]), seq, seal: SealHash([seq as u8; 32]) };
        Holding::live(1, Frontier::from_entries(vec![entry]).unwrap())
    }

    #[test]
    fn hashes_depend_on_what_is_held_and_not_on_how_it_came() {
        let mut straight: Inventory = (0..500).map(|n| (document(n), holding(1))).collect();
        let mut winding = Inventory::default();
        for n in (0..600).rev() {
            winding.insert(document(n), holding(2));
            if n % 7 == 0 {
                winding.root();
            }
        }
        assert_ne!(straight.root(), winding.root());
        for n in 0..500 {
            winding.insert(document(n), holding(1));
        }
        for n in 500..600 {
            winding.remove(&document(n));
        }
        assert_eq!(straight.root(), winding.root());
        assert_eq!(straight.buckets(), winding.buckets());
        assert_eq!((winding.len(), winding.changes()), (500, 500));
    }

    #[test]
    fn an_emptied_inventory_is_as_new() {
        let mut inventory: Inventory = [(document(1), holding(3))].into_iter().collect();
        let full = inventory.root();
        inventory.remove(&document(1));
        assert_ne!(inventory.root(), full);
        assert_eq!(inventory.root(), Inventory::default().root());
        assert_eq!(inventory.changes(), 0);
    }

    #[test]
    fn the_differing_document_is_found_through_buckets() {
        let mut ours: Inventory = (0..3000).map(|n| (document(n), holding(1))).collect();
        let mut theirs = ours.clone();
        theirs.insert(document(77), holding(2));
        let differing: Vec<usize> =
            (0..BUCKETS).filter(|bucket| ours.buckets()[*bucket] != theirs.buckets()[*bucket]).collect();
        assert_eq!(differing, [usize::from(document(77).0[0])]);
        let bucket = document(77).0[0];
        let (left, right) = (ours.sub_buckets(bucket), theirs.sub_buckets(bucket));
        let sub: Vec<usize> = (0..SUB_BUCKETS).filter(|index| left[*index] != right[*index]).collect();
        assert_eq!(sub, [usize::from(document(77).0[1] >> 4)]);
        let Prefix::SubBucket(number) = Prefix::of(&document(77)) else { unreachable!() };
        assert_eq!(usize::from(number & 0xf), sub[0]);
        let entries: Vec<_> = theirs.entries(Prefix::SubBucket(number)).map(|(id, _)| *id).collect();
        assert!(entries.contains(&document(77)));
        assert!(entries.iter().all(|id| id.0[0] == bucket && id.0[1] >> 4 == sub[0] as u8));
        let in_bucket = theirs.entries(Prefix::Bucket(bucket)).count();
        assert_eq!(in_bucket, (0..3000).filter(|n| document(*n).0[0] == bucket).count());
    }

    #[test]
    fn one_who_holds_less_asks() {
        let erased = |byte| Holding::erased(2, EpochHash([byte; 32]));
        assert!(holding(1).lacks(&holding(2)));
        assert!(!holding(2).lacks(&holding(1)));
        assert!(holding(9).lacks(&erased(1)));
        assert!(!erased(1).lacks(&holding(9)));
        assert!(erased(2).lacks(&erased(1)) && !erased(1).lacks(&erased(2)));
    }

    #[test]
    fn prefixes_have_one_number_each() {
        for prefix in [Prefix::Bucket(0), Prefix::Bucket(255), Prefix::SubBucket(0), Prefix::SubBucket(0xfff)]
        {
            assert_eq!(Prefix::from_u16(prefix.to_u16()), Ok(prefix));
        }
        for wrong in [0x100, 0xfff, 0x2000, 0xffff] {
            assert!(Prefix::from_u16(wrong).is_err());
        }
    }

    #[test]
    fn a_leaf_goes_both_ways() {
        for state in [
            holding(3).state,
            HoldingState::Erased(EpochHash([1; 32])),
            Holding::live(1, Frontier::default()).state,
        ] {
            let leaf = Leaf { document: document(1), epoch: 4, state };
            assert_eq!(encoding::from_cbor(&encoding::to_cbor(&leaf), "leaf"), Ok(leaf));
        }
    }

    #[test]
    fn a_holding_stays_small() {
        // 100,000 documents of one author: id, holding and one frontier entry each.
        assert!(size_of::<Holding>() <= 48);
        assert!(size_of::<FrontierEntry>() <= 56);
    }
}
