//! The catalog model: datasets, distributions and what surrounds them, in
//! DCAT's words, with types that hold no nonsense.
//!
//! Everything here is a value: parsed once at the edge ([`NewDataset`],
//! [`RecordEdit`]), valid afterwards. What may leave a town and what may not
//! are different types ([`Dataset`], [`Internal`]). Never reads a clock, draws
//! randomness or looks anything up.

mod body;
pub mod codes;
pub mod dataset;
mod edit;
pub(crate) mod fields;
pub(crate) mod form;
mod geo;
pub mod internal;
pub mod invalid;
pub mod listed;
mod merge;
pub mod publish;
pub mod service;
#[cfg(test)]
pub(crate) mod testing;
pub mod text;
pub mod time;

pub use body::InvalidBody;
pub use codes::{Class, Hvd, LifecycleStatus, PersonalData, QualityCriterion};
pub use dataset::{
    Agent, ByteSize, Catalog, Contact, DataService, Dataset, DatasetSeries, Distribution, Spatial,
};
pub(crate) use edit::Changes;
pub use edit::{
    CatalogEdit, DISTRIBUTIONS_MAX, DatasetEdit, InternalEdit, MEMBERS_MAX, NewDataset, RECORD_BYTES_MAX,
    RecordEdit,
};
pub use fields::{FieldPath, Scalar, ValueKind};
pub use geo::BoundingBox;
pub use internal::{Internal, LocalRecord, Role, SharingWish};
pub use invalid::{Bilingual, InvalidField, Lang};
pub use listed::{DistributionStatus, Frequency, HvdCategory, LicenceIri, Theme};
pub use merge::Merge;
pub use publish::{
    Finding, RULES, Rule, Severity, catalog_faults, check, completed, new_catalog_faults, obstacles,
    publishable,
};
pub use text::{
    DistributionId, Format, Identifier, Iri, Keyword, Keywords, Line, Literal, Mailbox, Phone, Prose, Text,
    Title, Word,
};
pub use time::{Date, Temporal, Timestamp};
