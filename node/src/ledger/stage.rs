//! What the jobs of one commit want to change, before anything is written.
//!
//! Later jobs of the batch read through the stage, so that they build on the
//! earlier ones. A job stages only after everything that can fail has not.

use std::collections::BTreeMap;

use crdt::audience::Audience;
use crdt::authority::{Authority, Export};
use crdt::catalog::{Dataset, Internal, LocalRecord};
use crdt::epoch::{EpochRecord, Receipt};
use crdt::genesis::{DocumentKind, Genesis};
use crdt::ids::{DatasetId, DocumentId, Town};
use crdt::inventory::Holding;
use crdt::manifest::Manifest;
use crdt::seal::{AdmittedChange, SealedChange};
use crdt::sealed_document::SealedDocument;
use crdt::signed::Signed;

use super::books::Books;
use crate::duplicates::level::record;
use crate::harvest::source::Source;
use crate::import::{EndedImport, SourceName};
use crate::store::{
    AliasRow, ClosedSnapshot, Leading, PairOfRecords, QuarantinedChange, ReadStoreError, ReplicaSnapshot,
    SourceRow, TaskRow, ViewRow,
};

/// A document as it will be.
pub(super) struct StagedDocument {
    pub(super) genesis: Genesis,
    pub(super) audience: Audience,
    pub(super) holding: Holding,
    /// Changes of the epoch that the store has.
    pub(super) stored: u64,
    pub(super) changes: Vec<AdmittedChange>,
    pub(super) view: Option<ViewRow>,
    pub(super) dataset: Option<DatasetId>,
    /// Whether the store's epoch is an older one, which goes.
    pub(super) replaces: bool,
    /// The document itself, for further edits of the same batch.
    pub(super) sealed: Option<SealedDocument>,
}

/// The wishes of one batch.
pub(super) struct Stage {
    pub(super) replica: ReplicaSnapshot,
    pub(super) closed: ClosedSnapshot,
    pub(super) documents: BTreeMap<DocumentId, StagedDocument>,
    /// `None`: taken out.
    pub(super) records: BTreeMap<DatasetId, Option<LocalRecord>>,
    pub(super) notes: BTreeMap<DatasetId, Internal>,
    /// Where imported records came from, by the store's key.
    /// By source and key; `None`: it goes by another key now.
    pub(super) sources: BTreeMap<[u8; 32], Option<SourceRow>>,
    pub(super) tasks: Vec<TaskRow>,
    /// Tasks that are done: of which record, about which fields; `None`: all.
    pub(super) finished: Vec<(DatasetId, Option<Vec<String>>)>,
    pub(super) mappings: Vec<(SourceName, serde_json::Value)>,
    /// Imports that have ended.
    pub(super) reports: Vec<EndedImport>,
    /// Names of records that were given up.
    pub(super) aliases: Vec<AliasRow>,
    /// Whose word counts for which record.
    pub(super) leading: Vec<(DatasetId, Option<Leading>)>,
    /// Pairs that are different, or (`false`) no longer known to be.
    pub(super) different: Vec<(PairOfRecords, bool)>,
    /// What is known of sources; `None`: forgotten.
    pub(super) harvests: Vec<(String, Option<Box<Source>>)>,
    pub(super) epochs: Vec<Signed<EpochRecord>>,
    pub(super) receipts: Vec<Signed<Receipt>>,
    pub(super) quarantine: Vec<QuarantinedChange>,
    pub(super) evidence: Vec<SealedChange>,
    pub(super) authority: Option<(Export, Authority)>,
    pub(super) manifests: Vec<Signed<Manifest>>,
    /// Views of epochs made again, documents untouched.
    pub(super) views: Vec<(DocumentId, u32, ViewRow)>,
    /// Whether an own open document was changed here.
    pub(super) issues_manifest: bool,
}

impl Stage {
    pub(super) fn new(books: &Books) -> Result<Self, ReadStoreError> {
        Ok(Self {
            replica: books.replica.read()?,
            closed: books.closed.read()?,
            documents: BTreeMap::new(),
            records: BTreeMap::new(),
            notes: BTreeMap::new(),
            sources: BTreeMap::new(),
            tasks: Vec::new(),
            finished: Vec::new(),
            mappings: Vec::new(),
            reports: Vec::new(),
            aliases: Vec::new(),
            leading: Vec::new(),
            different: Vec::new(),
            harvests: Vec::new(),
            epochs: Vec::new(),
            receipts: Vec::new(),
            quarantine: Vec::new(),
            evidence: Vec::new(),
            authority: None,
            manifests: Vec::new(),
            views: Vec::new(),
            issues_manifest: false,
        })
    }

    /// Whether `replica.redb` is to change.
    pub(super) fn changes_replica(&self) -> bool {
        !(self.documents.is_empty()
            && self.epochs.is_empty()
            && self.receipts.is_empty()
            && self.quarantine.is_empty()
            && self.evidence.is_empty()
            && self.authority.is_none()
            && self.manifests.is_empty()
            && self.views.is_empty())
    }

    /// Whether `closed.redb` is to change.
    pub(super) fn changes_closed(&self) -> bool {
        !(self.records.is_empty()
            && self.notes.is_empty()
            && self.sources.is_empty()
            && self.tasks.is_empty()
            && self.finished.is_empty()
            && self.mappings.is_empty()
            && self.reports.is_empty()
            && self.aliases.is_empty()
            && self.leading.is_empty()
            && self.different.is_empty()
            && self.harvests.is_empty())
    }

    /// A closed record as it is now.
    pub(super) fn record(&self, id: &DatasetId) -> Result<Option<LocalRecord>, ReadStoreError> {
        match self.records.get(id) {
            Some(staged) => Ok(staged.clone()),
            None => self.closed.record(id),
        }
    }

    /// Where a record of a source went.
    pub(super) fn source_row(
        &self,
        source: &SourceName,
        key: &str,
    ) -> Result<Option<SourceRow>, ReadStoreError> {
        match self.sources.get(&source.key_hash(key)) {
            Some(staged) => Ok(staged.clone()),
            None => self.closed.source_row(source, key),
        }
    }

    /// An own record as it is published, with the town's notes about it.
    pub(super) fn own_published(
        &self,
        id: &DatasetId,
        books: &Books,
    ) -> Result<Option<LocalRecord>, ReadStoreError> {
        if self.own_document(id, &books.town())?.is_none() {
            return Ok(None);
        }
        let found = record(books, &self.replica, &self.closed, id)?;
        let dataset = found.map_or_else(|| Dataset::new(*id), |(dataset, _)| dataset);
        Ok(Some(LocalRecord { dataset, internal: self.notes(id)? }))
    }

    /// The record that an id stands for by now: itself, unless it was given up.
    pub(super) fn kept(&self, id: DatasetId) -> Result<DatasetId, ReadStoreError> {
        let name = id.to_string();
        let staged = self.aliases.iter().rev().find(|alias| alias.name == name);
        self.closed.kept(staged.map_or(id, |alias| alias.dataset))
    }

    /// The record that was kept in the place of the one of this name.
    pub(super) fn alias(&self, name: &str) -> Result<Option<DatasetId>, ReadStoreError> {
        match self.aliases.iter().rev().find(|alias| alias.name == name) {
            Some(staged) => Ok(Some(staged.dataset)),
            None => self.closed.alias(name),
        }
    }

    /// Whose word counts for a record, if a person has said so.
    pub(super) fn leading(&self, id: &DatasetId) -> Result<Option<Leading>, ReadStoreError> {
        match self.leading.iter().rev().find(|(staged, _)| staged == id) {
            Some((_, staged)) => Ok(staged.clone()),
            None => self.closed.leading(id),
        }
    }

    /// The town's notes about a dataset that is no longer closed.
    pub(super) fn notes(&self, id: &DatasetId) -> Result<Internal, ReadStoreError> {
        match self.notes.get(id) {
            Some(staged) => Ok(staged.clone()),
            None => Ok(self.closed.notes(id)?.unwrap_or_default()),
        }
    }

    /// What is held of a document now.
    pub(super) fn holding(&self, id: &DocumentId) -> Result<Option<Holding>, ReadStoreError> {
        match self.documents.get(id) {
            Some(staged) => Ok(Some(staged.holding.clone())),
            None => Ok(self.replica.document(id)?.map(|row| row.holding)),
        }
    }

    /// The live document of this town that holds a dataset.
    pub(super) fn own_document(
        &self,
        dataset: &DatasetId,
        town: &Town,
    ) -> Result<Option<DocumentId>, ReadStoreError> {
        let staged = self.documents.iter().find(|(_, staged)| {
            staged.genesis.owner == *town
                && staged.genesis.kind == DocumentKind::Dataset
                && staged.dataset == Some(*dataset)
                && !staged.holding.is_erased()
        });
        if let Some((id, _)) = staged {
            return Ok(Some(*id));
        }
        let stored = own_document(&self.replica, dataset, town)?;
        // A staged withdrawal or change of id hides what the store still says.
        Ok(stored.filter(|id| !self.documents.contains_key(id)))
    }

    /// The town of a dataset that is not our own.
    pub(super) fn other_owner(&self, dataset: &DatasetId) -> Result<Option<Town>, ReadStoreError> {
        for id in self.replica.documents_of(dataset)? {
            if let Some(row) = self.replica.document(&id)?.filter(|row| !row.holding.is_erased()) {
                return Ok(Some(row.genesis.owner));
            }
        }
        Ok(None)
    }
}

/// The live document of a town that holds a dataset, by a snapshot.
pub(crate) fn own_document(
    snapshot: &ReplicaSnapshot,
    dataset: &DatasetId,
    town: &Town,
) -> Result<Option<DocumentId>, ReadStoreError> {
    for id in snapshot.documents_of(dataset)? {
        let row = snapshot.document(&id)?;
        let own = |row: &crate::store::DocumentRow| {
            row.genesis.owner == *town
                && row.genesis.kind == DocumentKind::Dataset
                && !row.holding.is_erased()
        };
        if row.as_ref().is_some_and(own) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}
