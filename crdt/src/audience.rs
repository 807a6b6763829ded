//! Audiences: to whom a document may be given.
//!
//! An audience is open or a named set of members and partners. The owner of a
//! document always has it and need not be named; callers apply that rule. What
//! is closed has no audience, because it never leaves its town
//! (`docs/protocol.md` section 8).

use std::{collections::BTreeSet, fmt, str::FromStr};

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{
    encoding::{self, DecodeError},
    ids::{AudienceHash, InvalidId, Town},
};

/// Recipients an audience may name: all members and partners of a full charter.
pub const RECIPIENTS_MAX: usize = 320;

/// Short name of a partner in the charter: 1 to 32 lower-case letters, digits
/// and hyphens, for example `kreis-olpe`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct PartnerId(String);

impl PartnerId {
    /// Longest name in bytes.
    pub const LENGTH_MAX: usize = 32;

    /// Reads a name.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        if is_short_name(text, Self::LENGTH_MAX) {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidId {
            what: "partner id",
            value: text.chars().take(80).collect(),
            remedy: "give 1 to 32 lower-case letters, digits and hyphens, for example kreis-olpe",
        })
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether `text` is made of lower-case letters, digits and inner hyphens, so
/// that it can stand in paths and file names unquoted.
pub(crate) fn is_short_name(text: &str, length_max: usize) -> bool {
    (1..=length_max).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

impl fmt::Display for PartnerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for PartnerId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::parse(text)
    }
}

impl<'de> Deserialize<'de> for PartnerId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl<C> Encode<C> for PartnerId {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.str(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for PartnerId {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let at = d.position();
        Self::parse(d.str()?).map_err(|error| minicbor::decode::Error::message(error).at(at))
    }
}

/// One who may receive what is shared. Members come before partners.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    /// A voting municipality.
    Member(Town),
    /// A county, utility or other recipient that a member has named.
    Partner(PartnerId),
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member(town) => town.fmt(f),
            Self::Partner(id) => id.fmt(f),
        }
    }
}

impl<C> Encode<C> for Recipient {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.array(2)?;
        match self {
            Self::Member(town) => town.encode(e.u8(0)?, ctx),
            Self::Partner(id) => id.encode(e.u8(1)?, ctx),
        }
    }
}

impl<'b, C> Decode<'b, C> for Recipient {
    fn decode(d: &mut minicbor::Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        let at = d.position();
        match (d.array()?, d.u8()?) {
            (Some(2), 0) => Town::decode(d, ctx).map(Self::Member),
            (Some(2), 1) => PartnerId::decode(d, ctx).map(Self::Partner),
            _ => Err(minicbor::decode::Error::message("recipient of an unknown kind").at(at)),
        }
    }
}

/// To whom a document may be given.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Everyone.
    Open,
    /// These recipients and the owner.
    Named(BTreeSet<Recipient>),
}

impl Audience {
    /// An audience of members.
    pub fn of_members(towns: impl IntoIterator<Item = Town>) -> Self {
        Self::Named(towns.into_iter().map(Recipient::Member).collect())
    }

    /// `H("hanse audience 1", CBOR)`.
    pub fn hash(&self) -> AudienceHash {
        AudienceHash(encoding::hash(encoding::AUDIENCE, &[&encoding::to_cbor(self)]))
    }

    /// Whether everyone may have it.
    pub fn is_open(&self) -> bool {
        *self == Self::Open
    }

    /// Whether `recipient` is named or the audience is open. Says nothing of
    /// the owner, who always is included.
    pub fn includes(&self, recipient: &Recipient) -> bool {
        match self {
            Self::Open => true,
            Self::Named(recipients) => recipients.contains(recipient),
        }
    }

    /// [`Self::includes`] for a member.
    pub fn includes_town(&self, town: &Town) -> bool {
        self.includes(&Recipient::Member(*town))
    }

    /// A named audience has at least one and at most [`RECIPIENTS_MAX`]
    /// recipients: what is shared with nobody is closed and stays at home.
    pub fn check(&self) -> Result<(), DecodeError> {
        match self {
            Self::Named(recipients) if recipients.is_empty() => {
                Err(DecodeError::Invalid("audience without recipients"))
            }
            Self::Named(recipients) => {
                encoding::require_at_most(recipients.len(), RECIPIENTS_MAX, "recipients of an audience")
            }
            Self::Open => Ok(()),
        }
    }
}

impl<C> Encode<C> for Audience {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        match self {
            Self::Open => e.array(1)?.u8(0)?.ok(),
            Self::Named(recipients) => recipients.encode(e.array(2)?.u8(1)?, ctx),
        }
    }
}

impl<'b, C> Decode<'b, C> for Audience {
    fn decode(d: &mut minicbor::Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        let at = d.position();
        let audience = match (d.array()?, d.u8()?) {
            (Some(1), 0) => Self::Open,
            // An order other than ascending is lost here and found by the
            // canonical re-encoding that every record passes.
            (Some(2), 1) => Self::Named(BTreeSet::decode(d, ctx)?),
            _ => return Err(minicbor::decode::Error::message("audience of an unknown kind").at(at)),
        };
        audience.check().map_err(|error| minicbor::decode::Error::message(error).at(at))?;
        Ok(audience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::{from_cbor, to_cbor};

    fn town(ags: &str) -> Town {
        Town::parse(ags).unwrap()
    }

    #[test]
    fn bytes_go_both_ways() {
        let kreis = Recipient::Partner(PartnerId::parse("kreis-olpe").unwrap());
        let named = Audience::Named([kreis, Recipient::Member(town("05974040"))].into());
        for audience in [Audience::Open, named] {
            assert_eq!(from_cbor(&to_cbor(&audience), "audience"), Ok(audience));
        }
    }

    #[test]
    fn recipients_out_of_order_or_twice_are_refused() {
        let (a, b) = (Recipient::Member(town("05966024")), Recipient::Member(town("05974040")));
        for list in [vec![b.clone(), a.clone()], vec![a.clone(), a.clone()], vec![]] {
            let bytes = to_cbor(&(1u8, list));
            assert!(from_cbor::<Audience>(&bytes, "audience").is_err());
        }
        assert!(from_cbor::<Audience>(&to_cbor(&(1u8, vec![a, b])), "audience").is_ok());
    }

    #[test]
    fn only_the_named_are_included() {
        let audience = Audience::of_members([town("05974040")]);
        assert!(audience.includes_town(&town("05974040")));
        assert!(!audience.includes_town(&town("05966024")));
        assert!(Audience::Open.includes_town(&town("05966024")));
        assert_ne!(audience.hash(), Audience::Open.hash());
    }

    #[test]
    fn a_partner_has_a_short_name() {
        assert!(PartnerId::parse("kreis-olpe").is_ok());
        for wrong in ["", "-a", "a-", "Kreis", "kreis olpe", "ä", &"a".repeat(33)] {
            assert!(PartnerId::parse(wrong).is_err(), "{wrong}");
        }
    }
}
