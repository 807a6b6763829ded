//! Imports that wait, run and are done, so that a person can watch them.
//!
//! One runs at a time. What became of the newest is still known when the node
//! was started again; an import that was cut off is gone, and simply run again.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crdt::ids::UnixMillis;
use serde::{Deserialize, Serialize};

use super::candidate::Fault;
use super::limits::JOBS_MAX;
use super::pipeline::{ImportError, ImportOptions, Progress};
use super::report::Report;
use crate::keys::{self, KeyError};

/// Names an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ImportId(pub(crate) [u8; 8]);

impl fmt::Display for ImportId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crdt::ids::hex(&self.0))
    }
}

impl FromStr for ImportId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let bytes = Some(text).filter(|text| text.len() == 16).and_then(crdt::ids::from_hex);
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(())
    }
}

/// How far an import is.
#[derive(Debug, Clone)]
pub enum ImportState {
    /// Others run before it.
    Waiting,
    /// Its source is being read.
    Reading,
    /// Its records are being taken in.
    Running,
    /// It came to its end.
    Done(Arc<Report>),
    /// Nothing could be taken from its source, and nothing was written.
    Unreadable(Fault),
    /// The node could not go on; batches before are durable.
    Failed(String),
}

impl ImportState {
    /// Whether nothing more will happen.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Done(_) | Self::Unreadable(_) | Self::Failed(_))
    }
}

/// How an import ended, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// It came to its end.
    Done(Box<Report>),
    /// Nothing could be taken from its source.
    Unreadable(Fault),
    /// The node could not go on.
    Failed(String),
}

impl Ended {
    fn of(state: &ImportState) -> Option<Self> {
        match state {
            ImportState::Waiting | ImportState::Reading | ImportState::Running => None,
            ImportState::Done(report) => Some(Self::Done(Box::new(report.kept()))),
            ImportState::Unreadable(fault) => Some(Self::Unreadable(fault.clone())),
            ImportState::Failed(reason) => Some(Self::Failed(reason.clone())),
        }
    }
}

/// An import that has ended, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedImport {
    /// Its name.
    pub id: ImportId,
    /// The file or address.
    pub name: String,
    /// How it was done.
    pub options: ImportOptions,
    /// When it ended.
    pub ended: UnixMillis,
    /// How.
    pub end: Ended,
}

impl From<EndedImport> for ImportJob {
    fn from(import: EndedImport) -> Self {
        let EndedImport { id, name, options, ended, end } = import;
        let progress = Progress::default();
        let state = match end {
            Ended::Done(report) => {
                progress.set(report.read(), report.read());
                ImportState::Done(Arc::from(report))
            }
            Ended::Unreadable(fault) => ImportState::Unreadable(fault),
            Ended::Failed(reason) => ImportState::Failed(reason),
        };
        Self { id, name, options, progress, state: Mutex::new((state, Some(ended))) }
    }
}

/// One import.
#[derive(Debug)]
pub struct ImportJob {
    /// Its name here.
    pub id: ImportId,
    /// The file or address.
    pub name: String,
    /// How it is done.
    pub options: ImportOptions,
    /// How many records.
    pub progress: Progress,
    /// How far it is, and when it ended.
    state: Mutex<(ImportState, Option<UnixMillis>)>,
}

impl ImportJob {
    /// How far it is.
    pub fn state(&self) -> ImportState {
        lock(&self.state).0.clone()
    }

    /// When it ended, once it has.
    pub fn ended(&self) -> Option<UnixMillis> {
        lock(&self.state).1
    }

    pub(crate) fn set(&self, state: ImportState) {
        lock(&self.state).0 = state;
    }

    fn end(&self, state: ImportState, now: UnixMillis) {
        *lock(&self.state) = (state, Some(now));
    }

    /// Keeps of its report what is kept over a restart: whoever waited for the
    /// whole has had it.
    fn condense(&self) {
        let mut state = lock(&self.state);
        if let ImportState::Done(report) = &mut state.0 {
            *report = Arc::new(report.kept());
        }
    }

    /// What is kept of it if it ends like this.
    pub(crate) fn ending(&self, state: &ImportState, now: UnixMillis) -> Option<EndedImport> {
        let end = Ended::of(state)?;
        let (id, name, options) = (self.id, self.name.clone(), self.options.clone());
        Some(EndedImport { id, name, options, ended: now, end })
    }
}

/// The imports that are remembered, the newest last.
#[derive(Debug, Default)]
pub struct Jobs {
    jobs: Mutex<VecDeque<Arc<ImportJob>>>,
    /// Held by the one that runs.
    pub(crate) running: tokio::sync::Mutex<()>,
}

impl Jobs {
    /// Those that ended before this process, the oldest first.
    pub(crate) fn remembering(ended: Vec<EndedImport>) -> Self {
        let jobs = ended.into_iter().map(|import| Arc::new(import.into())).collect();
        Self { jobs: Mutex::new(jobs), running: Default::default() }
    }

    /// A new one that waits. Forgets the oldest that is done.
    pub(crate) fn begin(&self, name: String, options: ImportOptions) -> Result<Arc<ImportJob>, ImportError> {
        let id = ImportId(keys::random().map_err(|error: KeyError| ImportError::Key(error))?);
        let mut jobs = lock(&self.jobs);
        if jobs.len() >= JOBS_MAX {
            let Some(done) = jobs.iter().position(|job| job.state().is_final()) else {
                return Err(ImportError::Busy(jobs.len()));
            };
            jobs.remove(done);
        }
        let state = Mutex::new((ImportState::Waiting, None));
        let job = Arc::new(ImportJob { id, name, options, progress: Progress::default(), state });
        jobs.push_back(Arc::clone(&job));
        Ok(job)
    }

    /// Ends one; those that ended before are kept in short from now on.
    pub(crate) fn end(&self, job: &ImportJob, state: ImportState, now: UnixMillis) {
        lock(&self.jobs).iter().filter(|other| other.id != job.id).for_each(|other| other.condense());
        job.end(state, now);
    }

    /// One of them.
    pub fn find(&self, id: ImportId) -> Option<Arc<ImportJob>> {
        lock(&self.jobs).iter().find(|job| job.id == id).cloned()
    }

    /// All of them, the newest first.
    pub fn list(&self) -> Vec<Arc<ImportJob>> {
        lock(&self.jobs).iter().rev().cloned().collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::super::candidate::SourceName;
    use super::super::limits::KEPT_ROWS_BYTES_MAX;
    use super::super::report::RejectedRow;
    use super::*;

    #[test]
    fn a_report_is_kept_whole_until_a_newer_import_ends() {
        let jobs = Jobs::default();
        let begin = || jobs.begin("x.csv".into(), ImportOptions::new(SourceName::new("x"))).unwrap();
        let row = RejectedRow { row: vec!["x".repeat(KEPT_ROWS_BYTES_MAX / 2)], reason: String::new() };
        let report = Report { rows: vec![row; 4], ..Report::default() };
        let rows = |job: &ImportJob| match job.state() {
            ImportState::Done(report) => report.rows.len(),
            _ => 0,
        };
        let first = begin();
        jobs.end(&first, ImportState::Done(Arc::new(report.clone())), UnixMillis(1));
        let second = begin();
        assert_eq!(rows(&first), 4);
        jobs.end(&second, ImportState::Done(Arc::new(report)), UnixMillis(2));
        assert_eq!((rows(&first), rows(&second)), (2, 4));
    }
}
