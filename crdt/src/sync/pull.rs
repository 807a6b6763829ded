//! Fetching what a peer has and we lack: Have, buckets, entries, wants.

use std::collections::BTreeMap;

use super::{
    COMPARE_MS, Claim, DocumentChanges, Effect, Entries, HaveSet, Message, PATIENCE_MS, RequestId,
    SETS_PER_TOWN_MAX, SessionId, SetKey, SetState, Sync, WANTS_MAX, WINDOW_DOCUMENTS, Want,
    fetch::{PartOf, sort_parts},
    session::{Pull, Remote, Session, Wanted},
};
use crate::{
    audience::Audience,
    gate::{Code, Rejection, Verdict},
    ids::{AudienceHash, DocumentId, Millis},
    inventory::{Holding, HoldingState, Leaf, NodeHash, Prefix, SUB_BUCKETS},
    manifest::{Manifest, ManifestAccepted, ManifestRejection},
    signed::Signed,
};

/// Parts of a set asked for at once.
const PREFIXES_MAX: usize = 8;
/// More entries are asked for when fewer leaves wait than this.
const QUEUE_LOW: usize = 1_024;
/// Documents left out of answers in a row: a peer has room for one change at
/// least in each.
const EMPTY_ANSWERS_MAX: usize = 2 * WANTS_MAX;
/// Answers of one session that may have to wait for something else, until it
/// has told us what, or is charged.
const WAITS_MAX: u32 = 16;
/// How often the pause between two comparisons that had to wait is doubled.
const FRUITLESS_MAX: u32 = 5;
/// Refused leaves remembered of one session.
const REFUSED_MAX: usize = 1_000;

impl Sync {
    pub(super) fn have(&mut self, now: Millis, id: SessionId, sets: Vec<HaveSet>) {
        for have in sets {
            if let Err(reason) = self.have_set(now, id, have) {
                self.charge(now, id, reason);
            }
        }
        self.compare_all(now);
    }

    fn have_set(&mut self, now: Millis, id: SessionId, have: HaveSet) -> Result<(), String> {
        let Some(peer) = self.sessions.get(&id).map(|session| session.town) else { return Ok(()) };
        if !self.authority.is_member(&have.set.town) {
            return Err("a set of a town that is no member".into());
        }
        let told = if self.sets.contains_key(&have.set) { None } else { Some(self.new_audience(&have)?) };
        let known = self.sets.get(&have.set).map(|state| &state.audience);
        let Some(audience) = told.as_ref().or(known) else { return Ok(()) };
        let visible = |town| have.set.town == town || audience.includes_town(&town);
        if !visible(self.town) || !visible(peer) {
            return Err("a set that is not for both of us".into());
        }
        let version = have.manifest.as_ref().map_or(0, |manifest| manifest.value().version);
        if let Some(manifest) = have.manifest {
            self.manifest_received(have.set, manifest)?;
        }
        if let Some(audience) = told {
            self.sets.insert(have.set, SetState::new(audience));
        }
        let Some(state) = self.sets.get_mut(&have.set) else { return Ok(()) };
        let Some(session) = self.sessions.get_mut(&id) else { return Ok(()) };
        let root = state.inventory.root();
        let remote = session.remote.entry(have.set).or_insert_with(Remote::new);
        remote.root = have.root;
        remote.documents = have.documents;
        remote.changes = have.changes;
        remote.manifest = remote.manifest.max(version);
        if root == have.root {
            remote.compared = Some(have.root);
            remote.behind_since = None;
        } else if have.changes < state.inventory.changes() {
            remote.behind_since = Some(remote.behind_since.unwrap_or(now));
        }
        session.settle(now, &have.set, &root);
        for leaf in have.leaves {
            enqueue(session, state, have.set, leaf, true);
        }
        self.pump(now, id);
        Ok(())
    }

    /// For whom an unknown set is: everyone, or as its manifest says. Whether
    /// the town has signed that is asked before the set is kept.
    fn new_audience(&self, have: &HaveSet) -> Result<Audience, String> {
        if have.set.audience == Audience::Open.hash() {
            return Ok(Audience::Open);
        }
        if of_town(&self.sets, have.set.town).count() >= SETS_PER_TOWN_MAX {
            return Err("more audiences than one town may have".into());
        }
        let told = have.manifest.as_ref().map(|manifest| &manifest.value().audience);
        let told = told.filter(|audience| audience.hash() == have.set.audience);
        told.cloned().ok_or_else(|| "a set for an audience that is not told".into())
    }

    fn manifest_received(&mut self, set: SetKey, manifest: Signed<Manifest>) -> Result<(), String> {
        let body = manifest.value();
        if body.town != set.town || body.audience.hash() != set.audience {
            return Err("a manifest of another set".into());
        }
        match self.manifests.accept(manifest.clone(), &self.authority) {
            Ok(ManifestAccepted::Newer) => {
                self.effects.push_back(Effect::StoreManifest { manifest, split: false });
                Ok(())
            }
            Ok(ManifestAccepted::SplitView) => {
                self.effects.push_back(Effect::StoreManifest { manifest, split: true });
                Ok(())
            }
            // A peer that has not caught up is no liar.
            Ok(ManifestAccepted::Known) | Err(ManifestRejection::Rollback { .. }) => Ok(()),
            Err(rejection) => Err(format!("refused manifest: {}: {rejection}", rejection.code())),
        }
    }

    /// Starts whole comparisons where roots differ and nothing else is going on.
    pub(super) fn compare_all(&mut self, now: Millis) {
        let ids: Vec<SessionId> = self.sessions.keys().copied().collect();
        for id in ids {
            self.compare(now, id);
        }
    }

    fn compare(&mut self, now: Millis, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if session.pull.is_some() || !session.is_drained() {
            return;
        }
        for (set, since) in &mut session.unequal {
            let (Some(state), Some(remote)) = (self.sets.get_mut(set), session.remote.get_mut(set)) else {
                continue;
            };
            // What is under way may bring all that is lacking, but waiting for
            // it is no reason to trust whoever brings it.
            let free = self.busy.is_empty() && state.puller.is_none();
            if now < remote.not_before || !(free || now >= since.plus(PATIENCE_MS)) {
                continue;
            }
            let pause = COMPARE_MS << remote.fruitless.min(FRUITLESS_MAX);
            remote.not_before = now.plus(pause);
            *since = now;
            state.puller = Some(id);
            let (set, root) = (*set, remote.root);
            session.ask(now);
            session.pull = Some(Pull {
                set,
                root,
                buckets_asked: true,
                parts: Default::default(),
                fetching: Default::default(),
                prefixes: Default::default(),
                entries_asked: Default::default(),
                incomplete: false,
            });
            self.send(id, &Message::AskBuckets(set));
            return;
        }
    }

    /// When a comparison that was held back may start.
    pub(super) fn comparison_due(&self, session: &Session) -> Option<Millis> {
        if session.pull.is_some() || !session.is_drained() {
            return None;
        }
        let due = session.unequal.iter().filter_map(|(set, since)| {
            let (state, remote) = (self.sets.get(set)?, session.remote.get(set)?);
            let free = self.busy.is_empty() && state.puller.is_none();
            Some(if free { remote.not_before } else { remote.not_before.max(since.plus(PATIENCE_MS)) })
        });
        due.min()
    }

    /// Lets others compare a set again.
    pub(super) fn end_pull(&mut self, id: SessionId, set: &SetKey) {
        if let Some(state) = self.sets.get_mut(set)
            && state.puller == Some(id)
        {
            state.puller = None;
        }
    }

    pub(super) fn buckets(&mut self, now: Millis, id: SessionId, set: SetKey, hashes: &[u8]) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let pull = session.pull.as_mut().filter(|pull| pull.set == set && pull.buckets_asked);
        let (Some(pull), Some(state)) = (pull, self.sets.get_mut(&set)) else {
            return self.charge(now, id, "buckets that were not asked for");
        };
        pull.buckets_asked = false;
        session.progress = now;
        let mine = state.inventory.buckets();
        let (theirs, _) = hashes.as_chunks::<32>();
        sort_parts(pull, (0..=u8::MAX).map(Prefix::Bucket), &mine, theirs);
        self.advance(now, id);
    }

    pub(super) fn entries(&mut self, now: Millis, id: SessionId, entries: Entries) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let asked = session
            .pull
            .as_mut()
            .filter(|pull| pull.set == entries.set)
            .is_some_and(|pull| pull.answers(&entries));
        let state = self.sets.get_mut(&entries.set);
        let (true, Some(state)) = (asked, state) else {
            return self.charge(now, id, "entries that were not asked for");
        };
        session.progress = now;
        if let (Prefix::Bucket(bucket), false) = (entries.prefix, entries.sub_buckets.is_empty()) {
            let mine = state.inventory.sub_buckets(bucket);
            let (theirs, _) = entries.sub_buckets.as_chunks::<32>();
            let subs = (0..SUB_BUCKETS as u16).map(|sub| Prefix::SubBucket(u16::from(bucket) << 4 | sub));
            if let Some(pull) = &mut session.pull {
                sort_parts(pull, subs, &mine, theirs);
            }
        }
        for leaf in entries.leaves {
            if !enqueue(session, state, entries.set, leaf, false)
                && let Some(pull) = &mut session.pull
            {
                pull.incomplete = true;
            }
        }
        self.pump(now, id);
        self.advance(now, id);
    }

    /// Goes on with a comparison: asks for more entries, or ends it.
    pub(super) fn advance(&mut self, now: Millis, id: SessionId) {
        self.fetch_more(now, id);
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let drained = session.is_drained();
        let Some(pull) = session.pull.as_mut() else { return };
        if pull.buckets_asked || !pull.entries_asked.is_empty() {
            return;
        }
        if !pull.prefixes.is_empty() {
            if session.queue.len() < QUEUE_LOW {
                let count = pull.prefixes.len().min(PREFIXES_MAX);
                let prefixes: Vec<Prefix> = pull.prefixes.drain(..count).collect();
                let set = pull.set;
                session.ask(now);
                if let Some(pull) = &mut session.pull {
                    pull.entries_asked.extend(prefixes.iter().copied());
                }
                self.send(id, &Message::AskEntries(set, prefixes));
            }
            return;
        }
        if !drained || !pull.parts.is_empty() || !pull.fetching.is_empty() {
            return;
        }
        let (set, root, incomplete) = (pull.set, pull.root, pull.incomplete);
        session.pull = None;
        if let Some(remote) = session.remote.get_mut(&set)
            && !incomplete
        {
            remote.compared = Some(root);
            remote.fruitless = 0;
        }
        if let Some(state) = self.sets.get_mut(&set) {
            session.settle(now, &set, &state.inventory.root());
        }
        self.end_pull(id, &set);
        self.compare_all(now);
    }

    /// Asks for queued documents as far as the window allows.
    pub(super) fn pump(&mut self, now: Millis, id: SessionId) {
        loop {
            let Some(session) = self.sessions.get_mut(&id) else { return };
            let judging: usize = session.judging.values().map(Vec::len).sum();
            let room = WINDOW_DOCUMENTS.saturating_sub(session.wanted.len() + judging);
            // A half-full window is refilled in one Want, not in many small ones.
            if room < WANTS_MAX || session.queue.is_empty() {
                return;
            }
            let mut wants = Vec::new();
            let mut later = Vec::new();
            while wants.len() < WANTS_MAX
                && let Some((set, leaf)) = session.queue.pop_front()
            {
                let held = held(&self.sets, &set, &leaf.document);
                if !lacks(held, &leaf) {
                    continue;
                }
                // It comes with its part; named too, it would come twice.
                if session.pull.as_ref().is_some_and(|pull| pull.set == set && pull.fetches(&leaf.document)) {
                    later.push((set, leaf));
                    continue;
                }
                let until = self.busy.get(&leaf.document).map(|claim| match claim.until {
                    Some(until) if claim.session != id => until,
                    _ => Millis(u64::MAX),
                });
                if let Some(until) = until.filter(|until| now < *until) {
                    if until < Millis(u64::MAX) {
                        self.retry_at = Some(self.retry_at.map_or(until, |at| at.min(until)));
                    }
                    later.push((set, leaf));
                    continue;
                }
                wants.push(want(held, &leaf));
                let had = held.map(Holding::hash);
                let claim = Claim { session: id, until: Some(now.plus(PATIENCE_MS)) };
                self.busy.insert(leaf.document, claim);
                session.ask(now);
                session.wanted.insert(leaf.document, Wanted { set, leaf, had });
            }
            for (set, leaf) in later {
                session.queue.push_back(set, leaf);
            }
            if wants.is_empty() {
                return;
            }
            self.send(id, &Message::Want(wants));
        }
    }

    /// Asks again everywhere: a document is no longer busy.
    pub(super) fn pump_all(&mut self, now: Millis) {
        let ids: Vec<SessionId> = self.sessions.keys().copied().collect();
        for id in ids {
            self.pump(now, id);
            self.advance(now, id);
        }
        self.compare_all(now);
    }

    pub(super) fn changes(&mut self, now: Millis, id: SessionId, documents: Vec<DocumentChanges>) {
        let request = self.next_request();
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let carrier = session.town;
        let (mut judging, mut wanted, mut faults) = (Vec::new(), Vec::new(), 0);
        for document in documents {
            let name = document.genesis.document();
            let Some(session) = self.sessions.get_mut(&id) else { return };
            let Some(known) = session.wanted.remove(&name) else {
                match self.of_fetched_part(now, id, &document) {
                    PartOf::Fetched(known) => {
                        judging.push((name, known));
                        wanted.push(document);
                    }
                    PartOf::Known => {}
                    PartOf::Nothing => faults += 1,
                }
                continue;
            };
            session.progress = now;
            if !document.is_empty() {
                session.empty_answers = 0;
                if let Some(claim) = self.busy.get_mut(&name).filter(|claim| claim.session == id) {
                    claim.until = None;
                }
                judging.push((name, known));
                wanted.push(document);
                continue;
            }
            // Left out of a full answer: ask again, but not for ever.
            release(&mut self.busy, &name, id);
            session.empty_answers += 1;
            if document.more && session.empty_answers <= EMPTY_ANSWERS_MAX {
                requeue(session, known);
            } else {
                faults += 1;
                remember_refused(session, name, &known.leaf);
            }
        }
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if !wanted.is_empty() {
            session.progress = now;
            session.judging.insert(request, judging);
            self.effects.push_back(Effect::Judge { request, carrier, documents: wanted });
        }
        for _ in 0..faults {
            self.charge(now, id, "a document that was not asked for, or nothing of one that was");
        }
        self.pump(now, id);
        self.advance(now, id);
    }

    pub(super) fn absent(&mut self, now: Millis, id: SessionId, documents: &[DocumentId]) {
        let mut offered = false;
        for document in documents {
            let Some(session) = self.sessions.get_mut(&id) else { return };
            let Some(wanted) = session.wanted.remove(document) else {
                self.charge(now, id, "absence of a document that was not asked for");
                continue;
            };
            offered = true;
            session.progress = now;
            release(&mut self.busy, document, id);
            remember_refused(session, *document, &wanted.leaf);
        }
        if offered {
            // Once a message: an owner may narrow many documents while we ask.
            self.charge(now, id, "absence of what the peer itself has offered");
        }
        self.pump_all(now);
    }

    pub(super) fn judged(
        &mut self,
        now: Millis,
        request: RequestId,
        outcomes: Vec<(DocumentId, Result<(), Rejection>)>,
    ) {
        let id = self.sessions.iter().find(|(_, session)| session.judging.contains_key(&request));
        let Some(id) = id.map(|(id, _)| *id) else { return };
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let judging = session.judging.remove(&request).unwrap_or_default();
        let mut outcomes: BTreeMap<_, _> = outcomes.into_iter().collect();
        let mut charges = Vec::new();
        let mut waits = false;
        for (document, wanted) in judging {
            release(&mut self.busy, &document, id);
            let held = held(&self.sets, &wanted.set, &document);
            match outcomes.remove(&document) {
                Some(Ok(())) if lacks(held, &wanted.leaf) => {
                    // What is still lacking was left out of one answer: ask
                    // again, as long as that leads further.
                    if moved(held, &wanted.leaf) && held.map(Holding::hash) != wanted.had {
                        requeue(session, wanted);
                    } else {
                        remember_refused(session, document, &wanted.leaf);
                        charges.push("changes that are not those that the peer offered".to_owned());
                    }
                }
                Some(Ok(())) => {}
                // Nothing that the peer could tell would help this build.
                Some(Err(rejection)) if rejection.code == Code::UnknownLevel => {
                    remember_refused(session, document, &wanted.leaf);
                }
                Some(Err(rejection)) => match rejection.verdict() {
                    Verdict::Wait => waits = true,
                    verdict => {
                        remember_refused(session, document, &wanted.leaf);
                        if verdict == Verdict::Sender {
                            charges.push(rejection.to_string());
                        }
                    }
                },
                None => remember_refused(session, document, &wanted.leaf),
            }
        }
        if waits {
            // A certificate or charter may be what is missing: a hello tells
            // the peer what we hold, and a later comparison tries again.
            if let Some(pull) = &mut session.pull
                && !std::mem::replace(&mut pull.incomplete, true)
                && let Some(remote) = session.remote.get_mut(&pull.set)
            {
                remote.fruitless += 1;
            }
            session.waits += 1;
            if session.waits > WAITS_MAX {
                charges.push("changes that rest on what nobody has told".to_owned());
            }
            self.send_hello(id);
        }
        for reason in charges {
            self.charge(now, id, reason);
        }
        self.pump_all(now);
    }
}

/// Queues a leaf that holds something we lack. `false` if there is no room.
fn enqueue(session: &mut Session, state: &SetState, set: SetKey, leaf: Leaf, first: bool) -> bool {
    if !lacks(state.inventory.get(&leaf.document), &leaf)
        || session.refused.get(&leaf.document) == Some(&mark(&leaf))
    {
        return true;
    }
    if first { session.queue.push_front(set, leaf) } else { session.queue.push_back(set, leaf) }
}

/// Asks once more for what was answered in part.
fn requeue(session: &mut Session, wanted: Wanted) {
    if !session.queue.push_front(wanted.set, wanted.leaf)
        && let Some(pull) = &mut session.pull
    {
        pull.incomplete = true;
    }
}

fn release(busy: &mut BTreeMap<DocumentId, Claim>, document: &DocumentId, id: SessionId) {
    if busy.get(document).is_some_and(|claim| claim.session == id) {
        busy.remove(document);
    }
}

fn of_town(
    sets: &BTreeMap<SetKey, SetState>,
    town: crate::ids::Town,
) -> impl Iterator<Item = (&SetKey, &SetState)> {
    let least = SetKey { town, audience: AudienceHash([0; 32]) };
    let greatest = SetKey { town, audience: AudienceHash([0xff; 32]) };
    sets.range(least..=greatest)
}

/// What is held of a document that was offered in a set: it may have moved to
/// another audience of its town since.
pub(super) fn held<'a>(
    sets: &'a BTreeMap<SetKey, SetState>,
    set: &SetKey,
    document: &DocumentId,
) -> Option<&'a Holding> {
    let here = sets.get(set).and_then(|state| state.inventory.get(document));
    here.or_else(|| of_town(sets, set.town).find_map(|(_, state)| state.inventory.get(document)))
}

fn remember_refused(session: &mut Session, document: DocumentId, leaf: &Leaf) {
    if session.refused.len() >= REFUSED_MAX {
        session.refused.pop_first();
    }
    session.refused.insert(document, mark(leaf));
}

/// Names what a leaf offers.
fn mark(leaf: &Leaf) -> NodeHash {
    let mut mark = Holding { epoch: leaf.epoch, state: leaf.state.clone() }.hash();
    for (byte, epoch) in mark.iter_mut().zip(leaf.epoch.to_be_bytes()) {
        *byte ^= epoch;
    }
    mark
}

/// Whether a leaf offers something: more than is held, or a contradiction,
/// which is evidence.
pub(super) fn lacks(held: Option<&Holding>, leaf: &Leaf) -> bool {
    let Some(held) = held else { return true };
    let theirs = Holding { epoch: leaf.epoch, state: leaf.state.clone() };
    held.lacks(&theirs) || contradicts(held, leaf).next().is_some()
}

fn contradicts(held: &Holding, leaf: &Leaf) -> impl Iterator<Item = crate::ids::ActorId> {
    let frontiers = match (&held.state, &leaf.state) {
        (HoldingState::Live(own), HoldingState::Live(theirs)) if held.epoch == leaf.epoch => {
            Some((own, theirs))
        }
        _ => None,
    };
    frontiers.into_iter().flat_map(|(own, theirs)| own.contradicts(theirs))
}

/// Whether something of the leaf's epoch has come, so that asking again leads
/// further.
fn moved(held: Option<&Holding>, leaf: &Leaf) -> bool {
    held.is_some_and(|held| held.epoch == leaf.epoch && contradicts(held, leaf).next().is_none())
}

fn want(held: Option<&Holding>, leaf: &Leaf) -> Want {
    let mut want = Want { document: leaf.document, epoch: 0, frontier: Default::default() };
    if let Some(held) = held {
        want.epoch = held.epoch;
        let contradicting: Vec<_> = contradicts(held, leaf).collect();
        for entry in held.frontier().into_iter().flat_map(|frontier| frontier.entries()) {
            if !contradicting.contains(&entry.actor) {
                want.frontier.advance(*entry);
            }
        }
    }
    want
}
