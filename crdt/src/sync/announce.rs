//! Telling peers how things stand here: hello, authority, Have and pulse.

use std::collections::BTreeSet;

use super::{
    BULK_MS, CHANGES_BYTES_TARGET, CommittedDocument, Effect, HaveSet, Hello, LEAVES_MAX, LEVEL, Message,
    PULSE_MS, SessionId, SetKey, Sync, session::Remote,
};
use crate::{
    authority::Export,
    encoding,
    ids::Millis,
    inventory::{Leaf, NodeHash},
    manifest::Manifest,
    signed::Signed,
};

/// Sets in one Have: a manifest with cosignatures of 64 towns has some 6 KiB.
const SETS_PER_HAVE: usize = 8;

impl Sync {
    pub(super) fn send_hello(&mut self, id: SessionId) {
        let charter = self.authority.chain().current();
        let hello = Hello {
            level: LEVEL,
            federation: self.authority.federation(),
            charter_version: charter.value().version,
            charter: charter.id(),
            authority: self.authority.hash(),
            boot: self.boot,
        };
        self.send(id, &Message::Hello(hello));
    }

    /// Also a second hello is welcome: the sender's authority has changed, or
    /// it lacks a certificate.
    pub(super) fn hello(&mut self, now: Millis, id: SessionId, hello: &Hello) {
        if hello.federation != self.authority.federation() {
            return self.disconnect(now, id, "the peer is of another federation");
        }
        if hello.boot == self.boot {
            return self.disconnect(now, id, "the peer is this node itself");
        }
        let mine = self.authority.hash();
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let first = !session.greeted;
        if first {
            session.greeted = true;
            session.progress = now;
        }
        session.authority = hello.authority;
        if hello.authority != mine {
            self.send_authority(id);
        }
        if first {
            self.send_all(now, id);
            self.send_pulse(id);
        }
    }

    fn send_authority(&mut self, id: SessionId) {
        for part in parts(self.authority.export()) {
            self.send(id, &Message::Authority(part));
        }
    }

    pub(super) fn authority_received(&mut self, now: Millis, id: SessionId, told: Export) {
        let merged = self.authority.merge(told);
        let charters = merged.rejected_charters.iter().map(ToString::to_string);
        let refused: Vec<String> = charters.chain(merged.rejected.iter().map(ToString::to_string)).collect();
        for reason in refused {
            self.charge(now, id, format!("refused record of authority: {reason}"));
        }
        if merged.changed() {
            let new = Export {
                charters: merged
                    .charters
                    .iter()
                    .filter_map(|id| self.authority.chain().get(id).cloned())
                    .collect(),
                certificates: merged
                    .certificates
                    .iter()
                    .filter_map(|id| self.authority.certificate(id).cloned())
                    .collect(),
                revocations: merged
                    .revocations
                    .iter()
                    .filter_map(|id| self.authority.revocation(id).cloned())
                    .collect(),
            };
            self.effects.push_back(Effect::StoreAuthority(new));
            self.authority_changed(now);
        }
    }

    /// Tells all who may lack what is new, and lets those go who are no longer
    /// entitled.
    fn authority_changed(&mut self, now: Millis) {
        let mine = self.authority.hash();
        let ids: Vec<SessionId> = self.sessions.keys().copied().collect();
        for id in ids {
            let Some(session) = self.sessions.get_mut(&id) else { continue };
            // What had to wait may be judged now.
            session.waits = 0;
            if self.authority.town_of_transport_key(&session.key) != Some(session.town) {
                self.disconnect(now, id, "the peer's key no longer belongs to a member");
            } else if session.greeted && session.authority != mine {
                self.send_authority(id);
                self.send_hello(id);
            }
        }
    }

    pub(super) fn committed(
        &mut self,
        now: Millis,
        documents: Vec<CommittedDocument>,
        manifests: Vec<Signed<Manifest>>,
    ) {
        let bulk = documents.len() > LEAVES_MAX;
        let mut touched = BTreeSet::new();
        for committed in documents {
            let document = committed.document;
            let key = self.hold(committed, &mut touched);
            if let Some(state) = self.sets.get_mut(&key) {
                state.changed.insert(document);
                let due = if bulk || state.changed.len() > LEAVES_MAX { now.plus(BULK_MS) } else { now };
                state.announce_at = Some(state.announce_at.map_or(due, |at| at.min(due)));
            }
        }
        for set in touched {
            self.settle(now, &set);
        }
        for manifest in manifests {
            let (town, audience) = manifest.value().key();
            let to = manifest.value().audience.clone();
            if self.manifests.accept(manifest, &self.authority).is_ok() {
                let key = SetKey { town, audience };
                let state = self.sets.entry(key).or_insert_with(|| super::SetState::new(to));
                state.announce_at = Some(state.announce_at.unwrap_or(now));
            }
        }
        self.announce_due(now);
    }

    /// Announces all sets whose time has come.
    pub(super) fn announce_due(&mut self, now: Millis) {
        let due: Vec<SetKey> = self
            .sets
            .iter()
            .filter(|(_, state)| state.announce_at.is_some_and(|at| at <= now))
            .map(|(set, _)| *set)
            .collect();
        for set in due {
            self.announce(now, set);
        }
    }

    fn announce(&mut self, now: Millis, key: SetKey) {
        let Some(state) = self.sets.get_mut(&key) else { return };
        state.announce_at = None;
        let changed = std::mem::take(&mut state.changed);
        let leaves: Vec<Leaf> = if changed.len() > LEAVES_MAX {
            Vec::new()
        } else {
            changed
                .into_iter()
                .filter_map(|document| Some(Leaf::new(document, state.inventory.get(&document)?.clone())))
                .collect()
        };
        let root = state.inventory.root();
        let version = self.manifest_version(&key);
        let ids: Vec<SessionId> = self.sessions.keys().copied().collect();
        for id in ids {
            let known = self.sessions.get(&id).filter(|session| session.greeted).is_some_and(|session| {
                let remote = session.remote.get(&key);
                remote.is_some_and(|remote| remote.told == Some(root) && remote.manifest >= version)
            });
            if !known && let Some(have) = self.have_of(now, id, key, leaves.clone()) {
                self.send(id, &Message::Have(vec![have]));
            }
        }
    }

    /// Tells a peer how all sets stand that it may see.
    pub(super) fn send_all(&mut self, now: Millis, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.last_have = now;
        let keys: Vec<SetKey> = self.sets.keys().copied().collect();
        let sets: Vec<HaveSet> =
            keys.into_iter().filter_map(|key| self.have_of(now, id, key, Vec::new())).collect();
        for part in sets.chunks(SETS_PER_HAVE) {
            self.send(id, &Message::Have(part.to_vec()));
        }
    }

    /// How a set stands, for a peer that may see it.
    fn have_of(&mut self, now: Millis, id: SessionId, key: SetKey, leaves: Vec<Leaf>) -> Option<HaveSet> {
        let version = self.manifest_version(&key);
        let session = self.sessions.get_mut(&id).filter(|session| session.greeted)?;
        let state = self.sets.get_mut(&key)?;
        if key.town != session.town && !state.audience.includes_town(&session.town) {
            return None;
        }
        let root = state.inventory.root();
        let remote = session.remote.entry(key).or_insert_with(Remote::new);
        let newest = self.manifests.newest(&key.town, &key.audience);
        let manifest = newest.filter(|_| version > remote.manifest).cloned();
        remote.manifest = remote.manifest.max(version);
        remote.told = Some(root);
        remote.behind_since =
            if remote.root == root { None } else { Some(remote.behind_since.unwrap_or(now)) };
        Some(HaveSet {
            set: key,
            manifest,
            root,
            documents: state.inventory.len() as u64,
            changes: state.inventory.changes(),
            leaves,
        })
    }

    pub(super) fn send_pulse(&mut self, id: SessionId) {
        if let Some(hash) = self.pulse_hash(id) {
            self.send(id, &Message::Pulse(hash));
        }
    }

    /// Hash over the sets that both may see and their roots here.
    fn pulse_hash(&mut self, id: SessionId) -> Option<NodeHash> {
        let town = self.sessions.get(&id)?.town;
        let mut joined = Vec::new();
        for (set, state) in &mut self.sets {
            let newest = self.manifests.newest(&set.town, &set.audience);
            let version = newest.map_or(0, |manifest| manifest.value().version);
            let shared = set.town == town || state.audience.includes_town(&town);
            if shared && !state.inventory.is_empty() {
                joined.extend_from_slice(set.town.digits());
                joined.extend_from_slice(&set.audience.0);
                joined.extend_from_slice(&version.to_be_bytes());
                joined.extend_from_slice(&state.inventory.root());
            }
        }
        Some(encoding::hash(encoding::PULSE, &[&joined]))
    }

    pub(super) fn pulse(&mut self, now: Millis, id: SessionId, theirs: NodeHash) {
        let mine = self.pulse_hash(id);
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let first = !session.introduced;
        session.introduced = true;
        // The first pulse ends the introduction; later ones that differ mean
        // that news was lost, which is told once a pulse at most.
        if !first && mine != Some(theirs) && now.since(session.last_have) >= PULSE_MS / 2 {
            for remote in session.remote.values_mut() {
                remote.manifest = 0;
            }
            self.send_all(now, id);
        }
        self.compare_all(now);
    }
}

/// Splits an export into messages: charters in their order, each part small
/// enough for one message.
fn parts(export: Export) -> Vec<Export> {
    let mut parts = vec![Export::default()];
    let mut size = 0;
    let mut place = |parts: &mut Vec<Export>, bytes: usize| {
        if size + bytes > CHANGES_BYTES_TARGET && size > 0 {
            parts.push(Export::default());
            size = 0;
        }
        size += bytes;
        parts.len() - 1
    };
    for charter in export.charters {
        let at = place(&mut parts, charter.to_bytes().len());
        parts[at].charters.push(charter);
    }
    for certificate in export.certificates {
        let at = place(&mut parts, certificate.to_bytes().len());
        parts[at].certificates.push(certificate);
    }
    for revocation in export.revocations {
        let at = place(&mut parts, revocation.to_bytes().len());
        parts[at].revocations.push(revocation);
    }
    parts
}
