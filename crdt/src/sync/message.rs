//! What two nodes say to each other: `docs/protocol.md` section 11.
//!
//! A message is a type number and a CBOR array. Decoding is bounded by the
//! message's length, which the transport has limited before.

use minicbor::{Decode, Encode};

use crate::{
    authority::Export,
    encoding::{self, DecodeError},
    epoch::{EpochRecord, Receipt},
    frontier::Frontier,
    genesis::Genesis,
    ids::{AudienceHash, BootNonce, CharterHash, DocumentId, FederationId, Town},
    inventory::{Leaf, Prefix},
    manifest::Manifest,
    seal::SealedChange,
    signed::Signed,
};

/// Greatest length of one message in bytes.
pub const MESSAGE_BYTES_MAX: usize = 327_680;
/// Documents that one Want may name.
pub const WANTS_MAX: usize = 256;
/// Bytes of sealed changes that a node puts into one Changes message, unless
/// a single change is larger.
pub const CHANGES_BYTES_TARGET: usize = 49_152;

/// One (town, audience): the unit in which catalogs are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(array)]
pub struct SetKey {
    /// Whose documents.
    #[n(0)]
    pub town: Town,
    /// For whom.
    #[n(1)]
    pub audience: AudienceHash,
}

/// Opens a session.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Hello {
    /// Protocol level.
    #[n(0)]
    pub level: u8,
    /// The league.
    #[n(1)]
    pub federation: FederationId,
    /// Version of the newest charter held.
    #[n(2)]
    pub charter_version: u32,
    /// Hash of the newest charter held.
    #[n(3)]
    pub charter: CharterHash,
    /// Hash over all charters, certificates and revocations held.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub authority: [u8; 32],
    /// Nonce of the sender's process start.
    #[n(5)]
    pub boot: BootNonce,
}

/// How one set stands at the sender.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct HaveSet {
    /// Which set.
    #[n(0)]
    pub set: SetKey,
    /// The newest manifest held, where the other may lack it.
    #[n(1)]
    pub manifest: Option<Signed<Manifest>>,
    /// Root over what is held.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub root: [u8; 32],
    /// Documents held.
    #[n(3)]
    pub documents: u64,
    /// Changes held.
    #[n(4)]
    pub changes: u64,
    /// What has just changed, so that the other can ask at once.
    #[n(5)]
    pub leaves: Vec<Leaf>,
}

/// One part of an inventory.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Entries {
    /// Which set.
    #[n(0)]
    pub set: SetKey,
    /// A bucket or a sub-bucket.
    #[n(1)]
    pub prefix: Prefix,
    /// The 16 sub-bucket hashes instead of leaves, where those would be many.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub sub_buckets: Vec<u8>,
    /// The leaves.
    #[n(3)]
    pub leaves: Vec<Leaf>,
}

/// Asks for one document's changes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Want {
    /// The document.
    #[n(0)]
    pub document: DocumentId,
    /// The epoch held; 0 for none.
    #[n(1)]
    pub epoch: u32,
    /// How far that epoch is held.
    #[n(2)]
    pub frontier: Frontier,
}

/// One document's changes in causal order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentChanges {
    /// What the document's id is the hash of.
    pub genesis: Genesis,
    /// The record of the epoch, where it needs one.
    pub record: Option<Signed<EpochRecord>>,
    /// Sealed changes of that epoch. INVARIANT: all of this document.
    pub changes: Vec<SealedChange>,
    /// Whether more follow in answer to the next Want.
    pub more: bool,
}

/// [`DocumentChanges`] as they travel: federation and document of a seal are
/// those of the genesis and are left out.
#[derive(Encode, Decode)]
#[cbor(array)]
struct WireChanges {
    #[n(0)]
    genesis: Genesis,
    #[n(1)]
    record: Option<Signed<EpochRecord>>,
    #[n(2)]
    changes: Vec<minicbor::bytes::ByteVec>,
    #[n(3)]
    more: bool,
}

/// What is left out of a seal on the wire: its federation and its document.
const LEFT_OUT: std::ops::Range<usize> = 2..66;

impl<C> Encode<C> for DocumentChanges {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        context: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        let shortened = |change: &SealedChange| {
            let mut bytes = change.to_bytes();
            bytes.drain(LEFT_OUT);
            bytes.into()
        };
        WireChanges {
            genesis: self.genesis,
            record: self.record.clone(),
            changes: self.changes.iter().map(shortened).collect(),
            more: self.more,
        }
        .encode(e, context)
    }
}

impl<'b, C> Decode<'b, C> for DocumentChanges {
    fn decode(d: &mut minicbor::Decoder<'b>, context: &mut C) -> Result<Self, minicbor::decode::Error> {
        let WireChanges { genesis, record, changes, more } = WireChanges::decode(d, context)?;
        let document = genesis.document();
        let whole = |short: minicbor::bytes::ByteVec| {
            let (head, rest) = short.split_at_checked(LEFT_OUT.start).unwrap_or((&[], &[]));
            let bytes = [head, &genesis.federation.0, &document.0, rest].concat();
            SealedChange::from_bytes(&bytes)
                .map_err(|_| minicbor::decode::Error::message("length of a sealed change"))
        };
        let changes = changes.into_iter().map(whole).collect::<Result<_, _>>()?;
        Ok(Self { genesis, record, changes, more })
    }
}

impl DocumentChanges {
    /// Whether it brings nothing: what was asked for did not fit this answer.
    pub fn is_empty(&self) -> bool {
        let erased = self.record.as_ref().is_some_and(|record| record.value().is_erased());
        self.changes.is_empty() && !erased
    }
}

/// One message.
#[derive(Debug, Clone)]
pub enum Message {
    /// Opens a session.
    Hello(Hello),
    /// Charters, certificates and revocations that the other may lack.
    Authority(Export),
    /// How sets stand at the sender.
    Have(Vec<HaveSet>),
    /// Asks for the bucket hashes of a set.
    AskBuckets(SetKey),
    /// 256 bucket hashes joined.
    Buckets(SetKey, Vec<u8>),
    /// Asks for leaves of parts of a set.
    AskEntries(SetKey, Vec<Prefix>),
    /// Leaves, or finer hashes, of one part.
    Entries(Entries),
    /// Asks for changes.
    Want(Vec<Want>),
    /// Changes asked for.
    Changes(Vec<DocumentChanges>),
    /// Not here, erased or not for you: one answer for all.
    Absent(Vec<DocumentId>),
    /// Signed words of peers that they erased something.
    Receipts(Vec<Signed<Receipt>>),
    /// Hash over all that both may see.
    Pulse([u8; 32]),
    /// Asks for the changes of all documents of a part of a set.
    Fetch(SetKey, Prefix),
    /// All of that part was sent.
    Fetched(SetKey, Prefix),
}

impl Message {
    /// The type number and the payload.
    pub fn encode(&self) -> (u8, Vec<u8>) {
        let bytes = |value: &[u8]| encoding::to_cbor(&minicbor::bytes::ByteVec::from(value.to_vec()));
        match self {
            Self::Hello(hello) => (1, encoding::to_cbor(hello)),
            Self::Authority(told) => {
                (2, encoding::to_cbor(&(&told.charters, &told.certificates, &told.revocations)))
            }
            Self::Have(sets) => (3, encoding::to_cbor(sets)),
            Self::AskBuckets(set) => (4, encoding::to_cbor(set)),
            Self::Buckets(set, hashes) => {
                (5, encoding::to_cbor(&(*set, minicbor::bytes::ByteVec::from(hashes.clone()))))
            }
            Self::AskEntries(set, prefixes) => (6, encoding::to_cbor(&(*set, prefixes))),
            Self::Entries(entries) => (7, encoding::to_cbor(entries)),
            Self::Want(wants) => (8, encoding::to_cbor(wants)),
            Self::Changes(documents) => (9, encoding::to_cbor(documents)),
            Self::Absent(documents) => (10, encoding::to_cbor(documents)),
            Self::Receipts(receipts) => (11, encoding::to_cbor(receipts)),
            Self::Pulse(hash) => (12, bytes(hash)),
            Self::Fetch(set, prefix) => (13, encoding::to_cbor(&(*set, prefix))),
            Self::Fetched(set, prefix) => (14, encoding::to_cbor(&(*set, prefix))),
        }
    }

    /// Reads a message of type `kind`.
    pub fn decode(kind: u8, payload: &[u8]) -> Result<Self, DecodeError> {
        use minicbor::bytes::ByteVec;
        if payload.len() > MESSAGE_BYTES_MAX {
            let (found, limit) = (payload.len() as u64, MESSAGE_BYTES_MAX as u64);
            return Err(DecodeError::TooMuch { what: "bytes of a message", found, limit });
        }
        Ok(match kind {
            1 => Self::Hello(whole(payload, "hello")?),
            2 => {
                let (charters, certificates, revocations) = whole(payload, "authority")?;
                Self::Authority(Export { charters, certificates, revocations })
            }
            3 => Self::Have(whole(payload, "have")?),
            4 => Self::AskBuckets(whole(payload, "ask for buckets")?),
            5 => {
                let (set, hashes): (SetKey, ByteVec) = whole(payload, "buckets")?;
                if hashes.len() != 256 * 32 {
                    return Err(DecodeError::Invalid("count of bucket hashes"));
                }
                Self::Buckets(set, hashes.into())
            }
            6 => {
                let (set, prefixes): (SetKey, Vec<Prefix>) = whole(payload, "ask for entries")?;
                Self::AskEntries(set, prefixes)
            }
            7 => {
                let entries: Entries = whole(payload, "entries")?;
                if !matches!(entries.sub_buckets.len(), 0 | 512) {
                    return Err(DecodeError::Invalid("count of sub-bucket hashes"));
                }
                Self::Entries(entries)
            }
            8 => {
                let wants: Vec<Want> = whole(payload, "want")?;
                if wants.len() > WANTS_MAX {
                    let (found, limit) = (wants.len() as u64, WANTS_MAX as u64);
                    return Err(DecodeError::TooMuch { what: "wanted documents", found, limit });
                }
                Self::Want(wants)
            }
            9 => Self::Changes(whole(payload, "changes")?),
            10 => Self::Absent(whole(payload, "absent")?),
            11 => Self::Receipts(whole(payload, "receipts")?),
            12 => {
                let hash: ByteVec = whole(payload, "pulse")?;
                Self::Pulse(hash.as_slice().try_into().map_err(|_| DecodeError::Invalid("pulse"))?)
            }
            13 => {
                let (set, prefix) = whole(payload, "fetch")?;
                Self::Fetch(set, prefix)
            }
            14 => {
                let (set, prefix) = whole(payload, "fetched")?;
                Self::Fetched(set, prefix)
            }
            _ => return Err(DecodeError::Invalid("message type")),
        })
    }
}

fn whole<'b, T: Decode<'b, ()>>(payload: &'b [u8], what: &'static str) -> Result<T, DecodeError> {
    let mut decoder = minicbor::Decoder::new(payload);
    let value = decoder.decode().map_err(|_| DecodeError::Invalid(what))?;
    match payload.len() - decoder.position() {
        0 => Ok(value),
        rest => Err(DecodeError::Trailing(rest)),
    }
}
