//! Speaks to a running node: through its desk, with the directory's token.
//!
//! It knows addresses and error bodies, not what they mean: commands get JSON.

use std::io::Write;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use crate::failure::Failure;
use crate::running::Running;

/// How long a desk may take for one request. Longer than its own limit, so
/// that its answer arrives before we give up.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(90);
/// How long a whole catalog may take.
const DOWNLOAD_TIMEOUT: Duration = Duration::from_secs(3_600);
/// How long a listener on this machine may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A running node's desk.
#[derive(Debug)]
pub(crate) struct Client {
    base: String,
    public: String,
    token: String,
    http: reqwest::Client,
}

/// What the desk says when it refuses.
#[derive(Debug, Deserialize)]
struct ErrorBody {
    error: ErrorDetail,
}

#[derive(Debug, Deserialize)]
struct ErrorDetail {
    #[serde(default)]
    code: String,
    message: String,
    remedy: Option<String>,
    value: Option<String>,
    #[serde(default)]
    obstacles: Vec<Obstacle>,
}

#[derive(Debug, Deserialize)]
struct Obstacle {
    message: String,
}

impl Client {
    /// The desk of a running node, if it still answers there. `None` if
    /// nothing listens: what it left behind is from a process that was killed.
    pub(crate) async fn connect(running: &Running, token: String) -> Result<Option<Self>, Failure> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            .build()
            .map_err(|error| Failure::refused(format!("prepare a connection: {error}")))?;
        let client = Self { base: running.desk_url(), public: running.public_url(), token, http };
        match client.http.get(format!("{}/healthz", client.base)).send().await {
            Ok(_) => Ok(Some(client)),
            Err(error) if error.is_connect() => Ok(None),
            Err(error) => Err(client.unreachable(&error)),
        }
    }

    /// Reads a path of the desk API.
    pub(crate) async fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Value, Failure> {
        let mut url = self.url(path)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.send(self.http.request(Method::GET, url)).await
    }

    /// Sends JSON to a path of the desk API.
    pub(crate) async fn send_json(&self, method: Method, path: &str, body: &Value) -> Result<Value, Failure> {
        self.send(self.http.request(method, format!("{}{path}", self.base)).json(body)).await
    }

    /// Sends a file to a path of the desk API, piece by piece, or no body.
    pub(crate) async fn send_file(
        &self,
        path: &str,
        query: &[(&str, String)],
        file: Option<std::fs::File>,
    ) -> Result<Value, Failure> {
        let mut url = self.url(path)?;
        url.query_pairs_mut().extend_pairs(query);
        let request = self.http.request(Method::POST, url);
        self.send(match file {
            Some(file) => request.body(tokio::fs::File::from_std(file)),
            None => request,
        })
        .await
    }

    /// Reads a file from a path of the desk API.
    pub(crate) async fn get_bytes(&self, path: &str) -> Result<Vec<u8>, Failure> {
        let request = self.http.request(Method::GET, self.url(path)?).bearer_auth(&self.token);
        self.bytes(request).await
    }

    /// Writes a file from a path of the desk API, piece by piece; how many bytes.
    pub(crate) async fn download(&self, path: &str, out: &mut (dyn Write + Send)) -> Result<u64, Failure> {
        let request = self.http.request(Method::GET, self.url(path)?).bearer_auth(&self.token);
        let sent = request.timeout(DOWNLOAD_TIMEOUT).send().await;
        let mut response = sent.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        if !status.is_success() {
            let body = response.text().await.map_err(|error| self.unreachable(&error))?;
            return Err(refusal(status, &body));
        }
        let mut written = 0;
        while let Some(piece) = response.chunk().await.map_err(|error| self.unreachable(&error))? {
            out.write_all(&piece).map_err(|error| Failure::output(&error))?;
            written += piece.len() as u64;
        }
        Ok(written)
    }

    fn url(&self, path: &str) -> Result<reqwest::Url, Failure> {
        reqwest::Url::parse(&format!("{}{path}", self.base))
            .map_err(|error| Failure::refused(format!("ask the running node at {}: {error}", self.base)))
    }

    /// Reads a path of the public listener, where no token is asked for.
    pub(crate) async fn public_bytes(&self, path: &str) -> Result<Vec<u8>, Failure> {
        self.bytes(self.http.get(format!("{}{path}", self.public))).await
    }

    async fn bytes(&self, request: reqwest::RequestBuilder) -> Result<Vec<u8>, Failure> {
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let body = response.bytes().await.map_err(|error| self.unreachable(&error))?;
        if status.is_success() {
            Ok(body.to_vec())
        } else {
            Err(refusal(status, &String::from_utf8_lossy(&body)))
        }
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Value, Failure> {
        let response =
            request.bearer_auth(&self.token).send().await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let body = response.text().await.map_err(|error| self.unreachable(&error))?;
        if !status.is_success() {
            return Err(refusal(status, &body));
        }
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&body).map_err(|error| {
            Failure::refused(format!(
                "understand the answer of the running node at {}: {error}; is it another version of Hanse?",
                self.base
            ))
        })
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        let reason = if error.is_timeout() { "it did not answer in time".to_owned() } else { root(error) };
        Failure::refused(format!(
            "ask the running node at {}: {reason}; see its log, or stop it and repeat with --offline",
            self.base
        ))
    }
}

fn root(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

fn refusal(status: StatusCode, body: &str) -> Failure {
    let Ok(ErrorBody { error }) = serde_json::from_str(body) else {
        return Failure::refused_saying(format!("the running node answered {status}"));
    };
    let mut sentence = format!("the node refused: {}", error.message.trim_end_matches('.'));
    if let Some(value) = error.value.filter(|value| !sentence.contains(value.as_str())) {
        sentence += &format!(" (`{value}`)");
    }
    if let Some(remedy) = error.remedy.filter(|remedy| !sentence.contains(remedy.as_str())) {
        sentence += &format!("; {remedy}");
    }
    for obstacle in error.obstacles {
        sentence += &format!("\n  {}", obstacle.message);
    }
    if error.code == "catching_up" {
        return Failure::catching_up(sentence);
    }
    // 400, 413, 415 and 422 speak of what was given; the rest of what may be.
    match status.as_u16() {
        400 | 413 | 415 | 422 => Failure::input_saying(sentence),
        _ => Failure::refused_saying(sentence),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_said_in_the_nodes_own_words() {
        let body = r#"{"error": {"code": "x", "message": "no such field", "value": "titel", "remedy": "did you mean `title`?",
            "obstacles": [{"field": "a", "message": "a is missing", "message_de": "a fehlt"}]}}"#;
        let text = format!("{:?}", refusal(StatusCode::BAD_REQUEST, body));
        assert!(text.contains("no such field (`titel`); did you mean `title`?"), "{text}");
        assert!(text.contains("a is missing") && text.contains("Input"), "{text}");
        assert!(format!("{:?}", refusal(StatusCode::CONFLICT, body)).contains("Refused"));
        assert!(format!("{:?}", refusal(StatusCode::BAD_GATEWAY, "<html>")).contains("502"));
    }
}
