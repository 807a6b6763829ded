//! Small values made smaller: zstd with a built-in dictionary of what catalog
//! records have in common.
//!
//! A value begins with one byte that names its form; forms are never reused,
//! so that old files open. The dictionary of a form never changes.

use std::cell::RefCell;
use std::sync::LazyLock;

use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

/// Compression level: higher ones cost more than they save here.
const LEVEL: i32 = 3;
/// The value as it is.
const PLAIN: u8 = 0;
/// zstd with the first dictionary.
const ZSTD_1: u8 = 1;
/// zstd with another value as the dictionary.
const ZSTD_LIKE: u8 = 2;

static DICTIONARY_1: &[u8] = include_bytes!("dictionary-1.bin");
static ENCODER_1: LazyLock<EncoderDictionary<'static>> =
    LazyLock::new(|| EncoderDictionary::copy(DICTIONARY_1, LEVEL));
static DECODER_1: LazyLock<DecoderDictionary<'static>> =
    LazyLock::new(|| DecoderDictionary::copy(DICTIONARY_1));

thread_local! {
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
    static LIKE_COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static LIKE_DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Appends the compressed form of `bytes`.
pub(super) fn compress(bytes: &[u8], out: &mut Vec<u8>) {
    let packed = COMPRESSOR.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = Compressor::with_prepared_dictionary(&ENCODER_1).ok();
        }
        slot.as_mut().and_then(|compressor| compressor.compress(bytes).ok())
    });
    match packed {
        Some(packed) if packed.len() < bytes.len() => {
            out.push(ZSTD_1);
            out.extend_from_slice(&packed);
        }
        _ => {
            out.push(PLAIN);
            out.extend_from_slice(bytes);
        }
    }
}

/// Appends the compressed form of `bytes`, given a value that says much of the
/// same and that the reader will have, too.
pub(super) fn compress_like(bytes: &[u8], like: &[u8], out: &mut Vec<u8>) {
    if like.is_empty() {
        return compress(bytes, out);
    }
    let packed = LIKE_COMPRESSOR.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = Compressor::new(LEVEL).ok();
        }
        let compressor = slot.as_mut()?;
        compressor.set_dictionary(LEVEL, like).ok()?;
        compressor.compress(bytes).ok()
    });
    match packed {
        Some(packed) if packed.len() < bytes.len() => {
            out.push(ZSTD_LIKE);
            out.extend_from_slice(&packed);
        }
        _ => compress(bytes, out),
    }
}

/// Reads what [`compress_like`] wrote.
pub(super) fn decompress_like(stored: &[u8], like: &[u8], bytes_max: usize) -> Result<Vec<u8>, String> {
    match stored.split_first() {
        Some((&ZSTD_LIKE, body)) => LIKE_DECOMPRESSOR.with_borrow_mut(|slot| {
            if slot.is_none() {
                *slot = Some(Decompressor::new().map_err(|error| error.to_string())?);
            }
            let decompressor = slot.as_mut().ok_or("no decompressor")?;
            decompressor.set_dictionary(like).map_err(|error| error.to_string())?;
            decompressor.decompress(body, bytes_max).map_err(|error| error.to_string())
        }),
        _ => decompress(stored, bytes_max),
    }
}

/// Reads what [`compress`] wrote, of at most `bytes_max` bytes.
pub(super) fn decompress(stored: &[u8], bytes_max: usize) -> Result<Vec<u8>, String> {
    let (form, body) = stored.split_first().ok_or("the value is empty")?;
    match *form {
        PLAIN if body.len() <= bytes_max => Ok(body.to_vec()),
        PLAIN => Err(format!("the value has {} bytes, more than {bytes_max}", body.len())),
        ZSTD_1 => DECOMPRESSOR.with_borrow_mut(|slot| {
            if slot.is_none() {
                *slot = Some(Decompressor::with_prepared_dictionary(&DECODER_1).map_err(|e| e.to_string())?);
            }
            let decompressor = slot.as_mut().ok_or("no decompressor")?;
            decompressor.decompress(body, bytes_max).map_err(|error| error.to_string())
        }),
        other => Err(format!("form {other} of compression is unknown")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_like_another_value_needs_that_value_again() {
        let like = "Standorte, Baumart und Pflanzjahr der städtischen Bäume an Straßen".as_bytes();
        let value = [b"{\"description\":\"", like, b"\"}"].concat();
        let (mut alone, mut stored) = (Vec::new(), Vec::new());
        compress(&value, &mut alone);
        compress_like(&value, like, &mut stored);
        assert!(stored.len() < alone.len(), "{} {}", stored.len(), alone.len());
        assert_eq!(decompress_like(&stored, like, value.len()).unwrap(), value);
        assert!(
            decompress_like(&stored, &like[1..], value.len()).is_ok_and(|other| other != value)
                || decompress_like(&stored, &like[1..], value.len()).is_err()
        );
        assert_eq!(decompress_like(&alone, like, value.len()).unwrap(), value);
    }

    #[test]
    fn what_goes_in_comes_out_and_is_bounded() {
        for value in [&b""[..], b"a", "Straßenbäume ".repeat(100).as_bytes(), &[7; 300_000]] {
            let mut stored = Vec::new();
            compress(value, &mut stored);
            assert_eq!(decompress(&stored, value.len()).unwrap(), value);
            assert!(value.is_empty() || decompress(&stored, value.len() - 1).is_err());
        }
        assert!(decompress(&[], 10).is_err());
        assert!(decompress(&[99, 1, 2], 10).is_err());
        assert!(decompress(&[ZSTD_1, 1, 2, 3], 10).is_err());
    }
}
