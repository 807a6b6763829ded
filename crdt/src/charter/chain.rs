//! The chain of charters: which version is in force, and what happens when the
//! members sign two successors of one version.
//!
//! [`CharterChain`] keeps every valid version it was ever given, as a tree, and
//! one line through the tree that is in force. Two successors of one version
//! freeze the line; only a version that follows one and lists the others thaws
//! it. Nodes that hold the same versions of a fork at the newest version have
//! the same line, whatever arrived first.
//!
//! # Invariants
//!
//! - The version in force never gets a smaller number.
//! - The line in force is left only for a line that a threshold of the members
//!   in force has signed too, or for the sibling of its newest version with a
//!   smaller hash. Old keys therefore cannot rewrite what came later.

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Charter};
use crate::{
    encoding::DecodeError,
    ids::{CharterHash, FederationId, PublicKey, Town},
    signed::{Record, Signed},
};

/// Versions kept beside the line in force. More need a threshold of members to
/// sign them, and even then they cannot fill the disk.
pub const COMPETING_MAX: usize = 64;

/// What became of a charter that is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It was held already.
    Known,
    /// It is in force now, with all that it follows.
    InForce,
    /// It competes with a version held: charter changes are frozen.
    Forked,
    /// It is kept, but charter changes are frozen and it does not thaw them.
    Frozen,
    /// It is kept as evidence; the version in force has settled against it.
    Outdated,
}

/// Why a charter is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CharterRejection {
    /// The bytes are no charter.
    #[error("charter is malformed: {0}")]
    Malformed(DecodeError),
    /// It is another federation's first version.
    #[error("charter founds federation {found}, not {expected}")]
    WrongFederation {
        /// The federation of this chain.
        expected: FederationId,
        /// The federation that the charter founds.
        found: FederationId,
    },
    /// A first version was asked for.
    #[error("charter version {0} founds no federation: give version 1")]
    NotFirst(u32),
    /// The version before is not held and versions between are missing.
    #[error("charter version {found} does not follow version {held}: versions between are missing")]
    Gap {
        /// Version in force.
        held: u32,
        /// Version found.
        found: u32,
    },
    /// It follows a charter that is not held.
    #[error("charter version {version} follows unknown charter {previous}")]
    UnknownPrevious {
        /// Its version.
        version: u32,
        /// What it follows.
        previous: CharterHash,
    },
    /// Its number is not one more than that of the version before.
    #[error("charter version {found} follows version {previous}")]
    WrongVersion {
        /// Number of the version before.
        previous: u32,
        /// Its number.
        found: u32,
    },
    /// Too few members have signed.
    #[error("charter version {version} is signed by {signed} of {needed} members needed of version {of}")]
    BelowThreshold {
        /// Its version.
        version: u32,
        /// The version whose members and threshold count.
        of: u32,
        /// How many have signed.
        signed: usize,
        /// How many are needed.
        needed: usize,
    },
    /// As many competing versions are held as may be.
    #[error("{0} competing charters are held already")]
    TooManyForks(usize),
}

impl CharterRejection {
    /// Stable code for logs and answers.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(DecodeError::NotCanonical(_)) => "not-canonical",
            Self::Malformed(_) => "malformed",
            Self::WrongFederation { .. } => "wrong-federation",
            Self::NotFirst(_) => "not-first",
            Self::Gap { .. } => "gap",
            Self::UnknownPrevious { .. } => "unknown-previous",
            Self::WrongVersion { .. } => "wrong-version",
            Self::BelowThreshold { .. } => "below-threshold",
            Self::TooManyForks(_) => "too-many-forks",
        }
    }
}

/// Competing successors of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fork {
    /// The version they follow.
    pub previous: CharterHash,
    /// The successors, ascending.
    pub successors: Vec<CharterHash>,
    /// Members of the version before that have signed more than one of them.
    pub double_signers: BTreeSet<Town>,
}

/// All valid versions of one federation's charter.
///
/// INVARIANT: `held` contains every version that a held one follows; `line`
/// starts with version 1 and each hash in it is held and follows the one before.
#[derive(Debug, Clone)]
pub struct CharterChain {
    federation: FederationId,
    held: BTreeMap<CharterHash, Signed<Charter>>,
    line: Vec<CharterHash>,
    frozen: bool,
}

impl CharterChain {
    /// Begins with version 1, which every member has signed and whose hash was
    /// agreed out of band.
    pub fn found(first: Signed<Charter>, federation: &FederationId) -> Result<Self, CharterRejection> {
        let charter = first.value();
        charter.check().map_err(CharterRejection::Malformed)?;
        let found = first.founds().ok_or(CharterRejection::NotFirst(charter.version))?;
        if found != *federation {
            return Err(CharterRejection::WrongFederation { expected: *federation, found });
        }
        require_signers(charter, charter.members.len(), &first)?;
        let id = first.id();
        let mut chain = Self { federation: found, held: BTreeMap::new(), line: vec![id], frozen: false };
        chain.keep(id, first);
        Ok(chain)
    }

    /// Decodes and accepts; see [`Self::accept`].
    pub fn accept_bytes(&mut self, bytes: &[u8]) -> Result<Accepted, CharterRejection> {
        self.accept(Signed::from_bytes(bytes).map_err(CharterRejection::Malformed)?)
    }

    /// Takes a version that follows a held one. A version held already may
    /// bring further signatures.
    pub fn accept(&mut self, signed: Signed<Charter>) -> Result<Accepted, CharterRejection> {
        signed.value().check().map_err(CharterRejection::Malformed)?;
        let id = signed.id();
        if self.held.contains_key(&id) {
            self.add_signatures(id, &signed);
            return Ok(Accepted::Known);
        }
        self.require_valid(&signed)?;
        let previous = signed.value().previous;
        self.keep(id, signed);
        self.choose_line();
        Ok(if self.frozen {
            if self.successors(&previous).count() > 1 { Accepted::Forked } else { Accepted::Frozen }
        } else if self.line.contains(&id) {
            Accepted::InForce
        } else {
            Accepted::Outdated
        })
    }

    /// The federation.
    pub fn federation(&self) -> FederationId {
        self.federation
    }

    /// The version in force.
    pub fn current(&self) -> &Signed<Charter> {
        &self.held[&self.tip()]
    }

    /// A version of the line in force.
    pub fn version(&self, number: u32) -> Option<&Signed<Charter>> {
        let at = usize::try_from(number.checked_sub(1)?).ok()?;
        self.line.get(at).map(|id| &self.held[id])
    }

    /// A version in force or competing.
    pub fn get(&self, id: &CharterHash) -> Option<&Signed<Charter>> {
        self.held.get(id)
    }

    /// The line in force, newest version first.
    pub fn newest_first(&self) -> impl Iterator<Item = &Signed<Charter>> {
        self.line.iter().rev().map(|id| &self.held[id])
    }

    /// All versions held, each after the one that it follows.
    pub fn all(&self) -> Vec<&Signed<Charter>> {
        let mut all: Vec<_> = self.held.values().collect();
        all.sort_by_key(|signed| (signed.value().version, signed.id()));
        all
    }

    /// Hashes of all versions held, ascending.
    pub fn ids(&self) -> impl Iterator<Item = &CharterHash> {
        self.held.keys()
    }

    /// Whether charter changes wait until a version settles a fork.
    pub fn is_frozen(&self) -> bool {
        self.frozen
    }

    /// What the next version must list as other heads: every competing version
    /// that nothing follows.
    pub fn heads_to_settle(&self) -> Vec<CharterHash> {
        let settled = self.settled_by(&self.line);
        self.leaves().filter(|leaf| *leaf != self.tip() && !settled.contains(leaf)).collect()
    }

    /// All forks ever seen, settled ones included, with those who signed twice.
    pub fn forks(&self) -> Vec<Fork> {
        let mut by_previous: BTreeMap<CharterHash, Vec<CharterHash>> = BTreeMap::new();
        for (id, signed) in self.held.iter().filter(|(_, signed)| signed.value().version > 1) {
            by_previous.entry(signed.value().previous).or_default().push(*id);
        }
        let forks = by_previous.into_iter().filter(|(_, successors)| successors.len() > 1);
        forks.map(|(previous, successors)| self.fork(previous, successors)).collect()
    }

    fn fork(&self, previous: CharterHash, successors: Vec<CharterHash>) -> Fork {
        let mut once = BTreeSet::new();
        let mut double_signers = BTreeSet::new();
        for successor in &successors {
            for town in self.held[&previous].value().signers(&self.held[successor]) {
                if !once.insert(town) {
                    double_signers.insert(town);
                }
            }
        }
        Fork { previous, successors, double_signers }
    }

    fn tip(&self) -> CharterHash {
        // `line` starts with version 1 and only ever grows or is replaced by a line.
        *self.line.last().expect("a chain holds version 1")
    }

    fn require_valid(&self, signed: &Signed<Charter>) -> Result<(), CharterRejection> {
        let charter = signed.value();
        if let Some(found) = signed.founds() {
            return Err(CharterRejection::WrongFederation { expected: self.federation, found });
        }
        let Some(previous) = self.held.get(&charter.previous) else {
            let (held, found) = (self.current().value().version, charter.version);
            return Err(if found > held.saturating_add(1) {
                CharterRejection::Gap { held, found }
            } else {
                CharterRejection::UnknownPrevious { version: found, previous: charter.previous }
            });
        };
        let (previous, found) = (previous.value(), charter.version);
        if found != previous.version.saturating_add(1) {
            return Err(CharterRejection::WrongVersion { previous: previous.version, found });
        }
        let action = Action::between(previous, signed);
        require_signers(previous, previous.thresholds.needed(action), signed)?;
        require_signers(charter, charter.thresholds.needed(action), signed)?;
        let competing = self.held.len() - self.line.len();
        let may_extend = charter.previous == self.tip() && (!self.frozen || !charter.other_heads.is_empty());
        if competing >= COMPETING_MAX && !may_extend {
            return Err(CharterRejection::TooManyForks(competing));
        }
        Ok(())
    }

    /// Keeps only signatures that can matter, so that a carrier cannot make a
    /// version grow.
    fn keep(&mut self, id: CharterHash, mut signed: Signed<Charter>) {
        let known = self.held.values().flat_map(|held| &held.value().members);
        let members = known.chain(&signed.value().members);
        let keys: BTreeSet<PublicKey> = members.flat_map(|member| &member.identity_keys).copied().collect();
        signed.retain_signers(&keys);
        self.held.insert(id, signed);
    }

    fn add_signatures(&mut self, id: CharterHash, other: &Signed<Charter>) {
        let Some(mut merged) = self.held.get(&id).cloned() else { return };
        if merged.merge(other) > 0 {
            self.keep(id, merged);
            // Further signatures may be the consent that a settled line lacked.
            self.choose_line();
        }
    }

    fn choose_line(&mut self) {
        let settling = self.leaves().map(|leaf| self.line_to(leaf)).find(|line| self.settles(line));
        match settling {
            Some(line) if self.consents(&line) => (self.line, self.frozen) = (line, false),
            _ => {
                self.frozen = true;
                self.prefer_smaller_sibling();
            }
        }
    }

    /// While frozen, nodes agree on the smallest of the competing newest
    /// versions: those that follow the same one, or that a threshold of the
    /// members in force has signed too.
    fn prefer_smaller_sibling(&mut self) {
        let tip = self.current().value();
        let rivals = self.leaves().filter(|leaf| {
            let rival = self.held[leaf].value();
            rival.version == tip.version
                && (rival.previous == tip.previous || self.agreed(&self.line_to(*leaf)))
        });
        let smallest = rivals.min();
        // A version that others follow already is not given up for a late sibling.
        let is_leaf = !self.held.values().any(|held| held.value().previous == self.tip());
        if let Some(smallest) = smallest.filter(|smallest| is_leaf && *smallest < self.tip()) {
            self.line = self.line_to(smallest);
        }
    }

    /// Whether the newest version in force lies on `line`, or its members
    /// agreed to go over to `line`.
    fn consents(&self, line: &[CharterHash]) -> bool {
        line.contains(&self.tip()) || line.len() >= self.line.len() && self.agreed(line)
    }

    /// Whether a threshold of the members in force has signed a version of
    /// `line` that is not in force.
    fn agreed(&self, line: &[CharterHash]) -> bool {
        let tip = self.current().value();
        line.iter().filter(|id| !self.line.contains(id)).any(|id| {
            let signed = &self.held[id];
            tip.signers(signed).count() >= tip.thresholds.needed(Action::between(tip, signed))
        })
    }

    /// Whether nothing held still competes with `line`.
    fn settles(&self, line: &[CharterHash]) -> bool {
        let settled = self.settled_by(line);
        self.held.keys().all(|id| line.contains(id) || settled.contains(id))
    }

    /// The versions off `line` that it has settled: those it lists, what they
    /// follow, and what follows them, except for settlements that it does not
    /// list: those compete.
    fn settled_by(&self, line: &[CharterHash]) -> BTreeSet<CharterHash> {
        let mut settled = BTreeSet::new();
        let listed = line.iter().flat_map(|id| &self.held[id].value().other_heads);
        for head in listed.filter(|head| self.held.contains_key(head)) {
            settled.extend(self.line_to(*head).into_iter().filter(|id| !line.contains(id)));
        }
        for signed in self.all() {
            let charter = signed.value();
            if settled.contains(&charter.previous) && charter.other_heads.is_empty() {
                settled.insert(signed.id());
            }
        }
        settled
    }

    fn successors<'a>(&'a self, previous: &'a CharterHash) -> impl Iterator<Item = &'a CharterHash> {
        let follows =
            |signed: &Signed<Charter>| signed.value().version > 1 && signed.value().previous == *previous;
        self.held.iter().filter(move |(_, signed)| follows(signed)).map(|(id, _)| id)
    }

    fn leaves(&self) -> impl Iterator<Item = CharterHash> + '_ {
        let followed: BTreeSet<CharterHash> =
            self.held.values().map(|signed| signed.value().previous).collect();
        self.held.keys().filter(move |id| !followed.contains(id)).copied()
    }

    /// Version 1 and all that lead to `id`, which is held.
    fn line_to(&self, id: CharterHash) -> Vec<CharterHash> {
        let mut line = vec![id];
        let mut at = &self.held[&id];
        while let Some(previous) = self.held.get(&at.value().previous) {
            line.push(at.value().previous);
            at = previous;
        }
        line.reverse();
        line
    }
}

fn require_signers(of: &Charter, needed: usize, signed: &Signed<Charter>) -> Result<(), CharterRejection> {
    let count = of.signers(signed).count();
    if count >= needed {
        return Ok(());
    }
    let version = signed.value().version;
    Err(CharterRejection::BelowThreshold { version, of: of.version, signed: count, needed })
}
