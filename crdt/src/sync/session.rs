//! What a node remembers of one session with one peer.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Asked, Entries, QUEUE_BYTES_MAX, QUEUE_MAX, RequestId, message::SetKey};
use crate::{
    frontier::FrontierEntry,
    ids::{DocumentId, Millis, PublicKey, Town},
    inventory::{HoldingState, Leaf, NodeHash, Prefix},
};

/// One connection with one peer, named by the transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

/// A session's state.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) key: PublicKey,
    pub(super) town: Town,
    /// The peer has said hello, and in our federation.
    pub(super) greeted: bool,
    /// The peer has told how all its sets stand.
    pub(super) introduced: bool,
    /// Hash of the charters and certificates that the peer holds.
    pub(super) authority: NodeHash,
    pub(super) remote: BTreeMap<SetKey, Remote>,
    pub(super) pull: Option<Pull>,
    /// Sets of which the peer may hold something we lack, and since when.
    pub(super) unequal: BTreeMap<SetKey, Millis>,
    /// Leaves of the peer that may hold something we lack.
    pub(super) queue: Queue,
    /// Documents asked for and not answered yet.
    pub(super) wanted: BTreeMap<DocumentId, Wanted>,
    /// Documents that are being judged, by request.
    pub(super) judging: BTreeMap<RequestId, Vec<(DocumentId, Wanted)>>,
    /// Leaves that this peer offered and that were refused.
    pub(super) refused: BTreeMap<DocumentId, NodeHash>,
    /// Documents left out of answers since the last that held something.
    pub(super) empty_answers: usize,
    /// Answers that had to wait for something else, since our authority changed.
    pub(super) waits: u32,
    /// What the peer wants: a piece is being loaded, others wait.
    pub(super) serving: Option<Serving>,
    pub(super) asked: VecDeque<Asked>,
    /// When the peer last gave what it was asked for, or was first asked.
    pub(super) progress: Millis,
    pub(super) next_pulse: Millis,
    pub(super) last_have: Millis,
}

/// Documents that are being loaded for a peer.
#[derive(Debug)]
pub(super) struct Serving {
    pub(super) request: RequestId,
    pub(super) documents: BTreeSet<DocumentId>,
    /// The peer has named them and is told which are absent.
    pub(super) named: bool,
}

/// A document asked for, and the leaf that made us ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) set: SetKey,
    pub(super) leaf: Leaf,
    /// What was held when it was asked for: an answer must lead further.
    pub(super) had: Option<NodeHash>,
}

/// Leaves that wait to be asked for, bounded in number and in bytes.
#[derive(Debug, Default)]
pub(super) struct Queue {
    leaves: VecDeque<(SetKey, Leaf)>,
    bytes: usize,
}

impl Queue {
    /// Adds a leaf at the end. `false` if there is no room.
    pub(super) fn push_back(&mut self, set: SetKey, leaf: Leaf) -> bool {
        if self.is_full() {
            return false;
        }
        self.bytes += bytes_of(&leaf);
        self.leaves.push_back((set, leaf));
        true
    }

    /// Adds a leaf at the front. `false` if there is no room.
    pub(super) fn push_front(&mut self, set: SetKey, leaf: Leaf) -> bool {
        if self.is_full() {
            return false;
        }
        self.bytes += bytes_of(&leaf);
        self.leaves.push_front((set, leaf));
        true
    }

    pub(super) fn pop_front(&mut self) -> Option<(SetKey, Leaf)> {
        let (set, leaf) = self.leaves.pop_front()?;
        self.bytes -= bytes_of(&leaf);
        Some((set, leaf))
    }

    pub(super) fn len(&self) -> usize {
        self.leaves.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.leaves.is_empty()
    }

    fn is_full(&self) -> bool {
        self.leaves.len() >= QUEUE_MAX || self.bytes >= QUEUE_BYTES_MAX
    }
}

/// What a leaf weighs in memory, roughly.
fn bytes_of(leaf: &Leaf) -> usize {
    let entries = match &leaf.state {
        HoldingState::Live(frontier) => frontier.entries().len(),
        HoldingState::Erased(_) => 0,
    };
    64 + entries * FrontierEntry::SIZE
}

/// How a set stands at the peer, as far as it has told.
#[derive(Debug, Clone)]
pub(super) struct Remote {
    pub(super) root: NodeHash,
    pub(super) documents: u64,
    pub(super) changes: u64,
    /// Newest manifest version that the peer is known to hold.
    pub(super) manifest: u64,
    /// The root that the peer was last told of.
    pub(super) told: Option<NodeHash>,
    /// The root of the peer of which we lack nothing.
    pub(super) compared: Option<NodeHash>,
    /// No whole comparison before this.
    pub(super) not_before: Millis,
    /// Comparisons in a row that had to wait for something else.
    pub(super) fruitless: u32,
    /// Since when the peer lacks something that we hold.
    pub(super) behind_since: Option<Millis>,
}

impl Remote {
    /// Whether the peer may hold something of the set that we lack, whose own
    /// root is `held`.
    pub(super) fn may_hold_more(&self, held: Option<&NodeHash>) -> bool {
        self.documents > 0 && held != Some(&self.root) && self.compared != Some(self.root)
    }
}

/// A whole comparison of one set with one peer.
#[derive(Debug)]
pub(super) struct Pull {
    pub(super) set: SetKey,
    /// The peer's root when it began.
    pub(super) root: NodeHash,
    pub(super) buckets_asked: bool,
    /// Parts of which nothing is held, to be fetched whole.
    pub(super) parts: VecDeque<Prefix>,
    /// Those that are being fetched, and how many documents of each came.
    pub(super) fetching: BTreeMap<Prefix, usize>,
    /// Parts whose leaves are to be asked for.
    pub(super) prefixes: VecDeque<Prefix>,
    pub(super) entries_asked: BTreeSet<Prefix>,
    /// Something was refused or could not be asked for.
    pub(super) incomplete: bool,
}

impl Pull {
    /// Whether a document lies in a part that is being fetched.
    pub(super) fn fetches(&self, document: &DocumentId) -> bool {
        self.fetching_part(document).is_some()
    }

    /// The part that is being fetched and in which a document lies.
    pub(super) fn fetching_part(&self, document: &DocumentId) -> Option<Prefix> {
        let parts = [Prefix::of(document), Prefix::Bucket(document.0[0])];
        parts.into_iter().find(|part| self.fetching.contains_key(part))
    }

    /// Whether these entries answer a question, which is answered by them. A
    /// part that is too large to be sent whole is answered by finer hashes.
    pub(super) fn answers(&mut self, entries: &Entries) -> bool {
        self.entries_asked.remove(&entries.prefix)
            || (!entries.sub_buckets.is_empty() && self.fetching.remove(&entries.prefix).is_some())
    }

    /// Whether the peer owes an answer to a question of the comparison.
    fn is_waiting(&self) -> bool {
        self.buckets_asked || !self.entries_asked.is_empty() || !self.fetching.is_empty()
    }
}

impl Session {
    pub(super) fn new(key: PublicKey, town: Town, now: Millis) -> Self {
        Self {
            key,
            town,
            greeted: false,
            introduced: false,
            authority: NodeHash::default(),
            remote: BTreeMap::new(),
            pull: None,
            unequal: BTreeMap::new(),
            queue: Queue::default(),
            wanted: BTreeMap::new(),
            judging: BTreeMap::new(),
            refused: BTreeMap::new(),
            empty_answers: 0,
            waits: 0,
            serving: None,
            asked: VecDeque::new(),
            progress: now,
            next_pulse: now.plus(super::PULSE_MS),
            last_have: now,
        }
    }

    /// Begins to wait for the peer, if it owes no answer yet.
    pub(super) fn ask(&mut self, now: Millis) {
        if !self.is_waiting() {
            self.progress = now;
        }
    }

    /// Notes how a set with this root here stands at the peer.
    pub(super) fn settle(&mut self, now: Millis, set: &SetKey, root: &NodeHash) {
        let Some(remote) = self.remote.get_mut(set) else { return };
        if remote.root == *root {
            remote.compared = Some(*root);
        }
        if remote.documents == 0 || remote.compared == Some(remote.root) {
            self.unequal.remove(set);
        } else {
            self.unequal.entry(*set).or_insert(now);
        }
    }

    /// Whether the peer owes an answer.
    pub(super) fn is_waiting(&self) -> bool {
        let pull = self.pull.as_ref();
        !self.greeted || !self.wanted.is_empty() || pull.is_some_and(Pull::is_waiting)
    }

    /// Whether nothing of the peer's is being asked for or judged.
    pub(super) fn is_drained(&self) -> bool {
        self.queue.is_empty() && self.wanted.is_empty() && self.judging.is_empty()
    }
}

impl Remote {
    pub(super) fn new() -> Self {
        Self {
            root: NodeHash::default(),
            documents: 0,
            changes: 0,
            manifest: 0,
            told: None,
            compared: None,
            not_before: Millis(0),
            fruitless: 0,
            behind_since: None,
        }
    }
}
