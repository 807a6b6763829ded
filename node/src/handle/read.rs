//! Reads one dataset: its view, its history, its proof.
//!
//! Only history, conflicts and proofs load the sealed changes; everything else
//! answers from the stored view.

use std::collections::{BTreeMap, BTreeSet};

use crdt::audience::Audience;
use crdt::catalog::{Class, Finding, LocalRecord, check, completed};
use crdt::ids::{CertificateHash, ChangeHash, DatasetId, DocumentId, FederationId, Town};
use crdt::inventory::{Inventory, NodeHash};
use crdt::proof::Proof;
use crdt::seal::Seal;
use crdt::sealed_document::SealedDocument;

use super::{NodeHandle, ReadError};
use crate::ledger::{committed_documents, local_heads, restore};
use crate::store::{DocumentRow, ReadStoreError, ReplicaSnapshot, ViewRow};
use crate::view::{
    Conflict, ConflictValue, DatasetDetail, FieldDifference, HistoryEntry, Reader, SignatureVerdict, TownInfo,
};

impl From<ReadStoreError> for ReadError {
    fn from(error: ReadStoreError) -> Self {
        Self::Store(error.to_string())
    }
}

/// Where a dataset was found.
pub(super) enum Found {
    Sealed(DocumentId, DocumentRow, Box<ViewRow>),
    Local(Box<LocalRecord>),
}

impl NodeHandle {
    /// One dataset; `None` if there is none or the reader may not know it. Blocks.
    pub fn dataset(&self, reader: Reader, id: DatasetId) -> Result<Option<DatasetDetail>, ReadError> {
        let snapshot = self.shared.books.replica.read()?;
        Ok(match self.find_kept(&snapshot, reader, id)? {
            None => None,
            Some(Found::Local(record)) => Some(self.local_detail(*record)),
            Some(Found::Sealed(document, row, view)) => {
                Some(self.sealed_detail(&snapshot, reader, document, row, *view)?)
            }
        })
    }

    /// What the rules of publication say of an own record, as it would be
    /// published; `None` if there is none of this id. Blocks.
    pub fn check(&self, id: DatasetId) -> Result<Option<Vec<Finding>>, ReadError> {
        let Some(detail) = self.dataset(Reader::Staff, id)? else { return Ok(None) };
        // Only the owner has notes of a record, even if they are empty.
        let Some(internal) = detail.internal else { return Ok(None) };
        let context = self.catalog_context(detail.town.town)?;
        let catalog = Some(context.catalog());
        let dataset = completed(&detail.dataset, catalog);
        Ok(Some(check(&dataset, &internal, catalog, self.vocabularies())))
    }

    /// The one way from an id to a dataset, and the one audience check of it.
    pub(super) fn find(
        &self,
        snapshot: &ReplicaSnapshot,
        reader: Reader,
        id: DatasetId,
    ) -> Result<Option<Found>, ReadError> {
        let town = self.shared.books.town();
        let best = find_sealed(snapshot, town, reader, id)?;
        if best.as_ref().is_none_or(|(_, row, _)| row.genesis.owner != town)
            && reader.may_see(Class::Closed)
            && let Some(record) = self.shared.books.closed.read()?.record(&id)?
        {
            return Ok(Some(Found::Local(Box::new(record))));
        }
        Ok(best.map(|(document, row, view)| Found::Sealed(document, row, Box::new(view))))
    }

    /// The same, where an id may be that of a record which was given up for
    /// another: then the other is found.
    pub(super) fn find_kept(
        &self,
        snapshot: &ReplicaSnapshot,
        reader: Reader,
        id: DatasetId,
    ) -> Result<Option<Found>, ReadError> {
        match self.find(snapshot, reader, id)? {
            Some(found) => Ok(Some(found)),
            None => self.kept(snapshot, reader, id),
        }
    }

    fn local_detail(&self, record: LocalRecord) -> DatasetDetail {
        let heads = local_heads(&record);
        DatasetDetail {
            class: record.dataset.class,
            dataset: record.dataset,
            extra: BTreeMap::new(),
            town: self.town(),
            document: None,
            epoch: None,
            heads,
            changes: 0,
            sealed_at: None,
            conflicts: Vec::new(),
            verdict: SignatureVerdict::Local,
            internal: Some(record.internal),
        }
    }

    fn sealed_detail(
        &self,
        snapshot: &ReplicaSnapshot,
        reader: Reader,
        document: DocumentId,
        row: DocumentRow,
        view: ViewRow,
    ) -> Result<DatasetDetail, ReadError> {
        let equivocation = !snapshot.evidence(Some(&document))?.is_empty();
        let (heads, sealed_at) = (view.heads.clone(), Some(view.sealed_at));
        let (extra, conflicts) = (view.extra.clone(), view.conflicts.clone());
        let dataset =
            view.into_dataset().ok_or_else(|| ReadError::Store("the view is of no dataset".into()))?;
        let own = row.genesis.owner == self.shared.books.town();
        let internal = match reader {
            Reader::Staff if own => {
                Some(self.shared.books.closed.read()?.notes(&dataset.id)?.unwrap_or_default())
            }
            _ => None,
        };
        Ok(DatasetDetail {
            class: dataset.class,
            dataset,
            extra,
            town: self.town_info(row.genesis.owner),
            document: Some(document),
            epoch: Some(row.holding.epoch),
            heads,
            changes: row.holding.changes(),
            sealed_at,
            conflicts,
            verdict: if equivocation { SignatureVerdict::Equivocation } else { SignatureVerdict::Verified },
            internal,
        })
    }

    pub(super) fn town_info(&self, town: Town) -> TownInfo {
        let member = self.shared.books.authority().and_then(|authority| authority.member(&town).cloned());
        match member {
            Some(member) => TownInfo { town, code: member.code, name: member.name },
            None if town == self.shared.books.town() => self.town(),
            None => TownInfo { town, code: town.to_string(), name: town.to_string() },
        }
    }

    /// The sealed document of a dataset; `Some(None)` for a closed record.
    fn sealed(
        &self,
        snapshot: &ReplicaSnapshot,
        reader: Reader,
        id: DatasetId,
    ) -> Result<Option<Option<SealedDocument>>, ReadError> {
        Ok(match self.find_kept(snapshot, reader, id)? {
            None => None,
            Some(Found::Local(_)) => Some(None),
            Some(Found::Sealed(document, row, _)) => {
                let sealed = restore(snapshot, &document, Some(&row))?;
                let damaged = || {
                    let detail = "its changes do not fit together; `hanse verify` says more";
                    ReadError::Store(format!("document {document} is damaged: {detail}"))
                };
                Some(Some(sealed.ok_or_else(damaged)?))
            }
        })
    }

    /// What was changed when, newest first; `None` as for [`Self::dataset`]. Blocks.
    pub fn history(&self, reader: Reader, id: DatasetId) -> Result<Option<Vec<HistoryEntry>>, ReadError> {
        let snapshot = self.shared.books.replica.read()?;
        let Some(sealed) = self.sealed(&snapshot, reader, id)? else { return Ok(None) };
        // A closed record keeps no history.
        let Some(sealed) = sealed else { return Ok(Some(Vec::new())) };
        let seals = seals(&sealed);
        let entry = |record: crdt::document::ChangeRecord| {
            let seal = seals.get(&record.change)?;
            let fields = record.fields.into_iter().map(|field| FieldDifference {
                path: field.path.to_string(),
                before: field.before,
                after: field.after,
            });
            Some(HistoryEntry {
                at: seal.time,
                town: self.author_town(&sealed, seal),
                pseudonym: seal.pseudonym,
                change: record.change,
                actor: record.actor,
                seq: record.seq,
                fields: fields.collect(),
            })
        };
        Ok(Some(sealed.document().history().into_iter().rev().filter_map(entry).collect()))
    }

    /// Fields with several current values; `None` as for [`Self::dataset`]. Blocks.
    pub fn conflicts(&self, reader: Reader, id: DatasetId) -> Result<Option<Vec<Conflict>>, ReadError> {
        let snapshot = self.shared.books.replica.read()?;
        let Some(sealed) = self.sealed(&snapshot, reader, id)? else { return Ok(None) };
        let Some(sealed) = sealed else { return Ok(Some(Vec::new())) };
        let seals = seals(&sealed);
        let value = |value: crdt::document::ConflictValue| {
            let seal = seals.get(&value.change)?;
            Some(ConflictValue {
                value: Some(value.value),
                at: seal.time,
                town: self.author_town(&sealed, seal),
                pseudonym: seal.pseudonym,
                change: value.change,
            })
        };
        let conflict = |conflict: crdt::document::Conflict| Conflict {
            path: conflict.path.to_string(),
            values: conflict.values.into_iter().filter_map(value).collect(),
        };
        Ok(Some(sealed.document().conflicts().into_iter().map(conflict).collect()))
    }

    fn author_town(&self, sealed: &SealedDocument, seal: &Seal) -> Town {
        let authority = self.shared.books.authority();
        let certificate = authority.as_ref().and_then(|authority| authority.certificate(&seal.certificate));
        certificate.map_or(sealed.genesis().owner, |certificate| certificate.value().town)
    }

    /// Everything needed to check a dataset offline (protocol section 12);
    /// `None` as for [`Self::dataset`] and for closed records. Blocks.
    pub fn proof(&self, reader: Reader, id: DatasetId) -> Result<Option<Vec<u8>>, ReadError> {
        let snapshot = self.shared.books.replica.read()?;
        let Some(Some(sealed)) = self.sealed(&snapshot, reader, id)? else { return Ok(None) };
        let Some(authority) = self.shared.books.authority() else { return Ok(None) };
        let epochs = snapshot.epoch_records(&sealed.id())?;
        let manifest = snapshot.newest_manifest(&sealed.genesis().owner, &sealed.audience().hash())?;
        let mut named: BTreeSet<CertificateHash> =
            sealed.changes().iter().map(|change| change.seal.certificate).collect();
        named.extend(epochs.iter().map(|record| record.value().certificate));
        named.extend(manifest.iter().map(|manifest| manifest.value().certificate));
        let export = authority.export();
        let proof = Proof {
            title: Default::default(),
            format: crdt::encoding::FormatOne,
            charters: export.charters,
            certificates: export.certificates.into_iter().filter(|one| named.contains(&one.id())).collect(),
            revocations: export
                .revocations
                .into_iter()
                .filter(|one| named.contains(&one.value().certificate))
                .collect(),
            genesis: *sealed.genesis(),
            epochs,
            changes: sealed.changes().iter().map(|change| change.to_bytes().into()).collect(),
            manifest,
        };
        Ok(Some(proof.to_bytes()))
    }

    /// One hash over all open documents: equal on nodes that hold the same. Blocks.
    pub fn digest(&self, audience: &Audience) -> Result<NodeHash, ReadError> {
        let snapshot = self.shared.books.replica.read()?;
        let mut inventories: BTreeMap<Town, Inventory> = BTreeMap::new();
        for held in committed_documents(&snapshot)? {
            if held.audience == *audience {
                inventories.entry(held.town).or_default().insert(held.document, held.holding);
            }
        }
        let roots = inventories.into_iter().map(|(town, mut inventory)| (town, inventory.root())).collect();
        Ok(crdt::inventory::digest(&roots))
    }

    /// Makes all views again from the sealed changes; returns how many. Blocks.
    pub fn rebuild_views(&self) -> Result<usize, ReadError> {
        const AT_ONCE: usize = 512;
        let mut documents = Vec::new();
        self.shared.books.replica.read()?.each_document(|document, _| documents.push(document))?;
        let mut made = 0;
        for part in documents.chunks(AT_ONCE) {
            let rebuilt = self.shared.ledger.rebuild_views(part.to_vec());
            made += rebuilt.map_err(|error| ReadError::Store(error.to_string()))?;
        }
        Ok(made)
    }

    /// The league's id, where a proof begins.
    pub fn federation_id(&self) -> Option<FederationId> {
        self.shared.books.authority().map(|authority| authority.federation())
    }
}

fn seals(sealed: &SealedDocument) -> BTreeMap<ChangeHash, &Seal> {
    sealed.changes().iter().map(|change| (change.seal.change, &change.seal)).collect()
}

/// The document that speaks for a dataset to a reader, at the node of `town`.
pub(crate) fn find_sealed(
    snapshot: &ReplicaSnapshot,
    town: Town,
    reader: Reader,
    id: DatasetId,
) -> Result<Option<(DocumentId, DocumentRow, ViewRow)>, ReadStoreError> {
    let mut best: Option<(DocumentId, DocumentRow, ViewRow)> = None;
    for document in snapshot.documents_of(&id)? {
        let live = |row: &DocumentRow| !row.holding.is_erased() && !row.replaced;
        let Some(row) = snapshot.document(&document)?.filter(live) else { continue };
        let Some(view) = snapshot.view(&document)? else { continue };
        let visible = view.dataset().is_some_and(|dataset| reader.may_see(dataset.class));
        // A town may claim another's id; at home the own record counts.
        let better =
            best.as_ref().is_none_or(|(_, best, _)| best.genesis.owner != town && row.genesis.owner == town);
        if visible && better {
            best = Some((document, row, view));
        }
    }
    Ok(best)
}
