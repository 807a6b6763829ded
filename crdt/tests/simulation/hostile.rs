//! A member that does not keep to the protocol: valid keys, twisted messages.

use crdt::{
    audience::Audience,
    frontier::{Frontier, FrontierEntry},
    genesis::{DocumentKind, Genesis, GenesisClass},
    ids::{ActorId, BootNonce, DocumentId, GenesisNonce, SealHash},
    inventory::{Holding, Leaf},
    seal::SealedChange,
    sync::{DocumentChanges, HaveSet, Message, SetKey},
};

use crate::{node::Node, random::Random};

/// What the hostile member keeps in mind.
#[derive(Debug, Default)]
pub(crate) struct Hostile {
    seen: Vec<(u8, Vec<u8>)>,
}

impl Hostile {
    /// What is sent instead of an honest message: nothing, it, a mutation, a
    /// lie, or an older one again.
    pub(crate) fn twist(
        &mut self,
        node: &Node,
        honest: (u8, Vec<u8>),
        random: &mut Random,
    ) -> Vec<(u8, Vec<u8>)> {
        if self.seen.len() < 64 {
            self.seen.push(honest.clone());
        }
        let mut sent = Vec::new();
        match random.below(12) {
            0 => {}
            1 => sent.push(flip(honest, random)),
            2 => {
                sent.push(honest);
                sent.extend(random.pick(&self.seen).cloned());
            }
            3 => {
                sent.push(honest);
                sent.push(bogus_have(node, random).encode());
            }
            4 => {
                sent.push(honest);
                sent.push(forged_changes(node, random).encode());
            }
            5 => {
                let length = random.below(200) as usize;
                let garbage = (0..length).map(|_| random.next() as u8).collect();
                sent.push((random.below(20) as u8, garbage));
                sent.push(honest);
            }
            6 => sent.push(twist_changes(honest, random)),
            _ => sent.push(honest),
        }
        sent
    }
}

fn flip((kind, mut payload): (u8, Vec<u8>), random: &mut Random) -> (u8, Vec<u8>) {
    if !payload.is_empty() {
        let at = random.below(payload.len() as u64) as usize;
        payload[at] ^= 1 << random.below(8);
    }
    (kind, payload)
}

/// Claims documents that do not exist, in its own and in another town's set.
fn bogus_have(node: &Node, random: &mut Random) -> Message {
    let towns: Vec<_> = node.disk.manifests.keys().copied().chain([node.identity.town]).collect();
    let town = *random.pick(&towns).unwrap_or(&node.identity.town);
    let entry = FrontierEntry {
        actor: ActorId(random.bytes()),
        seq: 1 + random.below(1_000),
        seal: SealHash(random.bytes()),
    };
    let frontier = Frontier::from_entries(vec![entry]).unwrap_or_default();
    let document = match random.pick(&node.disk.documents.keys().copied().collect::<Vec<_>>()) {
        Some(document) if random.one_in(2) => *document,
        _ => DocumentId(random.bytes()),
    };
    Message::Have(vec![HaveSet {
        set: SetKey { town, audience: Audience::Open.hash() },
        manifest: None,
        root: random.bytes(),
        documents: 1 + random.below(10),
        changes: random.below(1_000),
        leaves: vec![Leaf::new(document, Holding::live(1 + random.below(3) as u32, frontier))],
    }])
}

/// Another town's document with changes that the hostile member sealed, or a
/// document out of nothing.
fn forged_changes(node: &Node, random: &mut Random) -> Message {
    let mut documents = Vec::new();
    if let Some(stored) = random.pick(&node.disk.documents.values().cloned().collect::<Vec<_>>()) {
        let mut changes = stored.changes.clone();
        for change in &mut changes {
            *change = reseal(node, change, random);
        }
        documents.push(DocumentChanges { genesis: stored.genesis, record: None, changes, more: false });
    }
    let genesis = Genesis {
        federation: node.identity.federation,
        kind: DocumentKind::Dataset,
        owner: node.identity.town,
        class: GenesisClass::Open,
        nonce: GenesisNonce(random.bytes()),
    };
    documents.push(DocumentChanges { genesis, record: None, changes: Vec::new(), more: random.one_in(2) });
    Message::Changes(documents)
}

fn reseal(node: &Node, change: &SealedChange, random: &mut Random) -> SealedChange {
    let mut seal = change.seal.clone();
    seal.certificate = node.identity.certificate;
    seal.boot = BootNonce(random.bytes());
    seal.actor = ActorId::derive(
        &seal.federation,
        &seal.document,
        seal.epoch,
        &crdt::signed::public_key(&node.identity.node_key),
        &seal.boot,
    );
    SealedChange { seal: seal.sign(&node.identity.node_key), operations: change.operations.clone() }
}

/// Alters a change inside an answer that was asked for.
fn twist_changes((kind, payload): (u8, Vec<u8>), random: &mut Random) -> (u8, Vec<u8>) {
    let Ok(Message::Changes(mut documents)) = Message::decode(kind, &payload) else { return (kind, payload) };
    for document in &mut documents {
        match random.below(4) {
            0 => document.changes.reverse(),
            1 => document.changes.truncate(document.changes.len() / 2),
            2 => {
                if let Some(change) = document.changes.last_mut() {
                    let at = random.below(change.operations.len().max(1) as u64) as usize;
                    if let Some(byte) = change.operations.get_mut(at) {
                        *byte ^= 1 << random.below(8);
                    }
                }
            }
            _ => document.more = true,
        }
    }
    Message::Changes(documents).encode()
}
