//! Answering what a peer asks: buckets, entries, changes.

use super::{
    Asked, CHANGES_BYTES_TARGET, DocumentChanges, Effect, Entries, MESSAGE_BYTES_MAX, Message, RequestId,
    SessionId, SetKey, Sync, WINDOW_DOCUMENTS, Want,
    session::{Serving, Session},
};
use crate::{
    ids::{DocumentId, Millis},
    inventory::{Holding, Inventory, Leaf, NodeHash, Prefix},
    seal::SealedChange,
};

/// Leaves of a bucket above which its 16 sub-bucket hashes are sent instead.
pub(super) const LEAVES_OF_BUCKET_MAX: usize = 512;
/// Bytes of leaves in one answer; with what stands around them it is a message.
const LEAVES_BYTES_MAX: usize = MESSAGE_BYTES_MAX - 1_024;
/// Parts of a set that one question may name.
const PREFIXES_ASKED_MAX: usize = 16;

impl Sync {
    /// The set, if the session's peer may see it.
    pub(super) fn set_for(&mut self, id: SessionId, set: &SetKey) -> Option<&mut super::SetState> {
        let town = self.sessions.get(&id)?.town;
        self.sets.get_mut(set).filter(|state| set.town == town || state.audience.includes_town(&town))
    }

    pub(super) fn ask_buckets(&mut self, _: Millis, id: SessionId, set: SetKey) {
        let hashes: [NodeHash; 256] =
            self.set_for(id, &set).map_or([NodeHash::default(); 256], |state| state.inventory.buckets());
        self.send(id, &Message::Buckets(set, hashes.concat()));
    }

    pub(super) fn ask_entries(&mut self, now: Millis, id: SessionId, set: SetKey, prefixes: Vec<Prefix>) {
        if prefixes.len() > PREFIXES_ASKED_MAX {
            return self.charge(now, id, "a question for too many parts at once");
        }
        for prefix in prefixes {
            let mut entries = Entries { set, prefix, sub_buckets: Vec::new(), leaves: Vec::new() };
            let turn = self.turns;
            if let Some(state) = self.set_for(id, &set) {
                let (leaves, left_out) = leaves(&state.inventory, prefix, turn);
                match prefix {
                    Prefix::Bucket(bucket) if left_out || leaves.len() > LEAVES_OF_BUCKET_MAX => {
                        entries.sub_buckets = state.inventory.sub_buckets(bucket).concat();
                    }
                    Prefix::Bucket(_) | Prefix::SubBucket(_) => entries.leaves = leaves,
                }
                self.turns = turn.wrapping_add(usize::from(left_out));
            }
            self.send(id, &Message::Entries(entries));
        }
    }

    pub(super) fn want(&mut self, now: Millis, id: SessionId, wants: Vec<Want>) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        // An asker has this many documents open at most, in as many Wants as it likes.
        let named = session.asked.iter().filter(|asked| matches!(asked, Asked::Wants(_)));
        let waiting: usize = named.map(Asked::documents).sum();
        if wants.is_empty() || waiting + wants.len() > WINDOW_DOCUMENTS {
            return self.charge(now, id, "questions for nothing, or for more documents than may be open");
        }
        session.asked.push_back(Asked::Wants(wants));
        self.load_next(id);
    }

    /// Loads what a peer asked for next, if nothing is being loaded.
    pub(super) fn load_next(&mut self, id: SessionId) {
        while let Some(session) = self.sessions.get_mut(&id)
            && session.serving.is_none()
            && let Some(asked) = session.asked.pop_front()
        {
            let (wants, named) = match asked {
                Asked::Wants(wants) => (wants, true),
                Asked::Part(wants) => (wants, false),
                Asked::End(set, prefix) => {
                    self.send(id, &Message::Fetched(set, prefix));
                    continue;
                }
            };
            let (here, absent): (Vec<Want>, Vec<Want>) =
                wants.into_iter().partition(|want| self.may_have(id, &want.document));
            // Nobody named what has left a part since it was asked for.
            if named && !absent.is_empty() {
                let absent: Vec<DocumentId> = absent.into_iter().map(|want| want.document).collect();
                self.send(id, &Message::Absent(absent));
            }
            if !here.is_empty() {
                let request = self.next_request();
                if let Some(session) = self.sessions.get_mut(&id) {
                    let documents = here.iter().map(|want| want.document).collect();
                    session.serving = Some(Serving { request, documents, named });
                }
                self.effects.push_back(Effect::Load { request, wants: here });
            }
        }
    }

    fn may_have(&self, id: SessionId, document: &DocumentId) -> bool {
        let Some(town) = self.sessions.get(&id).map(|session| session.town) else { return false };
        self.sets
            .iter()
            .any(|(set, state)| self.may_see(town, set, state) && state.inventory.get(document).is_some())
    }

    pub(super) fn loaded(&mut self, request: RequestId, documents: Vec<DocumentChanges>) {
        let serves =
            |session: &Session| session.serving.as_ref().is_some_and(|serving| serving.request == request);
        let found = self.sessions.iter_mut().find(|(_, session)| serves(session));
        let Some((id, session)) = found else { return };
        let Some(Serving { documents: mut absent, named, .. }) = session.serving.take() else { return };
        let id = *id;
        for document in &documents {
            absent.remove(&document.genesis.document());
        }
        if named && !absent.is_empty() {
            self.send(id, &Message::Absent(absent.into_iter().collect()));
        }
        let (mut part, mut bytes) = (Vec::new(), 0);
        for document in documents {
            let size = size_of(&document);
            if bytes + size > CHANGES_BYTES_TARGET && !part.is_empty() {
                self.send(id, &Message::Changes(std::mem::take(&mut part)));
                bytes = 0;
            }
            bytes += size;
            part.push(document);
        }
        if !part.is_empty() {
            self.send(id, &Message::Changes(part));
        }
        self.load_next(id);
    }
}

/// The leaves of a part that fit one answer, and whether some were left out:
/// then the next answer begins elsewhere, so that in the end all are told.
fn leaves(inventory: &Inventory, prefix: Prefix, turn: usize) -> (Vec<Leaf>, bool) {
    let all: Vec<_> = inventory.entries(prefix).collect();
    let size = |holding: &Holding| 48 + holding.frontier().map_or(32, |held| held.to_bytes().len());
    let whole: usize = all.iter().map(|(_, holding)| size(holding)).sum();
    let left_out = whole > LEAVES_BYTES_MAX;
    let start = if left_out { turn.wrapping_mul(7) % all.len() } else { 0 };
    let mut bytes = 0;
    let fitting = all[start..].iter().chain(&all[..start]).take_while(|(_, holding)| {
        bytes += size(holding);
        bytes <= LEAVES_BYTES_MAX
    });
    let leaves = fitting.map(|(document, holding)| Leaf::new(**document, (*holding).clone())).collect();
    (leaves, left_out)
}

/// Roughly how many bytes a document takes in a message.
fn size_of(document: &DocumentChanges) -> usize {
    let record = document.record.as_ref().map_or(0, |record| record.body().len() + 128);
    let changes = document.changes.iter().map(|change| crate::seal::Seal::SIZE + change.operations.len() + 4);
    64 + record + changes.sum::<usize>()
}

/// The changes that come after a frontier, in their order: of each actor those
/// past the sequence number held, or all if what is held there is another
/// change, which the asker's gate will take as evidence.
pub fn changes_after<'a>(
    changes: &'a [SealedChange],
    want: &'a Want,
    epoch: u32,
) -> impl Iterator<Item = &'a SealedChange> {
    let held = move |change: &SealedChange| {
        want.epoch == epoch && want.frontier.covers(&change.seal.actor, change.seal.seq)
    };
    changes.iter().filter(move |change| !held(change))
}
