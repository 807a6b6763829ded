//! A running Hanse node: it acts on what `crdt` decides, and shows nothing.

pub mod audit;
pub mod config;
pub mod demo;
pub mod directory;
pub mod duplicates;
pub mod export;
pub mod founding;
pub mod handle;
pub mod harvest;
pub mod import;
pub mod keys;
pub mod ledger;
pub mod network;
pub mod node;
pub mod rdf;
pub mod search;
pub mod store;
pub mod view;
pub mod vocabulary;
