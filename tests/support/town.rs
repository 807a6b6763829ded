//! Towns as processes of their own: made, founded and asked as people do it.

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::binary::{Beside, command, hanse, run};
use crate::wait::until;

/// Municipality key and short name of the five towns.
pub(crate) const TOWNS: [(&str, &str); 5] = [
    ("05974040", "soest"),
    ("05958004", "arnsberg"),
    ("05962040", "menden"),
    ("05966024", "olpe"),
    ("05970004", "bad-berleburg"),
];

/// How other towns reach one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reachable {
    /// It listens where the charter says.
    Yes,
    /// It listens nowhere and the charter names no address: it dials out.
    No,
}

/// One town's data directory and, while it runs, its process.
#[derive(Debug)]
pub(crate) struct Town {
    pub(crate) directory: PathBuf,
    pub(crate) code: &'static str,
    token: String,
    process: Option<Beside>,
    public: String,
    desk: String,
    http: reqwest::Client,
}

/// Makes and founds a federation of as many towns as `reach` has entries.
pub(crate) fn found(parent: &Path, reach: &[Reachable]) -> Vec<Town> {
    // Held until all are chosen, so that no two towns get one port.
    let ports: Vec<TcpListener> =
        reach.iter().map(|_| TcpListener::bind("127.0.0.1:0").expect("there are free ports")).collect();
    let mut towns = Vec::new();
    for ((&(key, code), reach), port) in TOWNS.iter().zip(reach).zip(&ports) {
        let port = port.local_addr().expect("a bound socket has an address").port();
        towns.push(Town::make(parent, key, code, *reach, port));
    }
    drop(ports);
    let charter = parent.join("charter.json");
    let mut make = command(["charter", "found", "--name", "Probebund", "--out"]);
    make.arg(&charter).args(towns.iter().map(|town| town.directory.join("member.json")));
    run(make).done();
    let fingerprint = fingerprint(&charter);
    // The first round collects signatures, the second lets each town enter.
    for town in towns.iter().chain(&towns) {
        let mut sign = command(["charter", "sign"]);
        sign.arg(&charter).arg("--dir").arg(&town.directory).args(["--fingerprint", &fingerprint]);
        run(sign).done();
    }
    towns
}

/// What the towns would compare by telephone.
pub(crate) fn fingerprint(charter: &Path) -> String {
    let mut show = command(["charter", "show", "--json"]);
    show.arg(charter);
    run(show).json()["fingerprint"].as_str().expect("a charter has a fingerprint").to_owned()
}

impl Town {
    fn make(parent: &Path, key: &str, code: &'static str, reach: Reachable, port: u16) -> Self {
        let directory = parent.join(code);
        let address = format!("/ip4/127.0.0.1/tcp/{port}");
        let mut init = command(["init", "--town", code, "--ags", key, "--dir"]);
        init.arg(&directory);
        let mut listen = String::new();
        if reach == Reachable::Yes {
            init.args(["--address", &address]);
            listen = format!("\"{address}\"");
        }
        run(init).done();
        let settings = format!(
            "[public]\nlisten = \"127.0.0.1:0\"\n[desk]\nlisten = \"127.0.0.1:0\"\n[network]\nlisten = [{listen}]\n"
        );
        std::fs::write(directory.join("hanse.toml"), settings).expect("settings can be written");
        let token = hanse("token --dir {}", &directory).done().trim().to_owned();
        // It fails only where another town of the test was first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().expect("a client can be made");
        Self { directory, code, token, process: None, public: String::new(), desk: String::new(), http }
    }

    /// Starts the process and waits until it answers.
    pub(crate) async fn start(&mut self) {
        let note = self.directory.join("running.json");
        // A process that was killed leaves its note behind.
        let _ = std::fs::remove_file(&note);
        let mut serve = command(["serve", "--dir"]);
        serve.arg(&self.directory);
        let log = self.directory.with_extension("log");
        let mut process = Beside::start(serve, &log);
        let said = || std::fs::read_to_string(&log).unwrap_or_default();
        let running: Value = until(&format!("{} to serve", self.code), async || {
            let ended = process.child.try_wait().expect("the system tells");
            assert!(ended.is_none(), "{} ended: {}", self.code, said());
            serde_json::from_str(&std::fs::read_to_string(&note).ok()?).ok()
        })
        .await;
        let url = |name: &str| format!("http://{}", running[name].as_str().expect("the note has addresses"));
        (self.public, self.desk) = (url("public"), url("desk"));
        self.process = Some(process);
    }

    /// Waits until it publishes.
    pub(crate) async fn ready(&self) {
        until(&format!("{} to be ready", self.code), async || {
            let answer = self.http.get(format!("{}/readyz", self.desk)).send().await.ok()?;
            (answer.status() == StatusCode::OK).then_some(())
        })
        .await;
    }

    /// Number of the process.
    pub(crate) fn process_id(&self) -> u32 {
        self.process.as_ref().expect("it runs").child.id()
    }

    /// Ends the process as `kill -9` does, if it has not ended yet.
    pub(crate) fn kill(&mut self) {
        self.process.take().expect("it runs").kill();
    }

    /// Asks the process to stop; it must do so cleanly.
    pub(crate) fn stop(&mut self) {
        let code = self.process.take().expect("it runs").terminate();
        let log = std::fs::read_to_string(self.directory.with_extension("log")).unwrap_or_default();
        assert_eq!(code, Some(0), "{} did not stop cleanly: {log}", self.code);
    }

    /// Asks the public listener.
    pub(crate) async fn public(&self, path: &str) -> Option<Value> {
        self.http.get(format!("{}{path}", self.public)).send().await.ok()?.json().await.ok()
    }

    /// Asks the desk; `None` if it could not be reached.
    pub(crate) async fn desk(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Option<(StatusCode, Value)> {
        let mut request = self.http.request(method, format!("{}{path}", self.desk)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.ok()?;
        let status = answer.status();
        Some((status, answer.json().await.ok()?))
    }

    /// Asks the desk for something that it must do.
    pub(crate) async fn done(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let (status, answer) = self.desk(method, path, body).await.expect("the desk answers");
        assert!(status.is_success(), "{} {path}: {status} {answer}", self.code);
        answer
    }

    /// Creates and publishes a record; gives its id.
    pub(crate) async fn publish(&self, title: &str) -> String {
        let made = self.done(Method::POST, "/api/v1/datasets", Some(&record(title))).await;
        let id = made["id"].as_str().expect("a receipt has an id").to_owned();
        self.done(Method::POST, &format!("/api/v1/datasets/{id}/publish"), Some(&json!({}))).await;
        id
    }

    /// Sets the German title of a record; `None` if the answer never came.
    pub(crate) async fn retitle(&self, id: &str, title: &str) -> Option<StatusCode> {
        let body = json!({"title": {"de": title}});
        let answer = self.desk(Method::PATCH, &format!("/api/v1/datasets/{id}"), Some(&body)).await;
        answer.map(|(status, _)| status)
    }

    /// The German title that a reader is shown.
    pub(crate) async fn title(&self, id: &str) -> Option<String> {
        let record = self.public(&format!("/api/v1/datasets/{id}")).await?;
        record["title"]["de"].as_str().map(str::to_owned)
    }

    /// Whether a public search for words finds a record.
    pub(crate) async fn finds(&self, words: &str, id: &str) -> bool {
        let page = self.public(&format!("/api/v1/datasets?q={words}")).await.unwrap_or_default();
        page["items"].as_array().is_some_and(|items| items.iter().any(|item| item["id"] == id))
    }

    /// The hash over all open records.
    pub(crate) async fn digest(&self) -> Option<String> {
        let (_, answer) = self.desk(Method::GET, "/api/v1/digest", None).await?;
        answer["digest"].as_str().map(str::to_owned)
    }
}

/// Waits until all towns hold the same, and something.
pub(crate) async fn agreed(towns: &[&Town]) -> String {
    until("equal digests", async || {
        let first = towns[0].digest().await?;
        for town in &towns[1..] {
            if town.digest().await? != first {
                return None;
            }
        }
        Some(first)
    })
    .await
}

/// Everything that a record needs to be published.
pub(crate) fn record(title: &str) -> Value {
    json!({
        "title": {"de": title},
        "description": {"de": "Ein erfundener Datensatz für die Prüfung."},
        "publisher": {"name": "Stadt"},
        "contact": {"name": "Datenmanagement", "email": "daten@stadt.example"},
        "licence": "http://dcat-ap.de/def/licenses/dl-zero-de/2.0",
        "personal_data": "keiner",
        "distributions": [{"id": "csv", "access_url": "https://daten.stadt.example/1", "format": "CSV"}],
        "internal": {"responsible_role": {"role": "Amtsleitung", "mailbox": "amt@stadt.example"}},
    })
}
