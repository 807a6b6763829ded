//! A source whose answers a test writes: one HTTP server on the loopback.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What stands at a path.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// A page with its media type and further header lines.
    Page { media_type: &'static str, headers: String, body: Vec<u8> },
    /// An error, with further header lines.
    Status(u16, String),
    /// A redirect.
    Moved(String),
    /// A page that breaks off in the middle.
    Half(Vec<u8>),
    /// A page that never ends.
    Endless,
    /// No answer at all.
    Silence,
    /// Another answer, as soon as the test says so.
    After(Arc<tokio::sync::Notify>, Box<Answer>),
}

impl Answer {
    pub(crate) fn turtle(body: impl Into<Vec<u8>>) -> Self {
        Self::Page { media_type: "text/turtle", headers: String::new(), body: body.into() }
    }

    pub(crate) fn json(body: &serde_json::Value) -> Self {
        Self::Page {
            media_type: "application/json",
            headers: String::new(),
            body: body.to_string().into_bytes(),
        }
    }
}

/// Answers by path and query; what is not written is 404.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) base: String,
    answers: Arc<Mutex<BTreeMap<String, Answer>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let server = Self { base, answers: Arc::default(), asked: Arc::default() };
        let at_work = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = at_work.clone();
                tokio::spawn(async move { server.serve(stream).await });
            }
        });
        server
    }

    pub(crate) fn set(&self, path: &str, answer: Answer) {
        self.answers.lock().unwrap().insert(path.to_owned(), answer);
    }

    pub(crate) fn clear(&self) {
        self.answers.lock().unwrap().clear();
    }

    /// Request heads so far, whole.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn url(&self, path: &str) -> url::Url {
        url::Url::parse(&format!("{}{path}", self.base)).unwrap()
    }

    async fn serve(&self, mut stream: TcpStream) -> Option<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).await.ok()?;
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).ok()?;
        let path = head.split(' ').nth(1)?.to_owned();
        self.asked.lock().unwrap().push(head);
        let answer = self.answers.lock().unwrap().get(&path).cloned();
        let answer = match answer {
            Some(Answer::After(word, answer)) => {
                word.notified().await;
                Some(*answer)
            }
            answer => answer,
        };
        match answer.unwrap_or(Answer::Status(404, String::new())) {
            Answer::Page { media_type, headers, body } => {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\n{headers}");
                send(&mut stream, &head, &body, body.len()).await
            }
            Answer::Status(status, headers) => {
                send(&mut stream, &format!("HTTP/1.1 {status} X\r\n{headers}"), b"", 0).await
            }
            Answer::Moved(to) => {
                send(&mut stream, &format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\n"), b"", 0).await
            }
            Answer::Half(body) => send(&mut stream, "HTTP/1.1 200 OK\r\n", &body, body.len() + 1000).await,
            Answer::Endless => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/turtle\r\n\r\n").await.ok()?;
                let chunk = vec![b'#'; 64 * 1024];
                while stream.write_all(&chunk).await.is_ok() {}
                None
            }
            Answer::Silence | Answer::After(..) => {
                std::future::pending::<()>().await;
                None
            }
        }
    }
}

async fn send(stream: &mut TcpStream, head: &str, body: &[u8], length: usize) -> Option<()> {
    let head = format!("{head}Content-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.write_all(body).await.ok()?;
    stream.shutdown().await.ok()
}

/// A catalog page in Turtle: datasets by number, and what follows.
pub(crate) fn page(numbers: impl IntoIterator<Item = u32>, next: Option<&str>, total: Option<u64>) -> String {
    use std::fmt::Write as _;

    let mut text = String::from(
        "@prefix dcat: <http://www.w3.org/ns/dcat#> .\n@prefix dct: <http://purl.org/dc/terms/> .\n\
         @prefix hydra: <http://www.w3.org/ns/hydra/core#> .\n<https://quelle.example/> a dcat:Catalog .\n",
    );
    for number in numbers {
        writeln!(
            text,
            "<https://quelle.example/d/{number}> a dcat:Dataset ; dct:identifier \"q-{number}\" ; dct:title \"Datensatz {number}\"@de ."
        )
        .unwrap();
    }
    if let Some(next) = next {
        writeln!(text, "<#view> hydra:next <{next}> .").unwrap();
    }
    if let Some(total) = total {
        writeln!(text, "<#view> hydra:totalItems {total} .").unwrap();
    }
    text
}
