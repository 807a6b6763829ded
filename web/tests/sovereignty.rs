//! I2, two worlds: one town with closed records and drafts, one without. What
//! a peer or a public reader can see is the same to the byte.
//!
//! Both worlds begin as copies of one data directory and run with the same
//! clock and boot nonce, so that nothing but the protected records differs.
//! The peer is scripted: it asks all that the protocol lets it ask, for what
//! exists and for what does not. Its transcript is taken before compression.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

#[path = "sovereignty/ckan.rs"]
mod ckan;
#[path = "sovereignty/cql.rs"]
mod cql;
#[path = "sovereignty/walks.rs"]
mod walks;

use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::sync::{Arc, mpsc};

use axum::body::Body;
use axum::http::{Request, header};
use crdt::audience::Audience;
use crdt::catalog::{NewDataset, RecordEdit};
use crdt::ids::{BootNonce, DatasetId, DocumentId, Millis, Town, UnixMillis};
use crdt::inventory::Prefix;
use crdt::sync::{Effect, Event, Hello, Message, SessionId, SetKey, Sync, Want};
use node::config::Config;
use node::directory::{Directory, NewTown};
use node::founding;
use node::handle::{NodeHandle, OpenNode, OpenOptions};
use node::ledger::Committed;
use node::store::StoreSettings;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

const CANARY: &str = "Zugangscodes Wasserwerk Canary";
const OPEN_CANARY: &str = "Baumkataster Canary";
const PEER: SessionId = SessionId(1);

struct World {
    // Dropped first: its threads use the stores of the directory.
    handle: NodeHandle,
    _open: OpenNode,
    commits: mpsc::Receiver<Committed>,
    sync: Sync,
    now: Millis,
    transcript: Vec<(u8, Vec<u8>)>,
    handed_over: Vec<DocumentId>,
}

fn clock() -> node::ledger::Clock {
    Arc::new(|| UnixMillis(1_795_000_000_000))
}

fn open(path: &Path, boot: u8) -> (OpenNode, mpsc::Receiver<Committed>) {
    let (sender, commits) = mpsc::channel();
    let options = OpenOptions {
        clock: clock(),
        boot: Some(BootNonce([boot; 16])),
        on_commit: Box::new(move |committed| drop(sender.send(committed))),
        ..OpenOptions::default()
    };
    let open = OpenNode::open(path, options).unwrap();
    open.handle().allow_publishing(true);
    (open, commits)
}

fn record(title: &str) -> NewDataset {
    NewDataset::parse(&json!({
        "title": {"de": title},
        "description": {"de": "Standorte, Baumart und Pflanzjahr der städtischen Bäume."},
        "publisher": {"name": "Stadt Soest"},
        "contact": {"name": "Zentrales Datenmanagement", "email": "opendata@soest.example"},
        "licence": "http://dcat-ap.de/def/licenses/dl-zero-de/2.0",
        "themes": ["ENVI"],
        "keywords": {"de": ["Baum"]},
        "personal_data": "keiner",
        "distributions": [{"title": {"de": "CSV"}, "access_url": "https://daten.soest.example/baum.csv", "format": "CSV"}],
        "internal": {"responsible_role": {"role": "Daten-Verantwortliche", "mailbox": "gruen@soest.example"}}
    }))
    .unwrap()
}

/// Founds two towns; Soest publishes three records. Gives the id of one.
async fn found(root: &Path) -> DatasetId {
    let towns = [("05974040", "soest", "Soest"), ("05958004", "arnsberg", "Arnsberg")];
    let paths: Vec<_> = towns.iter().map(|(_, code, _)| root.join(code)).collect();
    let mut members = Vec::new();
    for ((town, code, name), path) in towns.iter().zip(&paths) {
        let new = NewTown {
            town: Town::parse(town).unwrap(),
            code: (*code).to_owned(),
            name: (*name).to_owned(),
            addresses: vec![],
        };
        members.push(Directory::init(path, &new).unwrap());
    }
    let mut charter = founding::found("Probe", &members, [7; 16], clock()()).unwrap();
    let federation = charter.id().as_federation();
    let opened: Vec<_> =
        paths.iter().map(|path| Directory::open(path, StoreSettings::default()).unwrap()).collect();
    let mut certificates = Vec::new();
    for directory in &opened {
        let identity = directory.identity_key().unwrap();
        founding::sign(&mut charter, &identity).unwrap();
        certificates.push(founding::certificate(&directory.member, federation, &identity));
    }
    for directory in &opened {
        founding::adopt(directory, charter.clone(), certificates.clone()).unwrap();
    }
    drop(opened);
    let (node, _commits) = open(&paths[0], 1);
    let handle = node.handle().clone();
    let mut first = None;
    for number in 0..3 {
        let id = handle.create(record(&format!("{OPEN_CANARY} {number}"))).await.unwrap().id;
        handle.publish(id).await.unwrap();
        first.get_or_insert(id);
    }
    first.unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// Everything that must leave no trace.
async fn protect(handle: &NodeHandle) {
    let closed = handle.create(record(CANARY)).await.unwrap().id;
    let draft = NewDataset::parse(&json!({"title": {"de": format!("Entwurf {CANARY}")}})).unwrap();
    let draft = handle.create(draft).await.unwrap().id;
    let edit =
        RecordEdit::parse(&json!({"description": {"de": CANARY}, "keywords": {"de": ["Canary"]}})).unwrap();
    handle.edit(closed, edit, None).await.unwrap();
    assert!(handle.publish(draft).await.is_err(), "a draft without substance is not published");
    handle.delete(draft).await.unwrap();
}

impl World {
    fn begin(path: &Path) -> Self {
        let (open, commits) = open(path, 2);
        let handle = open.handle().clone();
        let authority = handle.authority().unwrap();
        let sync = Sync::new(
            handle.town().town,
            open.boot(),
            (*authority).clone(),
            handle.committed_documents().unwrap(),
            handle.manifests().unwrap(),
        );
        Self {
            handle,
            _open: open,
            commits,
            sync,
            now: Millis(1_000),
            transcript: Vec::new(),
            handed_over: Vec::new(),
        }
    }

    fn tell(&mut self, event: Event) {
        self.sync.handle_event(self.now, event);
        self.drain();
    }

    fn say(&mut self, message: &Message) {
        let (kind, payload) = message.encode();
        self.tell(Event::Received { session: PEER, kind, payload });
    }

    /// Does what the node's loop does, and notes what is sent.
    fn drain(&mut self) {
        let mut events = VecDeque::new();
        loop {
            while let Ok(Committed { documents, manifests, .. }) = self.commits.try_recv() {
                events.push_back(Event::Committed { documents, manifests });
            }
            while let Some(effect) = self.sync.poll_effect() {
                match effect {
                    Effect::Send { kind, payload, .. } => self.transcript.push((kind, payload)),
                    Effect::Disconnect { reason, .. } => self.transcript.push((0, reason.into_bytes())),
                    Effect::Load { request, wants } => {
                        let documents = self.handle.load(&wants).unwrap();
                        self.handed_over.extend(documents.iter().map(|document| document.genesis.document()));
                        events.push_back(Event::Loaded { request, documents });
                    }
                    _ => {}
                }
            }
            let Some(event) = events.pop_front() else { return };
            self.sync.handle_event(self.now, event);
        }
    }

    /// A peer that asks everything.
    fn interrogate(&mut self, arnsberg: &OpenNode) {
        let authority = arnsberg.handle().authority().unwrap();
        let key = crdt::signed::public_key(arnsberg.transport_key());
        self.tell(Event::Connected { session: PEER, key });
        let charter = authority.chain().current();
        self.say(&Message::Hello(Hello {
            level: 1,
            federation: authority.federation(),
            charter_version: charter.value().version,
            charter: charter.id(),
            authority: [0; 32],
            boot: BootNonce([9; 16]),
        }));
        let audiences =
            [Audience::Open, Audience::of_members([Town::parse("05958004").unwrap()])].map(|one| one.hash());
        for audience in audiences {
            let set = SetKey { town: Town::parse("05974040").unwrap(), audience };
            self.say(&Message::AskBuckets(set));
            for chunk in (0..=255).collect::<Vec<u8>>().chunks(16) {
                self.say(&Message::AskEntries(
                    set,
                    chunk.iter().map(|bucket| Prefix::Bucket(*bucket)).collect(),
                ));
            }
        }
        let known = self.handle.committed_documents().unwrap();
        let mut wants: Vec<Want> = known
            .iter()
            .map(|held| Want { document: held.document, epoch: 0, frontier: Default::default() })
            .collect();
        wants.push(Want { document: DocumentId([5; 32]), epoch: 0, frontier: Default::default() });
        self.say(&Message::Want(wants));
        self.say(&Message::Pulse([0; 32]));
        self.now = self.now.plus(120_000);
        self.sync.handle_timeout(self.now);
        self.drain();
    }

    /// What a public reader sees of a list of addresses.
    async fn read_in_public(&self, id: DatasetId) -> Vec<(String, u16, Vec<(String, String)>, Vec<u8>)> {
        self.handle.board().set_phase(node::view::Phase::Ready);
        self.handle.settle_search();
        let router = web::public(self.handle.clone(), &Config::default(), CancellationToken::new());
        let unknown = "00000000-0000-4000-8000-000000000000";
        let addresses = [
            "/".to_owned(),
            "/?q=canary".to_owned(),
            "/?q=wasserwerk".to_owned(),
            "/?q=entwurf".to_owned(),
            format!("/dataset/{id}"),
            format!("/dataset/{unknown}"),
            "/federation".to_owned(),
            "/api/v1/datasets".to_owned(),
            "/api/v1/datasets?q=canary&limit=100".to_owned(),
            "/api/v1/datasets?q=Zugangscode".to_owned(),
            "/api/v1/datasets?class=closed".to_owned(),
            "/api/v1/datasets?theme=ENVI&offset=1".to_owned(),
            format!("/api/v1/datasets/{id}"),
            format!("/api/v1/datasets/{id}/proof"),
            format!("/api/v1/datasets/{unknown}"),
            "/api/v1/status".to_owned(),
            "/catalog.ttl".to_owned(),
            "/catalog.jsonld?modified_since=2020-01-01".to_owned(),
            "/catalog.nt?page=2".to_owned(),
            "/federation/catalog.rdf".to_owned(),
            format!("/dataset/{id}.ttl"),
            format!("/dataset/{unknown}.ttl"),
            "/ogc".to_owned(),
            "/collections".to_owned(),
            "/collections/soest".to_owned(),
            "/collections/soest/queryables".to_owned(),
            "/collections/soest/items".to_owned(),
            "/collections/federation/items?q=canary&limit=1".to_owned(),
            "/collections/federation/items?q=Zugangscode".to_owned(),
            "/collections/federation/items?q=Entwurf".to_owned(),
            "/collections/federation/items?bbox=8,51,9,52&datetime=2026-01-01/..".to_owned(),
            "/collections/federation/items?sortby=title&limit=1&offset=1".to_owned(),
            "/collections/soest/items?keywords=Canary".to_owned(),
            "/collections/soest/items?q=Wasserwerk,Baumkataster&sortby=-updated".to_owned(),
            format!("/collections/soest/items?limit=1&after={id}"),
            format!("/collections/soest/items/{id}"),
            "/developers".to_owned(),
            format!("/collections/soest/items/{unknown}"),
            "/oai?verb=Identify".to_owned(),
            "/oai?verb=ListSets".to_owned(),
            "/oai?verb=ListRecords&metadataPrefix=oai_dc".to_owned(),
            "/oai?verb=ListRecords&metadataPrefix=dcat_ap&set=theme-ENVI&from=2020-01-01".to_owned(),
            "/oai?verb=ListIdentifiers&metadataPrefix=oai_dc&set=town-soest&until=2030-01-01".to_owned(),
            format!("/oai?verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:soest.invalid:{id}"),
            format!("/oai?verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:soest.invalid:{unknown}"),
            "/feed".to_owned(),
            format!("/feed?after=1795000000000-3-{id}"),
            "/feeds/dataset.atom".to_owned(),
            "/feeds/organization/soest.atom".to_owned(),
            "/feeds/group/envi.atom".to_owned(),
            "/feeds/tag/Canary.atom".to_owned(),
            "/feeds/custom.atom?q=Zugangscode".to_owned(),
            "/sitemap.xml".to_owned(),
            "/sitemap/all.xml".to_owned(),
            "/sparql".to_owned(),
            "/sparql?query=SELECT+*+{+?s+?p+?o+}".replace('{', "%7B").replace('}', "%7D"),
            "/sparql?format=csv&query=SELECT+(COUNT(*)+AS+?n)+%7B+GRAPH+?g+%7B+?s+?p+?o+%7D+%7D".to_owned(),
            "/sparql?query=SELECT+*+%7B+?s+?p+?o+FILTER(CONTAINS(STR(?o),'Zugang'))+%7D".to_owned(),
        ];
        let mut seen = Vec::new();
        for address in
            addresses.into_iter().chain(ckan::queries(id)).chain(cql::queries()).chain(walks::queries())
        {
            let request = Request::get(&address)
                .header(header::HOST, "portal.example")
                .header(header::ACCEPT, if is_page(&address) { "text/html" } else { "*/*" })
                .body(Body::empty())
                .unwrap();
            let response = router.clone().oneshot(request).await.unwrap();
            let status = response.status().as_u16();
            let headers = response
                .headers()
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                .collect();
            let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
            seen.push((address, status, headers, body.to_vec()));
        }
        seen
    }
}

/// Whether people read it; programs are answered otherwise at the same address.
fn is_page(address: &str) -> bool {
    ["/?", "/dataset/", "/federation", "/developers"].iter().any(|page| address.starts_with(page))
        || address == "/"
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_and_public_readers_see_the_same_bytes_in_both_worlds() {
    let root = tempfile::tempdir().unwrap();
    let id = found(root.path()).await;
    let (plain, protected) = (root.path().join("plain"), root.path().join("protected"));
    copy(&root.path().join("soest"), &plain);
    copy(&root.path().join("soest"), &protected);
    let secret = {
        let (node, _commits) = open(&protected, 3);
        protect(node.handle()).await;
        node.handle().create(record(CANARY)).await.unwrap().id
    };
    let (arnsberg, _commits) = open(&root.path().join("arnsberg"), 4);

    let mut worlds = [World::begin(&plain), World::begin(&protected)];
    let edit: Value = json!({"description": {"de": "Neu beschrieben."}});
    for (number, world) in worlds.iter_mut().enumerate() {
        world.interrogate(&arnsberg);
        // While the peer listens: protected work in one world, then an open edit in both.
        if number == 1 {
            let before = world.transcript.len();
            protect(&world.handle).await;
            world.drain();
            assert_eq!(world.transcript.len(), before, "closed work sends nothing");
        }
        world.handle.edit(id, RecordEdit::parse(&edit).unwrap(), None).await.unwrap();
        world.drain();
    }
    let [plain, protected] = &worlds;
    let answers = plain.transcript.len();
    assert!(
        answers > 500,
        "the peer was answered {answers} times only, at last {:?}",
        plain.transcript.last()
    );
    assert_eq!(plain.transcript.len(), protected.transcript.len(), "no extra message");
    for (at, (one, other)) in plain.transcript.iter().zip(&protected.transcript).enumerate() {
        assert!(one == other, "message {at} of type {} differs", one.0);
    }
    assert_eq!(plain.handed_over, protected.handed_over);
    assert_eq!(plain.handed_over.len(), 3, "the open documents were handed over");

    // A positive control: the search does find what is there.
    let heard = |world: &World, text: &str| world.transcript.iter().any(|(_, bytes)| contains(bytes, text));
    assert!(heard(protected, OPEN_CANARY));
    assert!(!heard(protected, CANARY) && !heard(protected, "Wasserwerk"));

    let (one, other) = (plain.read_in_public(id).await, protected.read_in_public(id).await);
    for (one, other) in one.iter().zip(&other) {
        assert!(one == other, "{} differs:\n{:?}\n{:?}", one.0, one.2, other.2);
    }
    let page = &one[0];
    assert!(page.1 == 200 && contains(&page.3, OPEN_CANARY));
    // Most of what CKAN's API was asked finds something, so that equal bytes mean something.
    let searches = one.iter().filter(|seen| seen.0.contains("package_search") && seen.1 == 200);
    let found = searches.filter(|seen| contains(&seen.3, OPEN_CANARY)).count();
    assert!(found > 50, "only {found} searches found an open dataset");
    let filtered = one.iter().filter(|seen| seen.0.contains("items?filter") && seen.1 == 200);
    let found = filtered.filter(|seen| contains(&seen.3, OPEN_CANARY)).count();
    assert!(found > 50, "only {found} filters found an open dataset");
    for interface in ["/sparql?", "/oai?", "/catalog.", "/federation/catalog.", "/feeds/"] {
        let asked = one.iter().filter(|seen| seen.0.starts_with(interface) && seen.1 == 200);
        let found = asked.filter(|seen| contains(&seen.3, OPEN_CANARY)).count();
        assert!(found > 5, "only {found} questions to {interface} found an open dataset");
    }

    // The closed record is there for staff, and for nobody else.
    assert!(protected.handle.dataset(node::view::Reader::Staff, secret).unwrap().is_some());
    assert!(protected.handle.dataset(node::view::Reader::Public, secret).unwrap().is_none());
    let router = web::public(protected.handle.clone(), &Config::default(), CancellationToken::new());
    let ask = |id: String| {
        let request = Request::get(format!("/api/v1/datasets/{id}")).header(header::HOST, "portal.example");
        router.clone().oneshot(request.body(Body::empty()).unwrap())
    };
    let (of_secret, of_unknown) = (
        ask(secret.to_string()).await.unwrap(),
        ask("00000000-0000-4000-8000-000000000000".into()).await.unwrap(),
    );
    assert_eq!((of_secret.status(), of_secret.headers()), (of_unknown.status(), of_unknown.headers()));
    let body = async |answer: axum::response::Response| {
        axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap()
    };
    let (of_secret, of_unknown) = (body(of_secret).await, body(of_unknown).await);
    let masked = |bytes: &[u8], id: &str| String::from_utf8(bytes.to_vec()).unwrap().replace(id, "ID");
    assert_eq!(
        masked(&of_secret, &secret.to_string()),
        masked(&of_unknown, "00000000-0000-4000-8000-000000000000")
    );
}
