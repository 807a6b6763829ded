//! Round trips, and bytes that a hostile peer might send.

use proptest::prelude::*;
use zstd::stream::raw::{CParameter, Encoder, InBuffer, Operation as _, OutBuffer};

use super::*;

/// Feeds everything and collects the messages until the bytes or the reader's
/// patience end.
fn read_all(reader: &mut FrameReader, mut bytes: &[u8]) -> Result<Vec<Message>, FrameError> {
    let mut messages = Vec::new();
    while let Some(message) = reader.read(&mut bytes)? {
        messages.push(message);
    }
    assert!(bytes.is_empty(), "the reader takes all it is given");
    Ok(messages)
}

/// Compresses raw bytes the way a hostile peer might.
pub(in crate::network) fn pack(bytes: &[u8], window_log: u32, end: bool) -> Vec<u8> {
    let mut encoder = Encoder::new(3).unwrap();
    encoder.set_parameter(CParameter::WindowLog(window_log)).unwrap();
    let mut out = Vec::with_capacity(zstd::zstd_safe::compress_bound(bytes.len()) + 1024);
    let mut input = InBuffer::around(bytes);
    let mut output = OutBuffer::around(&mut out);
    while input.pos() < bytes.len() {
        encoder.run(&mut input, &mut output).unwrap();
    }
    let left = match end {
        true => encoder.finish(&mut output, true).unwrap(),
        false => encoder.flush(&mut output).unwrap(),
    };
    assert_eq!(left, 0);
    out
}

pub(in crate::network) fn frame(length: u32, head: u8, payload: &[u8]) -> Vec<u8> {
    [&length.to_be_bytes(), &[head][..], payload].concat()
}

fn verdict(raw: &[u8]) -> FrameError {
    let mut reader = FrameReader::new().unwrap();
    read_all(&mut reader, &pack(raw, 20, false))
        .and_then(|_| reader.finish())
        .expect_err("hostile frames are refused")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn messages_survive_any_cut_of_the_stream(
        messages in prop::collection::vec(
            (1..=KIND_MAX, prop_oneof![
                prop::collection::vec(any::<u8>(), 0..200),
                (any::<u8>(), 0..=MESSAGE_BYTES_MAX).prop_map(|(byte, len)| vec![byte; len]),
                (any::<u32>(), prop::sample::select(vec![
                    65_534_usize, 65_535, 65_536, 131_070, 131_071, MESSAGE_BYTES_MAX,
                ])).prop_map(|(seed, len)| noise(seed, len)),
            ]),
            1..6,
        ),
        cuts in prop::collection::vec(1_usize..70_000, 1..16),
    ) {
        let mut writer = FrameWriter::new().unwrap();
        let mut reader = FrameReader::new().unwrap();
        let mut bytes = Vec::new();
        for (kind, payload) in &messages {
            bytes.extend(writer.message(*kind, payload).unwrap());
        }
        let mut read = Vec::new();
        let mut rest = &bytes[..];
        for cut in cuts.into_iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (now, later) = rest.split_at(cut.min(rest.len()));
            read.extend(read_all(&mut reader, now).unwrap());
            rest = later;
        }
        reader.finish().unwrap();
        let expected: Vec<Message> = messages
            .into_iter()
            .map(|(kind, payload)| Message { kind, payload })
            .collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_never_grow_the_reader(
        raw in prop::collection::vec(any::<u8>(), 0..5_000),
        packed in any::<bool>(),
    ) {
        let mut reader = FrameReader::new().unwrap();
        let bytes = if packed { pack(&raw, 20, false) } else { raw };
        // Whether it is refused depends on the bytes; that it ends does not.
        let _ = read_all(&mut reader, &bytes);
        prop_assert!(reader.payload.capacity() <= 2 * MESSAGE_BYTES_MAX);
    }

    #[test]
    fn damaged_stream_gives_an_error_or_the_messages_before(
        flip in any::<prop::sample::Index>(),
        bit in 0_u8..8,
    ) {
        let mut writer = FrameWriter::new().unwrap();
        let mut bytes = writer.message(3, &noise(1, 9_000)).unwrap();
        bytes.extend(writer.message(4, b"zweite Nachricht").unwrap());
        let at = flip.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let mut reader = FrameReader::new().unwrap();
        if let Ok(messages) = read_all(&mut reader, &bytes) {
            prop_assert!(messages.len() <= 2);
        }
    }
}

/// Bytes that do not compress.
pub(in crate::network) fn noise(seed: u32, length: usize) -> Vec<u8> {
    let mut state = u64::from(seed) | 1;
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        })
        .collect()
}

#[test]
fn message_is_whole_as_soon_as_its_bytes_are_there() {
    let mut writer = FrameWriter::new().unwrap();
    let mut reader = FrameReader::new().unwrap();
    for length in [0, 1, 65_535, 65_536, 200_000, MESSAGE_BYTES_MAX] {
        let payload = noise(9, length);
        let bytes = writer.message(127, &payload).unwrap();
        let messages = read_all(&mut reader, &bytes).unwrap();
        assert_eq!(messages.len(), 1, "{length}");
        assert_eq!(messages[0].payload, payload);
        assert!(bytes.len() <= COMPRESSED_BYTES_MAX, "{length}");
    }
}

#[test]
fn stream_remembers_what_it_has_carried() {
    let mut writer = FrameWriter::new().unwrap();
    let record = noise(4, 3_000);
    let first = writer.message(9, &record).unwrap().len();
    let second = writer.message(9, &record).unwrap().len();
    assert!(first > 2_900 && second < 100, "{first}, then {second}");
}

#[test]
fn writer_refuses_what_the_protocol_cannot_carry() {
    let mut writer = FrameWriter::new().unwrap();
    for kind in [0, 128, 255] {
        let error = writer.message(kind, b"").unwrap_err();
        assert!(matches!(error, FrameError::Kind { kind: k } if k == kind));
    }
    let error = writer.message(1, &vec![0; MESSAGE_BYTES_MAX + 1]).unwrap_err();
    assert_eq!(error.to_string(), "message of 327681 bytes: at most 327680 are allowed");
}

#[test]
fn every_malformed_frame_has_its_own_verdict() {
    let full = vec![7; FRAME_PAYLOAD_MAX];
    let more = frame(65_536, 9 | MORE, &full);
    let cases: [(&str, Vec<u8>, &str); 12] = [
        ("no type", frame(0, 1, &[]), "frame of 0 bytes"),
        ("too long", frame(65_537, 1, &[]), "frame of 65537 bytes"),
        ("absurd", frame(u32::MAX, 1, &[]), "frame of 4294967295 bytes"),
        ("kind 0", frame(1, 0, &[]), "message kind 0"),
        ("continued kind 0", frame(65_536, MORE, &full), "message kind 0"),
        ("short and continued", frame(3, 9 | MORE, &[1, 2]), "cut into frames"),
        ("empty and continued", frame(1, 9 | MORE, &[]), "cut into frames"),
        ("empty continuation", [&more[..], &frame(1, 9, &[])].concat(), "cut into frames"),
        ("other kind", [&more[..], &frame(2, 8, &[1])].concat(), "kind 9 is continued as kind 8"),
        (
            "message too long",
            [&more.repeat(5)[..], &frame(7, 9, &[0; 6])].concat(),
            "message of 327681 bytes",
        ),
        ("cut header", vec![0, 0, 0], "inside a message"),
        ("cut payload", frame(9, 1, &[1, 2]), "inside a message"),
    ];
    for (name, raw, expected) in cases {
        let error = verdict(&raw).to_string();
        assert!(error.contains(expected), "{name}: {error}");
    }
}

#[test]
fn message_that_is_never_continued_is_truncated() {
    let more = frame(65_536, 9 | MORE, &vec![7; FRAME_PAYLOAD_MAX]);
    assert!(matches!(verdict(&more), FrameError::Truncated));
}

#[test]
fn length_is_refused_before_memory_is_taken() {
    let mut reader = FrameReader::new().unwrap();
    let bytes = pack(&frame(u32::MAX, 1, &[]), 20, false);
    read_all(&mut reader, &bytes).unwrap_err();
    assert_eq!(reader.payload.capacity(), 0);
}

#[test]
fn bomb_inflates_no_further_than_the_frame_at_hand() {
    // 64 MiB of zeros in a few kilobytes: its first frame is already refused.
    let bomb = pack(&vec![0; 64 << 20], 20, true);
    assert!(bomb.len() < 20_000, "{}", bomb.len());
    let mut reader = FrameReader::new().unwrap();
    let error = read_all(&mut reader, &bomb).unwrap_err();
    assert!(matches!(error, FrameError::Length { length: 0 }), "{error}");
    assert_eq!(reader.payload.capacity(), 0);

    // The same made of valid frames: one message at a time, none before it is
    // asked for.
    let message = frame(60_001, 5, &vec![0; 60_000]);
    let bomb = pack(&message.repeat(1_000), 20, true);
    let mut reader = FrameReader::new().unwrap();
    let mut rest = &bomb[..];
    let mut messages = 0;
    while let Some(message) = reader.read(&mut rest).unwrap() {
        assert_eq!(message.payload.len(), 60_000);
        assert!(reader.payload.capacity() <= FRAME_BYTES_MAX);
        messages += 1;
    }
    assert_eq!(messages, 1_000);
}

#[test]
fn larger_window_is_refused() {
    let raw = frame(40_001, 5, &noise(2, 40_000));
    let mut reader = FrameReader::new().unwrap();
    let error = read_all(&mut reader, &pack(&raw, 21, false)).unwrap_err();
    assert!(matches!(error, FrameError::Codec(_)), "{error}");
    let mut reader = FrameReader::new().unwrap();
    assert_eq!(read_all(&mut reader, &pack(&raw, 20, false)).unwrap().len(), 1);
}

#[test]
fn bytes_after_the_end_are_refused() {
    let raw = frame(3, 5, &[1, 2]);
    let mut bytes = pack(&raw, 20, true);
    let mut reader = FrameReader::new().unwrap();
    assert_eq!(read_all(&mut reader, &bytes).unwrap().len(), 1);
    reader.finish().unwrap();
    bytes.extend(pack(&raw, 20, true));
    let mut reader = FrameReader::new().unwrap();
    let error = read_all(&mut reader, &bytes).unwrap_err();
    assert!(matches!(error, FrameError::Trailing), "{error}");
}

#[test]
fn skippable_and_foreign_streams_are_refused() {
    let skippable = [&0x184D_2A50_u32.to_le_bytes()[..], &2_u32.to_le_bytes(), &[0, 0]].concat();
    let mut reader = FrameReader::new().unwrap();
    let error = read_all(&mut reader, &skippable).unwrap_err();
    assert!(matches!(error, FrameError::NotZstd), "{error}");
    let mut reader = FrameReader::new().unwrap();
    read_all(&mut reader, b"GET / HTTP/1.1\r\n\r\n").unwrap_err();
}

#[test]
fn endless_padding_without_a_message_is_refused() {
    // The beginning of a frame and then raw zstd blocks of no content, three
    // bytes each.
    let mut bytes = pack(&[0, 0], 20, false);
    let mut reader = FrameReader::new().unwrap();
    read_all(&mut reader, &bytes).unwrap();
    bytes = vec![0; 3 * 1_000];
    let mut error = None;
    for _ in 0..1_000 {
        if let Err(refused) = read_all(&mut reader, &bytes) {
            error = Some(refused);
            break;
        }
    }
    assert!(matches!(error, Some(FrameError::Padding)), "{error:?}");
}
