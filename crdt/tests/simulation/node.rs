//! One simulated node: a disk that survives, and a run that does not.
//!
//! The disk holds what redb would: sealed changes, manifests, authority. The
//! run holds the real state machine. Effects are done one by one, so that a
//! crash can fall between any two.

use std::collections::{BTreeMap, BTreeSet};

use crdt::{
    audience::Audience,
    authority::{Authority, Export},
    catalog::{Dataset, DatasetEdit},
    charter::CharterChain,
    epoch::EpochRecord,
    gate::{self, Code, Rejection},
    genesis::{DocumentKind, Genesis, GenesisClass},
    ids::{
        BootNonce, CertificateHash, DatasetId, DocumentId, FederationId, GenesisNonce, Millis, Pseudonym,
        SealHash, Town, UnixMillis,
    },
    inventory::Inventory,
    manifest::Manifest,
    seal::SealedChange,
    sealed_document::{SealedDocument, Signer},
    signed::Signed,
    sync::{CommittedDocument, DocumentChanges, Effect, Event, RequestId, Sync, Want, changes_after},
};
use ed25519_dalek::SigningKey;

use crate::random::Random;

/// What survives a crash.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    pub(crate) authority: Export,
    pub(crate) documents: BTreeMap<DocumentId, StoredDocument>,
    pub(crate) manifests: BTreeMap<Town, Signed<Manifest>>,
    pub(crate) quarantine: Vec<(DocumentId, Code)>,
}

#[derive(Debug, Clone)]
pub(crate) struct StoredDocument {
    pub(crate) genesis: Genesis,
    pub(crate) record: Option<Signed<EpochRecord>>,
    pub(crate) changes: Vec<SealedChange>,
}

impl StoredDocument {
    pub(crate) fn restore(&self) -> SealedDocument {
        SealedDocument::restore(self.genesis, self.record.clone(), self.changes.clone())
            .expect("what was admitted is restored")
    }

    fn committed(&self, document: &SealedDocument) -> CommittedDocument {
        CommittedDocument {
            town: self.genesis.owner,
            audience: document.audience(),
            document: document.id(),
            holding: document.holding(),
        }
    }
}

/// What a town's node is made of.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) town: Town,
    pub(crate) node_key: SigningKey,
    pub(crate) transport_key: SigningKey,
    pub(crate) certificate: CertificateHash,
    pub(crate) federation: FederationId,
}

/// A running process.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) sync: Sync,
    pub(crate) signer: Signer,
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) identity: Identity,
    pub(crate) disk: Disk,
    pub(crate) run: Option<Run>,
    pub(crate) starts: u64,
    /// What this node held against its peers.
    pub(crate) charged: Vec<String>,
    pub(crate) backup: Option<Disk>,
    /// Changes acknowledged to a person and since seen by another node.
    pub(crate) acknowledged: BTreeSet<SealHash>,
}

pub(crate) fn authority(export: &Export) -> Authority {
    let first = export.charters.first().expect("a federation has a charter").clone();
    let federation = first.founds().expect("version 1 founds");
    let mut authority = Authority::new(CharterChain::found(first, &federation).expect("a valid founding"));
    authority.merge(export.clone());
    authority
}

impl Node {
    pub(crate) fn start(&mut self, random: &mut Random) {
        let boot = BootNonce(random.bytes());
        let documents: Vec<CommittedDocument> =
            self.disk.documents.values().map(|stored| stored.committed(&stored.restore())).collect();
        let authority = authority(&self.disk.authority);
        let signer = Signer {
            federation: self.identity.federation,
            key: self.identity.node_key.clone(),
            certificate: self.identity.certificate,
            charter_version: authority.charter().version,
            boot,
        };
        let manifests = self.disk.manifests.values().cloned();
        let sync = Sync::new(self.identity.town, boot, authority, documents, manifests);
        self.starts += 1;
        self.run = Some(Run { sync, signer });
    }

    pub(crate) fn crash(&mut self) {
        self.run = None;
    }

    /// A person's edit: durable at once, then told to the state machine. Only
    /// when the node has caught up with what it said before.
    pub(crate) fn edit(&mut self, now: Millis, time: UnixMillis, random: &mut Random) -> bool {
        let Some(run) = &mut self.run else { return false };
        if !run.sync.is_caught_up() {
            return false;
        }
        let town = self.identity.town;
        let own: Vec<DocumentId> = self
            .disk
            .documents
            .iter()
            .filter(|(_, stored)| stored.genesis.owner == town)
            .map(|(document, _)| *document)
            .collect();
        let existing = if random.one_in(3) { None } else { random.pick(&own).copied() };
        let mut stored = match existing {
            Some(document) => self.disk.documents[&document].clone(),
            None => {
                let genesis = Genesis {
                    federation: self.identity.federation,
                    kind: DocumentKind::Dataset,
                    owner: town,
                    class: GenesisClass::Open,
                    nonce: GenesisNonce(random.bytes()),
                };
                StoredDocument { genesis, record: None, changes: Vec::new() }
            }
        };
        let mut document = stored.restore();
        let edit = random_edit(random);
        let id = DatasetId::from_random(random.bytes());
        let admitted = document
            .author(&run.signer, Pseudonym(random.bytes()), time, |automerge, actor| {
                if automerge.heads().is_empty() {
                    let dataset = edit.apply(&Dataset::new(id)).expect("a valid edit");
                    automerge.edit_dataset(actor, &DatasetEdit::first(&dataset))
                } else {
                    automerge.edit_dataset(actor, &edit)
                }
            })
            .expect("an edit of an own document is sealed");
        let Some(admitted) = admitted else { return false };
        stored.changes.push(admitted.sealed().clone());
        self.acknowledged.insert(admitted.sealed().seal.hash());
        let committed = stored.committed(&document);
        self.disk.documents.insert(document.id(), stored);
        let manifest = self.issue_manifest(time);
        let Some(run) = &mut self.run else { return false };
        run.sync
            .handle_event(now, Event::Committed { documents: vec![committed], manifests: vec![manifest] });
        true
    }

    fn issue_manifest(&mut self, time: UnixMillis) -> Signed<Manifest> {
        let town = self.identity.town;
        let mut inventory: Inventory = self
            .disk
            .documents
            .values()
            .filter(|stored| stored.genesis.owner == town)
            .map(|stored| (stored.genesis.document(), stored.restore().holding()))
            .collect();
        let signer = &self.run.as_ref().expect("only a running node issues").signer;
        let last = self.disk.manifests.get(&town);
        let manifest =
            Manifest::sign_next(signer, town, Audience::Open, last, &mut inventory, Vec::new(), time);
        self.disk.manifests.insert(town, manifest.clone());
        manifest
    }

    /// Does one effect that is done at once. All others are the world's and
    /// are given back: what crosses a link, and what takes a disk its time.
    pub(crate) fn perform(&mut self, effect: Effect) -> Option<Effect> {
        match effect {
            Effect::StoreManifest { manifest, split } => {
                if !split {
                    self.disk.manifests.insert(manifest.value().town, manifest);
                }
            }
            Effect::StoreAuthority(new) => {
                let mut authority = authority(&self.disk.authority);
                authority.merge(new);
                self.disk.authority = authority.export();
            }
            Effect::Charged { reason, .. } => self.charged.push(reason),
            Effect::Load { .. } | Effect::Judge { .. } | Effect::Send { .. } | Effect::Disconnect { .. } => {
                return Some(effect);
            }
        }
        None
    }

    /// Does an effect of the disk, some time after it was asked for.
    pub(crate) fn work(&mut self, now: Millis, effect: Effect) {
        match effect {
            Effect::Load { request, wants } => {
                let documents = self.load(&wants);
                self.tell(now, Event::Loaded { request, documents });
            }
            Effect::Judge { request, documents, .. } => self.judge(now, request, documents),
            _ => {}
        }
    }

    pub(crate) fn tell(&mut self, now: Millis, event: Event) {
        if let Some(run) = &mut self.run {
            run.sync.handle_event(now, event);
        }
    }

    fn load(&self, wants: &[Want]) -> Vec<DocumentChanges> {
        let found = |want: &Want| {
            let stored = self.disk.documents.get(&want.document)?;
            let epoch = stored.record.as_ref().map_or(1, |record| record.value().epoch);
            Some(DocumentChanges {
                genesis: stored.genesis,
                record: stored.record.clone(),
                changes: changes_after(&stored.changes, want, epoch).cloned().collect(),
                more: false,
            })
        };
        wants.iter().filter_map(found).collect()
    }

    fn judge(&mut self, now: Millis, request: RequestId, documents: Vec<DocumentChanges>) {
        let Some(run) = &self.run else { return };
        let mut outcomes = Vec::new();
        let mut committed = Vec::new();
        for incoming in documents {
            let name = incoming.genesis.document();
            let outcome = judge_one(run.sync.authority(), &mut self.disk, incoming, &mut committed);
            if let Err(rejection) = &outcome {
                self.disk.quarantine.push((name, rejection.code));
            }
            outcomes.push((name, outcome));
        }
        self.tell(now, Event::Committed { documents: committed, manifests: Vec::new() });
        self.tell(now, Event::Judged { request, outcomes });
    }
}

/// The real gate, then the disk.
fn judge_one(
    authority: &Authority,
    disk: &mut Disk,
    incoming: DocumentChanges,
    committed: &mut Vec<CommittedDocument>,
) -> Result<(), Rejection> {
    let name = incoming.genesis.document();
    let mut stored = disk.documents.get(&name).cloned().unwrap_or(StoredDocument {
        genesis: incoming.genesis,
        record: None,
        changes: Vec::new(),
    });
    let mut document = stored.restore();
    let audience = document.audience().hash();
    let (mut verified, mut failed) = (Vec::new(), None);
    for change in incoming.changes {
        match gate::verify(authority, &incoming.genesis, document.epoch(), &audience, change) {
            Ok(change) => verified.push(change),
            Err(rejection) => {
                failed = Some(rejection);
                break;
            }
        }
    }
    let admission = document.admit(verified);
    if !admission.admitted.is_empty() {
        stored.changes.extend(admission.admitted.iter().map(|change| change.sealed().clone()));
        committed.push(stored.committed(&document));
        disk.documents.insert(name, stored);
    }
    match admission.refused.map(|(_, rejection)| rejection).or(failed) {
        Some(rejection) => Err(rejection),
        None => Ok(()),
    }
}

fn random_edit(random: &mut Random) -> DatasetEdit {
    let words = ["Baum", "Straße", "Haushalt", "Spielplatz", "Wasser", "Müll"];
    let word = words[random.below(words.len() as u64) as usize];
    let number = random.below(1_000);
    let body = match random.below(4) {
        0 => serde_json::json!({ "title": { "de": format!("{word} {number}") } }),
        1 => serde_json::json!({ "description": { "de": format!("Beschreibung {number} zu {word}") } }),
        2 => serde_json::json!({ "keywords": { "de": [word] } }),
        _ => serde_json::json!({ "department": format!("Amt {number}") }),
    };
    DatasetEdit::parse(&body).expect("a valid edit")
}
