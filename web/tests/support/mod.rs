//! A real node of one town of a federation of two, without peers, and a way to
//! ask its two listeners without a socket.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(dead_code, reason = "each test file uses another part")]

pub(crate) mod exchange;
pub(crate) mod xml;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use crdt::ids::{Town, UnixMillis};
use node::config::Config;
use node::directory::{Directory, MemberFile, NewTown};
use node::founding;
use node::handle::{NodeHandle, OpenNode, OpenOptions};
use node::store::StoreSettings;
use node::view::{PeerStatus, Phase};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// The node of Soest and what its two listeners answer.
pub(crate) struct Soest {
    node: OpenNode,
    pub(crate) public: Router,
    pub(crate) desk: Router,
    pub(crate) token: String,
    pub(crate) stop: CancellationToken,
    pub(crate) config: Config,
    pub(crate) seal: exchange::Seal,
    pub(crate) olpe: exchange::Seal,
    pub(crate) directory: tempfile::TempDir,
}

/// One answer.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(&name).map_or("", |value| value.to_str().unwrap())
    }

    /// The code of the error, and that both languages have a sentence.
    pub(crate) fn error(&self) -> String {
        let error = &self.json()["error"];
        let (message, message_de) =
            (error["message"].as_str().unwrap(), error["message_de"].as_str().unwrap());
        assert!(!message.is_empty() && !message_de.is_empty() && message != message_de, "{error}");
        error["code"].as_str().unwrap().to_owned()
    }
}

pub(crate) async fn soest() -> Soest {
    soest_with(OpenOptions::default(), Config::default()).await
}

pub(crate) async fn soest_with(options: OpenOptions, config: Config) -> Soest {
    soest_prepared(options, config, |_| {}).await
}

/// `prepare` gets the data directory before the node opens it.
pub(crate) async fn soest_prepared(
    options: OpenOptions,
    config: Config,
    prepare: impl FnOnce(&std::path::Path),
) -> Soest {
    let directory = tempfile::tempdir().unwrap();
    let (path, neighbour) = (directory.path().join("soest"), directory.path().join("olpe"));
    let soest = init(&path, "05974040", "soest", "Soest");
    let olpe = init(&neighbour, "05966024", "olpe", "Olpe");
    let members = [soest.clone(), olpe.clone()];
    let mut charter = founding::found("Hanse", &members, [7; 16], UnixMillis(1_790_000_000_000)).unwrap();
    let (token, seal, olpe_seal) = {
        let own = Directory::open(&path, StoreSettings::default()).unwrap();
        let other = Directory::open(&neighbour, StoreSettings::default()).unwrap();
        let identities = [own.identity_key().unwrap(), other.identity_key().unwrap()];
        for identity in &identities {
            founding::sign(&mut charter, identity).unwrap();
        }
        let federation = charter.id().as_federation();
        let certificates = [
            founding::certificate(&soest, federation, &identities[0]),
            founding::certificate(&olpe, federation, &identities[1]),
        ];
        founding::adopt(&own, charter.clone(), certificates.to_vec()).unwrap();
        founding::adopt(&other, charter, certificates.to_vec()).unwrap();
        let [ours, theirs] = certificates;
        let seal = exchange::Seal::new(&own, federation, ours.id());
        (own.desk_token().unwrap(), seal, exchange::Seal::new(&other, federation, theirs.id()))
    };
    prepare(&path);
    let node = OpenNode::open(&path, options).unwrap();
    // What the node's loop does once it has caught up.
    node.handle().allow_publishing(true);
    node.handle().board().set_phase(Phase::Ready);
    node.handle().board().set_peers(vec![neighbour_as_seen(&olpe)]);
    node.handle().settle_search();
    let stop = CancellationToken::new();
    Soest {
        public: web::public(node.handle().clone(), &config, stop.clone()),
        desk: web::desk(node.handle().clone(), &config, stop.clone()),
        node,
        token,
        stop,
        config,
        seal,
        olpe: olpe_seal,
        directory,
    }
}

/// What the node's loop would say of a town that never answered.
fn neighbour_as_seen(member: &MemberFile) -> PeerStatus {
    PeerStatus {
        info: member.info(),
        connected: false,
        address: None,
        lag_changes: 0,
        lag_seconds: 0,
        last_seen: None,
        failures: 0,
        last_failure: None,
        datasets: 0,
    }
}

fn init(path: &std::path::Path, town: &str, code: &str, name: &str) -> MemberFile {
    let new = NewTown {
        town: Town::parse(town).unwrap(),
        code: code.to_owned(),
        name: name.to_owned(),
        addresses: Vec::new(),
    };
    Directory::init(path, &new).unwrap()
}

/// Sends a request without a socket.
pub(crate) async fn send(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 8 * 1024 * 1024).await.unwrap();
    Answer { status: parts.status, headers: parts.headers, body }
}

pub(crate) fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

impl Soest {
    pub(crate) async fn public(&self, path: &str) -> Answer {
        send(&self.public, get(path)).await
    }

    /// What a browser is answered.
    pub(crate) async fn page(&self, path: &str) -> Answer {
        let request = Request::get(path).header(header::ACCEPT, "text/html,*/*;q=0.8");
        send(&self.public, request.body(Body::empty()).unwrap()).await
    }

    /// A desk request with the token and, unless null, a JSON body.
    pub(crate) async fn desk(&self, method: &str, path: &str, body: Value) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "127.0.0.1:8201")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header(header::CONTENT_TYPE, "application/json");
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        send(&self.desk, request.body(body).unwrap()).await
    }

    /// Creates a record and gives its id.
    pub(crate) async fn create(&self, body: Value) -> String {
        let answer = self.desk("POST", "/api/v1/datasets", body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// Creates and publishes a record, and waits until search knows it.
    pub(crate) async fn publish(&self, body: Value) -> String {
        let id = self.create(body).await;
        let answer = self.desk("POST", &format!("/api/v1/datasets/{id}/publish"), Value::Null).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        self.settle().await;
        id
    }

    /// Waits until search knows everything that is durable.
    pub(crate) async fn settle(&self) {
        let handle = self.handle();
        tokio::task::spawn_blocking(move || handle.settle_search()).await.unwrap();
    }

    pub(crate) fn handle(&self) -> NodeHandle {
        self.node.handle().clone()
    }
}

/// A record that may be published.
pub(crate) fn record(title: &str) -> Value {
    json!({
        "title": {"de": title},
        "description": {"de": "Standorte und Arten der städtischen Bäume."},
        "keywords": {"de": ["Baum"]},
        "themes": ["ENVI"],
        "licence": "http://dcat-ap.de/def/licenses/dl-zero-de/2.0",
        "formats": ["CSV"],
        "frequency": "MONTHLY",
        "personal_data": "keiner",
        "publisher": {"name": "Stadt Soest"},
        "contact": {"name": "Zentrales Datenmanagement", "email": "opendata@soest.example"},
        "distributions": [{"access_url": "https://daten.soest.example/x.csv", "format": "CSV"}],
        "internal": {
            "responsible_role": {"role": "Daten-Verantwortliche", "mailbox": "gruen@soest.example"},
            "notes": "geheime Notiz"
        }
    })
}
