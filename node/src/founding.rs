//! How a federation begins: member files become a charter, every town signs
//! it, and every node adopts it.
//!
//! Charters travel as files between people; nothing here talks to a network,
//! and nothing is believed that is not signed by all founders.

use std::collections::BTreeSet;
use std::path::Path;

use crdt::authority::{Authority, AuthorityRejection, Export};
use crdt::certificate::NodeCertificate;
use crdt::charter::{Charter, CharterChain, CharterRejection, Limits, Member, Thresholds};
use crdt::encoding::{DecodeError, FormatOne};
use crdt::ids::{CharterHash, CharterNonce, FederationId, Town, UnixMillis};
use crdt::signed::{Record, Signed};
use ed25519_dalek::SigningKey;

use crate::directory::{Directory, DirectoryError, MemberFile};
use crate::keys;
use crate::store::{ReadStoreError, StoreSettings, WriteError};

/// Why a charter was not made, signed or adopted. Nothing has been changed.
#[derive(Debug, thiserror::Error)]
pub enum FoundingError {
    /// The towns do not make a charter.
    #[error("found a federation: {0}")]
    Charter(DecodeError),
    /// Two member files are of one town.
    #[error("found a federation: town {0} is named by two member files")]
    Twice(Town),
    /// The key that should sign is not named for any town.
    #[error("sign the charter: the identity key given is not one of its members'")]
    NotAMember,
    /// The charter does not name this town with these keys.
    #[error("adopt the charter: it does not name town {town} with the identity key of this directory")]
    NotOurs {
        /// This town.
        town: Town,
    },
    /// Not all founders have signed, or a signature is wrong.
    #[error("adopt the charter: {reason}{}", missing(outstanding))]
    Unsigned {
        /// What the check found.
        reason: CharterRejection,
        /// Names of the towns whose signature is outstanding.
        outstanding: Vec<String>,
    },
    /// The directory belongs to another federation.
    #[error(
        "adopt the charter: this directory belongs to federation {held}, the charter founds {found}; \
         a node is in one federation only"
    )]
    OtherFederation {
        /// Held.
        held: FederationId,
        /// Founded by the charter.
        found: FederationId,
    },
    /// The own node's certificate is missing.
    #[error("adopt the charter: it comes without a certificate of town {town}'s own node; sign it once more")]
    NotCertified {
        /// This town.
        town: Town,
    },
    /// A certificate is not valid under the charter.
    #[error("certify the node: {0}")]
    Certificate(#[from] AuthorityRejection),
    /// A key or file of the directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// A store could not be read.
    #[error(transparent)]
    Read(#[from] ReadStoreError),
    /// A store could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

fn missing(outstanding: &[String]) -> String {
    if outstanding.is_empty() {
        return String::new();
    }
    format!("; signatures are outstanding of {}", outstanding.join(", "))
}

/// Makes the first charter of the towns, unsigned.
pub fn found(
    name: &str,
    files: &[MemberFile],
    nonce: [u8; CharterNonce::SIZE],
    now: UnixMillis,
) -> Result<Signed<Charter>, FoundingError> {
    let mut seen = BTreeSet::new();
    if let Some(twice) = files.iter().find(|file| !seen.insert(file.town)) {
        return Err(FoundingError::Twice(twice.town));
    }
    let mut members: Vec<Member> = files.iter().map(member).collect();
    members.sort_by_key(|member| member.town);
    let charter = Charter {
        format: FormatOne,
        version: 1,
        previous: CharterHash::default(),
        other_heads: Vec::new(),
        name: name.trim().to_owned(),
        thresholds: Thresholds::default_for(members.len()),
        members,
        partners: Vec::new(),
        limits: Limits::default(),
        nonce: CharterNonce(nonce),
        time: now,
    };
    charter.check().map_err(FoundingError::Charter)?;
    Ok(Signed::unsigned(charter))
}

fn member(file: &MemberFile) -> Member {
    Member {
        town: file.town,
        code: file.code.clone(),
        name: file.name.clone(),
        identity_keys: vec![file.identity_key],
        required: 1,
        addresses: file.addresses.clone(),
    }
}

/// Adds the signature of one town's identity key.
pub fn sign(charter: &mut Signed<Charter>, identity: &SigningKey) -> Result<Town, FoundingError> {
    let key = crdt::signed::public_key(identity);
    let of_key = |member: &&Member| member.identity_keys.contains(&key);
    let town = charter.value().members.iter().find(of_key).map(|member| member.town);
    let town = town.ok_or(FoundingError::NotAMember)?;
    charter.sign(identity);
    Ok(town)
}

/// The members whose signatures a charter still lacks.
pub fn outstanding(charter: &Signed<Charter>) -> Vec<&Member> {
    charter.value().members.iter().filter(|member| !member.has_signed(charter)).collect()
}

/// The town's statement that its node may act for it; the same for the same
/// keys, so that it can travel with the charter and be made again.
pub fn certificate(
    member: &MemberFile,
    federation: FederationId,
    identity: &SigningKey,
) -> Signed<NodeCertificate> {
    let certificate = NodeCertificate {
        format: FormatOne,
        federation,
        town: member.town,
        serial: 1,
        node_key: member.node_key,
        transport_key: member.transport_key,
    };
    Signed::new(certificate, identity)
}

/// Makes a directory's node a member of the federation that a charter signed
/// by all founds. `certificates` are those of the founders' nodes: its own must
/// be among them; those of towns that can only dial out let them in.
pub fn adopt(
    directory: &Directory,
    charter: Signed<Charter>,
    certificates: Vec<Signed<NodeCertificate>>,
) -> Result<FederationId, FoundingError> {
    let federation = charter.id().as_federation();
    if let Some(held) = directory.replica.read()?.federation()? {
        return if held == federation {
            Ok(held)
        } else {
            Err(FoundingError::OtherFederation { held, found: federation })
        };
    }
    let ours = charter.value().member(&directory.member.town);
    if !ours.is_some_and(|member| member.identity_keys.contains(&directory.member.identity_key)) {
        return Err(FoundingError::NotOurs { town: directory.member.town });
    }
    let chain = CharterChain::found(charter.clone(), &federation).map_err(|reason| {
        let names = outstanding(&charter).into_iter().map(|member| member.name.clone()).collect();
        FoundingError::Unsigned { reason, outstanding: names }
    })?;
    let mut authority = Authority::new(chain);
    for certificate in certificates {
        authority.admit_certificate(certificate)?;
    }
    let own = |signed: &Signed<NodeCertificate>| {
        let certificate = signed.value();
        certificate.town == directory.member.town && certificate.node_key == directory.member.node_key
    };
    if !authority.certificates().any(own) {
        return Err(FoundingError::NotCertified { town: directory.member.town });
    }
    let mut write = directory.replica.write()?;
    write.set_federation(federation)?;
    write.put_authority(&authority.export())?;
    write.commit()?;
    Ok(federation)
}

/// Founds a federation of directories that all lie on this machine, for trials:
/// what towns do with files and the telephone, in one step.
pub fn found_here(name: &str, paths: &[&Path], now: UnixMillis) -> Result<FederationId, FoundingError> {
    let open = |path: &&Path| Directory::open(path, StoreSettings::default());
    let directories = paths.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let members: Vec<MemberFile> = directories.iter().map(|directory| directory.member.clone()).collect();
    let mut charter = found(name, &members, keys::random().map_err(DirectoryError::from)?, now)?;
    let federation = charter.id().as_federation();
    let mut certificates = Vec::with_capacity(directories.len());
    for directory in &directories {
        let identity = directory.identity_key()?;
        sign(&mut charter, &identity)?;
        certificates.push(certificate(&directory.member, federation, &identity));
    }
    for directory in &directories {
        adopt(directory, charter.clone(), certificates.clone())?;
    }
    Ok(federation)
}

/// The authority that a replica store holds; none before a charter is adopted.
pub fn stored_authority(
    snapshot: &crate::store::ReplicaSnapshot,
) -> Result<Option<Authority>, FoundingError> {
    let Some(federation) = snapshot.federation()? else { return Ok(None) };
    let stored: Export = snapshot.authority()?;
    let unsigned = |reason| FoundingError::Unsigned { reason, outstanding: Vec::new() };
    let first = stored.charters.iter().find(|charter| charter.value().version == 1);
    let first = first.ok_or(FoundingError::Charter(DecodeError::Invalid("stored charter")))?;
    let mut authority = Authority::new(CharterChain::found(first.clone(), &federation).map_err(unsigned)?);
    authority.merge(stored);
    Ok(Some(authority))
}
