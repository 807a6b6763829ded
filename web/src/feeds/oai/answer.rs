//! The answer as a document (`http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd`).

use askama::Template;
use crdt::ids::UnixMillis;

use super::record::{Header, Identity, Metadata, Record, SetInfo};
use super::request::{Echo, Failure};
use crate::feeds::second;

#[derive(Debug, Template)]
#[template(path = "feeds/oai.xml")]
pub(super) struct Answer {
    date: String,
    base: String,
    echo: Echo,
    content: Content,
}

#[derive(Debug)]
pub(super) enum Content {
    Failures(Vec<Failure>),
    Identify(Identity),
    Formats,
    Sets(Vec<SetInfo>),
    Headers(Vec<Header>, Option<ResumptionToken>),
    Records(Vec<Record>, Option<ResumptionToken>),
    Record(Box<Record>),
}

/// How an unfinished list goes on; without a text this was its end.
#[derive(Debug)]
pub(super) struct ResumptionToken {
    pub(super) text: Option<String>,
    pub(super) given: u64,
    pub(super) total: Option<u64>,
}

impl Answer {
    pub(super) fn new(now: UnixMillis, base: &str, echo: Echo, content: Content) -> Self {
        Self { date: second(now), base: format!("{base}/oai"), echo, content }
    }
}
