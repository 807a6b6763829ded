//! Cuts messages into frames and packs them into one compressed stream per
//! direction, and the way back (`docs/protocol.md`, section 10).
//!
//! [`FrameWriter`] and [`FrameReader`] are pure: bytes in, bytes out. They
//! know no socket and give a message no meaning beyond its kind.
//!
//! # Invariants
//!
//! - The reader holds at most one message ([`MESSAGE_BYTES_MAX`]), the zstd
//!   window and one zstd block, whatever it is fed: every length is checked
//!   before memory is taken, and no more is inflated than the frame at hand
//!   still lacks.
//! - A message has one form: every frame that is continued is full, and the
//!   continuation is not empty. Otherwise a peer could keep the reader busy for
//!   ever without completing a message.

use zstd::stream::raw::{CParameter, DParameter, Decoder, Encoder, InBuffer, Operation, OutBuffer};

/// Greatest frame in bytes, counting its type and payload but not its length.
pub const FRAME_BYTES_MAX: usize = 65_536;

/// Greatest payload of a whole message in bytes.
pub const MESSAGE_BYTES_MAX: usize = 327_680;

/// Greatest kind of a message: bit 7 of the type says that a frame follows.
pub const KIND_MAX: u8 = 0x7f;

/// Compressed bytes the reader takes without completing a message. A message
/// that does not compress at all is smaller; more is padding.
const COMPRESSED_BYTES_MAX: usize = MESSAGE_BYTES_MAX + 64 * 1024;

const MORE: u8 = 0x80;
const HEADER_BYTES: usize = 5;
const FRAME_PAYLOAD_MAX: usize = FRAME_BYTES_MAX - 1;
const ZSTD_LEVEL: i32 = 9;
const ZSTD_WINDOW_LOG: u32 = 20;
/// Where the level would take more, in powers of two: with these tables a
/// session costs some 4 MiB instead of 10, and a catalog 1 % more on the wire.
const ZSTD_HASH_LOG: u32 = 19;
const ZSTD_CHAIN_LOG: u32 = 17;
/// Places that are looked at for a match, in powers of two, and the shortest
/// match worth a look: records repeat whole phrases.
const ZSTD_SEARCH_LOG: u32 = 5;
const ZSTD_MIN_MATCH: u32 = 6;
const ZSTD_MAGIC: [u8; 4] = 0xFD2F_B528_u32.to_le_bytes();
const SCRATCH_BYTES: usize = 16 * 1024;

/// Why bytes are not a stream of messages, or a message does not fit into one.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The frame's length field is out of range.
    #[error("frame of {length} bytes: 1 to {FRAME_BYTES_MAX} are allowed")]
    Length {
        /// The length as announced.
        length: u32,
    },
    /// The message's payload is too long.
    #[error("message of {length} bytes: at most {MESSAGE_BYTES_MAX} are allowed")]
    MessageLength {
        /// The length as far as announced.
        length: usize,
    },
    /// The kind is outside 1 to 127.
    #[error("message kind {kind}: 1 to {KIND_MAX} are allowed")]
    Kind {
        /// The kind as given.
        kind: u8,
    },
    /// A continuation names another kind than the frame it continues.
    #[error("message of kind {first} is continued as kind {next}")]
    KindChanged {
        /// Kind of the first frame.
        first: u8,
        /// Kind of the continuation.
        next: u8,
    },
    /// A frame that is continued is not full, or its continuation is empty.
    #[error("message is cut into frames in another way than the protocol's")]
    Cut,
    /// The bytes do not begin a zstd frame.
    #[error("not a zstd stream")]
    NotZstd,
    /// Too many compressed bytes without a message.
    #[error("more than {COMPRESSED_BYTES_MAX} compressed bytes without a whole message")]
    Padding,
    /// Bytes follow after the end of the compressed stream.
    #[error("bytes after the end of the compressed stream")]
    Trailing,
    /// The stream ended inside a message.
    #[error("stream ended inside a message")]
    Truncated,
    /// The compressed stream is damaged or needs a larger window.
    #[error("compressed stream is unreadable: {0}")]
    Codec(#[source] std::io::Error),
}

/// One message as the other side sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What it is, 1 to 127.
    pub kind: u8,
    /// Its content, not understood here.
    pub payload: Vec<u8>,
}

/// Says whether a message may be sent at all.
pub(super) fn check_message(kind: u8, payload: &[u8]) -> Result<(), FrameError> {
    if kind == 0 || kind > KIND_MAX {
        return Err(FrameError::Kind { kind });
    }
    if payload.len() > MESSAGE_BYTES_MAX {
        return Err(FrameError::MessageLength { length: payload.len() });
    }
    Ok(())
}

/// Turns messages into the bytes of one direction of a stream.
pub struct FrameWriter {
    encoder: Encoder<'static>,
    scratch: Box<[u8]>,
}

impl FrameWriter {
    /// A writer at the beginning of a stream.
    pub fn new() -> Result<Self, FrameError> {
        let mut encoder = Encoder::new(ZSTD_LEVEL).map_err(FrameError::Codec)?;
        for parameter in [
            CParameter::WindowLog(ZSTD_WINDOW_LOG),
            CParameter::HashLog(ZSTD_HASH_LOG),
            CParameter::ChainLog(ZSTD_CHAIN_LOG),
            CParameter::SearchLog(ZSTD_SEARCH_LOG),
            CParameter::MinMatch(ZSTD_MIN_MATCH),
            CParameter::Strategy(zstd::zstd_safe::Strategy::ZSTD_lazy2),
        ] {
            encoder.set_parameter(parameter).map_err(FrameError::Codec)?;
        }
        Ok(Self { encoder, scratch: vec![0; SCRATCH_BYTES].into_boxed_slice() })
    }

    /// The bytes that carry the message, flushed: the reader has it whole as
    /// soon as it has these.
    pub fn message(&mut self, kind: u8, payload: &[u8]) -> Result<Vec<u8>, FrameError> {
        check_message(kind, payload)?;
        let mut out = Vec::with_capacity(SCRATCH_BYTES.min(payload.len() + 64));
        let mut rest = payload;
        loop {
            let (chunk, following) = rest.split_at(rest.len().min(FRAME_PAYLOAD_MAX));
            let more = !following.is_empty();
            let length = u32::try_from(chunk.len() + 1).expect("a frame's length fits 32 bits");
            let mut header = [0; HEADER_BYTES];
            header[..4].copy_from_slice(&length.to_be_bytes());
            header[4] = if more { kind | MORE } else { kind };
            self.compress(&header, &mut out)?;
            self.compress(chunk, &mut out)?;
            if !more {
                break;
            }
            rest = following;
        }
        self.flush(&mut out)?;
        Ok(out)
    }

    fn compress(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
        let mut input = InBuffer::around(bytes);
        while input.pos() < bytes.len() {
            let mut output = OutBuffer::around(&mut self.scratch[..]);
            self.encoder.run(&mut input, &mut output).map_err(FrameError::Codec)?;
            out.extend_from_slice(output.as_slice());
        }
        Ok(())
    }

    fn flush(&mut self, out: &mut Vec<u8>) -> Result<(), FrameError> {
        loop {
            let mut output = OutBuffer::around(&mut self.scratch[..]);
            let left = self.encoder.flush(&mut output).map_err(FrameError::Codec)?;
            out.extend_from_slice(output.as_slice());
            if left == 0 {
                return Ok(());
            }
        }
    }
}

/// Turns the bytes of one direction of a stream back into messages.
pub struct FrameReader {
    decoder: Decoder<'static>,
    /// The decoder holds no output that it could still give.
    drained: bool,
    ended: bool,
    /// Position in the compressed stream, as far as the magic number matters.
    magic_seen: usize,
    /// Compressed bytes since the last whole message.
    taken: usize,
    header: [u8; HEADER_BYTES],
    header_filled: usize,
    /// Where the frame at hand ends in `payload`; the message so far is before.
    frame_end: usize,
    filled: usize,
    payload: Vec<u8>,
    /// Kind of the message that the frame at hand continues.
    continues: Option<u8>,
}

impl FrameReader {
    /// A reader at the beginning of a stream.
    pub fn new() -> Result<Self, FrameError> {
        let mut decoder = Decoder::new().map_err(FrameError::Codec)?;
        decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG)).map_err(FrameError::Codec)?;
        Ok(Self {
            decoder,
            drained: true,
            ended: false,
            magic_seen: 0,
            taken: 0,
            header: [0; HEADER_BYTES],
            header_filled: 0,
            frame_end: 0,
            filled: 0,
            payload: Vec::new(),
            continues: None,
        })
    }

    /// Reads on until a message is whole or `input` is used up. `input` is
    /// moved forward by what was taken; with `None` nothing of it is left.
    ///
    /// After an error the reader is of no further use.
    pub fn read(&mut self, input: &mut &[u8]) -> Result<Option<Message>, FrameError> {
        while !(input.is_empty() && self.drained) {
            if self.ended {
                return match input.is_empty() {
                    true => Ok(None),
                    false => Err(FrameError::Trailing),
                };
            }
            self.inflate(input)?;
            if self.header_filled == HEADER_BYTES
                && self.filled == self.frame_end
                && let Some(message) = self.end_frame()
            {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    /// Says whether the stream may end here.
    pub fn finish(&self) -> Result<(), FrameError> {
        match self.header_filled > 0 || self.continues.is_some() {
            true => Err(FrameError::Truncated),
            false => Ok(()),
        }
    }

    /// One step of the decoder into exactly the space that the header or the
    /// frame at hand still lacks.
    fn inflate(&mut self, input: &mut &[u8]) -> Result<(), FrameError> {
        let in_header = self.header_filled < HEADER_BYTES;
        let target = match in_header {
            true => &mut self.header[self.header_filled..],
            false => &mut self.payload[self.filled..self.frame_end],
        };
        let room = target.len();
        let status = self.decoder.run_on_buffers(input, target).map_err(FrameError::Codec)?;
        let (used, rest) = input.split_at(status.bytes_read);
        *input = rest;
        self.drained = status.bytes_written < room;
        self.ended = status.remaining == 0;
        self.count(used)?;
        if !in_header {
            self.filled += status.bytes_written;
            return Ok(());
        }
        self.header_filled += status.bytes_written;
        match self.header_filled == HEADER_BYTES {
            true => self.begin_frame(),
            false => Ok(()),
        }
    }

    /// Skippable zstd frames would be swallowed without a word, so the stream
    /// must begin with the number of a real one.
    fn count(&mut self, used: &[u8]) -> Result<(), FrameError> {
        let expected = &ZSTD_MAGIC[self.magic_seen..];
        let seen = used.len().min(expected.len());
        if used[..seen] != expected[..seen] {
            return Err(FrameError::NotZstd);
        }
        self.magic_seen += seen;
        self.taken += used.len();
        match self.taken > COMPRESSED_BYTES_MAX {
            true => Err(FrameError::Padding),
            false => Ok(()),
        }
    }

    /// Checks the header, then takes memory for the frame.
    fn begin_frame(&mut self) -> Result<(), FrameError> {
        let [l0, l1, l2, l3, head] = self.header;
        let length = u32::from_be_bytes([l0, l1, l2, l3]);
        if length == 0 || length as usize > FRAME_BYTES_MAX {
            return Err(FrameError::Length { length });
        }
        let payload = length as usize - 1;
        let kind = head & KIND_MAX;
        if kind == 0 {
            return Err(FrameError::Kind { kind });
        }
        if let Some(first) = self.continues {
            if first != kind {
                return Err(FrameError::KindChanged { first, next: kind });
            }
            if payload == 0 {
                return Err(FrameError::Cut);
            }
        }
        if head & MORE != 0 && payload != FRAME_PAYLOAD_MAX {
            return Err(FrameError::Cut);
        }
        let whole = self.filled + payload;
        if whole > MESSAGE_BYTES_MAX {
            return Err(FrameError::MessageLength { length: whole });
        }
        self.payload.resize(whole, 0);
        self.frame_end = whole;
        Ok(())
    }

    fn end_frame(&mut self) -> Option<Message> {
        let head = self.header[4];
        let kind = head & KIND_MAX;
        self.header_filled = 0;
        if head & MORE != 0 {
            self.continues = Some(kind);
            return None;
        }
        self.continues = None;
        self.taken = 0;
        self.filled = 0;
        self.frame_end = 0;
        Some(Message { kind, payload: std::mem::take(&mut self.payload) })
    }
}

#[cfg(test)]
pub(super) mod tests;
