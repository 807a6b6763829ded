//! What people and programs see of a node: portal pages, the public API and
//! the desk API, on two listeners that share no writing route.
//!
//! Everything is asked of a [`node::handle::NodeHandle`]; this crate never
//! names a table, a swarm or an index, and never decides who may see what: it
//! says for whom it asks ([`node::view::Reader`]) and shows the answer. It is
//! alone in naming axum.

mod api;
mod app;
mod assets;
mod ckan;
mod cors;
mod error;
mod extract;
mod feeds;
mod guard;
mod harvest;
mod locale;
mod metrics;
mod negotiate;
mod pages;
mod query;
mod rdf;
mod records;
mod router;
mod server;
mod sparql;
mod told;

pub use router::{Listener, Route, desk, public, routes};
pub use server::{BindError, ServeError, Server};
