//! `index/graph.redb`: the triples of the open catalog, made for pattern matching.
//!
//! Everything here is derived: the file is deleted and made again whenever it
//! does not fit. Terms are numbered; a quad is four numbers, kept in three
//! orders, so that each pattern is one range. What a term means is not known
//! here: terms are bytes.

use std::path::Path;
use std::sync::Arc;

use redb::{OwnedRange, ReadOnlyTable, ReadableTable, ReadableTableMetadata, TableDefinition};

use super::database::{self, Kind, Store};
use super::error::{Blame, OpenStoreError, ReadStoreError, WriteError};
use super::{GRAPH_FILE, StoreSettings};

const KIND: Kind = Kind {
    file: GRAPH_FILE,
    lost: "nothing is lost: it is made from the open datasets",
    remedy: "the node makes it again by itself",
};
pub(super) const BLAME: Blame = Blame(GRAPH_FILE);

/// Number of a term.
pub type TermId = u32;

pub(super) type Quad = &'static [u8; 16];
pub(super) type Bytes = &'static [u8];

pub(super) const TERMS: TableDefinition<'static, TermId, Bytes> = TableDefinition::new("terms");
pub(super) const IDS: TableDefinition<'static, &'static [u8; 16], TermId> = TableDefinition::new("ids");
/// How often records use a term; one that none uses is deleted.
pub(super) const USES: TableDefinition<'static, TermId, u32> = TableDefinition::new("uses");
pub(super) const SPOG: TableDefinition<'static, Quad, ()> = TableDefinition::new("spog");
pub(super) const POSG: TableDefinition<'static, Quad, ()> = TableDefinition::new("posg");
pub(super) const OSPG: TableDefinition<'static, Quad, ()> = TableDefinition::new("ospg");
/// How many records hold a quad, where more than one does.
pub(super) const SHARED: TableDefinition<'static, Quad, u32> = TableDefinition::new("shared");
/// How many records a graph has.
pub(super) const GRAPHS: TableDefinition<'static, TermId, u32> = TableDefinition::new("graphs");
/// The quads of each record: graph, then subject, predicate and object of each.
pub(super) const RECORDS: TableDefinition<'static, Bytes, Bytes> = TableDefinition::new("records");

pub(super) const POSITION: &str = "position";
const LABEL: &str = "label";

/// The open file. Cheap to clone; all copies are one file.
#[derive(Debug, Clone)]
pub struct GraphStore {
    pub(super) store: Arc<Store>,
}

impl GraphStore {
    /// Opens a file, or makes it.
    pub fn open(path: &Path, settings: StoreSettings) -> Result<Self, OpenStoreError> {
        Self::prepared(Store::open(path, KIND, settings)?).map_err(|error| OpenStoreError::Damaged {
            path: path.to_owned(),
            detail: error.to_string(),
            lost: KIND.lost,
            remedy: KIND.remedy,
        })
    }

    /// A graph in memory.
    pub fn in_memory() -> Self {
        Self::prepared(Store::in_memory(KIND)).expect("tables can be made in memory")
    }

    /// Makes the tables, so that a read never meets a missing one.
    fn prepared(store: Store) -> Result<Self, WriteError> {
        let this = Self { store: Arc::new(store) };
        this.make_tables()?;
        Ok(this)
    }

    /// From what and by which rules the file was made; `None` until it was whole.
    pub fn label(&self) -> Result<Option<String>, ReadStoreError> {
        Ok(self.store.meta(LABEL)?.map(|label| String::from_utf8_lossy(&label).into_owned()))
    }

    /// Notes from what and by which rules the file is made.
    pub fn set_label(&self, label: &str) -> Result<(), WriteError> {
        let write = self.store.write_derived(true)?;
        database::set_meta(&write, LABEL, label.as_bytes(), GRAPH_FILE)?;
        self.store.commit(write)
    }

    /// Brings what [`Self::apply`] did without durability to the disk.
    pub fn persist(&self) -> Result<(), WriteError> {
        self.store.commit(self.store.write_derived(true)?)
    }

    /// A snapshot that no later commit changes.
    pub fn read(&self) -> Result<GraphSnapshot, ReadStoreError> {
        let read = self.store.read()?;
        let position = database::meta(&read, POSITION, GRAPH_FILE)?;
        let position = position.and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes);
        fn open<K: redb::Key, V: redb::Value>(
            read: &redb::ReadTransaction,
            table: TableDefinition<'static, K, V>,
        ) -> Result<ReadOnlyTable<K, V>, ReadStoreError> {
            read.open_table(table).map_err(|error| BLAME.read(error))
        }
        Ok(GraphSnapshot {
            position,
            terms: open(&read, TERMS)?,
            ids: open(&read, IDS)?,
            spog: open(&read, SPOG)?,
            posg: open(&read, POSG)?,
            ospg: open(&read, OSPG)?,
            graphs: open(&read, GRAPHS)?,
        })
    }

    /// Length of the file in bytes.
    pub fn bytes(&self) -> u64 {
        self.store.bytes()
    }
}

/// One moment of the graph.
pub struct GraphSnapshot {
    position: Option<u64>,
    terms: ReadOnlyTable<TermId, Bytes>,
    ids: ReadOnlyTable<&'static [u8; 16], TermId>,
    spog: ReadOnlyTable<Quad, ()>,
    posg: ReadOnlyTable<Quad, ()>,
    ospg: ReadOnlyTable<Quad, ()>,
    graphs: ReadOnlyTable<TermId, u32>,
}

impl GraphSnapshot {
    /// The commit of its source that it has reached; `None` before the first.
    pub fn position(&self) -> Option<u64> {
        self.position
    }

    /// The number of a term, if any record uses it.
    pub fn id(&self, term: &[u8]) -> Result<Option<TermId>, ReadStoreError> {
        let id = self.ids.get(&term_key(term)).map_err(|error| BLAME.read(error))?;
        Ok(id.map(|id| id.value()))
    }

    /// A term, given to `read` as bytes.
    pub fn term<T>(&self, id: TermId, read: impl FnOnce(&[u8]) -> T) -> Result<T, ReadStoreError> {
        let term = self.terms.get(id).map_err(|error| BLAME.read(error))?;
        let term = term.ok_or_else(|| BLAME.row("terms", format!("term {id} is missing")))?;
        Ok(read(term.value()))
    }

    /// The quads with the given subject, predicate and object, in all graphs.
    /// Those of one triple follow one another.
    pub fn quads(&self, pattern: [Option<TermId>; 3]) -> Result<GraphRange, ReadStoreError> {
        let [s, p, o] = pattern;
        let (order, table, prefix) = match (s, p, o) {
            (None, Some(_), _) => (Order::Pos, &self.posg, [p, o, None]),
            (_, None, Some(_)) => (Order::Osp, &self.ospg, [o, s, None]),
            _ => (Order::Spo, &self.spog, [s, p, o]),
        };
        let known = prefix.iter().take_while(|id| id.is_some()).count();
        let (mut first, mut last) = ([0; 16], [u8::MAX; 16]);
        for (at, id) in prefix.iter().flatten().take(known).enumerate() {
            first[at * 4..][..4].copy_from_slice(&id.to_be_bytes());
            last[at * 4..][..4].copy_from_slice(&id.to_be_bytes());
        }
        let range = table.range_owned::<&[u8; 16]>(&first..=&last).map_err(|error| BLAME.read(error))?;
        Ok(GraphRange { range, order })
    }

    /// The graphs that have records.
    pub fn graphs(&self) -> Result<Vec<TermId>, ReadStoreError> {
        let rows = self.graphs.iter().map_err(|error| BLAME.read(error))?;
        rows.map(|row| row.map(|(id, _)| id.value()).map_err(|error| BLAME.read(error))).collect()
    }

    /// How many quads and terms there are.
    pub fn counts(&self) -> Result<(u64, u64), ReadStoreError> {
        let quads = self.spog.len().map_err(|error| BLAME.read(error))?;
        Ok((quads, self.terms.len().map_err(|error| BLAME.read(error))?))
    }
}

impl std::fmt::Debug for GraphSnapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GraphSnapshot").field("position", &self.position).finish_non_exhaustive()
    }
}

/// Quads of one pattern; keeps its snapshot alive.
pub struct GraphRange {
    range: OwnedRange<Quad, ()>,
    order: Order,
}

impl Iterator for GraphRange {
    /// Subject, predicate, object, graph.
    type Item = Result<[TermId; 4], ReadStoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.range.next()?.map_err(|error| BLAME.read(error));
        Some(row.map(|(key, _)| self.order.quad(split(key.value()))))
    }
}

impl std::fmt::Debug for GraphRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GraphRange").field("order", &self.order).finish_non_exhaustive()
    }
}

/// The order of the numbers in a key; the graph is always last.
#[derive(Debug, Clone, Copy)]
pub(super) enum Order {
    Spo,
    Pos,
    Osp,
}

impl Order {
    fn quad(self, [a, b, c, graph]: [TermId; 4]) -> [TermId; 4] {
        match self {
            Self::Spo => [a, b, c, graph],
            Self::Pos => [c, a, b, graph],
            Self::Osp => [b, c, a, graph],
        }
    }

    pub(super) fn key(self, [s, p, o, graph]: [TermId; 4]) -> [u8; 16] {
        join(match self {
            Self::Spo => [s, p, o, graph],
            Self::Pos => [p, o, s, graph],
            Self::Osp => [o, s, p, graph],
        })
    }
}

fn join(ids: [TermId; 4]) -> [u8; 16] {
    let mut key = [0; 16];
    for (at, id) in ids.iter().enumerate() {
        key[at * 4..][..4].copy_from_slice(&id.to_be_bytes());
    }
    key
}

pub(super) fn split(key: &[u8; 16]) -> [TermId; 4] {
    let id = |at: usize| TermId::from_be_bytes([key[at], key[at + 1], key[at + 2], key[at + 3]]);
    [id(0), id(4), id(8), id(12)]
}

/// Under which key the number of a term is found.
pub(super) fn term_key(term: &[u8]) -> [u8; 16] {
    const CONTEXT: &str = "hanse graph term 1";
    let hash = crdt::encoding::hash(CONTEXT, &[term]);
    let mut key = [0; 16];
    key.copy_from_slice(&hash[..16]);
    key
}
