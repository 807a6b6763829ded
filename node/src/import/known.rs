//! What the town has already, by the names that a foreign row may use for it.
//!
//! Within one source a name of any length is known again (`candidate.key`).
//! Between sources only a name counts that nobody gives twice by accident
//! ([`is_worldwide`]): two offices number their lists from 1, two portals call
//! something `baum`.

use std::collections::{HashMap, HashSet};

use crdt::catalog::Dataset;
use crdt::ids::DatasetId;

use super::candidate::{Candidate, SourceName, name_hash};
use crate::handle::{LISTING_LIMIT_MAX, NodeHandle, ReadError, Scope};

/// Shortest name that is no IRI and no UUID and still means one record only.
const NAME_BYTES_MIN: usize = 16;
/// Digits of a UUID.
const UUID_DIGITS: usize = 32;

/// What the federation's open datasets are called, but for those that a source
/// brought itself: the records that may come back by another road.
#[derive(Debug)]
pub(super) struct Federation(HashSet<[u8; 16]>);

impl Federation {
    /// As seen from a source.
    pub(super) fn of(handle: &NodeHandle, source: &SourceName) -> Result<Self, ReadError> {
        // What was given up goes on as the record that was kept.
        let given_up = handle.given_up_ids()?;
        let mut from_here: HashSet<DatasetId> = HashSet::new();
        handle.each_of_source(source, |row| {
            from_here.insert(given_up.get(&row.dataset).copied().unwrap_or(row.dataset));
        })?;
        let mut found = HashSet::new();
        let mut after = None;
        loop {
            let open = handle.open_datasets(Scope::Federation, after, LISTING_LIMIT_MAX)?;
            let Some(last) = open.last() else { return Ok(Self(found)) };
            after = Some(last.dataset.id);
            for dataset in
                open.iter().map(|listed| &listed.dataset).filter(|one| !from_here.contains(&one.id))
            {
                let called = names(dataset).chain(others(dataset)).chain([dataset.id.to_string()]);
                found.extend(called.filter(|name| is_worldwide(name)).map(|name| name_hash(&name)));
            }
        }
    }

    /// Whether a candidate is one of them.
    pub(super) fn has(&self, candidate: &Candidate) -> bool {
        candidate.names.iter().chain([&candidate.key]).any(|name| self.0.contains(&name_hash(name)))
    }
}

/// The town's records by their names. Holds hashes, not texts.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// By identifier and IRI, however short.
    names: HashMap<[u8; 16], DatasetId>,
    /// By an identifier together with title and department.
    rows: HashMap<[u8; 16], DatasetId>,
    /// By the identifier that the source at hand gave it, with its key there.
    within: HashMap<[u8; 16], (DatasetId, [u8; 32])>,
}

/// What a name in a source means here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    /// This record.
    Record(DatasetId),
    /// Nothing that is sure: this record happens to have the same identifier.
    Taken(DatasetId),
    /// Nothing that is here.
    Nobody,
}

impl Known {
    /// Everything that there is now, as a source sees it.
    pub(super) fn of(handle: &NodeHandle, source: &SourceName) -> Result<Self, ReadError> {
        let mut known = Self::default();
        handle.each_of_source(source, |row| {
            if let Some(identifier) = &row.said.dataset.identifier {
                let place = (row.dataset, source.key_hash(&row.key));
                known.within.insert(name_hash(identifier.as_str()), place);
            }
        })?;
        handle.each_own_record(|record| known.add(&record.dataset))?;
        handle.each_alias(|alias| {
            known.names.entry(name_hash(&alias.name)).or_insert(alias.dataset);
        })?;
        // The row of a record that was given up means the one that was kept.
        for (given_up, kept) in handle.given_up_ids()? {
            for row in handle.rows_of(given_up)?.into_iter().chain(handle.rows_of(kept)?) {
                known.rows.extend(row_name(&row.said.dataset).map(|row| (row, kept)));
            }
        }
        Ok(known)
    }

    fn add(&mut self, dataset: &Dataset) {
        // Further names may be another catalog's: short ones are no proof.
        for name in names(dataset).chain(others(dataset).filter(|name| is_worldwide(name))) {
            self.names.insert(name_hash(&name), dataset.id);
        }
        if let Some(row) = row_name(dataset) {
            self.rows.insert(row, dataset.id);
        }
    }

    /// What the names of a record from a source mean. `of_table` says that it is
    /// a row of a table of the house: there an identifier of any form counts if
    /// title and department are the same too, as in a list that was exported here.
    /// So it does in its own source, unless that has the other record beside it
    /// (`is_there`).
    pub(super) fn named(
        &self,
        dataset: &Dataset,
        of_table: bool,
        is_there: impl Fn(&[u8; 32]) -> bool,
    ) -> Named {
        let worldwide = names(dataset).filter(|name| is_worldwide(name));
        let found = worldwide.filter_map(|name| self.names.get(&name_hash(&name))).next();
        let row = || row_name(dataset).filter(|_| of_table).and_then(|row| self.rows.get(&row));
        let identifier = dataset.identifier.as_ref().map(|identifier| name_hash(identifier.as_str()));
        let moved = || identifier.and_then(|name| self.within.get(&name)).filter(|(_, key)| !is_there(key));
        if let Some(id) = found.or_else(row).or_else(|| moved().map(|(id, _)| id)) {
            return Named::Record(*id);
        }
        match identifier.and_then(|name| self.names.get(&name)) {
            Some(id) => Named::Taken(*id),
            None => Named::Nobody,
        }
    }

    /// Notes that a record of this import has its identifier now.
    pub(super) fn give(&mut self, dataset: &Dataset) {
        if let Some(identifier) = &dataset.identifier {
            self.names.entry(name_hash(identifier.as_str())).or_insert(dataset.id);
        }
    }
}

/// Whether a name means one record wherever it stands: a web address or URN, a
/// UUID, or a long name with a number in it that is more than a year.
fn is_worldwide(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let is_iri = ["http://", "https://", "urn:"].iter().any(|scheme| lower.starts_with(scheme));
    is_iri || is_uuid(&lower) || name.len() >= NAME_BYTES_MIN && has_letter(name) && has_serial_number(name)
}

fn is_uuid(lower: &str) -> bool {
    let bare = lower.trim_start_matches('{').trim_end_matches('}');
    bare.chars().filter(char::is_ascii_hexdigit).count() == UUID_DIGITS
        && bare.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

fn has_letter(name: &str) -> bool {
    name.chars().any(char::is_alphabetic)
}

/// Whether a name has a number that is no year: `einwohner-stadtteile-2024` is
/// what any town would call its list.
fn has_serial_number(name: &str) -> bool {
    let numbers = name.split(|c: char| !c.is_ascii_digit()).filter(|number| !number.is_empty());
    let is_year = |number: &str| number.len() == 4 && (number.starts_with("19") || number.starts_with("20"));
    numbers.into_iter().any(|number| !is_year(number))
}

/// Identifier, title and department together, if there is an identifier.
fn row_name(dataset: &Dataset) -> Option<[u8; 16]> {
    let identifier = dataset.identifier.as_ref()?;
    let title = dataset.title.de.as_ref().or(dataset.title.en.as_ref())?;
    let department = dataset.department.as_ref().map(|unit| unit.as_str().to_lowercase());
    let parts =
        [identifier.as_str().to_lowercase(), title.as_str().to_lowercase(), department.unwrap_or_default()];
    Some(name_hash(&parts.join("\u{1f}")))
}

/// What a dataset is called by programs.
fn names(dataset: &Dataset) -> impl Iterator<Item = String> {
    let identifier = dataset.identifier.as_ref().map(ToString::to_string);
    identifier.into_iter().chain(dataset.iri.as_ref().map(ToString::to_string))
}

/// Names under which it is or was known besides.
fn others(dataset: &Dataset) -> impl Iterator<Item = String> {
    dataset.other_identifiers.iter().map(ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::is_worldwide;

    #[test]
    fn only_names_that_nobody_gives_twice_count_between_sources() {
        for name in [
            "https://www.soest.example/dataset/1",
            "urn:oai:7",
            "6f9619ff-8b86-d011-b42d-00c04fc964ff",
            "{6F9619FF-8B86-D011-B42D-00C04FC964FF}",
            "6f9619ff8b86d011b42d00c04fc964ff",
            "de-nw-soest-amt61-0815",
        ] {
            assert!(is_worldwide(name), "{name}");
        }
        for name in [
            "1",
            "42",
            "b-1",
            "soest-0815",
            "1234567890123456789",
            "strassenverzeichnis",
            "einwohner-stadtteile-2024",
            "",
        ] {
            assert!(!is_worldwide(name), "{name}");
        }
    }
}
