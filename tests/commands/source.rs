//! A source whose answers a test writes: one HTTP server on the loopback.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// Media type and body of a page; none: the connection is closed without a word.
type Page = Option<(&'static str, Vec<u8>)>;

/// Answers by path and query; what is not written is 404. Ends with the test.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) base: String,
    pages: Arc<Mutex<BTreeMap<String, Page>>>,
}

impl Source {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there are free ports");
        let address = listener.local_addr().expect("a bound socket has an address");
        let source = Self { base: format!("http://{address}"), pages: Arc::default() };
        let at_work = source.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let source = at_work.clone();
                // A client that went away is no matter of the test's.
                std::thread::spawn(move || drop(source.answer(stream)));
            }
        });
        source
    }

    pub(crate) fn set(&self, path: &str, media_type: &'static str, body: impl Into<Vec<u8>>) {
        self.put(path, Some((media_type, body.into())));
    }

    /// From now on nothing comes from there.
    pub(crate) fn silence(&self, path: &str) {
        self.put(path, None);
    }

    fn put(&self, path: &str, page: Page) {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), page);
    }

    fn answer(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut lines = BufReader::new(stream.try_clone()?).lines();
        let head = lines.next().transpose()?.unwrap_or_default();
        while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
        let path = head.split(' ').nth(1).unwrap_or_default();
        let page = self.pages.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
        let (status, (media_type, body)) = match page {
            Some(Some(page)) => ("200 OK", page),
            Some(None) => return Ok(()),
            None => ("404 Not Found", ("text/plain", Vec::new())),
        };
        let mut stream = stream;
        write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        )?;
        stream.write_all(&body)
    }
}

/// A catalog in Turtle: datasets by number, and the page that follows.
pub(crate) fn turtle(numbers: impl IntoIterator<Item = u32>, next: Option<&str>) -> String {
    let mut text = String::from(
        "@prefix dcat: <http://www.w3.org/ns/dcat#> .\n@prefix dct: <http://purl.org/dc/terms/> .\n\
         @prefix hydra: <http://www.w3.org/ns/hydra/core#> .\n<https://quelle.example/> a dcat:Catalog .\n",
    );
    for number in numbers {
        text += &format!(
            "<https://quelle.example/d/{number}> a dcat:Dataset ; dct:identifier \"quelle-datensatz-{number}\" ; dct:title \"Datensatz {number}\"@de .\n"
        );
    }
    if let Some(next) = next {
        text += &format!("<#view> hydra:next <{next}> .\n");
    }
    text
}
