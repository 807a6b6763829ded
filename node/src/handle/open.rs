//! Opens a node's data directory, with or without a network above it.

use std::path::Path;
use std::sync::{Arc, Mutex};

use crdt::authority::Authority;
use crdt::ids::{BootNonce, Pseudonym, UnixMillis};
use crdt::manifest::Manifest;
use crdt::signed::Signed;
use crdt::sync::CommittedDocument;
use crdt::vocabulary::Vocabularies;
use ed25519_dalek::SigningKey;
use tokio::sync::{Semaphore, broadcast};

use super::{Board, NodeHandle, Shared};
use crate::directory::{DESK_TOKEN_FILE, Directory, DirectoryError, MemberFile};
use crate::founding::{self, FoundingError};
use crate::import::Jobs;
use crate::keys::{self, KeyError};
use crate::ledger::{Books, Clock, Committed, Indexer, Ledger, OnCommit, committed_documents, system_clock};
use crate::search::OpenSearchError;
use crate::store::{ClosedStore, ReadStoreError, ReplicaStore, StoreSettings, WriteError};
use crate::vocabulary::{self, LoadVocabularyError};

/// Live events that a slow reader may be behind.
const EVENTS_KEPT: usize = 256;
/// Under this name the town knows who works at the desk, until people have roles.
const DESK: &str = "Desk";

/// Why a node could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenNodeError {
    /// The directory or one of its files.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The town's own vocabularies.
    #[error(transparent)]
    Vocabulary(#[from] LoadVocabularyError),
    /// Its charters and certificates do not make an authority.
    #[error("read who may act in the federation: {0}")]
    Authority(#[from] FoundingError),
    /// A key or random bytes.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A store could not be read.
    #[error(transparent)]
    Read(#[from] ReadStoreError),
    /// A store could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The search index.
    #[error(transparent)]
    Search(#[from] OpenSearchError),
    /// A thread could not be started.
    #[error("start a thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// How a node is opened.
pub struct OpenOptions {
    /// How the stores are opened.
    pub store: StoreSettings,
    /// Base address of new datasets' IRIs.
    pub base_url: Option<String>,
    /// The clock.
    pub clock: Clock,
    /// Told of every commit that changed documents.
    pub on_commit: OnCommit,
    /// Nonce of this start; drawn at random where none is given. Only a
    /// rehearsal that must come out the same twice gives one: a nonce that is
    /// used again makes two changes of one name.
    pub boot: Option<BootNonce>,
}

impl Default for OpenOptions {
    fn default() -> Self {
        let on_commit = Box::new(|_: Committed| {});
        Self { store: StoreSettings::default(), base_url: None, clock: system_clock(), on_commit, boot: None }
    }
}

/// An open data directory with its writer and search index at work. Dropped,
/// it finishes what is queued and gives the directory back.
#[derive(Debug)]
pub struct OpenNode {
    // The handle ends before the directory: its threads use the stores.
    handle: NodeHandle,
    directory: Directory,
    boot: BootNonce,
}

impl OpenNode {
    /// Opens a data directory for this process alone. Own open datasets cannot
    /// be changed until [`NodeHandle::allow_publishing`].
    pub fn open(path: &Path, options: OpenOptions) -> Result<Self, OpenNodeError> {
        let directory = Directory::open(path, options.store)?;
        directory.desk_token()?;
        let lists = vocabulary::load(path)?;
        let authority = founding::stored_authority(&directory.replica.read()?)?;
        let boot = boot_nonce(&options)?;
        let indexer = {
            let sources = [directory.replica.id()?, directory.closed.id()?];
            Indexer::open(Some(path), [&sources[0], &sources[1]])?
        };
        let parts = Parts {
            replica: directory.replica.clone(),
            closed: directory.closed.clone(),
            member: directory.member.clone(),
            node_key: directory.node_key.clone(),
            authority,
            boot,
            indexer,
            lists,
        };
        let token_path = Some(path.join(DESK_TOKEN_FILE));
        let handle = parts.assemble(options, token_path)?;
        Ok(Self { handle, directory, boot })
    }

    /// The handle; copies of it keep the node's threads alive.
    pub fn handle(&self) -> &NodeHandle {
        &self.handle
    }

    /// The directory.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Nonce of this start.
    pub fn boot(&self) -> BootNonce {
        self.boot
    }

    /// The key of the node's `PeerId`.
    pub fn transport_key(&self) -> &SigningKey {
        &self.directory.transport_key
    }
}

impl NodeHandle {
    /// A node that lives in memory, for tests of what stands above.
    pub fn in_memory(
        member: MemberFile,
        node_key: SigningKey,
        authority: Option<Authority>,
        options: OpenOptions,
    ) -> Result<Self, OpenNodeError> {
        let stores = (ReplicaStore::in_memory(), ClosedStore::in_memory());
        Self::over(stores, member, node_key, authority, options)
    }

    /// A node over given stores.
    pub(crate) fn over(
        (replica, closed): (ReplicaStore, ClosedStore),
        member: MemberFile,
        node_key: SigningKey,
        authority: Option<Authority>,
        options: OpenOptions,
    ) -> Result<Self, OpenNodeError> {
        if let Some(authority) = &authority {
            let mut write = replica.write()?;
            write.set_federation(authority.federation())?;
            write.put_authority(&authority.export())?;
            write.commit()?;
        }
        let boot = boot_nonce(&options)?;
        let lists = Arc::new(Vocabularies::builtin().clone());
        let indexer = Indexer::open(None, ["", ""])?;
        Parts { replica, closed, member, node_key, authority, boot, indexer, lists }.assemble(options, None)
    }

    /// Who may act for whom; none before a charter is adopted.
    pub fn authority(&self) -> Option<Arc<Authority>> {
        self.shared.books.authority()
    }

    /// Every document with its holding, to begin to synchronise with.
    pub fn committed_documents(&self) -> Result<Vec<CommittedDocument>, ReadStoreError> {
        committed_documents(&self.shared.books.replica.read()?)
    }

    /// The manifests held, to begin to synchronise with.
    pub fn manifests(&self) -> Result<Vec<Signed<Manifest>>, ReadStoreError> {
        self.shared.books.replica.read()?.manifests()
    }

    /// The receipts held for a withdrawn document.
    pub fn receipts(
        &self,
        document: &crdt::ids::DocumentId,
    ) -> Result<Vec<Signed<crdt::epoch::Receipt>>, ReadStoreError> {
        self.shared.books.replica.read()?.receipts(document)
    }

    /// Answers a peer's wants; see [`crate::ledger::load`]. Blocks.
    pub fn load(
        &self,
        wants: &[crdt::sync::Want],
    ) -> Result<Vec<crdt::sync::DocumentChanges>, ReadStoreError> {
        crate::ledger::load(&self.shared.books.replica.read()?, wants)
    }

    /// The time by this node's clock.
    pub fn now(&self) -> UnixMillis {
        (self.shared.clock)()
    }
}

struct Parts {
    replica: ReplicaStore,
    closed: ClosedStore,
    member: MemberFile,
    node_key: SigningKey,
    authority: Option<Authority>,
    boot: BootNonce,
    indexer: Arc<Indexer>,
    lists: Arc<Vocabularies>,
}

impl Parts {
    fn assemble(
        self,
        options: OpenOptions,
        token_path: Option<std::path::PathBuf>,
    ) -> Result<NodeHandle, OpenNodeError> {
        let pseudonym = desk_pseudonym(&self.closed)?;
        let imports = Arc::new(Jobs::remembering(self.closed.read()?.reports()?));
        let info = self.member.info();
        let books =
            Books::new(self.replica, self.closed, info, self.node_key, self.boot, self.authority, self.lists);
        let books = Arc::new(books);
        let (events, _) = broadcast::channel(EVENTS_KEPT);
        let ledger = Ledger::start(
            Arc::clone(&books),
            Arc::clone(&options.clock),
            Arc::clone(&self.indexer),
            events.clone(),
            options.on_commit,
        )?;
        let threads = self.indexer.start(Arc::clone(&books))?;
        let shared = Shared {
            books,
            ledger,
            indexer: self.indexer,
            index_threads: Mutex::new(threads),
            queries: Arc::new(Semaphore::new(super::sparql::QUERIES_MAX)),
            board: Board::new(events.clone()),
            events,
            clock: options.clock,
            base_url: options.base_url,
            token_path,
            pseudonym,
            imports,
            harvests: Default::default(),
            duplicates: Default::default(),
        };
        Ok(NodeHandle { shared: Arc::new(shared) })
    }
}

fn boot_nonce(options: &OpenOptions) -> Result<BootNonce, KeyError> {
    options.boot.map_or_else(|| keys::random().map(BootNonce), Ok)
}

/// The pseudonym of the desk; drawn once per data directory.
fn desk_pseudonym(closed: &ClosedStore) -> Result<Pseudonym, OpenNodeError> {
    if let Some(pseudonym) = closed.read()?.pseudonym_of(DESK)? {
        return Ok(pseudonym);
    }
    let pseudonym = Pseudonym(keys::random()?);
    let mut write = closed.write()?;
    write.put_person(&pseudonym, DESK)?;
    write.commit()?;
    Ok(pseudonym)
}
