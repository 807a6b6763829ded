//! The writer's thread: takes what waits, prepares it, commits once, answers.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError};

use crdt::genesis::DocumentKind;
use crdt::ids::{AudienceHash, DocumentId, Town, UnixMillis};
use crdt::inventory::Inventory;
use crdt::manifest::Manifest;
use crdt::signed::Signed;
use tokio::sync::broadcast;

use super::books::{audience_of, is_open_dataset};
use super::commit::{Outcome, newest_change};
use super::judge::{restore, view_of};
use super::local;
use super::stage::{Stage, own_document};
use super::{
    Admitted, BATCH_DOCUMENTS_MAX, BATCH_JOBS_MAX, Books, Clock, Indexer, Job, OnCommit, admit, catalog,
    import, merge, restore as returning,
};
use crate::store::WriteError;
use crate::view::StatusEvent;

/// Number of the rules by which views are made from documents; a release that
/// changes them counts on.
const VIEWS_FORMAT: u32 = 1;

type Ack = Box<dyn FnOnce(&Outcome) + Send>;

pub(super) struct Writer {
    pub(super) books: Arc<Books>,
    pub(super) clock: Clock,
    pub(super) indexer: Arc<Indexer>,
    pub(super) events: broadcast::Sender<StatusEvent>,
    pub(super) on_commit: OnCommit,
    pub(super) replica_position: u64,
    pub(super) closed_position: u64,
    /// When the last commit of documents was made: commits keep their order in
    /// time too, whatever the clock does.
    pub(super) committed_at: UnixMillis,
    /// This town's documents by audience: what its manifests speak of.
    pub(super) own: BTreeMap<AudienceHash, Inventory>,
    /// The newest manifests held, by town and audience.
    pub(super) manifests: BTreeMap<(Town, AudienceHash), Signed<Manifest>>,
    /// Whether datasets wait to be told anew.
    pub(super) retells: bool,
}

impl Writer {
    pub(super) fn new(
        books: Arc<Books>,
        clock: Clock,
        indexer: Arc<Indexer>,
        events: broadcast::Sender<StatusEvent>,
        on_commit: OnCommit,
    ) -> Result<Self, WriteError> {
        let snapshot = books.replica.read()?;
        let mut own_rows = Vec::new();
        snapshot.each_document(|document, row| {
            if is_open_dataset(&row) {
                books.count(row.genesis.owner, false, true);
            }
            books.note_catalog(document, &row);
            if row.genesis.owner == books.town() {
                own_rows.push((document, row));
            }
        })?;
        let mut own: BTreeMap<AudienceHash, Inventory> = BTreeMap::new();
        for (document, row) in own_rows {
            if let Some(audience) = audience_of(&snapshot, &document, &row)? {
                own.entry(audience.hash()).or_default().insert(document, row.holding);
            }
        }
        if let Some(newest) = snapshot.newest()?
            && let Some(row) = snapshot.document(&newest)?
            && let Some(view) = snapshot.view(&newest)?
            && let Some(change) = newest_change(&books, &row, view.dataset(), view.sealed_at)
        {
            books.offer_newest(change);
        }
        let manifests = snapshot.manifests()?.into_iter().map(|manifest| (manifest.value().key(), manifest));
        let (replica_position, closed_position) = (snapshot.position()?, books.closed.read()?.position()?);
        let manifests = manifests.collect();
        let committed_at = snapshot.last_committed_at()?.unwrap_or(UnixMillis(i64::MIN));
        Ok(Self {
            books,
            clock,
            indexer,
            events,
            on_commit,
            replica_position,
            closed_position,
            committed_at,
            own,
            manifests,
            retells: snapshot.retells()?,
        })
    }

    /// Takes records out of the closed store whose open document is there
    /// already: a crash came between the two files.
    pub(super) fn finish_moves(&mut self) -> Result<(), WriteError> {
        let mut stage = Stage::new(&self.books)?;
        let mut records = Vec::new();
        stage.closed.each_record(|record| records.push(record))?;
        for record in records {
            let id = record.dataset.id;
            if own_document(&stage.replica, &id, &self.books.town())?.is_some() {
                tracing::info!(dataset = %id, "finished a publication that was interrupted");
                if stage.closed.notes(&id)?.is_none() {
                    stage.notes.insert(id, record.internal);
                }
                stage.records.insert(id, None);
            }
        }
        self.commit(stage).whole()
    }

    /// Makes views that are missing, or all of them if another release made
    /// them: it may have known fewer fields.
    pub(super) fn complete_views(&mut self) -> Result<(), WriteError> {
        let snapshot = self.books.replica.read()?;
        let outdated = snapshot.views_format()? != VIEWS_FORMAT;
        let counts = snapshot.counts()?;
        if !outdated && counts.views >= counts.documents {
            return Ok(());
        }
        let mut missing = Vec::new();
        let mut live = 0u64;
        snapshot.each_document(|id, row| {
            if !row.holding.is_erased() && row.genesis.kind != DocumentKind::RegionalList {
                live += 1;
                missing.push(id);
            }
        })?;
        if !outdated {
            if counts.views >= live {
                return Ok(());
            }
            let mut without = Vec::new();
            for id in missing {
                if !snapshot.has_view(&id)? {
                    without.push(id);
                }
            }
            missing = without;
        }
        if !missing.is_empty() {
            tracing::info!(views = missing.len(), "views are made again from the sealed changes");
        }
        for part in missing.chunks(BATCH_JOBS_MAX) {
            let mut stage = Stage::new(&self.books)?;
            stage_views(&mut stage, part)?;
            self.commit(stage).whole()?;
        }
        let mut write = self.books.replica.write()?;
        write.set_views_format(VIEWS_FORMAT)?;
        write.commit()
    }

    pub(super) fn run(mut self, queue: Receiver<Job>, waiting: Arc<AtomicUsize>) {
        while let Some(first) = self.next(&queue) {
            let mut batch = vec![first];
            let mut documents = weight(&batch[0]);
            while batch.len() < BATCH_JOBS_MAX
                && documents < BATCH_DOCUMENTS_MAX
                && let Ok(job) = queue.try_recv()
            {
                documents += weight(&job);
                batch.push(job);
            }
            let jobs = batch.len();
            let stops = batch.iter().any(|job| matches!(job, Job::Stop));
            self.process(batch);
            waiting.fetch_sub(jobs.min(waiting.load(Ordering::Relaxed)), Ordering::Relaxed);
            if stops {
                return;
            }
        }
    }

    /// The next job. While there is none, datasets are told anew that wait for it.
    fn next(&mut self, queue: &Receiver<Job>) -> Option<Job> {
        while self.retells {
            match queue.try_recv() {
                Ok(job) => return Some(job),
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) => self.retell(),
            }
        }
        queue.recv().ok()
    }

    fn process(&mut self, batch: Vec<Job>) {
        let mut stage = match Stage::new(&self.books) {
            Ok(stage) => stage,
            // The jobs are dropped; each caller is told that the node stops.
            Err(error) => return tracing::error!(%error, "the stores cannot be read"),
        };
        let mut acks = Vec::new();
        for job in batch {
            // A job stages last, so a panic before leaves no trace but its own.
            let prepared = catch_unwind(AssertUnwindSafe(|| self.prepare(&mut stage, job)));
            match prepared {
                Ok(ack) => acks.extend(ack),
                Err(_) => tracing::error!("preparing a change panicked; it was not made"),
            }
        }
        let outcome = self.commit(stage);
        if let Err(error) = outcome.whole() {
            tracing::error!(%error, "a commit failed");
        }
        acks.into_iter().for_each(|ack| ack(&outcome));
    }

    /// Stages a job, or answers it at once where there is nothing to commit.
    fn prepare(&mut self, stage: &mut Stage, job: Job) -> Option<Ack> {
        let now = (self.clock)();
        let books = &*self.books;
        match job {
            Job::Create(record, reply) => {
                let result = local::create(stage, books, *record);
                Some(Box::new(move |outcome| {
                    let write = |error: WriteError| crate::handle::CreateError::Write(error.to_string());
                    drop(reply.send(
                        result.and_then(|receipt| outcome.closed.clone().map(|()| receipt).map_err(write)),
                    ));
                }))
            }
            Job::Edit(edit, reply) => {
                let result = local::edit(stage, books, *edit, now);
                Some(Box::new(move |outcome| {
                    let write = |error: WriteError| crate::handle::EditError::Write(error.to_string());
                    drop(
                        reply.send(
                            result.and_then(|receipt| outcome.whole().map(|()| receipt).map_err(write)),
                        ),
                    );
                }))
            }
            Job::EditCatalog(edit, author, reply) => {
                let result = catalog::edit(stage, books, &edit, author, now);
                Some(Box::new(move |outcome| {
                    let write = |error: WriteError| crate::handle::EditCatalogError::Write(error.to_string());
                    drop(reply.send(
                        result.and_then(|receipt| outcome.replica.clone().map(|()| receipt).map_err(write)),
                    ));
                }))
            }
            Job::Delete(id, deletion, reply) => {
                let result = local::delete(stage, books, id, deletion);
                Some(Box::new(move |outcome| {
                    let write = |error: WriteError| crate::handle::EditError::Write(error.to_string());
                    drop(reply.send(result.and_then(|()| outcome.closed.clone().map_err(write))));
                }))
            }
            Job::Publish(id, author, reply) => {
                let result = local::publish(stage, books, id, author, now);
                // Durable in the replica is published; if the closed store
                // failed, the next start takes the record out of it.
                Some(Box::new(move |outcome| {
                    let write = |error: WriteError| crate::handle::PublishError::Write(error.to_string());
                    drop(reply.send(
                        result.and_then(|receipt| outcome.replica.clone().map(|()| receipt).map_err(write)),
                    ));
                }))
            }
            Job::Import(batch, reply) => {
                let result = import::import(stage, books, *batch, now);
                Some(Box::new(move |outcome| {
                    let result = result.map_err(WriteError::from);
                    drop(reply.send(result.and_then(|all| outcome.closed.clone().map(|()| all))));
                }))
            }
            Job::Restore(batch, author, reply) => {
                let result = returning::restore(stage, books, batch, author, now);
                Some(Box::new(move |outcome| {
                    let result = result.map_err(WriteError::from);
                    drop(reply.send(result.and_then(|all| outcome.whole().map(|()| all))));
                }))
            }
            Job::Mapping(source, mapping, reply) => {
                stage.mappings.push((source, mapping));
                Some(closed_ack(reply))
            }
            Job::Harvest(name, source, reply) => {
                stage.harvests.push((name, source));
                Some(closed_ack(reply))
            }
            Job::Merge(job, reply) => {
                let result = merge::merge(stage, books, *job, now);
                Some(Box::new(move |outcome| {
                    let write = |error: WriteError| crate::handle::MergeError::Write(error.to_string());
                    drop(
                        reply.send(result.and_then(|merged| outcome.whole().map(|()| merged).map_err(write))),
                    );
                }))
            }
            Job::Lead(id, leading, reply) => {
                stage.leading.push((id, leading));
                Some(closed_ack(reply))
            }
            Job::Different(pair, different, reply) => {
                stage.different.push((pair, different));
                Some(closed_ack(reply))
            }
            Job::Tasks(tasks, reply) => {
                stage.tasks.extend(tasks);
                Some(closed_ack(reply))
            }
            Job::Report(import, reply) => {
                stage.reports.push(*import);
                Some(closed_ack(reply))
            }
            Job::FinishTasks(id, fields, reply) => {
                stage.finished.push((id, fields));
                Some(closed_ack(reply))
            }
            Job::Admit(carrier, judged, reply) => {
                let admit = |judged| admit::admit(stage, books, carrier, judged, now);
                let result = judged.into_iter().map(admit).collect::<Result<Vec<Admitted>, _>>();
                Some(Box::new(move |outcome| {
                    let result = result.map_err(WriteError::from);
                    drop(reply.send(result.and_then(|all| outcome.replica.clone().map(|()| all))));
                }))
            }
            Job::Authority(told, reply) => {
                self.stage_authority(stage, told);
                Some(replica_ack(reply))
            }
            Job::Manifest(manifest, reply) => {
                stage.manifests.push(*manifest);
                Some(replica_ack(reply))
            }
            Job::Views(documents, reply) => {
                let result = stage_views(stage, &documents);
                Some(Box::new(move |outcome| {
                    drop(reply.send(result.and_then(|count| outcome.replica.clone().map(|()| count))));
                }))
            }
            Job::Settle(reply) => {
                while self.retells {
                    self.retell();
                }
                let _ = reply.send(());
                None
            }
            Job::Stop => None,
        }
    }

    fn stage_authority(&self, stage: &mut Stage, told: crdt::authority::Export) {
        let held = stage.authority.take();
        let authority = match &held {
            Some((_, authority)) => Some(authority.clone()),
            None => self.books.authority().map(|authority| (*authority).clone()),
        };
        let Some(mut authority) = authority else { return };
        authority.merge(told);
        // What is stored is what counts here, with the signatures of all copies.
        stage.authority = Some((authority.export(), authority));
    }
}

fn weight(job: &Job) -> usize {
    match job {
        Job::Admit(_, judged, _) => judged.len(),
        Job::Import(batch, _) => batch.items.len(),
        Job::Restore(batch, ..) => batch.len(),
        _ => 1,
    }
}

fn replica_ack(reply: tokio::sync::oneshot::Sender<Result<(), WriteError>>) -> Ack {
    Box::new(move |outcome| drop(reply.send(outcome.replica.clone())))
}

fn closed_ack(reply: tokio::sync::oneshot::Sender<Result<(), WriteError>>) -> Ack {
    Box::new(move |outcome| drop(reply.send(outcome.closed.clone())))
}

fn stage_views(stage: &mut Stage, documents: &[DocumentId]) -> Result<usize, WriteError> {
    let mut made = Vec::new();
    for id in documents.iter().filter(|id| !stage.documents.contains_key(id)) {
        let row = stage.replica.document(id)?;
        if let Some(sealed) = restore(&stage.replica, id, row.as_ref())?
            && let (Some(view), _) = view_of(&sealed)
        {
            made.push((*id, sealed.epoch(), view));
        }
    }
    let count = made.len();
    stage.views.extend(made);
    Ok(count)
}
