//! libp2p peer ids of Ed25519 keys, as they end the addresses of a charter.
//!
//! A peer id of such a key is the key itself: base58btc of an identity
//! multihash of its protobuf form (libp2p specification "peer ids"). Other
//! kinds of keys and other text forms are refused, so that one key has one name.

use crate::ids::PublicKey;

/// Multihash code 0 (identity), length 36; protobuf: field 1 = Ed25519, field 2 = 32 bytes.
const HEADER: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];
const SIZE: usize = HEADER.len() + PublicKey::SIZE;
const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/// No base58 text of [`SIZE`] bytes is longer.
const TEXT_MAX: usize = 53;

/// The peer id of an Ed25519 key, for example `12D3KooW…`.
pub fn of_key(key: &PublicKey) -> String {
    to_base58(&[&HEADER[..], &key.0].concat())
}

/// The Ed25519 key that a peer id names; `None` if it names no such key.
pub fn key_of(peer_id: &str) -> Option<PublicKey> {
    let bytes = from_base58(peer_id)?;
    PublicKey::from_slice(bytes.strip_prefix(&HEADER)?)
}

/// The key of the peer id that ends an address like
/// `/dns4/hanse.olpe.de/tcp/4001/p2p/12D3KooW…`.
pub fn key_of_address(address: &str) -> Option<PublicKey> {
    let (place, peer_id) = address.rsplit_once("/p2p/")?;
    if place.starts_with('/') && place.len() > 1 { key_of(peer_id) } else { None }
}

fn to_base58(bytes: &[u8]) -> String {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    // Little-endian base 58 digits.
    let mut digits: Vec<u8> = Vec::new();
    for byte in &bytes[zeros..] {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += u32::from(*digit) << 8;
            *digit = (carry % 58) as u8;
            carry /= 58;
        }
        while carry > 0 {
            digits.push((carry % 58) as u8);
            carry /= 58;
        }
    }
    let digits = digits.iter().rev().map(|digit| ALPHABET[usize::from(*digit)]);
    std::iter::repeat_n(b'1', zeros).chain(digits).map(char::from).collect()
}

fn from_base58(text: &str) -> Option<[u8; SIZE]> {
    if text.len() > TEXT_MAX {
        return None;
    }
    let zeros = text.bytes().take_while(|byte| *byte == b'1').count();
    // Little-endian bytes.
    let mut bytes: Vec<u8> = Vec::new();
    for character in text.bytes().skip(zeros) {
        let mut carry = ALPHABET.iter().position(|known| *known == character)? as u32;
        for byte in &mut bytes {
            carry += u32::from(*byte) * 58;
            *byte = carry as u8;
            carry >>= 8;
        }
        while carry > 0 {
            bytes.push(carry as u8);
            carry >>= 8;
        }
    }
    bytes.extend(std::iter::repeat_n(0, zeros));
    bytes.reverse();
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Peer id of an Ed25519 key in the libp2p specification's text.
    const KNOWN: &str = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";

    #[test]
    fn a_peer_id_names_its_key_and_back() {
        for seed in 0..=255u8 {
            let key = PublicKey([seed; 32]);
            let text = of_key(&key);
            assert!(text.starts_with("12D3KooW"), "{text}");
            assert_eq!(key_of(&text), Some(key));
        }
        assert_eq!(of_key(&key_of(KNOWN).unwrap()), KNOWN);
    }

    #[test]
    fn an_address_ends_with_a_peer_id() {
        let id = of_key(&PublicKey([3; 32]));
        assert_eq!(key_of_address(&format!("/dns4/a.de/tcp/4001/p2p/{id}")), Some(PublicKey([3; 32])));
        let wrong = [
            format!("/dns4/a.de/tcp/4001/p2p/{id}/tcp/1"),
            format!("/dns4/a.de/tcp/4001/p2p/{}", &id[1..]),
            format!("/dns4/a.de/tcp/4001/p2p/1{id}"),
            format!("/dns4/a.de/tcp/4001/p2p/{}0", &id[..id.len() - 1]),
            format!("/p2p/{id}"),
            "/dns4/a.de/tcp/4001".into(),
            "/dns4/a.de/tcp/4001/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N".into(),
            format!("/dns4/a.de/tcp/4001/p2p/{}", "z".repeat(1000)),
            "/a/p2p/ä".into(),
            String::new(),
        ];
        for address in wrong {
            assert_eq!(key_of_address(&address), None, "{address}");
        }
    }
}
