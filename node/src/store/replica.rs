//! `replica.redb`: what the federation shares. Sealed changes, signed records,
//! and the views derived from them.
//!
//! Takes no record of the town's own: a [`LocalRecord`] or [`Internal`] cannot
//! be handed to any method here or of [`ReplicaWrite`].
//!
//! [`LocalRecord`]: crdt::catalog::LocalRecord
//! [`Internal`]: crdt::catalog::Internal

use std::path::Path;
use std::sync::Arc;

use crdt::authority::Export;
use crdt::epoch::{EpochRecord, Receipt};
use crdt::ids::{AudienceHash, DatasetId, DocumentId, FederationId, Town, UnixMillis};
use crdt::manifest::Manifest;
use crdt::seal::SealedChange;
use crdt::signed::{Record, Signed};
use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata, TableDefinition};

use super::database::{self, ID, Kind, Store};
use super::error::{Blame, OpenStoreError, ReadStoreError, WriteError};
use super::replica_write::ReplicaWrite;
use super::retelling::RETELLING;
use super::rows::{
    AUTHOR_BYTES, ChangeReader, DocumentRow, QuarantinedChange, ViewRow, number_of, operations_of,
};
use super::{REPLICA_FILE, StoreSettings};

pub(super) const KIND: Kind = Kind {
    file: REPLICA_FILE,
    lost: "lost are this node's copies of all open datasets, its own ones included",
    remedy: "put the file aside and restore it from the last backup, or start without it: the other \
             towns give back every open dataset, your own ones too, except edits that never reached them",
};

pub(super) const BLAME: Blame = Blame(REPLICA_FILE);

pub(super) type Id = &'static [u8; 32];
pub(super) type Bytes = &'static [u8];
type KeyAndRow = (Vec<u8>, Vec<u8>);

pub(super) const DOCUMENTS: TableDefinition<'static, Id, Bytes> = TableDefinition::new("documents");
pub(super) const NUMBERS: TableDefinition<'static, u64, Id> = TableDefinition::new("numbers");
pub(super) const CHANGES: TableDefinition<'static, &'static [u8; 16], Bytes> =
    TableDefinition::new("changes");
pub(super) const AUTHORS: TableDefinition<'static, u32, &'static [u8; AUTHOR_BYTES]> =
    TableDefinition::new("authors");
pub(super) const AUTHOR_NUMBERS: TableDefinition<'static, &'static [u8; AUTHOR_BYTES], u32> =
    TableDefinition::new("author_numbers");
pub(super) const VIEWS: TableDefinition<'static, u64, Bytes> = TableDefinition::new("views");
pub(super) const DATASETS: TableDefinition<'static, &'static [u8; 24], ()> = TableDefinition::new("datasets");
pub(super) const LOG: TableDefinition<'static, &'static [u8; 16], ()> = TableDefinition::new("log");
pub(super) const COMMITS: TableDefinition<'static, u64, i64> = TableDefinition::new("commits");
pub(super) const EPOCHS: TableDefinition<'static, Bytes, Bytes> = TableDefinition::new("epochs");
pub(super) const CHARTERS: TableDefinition<'static, Bytes, Bytes> = TableDefinition::new("charters");
pub(super) const CERTIFICATES: TableDefinition<'static, Bytes, Bytes> = TableDefinition::new("certificates");
pub(super) const REVOCATIONS: TableDefinition<'static, Bytes, Bytes> = TableDefinition::new("revocations");
pub(super) const MANIFESTS: TableDefinition<'static, Bytes, Bytes> = TableDefinition::new("manifests");
pub(super) const RECEIPTS: TableDefinition<'static, Bytes, Bytes> = TableDefinition::new("receipts");
pub(super) const QUARANTINE: TableDefinition<'static, Bytes, Bytes> = TableDefinition::new("quarantine");
pub(super) const EVIDENCE: TableDefinition<'static, Bytes, Bytes> = TableDefinition::new("evidence");

pub(super) const POSITION: &str = "position";
pub(super) const FEDERATION: &str = "federation";
pub(super) const NEWEST: &str = "newest";
pub(super) const VIEWS_FORMAT: &str = "views";

/// The open file. Cheap to clone; all copies are one file.
#[derive(Debug, Clone)]
pub struct ReplicaStore {
    store: Arc<Store>,
}

impl ReplicaStore {
    /// Opens the file of a data directory, or makes it.
    pub fn open(directory: &Path, settings: StoreSettings) -> Result<Self, OpenStoreError> {
        let store = Store::open(&directory.join(REPLICA_FILE), KIND, settings)?;
        Self::prepared(store).map_err(|error| OpenStoreError::Damaged {
            path: directory.join(REPLICA_FILE),
            detail: error.to_string(),
            lost: KIND.lost,
            remedy: KIND.remedy,
        })
    }

    /// A store in memory, for tests.
    pub fn in_memory() -> Self {
        Self::prepared(Store::in_memory(KIND)).expect("tables can be made in memory")
    }

    /// A store over a backend of the test's making.
    #[cfg(test)]
    pub(crate) fn over(backend: impl redb::StorageBackend) -> Self {
        Self::prepared(Store::over(KIND, backend)).expect("tables can be made in memory")
    }

    /// Makes the tables, so that a read never meets a missing one.
    fn prepared(store: Store) -> Result<Self, WriteError> {
        let this = Self { store: Arc::new(store) };
        let is_new = this.store.meta(POSITION)?.is_none();
        // The first files had no `commits`, later ones no `retelling`.
        let is_older = || Ok::<_, WriteError>(this.store.read()?.open_table(RETELLING).is_err());
        if is_new || is_older()? {
            let mut write = this.write()?;
            write.make_tables()?;
            if is_new {
                write.set_position(0)?;
            }
            write.commit()?;
        }
        Ok(this)
    }

    /// A snapshot that no later commit changes.
    pub fn read(&self) -> Result<ReplicaSnapshot, ReadStoreError> {
        Ok(ReplicaSnapshot { read: self.store.read()? })
    }

    /// Begins the one write that can be open; only the ledger calls this.
    pub fn write(&self) -> Result<ReplicaWrite, WriteError> {
        Ok(ReplicaWrite::new(Arc::clone(&self.store), self.store.write()?))
    }

    /// Random id that tells this store from any other.
    pub fn id(&self) -> Result<String, ReadStoreError> {
        Ok(crdt::ids::hex(&self.store.meta(ID)?.unwrap_or_default()))
    }

    /// Length of the file in bytes.
    pub fn bytes(&self) -> u64 {
        self.store.bytes()
    }

    /// Gives freed pages back to the system. Needs the only copy of the store.
    pub fn compact(&mut self) -> Result<bool, WriteError> {
        Arc::get_mut(&mut self.store).map_or(Ok(false), Store::compact)
    }
}

/// One moment of the replica store.
#[derive(Debug)]
pub struct ReplicaSnapshot {
    pub(super) read: ReadTransaction,
}

impl ReplicaSnapshot {
    /// Number of the last commit.
    pub fn position(&self) -> Result<u64, ReadStoreError> {
        let bytes = database::meta(&self.read, POSITION, REPLICA_FILE)?.unwrap_or_default();
        let bytes = bytes.try_into().map_err(|_| BLAME.row("meta", "the position is unreadable"))?;
        Ok(u64::from_be_bytes(bytes))
    }

    /// The league whose documents these are.
    pub fn federation(&self) -> Result<Option<FederationId>, ReadStoreError> {
        let bytes = database::meta(&self.read, FEDERATION, REPLICA_FILE)?;
        let id = |bytes: Vec<u8>| {
            FederationId::from_slice(&bytes).ok_or_else(|| BLAME.row("meta", "the federation is unreadable"))
        };
        bytes.map(id).transpose()
    }

    /// The document that changed last, by its author's clock.
    pub fn newest(&self) -> Result<Option<DocumentId>, ReadStoreError> {
        let bytes = database::meta(&self.read, NEWEST, REPLICA_FILE)?;
        Ok(bytes.and_then(|bytes| DocumentId::from_slice(&bytes)))
    }

    pub(super) fn known_federation(&self) -> Result<FederationId, ReadStoreError> {
        self.federation()?.ok_or_else(|| BLAME.row("meta", "there are documents, but no federation"))
    }

    fn number(&self, id: &DocumentId) -> Result<Option<u64>, ReadStoreError> {
        let table = self.read.open_table(DOCUMENTS).map_err(|error| BLAME.read(error))?;
        let row = table.get(&id.0).map_err(|error| BLAME.read(error))?;
        let number = |row: &[u8]| number_of(row).map_err(|error| BLAME.row("documents", error));
        row.map(|row| number(row.value())).transpose()
    }

    fn numbered(&self, number: u64) -> Result<DocumentId, ReadStoreError> {
        let table = self.read.open_table(NUMBERS).map_err(|error| BLAME.read(error))?;
        let id = table.get(number).map_err(|error| BLAME.read(error))?.map(|id| DocumentId(*id.value()));
        id.ok_or_else(|| BLAME.row("numbers", format!("document number {number} is missing")))
    }

    /// What is known of a document.
    pub fn document(&self, id: &DocumentId) -> Result<Option<DocumentRow>, ReadStoreError> {
        let table = self.read.open_table(DOCUMENTS).map_err(|error| BLAME.read(error))?;
        let Some(row) = table.get(&id.0).map_err(|error| BLAME.read(error))? else { return Ok(None) };
        decode_document(row.value(), &self.known_federation()?).map(Some)
    }

    /// Goes through all documents in the order of their ids.
    pub fn each_document(
        &self,
        mut visit: impl FnMut(DocumentId, DocumentRow),
    ) -> Result<(), ReadStoreError> {
        let table = self.read.open_table(DOCUMENTS).map_err(|error| BLAME.read(error))?;
        if table.is_empty().map_err(|error| BLAME.read(error))? {
            return Ok(());
        }
        let federation = self.known_federation()?;
        for row in table.iter().map_err(|error| BLAME.read(error))? {
            let (id, row) = row.map_err(|error| BLAME.read(error))?;
            visit(DocumentId(*id.value()), decode_document(row.value(), &federation)?);
        }
        Ok(())
    }

    /// The sealed changes of one epoch, in their order.
    pub fn changes(&self, id: &DocumentId, epoch: u32) -> Result<Vec<SealedChange>, ReadStoreError> {
        let wrong = |detail: String| BLAME.row("changes", detail);
        let Some(number) = self.number(id)? else { return Ok(Vec::new()) };
        let table = self.read.open_table(CHANGES).map_err(|error| BLAME.read(error))?;
        let authors = self.read.open_table(AUTHORS).map_err(|error| BLAME.read(error))?;
        let author = |number: u32| {
            let row = authors.get(number).map_err(|error| error.to_string())?;
            row.map(|row| *row.value()).ok_or_else(|| format!("author {number} is missing"))
        };
        let (first, last) = (change_key(number, epoch, 0), change_key(number, epoch, u32::MAX));
        let mut reader = ChangeReader::new(self.known_federation()?, *id, epoch);
        let mut changes = Vec::new();
        for row in table.range::<&[u8; 16]>(&first..=&last).map_err(|error| BLAME.read(error))? {
            let (_, row) = row.map_err(|error| BLAME.read(error))?;
            changes.push(reader.next(row.value(), author).map_err(wrong)?);
        }
        Ok(changes)
    }

    /// The derived view of a document.
    pub fn view(&self, id: &DocumentId) -> Result<Option<ViewRow>, ReadStoreError> {
        let Some(number) = self.number(id)? else { return Ok(None) };
        let table = self.read.open_table(VIEWS).map_err(|error| BLAME.read(error))?;
        let Some(row) = table.get(number).map_err(|error| BLAME.read(error))? else { return Ok(None) };
        let like = |epoch| {
            let changes = self.read.open_table(CHANGES).map_err(|error| error.to_string())?;
            let first = changes.get(&change_key(number, epoch, 0)).map_err(|error| error.to_string())?;
            first.map_or(Ok(Vec::new()), |first| operations_of(first.value()))
        };
        ViewRow::decode(row.value(), like).map(Some).map_err(|error| BLAME.row("views", error))
    }

    /// Whether there is a view of a document.
    pub fn has_view(&self, id: &DocumentId) -> Result<bool, ReadStoreError> {
        let Some(number) = self.number(id)? else { return Ok(false) };
        let table = self.read.open_table(VIEWS).map_err(|error| BLAME.read(error))?;
        Ok(table.get(number).map_err(|error| BLAME.read(error))?.is_some())
    }

    /// Number of the rules by which the views were made; 0 before the first.
    pub fn views_format(&self) -> Result<u32, ReadStoreError> {
        let bytes = database::meta(&self.read, VIEWS_FORMAT, REPLICA_FILE)?;
        Ok(bytes.and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_be_bytes))
    }

    /// The documents that say they hold a dataset, ascending by id.
    pub fn documents_of(&self, dataset: &DatasetId) -> Result<Vec<DocumentId>, ReadStoreError> {
        let table = self.read.open_table(DATASETS).map_err(|error| BLAME.read(error))?;
        let (first, last) = (dataset_key(dataset, 0), dataset_key(dataset, u64::MAX));
        let mut found = Vec::new();
        for row in table.range::<&[u8; 24]>(&first..=&last).map_err(|error| BLAME.read(error))? {
            let (key, _) = row.map_err(|error| BLAME.read(error))?;
            found.push(self.numbered(tail(key.value()))?);
        }
        // The numbers tell in which order documents came here; the ids do not.
        found.sort_unstable();
        Ok(found)
    }

    /// Documents changed by commits after `position`, oldest first, at most
    /// `count`, with the commit that changed each last.
    pub fn changed_after(
        &self,
        position: u64,
        count: usize,
    ) -> Result<Vec<(u64, DocumentId)>, ReadStoreError> {
        let table = self.read.open_table(LOG).map_err(|error| BLAME.read(error))?;
        let first = log_key(position.saturating_add(1), 0);
        let mut found = Vec::new();
        for row in table.range::<&[u8; 16]>(&first..).map_err(|error| BLAME.read(error))?.take(count) {
            let (key, _) = row.map_err(|error| BLAME.read(error))?;
            let (at, _) = key.value().split_first_chunk().unwrap_or((&[0; 8], &[]));
            found.push((u64::from_be_bytes(*at), self.numbered(tail(key.value()))?));
        }
        Ok(found)
    }

    /// The first commit after `position` that changed a document last.
    pub fn commit_after(&self, position: u64) -> Result<Option<u64>, ReadStoreError> {
        let table = self.read.open_table(LOG).map_err(|error| BLAME.read(error))?;
        let first = log_key(position.saturating_add(1), 0);
        let next = table.range::<&[u8; 16]>(&first..).map_err(|error| BLAME.read(error))?.next();
        let next = next.transpose().map_err(|error| BLAME.read(error))?;
        Ok(next.map(|(key, _)| head(key.value())))
    }

    /// The last commit before `position` that changed a document last.
    pub fn commit_before(&self, position: u64) -> Result<Option<u64>, ReadStoreError> {
        let table = self.read.open_table(LOG).map_err(|error| BLAME.read(error))?;
        let end = log_key(position, 0);
        let last = table.range::<&[u8; 16]>(..&end).map_err(|error| BLAME.read(error))?.next_back();
        let last = last.transpose().map_err(|error| BLAME.read(error))?;
        Ok(last.map(|(key, _)| head(key.value())))
    }

    /// The documents that a commit changed last.
    pub fn changed_at(&self, position: u64) -> Result<Vec<DocumentId>, ReadStoreError> {
        let table = self.read.open_table(LOG).map_err(|error| BLAME.read(error))?;
        let (first, last) = (log_key(position, 0), log_key(position, u64::MAX));
        let mut found = Vec::new();
        for row in table.range::<&[u8; 16]>(&first..=&last).map_err(|error| BLAME.read(error))? {
            let (key, _) = row.map_err(|error| BLAME.read(error))?;
            found.push(self.numbered(tail(key.value()))?);
        }
        Ok(found)
    }

    /// The last commit that was made before `at`; 0 if there is none. Commit
    /// times never go back, so a few steps find it.
    pub fn last_commit_before(&self, at: UnixMillis) -> Result<u64, ReadStoreError> {
        if at.0 <= 0 {
            return Ok(0);
        }
        let table = self.read.open_table(COMMITS).map_err(|error| BLAME.read(error))?;
        let Some((last, _)) = table.last().map_err(|error| BLAME.read(error))? else { return Ok(0) };
        let Some((first, _)) = table.first().map_err(|error| BLAME.read(error))? else { return Ok(0) };
        // INVARIANT: times up to `before` are earlier than `at`, those from `end` on are not.
        let (mut before, mut end) = (first.value().saturating_sub(1), last.value() + 1);
        while end - before > 1 {
            let middle = before + (end - before) / 2;
            let row = table.range(..=middle).map_err(|error| BLAME.read(error))?.next_back();
            match row.transpose().map_err(|error| BLAME.read(error))? {
                Some((position, time)) if time.value() >= at.0 => end = position.value(),
                _ => before = middle,
            }
        }
        Ok(before)
    }

    /// When a commit was made, by this node's clock; `None` before the first
    /// that noted it.
    pub fn committed_at(&self, position: u64) -> Result<Option<UnixMillis>, ReadStoreError> {
        let table = self.read.open_table(COMMITS).map_err(|error| BLAME.read(error))?;
        let at = table.get(position).map_err(|error| BLAME.read(error))?;
        Ok(at.map(|at| UnixMillis(at.value())))
    }

    /// When the last commit was made that noted it.
    pub fn last_committed_at(&self) -> Result<Option<UnixMillis>, ReadStoreError> {
        let table = self.read.open_table(COMMITS).map_err(|error| BLAME.read(error))?;
        let last = table.last().map_err(|error| BLAME.read(error))?;
        Ok(last.map(|(_, at)| UnixMillis(at.value())))
    }

    /// The datasets that documents say they hold, ascending by id and without
    /// repetition, after `after`, at most `count`.
    pub fn datasets_after(
        &self,
        after: Option<DatasetId>,
        count: usize,
    ) -> Result<Vec<DatasetId>, ReadStoreError> {
        let table = self.read.open_table(DATASETS).map_err(|error| BLAME.read(error))?;
        let first = after.map_or([0; 24], |after| dataset_key(&after, u64::MAX));
        let mut found: Vec<DatasetId> = Vec::new();
        for row in table.range::<&[u8; 24]>(&first..).map_err(|error| BLAME.read(error))? {
            let (key, _) = row.map_err(|error| BLAME.read(error))?;
            let id = key.value().first_chunk::<16>().copied().unwrap_or_default();
            let id = DatasetId(uuid::Uuid::from_bytes(id));
            if Some(id) == after || found.last() == Some(&id) {
                continue;
            }
            if found.len() == count {
                break;
            }
            found.push(id);
        }
        Ok(found)
    }

    /// The epoch records held of a document, oldest first.
    pub fn epoch_records(&self, id: &DocumentId) -> Result<Vec<Signed<EpochRecord>>, ReadStoreError> {
        self.signed(EPOCHS, "epochs", &id.0)
    }

    /// The receipts held for a withdrawn document.
    pub fn receipts(&self, id: &DocumentId) -> Result<Vec<Signed<Receipt>>, ReadStoreError> {
        self.signed(RECEIPTS, "receipts", &id.0)
    }

    /// All charters, certificates and revocations.
    pub fn authority(&self) -> Result<Export, ReadStoreError> {
        Ok(Export {
            charters: self.signed(CHARTERS, "charters", &[])?,
            certificates: self.signed(CERTIFICATES, "certificates", &[])?,
            revocations: self.signed(REVOCATIONS, "revocations", &[])?,
        })
    }

    /// All manifests, ascending by town, audience and version.
    pub fn manifests(&self) -> Result<Vec<Signed<Manifest>>, ReadStoreError> {
        self.signed(MANIFESTS, "manifests", &[])
    }

    /// The newest manifest of one town for one audience.
    pub fn newest_manifest(
        &self,
        town: &Town,
        audience: &AudienceHash,
    ) -> Result<Option<Signed<Manifest>>, ReadStoreError> {
        let mut held = self.signed(MANIFESTS, "manifests", &manifest_prefix(town, audience))?;
        Ok(held.pop())
    }

    /// Signed records whose keys begin with `prefix`, in the order of the keys.
    pub(super) fn signed<T: Record>(
        &self,
        table: TableDefinition<'static, Bytes, Bytes>,
        name: &'static str,
        prefix: &[u8],
    ) -> Result<Vec<Signed<T>>, ReadStoreError> {
        let rows = self.rows(table, prefix)?;
        let decode = |(_, row): KeyAndRow| Signed::from_bytes(&row).map_err(|error| BLAME.row(name, error));
        rows.into_iter().map(decode).collect()
    }

    pub(super) fn rows(
        &self,
        table: TableDefinition<'static, Bytes, Bytes>,
        prefix: &[u8],
    ) -> Result<Vec<KeyAndRow>, ReadStoreError> {
        let table = self.read.open_table(table).map_err(|error| BLAME.read(error))?;
        let mut found = Vec::new();
        for row in table.range(prefix..).map_err(|error| BLAME.read(error))? {
            let (key, row) = row.map_err(|error| BLAME.read(error))?;
            if !key.value().starts_with(prefix) {
                break;
            }
            found.push((key.value().to_vec(), row.value().to_vec()));
        }
        Ok(found)
    }

    /// What is set aside, of one author town or of all.
    pub fn quarantine(&self, town: Option<&Town>) -> Result<Vec<QuarantinedChange>, ReadStoreError> {
        let prefix: &[u8] = town.map_or(&[], |town| town.digits());
        let rows = self.rows(QUARANTINE, prefix)?;
        let decode = |(_, row): KeyAndRow| {
            QuarantinedChange::decode(&row).map_err(|error| BLAME.row("quarantine", error))
        };
        rows.into_iter().map(decode).collect()
    }

    /// Changes set aside, their bytes, and second seals under taken numbers.
    pub fn quarantine_counts(&self) -> Result<(u64, u64, u64), ReadStoreError> {
        let table = self.read.open_table(QUARANTINE).map_err(|error| BLAME.read(error))?;
        let (mut changes, mut bytes) = (0, 0);
        for row in table.iter().map_err(|error| BLAME.read(error))? {
            let (_, row) = row.map_err(|error| BLAME.read(error))?;
            changes += 1;
            bytes += row.value().len() as u64;
        }
        let evidence = self.read.open_table(EVIDENCE).map_err(|error| BLAME.read(error))?;
        Ok((changes, bytes, evidence.len().map_err(|error| BLAME.read(error))?))
    }

    /// Second seals under numbers that were taken: proof of equivocation.
    pub fn evidence(&self, id: Option<&DocumentId>) -> Result<Vec<SealedChange>, ReadStoreError> {
        let prefix: &[u8] = id.map_or(&[], |id| id.as_bytes());
        let rows = self.rows(EVIDENCE, prefix)?;
        let decode = |(_, row): KeyAndRow| {
            SealedChange::from_bytes(&row).map_err(|error| BLAME.row("evidence", error))
        };
        rows.into_iter().map(decode).collect()
    }

    /// How many documents, changes and views there are.
    pub fn counts(&self) -> Result<ReplicaCounts, ReadStoreError> {
        let documents = self.read.open_table(DOCUMENTS).map_err(|error| BLAME.read(error))?;
        let views = self.read.open_table(VIEWS).map_err(|error| BLAME.read(error))?;
        let changes = self.read.open_table(CHANGES).map_err(|error| BLAME.read(error))?;
        Ok(ReplicaCounts {
            documents: documents.len().map_err(|error| BLAME.read(error))?,
            views: views.len().map_err(|error| BLAME.read(error))?,
            changes: changes.len().map_err(|error| BLAME.read(error))?,
        })
    }
}

/// How much a replica store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReplicaCounts {
    /// Documents, withdrawn ones included.
    pub documents: u64,
    /// Views.
    pub views: u64,
    /// Sealed changes.
    pub changes: u64,
}

pub(super) fn decode_document(row: &[u8], federation: &FederationId) -> Result<DocumentRow, ReadStoreError> {
    DocumentRow::decode(row, federation).map_err(|error| BLAME.row("documents", error))
}

pub(super) fn change_key(number: u64, epoch: u32, order: u32) -> [u8; 16] {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&number.to_be_bytes());
    key[8..12].copy_from_slice(&epoch.to_be_bytes());
    key[12..].copy_from_slice(&order.to_be_bytes());
    key
}

pub(super) fn dataset_key(dataset: &DatasetId, number: u64) -> [u8; 24] {
    let mut key = [0; 24];
    key[..16].copy_from_slice(dataset.0.as_bytes());
    key[16..].copy_from_slice(&number.to_be_bytes());
    key
}

pub(super) fn log_key(position: u64, number: u64) -> [u8; 16] {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&position.to_be_bytes());
    key[8..].copy_from_slice(&number.to_be_bytes());
    key
}

/// The commit that a key begins with.
fn head(key: &[u8; 16]) -> u64 {
    key.first_chunk().map_or(0, |position| u64::from_be_bytes(*position))
}

/// The document number that a key ends with.
fn tail(key: &[u8]) -> u64 {
    key.last_chunk().map_or(0, |number| u64::from_be_bytes(*number))
}

pub(super) fn manifest_prefix(town: &Town, audience: &AudienceHash) -> Vec<u8> {
    [&town.digits()[..], &audience.0].concat()
}
