//! What a town notes for itself about a record.
//!
//! [`Internal`] is another type than [`Dataset`] and no field of it: neither
//! the documents nor the public answers can name it. Only
//! the closed store and the desk hold a [`LocalRecord`].

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::codes::Class;
use super::dataset::Dataset;
use super::text::{Line, Mailbox, Text};
use super::time::Date;

/// A role of the town with its mailbox; never a person.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Role {
    /// Name of the role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Line>,
    /// Unit it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<Line>,
    /// Its mailbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<Mailbox>,
}

impl Role {
    /// Whether nothing is given.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// With whom a record should be shared, once somebody has decided so.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SharingWish {
    /// Codes of towns or partners.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub recipients: BTreeSet<Line>,
    /// What for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Text>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Date>,
    /// On which terms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage_terms: Option<Text>,
}

impl SharingWish {
    /// Whether nothing is given.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What never leaves the town.
///
/// INVARIANT: no type that the document mapping or a public answer can hold
/// contains this one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Internal {
    /// Legal basis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub legal_basis: Option<Text>,
    /// System the data come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_system: Option<Line>,
    /// Who answers for the data (Daten-Verantwortliche).
    #[serde(default, skip_serializing_if = "Role::is_empty")]
    pub responsible_role: Role,
    /// Who looks after the record (Daten-Beauftragte).
    #[serde(default, skip_serializing_if = "Role::is_empty")]
    pub steward_role: Role,
    /// Why the record has its class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classification_reason: Option<Text>,
    /// The class asked for but not approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposed_classification: Option<Class>,
    /// With whom to share.
    #[serde(default, skip_serializing_if = "SharingWish::is_empty")]
    pub sharing: SharingWish,
    /// Notes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<Text>,
}

/// A record as the town itself keeps it: the public part and its own notes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalRecord {
    /// What could be published.
    pub dataset: Dataset,
    /// What never is.
    #[serde(default)]
    pub internal: Internal,
}
