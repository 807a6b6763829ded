//! Names of things that are signed: fixed-size identifiers that cannot be
//! mistaken for each other.
//!
//! Sources: `docs/protocol.md` section 2. Nothing here is drawn at random; a
//! caller that needs a nonce passes it in.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::encoding;

/// Why a text is not the identifier it was taken for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{value}` is not a valid {what}: {remedy}")]
pub struct InvalidId {
    /// The kind of identifier asked for.
    pub what: &'static str,
    /// The text as given.
    pub value: String,
    /// What would be right.
    pub remedy: &'static str,
}

/// Writes bytes as lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Reads lower- or upper-case hexadecimal; `None` for anything else.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    text.as_bytes().chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

macro_rules! identifier {
    ($(#[$meta:meta])* $name:ident, $size:literal, $what:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub [u8; $size]);

        impl $name {
            /// Length in bytes.
            pub const SIZE: usize = $size;

            /// The raw bytes.
            pub fn as_bytes(&self) -> &[u8] {
                &self.0
            }

            /// Takes raw bytes of exactly the right length.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                Some(Self(bytes.try_into().ok()?))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), hex(&self.0[..4]))
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                from_hex(text).and_then(|bytes| Self::from_slice(&bytes)).ok_or_else(|| InvalidId {
                    what: $what,
                    value: text.chars().take(80).collect(),
                    remedy: concat!("give exactly ", $size, " bytes as hexadecimal digits"),
                })
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl<C> minicbor::Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.bytes(&self.0)?.ok()
            }
        }

        impl<'b, C> minicbor::Decode<'b, C> for $name {
            fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                let at = d.position();
                Self::from_slice(d.bytes()?)
                    .ok_or_else(|| minicbor::decode::Error::message(concat!("wrong length of ", $what)).at(at))
            }
        }
    };
}

identifier!(
    /// The league: hash of its charter's first version.
    FederationId, 32, "federation id"
);
identifier!(
    /// One Automerge document: hash of its genesis.
    DocumentId, 32, "document id"
);
identifier!(
    /// One author's run in one epoch of one document; new at each process start.
    ActorId, 16, "actor id"
);
identifier!(
    /// SHA-256 that Automerge gives a change.
    ChangeHash, 32, "change hash"
);
identifier!(
    /// Hash of a seal without its signature.
    SealHash, 32, "seal hash"
);
identifier!(
    /// Hash of a node certificate's body.
    CertificateHash, 32, "certificate hash"
);
identifier!(
    /// Hash of a revocation's body.
    RevocationHash, 32, "revocation hash"
);
identifier!(
    /// Hash of a charter's body.
    CharterHash, 32, "charter hash"
);
identifier!(
    /// Hash of an epoch record's body.
    EpochHash, 32, "epoch hash"
);
identifier!(
    /// Hash of a manifest's body.
    ManifestHash, 32, "manifest hash"
);
identifier!(
    /// Hash of an audience.
    AudienceHash, 32, "audience hash"
);
identifier!(
    /// Random bytes drawn at every process start.
    BootNonce, 16, "boot nonce"
);
identifier!(
    /// Random bytes that make a document's genesis unique.
    GenesisNonce, 16, "genesis nonce"
);
identifier!(
    /// Random bytes that make a charter's hash unique.
    CharterNonce, 16, "charter nonce"
);
identifier!(
    /// Who made a change, known by name only inside the author's town.
    Pseudonym, 16, "author pseudonym"
);
identifier!(
    /// An Ed25519 public key (RFC 8032).
    PublicKey, 32, "public key"
);

impl From<[u8; 32]> for CharterHash {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl CharterHash {
    /// The federation that this charter founds, if it is version 1.
    pub fn as_federation(self) -> FederationId {
        FederationId(self.0)
    }
}

/// A municipality, named by its Amtlicher Gemeindeschlüssel (AGS, 8 digits).
///
/// The AGS is the member's identity in the federation; names and addresses may
/// change, it does not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Town([u8; 8]);

impl Town {
    /// Length of an AGS in ASCII digits.
    pub const SIZE: usize = 8;

    /// Reads an AGS of 8 digits.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        Self::from_digits(text.trim().as_bytes()).ok_or_else(|| InvalidId {
            what: "municipality key (AGS)",
            value: text.chars().take(80).collect(),
            remedy: "give 8 digits, for example 05974040 for Soest",
        })
    }

    /// Takes 8 ASCII digits.
    pub fn from_digits(digits: &[u8]) -> Option<Self> {
        let digits: [u8; 8] = digits.try_into().ok()?;
        digits.iter().all(u8::is_ascii_digit).then_some(Self(digits))
    }

    /// The 8 ASCII digits.
    pub fn digits(&self) -> &[u8; 8] {
        &self.0
    }
}

impl fmt::Display for Town {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|digit| write!(f, "{}", char::from(*digit)))
    }
}

impl fmt::Debug for Town {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Town({self})")
    }
}

impl FromStr for Town {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::parse(text)
    }
}

impl Serialize for Town {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Town {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl<C> minicbor::Encode<C> for Town {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Town {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let at = d.position();
        Self::from_digits(d.bytes()?)
            .ok_or_else(|| minicbor::decode::Error::message("a municipality key is 8 digits").at(at))
    }
}

/// A dataset's identity for readers: a random UUID (version 4), made once with
/// the draft and kept through every document, epoch and class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DatasetId(pub uuid::Uuid);

impl DatasetId {
    /// Makes a version 4 UUID of 16 random bytes.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }
}

impl fmt::Display for DatasetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.as_hyphenated(), f)
    }
}

impl FromStr for DatasetId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        uuid::Uuid::parse_str(text).map(Self).map_err(|_| InvalidId {
            what: "dataset id",
            value: text.chars().take(80).collect(),
            remedy: "give a UUID, for example 6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10",
        })
    }
}

/// A point on a clock that only runs forward, in milliseconds; never compared
/// between nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Millis(pub u64);

impl Millis {
    /// This point and `ms` milliseconds more.
    pub fn plus(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this point; zero if it is later.
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Milliseconds since 1970-01-01T00:00:00Z. Information for people: validity
/// never depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixMillis(pub i64);

impl UnixMillis {
    /// Whole seconds since 1970, never negative.
    pub fn seconds(self) -> u64 {
        u64::try_from(self.0 / 1000).unwrap_or(0)
    }
}

impl<C> minicbor::Encode<C> for UnixMillis {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.i64(self.0)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for UnixMillis {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        d.i64().map(Self)
    }
}

impl ActorId {
    /// The only actor id that a node may use in one epoch of one document
    /// during one run (protocol section 2): it cannot be grafted elsewhere, and
    /// a restored backup never uses one again.
    pub fn derive(
        federation: &FederationId,
        document: &DocumentId,
        epoch: u32,
        node_key: &PublicKey,
        boot: &BootNonce,
    ) -> Self {
        let full = encoding::hash(
            encoding::ACTOR,
            &[&federation.0, &document.0, &epoch.to_be_bytes(), &node_key.0, &boot.0],
        );
        let mut id = [0; Self::SIZE];
        id.copy_from_slice(&full[..Self::SIZE]);
        Self(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_goes_both_ways() {
        let id = DocumentId([0xab; 32]);
        assert_eq!(id.to_string().parse::<DocumentId>(), Ok(id));
        assert!("abc".parse::<DocumentId>().is_err());
        assert!("zz".repeat(32).parse::<DocumentId>().is_err());
        assert!("ä".repeat(32).parse::<DocumentId>().is_err());
    }

    #[test]
    fn a_town_is_eight_digits() {
        assert_eq!(Town::parse(" 05974040 ").unwrap().to_string(), "05974040");
        for wrong in ["", "5974040", "059740401", "0597404x", "٠٥٩٧٤٠٤٠"] {
            assert!(Town::parse(wrong).is_err(), "{wrong}");
        }
    }
}
