//! The whole catalog of a town in one file, from which an import makes an
//! equal catalog (`docs/export.md`).
//!
//! The same state gives the same bytes. Holds nothing of other towns; closed
//! records and notes only where they were asked for by the town itself, at its
//! desk.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use crdt::catalog::{Catalog, Dataset, Internal, InvalidField};
use crdt::ids::{DatasetId, Town};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::handle::{LISTING_LIMIT_MAX, NodeHandle, ReadError, Scope};
use crate::rdf::{RdfForm, write_catalog};
use crate::store::{Leading, PairOfRecords};

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

/// An open record that was given up for another.
#[derive(Serialize)]
struct GivenUpLine<'a> {
    given_up: &'a Dataset,
    extra: &'a BTreeMap<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    internal: Option<&'a Internal>,
}

#[derive(Serialize)]
struct AliasLine {
    alias: AliasPart,
}

#[derive(Serialize)]
struct LeadingLine {
    leading: LeadingPart,
}

#[derive(Serialize)]
struct DifferentLine {
    different: DifferentPart,
}

/// A name of a record that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasPart {
    /// Its id, identifier or IRI.
    pub name: String,
    /// The record that was kept.
    pub dataset: DatasetId,
}

/// Whose word counts for a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadingPart {
    /// The record.
    pub dataset: DatasetId,
    /// Whose word counts.
    pub by: Leading,
}

/// Two records that a person found to be different.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DifferentPart {
    /// The one with the lesser id.
    pub one: DatasetId,
    /// The other.
    pub other: DatasetId,
}

#[derive(Serialize)]
struct EndLine {
    end: End,
}

#[derive(Serialize)]
struct End {
    records: u64,
}

/// An export ended early: what was written of it is not whole.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The catalog could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Nobody takes what is written.
    #[error("write the export: {0}")]
    Write(#[from] io::Error),
}

/// Writes the town's catalog in a form, record by record: it is never in
/// memory as a whole. Blocks.
pub fn export(
    node: &NodeHandle,
    form: ExportForm,
    with_closed: bool,
    out: &mut dyn Write,
) -> Result<(), ExportError> {
    match form {
        ExportForm::Rdf(form) => write_catalog(node, node.town().town, form, out),
        ExportForm::Ndjson => Lines { out, records: 0 }.write(node, with_closed),
    }
}

struct Lines<'a> {
    out: &'a mut dyn Write,
    records: u64,
}

impl Lines<'_> {
    fn write(mut self, node: &NodeHandle, with_closed: bool) -> Result<(), ExportError> {
        let town = node.town();
        self.line(&Head { form: FORM, town: town.town, town_name: &town.name, with_closed })?;
        if let Some((catalog, extra)) = node.catalog_with_extra(town.town)? {
            self.line(&CatalogLine { catalog: &catalog, extra: &extra })?;
        }
        // Closed records come with those that are open, in one order by id.
        let mut closed = if with_closed { node.closed_ids()? } else { BTreeSet::new() };
        let mut after = None;
        loop {
            let some = node.open_datasets(Scope::Town(town.town), after, LISTING_LIMIT_MAX)?;
            let Some(last) = some.last().map(|last| last.dataset.id) else { break };
            for listed in &some {
                let id = listed.dataset.id;
                self.closed_before(node, &mut closed, Some(id))?;
                // A record that moves between the stores meanwhile is written once.
                closed.remove(&id);
                let notes = if with_closed { Some(node.notes_of(id)?) } else { None };
                self.record(&listed.dataset, &listed.extra, notes.as_ref())?;
            }
            after = Some(last);
        }
        self.closed_before(node, &mut closed, None)?;
        self.given_up(node, with_closed)?;
        if with_closed {
            self.decisions(node)?;
        }
        let records = self.records;
        self.line(&EndLine { end: End { records } })
    }

    /// Closed records whose id is smaller; all that are left if there is none.
    fn closed_before(
        &mut self,
        node: &NodeHandle,
        closed: &mut BTreeSet<DatasetId>,
        id: Option<DatasetId>,
    ) -> Result<(), ExportError> {
        while let Some(first) = closed.first().copied().filter(|first| id.is_none_or(|id| *first <= id)) {
            closed.remove(&first);
            // One that is gone by now was deleted, or comes among those that are open.
            if Some(first) != id
                && let Some(record) = node.closed_record(first)?
            {
                self.record(&record.dataset, &BTreeMap::new(), Some(&record.internal))?;
            }
        }
        Ok(())
    }

    /// Open records that were given up: under their names people go on asking.
    fn given_up(&mut self, node: &NodeHandle, with_notes: bool) -> Result<(), ExportError> {
        let mut after = None;
        loop {
            let some = node.given_up(after, LISTING_LIMIT_MAX)?;
            let Some((last, _)) = some.last() else { return Ok(()) };
            after = Some(last.id);
            for (dataset, extra) in &some {
                let notes = if with_notes { Some(node.notes_of(dataset.id)?) } else { None };
                self.line(&GivenUpLine { given_up: dataset, extra, internal: notes.as_ref() })?;
            }
        }
    }

    /// What people decided about records that are the same or seem to be.
    fn decisions(&mut self, node: &NodeHandle) -> Result<(), ExportError> {
        let decisions = node.decisions()?;
        for (name, dataset) in decisions.aliases {
            self.line(&AliasLine { alias: AliasPart { name, dataset } })?;
        }
        for (dataset, by) in decisions.leading {
            self.line(&LeadingLine { leading: LeadingPart { dataset, by } })?;
        }
        for [one, other] in decisions.different.into_iter().map(PairOfRecords::ids) {
            self.line(&DifferentLine { different: DifferentPart { one, other } })?;
        }
        Ok(())
    }

    fn record(
        &mut self,
        dataset: &Dataset,
        extra: &BTreeMap<String, Value>,
        internal: Option<&Internal>,
    ) -> Result<(), ExportError> {
        self.records += 1;
        self.line(&RecordLine { dataset, extra, internal })
    }

    fn line(&mut self, line: &impl Serialize) -> Result<(), ExportError> {
        serde_json::to_writer(&mut *self.out, line).map_err(io::Error::from)?;
        Ok(self.out.write_all(b"\n")?)
    }
}
