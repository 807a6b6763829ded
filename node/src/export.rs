//! The whole catalog of a town in one file, from which an import makes an
//! equal catalog (`docs/export.md`).
//!
//! The same state gives the same bytes. Holds nothing of other towns; closed
//! records and notes only where they were asked for by the town itself, at its
//! desk.

use std::collections::BTreeMap;

use crdt::catalog::{Catalog, Dataset, Internal, InvalidField, LocalRecord};
use crdt::ids::{DatasetId, Town};
use serde::Serialize;
use serde_json::Value;

use crate::handle::{LISTING_LIMIT_MAX, NodeHandle, ReadError, Scope};
use crate::rdf::{RdfForm, whole_catalog};

/// Names the form of a file.
pub const FORM: &str = "hanse export 1";

/// How a catalog is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportForm {
    /// One JSON object a line, without loss.
    Ndjson,
    /// What is open, in DCAT-AP.de.
    Rdf(RdfForm),
}

impl ExportForm {
    /// Reads the name of a form.
    pub fn parse(text: &str) -> Result<Self, InvalidField> {
        match text {
            "ndjson" => Ok(Self::Ndjson),
            other => RdfForm::parse(other).map(Self::Rdf),
        }
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Rdf(form) => form.media_type(),
        }
    }
}

/// The first line.
#[derive(Serialize)]
struct Head<'a> {
    form: &'static str,
    town: Town,
    town_name: &'a str,
    with_closed: bool,
}

#[derive(Serialize)]
struct CatalogLine<'a> {
    catalog: &'a Catalog,
    extra: &'a BTreeMap<String, Value>,
}

#[derive(Serialize)]
struct RecordLine<'a> {
    dataset: &'a Dataset,
    extra: &'a BTreeMap<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    internal: Option<&'a Internal>,
}

#[derive(Serialize)]
struct EndLine {
    end: End,
}

#[derive(Serialize)]
struct End {
    records: u64,
}

/// The town's catalog in a form. Blocks, and holds it in memory.
pub fn export(node: &NodeHandle, form: ExportForm, with_closed: bool) -> Result<Vec<u8>, ReadError> {
    match form {
        ExportForm::Rdf(form) => whole_catalog(node, node.town().town, form),
        ExportForm::Ndjson => Lines::default().write(node, with_closed),
    }
}

#[derive(Default)]
struct Lines {
    bytes: Vec<u8>,
    records: u64,
}

impl Lines {
    fn write(mut self, node: &NodeHandle, with_closed: bool) -> Result<Vec<u8>, ReadError> {
        let town = node.town();
        self.line(&Head { form: FORM, town: town.town, town_name: &town.name, with_closed })?;
        if let Some((catalog, extra)) = node.catalog_with_extra(town.town)? {
            self.line(&CatalogLine { catalog: &catalog, extra: &extra })?;
        }
        // Closed records come with those that are open, in one order by id.
        let mut closed: BTreeMap<DatasetId, LocalRecord> = BTreeMap::new();
        if with_closed {
            closed = node.closed_records()?.into_iter().map(|record| (record.dataset.id, record)).collect();
        }
        let mut after = None;
        loop {
            let some = node.open_datasets(Scope::Town(town.town), after, LISTING_LIMIT_MAX)?;
            let Some(last) = some.last().map(|last| last.dataset.id) else { break };
            for listed in &some {
                let id = listed.dataset.id;
                self.closed_before(&mut closed, Some(id))?;
                // A record that moves between the stores meanwhile is written once.
                closed.remove(&id);
                let notes = if with_closed { Some(node.notes_of(id)?) } else { None };
                self.record(&listed.dataset, &listed.extra, notes.as_ref())?;
            }
            after = Some(last);
        }
        self.closed_before(&mut closed, None)?;
        let records = self.records;
        self.line(&EndLine { end: End { records } })?;
        Ok(self.bytes)
    }

    /// Closed records whose id is smaller; all that are left if there is none.
    fn closed_before(
        &mut self,
        closed: &mut BTreeMap<DatasetId, LocalRecord>,
        id: Option<DatasetId>,
    ) -> Result<(), ReadError> {
        while let Some(first) = closed.first_entry() {
            if id.is_some_and(|id| *first.key() > id) {
                return Ok(());
            }
            let record = first.remove();
            if Some(record.dataset.id) != id {
                self.record(&record.dataset, &BTreeMap::new(), Some(&record.internal))?;
            }
        }
        Ok(())
    }

    fn record(
        &mut self,
        dataset: &Dataset,
        extra: &BTreeMap<String, Value>,
        internal: Option<&Internal>,
    ) -> Result<(), ReadError> {
        self.records += 1;
        self.line(&RecordLine { dataset, extra, internal })
    }

    fn line(&mut self, line: &impl Serialize) -> Result<(), ReadError> {
        serde_json::to_writer(&mut self.bytes, line).map_err(|error| ReadError::Store(error.to_string()))?;
        self.bytes.push(b'\n');
        Ok(())
    }
}
