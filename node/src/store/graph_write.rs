//! How records enter and leave the graph: many at once, each table in the
//! order of its keys.
//!
//! A record's quads are kept with it, so that a new state of it costs what
//! differs. Several records may hold one quad; it goes with the last of them.

use std::collections::{BTreeMap, HashMap};

use redb::{ReadableTable, Table, WriteTransaction};

use super::GRAPH_FILE;
use super::database;
use super::error::{ReadStoreError, WriteError};
use super::graph::{
    BLAME, Bytes, GRAPHS, GraphStore, IDS, OSPG, Order, POSG, POSITION, Quad, RECORDS, SHARED, SPOG, TERMS,
    TermId, USES, split, term_key,
};

/// Bytes of the graph's number at the beginning of a record.
const GRAPH_BYTES: usize = 4;
/// Bytes of a triple in a record.
const TRIPLE_BYTES: usize = 12;

/// What becomes of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GraphChange {
    /// It holds these triples now.
    Put {
        /// Key of the record.
        key: Vec<u8>,
        /// In which graph.
        graph: Vec<u8>,
        /// Subject, predicate and object of each.
        triples: Vec<[Vec<u8>; 3]>,
    },
    /// It holds nothing any more.
    Remove {
        /// Key of the record.
        key: Vec<u8>,
    },
}

impl GraphStore {
    pub(super) fn make_tables(&self) -> Result<(), WriteError> {
        let write = self.store.write_derived(true)?;
        Tables::open(&write)?;
        self.store.commit(write)
    }

    /// Brings the graph from one commit of its source to another, at once.
    /// Without `durable` a crash may take it back to an earlier commit.
    pub fn apply(&self, changes: &[GraphChange], position: u64, durable: bool) -> Result<(), WriteError> {
        let write = self.store.write_derived(durable)?;
        let mut tables = Tables::open(&write)?;
        let mut batch = Batch::new(&tables)?;
        for change in changes {
            match change {
                GraphChange::Put { key, graph, triples } => {
                    let row = batch.row(&tables, graph, triples)?;
                    batch.replace(&mut tables, key, Some(&row))?;
                }
                GraphChange::Remove { key } => batch.replace(&mut tables, key, None)?,
            }
        }
        batch.write(&mut tables)?;
        drop(tables);
        database::set_meta(&write, POSITION, &position.to_be_bytes(), GRAPH_FILE)?;
        self.store.commit(write)
    }
}

struct Tables<'txn> {
    terms: Table<'txn, TermId, Bytes>,
    ids: Table<'txn, &'static [u8; 16], TermId>,
    uses: Table<'txn, TermId, u32>,
    spog: Table<'txn, Quad, ()>,
    posg: Table<'txn, Quad, ()>,
    ospg: Table<'txn, Quad, ()>,
    shared: Table<'txn, Quad, u32>,
    graphs: Table<'txn, TermId, u32>,
    records: Table<'txn, Bytes, Bytes>,
}

impl<'txn> Tables<'txn> {
    fn open(write: &'txn WriteTransaction) -> Result<Self, WriteError> {
        let failed = |error: redb::TableError| BLAME.write(error);
        Ok(Self {
            terms: write.open_table(TERMS).map_err(failed)?,
            ids: write.open_table(IDS).map_err(failed)?,
            uses: write.open_table(USES).map_err(failed)?,
            spog: write.open_table(SPOG).map_err(failed)?,
            posg: write.open_table(POSG).map_err(failed)?,
            ospg: write.open_table(OSPG).map_err(failed)?,
            shared: write.open_table(SHARED).map_err(failed)?,
            graphs: write.open_table(GRAPHS).map_err(failed)?,
            records: write.open_table(RECORDS).map_err(failed)?,
        })
    }
}

/// What a number of changes comes to, before anything but records is written.
struct Batch<'a> {
    next: TermId,
    /// Numbers of terms that were looked up or given.
    ids: HashMap<[u8; 16], TermId>,
    new: HashMap<TermId, &'a [u8]>,
    uses: BTreeMap<TermId, i64>,
    graphs: BTreeMap<TermId, i64>,
    quads: BTreeMap<[u8; 16], i64>,
}

impl<'a> Batch<'a> {
    fn new(tables: &Tables<'_>) -> Result<Self, WriteError> {
        let last = tables.terms.last().map_err(|error| BLAME.write(error))?.map_or(0, |(id, _)| id.value());
        Ok(Self {
            next: last + 1,
            ids: HashMap::new(),
            new: HashMap::new(),
            uses: BTreeMap::new(),
            graphs: BTreeMap::new(),
            quads: BTreeMap::new(),
        })
    }

    fn id(&mut self, tables: &Tables<'_>, term: &'a [u8]) -> Result<TermId, WriteError> {
        let key = term_key(term);
        if let Some(id) = self.ids.get(&key) {
            return Ok(*id);
        }
        let known = tables.ids.get(&key).map_err(|error| BLAME.write(error))?.map(|id| id.value());
        let id = match known {
            Some(id) => id,
            None => {
                let id = self.next;
                self.next = id.checked_add(1).ok_or_else(|| WriteError::Database {
                    file: GRAPH_FILE,
                    detail: "all numbers for terms are used".into(),
                })?;
                self.new.insert(id, term);
                id
            }
        };
        self.ids.insert(key, id);
        Ok(id)
    }

    fn row(
        &mut self,
        tables: &Tables<'_>,
        graph: &'a [u8],
        triples: &'a [[Vec<u8>; 3]],
    ) -> Result<Vec<u8>, WriteError> {
        let mut ids = Vec::with_capacity(triples.len());
        let graph = self.id(tables, graph)?;
        for [s, p, o] in triples {
            ids.push([self.id(tables, s)?, self.id(tables, p)?, self.id(tables, o)?]);
        }
        // A record is a set of triples.
        ids.sort_unstable();
        ids.dedup();
        let mut row = Vec::with_capacity(GRAPH_BYTES + ids.len() * TRIPLE_BYTES);
        row.extend_from_slice(&graph.to_be_bytes());
        row.extend(ids.iter().flatten().flat_map(|id| id.to_be_bytes()));
        Ok(row)
    }

    fn replace(&mut self, tables: &mut Tables<'_>, key: &[u8], row: Option<&[u8]>) -> Result<(), WriteError> {
        let old = match row {
            Some(row) => tables.records.insert(key, row),
            None => tables.records.remove(key),
        };
        let old = old.map_err(|error| BLAME.write(error))?.map(|old| old.value().to_vec());
        if let Some(old) = old {
            self.count(&old, -1)?;
        }
        row.map_or(Ok(()), |row| self.count(row, 1))
    }

    fn count(&mut self, row: &[u8], by: i64) -> Result<(), WriteError> {
        let damaged = || BLAME.row("records", "a record ends too early");
        let (graph, triples) = row.split_first_chunk::<GRAPH_BYTES>().ok_or_else(damaged)?;
        let number = TermId::from_be_bytes(*graph);
        *self.graphs.entry(number).or_default() += by;
        *self.uses.entry(number).or_default() += by;
        for triple in triples.chunks(TRIPLE_BYTES) {
            let key: [u8; 16] = [triple, graph].concat().try_into().map_err(|_| damaged())?;
            *self.quads.entry(key).or_default() += by;
            for id in &split(&key)[..3] {
                *self.uses.entry(*id).or_default() += by;
            }
        }
        Ok(())
    }

    fn write(self, tables: &mut Tables<'_>) -> Result<(), WriteError> {
        let (mut come, mut go) = (Vec::new(), Vec::new());
        for (quad, by) in self.quads.into_iter().filter(|(_, by)| *by != 0) {
            let before = holders(tables, &quad)?;
            let after = counted(before, by)?;
            let shared = match after {
                0 | 1 => tables.shared.remove(&quad).map(drop),
                _ => tables.shared.insert(&quad, after).map(drop),
            };
            shared.map_err(|error| BLAME.write(error))?;
            match (before, after) {
                (0, 1..) => come.push(split(&quad)),
                (1.., 0) => go.push(split(&quad)),
                _ => {}
            }
        }
        for (order, table) in
            [(Order::Spo, &mut tables.spog), (Order::Pos, &mut tables.posg), (Order::Osp, &mut tables.ospg)]
        {
            for key in sorted(order, &go) {
                table.remove(&key).map_err(|error| BLAME.write(error))?;
            }
            for key in sorted(order, &come) {
                table.insert(&key, ()).map_err(|error| BLAME.write(error))?;
            }
        }
        for (graph, by) in self.graphs.into_iter().filter(|(_, by)| *by != 0) {
            set_count(&mut tables.graphs, graph, by)?;
        }
        for (id, by) in self.uses.into_iter().filter(|(_, by)| *by != 0) {
            let uses = set_count(&mut tables.uses, id, by)?;
            if let Some(term) = self.new.get(&id) {
                tables.terms.insert(id, *term).map_err(|error| BLAME.write(error))?;
                tables.ids.insert(&term_key(term), id).map_err(|error| BLAME.write(error))?;
            } else if uses == 0 {
                let term = tables.terms.remove(id).map_err(|error| BLAME.write(error))?;
                let key = term.map(|term| term_key(term.value()));
                if let Some(key) = key {
                    tables.ids.remove(&key).map_err(|error| BLAME.write(error))?;
                }
            }
        }
        Ok(())
    }
}

fn holders(tables: &Tables<'_>, quad: &[u8; 16]) -> Result<u32, ReadStoreError> {
    if let Some(count) = tables.shared.get(quad).map_err(|error| BLAME.read(error))? {
        return Ok(count.value());
    }
    let held = tables.spog.get(quad).map_err(|error| BLAME.read(error))?.is_some();
    Ok(held.into())
}

fn sorted(order: Order, quads: &[[TermId; 4]]) -> Vec<[u8; 16]> {
    let mut keys: Vec<_> = quads.iter().map(|quad| order.key(*quad)).collect();
    keys.sort_unstable();
    keys
}

fn set_count(table: &mut Table<'_, TermId, u32>, id: TermId, by: i64) -> Result<u32, WriteError> {
    let before = table.get(id).map_err(|error| BLAME.write(error))?.map_or(0, |count| count.value());
    let after = counted(before, by)?;
    let written = if after == 0 { table.remove(id).map(drop) } else { table.insert(id, after).map(drop) };
    written.map_err(|error| BLAME.write(error))?;
    Ok(after)
}

fn counted(before: u32, by: i64) -> Result<u32, WriteError> {
    u32::try_from(i64::from(before) + by).map_err(|_| BLAME.row("uses", "a count does not add up").into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// Graph and triples of a record.
    type State = (u8, BTreeSet<[u8; 3]>);
    type Model = BTreeMap<u8, State>;

    fn put(key: u8, graph: u8, triples: &BTreeSet<[u8; 3]>) -> GraphChange {
        let triples = triples.iter().map(|triple| triple.map(|term| vec![term])).collect();
        GraphChange::Put { key: vec![key], graph: vec![graph], triples }
    }

    /// Reads the graph back by one pattern, as terms.
    fn found(store: &GraphStore, pattern: [Option<u8>; 3]) -> Vec<[u8; 4]> {
        let snapshot = store.read().unwrap();
        let mut ids = [None; 3];
        for (id, term) in ids.iter_mut().zip(pattern) {
            *id = term.map(|term| snapshot.id(&[term]).unwrap().unwrap_or(TermId::MAX));
        }
        let term = |id| snapshot.term(id, |term| term[0]).unwrap();
        let mut quads: Vec<_> = snapshot.quads(ids).unwrap().map(|quad| quad.unwrap().map(term)).collect();
        quads.sort_unstable();
        quads
    }

    fn expected(model: &Model, [s, p, o]: [Option<u8>; 3]) -> Vec<[u8; 4]> {
        let fits = |wanted: Option<u8>, term: u8| wanted.is_none_or(|wanted| wanted == term);
        let quads: BTreeSet<[u8; 4]> = model
            .values()
            .flat_map(|(graph, triples)| triples.iter().map(|[s, p, o]| [*s, *p, *o, *graph]))
            .filter(|quad| fits(s, quad[0]) && fits(p, quad[1]) && fits(o, quad[2]))
            .collect();
        quads.into_iter().collect()
    }

    fn step() -> impl Strategy<Value = (u8, Option<State>)> {
        let triple = [0..4u8, 0..3u8, 0..5u8];
        let triples = proptest::collection::btree_set(triple, 0..6);
        (0..5u8, proptest::option::weighted(0.7, (20..23u8, triples)))
    }

    proptest! {
        #[test]
        fn every_pattern_finds_what_the_records_hold_and_nothing_stays_behind(
            batches in proptest::collection::vec(proptest::collection::vec(step(), 1..5), 1..8)
        ) {
            let store = GraphStore::in_memory();
            let mut model = Model::new();
            for (position, batch) in batches.iter().enumerate() {
                let mut changes = Vec::new();
                for (key, state) in batch {
                    match state {
                        Some((graph, triples)) => {
                            model.insert(*key, (*graph, triples.clone()));
                            changes.push(put(*key, *graph, triples));
                        }
                        None => {
                            model.remove(key);
                            changes.push(GraphChange::Remove { key: vec![*key] });
                        }
                    }
                }
                store.apply(&changes, position as u64, false).unwrap();
            }
            for s in [None, Some(1)] {
                for p in [None, Some(2)] {
                    for o in [None, Some(0)] {
                        prop_assert_eq!(found(&store, [s, p, o]), expected(&model, [s, p, o]));
                    }
                }
            }
            let snapshot = store.read().unwrap();
            prop_assert_eq!(snapshot.position(), Some(batches.len() as u64 - 1));
            let graphs: BTreeSet<u8> = model.values().map(|(graph, _)| *graph).collect();
            let held = snapshot.graphs().unwrap();
            let held: BTreeSet<u8> =
                held.iter().map(|id| snapshot.term(*id, |term| term[0]).unwrap()).collect();
            prop_assert_eq!(&held, &graphs);
            let terms: BTreeSet<u8> =
                model.values().flat_map(|(_, triples)| triples.iter().flatten().copied()).collect();
            let (_, count) = snapshot.counts().unwrap();
            prop_assert_eq!(count, terms.union(&graphs).count() as u64, "no term outlives its records");
        }
    }
}
