//! The signature record of one change, and the three states of a change on its
//! way in: sealed, verified, admitted.
//!
//! The layout is fixed (`docs/protocol.md` section 4); no serialisation
//! library stands under the signature. A [`SealedChange`] is claims and bytes;
//! a [`VerifiedChange`] has an author whose town may write; an
//! [`AdmittedChange`] fits the document, and only the gate makes one.

use ed25519_dalek::SigningKey;

use crate::{
    encoding::{self, DecodeError, Reader},
    ids::{
        ActorId, BootNonce, CertificateHash, ChangeHash, DocumentId, FederationId, Pseudonym, PublicKey,
        SealHash, UnixMillis,
    },
    operations::limits::CHANGE_BYTES_MAX,
    signed,
};

/// Feature level that this build writes and understands.
pub const FEATURE_LEVEL: u8 = 1;
/// Ed25519, BLAKE3 and Automerge's SHA-256.
pub const ALGORITHM: u8 = 1;

/// What an author says of one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// Feature level of the content.
    pub feature_level: u8,
    /// Which algorithms hash and sign.
    pub algorithm: u8,
    /// The league.
    pub federation: FederationId,
    /// The document.
    pub document: DocumentId,
    /// The document's life number, from 1.
    pub epoch: u32,
    /// The author's run.
    pub actor: ActorId,
    /// The actor's changes counted, from 1.
    pub seq: u64,
    /// The change, as Automerge hashes it.
    pub change: ChangeHash,
    /// The actor's seal before this; zero for the first.
    pub previous: SealHash,
    /// Nonce of the author's process start.
    pub boot: BootNonce,
    /// The certificate under which the node key signs.
    pub certificate: CertificateHash,
    /// Version of the charter in force for the author.
    pub charter_version: u32,
    /// The person, by a name that only the town can resolve.
    pub pseudonym: Pseudonym,
    /// When, by the author's clock; information only.
    pub time: UnixMillis,
    /// Ed25519 over all of the above.
    pub signature: [u8; 64],
}

impl Seal {
    /// Length in bytes.
    pub const SIZE: usize = 298;
    /// Length of what is signed.
    const SIGNED: usize = 234;

    fn signed_bytes(&self) -> [u8; Self::SIGNED] {
        let mut bytes = Vec::with_capacity(Self::SIZE);
        bytes.extend_from_slice(&[self.feature_level, self.algorithm]);
        bytes.extend_from_slice(&self.federation.0);
        bytes.extend_from_slice(&self.document.0);
        bytes.extend_from_slice(&self.epoch.to_be_bytes());
        bytes.extend_from_slice(&self.actor.0);
        bytes.extend_from_slice(&self.seq.to_be_bytes());
        bytes.extend_from_slice(&self.change.0);
        bytes.extend_from_slice(&self.previous.0);
        bytes.extend_from_slice(&self.boot.0);
        bytes.extend_from_slice(&self.certificate.0);
        bytes.extend_from_slice(&self.charter_version.to_be_bytes());
        bytes.extend_from_slice(&self.pseudonym.0);
        bytes.extend_from_slice(&self.time.0.to_be_bytes());
        bytes.try_into().expect("the fields above are 234 bytes long")
    }

    /// Fills in the signature of `key`.
    pub fn sign(mut self, key: &SigningKey) -> Self {
        self.signature = signed::sign(key, encoding::SEAL, &self.signed_bytes());
        self
    }

    /// Whether the signature is `key`'s.
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        signed::verify(key, encoding::SEAL, &self.signed_bytes(), &self.signature)
    }

    /// Hash of what is signed, without the signature: two signatures over one
    /// statement are one seal.
    pub fn hash(&self) -> SealHash {
        SealHash(encoding::hash(encoding::SEAL_HASH, &[&self.signed_bytes()]))
    }

    /// The 298 bytes.
    pub fn encode(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[..Self::SIGNED].copy_from_slice(&self.signed_bytes());
        bytes[Self::SIGNED..].copy_from_slice(&self.signature);
        bytes
    }

    /// Reads 298 bytes. Every byte string of that length is some seal; whether
    /// it is a true one is the gate's question.
    pub fn decode(bytes: &[u8; Self::SIZE]) -> Self {
        let read = |mut reader: Reader<'_>| -> Result<Self, DecodeError> {
            Ok(Self {
                feature_level: reader.u8("feature level")?,
                algorithm: reader.u8("algorithm")?,
                federation: FederationId(reader.array("federation")?),
                document: DocumentId(reader.array("document")?),
                epoch: reader.u32("epoch")?,
                actor: ActorId(reader.array("actor")?),
                seq: reader.u64("sequence number")?,
                change: ChangeHash(reader.array("change hash")?),
                previous: SealHash(reader.array("previous seal")?),
                boot: BootNonce(reader.array("boot nonce")?),
                certificate: CertificateHash(reader.array("certificate")?),
                charter_version: reader.u32("charter version")?,
                pseudonym: Pseudonym(reader.array("pseudonym")?),
                time: UnixMillis(reader.u64("time")? as i64),
                signature: reader.array("signature")?,
            })
        };
        read(Reader::new(bytes)).expect("the fields above are 298 bytes long")
    }
}

/// A seal and the operations it claims to cover, as they travel and rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedChange {
    /// The claims.
    pub seal: Seal,
    /// The operations' bytes, not looked at yet.
    pub operations: Vec<u8>,
}

impl SealedChange {
    /// Greatest length in bytes.
    pub const BYTES_MAX: usize = Seal::SIZE + CHANGE_BYTES_MAX;

    /// Seal, then operations.
    pub fn to_bytes(&self) -> Vec<u8> {
        [self.seal.encode().as_slice(), &self.operations].concat()
    }

    /// Splits seal and operations; checks lengths only.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > Self::BYTES_MAX {
            let (found, limit) = (bytes.len() as u64, Self::BYTES_MAX as u64);
            return Err(DecodeError::TooMuch { what: "bytes of a sealed change", found, limit });
        }
        let (seal, operations) =
            bytes.split_first_chunk::<{ Seal::SIZE }>().ok_or(DecodeError::Truncated("seal"))?;
        Ok(Self { seal: Seal::decode(seal), operations: operations.to_vec() })
    }
}

impl<C> minicbor::Encode<C> for SealedChange {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.to_bytes())?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for SealedChange {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let at = d.position();
        Self::from_bytes(d.bytes()?)
            .map_err(|error| minicbor::decode::Error::message(error.to_string()).at(at))
    }
}

/// A change whose author is entitled and whose signature holds. What it says
/// may still be nonsense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedChange(pub(crate) SealedChange);

impl VerifiedChange {
    /// The change with its seal.
    pub fn sealed(&self) -> &SealedChange {
        &self.0
    }
}

/// A change that is in its document. The store takes no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdmittedChange(pub(crate) SealedChange);

impl AdmittedChange {
    /// The change with its seal.
    pub fn sealed(&self) -> &SealedChange {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal() -> Seal {
        Seal {
            feature_level: FEATURE_LEVEL,
            algorithm: ALGORITHM,
            federation: FederationId([1; 32]),
            document: DocumentId([2; 32]),
            epoch: 3,
            actor: ActorId([4; 16]),
            seq: 5,
            change: ChangeHash([6; 32]),
            previous: SealHash([7; 32]),
            boot: BootNonce([8; 16]),
            certificate: CertificateHash([9; 32]),
            charter_version: 10,
            pseudonym: Pseudonym([11; 16]),
            time: UnixMillis(-12),
            signature: [0; 64],
        }
    }

    #[test]
    fn a_seal_goes_both_ways_and_every_byte_is_signed() {
        let key = SigningKey::from_bytes(&[42; 32]);
        let signed = seal().sign(&key);
        let bytes = signed.encode();
        assert_eq!(Seal::decode(&bytes), signed);
        assert!(signed.is_signed_by(&signed::public_key(&key)));
        for at in 0..Seal::SIZE {
            let mut altered = bytes;
            altered[at] ^= 1;
            assert!(!Seal::decode(&altered).is_signed_by(&signed::public_key(&key)), "byte {at}");
        }
    }

    #[test]
    fn the_hash_does_not_cover_the_signature() {
        let one = seal().sign(&SigningKey::from_bytes(&[1; 32]));
        let two = seal().sign(&SigningKey::from_bytes(&[2; 32]));
        assert_ne!(one.signature, two.signature);
        assert_eq!(one.hash(), two.hash());
    }
}
