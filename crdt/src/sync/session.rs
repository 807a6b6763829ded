//! What a node remembers of one session with one peer.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{RequestId, message::SetKey, message::Want};
use crate::{
    ids::{DocumentId, Millis, PublicKey, Town},
    inventory::{Leaf, NodeHash, Prefix},
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
    /// Leaves of the peer that may hold something we lack.
    pub(super) queue: VecDeque<(SetKey, Leaf)>,
    /// Documents asked for and not answered yet.
    pub(super) wanted: BTreeMap<DocumentId, Wanted>,
    /// Documents that are being judged, by request.
    pub(super) judging: BTreeMap<RequestId, Vec<(DocumentId, Wanted)>>,
    /// Leaves that this peer offered and that were refused.
    pub(super) refused: BTreeMap<DocumentId, NodeHash>,
    /// Documents left out of answers since the last that held something.
    pub(super) empty_answers: usize,
    /// The peer's wants: one is being loaded, a few may wait.
    pub(super) serving: Option<RequestId>,
    pub(super) asked: VecDeque<Vec<Want>>,
    /// When the peer last answered, or was first asked something.
    pub(super) progress: Millis,
    pub(super) next_pulse: Millis,
    pub(super) last_have: Millis,
}

/// A document asked for, and the leaf that made us ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) set: SetKey,
    pub(super) leaf: Leaf,
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
    /// Since when the peer lacks something that we hold.
    pub(super) behind_since: Option<Millis>,
}

/// A whole comparison of one set with one peer.
#[derive(Debug)]
pub(super) struct Pull {
    pub(super) set: SetKey,
    /// The peer's root when it began.
    pub(super) root: NodeHash,
    pub(super) buckets_asked: bool,
    pub(super) prefixes: VecDeque<Prefix>,
    pub(super) entries_asked: BTreeSet<Prefix>,
    /// Something was refused or could not be asked for.
    pub(super) incomplete: bool,
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
            queue: VecDeque::new(),
            wanted: BTreeMap::new(),
            judging: BTreeMap::new(),
            refused: BTreeMap::new(),
            empty_answers: 0,
            serving: None,
            asked: VecDeque::new(),
            progress: now,
            next_pulse: now.plus(super::PULSE_MS),
            last_have: now,
        }
    }

    /// Whether the peer owes an answer.
    pub(super) fn is_waiting(&self) -> bool {
        let pull = self.pull.as_ref();
        !self.greeted
            || !self.wanted.is_empty()
            || pull.is_some_and(|pull| pull.buckets_asked || !pull.entries_asked.is_empty())
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
            behind_since: None,
        }
    }
}
