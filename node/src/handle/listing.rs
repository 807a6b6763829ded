//! Lists open datasets for those who take over many: harvesters, exports,
//! feeds and the projections behind them.
//!
//! Two orders, both stable while the catalog changes. By dataset id, a walk
//! that remembers the last id it saw neither misses nor doubles a dataset,
//! whatever is edited meanwhile, and goes on after a restart. By commit, a
//! follower that remembers a position is told everything that changed since,
//! withdrawals included, each dataset once and as it is now.

use std::collections::{BTreeMap, BTreeSet};

use crdt::catalog::{Catalog, Dataset, Internal, Iri};
use crdt::dcat::CatalogContext;
use crdt::ids::{ChangeHash, DatasetId, DocumentId, Town, UnixMillis};

use super::log::is_open;
use super::read::Found;
use super::{NodeHandle, ReadError};
use crate::store::{DocumentRow, ReplicaSnapshot, ViewContent, ViewRow};
use crate::view::Reader;

/// Fields that this version does not know, by their path.
pub(crate) type Extra = BTreeMap<String, serde_json::Value>;

/// Datasets that one call lists at most.
pub const LISTING_LIMIT_MAX: usize = 1_000;

/// Whose datasets a listing holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Those of one town.
    Town(Town),
    /// Those of all towns.
    Federation,
}

impl Scope {
    /// Whether a town's datasets belong to it.
    pub fn holds(self, town: Town) -> bool {
        match self {
            Self::Town(one) => one == town,
            Self::Federation => true,
        }
    }
}

/// One open dataset with what followers need to know of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// The public part.
    pub dataset: Dataset,
    /// Fields that this version does not know, by their path.
    pub extra: BTreeMap<String, serde_json::Value>,
    /// The owner.
    pub town: Town,
    /// Its document.
    pub document: DocumentId,
    /// Newest changes.
    pub heads: Vec<ChangeHash>,
    /// Changes in this epoch; 1 for a dataset that was only published.
    pub changes: u64,
    /// The commit of this node that changed it last.
    pub position: u64,
    /// When that was, by this node's clock, never earlier than the commit
    /// before; not the town's `dct:modified`.
    pub at: UnixMillis,
}

/// One step of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogEntry {
    /// The commit.
    pub position: u64,
    /// When it was made, by this node's clock.
    pub at: UnixMillis,
    /// The dataset.
    pub id: DatasetId,
    /// Its town.
    pub town: Town,
    /// The dataset as it is now; `None` if it is not open any more.
    pub dataset: Option<Box<Listed>>,
}

/// A piece of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogPage {
    /// Datasets that changed, the commit that changed each last ascending.
    pub entries: Vec<LogEntry>,
    /// Everything up to this commit has been told; ask after it next.
    pub reached: u64,
    /// Whether there is nothing more at the moment.
    pub complete: bool,
}

impl NodeHandle {
    /// Open datasets in the order of their ids, after `after`, at most `limit`
    /// (and at most [`LISTING_LIMIT_MAX`]). Empty at the end. Blocks.
    pub fn open_datasets(
        &self,
        scope: Scope,
        after: Option<DatasetId>,
        limit: usize,
    ) -> Result<Vec<Listed>, ReadError> {
        let snapshot = self.shared.books.replica.read()?;
        let limit = limit.min(LISTING_LIMIT_MAX);
        let mut found = Vec::with_capacity(limit);
        let mut after = after;
        while found.len() < limit {
            let ids = snapshot.datasets_after(after, limit - found.len())?;
            let Some(last) = ids.last().copied() else { break };
            for id in ids {
                if may_be_of(&snapshot, scope, id)? {
                    found.extend(self.listed(&snapshot, id)?.filter(|one| scope.holds(one.town)));
                }
            }
            after = Some(last);
        }
        Ok(found)
    }

    /// The id of the open dataset at a place of that order, counted from 0.
    /// Blocks; reads no record, but looks at every one before it.
    pub fn open_dataset_at(&self, scope: Scope, place: u64) -> Result<Option<DatasetId>, ReadError> {
        if place >= self.open_count(scope) {
            return Ok(None);
        }
        let snapshot = self.shared.books.replica.read()?;
        let (mut after, mut left) = (None, place);
        loop {
            let ids = snapshot.datasets_after(after, LISTING_LIMIT_MAX)?;
            let Some(last) = ids.last().copied() else { return Ok(None) };
            for id in ids {
                if !has_open(&snapshot, scope, id)? {
                    continue;
                }
                if left == 0 {
                    return Ok(Some(id));
                }
                left -= 1;
            }
            after = Some(last);
        }
    }

    /// One open dataset as listings show it; under the id of one that was given
    /// up, the one that was kept. Blocks.
    pub fn open_dataset(&self, id: DatasetId) -> Result<Option<Listed>, ReadError> {
        let snapshot = self.shared.books.replica.read()?;
        match self.find_kept(&snapshot, Reader::Public, id)? {
            Some(Found::Sealed(document, row, view)) => in_list(&snapshot, document, &row, *view),
            _ => Ok(None),
        }
    }

    /// How many open datasets there are. Does not block.
    pub fn open_count(&self, scope: Scope) -> u64 {
        let counts = self.shared.books.datasets();
        counts.into_iter().filter(|(town, _)| scope.holds(*town)).map(|(_, count)| count).sum()
    }

    /// The last commit to the open catalog of all towns. Blocks shortly.
    pub fn log_position(&self) -> Result<u64, ReadError> {
        Ok(self.shared.books.replica.read()?.position()?)
    }

    /// What changed after a commit, at most some `limit` entries (and at most
    /// [`LISTING_LIMIT_MAX`]): a page ends between two commits, so one with a
    /// bulk commit may be longer. Blocks.
    pub fn log_after(&self, scope: Scope, position: u64, limit: usize) -> Result<LogPage, ReadError> {
        let snapshot = self.shared.books.replica.read()?;
        let newest = snapshot.position()?;
        let mut count = limit.clamp(1, LISTING_LIMIT_MAX);
        let (changed, reached, complete) = loop {
            let mut changed = snapshot.changed_after(position, count)?;
            if changed.len() < count {
                break (changed, newest, true);
            }
            // The last commit may be cut off: it waits for the next page.
            let last = changed.last().map_or(newest, |(at, _)| *at);
            changed.retain(|(at, _)| *at < last);
            if !changed.is_empty() {
                break (changed, last - 1, false);
            }
            count *= 2;
        };
        let mut entries = Vec::with_capacity(changed.len());
        for (position, document) in changed {
            entries.extend(self.log_entry(&snapshot, scope, position, &document)?);
        }
        Ok(LogPage { entries, reached, complete })
    }

    pub(super) fn log_entry(
        &self,
        snapshot: &ReplicaSnapshot,
        scope: Scope,
        position: u64,
        document: &DocumentId,
    ) -> Result<Option<LogEntry>, ReadError> {
        let Some(row) = snapshot.document(document)? else { return Ok(None) };
        let town = row.genesis.owner;
        let Some(id) = row.dataset.filter(|_| is_open(&row, scope)) else { return Ok(None) };
        let dataset = self.listed(snapshot, id)?;
        // Where several documents hold a dataset, the one that readers see speaks for it.
        if dataset.as_ref().is_some_and(|listed| listed.document != *document) {
            return Ok(None);
        }
        let at = snapshot.committed_at(position)?.unwrap_or(UnixMillis(0));
        Ok(Some(LogEntry { position, at, id, town, dataset: dataset.map(Box::new) }))
    }

    pub(super) fn listed(
        &self,
        snapshot: &ReplicaSnapshot,
        id: DatasetId,
    ) -> Result<Option<Listed>, ReadError> {
        let Some(Found::Sealed(document, row, view)) = self.find(snapshot, Reader::Public, id)? else {
            return Ok(None);
        };
        in_list(snapshot, document, &row, *view)
    }

    /// A town's catalog as [`dataset_triples`](crdt::dcat::dataset_triples) of
    /// its datasets refer to it. Blocks.
    pub fn catalog_context(&self, town: Town) -> Result<CatalogContext, ReadError> {
        let mut catalog = self.catalog_of(town)?.unwrap_or_else(|| Catalog::new(town));
        if catalog.base_url.is_none() && town == self.shared.books.town() {
            catalog.base_url = self.shared.base_url.as_deref().and_then(|base| Iri::parse(base).ok());
        }
        Ok(CatalogContext::new(catalog, &self.shared.books.town_name(&town)))
    }

    /// What a town says of its catalog as a whole, as far as it has. Blocks.
    pub fn catalog_of(&self, town: Town) -> Result<Option<Catalog>, ReadError> {
        Ok(self.catalog_with_extra(town)?.map(|(catalog, _)| catalog))
    }

    /// The same with the fields that this version does not know. Blocks.
    pub(crate) fn catalog_with_extra(&self, town: Town) -> Result<Option<(Catalog, Extra)>, ReadError> {
        let snapshot = self.shared.books.replica.read()?;
        // A town has one; of several, all nodes take the first.
        for id in self.shared.books.catalogs(town) {
            let Some(view) = snapshot.view(&id)? else { continue };
            if let ViewContent::Catalog(catalog) = view.content {
                return Ok(Some((*catalog, view.extra)));
            }
        }
        Ok(None)
    }

    /// The ids of all closed records and drafts, for the town itself. Blocks.
    pub(crate) fn closed_ids(&self) -> Result<BTreeSet<DatasetId>, ReadError> {
        let mut ids = BTreeSet::new();
        self.shared.books.closed.read()?.each_record(|record| {
            ids.insert(record.dataset.id);
        })?;
        Ok(ids)
    }

    /// The town's own notes on an open dataset. Blocks.
    pub(crate) fn notes_of(&self, id: DatasetId) -> Result<Internal, ReadError> {
        Ok(self.shared.books.closed.read()?.notes(&id)?.unwrap_or_default())
    }
}

fn in_list(
    snapshot: &ReplicaSnapshot,
    document: DocumentId,
    row: &DocumentRow,
    view: ViewRow,
) -> Result<Option<Listed>, ReadError> {
    let at = snapshot.committed_at(row.position)?.unwrap_or(view.sealed_at);
    let (heads, extra) = (view.heads.clone(), view.extra.clone());
    let listed = |dataset| Listed {
        dataset,
        extra,
        town: row.genesis.owner,
        document,
        heads,
        changes: row.holding.changes(),
        position: row.position,
        at,
    };
    Ok(view.into_dataset().map(listed))
}

/// Whether a document of the dataset is of a town in the scope; cheaper than
/// reading the record.
fn may_be_of(snapshot: &ReplicaSnapshot, scope: Scope, id: DatasetId) -> Result<bool, ReadError> {
    let Scope::Town(town) = scope else { return Ok(true) };
    for document in snapshot.documents_of(&id)? {
        if snapshot.document(&document)?.is_some_and(|row| row.genesis.owner == town) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a document of the dataset is open and of a town in the scope.
fn has_open(snapshot: &ReplicaSnapshot, scope: Scope, id: DatasetId) -> Result<bool, ReadError> {
    for document in snapshot.documents_of(&id)? {
        if snapshot
            .document(&document)?
            .is_some_and(|row| is_open(&row, scope) && !row.replaced && !row.holding.is_erased())
        {
            return Ok(true);
        }
    }
    Ok(false)
}
