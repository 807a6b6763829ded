//! Rows of `replica.redb` as bytes (`docs/storage.md`).
//!
//! Each row begins with the number of its form, so that a later release can
//! read what this one wrote. What a row's key or the file already says is not
//! repeated in it: a hundred thousand records are to fit.

use std::collections::BTreeMap;

use crdt::catalog::{Catalog, Dataset};
use crdt::encoding::{DecodeError, Reader, write_bytes, write_varint};
use crdt::frontier::{Frontier, FrontierEntry};
use crdt::genesis::Genesis;
use crdt::ids::{
    ActorId, ChangeHash, DatasetId, DocumentId, EpochHash, FederationId, SealHash, Town, UnixMillis,
};
use crdt::inventory::{Holding, HoldingState};
use crdt::operations::limits::CHANGE_BYTES_MAX;
use crdt::seal::{Seal, SealedChange};
use serde::{Deserialize, Serialize};

use super::compress::{compress, compress_like, decompress, decompress_like};

const FORM: u8 = 1;
/// Longest view as JSON, in bytes: the public part of a record at its limits.
const VIEW_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Heads a view may list: one per actor.
const HEADS_MAX: u64 = Frontier::ACTORS_MAX as u64;

/// One sealed document as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentRow {
    /// What the document's id is the hash of.
    pub genesis: Genesis,
    /// Its newest epoch and what is held of it.
    pub holding: Holding,
    /// The commit that changed it last.
    pub position: u64,
    /// The dataset it holds, once it says so.
    pub dataset: Option<DatasetId>,
    /// Whether the dataset was given up in favour of another (derived).
    pub replaced: bool,
}

impl DocumentRow {
    /// The row, under the number by which the other tables name the document.
    pub(super) fn encode(&self, number: u64) -> Vec<u8> {
        let mut out = vec![FORM];
        write_varint(&mut out, number);
        // The federation is the file's; the rest of the genesis follows it.
        out.extend_from_slice(&self.genesis.to_bytes()[FederationId::SIZE..]);
        write_varint(&mut out, self.position);
        out.extend_from_slice(self.dataset.map(|id| id.0.into_bytes()).unwrap_or_default().as_slice());
        write_varint(&mut out, self.holding.epoch.into());
        match &self.holding.state {
            HoldingState::Live(frontier) => {
                out.push(if self.replaced { 3 } else { 1 });
                out.extend_from_slice(&frontier.to_bytes());
            }
            HoldingState::Erased(record) => {
                out.push(2);
                out.extend_from_slice(&record.0);
            }
        }
        out
    }

    pub(super) fn decode(bytes: &[u8], federation: &FederationId) -> Result<Self, DecodeError> {
        let mut reader = form(bytes, "document row")?;
        reader.varint("number")?;
        let rest = reader.take(Genesis::SIZE - FederationId::SIZE, "genesis")?;
        let genesis = Genesis::from_bytes(&[&federation.0, rest].concat())?;
        let position = reader.varint("position")?;
        let dataset = Some(reader.array::<16>("dataset id")?).filter(|id| *id != [0; 16]);
        let dataset = dataset.map(|id| DatasetId(uuid::Uuid::from_bytes(id)));
        let epoch = reader.bounded(u32::MAX.into(), "epoch")? as u32;
        let number = reader.u8("state")?;
        let state = match number {
            1 | 3 => {
                let length = reader.remaining();
                if length > Frontier::ACTORS_MAX * FrontierEntry::SIZE {
                    return Err(DecodeError::Invalid("frontier"));
                }
                HoldingState::Live(Frontier::from_bytes(reader.take(length, "frontier")?)?)
            }
            2 => HoldingState::Erased(EpochHash(reader.array("epoch hash")?)),
            _ => return Err(DecodeError::Invalid("state")),
        };
        reader.end()?;
        Ok(Self { genesis, holding: Holding { epoch, state }, position, dataset, replaced: number == 3 })
    }
}

/// The number by which the other tables name a document.
pub(super) fn number_of(row: &[u8]) -> Result<u64, DecodeError> {
    form(row, "document row")?.varint("number")
}

/// What the seals of one author's run have in common: certificate, boot nonce,
/// charter version, pseudonym. Stored once and named by number.
pub(super) const AUTHOR_BYTES: usize = 68;

pub(super) fn author_of(seal: &Seal) -> [u8; AUTHOR_BYTES] {
    let mut bytes = [0; AUTHOR_BYTES];
    bytes[..32].copy_from_slice(&seal.certificate.0);
    bytes[32..48].copy_from_slice(&seal.boot.0);
    bytes[48..52].copy_from_slice(&seal.charter_version.to_be_bytes());
    bytes[52..68].copy_from_slice(&seal.pseudonym.0);
    bytes
}

/// A sealed change without what its key, its author's row and the seal before
/// it say.
pub(super) fn encode_change(change: &SealedChange, author: u32) -> Vec<u8> {
    let seal = &change.seal;
    let mut out = vec![FORM, seal.feature_level, seal.algorithm];
    write_varint(&mut out, author.into());
    out.extend_from_slice(&seal.actor.0);
    write_varint(&mut out, seal.seq);
    out.extend_from_slice(&seal.change.0);
    out.extend_from_slice(&seal.time.0.to_be_bytes());
    out.extend_from_slice(&seal.signature);
    compress(&change.operations, &mut out);
    out
}

/// The operations of a stored change.
pub(super) fn operations_of(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let wrong = |error: DecodeError| error.to_string();
    let mut reader = form(bytes, "change row").map_err(wrong)?;
    reader.take(2, "levels").map_err(wrong)?;
    reader.varint("author").map_err(wrong)?;
    reader.take(ActorId::SIZE, "actor").map_err(wrong)?;
    reader.varint("sequence number").map_err(wrong)?;
    reader.take(ChangeHash::SIZE + 8 + 64, "seal").map_err(wrong)?;
    let rest = reader.remaining();
    decompress(reader.take(rest, "operations").map_err(wrong)?, CHANGE_BYTES_MAX)
}

/// Puts sealed changes of one epoch together again, in their order.
#[derive(Debug)]
pub(super) struct ChangeReader {
    federation: FederationId,
    document: DocumentId,
    epoch: u32,
    last: BTreeMap<ActorId, SealHash>,
}

impl ChangeReader {
    pub(super) fn new(federation: FederationId, document: DocumentId, epoch: u32) -> Self {
        Self { federation, document, epoch, last: BTreeMap::new() }
    }

    /// The next change; `author` gives the author's row by its number.
    pub(super) fn next(
        &mut self,
        bytes: &[u8],
        author: impl FnOnce(u32) -> Result<[u8; AUTHOR_BYTES], String>,
    ) -> Result<SealedChange, String> {
        let wrong = |error: DecodeError| error.to_string();
        let mut reader = form(bytes, "change row").map_err(wrong)?;
        let feature_level = reader.u8("feature level").map_err(wrong)?;
        let algorithm = reader.u8("algorithm").map_err(wrong)?;
        let number = reader.bounded(u32::MAX.into(), "author").map_err(wrong)? as u32;
        let actor = ActorId(reader.array("actor").map_err(wrong)?);
        let seq = reader.varint("sequence number").map_err(wrong)?;
        let change = ChangeHash(reader.array("change hash").map_err(wrong)?);
        let time = UnixMillis(reader.u64("time").map_err(wrong)? as i64);
        let signature = reader.array("signature").map_err(wrong)?;
        let rest = reader.remaining();
        let operations = decompress(reader.take(rest, "operations").map_err(wrong)?, CHANGE_BYTES_MAX)?;
        let author = author(number)?;
        let mut author = Reader::new(&author);
        let seal = Seal {
            feature_level,
            algorithm,
            federation: self.federation,
            document: self.document,
            epoch: self.epoch,
            actor,
            seq,
            change,
            previous: self.last.get(&actor).copied().unwrap_or_default(),
            certificate: crdt::ids::CertificateHash(author.array("certificate").map_err(wrong)?),
            boot: crdt::ids::BootNonce(author.array("boot nonce").map_err(wrong)?),
            charter_version: author.u32("charter version").map_err(wrong)?,
            pseudonym: crdt::ids::Pseudonym(author.array("pseudonym").map_err(wrong)?),
            time,
            signature,
        };
        self.last.insert(actor, seal.hash());
        Ok(SealedChange { seal, operations })
    }
}

/// What a document says, ready to be read.
#[derive(Debug, Clone, PartialEq)]
pub enum ViewContent {
    /// Of a dataset document.
    Dataset(Box<Dataset>),
    /// Of a town's catalog document.
    Catalog(Box<Catalog>),
}

/// The derived view of one document: what every read path answers from.
#[derive(Debug, Clone, PartialEq)]
pub struct ViewRow {
    /// Newest changes, ascending.
    pub heads: Vec<ChangeHash>,
    /// When the newest change was sealed, by its author's clock.
    pub sealed_at: UnixMillis,
    /// What the document says.
    pub content: ViewContent,
    /// Fields that this version does not know, by their path.
    pub extra: BTreeMap<String, serde_json::Value>,
    /// Paths of fields with several current values.
    pub conflicts: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct ViewJson {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dataset: Option<Box<Dataset>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    catalog: Option<Box<Catalog>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    extra: BTreeMap<String, serde_json::Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    conflicts: Vec<String>,
}

impl ViewRow {
    /// The dataset, if this is the view of one.
    pub fn dataset(&self) -> Option<&Dataset> {
        match &self.content {
            ViewContent::Dataset(dataset) => Some(dataset),
            ViewContent::Catalog(_) => None,
        }
    }

    /// Takes the dataset out.
    pub fn into_dataset(self) -> Option<Dataset> {
        match self.content {
            ViewContent::Dataset(dataset) => Some(*dataset),
            ViewContent::Catalog(_) => None,
        }
    }

    /// The bytes as stored. `like` are the operations of the epoch's first
    /// change, which say most of the same.
    pub(super) fn encode(&self, epoch: u32, like: &[u8]) -> Vec<u8> {
        let mut out = vec![FORM];
        write_varint(&mut out, epoch.into());
        write_varint(&mut out, self.heads.len() as u64);
        self.heads.iter().for_each(|head| out.extend_from_slice(&head.0));
        out.extend_from_slice(&self.sealed_at.0.to_be_bytes());
        let (dataset, catalog) = match &self.content {
            ViewContent::Dataset(dataset) => (Some(dataset.clone()), None),
            ViewContent::Catalog(catalog) => (None, Some(catalog.clone())),
        };
        let json =
            ViewJson { dataset, catalog, extra: self.extra.clone(), conflicts: self.conflicts.clone() };
        let json = serde_json::to_vec(&json).expect("a view is structs, text keys and numbers");
        compress_like(&json, like, &mut out);
        out
    }

    /// Reads the bytes; `like` gives the operations of an epoch's first change.
    pub(super) fn decode(
        bytes: &[u8],
        like: impl FnOnce(u32) -> Result<Vec<u8>, String>,
    ) -> Result<Self, String> {
        let wrong = |error: DecodeError| error.to_string();
        let mut reader = form(bytes, "view row").map_err(wrong)?;
        let epoch = reader.bounded(u32::MAX.into(), "epoch").map_err(wrong)? as u32;
        let count = reader.bounded(HEADS_MAX, "heads").map_err(wrong)?;
        let heads = (0..count).map(|_| reader.array("head").map(ChangeHash)).collect::<Result<_, _>>();
        let heads = heads.map_err(wrong)?;
        let sealed_at = UnixMillis(reader.u64("time").map_err(wrong)? as i64);
        let rest = reader.remaining();
        let like = like(epoch)?;
        let json = decompress_like(reader.take(rest, "view").map_err(wrong)?, &like, VIEW_BYTES_MAX)?;
        let json: ViewJson = serde_json::from_slice(&json).map_err(|error| error.to_string())?;
        let content = match (json.dataset, json.catalog) {
            (Some(dataset), None) => ViewContent::Dataset(dataset),
            (None, Some(catalog)) => ViewContent::Catalog(catalog),
            _ => return Err("the view holds neither a dataset nor a catalog".into()),
        };
        Ok(Self { heads, sealed_at, content, extra: json.extra, conflicts: json.conflicts })
    }
}

/// A validly signed change that its document could not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantinedChange {
    /// The town whose node signed it.
    pub author: Town,
    /// The town that sent it; not blamed.
    pub carrier: Option<Town>,
    /// Stable code of the rejection.
    pub code: String,
    /// When it came.
    pub at: UnixMillis,
    /// The change.
    pub change: SealedChange,
}

impl QuarantinedChange {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = vec![FORM];
        out.extend_from_slice(self.author.digits());
        out.extend_from_slice(self.carrier.as_ref().map_or(&[0; 8], |town| town.digits()));
        write_bytes(&mut out, self.code.as_bytes());
        out.extend_from_slice(&self.at.0.to_be_bytes());
        out.extend_from_slice(&self.change.to_bytes());
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = form(bytes, "quarantine row")?;
        let author =
            Town::from_digits(reader.take(8, "author")?).ok_or(DecodeError::Invalid("author town"))?;
        let carrier = Town::from_digits(reader.take(8, "carrier")?);
        let code = reader.text(64, "code")?.to_owned();
        let at = UnixMillis(reader.u64("time")? as i64);
        let rest = reader.remaining();
        let change = SealedChange::from_bytes(reader.take(rest, "change")?)?;
        Ok(Self { author, carrier, code, at, change })
    }
}

fn form<'a>(bytes: &'a [u8], what: &'static str) -> Result<Reader<'a>, DecodeError> {
    let mut reader = Reader::new(bytes);
    if reader.u8(what)? == FORM { Ok(reader) } else { Err(DecodeError::Invalid(what)) }
}
