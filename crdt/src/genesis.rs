//! Genesis: the 59 bytes a document's identity is made of.
//!
//! Kind and owner are hashed into the document id, so who may write is a pure
//! function of the id's preimage (`docs/protocol.md` section 2). A genesis
//! carries no signature and no content, and there is none for closed records.

use minicbor::{Decode, Encode};

use crate::{
    encoding::{self, DecodeError, Reader},
    ids::{DocumentId, FederationId, GenesisNonce, Town},
};

/// What a document holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DocumentKind {
    /// One dataset of a town.
    Dataset,
    /// What a town says of its catalog as a whole.
    Catalog,
    /// A vocabulary or rule list that all members keep together.
    RegionalList,
}

impl DocumentKind {
    fn code(self) -> u8 {
        match self {
            Self::Dataset => 1,
            Self::Catalog => 2,
            Self::RegionalList => 3,
        }
    }

    fn from_code(code: u8) -> Result<Self, DecodeError> {
        match code {
            1 => Ok(Self::Dataset),
            2 => Ok(Self::Catalog),
            3 => Ok(Self::RegionalList),
            _ => Err(DecodeError::Invalid("document kind")),
        }
    }
}

/// For whom a document was made. Closed is missing on purpose: a closed record
/// has no genesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GenesisClass {
    /// For every member and every reader.
    Open,
    /// For the audience named in its epoch record.
    Shared,
}

impl GenesisClass {
    fn code(self) -> u8 {
        match self {
            Self::Open => 1,
            Self::Shared => 2,
        }
    }

    fn from_code(code: u8) -> Result<Self, DecodeError> {
        match code {
            1 => Ok(Self::Open),
            2 => Ok(Self::Shared),
            _ => Err(DecodeError::Invalid("document class")),
        }
    }
}

/// What a document id is the hash of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Genesis {
    /// The federation the document belongs to.
    pub federation: FederationId,
    /// What the document holds.
    pub kind: DocumentKind,
    /// The town that made it.
    pub owner: Town,
    /// For whom it was made.
    pub class: GenesisClass,
    /// Random bytes.
    pub nonce: GenesisNonce,
}

impl Genesis {
    /// Length in bytes.
    pub const SIZE: usize = 59;
    const FORMAT: u8 = 1;

    /// The 59 bytes.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[..32].copy_from_slice(&self.federation.0);
        bytes[32] = self.kind.code();
        bytes[33..41].copy_from_slice(self.owner.digits());
        bytes[41] = self.class.code();
        bytes[42..58].copy_from_slice(&self.nonce.0);
        bytes[58] = Self::FORMAT;
        bytes
    }

    /// Reads exactly 59 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let genesis = Self {
            federation: FederationId(reader.array("genesis")?),
            kind: DocumentKind::from_code(reader.u8("genesis")?)?,
            owner: Town::from_digits(reader.take(Town::SIZE, "genesis")?)
                .ok_or(DecodeError::Invalid("owner town"))?,
            class: GenesisClass::from_code(reader.u8("genesis")?)?,
            nonce: GenesisNonce(reader.array("genesis")?),
        };
        if reader.u8("genesis")? != Self::FORMAT {
            return Err(DecodeError::Invalid("genesis format"));
        }
        reader.end()?;
        Ok(genesis)
    }

    /// The id of the document that this genesis begins.
    pub fn document(&self) -> DocumentId {
        DocumentId(encoding::hash(encoding::GENESIS, &[&self.to_bytes()]))
    }

    /// Whether a node certified by member `town` may write the document:
    /// regional lists belong to all members, everything else to its owner.
    pub fn may_write(&self, town: &Town) -> bool {
        self.kind == DocumentKind::RegionalList || self.owner == *town
    }
}

impl<C> Encode<C> for Genesis {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.to_bytes())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Genesis {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let at = d.position();
        Self::from_bytes(d.bytes()?).map_err(|error| minicbor::decode::Error::message(error).at(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn genesis() -> Genesis {
        Genesis {
            federation: FederationId([1; 32]),
            kind: DocumentKind::Dataset,
            owner: Town::parse("05974040").unwrap(),
            class: GenesisClass::Shared,
            nonce: GenesisNonce([2; 16]),
        }
    }

    #[test]
    fn bytes_go_both_ways_and_nothing_else_is_read() {
        let bytes = genesis().to_bytes();
        assert_eq!(Genesis::from_bytes(&bytes), Ok(genesis()));
        assert!(Genesis::from_bytes(&bytes[..58]).is_err());
        assert!(Genesis::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
        for (at, value) in [(32, 0), (32, 4), (33, b'x'), (41, 0), (41, 3), (58, 2)] {
            let mut wrong = bytes;
            wrong[at] = value;
            assert!(Genesis::from_bytes(&wrong).is_err(), "byte {at} = {value}");
        }
    }

    #[test]
    fn every_part_changes_the_document_id() {
        let bytes = genesis().to_bytes();
        for (at, value) in [(0, 9), (32, 2), (40, b'1'), (41, 1), (42, 9)] {
            let mut other = bytes;
            other[at] = value;
            assert_ne!(Genesis::from_bytes(&other).unwrap().document(), genesis().document());
        }
    }

    #[test]
    fn only_the_owner_writes_except_in_regional_lists() {
        let olpe = Town::parse("05966024").unwrap();
        assert!(genesis().may_write(&genesis().owner));
        assert!(!genesis().may_write(&olpe));
        assert!(Genesis { kind: DocumentKind::RegionalList, ..genesis() }.may_write(&olpe));
    }
}
