//! How a command reaches a node's records: through the desk of the node that
//! runs on the directory, or, when none runs, by opening the directory itself.
//!
//! Both ways end at the same desk API, so that a command cannot behave
//! differently: without a running node, one is opened here without network and
//! served to this command alone, on a port of the loopback that nobody knows.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use crdt::ids::{ChangeHash, DatasetId};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::Client;
use crate::directory;
use crate::failure::Failure;
use crate::running::Running;
use crate::serving::Serving;

/// Records looked through at most for a name that is no id.
const NAMES_MAX: usize = 10_000;

/// How often and after what time a name that is not found is looked up again:
/// a record made a moment ago is durable before it can be found.
const INDEX_LOOKS: u32 = 3;
const INDEX_DELAY: Duration = Duration::from_millis(250);

/// Leave to write what other towns replicate while no node is running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::Args)]
pub(crate) struct Offline {
    /// Write without a running node. Only if this directory is the newest state
    /// of the node: after restoring an older backup, start the node instead and
    /// let it catch up
    #[arg(long)]
    pub(crate) offline: bool,
}

/// A desk that answers this command.
#[derive(Debug)]
pub(crate) struct Access {
    client: Client,
    opened: Option<Serving>,
}

impl Access {
    /// For reading.
    pub(crate) async fn to(directory: &Path) -> Result<Self, Failure> {
        Self::with(directory, Offline { offline: false }).await
    }

    /// For writing. Closed records can be written without a running node;
    /// what is replicated needs `--offline`, which the node itself asks for.
    pub(crate) async fn for_writing(directory: &Path, offline: Offline) -> Result<Self, Failure> {
        Self::with(directory, offline).await
    }

    async fn with(directory: &Path, offline: Offline) -> Result<Self, Failure> {
        directory::require(directory)?;
        let token = directory::token(directory)?;
        if let Some(running) = Running::read(directory)
            && let Some(client) = Client::connect(&running, token.clone()).await?
        {
            return Ok(Self { client, opened: None });
        }
        let serving = Serving::alone(directory, offline.offline).await?;
        match Client::connect(serving.listeners(), token).await? {
            Some(client) => Ok(Self { client, opened: Some(serving) }),
            None => Err(Failure::refused("ask the directory: its desk does not answer")),
        }
    }

    /// Whether a node was running before this command.
    pub(crate) fn is_running(&self) -> bool {
        self.opened.is_none()
    }

    /// Gives the directory back.
    pub(crate) async fn close(self) -> Result<(), Failure> {
        match self.opened {
            Some(serving) => serving.stop().await,
            None => Ok(()),
        }
    }

    pub(crate) async fn status(&self) -> Result<Value, Failure> {
        self.client.get("/api/v1/status", &[]).await
    }

    pub(crate) async fn harvesters(&self) -> Result<Value, Failure> {
        self.client.get("/api/v1/harvesters", &[]).await
    }

    /// Has the indexes made anew.
    pub(crate) async fn reindex(&self) -> Result<Value, Failure> {
        self.client.send_json(Method::POST, "/api/v1/reindex", &json!({})).await
    }

    pub(crate) async fn digest(&self) -> Result<Value, Failure> {
        self.client.get("/api/v1/digest", &[]).await
    }

    pub(crate) async fn search(&self, query: &[(&str, String)]) -> Result<Value, Failure> {
        self.client.get("/api/v1/datasets", query).await
    }

    pub(crate) async fn dataset(&self, id: DatasetId) -> Result<Value, Failure> {
        self.client.get(&path(id, ""), &[]).await
    }

    pub(crate) async fn check(&self, id: DatasetId) -> Result<Value, Failure> {
        self.client.get(&path(id, "/check"), &[]).await
    }

    pub(crate) async fn history(&self, id: DatasetId) -> Result<Value, Failure> {
        self.client.get(&path(id, "/history"), &[]).await
    }

    pub(crate) async fn proof(&self, id: DatasetId) -> Result<Vec<u8>, Failure> {
        self.client.public_bytes(&path(id, "/proof")).await
    }

    pub(crate) async fn create(&self, body: Value) -> Result<Value, Failure> {
        self.client.send_json(Method::POST, "/api/v1/datasets", &body).await
    }

    pub(crate) async fn edit(
        &self,
        id: DatasetId,
        mut body: Value,
        heads: Option<Vec<ChangeHash>>,
    ) -> Result<Value, Failure> {
        if let Some(heads) = heads {
            body["heads"] = json!(heads);
        }
        self.write(Method::PATCH, &path(id, ""), &body).await
    }

    pub(crate) async fn publish(&self, id: DatasetId) -> Result<Value, Failure> {
        self.write(Method::POST, &path(id, "/publish"), &json!({})).await
    }

    /// Brings a file to be imported, or names the address of one.
    pub(crate) async fn begin_import(
        &self,
        query: &[(&str, String)],
        file: Option<std::fs::File>,
    ) -> Result<Value, Failure> {
        self.client.send_file("/api/v1/imports", query, file).await
    }

    /// How far an import is.
    pub(crate) async fn import(&self, id: &str, lang: Option<&str>) -> Result<Value, Failure> {
        let query: Vec<_> = lang.map(|lang| ("lang", lang.to_owned())).into_iter().collect();
        self.client.get(&format!("/api/v1/imports/{id}"), &query).await
    }

    /// The rows that an import rejected, as CSV.
    pub(crate) async fn rejected_rows(&self, id: &str) -> Result<Vec<u8>, Failure> {
        self.client.get_bytes(&format!("/api/v1/imports/{id}/rejected.csv")).await
    }

    /// All records of this town as a table: `xlsx` or `csv`.
    pub(crate) async fn records(&self, ending: &str) -> Result<Vec<u8>, Failure> {
        self.client.get_bytes(&format!("/api/v1/records.{ending}")).await
    }

    pub(crate) async fn mapping(&self, source: &str) -> Result<Value, Failure> {
        self.client.get("/api/v1/mappings", &[("source", source.to_owned())]).await
    }

    pub(crate) async fn set_mapping(&self, source: &str, mapping: &Value) -> Result<Value, Failure> {
        let query: String = url_encoded(source);
        self.client.send_json(Method::POST, &format!("/api/v1/mappings?source={query}"), mapping).await
    }

    pub(crate) async fn sources(&self) -> Result<Value, Failure> {
        self.client.get("/api/v1/sources", &[]).await
    }

    pub(crate) async fn source(&self, name: &str) -> Result<Value, Failure> {
        self.client.get(&format!("/api/v1/sources/{}", url_encoded(name)), &[]).await
    }

    pub(crate) async fn add_source(&self, body: &Value) -> Result<Value, Failure> {
        self.client.send_json(Method::POST, "/api/v1/sources", body).await
    }

    pub(crate) async fn remove_source(&self, name: &str) -> Result<Value, Failure> {
        let path = format!("/api/v1/sources/{}", url_encoded(name));
        self.client.send_json(Method::DELETE, &path, &json!({})).await
    }

    /// `run` or `confirm`.
    pub(crate) async fn tell_source(&self, name: &str, what: &str) -> Result<Value, Failure> {
        let path = format!("/api/v1/sources/{}/{what}", url_encoded(name));
        self.client.send_json(Method::POST, &path, &json!({})).await
    }

    pub(crate) async fn tasks(&self, offset: usize, limit: usize) -> Result<Value, Failure> {
        let query = [("offset", offset.to_string()), ("limit", limit.to_string())];
        self.client.get("/api/v1/tasks", &query).await
    }

    pub(crate) async fn finish_tasks(&self, id: DatasetId, field: Option<&str>) -> Result<Value, Failure> {
        let body = json!({ "dataset": id, "field": field });
        self.client.send_json(Method::POST, "/api/v1/tasks/done", &body).await
    }

    /// Records that seem to be the same.
    pub(crate) async fn duplicates(&self, query: &[(&str, String)]) -> Result<Value, Failure> {
        self.client.get("/api/v1/duplicates", query).await
    }

    pub(crate) async fn note_different(
        &self,
        record: DatasetId,
        other: DatasetId,
        undo: bool,
    ) -> Result<Value, Failure> {
        let body = json!({ "record": record, "other": other, "undo": undo });
        self.client.send_json(Method::POST, "/api/v1/duplicates/different", &body).await
    }

    /// Keeps one of two records; `take_over` names fields.
    pub(crate) async fn merge(
        &self,
        keep: DatasetId,
        give_up: DatasetId,
        take_over: &[String],
    ) -> Result<Value, Failure> {
        let body = json!({ "keep": keep, "give_up": give_up, "take_over": take_over });
        self.write(Method::POST, "/api/v1/duplicates/merge", &body).await
    }

    pub(crate) async fn lead_of(&self, id: DatasetId) -> Result<Value, Failure> {
        self.client.get(&path(id, "/lead"), &[]).await
    }

    pub(crate) async fn lead(&self, id: DatasetId, body: &Value) -> Result<Value, Failure> {
        self.client.send_json(Method::POST, &path(id, "/lead"), body).await
    }

    pub(crate) async fn catalog(&self) -> Result<Value, Failure> {
        self.client.get("/api/v1/catalog", &[]).await
    }

    pub(crate) async fn edit_catalog(&self, body: Value) -> Result<Value, Failure> {
        self.write(Method::PATCH, "/api/v1/catalog", &body).await
    }

    /// Writes the whole catalog; how many bytes.
    pub(crate) async fn export(
        &self,
        format: &str,
        with_closed: bool,
        out: &mut (dyn Write + Send),
    ) -> Result<u64, Failure> {
        let path = format!("/api/v1/export?format={format}&with_closed={with_closed}");
        self.client.download(&path, out).await
    }

    async fn write(&self, method: Method, path: &str, body: &Value) -> Result<Value, Failure> {
        let written = self.client.send_json(method, path, body).await;
        if self.is_running() { written } else { written.map_err(Failure::without_a_node) }
    }

    /// The record that a person names: by its id, by its identifier, or by the
    /// last part of its identifier, such as `baumkataster`. Own records come first.
    pub(crate) async fn record(&self, name: &str) -> Result<DatasetId, Failure> {
        if let Ok(id) = name.parse() {
            return Ok(id);
        }
        let own = self.status().await?["node"]["town"].clone();
        let mut found = self.called(name, &own).await?;
        for _ in 0..INDEX_LOOKS {
            if !found.is_empty() {
                break;
            }
            tokio::time::sleep(INDEX_DELAY).await;
            found = self.called(name, &own).await?;
        }
        choose(name, &found)
    }

    /// All records of this name, and whether each is the town's own.
    async fn called(&self, name: &str, own: &Value) -> Result<Vec<(bool, DatasetId)>, Failure> {
        let mut found = Vec::new();
        let mut offset = 0;
        loop {
            let query =
                [("offset", offset.to_string()), ("limit", "100".to_owned()), ("sort", "title".to_owned())];
            let page = self.search(&query).await?;
            let items = page["items"].as_array().cloned().unwrap_or_default();
            let named = items.iter().filter(|item| is_called(item, name));
            found.extend(
                named.filter_map(|item| Some((item["town"] == *own, item["id"].as_str()?.parse().ok()?))),
            );
            offset += items.len();
            if items.is_empty() || offset >= NAMES_MAX {
                return Ok(found);
            }
        }
    }
}

fn choose(name: &str, found: &[(bool, DatasetId)]) -> Result<DatasetId, Failure> {
    let own: Vec<DatasetId> = found.iter().filter(|(own, _)| *own).map(|(_, id)| *id).collect();
    let all: Vec<DatasetId> = found.iter().map(|(_, id)| *id).collect();
    match if own.is_empty() { all } else { own }.as_slice() {
        [id] => Ok(*id),
        [] => Err(Failure::input_saying(format!(
            "no record is called `{name}`; give its id or identifier as `hanse list` shows them"
        ))),
        several => Err(Failure::input_saying(format!(
            "{} records are called `{name}`; give the id of one: {}",
            several.len(),
            several.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        ))),
    }
}

fn is_called(item: &Value, name: &str) -> bool {
    let identifier = item["identifier"].as_str().unwrap_or_default();
    identifier == name || identifier.rsplit('/').next() == Some(name)
}

/// A text as the value of a parameter.
fn url_encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn path(id: DatasetId, below: &str) -> String {
    format!("/api/v1/datasets/{id}{below}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_the_own_record_or_the_only_one() {
        let id = |byte| DatasetId::from_random([byte; 16]);
        assert_eq!(choose("x", &[(false, id(1)), (true, id(2))]).unwrap(), id(2));
        assert_eq!(choose("x", &[(false, id(1))]).unwrap(), id(1));
        assert!(choose("x", &[]).is_err());
        assert!(choose("x", &[(false, id(1)), (false, id(2))]).is_err());
        let item = json!({"identifier": "https://daten.soest.example/dataset/baumkataster"});
        assert!(is_called(&item, "baumkataster") && !is_called(&item, "kataster"));
    }
}
