//! Hashes, contexts and the bounded reader and writer of the fixed layouts.
//!
//! Sources: `docs/protocol.md` section 1. A context is never used for two
//! things; every `Reader` method checks before it takes.

use minicbor::{Decode, Encode};

/// Context of document ids.
pub const GENESIS: &str = "hanse genesis 1";
/// Context of actor ids.
pub const ACTOR: &str = "hanse actor 1";
/// Context of seal hashes.
pub const SEAL_HASH: &str = "hanse seal hash 1";
/// Context of seal signatures.
pub const SEAL: &str = "hanse seal 1";
/// Context of certificate hashes.
pub const CERTIFICATE_HASH: &str = "hanse certificate hash 1";
/// Context of certificate signatures.
pub const CERTIFICATE: &str = "hanse certificate 1";
/// Context of revocation hashes.
pub const REVOCATION_HASH: &str = "hanse revocation hash 1";
/// Context of revocation signatures.
pub const REVOCATION: &str = "hanse revocation 1";
/// Context of charter hashes and so of the federation id.
pub const CHARTER_HASH: &str = "hanse charter hash 1";
/// Context of charter signatures.
pub const CHARTER: &str = "hanse charter 1";
/// Context of epoch record hashes.
pub const EPOCH_HASH: &str = "hanse epoch hash 1";
/// Context of epoch record signatures.
pub const EPOCH: &str = "hanse epoch 1";
/// Context of manifest hashes.
pub const MANIFEST_HASH: &str = "hanse manifest hash 1";
/// Context of manifest signatures.
pub const MANIFEST: &str = "hanse manifest 1";
/// Context of receipt hashes.
pub const RECEIPT_HASH: &str = "hanse receipt hash 1";
/// Context of receipt signatures.
pub const RECEIPT: &str = "hanse receipt 1";
/// Context of frontier hashes.
pub const FRONTIER: &str = "hanse frontier 1";
/// Context of inventory sub-bucket hashes.
pub const LEAF: &str = "hanse leaf 1";
/// Context of inventory bucket hashes.
pub const BUCKET: &str = "hanse bucket 1";
/// Context of inventory roots.
pub const ROOT: &str = "hanse root 1";
/// Context of audience hashes.
pub const AUDIENCE: &str = "hanse audience 1";
/// Context of the digest over all towns' roots.
pub const DIGEST: &str = "hanse digest 1";
/// Context of the hash over what two nodes both may see.
pub const PULSE: &str = "hanse pulse 1";
/// Context of the hash over certificates and revocations held.
pub const AUTHORITY: &str = "hanse authority 1";

/// `H(context, parts joined)`: BLAKE3 in key-derivation mode.
pub fn hash(context: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key(context);
    for part in parts {
        hasher.update(part);
    }
    *hasher.finalize().as_bytes()
}

/// Why bytes are not what they were taken for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end before the value does.
    #[error("bytes end inside {0}")]
    Truncated(&'static str),
    /// Bytes remain after the value.
    #[error("{0} bytes follow the end")]
    Trailing(usize),
    /// A count, length or number is past its limit.
    #[error("{what} is {found}, more than {limit}")]
    TooMuch {
        /// What is counted.
        what: &'static str,
        /// How much there is.
        found: u64,
        /// How much there may be.
        limit: u64,
    },
    /// A value that the format does not know.
    #[error("{0} is not valid")]
    Invalid(&'static str),
    /// The same meaning has a shorter or ordered form, which alone is allowed.
    #[error("{0} is not in canonical form")]
    NotCanonical(&'static str),
}

/// Reads the fixed layouts of the protocol from borrowed bytes.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Takes `count` bytes.
    pub fn take(&mut self, count: usize, what: &'static str) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(DecodeError::Truncated(what))?;
        self.rest = rest;
        Ok(taken)
    }

    /// Takes as many bytes as the array has.
    pub fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], DecodeError> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(DecodeError::Truncated(what))?;
        self.rest = rest;
        Ok(*taken)
    }

    /// Takes one byte.
    pub fn u8(&mut self, what: &'static str) -> Result<u8, DecodeError> {
        self.array::<1>(what).map(|[byte]| byte)
    }

    /// Takes a big-endian u32.
    pub fn u32(&mut self, what: &'static str) -> Result<u32, DecodeError> {
        self.array(what).map(u32::from_be_bytes)
    }

    /// Takes a big-endian u64.
    pub fn u64(&mut self, what: &'static str) -> Result<u64, DecodeError> {
        self.array(what).map(u64::from_be_bytes)
    }

    /// Takes an unsigned LEB128 number in its shortest form.
    pub fn varint(&mut self, what: &'static str) -> Result<u64, DecodeError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8(what)?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(DecodeError::Invalid(what));
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                if byte == 0 && shift > 0 {
                    return Err(DecodeError::NotCanonical(what));
                }
                return Ok(value);
            }
        }
        Err(DecodeError::Invalid(what))
    }

    /// Takes a number that may be at most `limit`.
    pub fn bounded(&mut self, limit: u64, what: &'static str) -> Result<u64, DecodeError> {
        let found = self.varint(what)?;
        if found > limit {
            return Err(DecodeError::TooMuch { what, found, limit });
        }
        Ok(found)
    }

    /// Takes a length of at most `limit` and as many bytes.
    pub fn bytes(&mut self, limit: usize, what: &'static str) -> Result<&'a [u8], DecodeError> {
        let length = self.bounded(limit as u64, what)? as usize;
        self.take(length, what)
    }

    /// Takes a length of at most `limit` bytes and as much UTF-8.
    pub fn text(&mut self, limit: usize, what: &'static str) -> Result<&'a str, DecodeError> {
        std::str::from_utf8(self.bytes(limit, what)?).map_err(|_| DecodeError::Invalid(what))
    }

    /// Requires that nothing is left.
    pub fn end(self) -> Result<(), DecodeError> {
        if self.rest.is_empty() { Ok(()) } else { Err(DecodeError::Trailing(self.rest.len())) }
    }
}

/// Appends an unsigned LEB128 number in its shortest form.
pub fn write_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a length and the bytes.
pub fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Encodes a record as CBOR.
pub fn to_cbor<T: Encode<()>>(value: &T) -> Vec<u8> {
    // Writing to a Vec cannot fail, and no `Encode` of this crate reports an error of its own.
    minicbor::to_vec(value).expect("writing CBOR to memory succeeds")
}

/// Decodes a record from CBOR and requires that it is the one canonical form
/// of its value: what is decoded is encoded again and compared.
pub fn from_cbor<'b, T: Decode<'b, ()> + Encode<()>>(
    bytes: &'b [u8],
    what: &'static str,
) -> Result<T, DecodeError> {
    let mut decoder = minicbor::Decoder::new(bytes);
    let value: T = decoder.decode().map_err(|_| DecodeError::Invalid(what))?;
    if decoder.position() != bytes.len() {
        return Err(DecodeError::Trailing(bytes.len() - decoder.position()));
    }
    if to_cbor(&value) != bytes {
        return Err(DecodeError::NotCanonical(what));
    }
    Ok(value)
}

/// The number 1 that opens every signed record. A record that opens with
/// another number is of a later format and is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FormatOne;

impl<C> Encode<C> for FormatOne {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.u8(1)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for FormatOne {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let at = d.position();
        match d.u8()? {
            1 => Ok(Self),
            _ => Err(minicbor::decode::Error::message("the format is not 1").at(at)),
        }
    }
}

/// Requires that `items` ascend strictly by their key.
pub fn require_ascending<T, K: Ord>(
    items: &[T],
    what: &'static str,
    key: impl Fn(&T) -> K,
) -> Result<(), DecodeError> {
    if items.windows(2).all(|pair| key(&pair[0]) < key(&pair[1])) {
        Ok(())
    } else {
        Err(DecodeError::NotCanonical(what))
    }
}

/// Requires that `found` is at most `limit`.
pub fn require_at_most(found: usize, limit: usize, what: &'static str) -> Result<(), DecodeError> {
    if found <= limit {
        Ok(())
    } else {
        Err(DecodeError::TooMuch { what, found: found as u64, limit: limit as u64 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_form() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let mut bytes = Vec::new();
            write_varint(&mut bytes, value);
            let mut reader = Reader::new(&bytes);
            assert_eq!(reader.varint("number"), Ok(value));
            assert_eq!(reader.end(), Ok(()));
        }
        assert_eq!(Reader::new(&[0x80, 0x00]).varint("n"), Err(DecodeError::NotCanonical("n")));
        assert_eq!(Reader::new(&[0xff; 10]).varint("n"), Err(DecodeError::Invalid("n")));
        assert_eq!(Reader::new(&[0x80]).varint("n"), Err(DecodeError::Truncated("n")));
    }

    #[test]
    fn a_length_is_checked_before_bytes_are_taken() {
        let mut bytes = Vec::new();
        write_varint(&mut bytes, 1 << 40);
        assert!(matches!(Reader::new(&bytes).bytes(10, "text"), Err(DecodeError::TooMuch { .. })));
    }
}
