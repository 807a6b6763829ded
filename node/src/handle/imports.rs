//! Imports, tasks and where records came from, as pages and commands see them.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use crdt::catalog::LocalRecord;
use crdt::ids::{DatasetId, UnixMillis};
use tokio::sync::oneshot;

use super::{LISTING_LIMIT_MAX, NodeHandle, ReadError, Scope};
use crate::harvest::once::{self, Address, Found};
use crate::import::reader::{self, Upload};
use crate::import::{
    self, Batch, ImportError, ImportId, ImportJob, ImportOptions, ImportState, Mapping, Origin, Outcome,
    Returned, Returning, SourceName,
};
use crate::ledger::{rehearse, rehearse_return};
use crate::store::{AliasRow, SourceRow, TaskRow, WriteError};

/// What is to be imported.
#[derive(Debug)]
enum Given {
    /// A file that a person brought.
    File(Upload),
    /// What stands at an address.
    Address(Address),
}

impl NodeHandle {
    /// An empty private file for an upload, without a name.
    pub fn upload_file(&self) -> std::io::Result<File> {
        import::private_file(self.spool_directory().as_deref())
    }

    /// Begins to import a file; [`Self::import_job`] tells how far it is.
    pub fn import_file(&self, upload: Upload, options: ImportOptions) -> Result<Arc<ImportJob>, ImportError> {
        self.begin_import(upload.name.clone(), Given::File(upload), options)
    }

    /// Begins to import what stands at an address, fetched once.
    pub fn import_address(
        &self,
        address: Address,
        options: ImportOptions,
    ) -> Result<Arc<ImportJob>, ImportError> {
        self.begin_import(address.name(), Given::Address(address), options)
    }

    fn begin_import(
        &self,
        name: String,
        given: Given,
        options: ImportOptions,
    ) -> Result<Arc<ImportJob>, ImportError> {
        let job = self.shared.imports.begin(name, options)?;
        let (handle, begun) = (self.clone(), Arc::clone(&job));
        tokio::spawn(async move {
            // Tasks of their own: a panic ends the import, not what waits for it.
            let (at_work, job) = (handle.clone(), Arc::clone(&begun));
            let found = tokio::spawn(async move { at_work.fetch_given(given, &job).await }).await;
            let imports = Arc::clone(&handle.shared.imports);
            // A source that drips while it is fetched holds up no other import.
            let turn = imports.running.lock().await;
            let end = match found.unwrap_or_else(|_| Ok(Err(broke_off()))) {
                Ok(Ok(found)) => {
                    let (at_work, job) = (handle.clone(), Arc::clone(&begun));
                    job.set(ImportState::Reading);
                    let taken = tokio::task::spawn_blocking(move || at_work.take_in(found, &job)).await;
                    taken.unwrap_or_else(|_| Ok(broke_off()))
                }
                Ok(Err(end)) => Ok(end),
                Err(error) => Err(error),
            };
            let end = end.unwrap_or_else(|error| ImportState::Failed(error.to_string()));
            let at = handle.keep_end(&begun, &end).await;
            drop(turn);
            // Whoever is told that it has ended may close the directory.
            drop(handle);
            imports.end(&begun, end, at);
        });
        Ok(job)
    }

    /// Keeps how an import ended, and says when that was.
    async fn keep_end(&self, job: &ImportJob, end: &ImportState) -> UnixMillis {
        if let ImportState::Failed(error) = end {
            tracing::error!(%error, import = %job.id, "an import failed");
        }
        if let ImportState::Done(report) = end
            && !report.dry_run
            && report.mapping != Mapping::default()
            && let Err(error) = self.keep_mapping(job.options.source.clone(), report.mapping.clone()).await
        {
            tracing::warn!(%error, import = %job.id, "how the columns were understood was not kept");
        }
        let now = self.now();
        if let Some(ended) = job.ending(end, now)
            && let Err(error) = self.shared.ledger.keep_report(ended).await
        {
            tracing::warn!(%error, import = %job.id, "the report of an import was not kept");
        }
        now
    }

    /// What is to be imported: a file as it is, an address once it is fetched; or how it ended there.
    async fn fetch_given(
        &self,
        given: Given,
        job: &ImportJob,
    ) -> Result<Result<Found, ImportState>, ImportError> {
        let address = match given {
            Given::File(upload) => return Ok(Ok(Found::File(upload))),
            Given::Address(address) => address,
        };
        job.set(ImportState::Reading);
        let (directory, lists) = (self.spool_directory(), self.lists());
        let found = once::read(&address, directory.as_deref(), &lists, &job.progress).await?;
        Ok(found.map_err(ImportState::Unreadable))
    }

    fn take_in(&self, found: Found, job: &ImportJob) -> Result<ImportState, ImportError> {
        let read = match found {
            Found::Read(spool) => Ok(spool),
            Found::File(upload) => {
                let directory = self.spool_directory();
                let known = match &job.options.mapping {
                    Some(given) => Some(given.clone()),
                    None => self.mapping(&job.options.source)?,
                };
                reader::read(upload, known, self.vocabularies(), directory.as_deref())?
            }
        };
        let mut spool = match read {
            Ok(spool) => spool,
            Err(fault) => return Ok(ImportState::Unreadable(fault)),
        };
        if let Some(Err(fault)) = spool.export().map(|head| import::fits(head, &self.town())) {
            return Ok(ImportState::Unreadable(fault));
        }
        job.set(ImportState::Running);
        let report = import::run(self, &mut spool, &job.options, &job.progress)?;
        Ok(ImportState::Done(Arc::new(report)))
    }

    /// An import that is remembered.
    pub fn import_job(&self, id: ImportId) -> Option<Arc<ImportJob>> {
        self.shared.imports.find(id)
    }

    /// The imports that are remembered, the newest first.
    pub fn import_jobs(&self) -> Vec<Arc<ImportJob>> {
        self.shared.imports.list()
    }

    /// What a batch would bring, nothing written. Blocks.
    pub(crate) fn rehearse_import(&self, batch: Batch) -> Result<Vec<Outcome>, ReadError> {
        Ok(rehearse(&self.shared.books, batch, (self.shared.clock)())?)
    }

    /// What a batch of an export would bring back, nothing written. Blocks.
    pub(crate) fn rehearse_return(&self, batch: Vec<Returning>) -> Result<Vec<Returned>, ReadError> {
        Ok(rehearse_return(&self.shared.books, batch, self.author(), (self.shared.clock)())?)
    }

    /// Submits a batch of an export; the answer comes when it is durable. Blocks.
    pub(crate) fn restore(
        &self,
        batch: Vec<Returning>,
    ) -> Result<oneshot::Receiver<Result<Vec<Returned>, WriteError>>, WriteError> {
        self.shared.ledger.restore(batch, self.author())
    }

    /// Where a record of a source went. Blocks.
    pub fn source_row(&self, source: &SourceName, key: &str) -> Result<Option<SourceRow>, ReadError> {
        Ok(self.shared.books.closed.read()?.source_row(source, key)?)
    }

    /// Where an own record came from, and in which fields the town says something
    /// else than its sources. Blocks.
    pub fn origins(&self, record: &LocalRecord) -> Result<Vec<Origin>, ReadError> {
        let rows = self.shared.books.closed.read()?.origins_of(&record.dataset.id)?;
        Ok(rows.into_iter().map(|row| Origin::of(row, record)).collect())
    }

    /// What sources say of a record, row by row. Blocks.
    pub(crate) fn rows_of(&self, id: DatasetId) -> Result<Vec<SourceRow>, ReadError> {
        Ok(self.shared.books.closed.read()?.origins_of(&id)?)
    }

    /// Goes through everything that came from a source. Blocks.
    pub fn each_of_source(&self, source: &SourceName, visit: impl FnMut(SourceRow)) -> Result<(), ReadError> {
        Ok(self.shared.books.closed.read()?.each_of_source(source, visit)?)
    }

    /// Goes through the names of records that were given up for others. Blocks.
    pub(crate) fn each_alias(&self, visit: impl FnMut(AliasRow)) -> Result<(), ReadError> {
        Ok(self.shared.books.closed.read()?.each_alias(visit)?)
    }

    /// How the columns of a source are understood, once that is known. Blocks.
    pub fn mapping(&self, source: &SourceName) -> Result<Option<Mapping>, ReadError> {
        let kept = self.shared.books.closed.read()?.mapping(source)?;
        Ok(kept.and_then(|kept| serde_json::from_value(kept).ok()))
    }

    /// Keeps how the columns of a source are to be understood.
    pub async fn keep_mapping(&self, source: SourceName, mapping: Mapping) -> Result<(), WriteError> {
        // A mapping is text.
        let mapping = serde_json::to_value(mapping).unwrap_or_default();
        self.shared.ledger.keep_mapping(source, mapping).await
    }

    /// Things that people have to decide or fill in, and how many there are. Blocks.
    pub fn tasks(&self, skip: usize, limit: usize) -> Result<(Vec<TaskRow>, u64), ReadError> {
        Ok(self.shared.books.closed.read()?.tasks(skip, limit)?)
    }

    /// Those of one record. Blocks.
    pub fn tasks_of(&self, id: DatasetId) -> Result<Vec<TaskRow>, ReadError> {
        Ok(self.shared.books.closed.read()?.tasks_of(&id)?)
    }

    /// Takes out tasks of a record: those about the given fields, or all.
    pub async fn finish_tasks(&self, id: DatasetId, fields: Option<Vec<String>>) -> Result<(), WriteError> {
        self.shared.ledger.finish_tasks(id, fields).await
    }

    /// All records of this town, with its own notes. Blocks.
    pub fn own_records(&self) -> Result<Vec<LocalRecord>, ReadError> {
        let mut records = Vec::new();
        self.each_own_record(|record| records.push(record))?;
        Ok(records)
    }

    /// Goes through them, closed ones first. Blocks.
    pub fn each_own_record(&self, mut visit: impl FnMut(LocalRecord)) -> Result<(), ReadError> {
        let closed = self.shared.books.closed.read()?;
        closed.each_record(&mut visit)?;
        let own = Scope::Town(self.shared.books.town());
        let mut after = None;
        loop {
            let open = self.open_datasets(own, after, LISTING_LIMIT_MAX)?;
            let Some(last) = open.last() else { return Ok(()) };
            after = Some(last.dataset.id);
            for one in open {
                let internal = closed.notes(&one.dataset.id)?.unwrap_or_default();
                visit(LocalRecord { dataset: one.dataset, internal });
            }
        }
    }

    pub(crate) fn spool_directory(&self) -> Option<PathBuf> {
        Some(self.shared.token_path.as_ref()?.parent()?.to_owned())
    }
}

fn broke_off() -> ImportState {
    ImportState::Failed("import: it broke off; see the log".to_owned())
}
