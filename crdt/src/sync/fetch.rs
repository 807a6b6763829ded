//! Fetching whole parts of a set of which nothing is held: what a newcomer does.
//!
//! To name each document first in a leaf and then in a Want would cost as much
//! as the documents' own hashes and signatures. So the asker names the part, the
//! peer sends the changes of all that is in it, and says when that was all. What
//! is missing afterwards, whatever the reason, the next comparison finds.

use super::{
    Claim, DocumentChanges, Entries, Message, SessionId, SetKey, Sync, WINDOW_DOCUMENTS, Want,
    pull::{held, lacks},
    serve::LEAVES_OF_BUCKET_MAX,
    session::{Pull, Wanted},
};
use crate::{
    frontier::{Frontier, FrontierEntry},
    ids::Millis,
    inventory::{EMPTY, Holding, Leaf, NodeHash, Prefix},
};

/// Parts that are being fetched from one peer at once.
const FETCHES_MAX: usize = 4;
/// Documents taken of one part; more there are not in a part that is sent whole.
const PART_DOCUMENTS_MAX: usize = LEAVES_OF_BUCKET_MAX;
/// Documents that are loaded for one step of a fetch.
const STEP_DOCUMENTS: usize = 64;

/// What a peer has asked for and has not got yet.
#[derive(Debug)]
pub(super) enum Asked {
    /// Changes of documents that it named.
    Wants(Vec<Want>),
    /// Changes of documents of a part that it named.
    Part(Vec<Want>),
    /// Everything of this part was sent.
    End(SetKey, Prefix),
}

impl Asked {
    pub(super) fn documents(&self) -> usize {
        match self {
            Self::Wants(wants) | Self::Part(wants) => wants.len(),
            Self::End(..) => 0,
        }
    }
}

impl Sync {
    /// Asks for parts, as far as what came before has been judged.
    pub(super) fn fetch_more(&mut self, now: Millis, id: SessionId) {
        while let Some(session) = self.sessions.get_mut(&id)
            && session.judging.values().map(Vec::len).sum::<usize>() < WINDOW_DOCUMENTS
            && let Some(pull) = session.pull.as_mut().filter(|pull| pull.fetching.len() < FETCHES_MAX)
            && let Some(prefix) = pull.parts.pop_front()
        {
            let set = pull.set;
            let state = self.sets.get(&set);
            let holds_some = state.is_some_and(|state| state.inventory.entries(prefix).next().is_some());
            if holds_some || !session.refused.is_empty() {
                // Only leaves tell what lacks, and what was refused before.
                pull.prefixes.push_back(prefix);
                continue;
            }
            pull.fetching.insert(prefix, 0);
            session.ask(now);
            self.send(id, &Message::Fetch(set, prefix));
        }
    }

    /// The peer wants all of a part of which it holds nothing.
    pub(super) fn fetch(&mut self, now: Millis, id: SessionId, set: SetKey, prefix: Prefix) {
        let Some(session) = self.sessions.get(&id) else { return };
        let parts = session.asked.iter().filter(|asked| matches!(asked, Asked::End(..))).count();
        if parts >= FETCHES_MAX {
            return self.charge(now, id, "more parts of sets at once than may be fetched");
        }
        let mut wants = Vec::new();
        if let Some(state) = self.set_for(id, &set) {
            let all = state.inventory.entries(prefix);
            wants.extend(all.take(PART_DOCUMENTS_MAX + 1).map(|(document, _)| Want {
                document: *document,
                epoch: 0,
                frontier: Frontier::default(),
            }));
            if let (Prefix::Bucket(bucket), true) = (prefix, wants.len() > PART_DOCUMENTS_MAX) {
                let sub_buckets = state.inventory.sub_buckets(bucket).concat();
                let entries = Entries { set, prefix, sub_buckets, leaves: Vec::new() };
                return self.send(id, &Message::Entries(entries));
            }
        }
        wants.truncate(PART_DOCUMENTS_MAX);
        if let Some(session) = self.sessions.get_mut(&id) {
            let steps = wants.chunks(STEP_DOCUMENTS).map(|step| Asked::Part(step.to_vec()));
            session.asked.extend(steps.chain([Asked::End(set, prefix)]));
        }
        self.load_next(id);
    }

    /// The peer has sent all of a part.
    pub(super) fn fetched(&mut self, now: Millis, id: SessionId, set: SetKey, prefix: Prefix) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let pull = session.pull.as_mut().filter(|pull| pull.set == set);
        if pull.is_none_or(|pull| pull.fetching.remove(&prefix).is_none()) {
            return self.charge(now, id, "the end of a part that was not asked for");
        }
        session.progress = now;
        self.pump(now, id);
        self.advance(now, id);
    }

    /// Takes a document that nobody has named: it may be of a part that is being
    /// fetched.
    pub(super) fn of_fetched_part(&mut self, now: Millis, id: SessionId, came: &DocumentChanges) -> PartOf {
        let document = came.genesis.document();
        let Some(pull) = self.sessions.get_mut(&id).and_then(|session| session.pull.as_mut()) else {
            return PartOf::Nothing;
        };
        let set = pull.set;
        let part = pull.fetching_part(&document).and_then(|part| pull.fetching.get_mut(&part));
        let taken = part.filter(|taken| **taken < PART_DOCUMENTS_MAX);
        let Some(taken) = taken.filter(|_| came.genesis.owner == set.town) else { return PartOf::Nothing };
        *taken += 1;
        // What did not fit is left to the next comparison.
        pull.incomplete |= came.more;
        let leaf = Leaf::new(document, offered(came));
        let claim = self.busy.get(&document);
        let is_claimed = claim.is_some_and(|claim| claim.until.is_none_or(|until| now < until));
        if came.is_empty() || is_claimed || !lacks(held(&self.sets, &set, &document), &leaf) {
            return PartOf::Known;
        }
        self.busy.insert(document, Claim { session: id, until: None });
        PartOf::Fetched(Wanted { set, leaf, had: None })
    }
}

/// What a document that came unnamed is.
pub(super) enum PartOf {
    /// Of no part that is being fetched, or of more than a part may hold.
    Nothing,
    /// Of such a part, but it is here, comes from elsewhere, or did not fit.
    Known,
    /// Of such a part, and to be judged.
    Fetched(Wanted),
}

/// What a peer that sends these changes says it holds of the document.
fn offered(came: &DocumentChanges) -> Holding {
    let record = came.record.as_ref();
    let epoch = record.map_or(1, |record| record.value().epoch);
    if let Some(record) = record.filter(|record| record.value().is_erased()) {
        return Holding::erased(epoch, record.id());
    }
    let mut frontier = Frontier::default();
    for change in &came.changes {
        let (actor, seq) = (change.seal.actor, change.seal.seq);
        frontier.advance(FrontierEntry { actor, seq, seal: change.seal.hash() });
    }
    Holding::live(epoch, frontier)
}

/// Sorts the parts that differ: those of which nothing is held are fetched
/// whole, of the others the leaves are asked for.
pub(super) fn sort_parts(
    pull: &mut Pull,
    parts: impl Iterator<Item = Prefix>,
    mine: &[NodeHash],
    theirs: &[NodeHash],
) {
    for ((part, mine), theirs) in parts.zip(mine).zip(theirs) {
        if mine == theirs || *theirs == EMPTY {
            continue;
        }
        let queue = if *mine == EMPTY { &mut pull.parts } else { &mut pull.prefixes };
        queue.push_back(part);
    }
}
