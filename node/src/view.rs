//! What readers of a node are shown: plain values, made from stored views.
//!
//! Every read names its [`Reader`], and [`Reader::may_see`] is the one audience
//! check. Nothing here holds a table, a document or a key, and no value of
//! these types is ever sent to a peer.

use std::collections::BTreeMap;

use crdt::catalog::{Class, Dataset, Internal, LifecycleStatus, Title};
use crdt::ids::{
    ActorId, ChangeHash, CharterHash, DatasetId, DocumentId, FederationId, Pseudonym, Town, UnixMillis,
};
use serde::{Deserialize, Serialize};

pub use crate::search::{
    Area, Condition, Expression, Facet, FacetCount as ValueCount, Fit, Folding, MomentField, NamedField,
    PATTERN_BYTES_MAX, PATTERN_STRETCHES_MAX, Pattern, PatternPiece, Position, Shape, Sort as Order, Span,
};

/// Datasets on one page of a search at most.
pub const PAGE_LIMIT_MAX: usize = 100;
/// Datasets that can be skipped at most: deeper pages cost more than they tell.
pub const PAGE_OFFSET_MAX: usize = 9_900;
/// Longest search text in bytes.
pub const SEARCH_TEXT_BYTES_MAX: usize = 1_000;
/// Values that one filter of a search may name at most.
pub const FILTER_VALUES_MAX: usize = 64;

/// For whom a query is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reader {
    /// Anybody: open datasets only.
    Public,
    /// The town's own staff: everything this node holds.
    Staff,
}

impl Reader {
    /// Whether this reader may know that a dataset of this class exists. For
    /// one it may not, every answer is that of an unknown id.
    pub fn may_see(self, class: Class) -> bool {
        match self {
            Self::Public => class == Class::Open,
            Self::Staff => true,
        }
    }
}

/// A town, as people know it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TownInfo {
    /// Its municipality key, the identity.
    pub town: Town,
    /// Its short name in paths, such as `bad-berleburg`.
    pub code: String,
    /// Its name, such as `Bad Berleburg`.
    pub name: String,
}

/// The league this node belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FederationInfo {
    /// Hash of the first charter.
    pub id: FederationId,
    /// Name in the charter.
    pub name: String,
    /// Version of the charter in force.
    pub charter_version: u32,
    /// Hash of the charter in force.
    pub charter: CharterHash,
}

/// In which order hits come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Best match first; without a text, newest first.
    #[default]
    Relevance,
    /// Newest `dct:modified` first.
    Modified,
    /// By title, as German dictionaries sort.
    Title,
}

/// What to look for. Values of one filter are alternatives, filters add up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SearchQuery {
    /// Words as typed; empty finds all.
    pub text: String,
    /// Municipality keys or short names.
    pub town: Vec<String>,
    /// Codes of EU data themes.
    pub theme: Vec<String>,
    /// Data domains.
    pub domain: Vec<String>,
    /// Formats.
    pub format: Vec<String>,
    /// Licence IRIs or codes.
    pub licence: Vec<String>,
    /// Codes of EU frequencies.
    pub frequency: Vec<String>,
    /// Classes; the audience check comes first.
    pub class: Vec<String>,
    /// What else must be true of a dataset.
    pub condition: Option<Condition>,
    /// Hits to skip.
    pub offset: usize,
    /// Hits to give, at most [`PAGE_LIMIT_MAX`].
    pub limit: usize,
    /// Whether to mark the words found.
    pub highlight: bool,
    /// Order of the hits.
    pub sort: Sort,
}

/// One page of hits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SearchPage {
    /// Hits on all pages.
    pub total: usize,
    /// Hits on this page.
    pub items: Vec<SearchHit>,
    /// Counts by filter: `town`, `theme`, `domain`, `format`, `licence`, `frequency`, `class`.
    pub facets: BTreeMap<String, Vec<FacetCount>>,
    /// No dataset contains all words; these contain some.
    pub relaxed: bool,
}

/// One dataset found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SearchHit {
    /// The dataset.
    pub id: DatasetId,
    /// Its document; none for a closed record.
    pub document: Option<DocumentId>,
    /// `dct:identifier`.
    pub identifier: Option<String>,
    /// Title.
    pub title: Title,
    /// Beginning of the description, or the passage found.
    pub excerpt: String,
    /// Its town.
    pub town: Town,
    /// The town's name.
    pub town_name: String,
    /// Its class.
    pub class: Class,
    /// Where it stands in its life.
    pub status: LifecycleStatus,
    /// `dct:modified`, RFC 3339.
    pub modified: Option<String>,
    /// Codes of its EU data themes.
    pub themes: Vec<String>,
    /// Its formats.
    pub formats: Vec<String>,
    /// IRI of its licence.
    pub licence: Option<String>,
    /// With [`SearchQuery::highlight`]: `title/de`, `title/en`, `description/de`
    /// and `description/en` in pieces, as far as there are such texts.
    pub highlights: BTreeMap<String, Vec<Fragment>>,
}

/// A piece of a text, not escaped for any markup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fragment {
    /// The piece.
    pub text: String,
    /// Whether it is what was searched for.
    pub marked: bool,
}

/// How many hits have one value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FacetCount {
    /// The value to filter by.
    pub value: String,
    /// What people read.
    pub label: String,
    /// Hits with it.
    pub count: usize,
}

/// What the seals of a dataset are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureVerdict {
    /// Every change was sealed by a node that the owner town has certified.
    Verified,
    /// The owner sealed two different changes under one number; the document
    /// stays at what came first.
    Equivocation,
    /// A closed record: it never leaves the town and carries no seal.
    Local,
}

/// One dataset with what is known about it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DatasetDetail {
    /// The public part.
    pub dataset: Dataset,
    /// Fields that this version does not know, by their path.
    pub extra: BTreeMap<String, serde_json::Value>,
    /// The owner.
    pub town: TownInfo,
    /// Who may see it.
    pub class: Class,
    /// Its document; none for a closed record.
    pub document: Option<DocumentId>,
    /// Life number of the document.
    pub epoch: Option<u32>,
    /// Newest changes; give them back with an edit.
    pub heads: Vec<ChangeHash>,
    /// Changes in this epoch.
    pub changes: u64,
    /// When the newest change was sealed, by its author's clock.
    pub sealed_at: Option<UnixMillis>,
    /// Paths of fields with more than one current value.
    pub conflicts: Vec<String>,
    /// What the seals are worth.
    pub verdict: SignatureVerdict,
    /// The town's own notes: only for [`Reader::Staff`] and own records. Not
    /// part of the JSON, so that no answer contains it by accident.
    #[serde(skip)]
    pub internal: Option<Internal>,
}

/// One change of a dataset and what it did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HistoryEntry {
    /// When, by the author's clock; information only.
    pub at: UnixMillis,
    /// The author's town.
    pub town: Town,
    /// The author, known by name only in that town.
    pub pseudonym: Pseudonym,
    /// The change.
    pub change: ChangeHash,
    /// The run that made it.
    pub actor: ActorId,
    /// Its place in the run.
    pub seq: u64,
    /// What changed for a reader.
    pub fields: Vec<FieldDifference>,
}

/// One field before and after a change; `None` is "not there".
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldDifference {
    /// Path, `/` between its parts.
    pub path: String,
    /// Value before.
    pub before: Option<serde_json::Value>,
    /// Value after.
    pub after: Option<serde_json::Value>,
}

/// A field that people have set to different values at the same time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Conflict {
    /// Path, `/` between its parts.
    pub path: String,
    /// The values; readers are shown the first until a person settles it.
    pub values: Vec<ConflictValue>,
}

/// One of several current values.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConflictValue {
    /// The value; `None` if this author removed it.
    pub value: Option<serde_json::Value>,
    /// When, by the author's clock.
    pub at: UnixMillis,
    /// The author's town.
    pub town: Town,
    /// The author.
    pub pseudonym: Pseudonym,
    /// The change.
    pub change: ChangeHash,
}

/// What became of an edit of the town's catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogReceipt {
    /// The newest changes now.
    pub heads: Vec<ChangeHash>,
    /// Whether anything was changed.
    pub changed: bool,
}

/// What a writer gets once the change is durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// The dataset.
    pub id: DatasetId,
    /// Its document; none for a closed record.
    pub document: Option<DocumentId>,
    /// Its class now.
    pub class: Class,
    /// Newest changes; give them back with the next edit.
    pub heads: Vec<ChangeHash>,
    /// Whether anything was changed.
    pub changed: bool,
}

/// How far a node is on its way up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Opens its files and brings the search index up to date.
    Starting,
    /// Asks the other towns for what it missed; does not publish yet.
    CatchingUp,
    /// Serves and publishes.
    Ready,
}

/// One other town as seen from here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PeerStatus {
    /// The town.
    #[serde(flatten)]
    pub info: TownInfo,
    /// Whether a session is up.
    pub connected: bool,
    /// Address of the connection, or the last one tried.
    pub address: Option<String>,
    /// Changes it is known to have that are not here yet.
    pub lag_changes: u64,
    /// Age of the oldest difference, in seconds; zero when equal.
    pub lag_seconds: u64,
    /// When it was last heard.
    pub last_seen: Option<UnixMillis>,
    /// Failed dials and refused messages since the start.
    pub failures: u64,
    /// The last failure in words.
    pub last_failure: Option<String>,
    /// Open datasets of this town held here.
    pub datasets: u64,
}

/// The newest change to an open dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewestChange {
    /// The dataset.
    pub id: DatasetId,
    /// Its title.
    pub title: Title,
    /// Its town.
    pub town: Town,
    /// The town's name.
    pub town_name: String,
    /// When it was sealed.
    pub at: UnixMillis,
}

/// What the two stores hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct StoreStatus {
    /// Open datasets of all towns.
    pub datasets: u64,
    /// Closed records and drafts of this town.
    pub closed: u64,
    /// Sealed documents.
    pub documents: u64,
    /// Sealed changes.
    pub changes: u64,
    /// Size of `replica.redb`.
    pub replica_bytes: u64,
    /// Size of `closed.redb`.
    pub closed_bytes: u64,
    /// Number of the last commit.
    pub position: u64,
}

/// How full the queues are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct QueueStatus {
    /// Jobs that wait for the writer.
    pub ledger: u64,
    /// How many may.
    pub ledger_max: u64,
    /// Remote changes that wait to be checked.
    pub judge: u64,
    /// Commits that the search index has not taken in.
    pub index_behind: u64,
}

/// What was signed validly and is nonsense all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct QuarantineStatus {
    /// Changes kept aside.
    pub changes: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Authors that sealed two changes under one number.
    pub equivocations: u64,
}

/// Everything staff may know about the node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The town.
    pub node: TownInfo,
    /// Version of the program.
    pub version: &'static str,
    /// The league, once founded or joined.
    pub federation: Option<FederationInfo>,
    /// How far the start is.
    pub phase: Phase,
    /// The other towns.
    pub peers: Vec<PeerStatus>,
    /// The newest change to an open dataset.
    pub newest_change: Option<NewestChange>,
    /// What is stored.
    pub store: StoreStatus,
    /// What waits.
    pub queues: QueueStatus,
    /// What was set aside.
    pub quarantine: QuarantineStatus,
}

/// What anybody may know about the node: nothing depends on a closed record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublicStatus {
    /// The town.
    pub node: TownInfo,
    /// Version of the program.
    pub version: &'static str,
    /// The league.
    pub federation: Option<FederationInfo>,
    /// How far the start is.
    pub phase: Phase,
    /// Open datasets of all towns.
    pub datasets: u64,
    /// Every town of the league, this one included.
    pub towns: Vec<PublicTown>,
    /// The newest change to an open dataset.
    pub newest_change: Option<NewestChange>,
}

/// What anybody may know about one town's node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublicTown {
    /// The town.
    #[serde(flatten)]
    pub info: TownInfo,
    /// Whether this is the node that answers.
    pub here: bool,
    /// Whether a session is up.
    pub connected: bool,
    /// Open datasets of the town held here.
    pub datasets: u64,
    /// Changes it is known to have that are not here yet.
    pub lag_changes: u64,
    /// Age of the oldest difference, in seconds.
    pub lag_seconds: u64,
    /// When it was last heard.
    pub last_seen: Option<UnixMillis>,
}

/// Something that a live page shows; a reader that is too slow loses the
/// oldest. INVARIANT: no event is sent for a closed record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum StatusEvent {
    /// The node went one step on.
    Phase {
        /// The phase now.
        phase: Phase,
    },
    /// Something about another town changed; ask for the status.
    Peers,
    /// An open dataset changed.
    Change {
        /// Which and when.
        newest: NewestChange,
    },
}
