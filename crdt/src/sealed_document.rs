//! A document with its sealed history: the only place where a change enters.
//!
//! [`SealedDocument`] holds one epoch of one document: the Automerge document,
//! its [`Structure`], and the seals by which every value can be traced to its
//! author (I3). Local edits and remote changes take the same way in: operations,
//! structural rules, rebuilt change, staging. It verifies no signatures; that
//! is done before, by [`gate::verify`](crate::gate::verify).
//!
//! [`OnlyChange`] is the quick way in for most of what a newcomer fetches.

mod only_change;

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

use ed25519_dalek::SigningKey;

use crate::{
    audience::Audience,
    document::{Document, EditError, Edited, LocalChange},
    epoch::EpochRecord,
    frontier::{Frontier, FrontierEntry},
    gate::{Code, Rejection, Structure, StructureError},
    genesis::Genesis,
    ids::{
        ActorId, BootNonce, CertificateHash, ChangeHash, DocumentId, FederationId, Pseudonym, SealHash,
        UnixMillis,
    },
    inventory::Holding,
    operations::Operations,
    seal::{ALGORITHM, AdmittedChange, FEATURE_LEVEL, Seal, SealedChange, VerifiedChange},
    signed::{Signed, public_key},
};

pub use only_change::OnlyChange;

/// Changes of one epoch; the owner starts the next before (protocol section 13).
pub const EPOCH_CHANGES_MAX: usize = 2_000;
/// Actors of one epoch.
pub const EPOCH_ACTORS_MAX: usize = 256;

/// What a node signs with.
#[derive(Debug, Clone)]
pub struct Signer {
    /// The league.
    pub federation: FederationId,
    /// The node key.
    pub key: SigningKey,
    /// The town's statement that this key may sign for it.
    pub certificate: CertificateHash,
    /// Version of the newest charter held.
    pub charter_version: u32,
    /// Nonce of this process start.
    pub boot: BootNonce,
}

impl Signer {
    /// The actor of this run in one epoch of one document.
    pub fn actor(&self, document: &DocumentId, epoch: u32) -> ActorId {
        ActorId::derive(&self.federation, document, epoch, &public_key(&self.key), &self.boot)
    }
}

/// Why a local edit was not sealed.
#[derive(Debug, thiserror::Error)]
pub enum AuthorError {
    /// The epoch is full: the next edit needs a new one.
    #[error(
        "the document has {EPOCH_CHANGES_MAX} changes or {EPOCH_ACTORS_MAX} actors in its epoch; start the next epoch"
    )]
    EpochFull,
    /// The edit itself is not possible.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The edit makes a change that other nodes would refuse.
    #[error("the edit is refused: {0}")]
    Refused(Rejection),
}

/// What came of changes that were to enter a document.
#[derive(Debug, Default)]
pub struct Admission {
    /// Those that are in, in their order. Changes held already are not among them.
    pub admitted: Vec<AdmittedChange>,
    /// The first that is not, and why; those after it were not looked at.
    pub refused: Option<(SealedChange, Rejection)>,
}

/// One epoch of one document with its sealed history.
#[derive(Debug, Clone)]
pub struct SealedDocument {
    genesis: Genesis,
    record: Option<Signed<EpochRecord>>,
    document: Document,
    structure: Structure,
    frontier: Frontier,
    seals: BTreeMap<(ActorId, u64), (SealHash, ChangeHash)>,
    changes: Vec<SealedChange>,
}

impl SealedDocument {
    /// An epoch without changes. Epoch 1 of an open document needs no record.
    pub fn begin(genesis: Genesis, record: Option<Signed<EpochRecord>>) -> Self {
        Self {
            genesis,
            record,
            document: Document::empty(),
            structure: Structure::new(genesis.kind),
            frontier: Frontier::default(),
            seals: BTreeMap::new(),
            changes: Vec::new(),
        }
    }

    /// Restores an epoch from our own store, where only admitted changes rest.
    ///
    /// # Errors
    ///
    /// The rejection of a stored change: the store is damaged.
    pub fn restore(
        genesis: Genesis,
        record: Option<Signed<EpochRecord>>,
        changes: Vec<SealedChange>,
    ) -> Result<Self, Rejection> {
        let mut restored = Self::begin(genesis, record);
        let admission = restored.admit(changes.into_iter().map(VerifiedChange).collect());
        match admission.refused {
            Some((_, rejection)) => Err(rejection),
            None => Ok(restored),
        }
    }

    /// What the document's id is the hash of.
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// The document's id.
    pub fn id(&self) -> DocumentId {
        self.genesis.document()
    }

    /// The record of the epoch, where it has one.
    pub fn record(&self) -> Option<&Signed<EpochRecord>> {
        self.record.as_ref()
    }

    /// The document's life number.
    pub fn epoch(&self) -> u32 {
        self.record.as_ref().map_or(1, |record| record.value().epoch)
    }

    /// For whom the epoch is.
    pub fn audience(&self) -> Audience {
        self.record.as_ref().map_or(Audience::Open, |record| record.value().audience.clone())
    }

    /// How far the history is held.
    pub fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// The holding to tell peers of.
    pub fn holding(&self) -> Holding {
        Holding::live(self.epoch(), self.frontier.clone())
    }

    /// The Automerge document.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// The sealed changes in causal order.
    pub fn changes(&self) -> &[SealedChange] {
        &self.changes
    }

    /// Lets verified changes in, in their order, up to the first that does not
    /// fit. What is admitted is applied all at once; after a refusal the
    /// document is as if the refused change had never come.
    pub fn admit(&mut self, changes: Vec<VerifiedChange>) -> Admission {
        let mut admission = Admission::default();
        let mut draft = Draft::of(self);
        let mut prepared = Vec::new();
        for VerifiedChange(change) in changes {
            match draft.prepare(self, &change) {
                Ok(Some((_, rebuilt))) => prepared.push((change, rebuilt)),
                Ok(None) => {}
                Err(rejection) => {
                    admission.refused = Some((change, rejection));
                    break;
                }
            }
        }
        if prepared.is_empty() {
            return admission;
        }
        let rebuilt = prepared.iter().map(|(_, rebuilt)| rebuilt.clone()).collect();
        match stage(&self.document, rebuilt) {
            Ok(document) if admission.refused.is_none() => {
                self.enter(draft, document, prepared, &mut admission);
            }
            // A refused change has left traces in the draft, or one of several
            // changes is unstable: each is admitted on its own.
            _ if prepared.len() > 1 || admission.refused.is_some() => {
                self.admit_one_by_one(prepared, &mut admission);
            }
            Ok(_) => {}
            Err(rejection) => {
                admission.refused = prepared.pop().map(|(change, _)| (change, rejection));
            }
        }
        admission
    }

    fn admit_one_by_one(&mut self, prepared: Vec<(SealedChange, LocalChange)>, admission: &mut Admission) {
        for (change, _) in prepared {
            let mut draft = Draft::of(self);
            let outcome = draft.prepare(self, &change).and_then(|rebuilt| {
                let (_, rebuilt) =
                    rebuilt.ok_or_else(|| Rejection::new(Code::BrokenChain, "the change came twice"))?;
                stage(&self.document, vec![rebuilt.clone()]).map(|document| (rebuilt, document))
            });
            match outcome {
                Ok((rebuilt, document)) => self.enter(draft, document, vec![(change, rebuilt)], admission),
                Err(rejection) => {
                    admission.refused = Some((change, rejection));
                    return;
                }
            }
        }
    }

    fn enter(
        &mut self,
        draft: Draft,
        document: Document,
        prepared: Vec<(SealedChange, LocalChange)>,
        admission: &mut Admission,
    ) {
        self.document = document;
        self.structure = draft.structure;
        self.frontier = draft.frontier;
        self.seals.extend(draft.seals);
        for (change, _) in prepared {
            admission.admitted.push(AdmittedChange(change.clone()));
            self.changes.push(change);
        }
    }

    /// Makes, checks and seals a local change. `edit` gets the document and the
    /// actor to set, and gives the change it made, or nothing where nothing
    /// changes.
    ///
    /// # Errors
    ///
    /// When the epoch is full, or the change would be refused elsewhere; the
    /// document is as it was.
    pub fn author(
        &mut self,
        signer: &Signer,
        pseudonym: Pseudonym,
        now: UnixMillis,
        edit: impl FnOnce(&Document, ActorId) -> Result<Option<Edited>, EditError>,
    ) -> Result<Option<AdmittedChange>, AuthorError> {
        let actor = signer.actor(&self.id(), self.epoch());
        let full = self.changes.len() >= EPOCH_CHANGES_MAX
            || (self.frontier.get(&actor).is_none() && self.frontier.entries().len() >= EPOCH_ACTORS_MAX);
        if full {
            return Err(AuthorError::EpochFull);
        }
        let Some(edited) = edit(&self.document, actor)? else { return Ok(None) };
        let change = LocalChange::from(edited);
        let operations = change.explain().map_err(|error| {
            AuthorError::Refused(Rejection::new(Code::MalformedOperations, error.to_string()))
        })?;
        let last = self.frontier.get(&actor);
        let seal = Seal {
            feature_level: FEATURE_LEVEL,
            algorithm: ALGORITHM,
            federation: signer.federation,
            document: self.id(),
            epoch: self.epoch(),
            actor,
            seq: last.map_or(0, |last| last.seq) + 1,
            change: change.hash(),
            previous: last.map_or(SealHash::default(), |last| last.seal),
            boot: signer.boot,
            certificate: signer.certificate,
            charter_version: signer.charter_version,
            pseudonym,
            time: now,
            signature: [0; 64],
        }
        .sign(&signer.key);
        let sealed = SealedChange { seal, operations: operations.encode(&actor) };
        let mut admission = self.admit(vec![VerifiedChange(sealed)]);
        match admission.refused {
            Some((_, rejection)) => Err(AuthorError::Refused(rejection)),
            None => Ok(admission.admitted.pop()),
        }
    }
}

/// A document's history with changes that are not staged yet.
struct Draft {
    structure: Structure,
    frontier: Frontier,
    seals: BTreeMap<(ActorId, u64), (SealHash, ChangeHash)>,
}

impl Draft {
    fn of(document: &SealedDocument) -> Self {
        Self {
            structure: document.structure.clone(),
            frontier: document.frontier.clone(),
            seals: BTreeMap::new(),
        }
    }

    /// Steps 11 to 16 and 18 of the gate. `None` for a change that is held.
    fn prepare(
        &mut self,
        document: &SealedDocument,
        change: &SealedChange,
    ) -> Result<Option<(Operations, LocalChange)>, Rejection> {
        let seal = &change.seal;
        let hash = seal.hash();
        let known = |seals: &BTreeMap<_, _>| seals.get(&(seal.actor, seal.seq)).copied();
        if let Some((held, _)) = known(&document.seals).or_else(|| known(&self.seals)) {
            if held == hash {
                return Ok(None);
            }
            let detail = format!("{:?} sealed two statements under number {}", seal.actor, seal.seq);
            return Err(Rejection::new(Code::Equivocation, detail));
        }
        self.follows(seal)?;
        if self.structure.changes() >= EPOCH_CHANGES_MAX
            || (seal.seq == 1 && self.frontier.entries().len() >= EPOCH_ACTORS_MAX)
        {
            return Err(Rejection::new(
                Code::EpochFull,
                "the epoch holds as many changes or actors as it may",
            ));
        }
        let operations = Operations::decode(&change.operations, &seal.actor)
            .map_err(|error| Rejection::new(Code::MalformedOperations, error.to_string()))?;
        self.first_change(document, seal, &operations)?;
        self.structure.apply(seal.change, seal.actor, seal.seq, &operations).map_err(|error| {
            let code = match error {
                StructureError::MissingDependency(_) => Code::MissingDependency,
                _ => Code::BadStructure,
            };
            Rejection::new(code, error.to_string())
        })?;
        let rebuilt = catch_unwind(|| LocalChange::rebuild(&operations, &seal.actor, seal.seq))
            .map_err(|_| Rejection::new(Code::Unstable, "rebuilding the change panicked"))?;
        if rebuilt.hash() != seal.change {
            let detail = format!("rebuilt as {:?}, sealed as {:?}", rebuilt.hash(), seal.change);
            return Err(Rejection::new(Code::WrongHash, detail));
        }
        self.frontier.advance(FrontierEntry { actor: seal.actor, seq: seal.seq, seal: hash });
        self.seals.insert((seal.actor, seal.seq), (hash, seal.change));
        Ok(Some((operations, rebuilt)))
    }

    fn follows(&self, seal: &Seal) -> Result<(), Rejection> {
        let (seq, previous) =
            self.frontier.get(&seal.actor).map_or((0, SealHash::default()), |last| (last.seq, last.seal));
        if seal.seq > seq + 1 {
            let detail = format!("number {} of {:?} came, {} is held", seal.seq, seal.actor, seq);
            return Err(Rejection::new(Code::MissingDependency, detail));
        }
        if seal.seq != seq + 1 || seal.previous != previous {
            let detail = format!("number {} of {:?} does not follow the seal held", seal.seq, seal.actor);
            return Err(Rejection::new(Code::BrokenChain, detail));
        }
        Ok(())
    }

    /// An epoch with a record begins with the change that the record names.
    fn first_change(
        &self,
        document: &SealedDocument,
        seal: &Seal,
        operations: &Operations,
    ) -> Result<(), Rejection> {
        // Epoch 1 need not name it: there is nothing before from which to tell it.
        let named = document.record.as_ref().and_then(|record| record.value().first_change);
        match named {
            Some(first) if operations.dependencies.is_empty() && first != seal.change => {
                Err(Rejection::new(Code::BadStructure, "the epoch's record names another first change"))
            }
            _ => Ok(()),
        }
    }
}

/// Applies changes to a clone, saves it, loads it, and requires the same heads:
/// Automerge 0.12 accepts some changes whose document it then cannot load. A
/// panic counts as instability, and the clone is thrown away with it.
fn stage(document: &Document, changes: Vec<LocalChange>) -> Result<Document, Rejection> {
    let unstable = |detail: String| Rejection::new(Code::Unstable, detail);
    let staged = catch_unwind(AssertUnwindSafe(|| {
        let mut staged = document.clone();
        for change in changes {
            staged.apply(change).map_err(|error| error.to_string())?;
        }
        let loaded = Document::load(&staged.save()).map_err(|error| error.to_string())?;
        if loaded.heads() == staged.heads() {
            Ok(staged)
        } else {
            Err("the loaded document has other heads than the saved".to_owned())
        }
    }));
    match staged {
        Ok(Ok(document)) => Ok(document),
        Ok(Err(detail)) => Err(unstable(detail)),
        Err(_) => Err(unstable("applying the change panicked".to_owned())),
    }
}
