//! What the writer writes and tells: one commit to each file, the town's next
//! manifest in it, and then the news for everybody who waits for them.

use crdt::audience::Audience;
use crdt::catalog::Catalog;
use crdt::dcat::CatalogContext;
use crdt::encoding::FormatOne;
use crdt::genesis::DocumentKind;
use crdt::ids::{AudienceHash, DocumentId, Town, UnixMillis};
use crdt::inventory::Holding;
use crdt::manifest::{Cosignature, Manifest, next_version};
use crdt::signed::Signed;
use crdt::sync::CommittedDocument;

use super::books::is_open_dataset;
use super::stage::{Stage, StagedDocument};
use super::writer::Writer;
use super::{Books, Committed, signer};
use crate::store::{DocumentRow, ReplicaWrite, ViewContent, ViewRow, WriteError};
use crate::view::{NewestChange, StatusEvent};

/// Documents looked at by one commit that moves datasets on in the log: so few
/// that an edit which comes meanwhile hardly waits.
const RETOLD_AT_ONCE: usize = 512;
/// How a commit ended, file by file.
pub(super) struct Outcome {
    pub(super) replica: Result<(), WriteError>,
    pub(super) closed: Result<(), WriteError>,
}

impl Outcome {
    pub(super) fn whole(&self) -> Result<(), WriteError> {
        self.replica.clone().and_then(|()| self.closed.clone())
    }
}

impl Writer {
    /// Writes everything staged: the replica first, then the closed store.
    pub(super) fn commit(&mut self, mut stage: Stage) -> Outcome {
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
        let anew = self.towns_described_anew(stage)?;
        anew.iter().try_for_each(|town| write.begin_retelling(*town, position))?;
        let retells = match anew.is_empty() {
            true => self.retells,
            // A small town's datasets are told with its catalog, at once.
            false => write.retell(&stage.replica, position, RETOLD_AT_ONCE, is_open_dataset)?.more,
        };
        self.finish_replica(write, !stage.documents.is_empty())?;
        self.retells = retells;
        Ok(manifest)
    }

    /// Makes a write the next commit, at its moment if it changes documents.
    fn finish_replica(&mut self, mut write: ReplicaWrite, is_logged: bool) -> Result<(), WriteError> {
        let position = self.replica_position + 1;
        write.set_position(position)?;
        if is_logged {
            let at = (self.clock)().max(self.committed_at);
            write.set_committed_at(position, at)?;
            self.committed_at = at;
        }
        write.commit()?;
        self.replica_position = position;
        Ok(())
    }

    /// The towns whose catalogs now say something else of all their datasets.
    fn towns_described_anew(&self, stage: &Stage) -> Result<Vec<Town>, WriteError> {
        let mut towns = Vec::new();
        for (id, staged) in &stage.documents {
            if staged.genesis.kind != DocumentKind::Catalog {
                continue;
            }
            let town = staged.genesis.owner;
            let name = self.books.town_name(&town);
            let context = |view: Option<&ViewRow>| match view.map(|view| &view.content) {
                Some(ViewContent::Catalog(catalog)) => CatalogContext::new((**catalog).clone(), &name),
                _ => CatalogContext::new(Catalog::new(town), &name),
            };
            let before = context(stage.replica.view(id)?.as_ref());
            if !before.describes_alike(&context(staged.view.as_ref())) {
                towns.push(town);
            }
        }
        Ok(towns)
    }

    /// Moves some more of the datasets on that are to be told anew, so that all
    /// who follow the log hear of them: index, graph, feeds and harvesters.
    pub(super) fn retell(&mut self) {
        match self.retell_some() {
            Ok(more) => self.retells = more,
            Err(error) => {
                tracing::error!(%error, "datasets of a changed catalog are told at the next start only");
                self.retells = false;
            }
        }
        self.indexer.notify();
    }

    /// Whether there are more.
    fn retell_some(&mut self) -> Result<bool, WriteError> {
        let before = self.books.replica.read()?;
        let mut write = self.books.replica.write()?;
        let retold = write.retell(&before, self.replica_position + 1, RETOLD_AT_ONCE, is_open_dataset)?;
        self.finish_replica(write, retold.moved > 0)?;
        Ok(retold.more)
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
        for (key, row) in &stage.sources {
            match row {
                Some(row) => write.put_source_row(row)?,
                None => write.forget_source_row(key)?,
            }
        }
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

fn newest_of(stage: &Stage) -> Option<(DocumentId, UnixMillis)> {
    let open = stage.documents.iter().filter(|(_, staged)| is_open_dataset(&row_of(staged, 0)));
    open.filter_map(|(id, staged)| Some((*id, staged.view.as_ref()?.sealed_at))).max_by_key(|(_, at)| *at)
}

pub(super) fn newest_change(
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
