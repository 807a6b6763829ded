//! Five towns, their federation and as many generated records as are wanted.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use crdt::catalog::{Dataset, DatasetEdit, publishable};
use crdt::genesis::{DocumentKind, Genesis, GenesisClass};
use crdt::ids::{BootNonce, FederationId, GenesisNonce, Pseudonym, Town, UnixMillis};
use crdt::seal::AdmittedChange;
use crdt::sealed_document::{SealedDocument, Signer};
use node::config::Config;
use node::demo::{DemoTown, synthetic_record};
use node::directory::{Directory, NewTown};
use node::founding;
use node::handle::NodeHandle;
use node::ledger::view_of;
use node::node::{Node, Reach};
use node::store::{DocumentRow, StoreSettings};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Of all generated records.
const SEED: u64 = 1;
/// Documents that share one commit when a store is filled.
const BATCH: usize = 2_000;
const NOW: UnixMillis = UnixMillis(1_780_000_000_000);

const TOWNS: [(&str, &str, &str); 5] = [
    ("05974040", "soest", "Soest"),
    ("05958004", "arnsberg", "Arnsberg"),
    ("05962032", "menden", "Menden"),
    ("05966024", "olpe", "Olpe"),
    ("05970004", "bad-berleburg", "Bad Berleburg"),
];

/// One town's directory and what signs for it.
pub(crate) struct Home {
    pub(crate) town: DemoTown,
    pub(crate) path: PathBuf,
    signer: Signer,
}

/// The member that holds the large catalog.
pub(crate) const HOLDER: usize = 0;
/// Whose datasets the large catalog has: not those of the last town, which joins.
pub(crate) const OWNERS: [usize; 4] = [0, 1, 2, 3];

/// One member with a large catalog, filled when it is first asked for: several
/// measurements share it.
pub(crate) struct Large {
    pub(crate) datasets: usize,
    world: Option<World>,
}

impl Large {
    pub(crate) fn new(datasets: usize) -> Self {
        Self { datasets, world: None }
    }

    pub(crate) fn world(&mut self) -> Result<&World> {
        if self.world.is_none() {
            let world = World::found()?;
            let begun = Instant::now();
            world.fill(HOLDER, &OWNERS, self.datasets)?;
            println!("prepared {} datasets in {:.1} s", self.datasets, begun.elapsed().as_secs_f64());
            self.world = Some(world);
        }
        self.world.as_ref().context("it was made above")
    }

    /// The directory of the member that holds it.
    pub(crate) fn directory(&mut self) -> Result<&Path> {
        Ok(&self.world()?.homes[HOLDER].path)
    }
}

/// A founded federation on disk.
pub(crate) struct World {
    pub(crate) homes: Vec<Home>,
    root: TempDir,
}

impl World {
    /// Founds the federation in a directory that goes when the world does.
    pub(crate) fn found() -> Result<Self> {
        let root = tempfile::Builder::new().prefix("federation-").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let towns = TOWNS.map(|(town, code, name)| DemoTown {
            town: Town::parse(town).expect("a municipality key"),
            code: code.to_owned(),
            name: name.to_owned(),
            base_url: format!("https://daten.{code}.example"),
            mailbox: format!("daten@{code}.example"),
        });
        let mut members = Vec::new();
        for town in &towns {
            let (code, name) = (town.code.clone(), town.name.clone());
            let new = NewTown { town: town.town, code, name, addresses: Vec::new() };
            members.push(Directory::init(&root.path().join(&town.code), &new)?);
        }
        let mut charter = founding::found("Messbund", &members, [7; 16], NOW)?;
        let settings = StoreSettings::default();
        let open = |town: &DemoTown| Directory::open(&root.path().join(&town.code), settings);
        let directories = towns.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        for directory in &directories {
            founding::sign(&mut charter, &directory.identity_key()?)?;
        }
        let federation: FederationId = charter.id().as_federation();
        let mut certificates = Vec::new();
        for directory in &directories {
            let identity = directory.identity_key()?;
            certificates.push(founding::certificate(&directory.member, federation, &identity));
        }
        let mut homes = Vec::new();
        for ((town, directory), certificate) in towns.into_iter().zip(&directories).zip(&certificates) {
            founding::adopt(directory, charter.clone(), certificates.clone())?;
            let signer = Signer {
                federation,
                key: directory.node_key.clone(),
                certificate: certificate.id(),
                charter_version: 1,
                boot: BootNonce([9; 16]),
            };
            homes.push(Home { path: root.path().join(&town.code), town, signer });
        }
        Ok(Self { homes, root })
    }

    /// Where everything lies.
    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// Fills the store of one town with open datasets of the given owners, as
    /// if they had been published there or had come from there, and builds
    /// the search index.
    pub(crate) fn fill(&self, holder: usize, owners: &[usize], count: usize) -> Result<()> {
        let home = &self.homes[holder];
        let directory = Directory::open(&home.path, StoreSettings::default())?;
        let mut position = directory.replica.read()?.position()?;
        for start in (0..count).step_by(BATCH) {
            let end = count.min(start + BATCH);
            let middle = start + (end - start) / 2;
            let made = std::thread::scope(|scope| {
                let late = scope.spawn(|| self.documents(owners, middle..end));
                let mut made = self.documents(owners, start..middle)?;
                made.extend(late.join().expect("documents are made without a panic")?);
                anyhow::Ok(made)
            })?;
            position += 1;
            let mut write = directory.replica.write()?;
            for (sealed, change) in &made {
                let (view, dataset) = view_of(sealed);
                let (id, genesis, holding) = (sealed.id(), *sealed.genesis(), sealed.holding());
                write.append_changes(&id, sealed.epoch(), 0, std::slice::from_ref(change))?;
                let view = view.context("a dataset has a view")?;
                let first = change.sealed().operations.as_slice();
                write.put_view(&id, sealed.epoch(), &view, Some(first))?;
                write.put_document(
                    &id,
                    &DocumentRow { genesis, holding, position, dataset, replaced: false },
                )?;
            }
            write.set_position(position)?;
            write.commit()?;
        }
        drop(directory);
        let runtime = runtime("filler")?;
        let node = runtime.block_on(Node::start(&home.path, &config(&[]), Reach::Nobody))?;
        node.handle().settle_search();
        runtime.block_on(node.shutdown());
        Ok(())
    }

    fn documents(
        &self,
        owners: &[usize],
        numbers: std::ops::Range<usize>,
    ) -> Result<Vec<(SealedDocument, AdmittedChange)>> {
        numbers.map(|number| self.document(owners, number)).collect()
    }

    fn document(&self, owners: &[usize], number: usize) -> Result<(SealedDocument, AdmittedChange)> {
        let home = &self.homes[owners[number % owners.len()]];
        let hash = crdt::encoding::hash("bench nonce", &[&number.to_be_bytes()]);
        let nonce: [u8; 16] = std::array::from_fn(|at| hash[at]);
        let genesis = Genesis {
            federation: home.signer.federation,
            kind: DocumentKind::Dataset,
            owner: home.town.town,
            class: GenesisClass::Open,
            nonce: GenesisNonce(nonce),
        };
        let edit = DatasetEdit::first(&self.dataset(owners, number)?);
        let mut sealed = SealedDocument::begin(genesis, None);
        // Records are made over years, not in one second.
        let at = UnixMillis(NOW.0 + number as i64 * 977);
        let change = sealed.author(&home.signer, Pseudonym([3; 16]), at, |document, actor| {
            document.edit_dataset(actor, &edit)
        })?;
        Ok((sealed, change.context("a record changes an empty document")?))
    }

    /// The open dataset of a number.
    pub(crate) fn dataset(&self, owners: &[usize], number: usize) -> Result<Dataset> {
        let record = synthetic_record(SEED, &self.homes[owners[number % owners.len()]].town, number as u64);
        publishable(&record, None, crdt::vocabulary::Vocabularies::builtin())
            .map_err(|obstacles| anyhow::anyhow!("not publishable: {obstacles:?}"))
    }

    /// Starts all five nodes, each connected with every other; the last waits
    /// until all have the same number of datasets.
    pub(crate) async fn start_all(&self, dial: impl AsyncFn(&str) -> Result<String>) -> Result<Vec<Node>> {
        let mut nodes: Vec<Node> = Vec::new();
        for home in &self.homes {
            let mut addresses = Vec::new();
            for earlier in &nodes {
                let address = earlier.addresses().into_iter().next().context("a node that listens")?;
                addresses.push(dial(&address).await?);
            }
            nodes.push(Node::start(&home.path, &config(&addresses), Reach::Peers).await?);
        }
        Ok(nodes)
    }
}

/// A node's settings: ports of the system's choice, and whom to dial.
pub(crate) fn config(dial: &[String]) -> Config {
    let mut config = Config::default();
    config.network.listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
    config.network.dial = dial.to_vec();
    config.public.listen = ([127, 0, 0, 1], 0).into();
    config.desk.listen = ([127, 0, 0, 1], 0).into();
    config
}

/// Threads under a name of their own.
pub(crate) fn runtime(name: &str) -> Result<Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name(name)
        .enable_all()
        .build()?)
}

/// Waits until a node has this many open datasets and all of them are found.
pub(crate) async fn wait_for(handle: &NodeHandle, datasets: usize) -> Result<()> {
    let handle = handle.clone();
    let all = move || {
        let status = handle.status();
        status.store.datasets == datasets as u64 && status.queues.index_behind == 0
    };
    let deadline = Instant::now() + Duration::from_secs(3_600);
    loop {
        let all = all.clone();
        if tokio::task::spawn_blocking(all).await? {
            return Ok(());
        }
        anyhow::ensure!(Instant::now() < deadline, "not all datasets came within an hour");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
