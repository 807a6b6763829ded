//! Judges documents that a peer sent: the gate, the staged document, the view
//! they would have.
//!
//! Pure but for reading a snapshot, so that several workers can judge at once.
//! What comes out names the holding it was judged against; the ledger takes it
//! only if that is still the one held.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crdt::audience::Audience;
use crdt::authority::Authority;
use crdt::catalog::{Class, FieldPath};
use crdt::document::DatasetContent;
use crdt::epoch::{EpochRecord, supersedes};
use crdt::gate::{self, Code, Rejection, Verdict};
use crdt::genesis::{DocumentKind, Genesis, GenesisClass};
use crdt::ids::{ChangeHash, DatasetId, DocumentId, Town, UnixMillis};
use crdt::inventory::Holding;
use crdt::seal::{AdmittedChange, SealedChange};
use crdt::sealed_document::{OnlyChange, SealedDocument};
use crdt::signed::Signed;
use crdt::sync::DocumentChanges;

use crate::store::{DocumentRow, ReadStoreError, ReplicaSnapshot, ViewContent, ViewRow};

/// What the ledger is to write for one document.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The epoch record to keep, where there is one.
    pub record: Option<Signed<EpochRecord>>,
    /// For whom the epoch is.
    pub audience: Audience,
    /// What is held afterwards.
    pub holding: Holding,
    /// Changes to append; all of the epoch if it is a new one.
    pub changes: Vec<AdmittedChange>,
    /// The derived view; none for an erased document.
    pub view: Option<ViewRow>,
    /// The dataset it holds.
    pub dataset: Option<DatasetId>,
    /// Whether the epoch replaces an older one, whose changes go.
    pub replaces: bool,
}

/// A document as judged.
#[derive(Debug, Clone)]
pub struct Judged {
    /// What the document's id is the hash of.
    pub genesis: Genesis,
    /// What was held when it was judged.
    pub base: Option<Holding>,
    /// What may enter.
    pub entry: Option<Entry>,
    /// The first thing that may not, and why.
    pub refused: Option<Rejection>,
    /// A validly signed change that is nonsense, with its author's town.
    pub quarantine: Option<(Town, SealedChange)>,
}

impl Judged {
    /// The document.
    pub fn document(&self) -> DocumentId {
        self.genesis.document()
    }

    fn refused(genesis: Genesis, base: Option<Holding>, rejection: Rejection) -> Self {
        Self { genesis, base, entry: None, refused: Some(rejection), quarantine: None }
    }
}

/// Judges one document for a node of `town`.
pub fn judge(
    snapshot: &ReplicaSnapshot,
    authority: &Authority,
    town: &Town,
    offered: DocumentChanges,
) -> Result<Judged, ReadStoreError> {
    let genesis = offered.genesis;
    let document = genesis.document();
    let held = snapshot.document(&document)?;
    let base = held.as_ref().map(|row| row.holding.clone());
    let audience = match acceptable(authority, town, &offered) {
        Ok(audience) => audience,
        Err(rejection) => return Ok(Judged::refused(genesis, base, rejection)),
    };
    let epoch = offered.record.as_ref().map_or(1, |record| record.value().epoch);
    let standing = match &held {
        None => Standing::New,
        Some(row) => compare(snapshot, &document, row, epoch, offered.record.as_ref())?,
    };
    match standing {
        Standing::Older => {
            let detail = format!("epoch {epoch} of {document:?} is superseded here");
            Ok(Judged::refused(genesis, base, Rejection::new(Code::WrongEpoch, detail)))
        }
        Standing::Same if base.as_ref().is_some_and(Holding::is_erased) => {
            Ok(Judged { genesis, base, entry: None, refused: None, quarantine: None })
        }
        Standing::New | Standing::Newer if is_erased(&offered) => {
            let replaces = standing == Standing::Newer;
            Ok(Judged {
                entry: erased(&offered, audience, replaces),
                genesis,
                base,
                refused: None,
                quarantine: None,
            })
        }
        Standing::New | Standing::Newer => {
            let begun = SealedDocument::begin(genesis, offered.record.clone());
            let replaces = standing == Standing::Newer;
            Ok(enter(authority, begun, base, offered, audience, replaces))
        }
        Standing::Same => match restore(snapshot, &document, held.as_ref())? {
            Some(held) => Ok(enter(authority, held, base, offered, audience, false)),
            None => {
                let detail = "the copy held here is damaged; `hanse verify` says more";
                Ok(Judged::refused(genesis, base, Rejection::new(Code::Unstable, detail)))
            }
        },
    }
}

/// [`judge`], but a panic is a verdict against nobody.
pub fn judge_safely(
    snapshot: &ReplicaSnapshot,
    authority: &Authority,
    town: &Town,
    offered: DocumentChanges,
) -> Result<Judged, ReadStoreError> {
    let genesis = offered.genesis;
    let judged = catch_unwind(AssertUnwindSafe(|| judge(snapshot, authority, town, offered)));
    judged.unwrap_or_else(|_| {
        let base = snapshot.document(&genesis.document())?.map(|row| row.holding);
        Ok(Judged::refused(genesis, base, Rejection::new(Code::Unstable, "judging the document panicked")))
    })
}

/// How an offered epoch stands to the one held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    New,
    Older,
    Same,
    Newer,
}

fn compare(
    snapshot: &ReplicaSnapshot,
    document: &DocumentId,
    row: &DocumentRow,
    epoch: u32,
    record: Option<&Signed<EpochRecord>>,
) -> Result<Standing, ReadStoreError> {
    let held = row.holding.epoch;
    if epoch != held {
        return Ok(if epoch > held { Standing::Newer } else { Standing::Older });
    }
    let of_epoch = current_record(snapshot, document, held)?;
    Ok(match (record, of_epoch) {
        (Some(offered), Some(held)) if offered.id() == held.id() => Standing::Same,
        (Some(offered), Some(held)) if supersedes(offered, &held) => Standing::Newer,
        (Some(_), Some(_)) => Standing::Older,
        (Some(offered), None) if offered.value().is_erased() => Standing::Newer,
        _ => Standing::Same,
    })
}

/// The record that counts of an epoch.
pub(crate) fn current_record(
    snapshot: &ReplicaSnapshot,
    document: &DocumentId,
    epoch: u32,
) -> Result<Option<Signed<EpochRecord>>, ReadStoreError> {
    let records = snapshot.epoch_records(document)?;
    let of_epoch = records.into_iter().filter(|record| record.value().epoch == epoch);
    Ok(of_epoch.reduce(|best, next| if supersedes(&next, &best) { next } else { best }))
}

/// Restores a document of the store; `None` if its changes do not fit together.
pub(crate) fn restore(
    snapshot: &ReplicaSnapshot,
    document: &DocumentId,
    row: Option<&DocumentRow>,
) -> Result<Option<SealedDocument>, ReadStoreError> {
    let Some(row) = row else { return Ok(None) };
    let epoch = row.holding.epoch;
    let record = current_record(snapshot, document, epoch)?;
    let changes = snapshot.changes(document, epoch)?;
    let restored = SealedDocument::restore(row.genesis, record, changes);
    Ok(restored.ok().filter(|restored| row.holding.frontier() == Some(restored.frontier())))
}

/// Checks genesis and epoch record; the audience of the epoch if they hold.
fn acceptable(authority: &Authority, town: &Town, offered: &DocumentChanges) -> Result<Audience, Rejection> {
    let genesis = &offered.genesis;
    if genesis.federation != authority.federation() {
        return Err(Rejection::new(Code::WrongFederation, "the document belongs to another federation"));
    }
    let Some(record) = &offered.record else {
        return match genesis.class {
            GenesisClass::Open => Ok(Audience::Open),
            GenesisClass::Shared => {
                Err(Rejection::new(Code::Malformed, "a shared document without epoch record"))
            }
        };
    };
    let value = record.value();
    if value.federation != genesis.federation || value.document != genesis.document() {
        return Err(Rejection::new(Code::WrongDocument, "the epoch record is of another document"));
    }
    let signed = authority.node_signature(record, &value.certificate).map_err(|error| {
        let code = match error {
            crdt::authority::NodeSignatureRejection::UnknownCertificate(_) => Code::UnknownCertificate,
            crdt::authority::NodeSignatureRejection::BadSignature(_) => Code::BadSignature,
        };
        Rejection::new(code, error.to_string())
    })?;
    if !genesis.may_write(&signed.town) {
        let detail =
            format!("town {} may not begin an epoch of a document of {}", signed.town, genesis.owner);
        return Err(Rejection::new(Code::WrongTown, detail));
    }
    if authority.standing(&value.certificate, &value.audience.hash()) != crdt::authority::Standing::Unrevoked
    {
        return Err(Rejection::new(Code::Revoked, format!("certificate {} is revoked", value.certificate)));
    }
    if genesis.owner != *town && !value.audience.includes_town(town) {
        return Err(Rejection::new(Code::WrongDocument, "the document is not for this town"));
    }
    Ok(value.audience.clone())
}

fn is_erased(offered: &DocumentChanges) -> bool {
    offered.record.as_ref().is_some_and(|record| record.value().is_erased())
}

fn erased(offered: &DocumentChanges, audience: Audience, replaces: bool) -> Option<Entry> {
    let record = offered.record.clone()?;
    let holding = Holding::erased(record.value().epoch, record.id());
    let (changes, view, dataset) = (Vec::new(), None, None);
    Some(Entry { record: Some(record), audience, holding, changes, view, dataset, replaces })
}

fn enter(
    authority: &Authority,
    mut document: SealedDocument,
    base: Option<Holding>,
    offered: DocumentChanges,
    audience: Audience,
    replaces: bool,
) -> Judged {
    let genesis = offered.genesis;
    let hash = audience.hash();
    let mut verified = Vec::with_capacity(offered.changes.len());
    let mut refused = None;
    for change in offered.changes {
        match gate::verify(authority, &genesis, document.epoch(), &hash, change) {
            Ok(change) => verified.push(change),
            Err(rejection) => {
                refused = Some(rejection);
                break;
            }
        }
    }
    if let [only] = verified.as_slice()
        && refused.is_none()
        && document.changes().is_empty()
        && let Some(only) = OnlyChange::admit(&genesis, document.record(), only)
    {
        let record = if replaces || base.is_none() { offered.record } else { None };
        let entry = Some(entry_of_only(&genesis, record, audience, only, replaces));
        return Judged { genesis, base, entry, refused: None, quarantine: None };
    }
    let admission = document.admit(verified);
    let mut quarantine = None;
    if let Some((change, rejection)) = admission.refused {
        if matches!(rejection.verdict(), Verdict::Author | Verdict::None) {
            let author = authority.certificate(&change.seal.certificate);
            quarantine = author.map(|author| (author.value().town, change));
        }
        refused = Some(rejection);
    }
    let entry = (!admission.admitted.is_empty()).then(|| {
        let (view, dataset) = view_of(&document);
        let record = if replaces || base.is_none() { offered.record } else { None };
        let (holding, changes) = (document.holding(), admission.admitted);
        Entry { record, audience, holding, changes, view, dataset, replaces }
    });
    Judged { genesis, base, entry, refused, quarantine }
}

fn entry_of_only(
    genesis: &Genesis,
    record: Option<Signed<EpochRecord>>,
    audience: Audience,
    only: OnlyChange,
    replaces: bool,
) -> Entry {
    let (heads, sealed_at) = (only.heads(), only.change.sealed().seal.time);
    let (view, dataset) = dataset_view(genesis, heads, sealed_at, only.content);
    let changes = vec![only.change];
    Entry { record, audience, holding: only.holding, changes, view: Some(view), dataset, replaces }
}

/// The view of a document, and the dataset it holds. Depends on the sealed
/// changes alone, whatever order they came in (I1).
pub fn view_of(document: &SealedDocument) -> (Option<ViewRow>, Option<DatasetId>) {
    let genesis = document.genesis();
    let times = document.changes().iter().map(|change| change.seal.time);
    let sealed_at = times.max().unwrap_or(UnixMillis(0));
    let heads = document.document().heads();
    match genesis.kind {
        DocumentKind::Dataset => {
            let content = document.document().read_dataset();
            let (view, dataset) = dataset_view(genesis, heads, sealed_at, content);
            (Some(view), dataset)
        }
        DocumentKind::Catalog => {
            let content = document.document().read_catalog(genesis.owner);
            let (extra, conflicts) = (by_path(content.extra), texts(content.conflicts));
            let content = ViewContent::Catalog(Box::new(content.catalog));
            (Some(ViewRow { heads, sealed_at, content, extra, conflicts }), None)
        }
        // Regional lists have no readers yet; their changes are kept all the same.
        DocumentKind::RegionalList => (None, None),
    }
}

fn dataset_view(
    genesis: &Genesis,
    heads: Vec<ChangeHash>,
    sealed_at: UnixMillis,
    content: DatasetContent,
) -> (ViewRow, Option<DatasetId>) {
    let mut dataset = content.dataset;
    // The genesis decides the class, not what the document says of itself.
    dataset.class = match genesis.class {
        GenesisClass::Open => Class::Open,
        GenesisClass::Shared => Class::Shared,
    };
    let id = Some(dataset.id).filter(|id| !id.0.is_nil());
    let (extra, conflicts) = (by_path(content.extra), texts(content.conflicts));
    let content = ViewContent::Dataset(Box::new(dataset));
    (ViewRow { heads, sealed_at, content, extra, conflicts }, id)
}

fn texts(paths: Vec<FieldPath>) -> Vec<String> {
    paths.iter().map(ToString::to_string).collect()
}

fn by_path(extra: serde_json::Value) -> BTreeMap<String, serde_json::Value> {
    match extra {
        serde_json::Value::Object(fields) => fields.into_iter().collect(),
        _ => BTreeMap::new(),
    }
}
