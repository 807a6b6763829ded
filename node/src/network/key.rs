//! Transport keys and addresses: how a node is known on the wire.
//!
//! A transport key proves a connection and nothing else; it never signs
//! content.

use std::fmt;

use libp2p::identity::{self, ed25519};
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

/// Ed25519 public key of a node's `PeerId`.
pub type PeerKey = [u8; 32];

/// Greatest number of addresses dialed for one peer.
pub const ADDRESSES_PER_PEER_MAX: usize = 8;

/// Secret key of this node's connections.
#[derive(Clone)]
pub struct TransportKey(ed25519::Keypair);

impl TransportKey {
    /// The key that belongs to a secret seed.
    pub fn from_seed(mut seed: [u8; 32]) -> Self {
        let secret =
            ed25519::SecretKey::try_from_bytes(&mut seed).expect("every 32 bytes are an Ed25519 secret");
        Self(ed25519::Keypair::from(secret))
    }

    /// The public key, as certificates and charters name it.
    pub fn public(&self) -> PeerKey {
        self.0.public().to_bytes()
    }

    /// The `PeerId` that addresses end with, after `/p2p/`.
    pub fn peer_id_string(&self) -> String {
        self.peer_id().to_string()
    }

    pub(super) fn peer_id(&self) -> PeerId {
        self.keypair().public().to_peer_id()
    }

    pub(super) fn keypair(&self) -> identity::Keypair {
        self.0.clone().into()
    }
}

impl fmt::Debug for TransportKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TransportKey({})", self.peer_id())
    }
}

/// Why an address cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// Not a multiaddr.
    #[error(
        "`{address}` is not a multiaddr such as `/dns4/hanse.example.de/tcp/8301` or `/ip4/192.0.2.7/tcp/8301`: {problem}"
    )]
    Malformed {
        /// The address as given.
        address: String,
        /// What the parser says.
        problem: String,
    },
    /// A multiaddr that this node cannot use.
    #[error(
        "`{address}` is not of the form `/ip4|ip6|dns|dns4|dns6/…/tcp/PORT`, optionally with `/p2p/…` at the end"
    )]
    Unsupported {
        /// The address as given.
        address: String,
    },
    /// The address names another node.
    #[error("`{address}` ends with another peer than `{expected}`, whose address it should be")]
    WrongPeer {
        /// The address as given.
        address: String,
        /// The peer it was given for.
        expected: String,
    },
    /// The public key is no point of the curve.
    #[error("`{key}` is not an Ed25519 public key")]
    Key {
        /// The key in hexadecimal.
        key: String,
    },
}

/// The `PeerId` of a public key, as addresses end with it.
pub fn peer_id_string(key: &PeerKey) -> Result<String, AddressError> {
    Ok(peer_id(key)?.to_string())
}

/// Checks an address that a charter or a configuration gives for a peer.
pub fn check_address(address: &str, key: &PeerKey) -> Result<(), AddressError> {
    parse_address(address, Some(peer_id(key)?)).map(drop)
}

pub(super) fn peer_id(key: &PeerKey) -> Result<PeerId, AddressError> {
    let public = ed25519::PublicKey::try_from_bytes(key)
        .map_err(|_| AddressError::Key { key: key.iter().map(|byte| format!("{byte:02x}")).collect() })?;
    Ok(identity::PublicKey::from(public).to_peer_id())
}

/// Parses an address and takes the `/p2p/…` off its end.
pub(super) fn parse_address(address: &str, peer: Option<PeerId>) -> Result<Multiaddr, AddressError> {
    let mut parsed: Multiaddr = address.parse().map_err(|error: libp2p::multiaddr::Error| {
        AddressError::Malformed { address: address.to_owned(), problem: error.to_string() }
    })?;
    if let Some(Protocol::P2p(named)) = parsed.iter().last() {
        if let Some(expected) = peer.filter(|expected| *expected != named) {
            return Err(AddressError::WrongPeer {
                address: address.to_owned(),
                expected: expected.to_string(),
            });
        }
        parsed.pop();
    }
    let mut parts = parsed.iter();
    let supported = matches!(
        parts.next(),
        Some(Protocol::Ip4(_) | Protocol::Ip6(_) | Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_))
    ) && matches!(parts.next(), Some(Protocol::Tcp(_)))
        && parts.next().is_none();
    match supported {
        true => Ok(parsed),
        false => Err(AddressError::Unsupported { address: address.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_by_form_and_peer() {
        let key = TransportKey::from_seed([7; 32]);
        let other = TransportKey::from_seed([8; 32]).peer_id_string();
        let own = key.peer_id_string();
        let check = |address: &str| match check_address(address, &key.public()) {
            Ok(()) => "ok",
            Err(AddressError::Malformed { .. }) => "malformed",
            Err(AddressError::Unsupported { .. }) => "unsupported",
            Err(AddressError::WrongPeer { .. }) => "wrong peer",
            Err(AddressError::Key { .. }) => "key",
        };
        for (address, expected) in [
            ("/ip4/127.0.0.1/tcp/8301", "ok"),
            ("/dns4/hanse.soest.example/tcp/8301", "ok"),
            (&*format!("/ip6/::1/tcp/8301/p2p/{own}"), "ok"),
            (&*format!("/ip6/::1/tcp/8301/p2p/{other}"), "wrong peer"),
            ("hanse.soest.example:8301", "malformed"),
            ("/ip4/127.0.0.1/udp/8301/quic-v1", "unsupported"),
            ("/ip4/127.0.0.1", "unsupported"),
            ("/ip4/127.0.0.1/tcp/8301/ws", "unsupported"),
            ("", "unsupported"),
        ] {
            assert_eq!(check(address), expected, "{address}");
        }
    }

    #[test]
    fn public_key_and_peer_id_belong_together() {
        let key = TransportKey::from_seed([7; 32]);
        assert_eq!(peer_id_string(&key.public()).unwrap(), key.peer_id_string());
        assert!(key.peer_id_string().starts_with("12D3KooW"));
        assert!(!format!("{key:?}").contains("0707"));
    }

    #[test]
    fn key_off_the_curve_is_refused_by_name() {
        let mut key = [0xff; 32];
        key[0] = 2;
        let error = peer_id(&key).unwrap_err().to_string();
        assert!(error.contains("02ffff"), "{error}");
    }
}
