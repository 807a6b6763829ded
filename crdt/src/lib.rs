//! What a federation of catalogs may say and believe: documents, seals, the
//! gate, the charter and the sync state machine.
//!
//! This crate decides and never acts. It opens no file and no socket, reads no
//! clock and draws no randomness: time and nonces are arguments, order comes
//! from `BTreeMap`. The bytes are specified in `docs/protocol.md`.
//!
//! ```text
//! edit ──> document ──> seal ──> (wire) ──> gate ──> document
//!                charter, certificates say who may     sync says what to send
//! ```

pub mod audience;
pub mod authority;
pub mod catalog;
pub mod certificate;
pub mod charter;
pub mod dcat;
pub mod document;
pub mod encoding;
pub mod epoch;
pub mod foreign;
pub mod frontier;
pub mod gate;
pub mod genesis;
pub mod ids;
pub mod inventory;
pub mod manifest;
pub mod operations;
pub mod peer_id;
pub mod proof;
pub mod seal;
pub mod sealed_document;
pub mod signed;
pub mod sync;
pub mod vocabulary;
