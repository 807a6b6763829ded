//! What the ledger and every reader of one node share: both stores, who may
//! act, and a few numbers that are kept so that nobody has to count.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crdt::audience::Audience;
use crdt::authority::Authority;
use crdt::genesis::{DocumentKind, GenesisClass};
use crdt::ids::{BootNonce, DatasetId, DocumentId, Town};
use crdt::sync::CommittedDocument;
use crdt::vocabulary::Vocabularies;
use ed25519_dalek::SigningKey;

use super::judge::current_record;
use super::recent::RecentDatasets;
use crate::store::{ClosedStore, DocumentRow, ReadStoreError, ReplicaSnapshot, ReplicaStore};
use crate::view::{NewestChange, TownInfo};

/// The shared state of an open node.
#[derive(Debug)]
pub(crate) struct Books {
    pub(crate) replica: ReplicaStore,
    pub(crate) closed: ClosedStore,
    pub(crate) info: TownInfo,
    pub(crate) node_key: SigningKey,
    pub(crate) boot: BootNonce,
    /// The vocabularies that the town goes by.
    pub(crate) lists: Arc<Vocabularies>,
    pub(super) recent: RecentDatasets,
    authority: RwLock<Option<Arc<Authority>>>,
    datasets: RwLock<BTreeMap<Town, u64>>,
    /// Documents in which towns speak of their catalogs: one each, unless two
    /// nodes of a town made one at the same time.
    catalogs: RwLock<BTreeMap<Town, BTreeSet<DocumentId>>>,
    newest: RwLock<Option<NewestChange>>,
    may_publish: AtomicBool,
}

impl Books {
    pub(crate) fn new(
        replica: ReplicaStore,
        closed: ClosedStore,
        info: TownInfo,
        node_key: SigningKey,
        boot: BootNonce,
        authority: Option<Authority>,
        lists: Arc<Vocabularies>,
    ) -> Self {
        Self {
            replica,
            closed,
            info,
            node_key,
            boot,
            lists,
            recent: RecentDatasets::default(),
            authority: RwLock::new(authority.map(Arc::new)),
            datasets: RwLock::default(),
            catalogs: RwLock::default(),
            newest: RwLock::default(),
            may_publish: AtomicBool::new(false),
        }
    }

    pub(crate) fn town(&self) -> Town {
        self.info.town
    }

    /// Who may act for whom; none before a charter is adopted.
    pub(crate) fn authority(&self) -> Option<Arc<Authority>> {
        self.authority.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_authority(&self, authority: Authority) {
        *self.authority.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(authority));
    }

    /// Open datasets of each town.
    pub(crate) fn datasets(&self) -> BTreeMap<Town, u64> {
        self.datasets.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn count(&self, town: Town, before: bool, after: bool) {
        let mut datasets = self.datasets.write().unwrap_or_else(PoisonError::into_inner);
        let count = datasets.entry(town).or_default();
        *count = (*count + u64::from(after)).saturating_sub(u64::from(before));
    }

    /// Where a town speaks of its catalog; of several documents, all nodes read
    /// the first.
    pub(crate) fn catalogs(&self, town: Town) -> BTreeSet<DocumentId> {
        let catalogs = self.catalogs.read().unwrap_or_else(PoisonError::into_inner);
        catalogs.get(&town).cloned().unwrap_or_default()
    }

    /// Takes note of a document if it is a catalog's.
    pub(super) fn note_catalog(&self, document: DocumentId, row: &DocumentRow) {
        if row.genesis.kind != DocumentKind::Catalog {
            return;
        }
        let mut catalogs = self.catalogs.write().unwrap_or_else(PoisonError::into_inner);
        let documents = catalogs.entry(row.genesis.owner).or_default();
        if row.holding.is_erased() || row.genesis.class != GenesisClass::Open {
            documents.remove(&document);
        } else {
            documents.insert(document);
        }
    }

    /// The newest change to an open dataset.
    pub(crate) fn newest(&self) -> Option<NewestChange> {
        self.newest.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes a change as the newest, if it is not older than the one known.
    pub(super) fn offer_newest(&self, change: NewestChange) {
        let mut newest = self.newest.write().unwrap_or_else(PoisonError::into_inner);
        if newest.as_ref().is_none_or(|held| held.at <= change.at) {
            *newest = Some(change);
        }
    }

    /// Forgets the newest change if it was of this dataset: it is withdrawn.
    pub(super) fn forget_newest(&self, dataset: Option<DatasetId>) {
        let mut newest = self.newest.write().unwrap_or_else(PoisonError::into_inner);
        if dataset.is_some() && newest.as_ref().map(|newest| newest.id) == dataset {
            *newest = None;
        }
    }

    /// Whether own open datasets may be changed: not before the node knows
    /// what it published earlier (design, section 7).
    pub(crate) fn may_publish(&self) -> bool {
        self.may_publish.load(Ordering::Acquire)
    }

    pub(crate) fn set_may_publish(&self, may: bool) {
        self.may_publish.store(may, Ordering::Release);
    }

    /// Name of a town, as the charter in force has it, else its key.
    pub(crate) fn town_name(&self, town: &Town) -> String {
        let authority = self.authority();
        let member = authority.as_ref().and_then(|authority| authority.member(town));
        match member {
            Some(member) => member.name.clone(),
            None if *town == self.info.town => self.info.name.clone(),
            None => town.to_string(),
        }
    }
}

/// For whom a document's newest epoch is.
pub(crate) fn audience_of(
    snapshot: &ReplicaSnapshot,
    document: &DocumentId,
    row: &DocumentRow,
) -> Result<Option<Audience>, ReadStoreError> {
    // Most documents are open and have no record; those are not looked for.
    if row.genesis.class == GenesisClass::Open && row.holding.epoch == 1 && !row.holding.is_erased() {
        return Ok(Some(Audience::Open));
    }
    let record = current_record(snapshot, document, row.holding.epoch)?;
    Ok(match (record, row.genesis.class) {
        (Some(record), _) => Some(record.value().audience.clone()),
        (None, GenesisClass::Open) => Some(Audience::Open),
        // Without its record nobody may be told of a shared document.
        (None, GenesisClass::Shared) => None,
    })
}

/// Whether a row is a dataset that everybody may read.
pub(crate) fn is_open_dataset(row: &DocumentRow) -> bool {
    row.genesis.kind == DocumentKind::Dataset
        && row.genesis.class == GenesisClass::Open
        && !row.holding.is_erased()
        && !row.replaced
        && row.dataset.is_some()
}

/// Every document with its holding, for the sync state machine.
pub(crate) fn committed_documents(
    snapshot: &ReplicaSnapshot,
) -> Result<Vec<CommittedDocument>, ReadStoreError> {
    let mut rows = Vec::new();
    snapshot.each_document(|document, row| rows.push((document, row)))?;
    let mut documents = Vec::with_capacity(rows.len());
    for (document, row) in rows {
        if let Some(audience) = audience_of(snapshot, &document, &row)? {
            let (town, holding) = (row.genesis.owner, row.holding);
            documents.push(CommittedDocument { town, audience, document, holding });
        }
    }
    Ok(documents)
}
