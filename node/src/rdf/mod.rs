//! The open catalog as RDF.
//!
//! What a record says in RDF is decided by [`crdt::dcat`]; this module brings
//! its triples into the forms that clients read. It only ever sees open
//! records.

mod form;
mod pages;
pub mod sparql;
mod stream;
mod term;

pub use form::{RdfForm, triples_as};
pub(crate) use oxrdf::Triple;
pub use pages::{
    Contexts, PAGE_BYTES_MAX, PAGE_DATASETS, PageAsked, catalog_document, catalog_page, dataset_document,
    write_catalog,
};
pub use stream::{STREAM_PAGE, StreamForm, StreamPage, stream_page};
pub(crate) use term::{encode, encode_triple};
