//! The charter: the numbered statute of the federation.
//!
//! It says who the members and partners are, whose keys speak for them, how
//! many must agree to what, and the limits that all nodes share
//! (`docs/protocol.md` section 7). [`Charter`] is one version; [`CharterChain`]
//! walks from version to version and never back. Time plays no part.

pub mod chain;
pub mod limits;
pub mod member;

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};

pub use self::{
    chain::{Accepted, CharterChain, CharterRejection, Fork},
    limits::Limits,
    member::{Member, Partner},
};
use crate::{
    audience::PartnerId,
    encoding::{self, DecodeError, FormatOne},
    ids::{CharterHash, CharterNonce, FederationId, Town, UnixMillis},
    signed::{Record, Signed},
};

/// Members a charter may have.
pub const MEMBERS_MAX: usize = 64;
/// Partners a charter may have.
pub const PARTNERS_MAX: usize = 256;
/// Competing versions that one version may settle.
pub const OTHER_HEADS_MAX: usize = 64;
/// Bytes of a name of a federation, member or partner.
pub const NAME_MAX: usize = 200;

/// How many members must sign what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Thresholds {
    /// Any change of the charter.
    #[n(0)]
    pub change: u32,
    /// Expulsion of a member, or taking its keys without its signature.
    #[n(1)]
    pub expel: u32,
    /// A change of these numbers.
    #[n(2)]
    pub thresholds: u32,
}

impl Thresholds {
    /// ⌈(n+1)/2⌉, ⌈4n/5⌉ and ⌈4n/5⌉ of n members.
    pub fn default_for(members: usize) -> Self {
        let members = members as u32;
        let many = (4 * members).div_ceil(5);
        Self { change: (members + 1).div_ceil(2), expel: many, thresholds: many }
    }

    fn check(&self, members: usize) -> Result<(), DecodeError> {
        let range = 1..=members as u32;
        let possible = [self.change, self.expel, self.thresholds].iter().all(|number| range.contains(number));
        if possible && self.expel >= self.change && self.thresholds >= self.change {
            Ok(())
        } else {
            Err(DecodeError::Invalid("thresholds of the charter"))
        }
    }

    /// How many must sign a version that does this.
    fn needed(&self, action: Action) -> usize {
        let expel = if action.expels { self.expel } else { 0 };
        let thresholds = if action.changes_thresholds { self.thresholds } else { 0 };
        self.change.max(expel).max(thresholds) as usize
    }
}

/// What a new version does that asks for more than the usual threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Action {
    expels: bool,
    changes_thresholds: bool,
}

impl Action {
    fn between(old: &Charter, new: &Signed<Charter>) -> Self {
        let harms = |member: &Member| {
            let kept = new.value().member(&member.town).is_some_and(|next| next.has_same_keys(member));
            !kept && !member.has_signed(new)
        };
        Self {
            expels: old.members.iter().any(harms),
            changes_thresholds: old.thresholds != new.value().thresholds,
        }
    }
}

/// One version of the statute.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Charter {
    /// Always [`FormatOne`].
    #[n(0)]
    pub format: FormatOne,
    /// Number, from 1.
    #[n(1)]
    pub version: u32,
    /// Hash of the version before; zero for version 1.
    #[n(2)]
    pub previous: CharterHash,
    /// Competing versions that this one settles, ascending; normally empty.
    #[n(3)]
    pub other_heads: Vec<CharterHash>,
    /// Name of the federation.
    #[n(4)]
    pub name: String,
    /// The voting municipalities, ascending by town.
    #[n(5)]
    pub members: Vec<Member>,
    /// The recipients without a vote, ascending by id.
    #[n(6)]
    pub partners: Vec<Partner>,
    /// How many members must sign what.
    #[n(7)]
    pub thresholds: Thresholds,
    /// Limits that all nodes share.
    #[n(8)]
    pub limits: Limits,
    /// Random bytes.
    #[n(9)]
    pub nonce: CharterNonce,
    /// When it was made; information only.
    #[n(10)]
    pub time: UnixMillis,
}

impl Charter {
    /// The member with this key.
    pub fn member(&self, town: &Town) -> Option<&Member> {
        self.members.binary_search_by(|member| member.town.cmp(town)).ok().map(|at| &self.members[at])
    }

    /// The member with this short name.
    pub fn member_by_code(&self, code: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.code == code)
    }

    /// The partner with this id.
    pub fn partner(&self, id: &PartnerId) -> Option<&Partner> {
        self.partners.binary_search_by(|partner| partner.id.cmp(id)).ok().map(|at| &self.partners[at])
    }

    /// Members of this version that have signed `record`, ascending.
    pub fn signers<'a, T: Record>(&'a self, record: &'a Signed<T>) -> impl Iterator<Item = Town> + 'a {
        self.members.iter().filter(|member| member.has_signed(record)).map(|member| member.town)
    }

    fn check_version(&self) -> Result<(), DecodeError> {
        let first = self.version == 1;
        encoding::require_at_most(self.other_heads.len(), OTHER_HEADS_MAX, "settled charters")?;
        encoding::require_ascending(&self.other_heads, "order of settled charters", |hash| *hash)?;
        let rules = [
            (self.version >= 1, "charter version 0"),
            (first == (self.previous == CharterHash::default()), "previous charter"),
            (!first || self.other_heads.is_empty(), "settled charters of version 1"),
            (!self.other_heads.contains(&self.previous), "settled charter that is the previous one"),
        ];
        match rules.iter().find(|(kept, _)| !kept) {
            Some((_, what)) => Err(DecodeError::Invalid(what)),
            None => Ok(()),
        }
    }

    fn check_members(&self) -> Result<(), DecodeError> {
        if self.members.is_empty() {
            return Err(DecodeError::Invalid("charter without members"));
        }
        encoding::require_at_most(self.members.len(), MEMBERS_MAX, "members of the charter")?;
        encoding::require_ascending(&self.members, "order of members", |member| member.town)?;
        encoding::require_at_most(self.partners.len(), PARTNERS_MAX, "partners of the charter")?;
        encoding::require_ascending(&self.partners, "order of partners", |partner| partner.id.clone())?;
        self.members.iter().try_for_each(Member::check)?;
        self.partners.iter().try_for_each(Partner::check)?;
        if self.partners.iter().any(|partner| self.member(&partner.named_by).is_none()) {
            return Err(DecodeError::Invalid("partner named by a town that is no member"));
        }
        self.check_nothing_is_shared()
    }

    /// A key or short name of two parties would let one speak as the other.
    fn check_nothing_is_shared(&self) -> Result<(), DecodeError> {
        let members = self.members.iter();
        let mut codes = BTreeSet::new();
        if !members.clone().all(|member| codes.insert(&member.code)) {
            return Err(DecodeError::Invalid("short name of two members"));
        }
        let partners = self.partners.iter();
        let mut keys = BTreeSet::new();
        let all = members.clone().map(|m| &m.identity_keys).chain(partners.clone().map(|p| &p.identity_keys));
        if !all.flatten().all(|key| keys.insert(key)) {
            return Err(DecodeError::Invalid("identity key of two parties"));
        }
        let mut peers = BTreeSet::new();
        let all = members.map(Member::transport_keys).chain(partners.map(Partner::transport_keys));
        if !all.flatten().all(|key| peers.insert(key)) {
            return Err(DecodeError::Invalid("peer id of two parties"));
        }
        Ok(())
    }
}

impl Record for Charter {
    const NAME: &'static str = "charter";
    const HASH_CONTEXT: &'static str = encoding::CHARTER_HASH;
    const SIGNATURE_CONTEXT: &'static str = encoding::CHARTER;

    fn check(&self) -> Result<(), DecodeError> {
        self.check_version()?;
        member::check_name(&self.name)?;
        self.check_members()?;
        self.thresholds.check(self.members.len())?;
        self.limits.check()
    }
}

impl Signed<Charter> {
    /// The charter's hash.
    pub fn id(&self) -> CharterHash {
        CharterHash(self.hash())
    }

    /// The federation that this charter founds, if it is a version 1.
    pub fn founds(&self) -> Option<FederationId> {
        (self.value().version == 1).then(|| self.id().as_federation())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_thresholds_are_those_of_the_protocol() {
        let of = |members| {
            let Thresholds { change, expel, thresholds } = Thresholds::default_for(members);
            assert!(Thresholds { change, expel, thresholds }.check(members).is_ok());
            (change, expel, thresholds)
        };
        assert_eq!(of(5), (3, 4, 4));
        assert_eq!([of(1), of(2), of(3), of(4)], [(1, 1, 1), (2, 2, 2), (2, 3, 3), (3, 4, 4)]);
        assert_eq!(of(64), (33, 52, 52));
    }

    #[test]
    fn impossible_thresholds_are_refused() {
        for (change, expel, thresholds) in [(0, 1, 1), (6, 6, 6), (3, 2, 4), (3, 4, 2), (3, 6, 4)] {
            assert!(Thresholds { change, expel, thresholds }.check(5).is_err());
        }
    }
}
