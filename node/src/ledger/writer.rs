//! The writer's thread: takes what waits, prepares it, commits once, answers.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;

use crdt::audience::Audience;
use crdt::encoding::FormatOne;
use crdt::genesis::DocumentKind;
use crdt::ids::{AudienceHash, DocumentId, Town, UnixMillis};
use crdt::inventory::{Holding, Inventory};
use crdt::manifest::{Cosignature, Manifest, next_version};
use crdt::signed::Signed;
use crdt::sync::CommittedDocument;
use tokio::sync::broadcast;

use super::books::{audience_of, is_open_dataset};
use super::judge::{restore, view_of};
use super::local;
use super::stage::{Stage, StagedDocument, own_document};
use super::{
    Admitted, BATCH_DOCUMENTS_MAX, BATCH_JOBS_MAX, Books, Clock, Committed, Indexer, Job, OnCommit, admit,
    catalog, import, merge, restore as returning, signer,
};
use crate::store::{DocumentRow, ReplicaWrite, ViewContent, ViewRow, WriteError};
use crate::view::{NewestChange, StatusEvent};

/// Number of the rules by which views are made from documents; a release that
/// changes them counts on.
const VIEWS_FORMAT: u32 = 1;

/// How a commit ended, file by file.
struct Outcome {
    replica: Result<(), WriteError>,
    closed: Result<(), WriteError>,
}

impl Outcome {
    fn whole(&self) -> Result<(), WriteError> {
        self.replica.clone().and_then(|()| self.closed.clone())
    }
}

type Ack = Box<dyn FnOnce(&Outcome) + Send>;

pub(super) struct Writer {
    books: Arc<Books>,
    clock: Clock,
    indexer: Arc<Indexer>,
    events: broadcast::Sender<StatusEvent>,
    on_commit: OnCommit,
    replica_position: u64,
    closed_position: u64,
    /// When the last commit of documents was made: commits keep their order in
    /// time too, whatever the clock does.
    committed_at: UnixMillis,
    /// This town's documents by audience: what its manifests speak of.
    own: BTreeMap<AudienceHash, Inventory>,
    /// The newest manifests held, by town and audience.
    manifests: BTreeMap<(Town, AudienceHash), Signed<Manifest>>,
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
        while let Ok(first) = queue.recv() {
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
            Job::Delete(id, reply) => {
                let result = local::delete(stage, books, id);
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

    /// Writes everything staged: the replica first, then the closed store.
    fn commit(&mut self, mut stage: Stage) -> Outcome {
        let undo = self.take_in(&stage);
        let replica = if stage.changes_replica() { self.commit_replica(&mut stage) } else { Ok(None) };
        let closed = match &replica {
            Err(error) => {
                self.put_back(undo);
                Err(error.clone())
            }
            Ok(_) if stage.changes_closed() => self.commit_closed(&stage),
            Ok(_) => Ok(()),
        };
        let replica = replica.map(|manifest| self.tell(stage, manifest));
        self.indexer.notify();
        Outcome { replica, closed }
    }

    /// Applies own holdings to the inventories; gives what was there before.
    fn take_in(&mut self, stage: &Stage) -> Vec<(AudienceHash, DocumentId, Option<Holding>)> {
        let mut undo = Vec::new();
        let town = self.books.town();
        for (id, staged) in stage.documents.iter().filter(|(_, staged)| staged.genesis.owner == town) {
            let audience = staged.audience.hash();
            for (other, inventory) in &mut self.own {
                if *other != audience
                    && let Some(before) = inventory.remove(id)
                {
                    undo.push((*other, *id, Some(before)));
                }
            }
            let before = self.own.entry(audience).or_default().insert(*id, staged.holding.clone());
            undo.push((audience, *id, before));
        }
        undo
    }

    fn put_back(&mut self, undo: Vec<(AudienceHash, DocumentId, Option<Holding>)>) {
        for (audience, id, before) in undo.into_iter().rev() {
            let inventory = self.own.entry(audience).or_default();
            match before {
                Some(before) => drop(inventory.insert(id, before)),
                None => drop(inventory.remove(&id)),
            }
        }
    }

    fn commit_replica(&mut self, stage: &mut Stage) -> Result<Option<Signed<Manifest>>, WriteError> {
        let manifest = if stage.issues_manifest { self.manifest(stage) } else { None };
        let position = self.replica_position + 1;
        let mut write = self.books.replica.write()?;
        for (id, staged) in &stage.documents {
            write_document(&mut write, id, staged, position)?;
        }
        stage.epochs.iter().try_for_each(|record| write.put_epoch(record))?;
        stage.receipts.iter().try_for_each(|receipt| write.put_receipt(receipt))?;
        for change in &stage.quarantine {
            if !write.quarantine(change)? {
                tracing::debug!(author = %change.author, "the author's share of the quarantine is used up");
            }
        }
        stage.evidence.iter().try_for_each(|change| write.put_evidence(change))?;
        if let Some((export, _)) = &stage.authority {
            write.put_authority(export)?;
        }
        stage.manifests.iter().chain(&manifest).try_for_each(|manifest| write.put_manifest(manifest))?;
        stage.views.iter().try_for_each(|(id, epoch, view)| write.put_view(id, *epoch, view, None))?;
        if let Some(newest) = newest_of(stage)
            && self.books.newest().is_none_or(|held| held.at <= newest.1)
        {
            write.set_newest(&newest.0)?;
        }
        write.set_position(position)?;
        if !stage.documents.is_empty() {
            let at = (self.clock)().max(self.committed_at);
            write.set_committed_at(position, at)?;
            self.committed_at = at;
        }
        write.commit()?;
        self.replica_position = position;
        Ok(manifest)
    }

    fn commit_closed(&mut self, stage: &Stage) -> Result<(), WriteError> {
        let position = self.closed_position + 1;
        let mut write = self.books.closed.write()?;
        for (id, record) in &stage.records {
            match record {
                Some(record) => write.put_record(record, position)?,
                None => write.delete_record(id, position)?,
            }
        }
        stage.notes.iter().try_for_each(|(id, notes)| write.put_notes(id, notes))?;
        stage.sources.values().try_for_each(|row| write.put_source_row(row))?;
        stage.finished.iter().try_for_each(|(id, fields)| write.finish_tasks(id, fields.as_deref()))?;
        stage.tasks.iter().try_for_each(|task| write.put_task(task))?;
        stage.mappings.iter().try_for_each(|(source, mapping)| write.put_mapping(source, mapping))?;
        stage.reports.iter().try_for_each(|import| write.put_report(import))?;
        stage.aliases.iter().try_for_each(|alias| write.put_alias(alias))?;
        stage.leading.iter().try_for_each(|(id, leading)| write.put_leading(id, leading.as_ref()))?;
        let now = (self.clock)();
        for (pair, different) in &stage.different {
            write.put_different(*pair, different.then_some(now))?;
        }
        stage.harvests.iter().try_for_each(|(name, source)| write.put_harvest(name, source.as_deref()))?;
        write.set_position(position)?;
        write.commit()?;
        self.closed_position = position;
        Ok(())
    }

    /// The next manifest of the town's open documents.
    fn manifest(&mut self, stage: &Stage) -> Option<Signed<Manifest>> {
        let signer = signer(&self.books)
            .inspect_err(|reason| tracing::warn!(%reason, "no manifest was issued"))
            .ok()?;
        let (town, audience) = (self.books.town(), Audience::Open);
        let key = (town, audience.hash());
        let now = (self.clock)();
        let newer = stage.manifests.iter().filter(|manifest| manifest.value().key() == key);
        let previous = newer.chain(self.manifests.get(&key)).max_by_key(|manifest| manifest.value().version);
        let (version, hash) = (
            next_version(previous.map(|previous| previous.value().version), now),
            previous.map(|previous| previous.id()).unwrap_or_default(),
        );
        let visible = key.1;
        let others = self.manifests.iter().filter(|((of, audience), _)| *of != town && *audience == visible);
        let cosignatures: Vec<Cosignature> = others
            .map(|(_, manifest)| manifest.cosignature())
            .take(crdt::manifest::COSIGNATURES_MAX)
            .collect();
        let inventory = self.own.entry(visible).or_default();
        let manifest = Manifest {
            format: FormatOne,
            federation: signer.federation,
            town,
            audience,
            version,
            previous: hash,
            root: inventory.root().into(),
            documents: inventory.len() as u64,
            changes: inventory.changes(),
            time: now,
            cosignatures,
            certificate: signer.certificate,
        };
        Some(Signed::new(manifest, &signer.key))
    }

    /// Makes known what is durable now.
    fn tell(&mut self, stage: Stage, manifest: Option<Signed<Manifest>>) {
        if let Some((_, authority)) = stage.authority {
            self.books.set_authority(authority);
        }
        for held in stage.manifests.into_iter().chain(manifest.clone()) {
            let newest = self.manifests.entry(held.value().key()).or_insert_with(|| held.clone());
            if newest.value().version < held.value().version {
                *newest = held;
            }
        }
        let mut newest = None;
        let mut documents = Vec::with_capacity(stage.documents.len());
        for (document, staged) in stage.documents {
            let (town, audience) = (staged.genesis.owner, staged.audience.clone());
            let before = stage.replica.document(&document).ok().flatten();
            let row = row_of(&staged, 0);
            self.books.count(town, before.as_ref().is_some_and(is_open_dataset), is_open_dataset(&row));
            self.books.note_catalog(document, &row);
            match &staged.view {
                Some(view) => {
                    let change = newest_change(&self.books, &row, view.dataset(), view.sealed_at);
                    newest = newest.into_iter().chain(change).max_by_key(|change: &NewestChange| change.at);
                }
                None => self.books.forget_newest(before.and_then(|before| before.dataset)),
            }
            if is_open_dataset(&row)
                && let Some(ViewContent::Dataset(dataset)) = staged.view.map(|view| view.content)
            {
                self.books.recent.put(document, self.replica_position, dataset);
            }
            documents.push(CommittedDocument { town, audience, document, holding: staged.holding });
        }
        if let Some(newest) = newest {
            self.books.offer_newest(newest.clone());
            // Nobody listening is fine.
            let _ = self.events.send(StatusEvent::Change { newest });
        }
        if !documents.is_empty() || manifest.is_some() {
            let manifests = manifest.into_iter().collect();
            (self.on_commit)(Committed { documents, manifests, receipts: stage.receipts });
        }
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

fn row_of(staged: &StagedDocument, position: u64) -> DocumentRow {
    DocumentRow {
        genesis: staged.genesis,
        holding: staged.holding.clone(),
        position,
        dataset: staged.dataset,
        replaced: staged
            .view
            .as_ref()
            .and_then(ViewRow::dataset)
            .is_some_and(|one| one.replaced_by.is_some()),
    }
}

fn write_document(
    write: &mut ReplicaWrite,
    id: &DocumentId,
    staged: &StagedDocument,
    position: u64,
) -> Result<(), WriteError> {
    let epoch = staged.holding.epoch;
    if staged.holding.is_erased() {
        write.delete_changes_before(id, epoch.saturating_add(1))?;
        write.delete_evidence(id)?;
        write.release_quarantine(id)?;
    } else if staged.replaces {
        // Also of this epoch: the record that counts may be another one now.
        write.delete_changes_before(id, epoch.saturating_add(1))?;
        write.release_quarantine(id)?;
    }
    write.append_changes(id, epoch, staged.stored, &staged.changes)?;
    match &staged.view {
        Some(view) => {
            // The epoch's first change is at hand if it comes with this commit.
            let first = staged.changes.first().filter(|_| staged.stored == 0);
            write.put_view(id, epoch, view, first.map(|first| first.sealed().operations.as_slice()))?;
        }
        None => write.delete_view(id)?,
    }
    write.put_document(id, &row_of(staged, position))
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

fn newest_of(stage: &Stage) -> Option<(DocumentId, UnixMillis)> {
    let open = stage.documents.iter().filter(|(_, staged)| is_open_dataset(&row_of(staged, 0)));
    open.filter_map(|(id, staged)| Some((*id, staged.view.as_ref()?.sealed_at))).max_by_key(|(_, at)| *at)
}

fn newest_change(
    books: &Books,
    row: &DocumentRow,
    dataset: Option<&crdt::catalog::Dataset>,
    at: UnixMillis,
) -> Option<NewestChange> {
    let dataset = dataset.filter(|_| is_open_dataset(row))?;
    let town = row.genesis.owner;
    Some(NewestChange {
        id: dataset.id,
        title: dataset.title.clone(),
        town,
        town_name: books.town_name(&town),
        at,
    })
}
