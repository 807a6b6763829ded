//! Reads what other catalogs say about their datasets: DCAT-AP and DCAT-AP.de
//! (1.1, 2.0, 3.0) in RDF, and the package dicts of CKAN.
//!
//! Every record becomes the JSON body that [`NewDataset`](crate::catalog::NewDataset)
//! parses. A value that the catalog cannot hold is left out and said, property
//! by property; a record that cannot be one is refused with its reasons; its
//! neighbours never suffer. Nothing here parses bytes, fetches or follows a
//! link: a graph and a JSON value are arguments.

mod body;
mod ckan;
mod dcat;
mod places;
mod services;
mod statements;
#[cfg(test)]
mod tests;
mod texts;
mod values;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::catalog::InvalidField;

pub use ckan::read_package;
pub use statements::{Gathering, OBJECT_BYTES_MAX, Statements};

/// A record of another catalog.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ForeignRecord {
    /// Its name at the source, which stays while the source keeps it: the
    /// dataset's IRI, or CKAN's id.
    pub key: String,
    /// Its other names: `dct:identifier`, `adms:identifier`, CKAN's name and
    /// guid, the IRI. By these the same record is known on another road.
    pub names: Vec<String>,
    /// When the source changed it last (`dct:modified`, `metadata_modified`),
    /// as the source wrote it.
    pub modified: Option<String>,
    /// The body of a new record, or why there is none.
    pub body: Result<Value, Vec<InvalidField>>,
    /// Values that were left out of the body, with the reason.
    pub hints: Vec<InvalidField>,
}

impl ForeignRecord {
    /// Whether the record came as a body.
    pub fn is_whole(&self) -> bool {
        self.body.is_ok()
    }
}
