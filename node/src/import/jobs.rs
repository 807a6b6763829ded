//! Imports that wait, run and are done, so that a person can watch them.
//!
//! One runs at a time. What is remembered is gone with the process: an import
//! that was cut off is simply run again.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::candidate::Fault;
use super::limits::JOBS_MAX;
use super::pipeline::{ImportError, ImportOptions, Progress};
use super::report::Report;
use crate::keys::{self, KeyError};

/// Names an import in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ImportId([u8; 8]);

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
    state: Mutex<ImportState>,
}

impl ImportJob {
    /// How far it is.
    pub fn state(&self) -> ImportState {
        lock(&self.state).clone()
    }

    pub(crate) fn set(&self, state: ImportState) {
        *lock(&self.state) = state;
    }
}

/// The imports of this process, the newest last.
#[derive(Debug, Default)]
pub struct Jobs {
    jobs: Mutex<VecDeque<Arc<ImportJob>>>,
    /// Held by the one that runs.
    pub(crate) running: tokio::sync::Mutex<()>,
}

impl Jobs {
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
        let state = Mutex::new(ImportState::Waiting);
        let job = Arc::new(ImportJob { id, name, options, progress: Progress::default(), state });
        jobs.push_back(Arc::clone(&job));
        Ok(job)
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
