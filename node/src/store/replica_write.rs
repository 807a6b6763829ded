//! Writing to `replica.redb`: whole or not at all.

use std::collections::BTreeMap;
use std::sync::Arc;

use crdt::authority::Export;
use crdt::epoch::{EpochRecord, Receipt};
use crdt::ids::{DocumentId, FederationId, UnixMillis};
use crdt::manifest::Manifest;
use crdt::seal::{AdmittedChange, SealedChange};
use crdt::signed::{Record, Signed};
use redb::{ReadableTable, TableDefinition, WriteTransaction};

use super::REPLICA_FILE;
use super::database::{self, Store};
use super::error::WriteError;
use super::replica::{
    AUTHOR_NUMBERS, AUTHORS, BLAME, Bytes, CERTIFICATES, CHANGES, CHARTERS, COMMITS, DATASETS, DOCUMENTS,
    EPOCHS, EVIDENCE, FEDERATION, LOG, MANIFESTS, NEWEST, NUMBERS, POSITION, QUARANTINE, RECEIPTS,
    REVOCATIONS, VIEWS, VIEWS_FORMAT, change_key, dataset_key, decode_document, log_key, manifest_prefix,
};
use super::retelling::RETELLING;
use super::rows::{self, DocumentRow, QuarantinedChange, ViewRow, number_of};

/// Most bytes set aside of one author town's changes (protocol section 13).
pub(super) const QUARANTINE_BYTES_MAX: usize = 1024 * 1024;

/// Manifests kept of one town for one audience: as many as are remembered to
/// find split views.
const MANIFESTS_KEPT: usize = crdt::manifest::REMEMBERED_MAX;

/// One write to the replica store. Dropped without [`Self::commit`], nothing
/// has happened.
pub struct ReplicaWrite {
    store: Arc<Store>,
    pub(super) write: WriteTransaction,
    /// Numbers of documents that are new in this write.
    new_numbers: BTreeMap<DocumentId, u64>,
}

impl ReplicaWrite {
    pub(super) fn new(store: Arc<Store>, write: WriteTransaction) -> Self {
        Self { store, write, new_numbers: BTreeMap::new() }
    }

    /// Makes everything written durable, at once.
    pub fn commit(self) -> Result<(), WriteError> {
        self.store.commit(self.write)
    }

    pub(super) fn make_tables(&mut self) -> Result<(), WriteError> {
        let blame = |error| BLAME.write(error);
        let write = &self.write;
        write.open_table(DOCUMENTS).map_err(blame)?;
        write.open_table(NUMBERS).map_err(blame)?;
        write.open_table(CHANGES).map_err(blame)?;
        write.open_table(AUTHORS).map_err(blame)?;
        write.open_table(AUTHOR_NUMBERS).map_err(blame)?;
        write.open_table(VIEWS).map_err(blame)?;
        write.open_table(DATASETS).map_err(blame)?;
        write.open_table(LOG).map_err(blame)?;
        write.open_table(COMMITS).map_err(blame)?;
        write.open_table(RETELLING).map_err(blame)?;
        for table in [EPOCHS, CHARTERS, CERTIFICATES, REVOCATIONS, MANIFESTS, RECEIPTS, QUARANTINE, EVIDENCE]
        {
            write.open_table(table).map_err(blame)?;
        }
        Ok(())
    }

    /// Notes when a commit is made; harvesters that ask for what is new since a
    /// moment are answered by it.
    pub fn set_committed_at(&mut self, position: u64, at: UnixMillis) -> Result<(), WriteError> {
        let mut commits = self.write.open_table(COMMITS).map_err(|error| BLAME.write(error))?;
        commits.insert(position, at.0).map_err(|error| BLAME.write(error))?;
        Ok(())
    }

    /// Sets the number of this commit.
    pub fn set_position(&mut self, position: u64) -> Result<(), WriteError> {
        database::set_meta(&self.write, POSITION, &position.to_be_bytes(), REPLICA_FILE)
    }

    /// Says whose documents these are; once for ever.
    pub fn set_federation(&mut self, federation: FederationId) -> Result<(), WriteError> {
        database::set_meta(&self.write, FEDERATION, &federation.0, REPLICA_FILE)
    }

    /// Says which document changed last, by its author's clock.
    pub fn set_newest(&mut self, newest: &DocumentId) -> Result<(), WriteError> {
        database::set_meta(&self.write, NEWEST, &newest.0, REPLICA_FILE)
    }

    /// Says by which rules the views are made.
    pub fn set_views_format(&mut self, format: u32) -> Result<(), WriteError> {
        database::set_meta(&self.write, VIEWS_FORMAT, &format.to_be_bytes(), REPLICA_FILE)
    }

    /// The number of a document; a new one, ascending, for a new document, so
    /// that rows which come together lie together and pages fill.
    fn number(&mut self, id: &DocumentId) -> Result<u64, WriteError> {
        if let Some(number) = self.new_numbers.get(id) {
            return Ok(*number);
        }
        let documents = self.write.open_table(DOCUMENTS).map_err(|error| BLAME.write(error))?;
        if let Some(row) = documents.get(&id.0).map_err(|error| BLAME.write(error))? {
            return Ok(number_of(row.value()).map_err(|error| BLAME.row("documents", error))?);
        }
        let mut numbers = self.write.open_table(NUMBERS).map_err(|error| BLAME.write(error))?;
        let last = numbers.last().map_err(|error| BLAME.write(error))?.map(|(number, _)| number.value());
        let number = last.map_or(0, |last| last + 1);
        numbers.insert(number, &id.0).map_err(|error| BLAME.write(error))?;
        self.new_numbers.insert(*id, number);
        Ok(number)
    }

    /// Writes what is known of a document and keeps the indexes over it right.
    pub fn put_document(&mut self, id: &DocumentId, row: &DocumentRow) -> Result<(), WriteError> {
        let number = self.number(id)?;
        let old = {
            let mut table = self.write.open_table(DOCUMENTS).map_err(|error| BLAME.write(error))?;
            let bytes = row.encode(number);
            let old = table.insert(&id.0, bytes.as_slice()).map_err(|error| BLAME.write(error))?;
            old.map(|old| decode_document(old.value(), &row.genesis.federation)).transpose()?
        };
        let mut log = self.write.open_table(LOG).map_err(|error| BLAME.write(error))?;
        if let Some(old) = &old {
            log.remove(&log_key(old.position, number)).map_err(|error| BLAME.write(error))?;
        }
        log.insert(&log_key(row.position, number), ()).map_err(|error| BLAME.write(error))?;
        let before = old.and_then(|old| old.dataset);
        if before != row.dataset {
            let mut datasets = self.write.open_table(DATASETS).map_err(|error| BLAME.write(error))?;
            if let Some(dataset) = before {
                datasets.remove(&dataset_key(&dataset, number)).map_err(|error| BLAME.write(error))?;
            }
            if let Some(dataset) = row.dataset {
                datasets.insert(&dataset_key(&dataset, number), ()).map_err(|error| BLAME.write(error))?;
            }
        }
        Ok(())
    }

    /// Appends admitted changes to an epoch that holds `held` already.
    pub fn append_changes(
        &mut self,
        id: &DocumentId,
        epoch: u32,
        held: u64,
        changes: &[AdmittedChange],
    ) -> Result<(), WriteError> {
        let number = self.number(id)?;
        for (order, change) in (held..).zip(changes) {
            let sealed = change.sealed();
            let author = self.author(&rows::author_of(&sealed.seal))?;
            let order = u32::try_from(order).map_err(|_| BLAME.row("changes", "more changes than can be"))?;
            let mut table = self.write.open_table(CHANGES).map_err(|error| BLAME.write(error))?;
            table
                .insert(&change_key(number, epoch, order), rows::encode_change(sealed, author).as_slice())
                .map_err(|error| BLAME.write(error))?;
        }
        Ok(())
    }

    fn author(&mut self, author: &[u8; rows::AUTHOR_BYTES]) -> Result<u32, WriteError> {
        let mut numbers = self.write.open_table(AUTHOR_NUMBERS).map_err(|error| BLAME.write(error))?;
        if let Some(number) = numbers.get(author).map_err(|error| BLAME.write(error))? {
            return Ok(number.value());
        }
        let mut authors = self.write.open_table(AUTHORS).map_err(|error| BLAME.write(error))?;
        let last = authors.last().map_err(|error| BLAME.write(error))?.map(|(number, _)| number.value());
        let number = last.map_or(0, |last| last + 1);
        authors.insert(number, author).map_err(|error| BLAME.write(error))?;
        numbers.insert(author, number).map_err(|error| BLAME.write(error))?;
        Ok(number)
    }

    /// Deletes the changes of all epochs before `epoch`.
    pub fn delete_changes_before(&mut self, id: &DocumentId, epoch: u32) -> Result<(), WriteError> {
        let number = self.number(id)?;
        let mut table = self.write.open_table(CHANGES).map_err(|error| BLAME.write(error))?;
        let (first, end) = (change_key(number, 0, 0), change_key(number, epoch, 0));
        table.retain_in::<&[u8; 16], _>(&first..&end, |_, _| false).map_err(|error| BLAME.write(error))
    }

    /// Writes the view of a document's epoch, whose changes are written already.
    /// `first` are the operations of its first change, if they are at hand.
    pub fn put_view(
        &mut self,
        id: &DocumentId,
        epoch: u32,
        view: &ViewRow,
        first: Option<&[u8]>,
    ) -> Result<(), WriteError> {
        let number = self.number(id)?;
        let row = match first {
            Some(first) => view.encode(epoch, first),
            None => view.encode(epoch, &self.first_operations(number, epoch)?),
        };
        let mut table = self.write.open_table(VIEWS).map_err(|error| BLAME.write(error))?;
        table.insert(number, row.as_slice()).map_err(|error| BLAME.write(error))?;
        Ok(())
    }

    fn first_operations(&self, number: u64, epoch: u32) -> Result<Vec<u8>, WriteError> {
        let table = self.write.open_table(CHANGES).map_err(|error| BLAME.write(error))?;
        let first = table.get(&change_key(number, epoch, 0)).map_err(|error| BLAME.write(error))?;
        let first = first.map_or(Ok(Vec::new()), |first| rows::operations_of(first.value()));
        Ok(first.map_err(|error| BLAME.row("changes", error))?)
    }

    /// Deletes the view of a document.
    pub fn delete_view(&mut self, id: &DocumentId) -> Result<(), WriteError> {
        let number = self.number(id)?;
        let mut table = self.write.open_table(VIEWS).map_err(|error| BLAME.write(error))?;
        table.remove(number).map_err(|error| BLAME.write(error))?;
        Ok(())
    }

    /// Deletes every view; they are made again from the changes.
    pub fn delete_views(&mut self) -> Result<(), WriteError> {
        self.write.delete_table(VIEWS).map_err(|error| BLAME.write(error))?;
        self.write.open_table(VIEWS).map_err(|error| BLAME.write(error))?;
        Ok(())
    }

    /// Keeps an epoch record.
    pub fn put_epoch(&mut self, record: &Signed<EpochRecord>) -> Result<(), WriteError> {
        let value = record.value();
        let key = [&value.document.0[..], &value.epoch.to_be_bytes(), &record.hash()].concat();
        self.put_signed(EPOCHS, &key, record)
    }

    /// Keeps a receipt; the newest of each witness and epoch.
    pub fn put_receipt(&mut self, receipt: &Signed<Receipt>) -> Result<(), WriteError> {
        let value = receipt.value();
        let key = [&value.document.0[..], &value.epoch.to_be_bytes(), value.witness.digits()].concat();
        self.put_signed(RECEIPTS, &key, receipt)
    }

    /// Keeps charters, certificates and revocations.
    pub fn put_authority(&mut self, told: &Export) -> Result<(), WriteError> {
        for charter in &told.charters {
            let key = [&charter.value().version.to_be_bytes()[..], &charter.hash()].concat();
            self.put_signed(CHARTERS, &key, charter)?;
        }
        for certificate in &told.certificates {
            self.put_signed(CERTIFICATES, &certificate.hash(), certificate)?;
        }
        for revocation in &told.revocations {
            self.put_signed(REVOCATIONS, &revocation.hash(), revocation)?;
        }
        Ok(())
    }

    /// Keeps a manifest and forgets its oldest predecessors.
    pub fn put_manifest(&mut self, manifest: &Signed<Manifest>) -> Result<(), WriteError> {
        let value = manifest.value();
        let prefix = manifest_prefix(&value.town, &value.audience.hash());
        let key = [&prefix[..], &value.version.to_be_bytes(), &manifest.hash()].concat();
        self.put_signed(MANIFESTS, &key, manifest)?;
        let mut table = self.write.open_table(MANIFESTS).map_err(|error| BLAME.write(error))?;
        let mut held = Vec::new();
        for row in table.range(prefix.as_slice()..).map_err(|error| BLAME.write(error))? {
            let (key, _) = row.map_err(|error| BLAME.write(error))?;
            if !key.value().starts_with(&prefix) {
                break;
            }
            held.push(key.value().to_vec());
        }
        for old in &held[..held.len().saturating_sub(MANIFESTS_KEPT)] {
            table.remove(old.as_slice()).map_err(|error| BLAME.write(error))?;
        }
        Ok(())
    }

    pub(super) fn put_signed<T: Record>(
        &mut self,
        table: TableDefinition<'static, Bytes, Bytes>,
        key: &[u8],
        record: &Signed<T>,
    ) -> Result<(), WriteError> {
        let mut table = self.write.open_table(table).map_err(|error| BLAME.write(error))?;
        table.insert(key, record.to_bytes().as_slice()).map_err(|error| BLAME.write(error))?;
        Ok(())
    }

    /// Sets a change aside, unless its author's share is used up. Returns
    /// whether it was kept.
    pub fn quarantine(&mut self, change: &QuarantinedChange) -> Result<bool, WriteError> {
        let mut table = self.write.open_table(QUARANTINE).map_err(|error| BLAME.write(error))?;
        let (key, row) = (quarantine_key(change), change.encode());
        let mut bytes = row.len();
        let prefix = change.author.digits().as_slice();
        for held in table.range(prefix..).map_err(|error| BLAME.write(error))? {
            let (held_key, held) = held.map_err(|error| BLAME.write(error))?;
            if !held_key.value().starts_with(prefix) {
                break;
            }
            bytes += held.value().len();
            if held_key.value() == key || bytes > QUARANTINE_BYTES_MAX {
                return Ok(false);
            }
        }
        table.insert(key.as_slice(), row.as_slice()).map_err(|error| BLAME.write(error))?;
        Ok(true)
    }

    /// Forgets what is set aside of a document: its next epoch repaired it.
    pub fn release_quarantine(&mut self, id: &DocumentId) -> Result<(), WriteError> {
        let mut table = self.write.open_table(QUARANTINE).map_err(|error| BLAME.write(error))?;
        table.retain(|key, _| key.get(8..40) != Some(&id.0[..])).map_err(|error| BLAME.write(error))
    }

    /// Forgets all that proves equivocation in a document: the document is withdrawn.
    pub fn delete_evidence(&mut self, id: &DocumentId) -> Result<(), WriteError> {
        let mut table = self.write.open_table(EVIDENCE).map_err(|error| BLAME.write(error))?;
        table.retain(|key, _| !key.starts_with(&id.0)).map_err(|error| BLAME.write(error))
    }

    /// Keeps a second seal under a number that was taken. One is proof enough,
    /// so only the first is kept.
    pub fn put_evidence(&mut self, change: &SealedChange) -> Result<(), WriteError> {
        let seal = &change.seal;
        let key = [&seal.document.0[..], &seal.actor.0, &seal.seq.to_be_bytes()].concat();
        let mut table = self.write.open_table(EVIDENCE).map_err(|error| BLAME.write(error))?;
        if table.get(key.as_slice()).map_err(|error| BLAME.write(error))?.is_none() {
            table.insert(key.as_slice(), change.to_bytes().as_slice()).map_err(|error| BLAME.write(error))?;
        }
        Ok(())
    }
}

fn quarantine_key(change: &QuarantinedChange) -> Vec<u8> {
    let seal = &change.change.seal;
    [change.author.digits(), &seal.document.0[..], &seal.hash().0].concat()
}
