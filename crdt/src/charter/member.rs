//! Members and partners as the charter names them, and when they have signed.

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};

use super::NAME_MAX;
use crate::{
    audience::{self, PartnerId},
    encoding::{self, DecodeError},
    ids::{PublicKey, Town},
    peer_id,
    signed::{self, Record, Signed},
};

/// Identity keys of one party.
pub const IDENTITY_KEYS_MAX: usize = 8;
/// Addresses of one party.
pub const ADDRESSES_MAX: usize = 8;
/// Bytes of one address.
pub const ADDRESS_MAX: usize = 256;
/// Bytes of a member's short name.
pub const CODE_MAX: usize = 16;

/// A voting municipality.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Member {
    /// Its municipality key, which never changes.
    #[n(0)]
    pub town: Town,
    /// Short name used in paths: lower-case letters, digits and hyphens.
    #[n(1)]
    pub code: String,
    /// Its name.
    #[n(2)]
    pub name: String,
    /// Keys that speak for it, ascending.
    #[n(3)]
    pub identity_keys: Vec<PublicKey>,
    /// How many of them must sign.
    #[n(4)]
    pub required: u32,
    /// Where its node is reached, each ending in `/p2p/…`; may be empty.
    #[n(5)]
    pub addresses: Vec<String>,
}

impl Member {
    /// Whether as many of its keys as required have validly signed `record`.
    pub fn has_signed<T: Record>(&self, record: &Signed<T>) -> bool {
        have_signed(&self.identity_keys, self.required, record)
    }

    /// Keys of the peer ids in its addresses, each once.
    pub fn transport_keys(&self) -> BTreeSet<PublicKey> {
        transport_keys(&self.addresses)
    }

    pub(super) fn has_same_keys(&self, other: &Self) -> bool {
        self.identity_keys == other.identity_keys && self.required == other.required
    }

    pub(super) fn check(&self) -> Result<(), DecodeError> {
        if !audience::is_short_name(&self.code, CODE_MAX) {
            return Err(DecodeError::Invalid("short name of a member"));
        }
        check_name(&self.name)?;
        check_keys(&self.identity_keys, self.required)?;
        check_addresses(&self.addresses)
    }
}

/// A recipient without a vote, for example a county or a utility.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Partner {
    /// Its short name.
    #[n(0)]
    pub id: PartnerId,
    /// Its name.
    #[n(1)]
    pub name: String,
    /// Keys that speak for it, ascending.
    #[n(2)]
    pub identity_keys: Vec<PublicKey>,
    /// How many of them must sign.
    #[n(3)]
    pub required: u32,
    /// Where its node is reached, each ending in `/p2p/…`; may be empty.
    #[n(4)]
    pub addresses: Vec<String>,
    /// The member that named it.
    #[n(5)]
    pub named_by: Town,
}

impl Partner {
    /// Whether as many of its keys as required have validly signed `record`.
    pub fn has_signed<T: Record>(&self, record: &Signed<T>) -> bool {
        have_signed(&self.identity_keys, self.required, record)
    }

    /// Keys of the peer ids in its addresses, each once.
    pub fn transport_keys(&self) -> BTreeSet<PublicKey> {
        transport_keys(&self.addresses)
    }

    pub(super) fn check(&self) -> Result<(), DecodeError> {
        check_name(&self.name)?;
        check_keys(&self.identity_keys, self.required)?;
        check_addresses(&self.addresses)
    }
}

fn have_signed<T: Record>(keys: &[PublicKey], required: u32, record: &Signed<T>) -> bool {
    let required = required as usize;
    // `take` ends the costly checks as soon as enough have signed.
    required > 0 && keys.iter().filter(|key| record.is_signed_by(key)).take(required).count() == required
}

fn transport_keys(addresses: &[String]) -> BTreeSet<PublicKey> {
    addresses.iter().filter_map(|address| peer_id::key_of_address(address)).collect()
}

pub(super) fn check_name(name: &str) -> Result<(), DecodeError> {
    encoding::require_at_most(name.len(), NAME_MAX, "bytes of a name")?;
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        return Err(DecodeError::Invalid("name"));
    }
    Ok(())
}

fn check_keys(keys: &[PublicKey], required: u32) -> Result<(), DecodeError> {
    encoding::require_at_most(keys.len(), IDENTITY_KEYS_MAX, "identity keys")?;
    encoding::require_ascending(keys, "order of identity keys", |key| *key)?;
    if required == 0 || required as usize > keys.len() {
        return Err(DecodeError::Invalid("number of identity keys required"));
    }
    if !keys.iter().all(signed::is_usable_key) {
        return Err(DecodeError::Invalid("identity key"));
    }
    Ok(())
}

fn check_addresses(addresses: &[String]) -> Result<(), DecodeError> {
    encoding::require_at_most(addresses.len(), ADDRESSES_MAX, "addresses")?;
    for (at, address) in addresses.iter().enumerate() {
        encoding::require_at_most(address.len(), ADDRESS_MAX, "bytes of an address")?;
        if !address.bytes().all(|byte| byte.is_ascii_graphic()) || peer_id::key_of_address(address).is_none()
        {
            return Err(DecodeError::Invalid("address: it ends in /p2p/ and the peer id of an Ed25519 key"));
        }
        if addresses[..at].contains(address) {
            return Err(DecodeError::Invalid("address named twice"));
        }
    }
    Ok(())
}
