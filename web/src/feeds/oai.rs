//! OAI-PMH 2.0 (`http://www.openarchives.org/OAI/2.0/openarchivesprotocol.htm`)
//! at `/oai`: the open datasets of all towns, each town and each theme a set.
//!
//! A datestamp is the moment at which a record changed *on this node*, not its
//! `dct:modified`: a change that another town made earlier and that arrives
//! late gets the time of its arrival, so a harvester that asks for what is new
//! since its last visit misses nothing. Withdrawn records stay in the lists as
//! deleted for good.
//!
//! A list of everything goes by dataset id, which no edit changes: each record
//! comes once, whatever happens meanwhile. A list of a time goes by commit; a
//! record that changes while it is read comes again, as it is then.

mod answer;
mod record;
mod request;
mod token;

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use crdt::ids::{DatasetId, UnixMillis};
use node::handle::{LogEntry, LogSlice, LogStart, NodeHandle, ReadError, Scope};
use node::rdf::Contexts;

use self::answer::{Answer, Content, ResumptionToken};
use self::record::Repository;
use self::request::{Failure, List, Request};
use self::token::Cursor;
use crate::app::App;
use crate::error::Problem;
use crate::extract::Body;

/// Records of one answer.
const RECORDS_PAGE: usize = 100;
/// Headers of one answer.
const IDENTIFIERS_PAGE: usize = 500;

/// Answers `GET /oai`.
pub(crate) async fn get(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    answer(&app, query.unwrap_or_default().into_bytes(), &headers).await
}

/// Answers `POST /oai`: the same questions as a form.
pub(crate) async fn post(
    State(app): State<App>,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Response, Problem> {
    answer(&app, body.into(), &headers).await
}

async fn answer(app: &App, arguments: Vec<u8>, headers: &HeaderMap) -> Result<Response, Problem> {
    let base = app.base_url(headers);
    let repository =
        Repository::new(app.handle.town(), app.handle.members(), app.handle.vocabularies(), app.own_host());
    // Taken before anything is read: what is committed later is found from here on.
    let now = app.handle.now();
    let answer = app
        .read(move |handle| -> Result<Answer, ReadError> {
            let parsed = request::parse(&arguments, &repository);
            let (echo, content) = match parsed {
                Ok(request) => {
                    let echo = request.echo.clone();
                    match content(handle, &repository, &base, request)? {
                        Ok(content) => (echo, content),
                        Err(failure) => (echo, Content::Failures(vec![failure])),
                    }
                }
                Err((echo, failures)) => (echo, Content::Failures(failures)),
            };
            Ok(Answer::new(now, &base, echo, content))
        })
        .await?;
    Ok(super::xml(&answer, "text/xml; charset=utf-8"))
}

/// Answers a question that is well put.
fn content(
    handle: &NodeHandle,
    repository: &Repository,
    base: &str,
    request: Request,
) -> Result<Result<Content, Failure>, ReadError> {
    Ok(match request.verb {
        request::Verb::Identify => {
            let catalog = handle.catalog_of(repository.town.town)?;
            Ok(Content::Identify(repository.identity(base, catalog, handle.log_begin()?)))
        }
        request::Verb::ListSets => Ok(Content::Sets(repository.sets())),
        request::Verb::ListMetadataFormats(None) => Ok(Content::Formats),
        request::Verb::ListMetadataFormats(Some(id)) => known(handle, id)?.map(|_| Content::Formats),
        request::Verb::GetRecord(id, format) => match known(handle, id)? {
            Ok(entry) => {
                let record = repository.record(handle, &mut Contexts::default(), &entry, format)?;
                Ok(Content::Record(Box::new(record)))
            }
            Err(failure) => Err(failure),
        },
        request::Verb::List(list) => {
            let slice = read(handle, &list)?;
            match slice.entries.is_empty() {
                true => Err(Failure::no_records()),
                false => Ok(listed(handle, repository, list, &slice)?),
            }
        }
    })
}

fn known(handle: &NodeHandle, named: request::Named) -> Result<Result<LogEntry, Failure>, ReadError> {
    let entry = named.id.map_or(Ok(None), |id: DatasetId| handle.log_of(id))?;
    Ok(entry.ok_or_else(|| Failure::no_such_record(&named.text)))
}

/// The next piece of a list.
fn read(handle: &NodeHandle, list: &List) -> Result<LogSlice, ReadError> {
    let limit = if list.with_metadata { RECORDS_PAGE } else { IDENTIFIERS_PAGE };
    let scope = list.set.map_or(Scope::Federation, |set| set.scope());
    let keep = |entry: &LogEntry| list.set.is_none_or(|set| set.holds(entry));
    match list.cursor {
        Cursor::Ids(after) => handle.log_by_id(scope, after, limit, keep),
        Cursor::Log(start) => handle.log_from(scope, start, list.end, limit, keep),
    }
}

/// A piece of a list, with the token that leads to the next.
fn listed(
    handle: &NodeHandle,
    repository: &Repository,
    mut list: List,
    slice: &LogSlice,
) -> Result<Content, ReadError> {
    let is_whole = list.given == 0 && !slice.more;
    if list.given == 0 && !is_whole {
        list.total = count(handle, &list)?;
    }
    let resume = slice.entries.last().filter(|_| slice.more).map(|last| {
        let cursor = match list.cursor {
            Cursor::Ids(_) => Cursor::Ids(Some(last.id)),
            Cursor::Log(_) => Cursor::Log(LogStart::After(last.place())),
        };
        List { cursor, given: list.given + slice.entries.len() as u64, ..list.clone() }.token()
    });
    let token = (!is_whole).then_some(ResumptionToken { text: resume, given: list.given, total: list.total });
    let entries = slice.entries.iter();
    if !list.with_metadata {
        return Ok(Content::Headers(entries.map(|entry| repository.header(entry)).collect(), token));
    }
    let mut contexts = Contexts::default();
    let records = entries.map(|entry| repository.record(handle, &mut contexts, entry, list.format));
    Ok(Content::Records(records.collect::<Result<_, _>>()?, token))
}

/// How long the list is, where that is known without reading every record.
fn count(handle: &NodeHandle, list: &List) -> Result<Option<u64>, ReadError> {
    let from = match list.cursor {
        Cursor::Log(LogStart::At(at)) => Some(at),
        _ => None::<UnixMillis>,
    };
    match list.set {
        Some(request::Set::Theme(_)) => Ok(None),
        set => {
            let scope = set.map_or(Scope::Federation, |set| set.scope());
            handle.log_count(scope, from, list.end).map(Some)
        }
    }
}
