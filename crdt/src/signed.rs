//! Records that carry signatures over their exact bytes: certificates,
//! revocations, charters, epoch records, manifests and receipts.
//!
//! [`Signed`] keeps the bytes as they were signed and gives the decoded value
//! beside them; it never encodes a received record anew to check it
//! (`docs/protocol.md` sections 1 and 6).

use std::collections::BTreeSet;

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use minicbor::{Decode, Encode, bytes::ByteVec};

use crate::{
    encoding::{self, DecodeError},
    ids::PublicKey,
};

/// Signatures a record may carry at most: 64 members with 8 keys each, and a
/// charter needs both the old and the new ones.
pub const SIGNATURES_MAX: usize = 1024;

/// A record that is signed: its contexts and its shape.
pub trait Record: for<'b> Decode<'b, ()> + Encode<()> {
    /// What the record is called in errors.
    const NAME: &'static str;
    /// Context of its hash.
    const HASH_CONTEXT: &'static str;
    /// Context of its signatures.
    const SIGNATURE_CONTEXT: &'static str;

    /// Checks what the shape alone does not: orders, ranges, counts.
    fn check(&self) -> Result<(), DecodeError> {
        Ok(())
    }
}

/// Signs `context ‖ 0 ‖ bytes`.
pub fn sign(key: &SigningKey, context: &str, bytes: &[u8]) -> [u8; 64] {
    key.sign(&message(context, bytes)).to_bytes()
}

/// Whether `signature` is `key`'s over `context ‖ 0 ‖ bytes`. Strict: refuses
/// low-order keys and non-canonical encodings, so that all nodes agree.
pub fn verify(key: &PublicKey, context: &str, bytes: &[u8], signature: &[u8; 64]) -> bool {
    let Ok(key) = VerifyingKey::from_bytes(&key.0) else { return false };
    key.verify_strict(&message(context, bytes), &ed25519_dalek::Signature::from_bytes(signature)).is_ok()
}

/// The public half of a key.
pub fn public_key(key: &SigningKey) -> PublicKey {
    PublicKey(key.verifying_key().to_bytes())
}

/// Whether `key` is a point of the curve that a strict check can ever accept.
pub fn is_usable_key(key: &PublicKey) -> bool {
    VerifyingKey::from_bytes(&key.0).is_ok_and(|key| !key.is_weak())
}

fn message(context: &str, bytes: &[u8]) -> Vec<u8> {
    [context.as_bytes(), &[0], bytes].concat()
}

/// One signature and the key that made it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Signature {
    /// The key.
    pub signer: PublicKey,
    /// The 64 bytes of RFC 8032.
    pub bytes: [u8; 64],
}

/// A record, the bytes that were signed, and the signatures.
///
/// INVARIANT: `bytes` is the canonical encoding of `value`; signers ascend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed<T> {
    value: T,
    bytes: Vec<u8>,
    signatures: Vec<Signature>,
}

impl<T: Record> Signed<T> {
    /// A record that nobody has signed yet.
    pub fn unsigned(value: T) -> Self {
        let bytes = encoding::to_cbor(&value);
        Self { value, bytes, signatures: Vec::new() }
    }

    /// A record signed by one key.
    pub fn new(value: T, key: &SigningKey) -> Self {
        let mut signed = Self::unsigned(value);
        signed.sign(key);
        signed
    }

    /// Adds the signature of `key`, replacing an earlier one of the same key.
    pub fn sign(&mut self, key: &SigningKey) {
        let bytes = sign(key, T::SIGNATURE_CONTEXT, &self.bytes);
        self.add(Signature { signer: public_key(key), bytes });
    }

    fn add(&mut self, signature: Signature) {
        match self.signatures.binary_search_by(|held| held.signer.cmp(&signature.signer)) {
            Ok(at) => self.signatures[at] = signature,
            Err(at) => self.signatures.insert(at, signature),
        }
    }

    /// Takes over the valid signatures of another copy of the same record.
    /// Returns how many were new.
    pub fn merge(&mut self, other: &Self) -> usize {
        if other.bytes != self.bytes {
            return 0;
        }
        let before = self.signatures.len();
        for signature in &other.signatures {
            if !self.signatures.iter().any(|held| held.signer == signature.signer) && other.valid(signature) {
                self.add(signature.clone());
            }
        }
        self.signatures.len() - before
    }

    /// Keeps the valid signatures of `keys` and drops all others, so that a
    /// carrier cannot make a record grow.
    pub fn retain_signers(&mut self, keys: &BTreeSet<PublicKey>) {
        let kept = std::mem::take(&mut self.signatures);
        self.signatures = kept
            .into_iter()
            .filter(|signature| keys.contains(&signature.signer) && self.valid(signature))
            .collect();
    }

    /// The record.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// The exact bytes that are signed.
    pub fn body(&self) -> &[u8] {
        &self.bytes
    }

    /// Hash of the record's body under its own context.
    pub fn hash(&self) -> [u8; 32] {
        encoding::hash(T::HASH_CONTEXT, &[&self.bytes])
    }

    /// All signatures as carried, valid or not.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Whether `key` has validly signed this record.
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        self.signatures
            .binary_search_by(|held| held.signer.cmp(key))
            .is_ok_and(|at| self.valid(&self.signatures[at]))
    }

    fn valid(&self, signature: &Signature) -> bool {
        verify(&signature.signer, T::SIGNATURE_CONTEXT, &self.bytes, &signature.bytes)
    }

    /// Encodes the record with its signatures (protocol section 6).
    pub fn to_bytes(&self) -> Vec<u8> {
        encoding::to_cbor(self)
    }

    /// Decodes a record with its signatures. Checks shape, canonical form and
    /// order; whose signatures are needed is for the caller to ask.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        encoding::from_cbor(bytes, T::NAME)
    }
}

impl<C, T> Encode<C> for Signed<T> {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.array(2)?.bytes(&self.bytes)?.array(self.signatures.len() as u64)?;
        for signature in &self.signatures {
            e.array(2)?.bytes(&signature.signer.0)?.bytes(&signature.bytes)?;
        }
        Ok(())
    }
}

impl<'b, C, T: Record> Decode<'b, C> for Signed<T> {
    fn decode(d: &mut minicbor::Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        let at = d.position();
        let fail = |what: &str| minicbor::decode::Error::message(what).at(at);
        if d.array()? != Some(2) {
            return Err(fail("a signed record has two parts"));
        }
        let bytes = ByteVec::decode(d, ctx)?.to_vec();
        let value: T = encoding::from_cbor(&bytes, T::NAME).map_err(|error| fail(&error.to_string()))?;
        value.check().map_err(|error| fail(&error.to_string()))?;
        let count = d.array()?.ok_or_else(|| fail("signatures have a definite count"))?;
        if count > SIGNATURES_MAX as u64 {
            return Err(fail("too many signatures"));
        }
        let mut signatures: Vec<Signature> = Vec::new();
        for _ in 0..count {
            if d.array()? != Some(2) {
                return Err(fail("a signature has two parts"));
            }
            let signer = PublicKey::decode(d, ctx)?;
            let bytes = d.bytes()?.try_into().map_err(|_| fail("a signature has 64 bytes"))?;
            if signatures.last().is_some_and(|last| last.signer >= signer) {
                return Err(fail("signers ascend"));
            }
            signatures.push(Signature { signer, bytes });
        }
        Ok(Self { value, bytes, signatures })
    }
}
