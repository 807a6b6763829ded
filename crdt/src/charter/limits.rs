//! Limits in the charter, so that all nodes reach the same verdict.
//!
//! A charter may lower them and raise some, within bounds that this build can
//! keep: the formats of protocol sections 3 and 10 end where the bounds do.

use minicbor::{Decode, Encode};

use crate::encoding::DecodeError;

/// Numbers of protocol section 13.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Limits {
    /// Protocol level that all nodes speak.
    #[n(0)]
    pub level: u32,
    /// Bytes of a frame.
    #[n(1)]
    pub frame_bytes: u32,
    /// Operations of a change.
    #[n(2)]
    pub change_operations: u32,
    /// Bytes of a change.
    #[n(3)]
    pub change_bytes: u32,
    /// Bytes of a text or byte value.
    #[n(4)]
    pub text_bytes: u32,
    /// Bytes of a key.
    #[n(5)]
    pub key_bytes: u32,
    /// Depth of objects in objects.
    #[n(6)]
    pub depth: u32,
    /// Entries of one list or map.
    #[n(7)]
    pub list_entries: u32,
    /// Changes of one epoch.
    #[n(8)]
    pub epoch_changes: u32,
    /// Actors of one epoch.
    #[n(9)]
    pub epoch_actors: u32,
    /// Bytes kept in quarantine for one author town.
    #[n(10)]
    pub quarantine_bytes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            level: 1,
            frame_bytes: 65_536,
            change_operations: 4_096,
            change_bytes: 262_144,
            text_bytes: 32_768,
            key_bytes: 256,
            depth: 8,
            list_entries: 1_024,
            epoch_changes: 2_000,
            epoch_actors: 256,
            quarantine_bytes: 1_048_576,
        }
    }
}

impl Limits {
    /// Requires that every limit lets a node work and stays within what this
    /// build can keep. Least values leave room for one dataset of common size.
    pub(super) fn check(&self) -> Result<(), DecodeError> {
        let bounds = [
            (self.level, 1, 65_535, "protocol level"),
            (self.frame_bytes, 4_096, 65_536, "frame limit"),
            (self.change_operations, 256, 4_096, "limit of operations"),
            (self.change_bytes, 16_384, 262_144, "limit of a change's bytes"),
            (self.text_bytes, 1_024, 32_768, "limit of texts"),
            (self.key_bytes, 64, 256, "limit of keys"),
            (self.depth, 4, 8, "limit of depth"),
            (self.list_entries, 64, 1_024, "limit of lists"),
            (self.epoch_changes, 16, 20_000, "limit of an epoch's changes"),
            (self.epoch_actors, 4, 256, "limit of an epoch's actors"),
            (self.quarantine_bytes, 262_144, 16_777_216, "limit of the quarantine"),
        ];
        for (found, least, greatest, what) in bounds {
            if found > greatest {
                return Err(DecodeError::TooMuch { what, found: found.into(), limit: greatest.into() });
            }
            if found < least {
                return Err(DecodeError::Invalid(what));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_stay_within_what_the_formats_can_hold() {
        assert!(Limits::default().check().is_ok());
        assert!(Limits { frame_bytes: 65_537, ..Limits::default() }.check().is_err());
        assert!(Limits { frame_bytes: 1, ..Limits::default() }.check().is_err());
        assert!(Limits { level: 0, ..Limits::default() }.check().is_err());
        assert!(Limits { epoch_changes: 20_000, ..Limits::default() }.check().is_ok());
        assert!(Limits { epoch_actors: 257, ..Limits::default() }.check().is_err());
    }
}
