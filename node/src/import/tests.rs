//! Whole imports against a node in memory.

use std::io::{Seek as _, Write as _};
use std::sync::Arc;

use crdt::authority::Authority;
use crdt::catalog::{Class, LocalRecord, RecordEdit};
use crdt::charter::CharterChain;
use crdt::ids::{Town, UnixMillis};
use crdt::signed::public_key;
use ed25519_dalek::SigningKey;
use serde_json::json;

use super::reader::Upload;
use super::sheets::{SheetForm, template};
use super::*;
use crate::directory::MemberFile;
use crate::founding;
use crate::handle::{NodeHandle, OpenOptions};

mod again;
mod files;
mod hostile;
mod identity;
mod inventories;
mod losses;
mod privacy;
mod real;

/// A node of Soest that lives in memory.
fn soest() -> NodeHandle {
    let [identity, node_key, transport] = [1, 2, 3].map(|seed| SigningKey::from_bytes(&[seed; 32]));
    let member = MemberFile {
        format: 1,
        town: Town::parse("05974040").unwrap(),
        code: "soest".into(),
        name: "Soest".into(),
        identity_key: public_key(&identity),
        node_key: public_key(&node_key),
        transport_key: public_key(&transport),
        addresses: Vec::new(),
    };
    let members = [member.clone()];
    let mut charter = founding::found("Probe", &members, [3; 16], UnixMillis(0)).unwrap();
    founding::sign(&mut charter, &identity).unwrap();
    let federation = charter.id().as_federation();
    let mut authority = Authority::new(CharterChain::found(charter, &federation).unwrap());
    authority.admit_certificate(founding::certificate(&member, federation, &identity)).unwrap();
    let node = NodeHandle::in_memory(member, node_key, Some(authority), OpenOptions::default()).unwrap();
    node.allow_publishing(true);
    node
}

fn options(source: &str) -> ImportOptions {
    ImportOptions::new(SourceName::new(source))
}

/// Imports a file and waits for the end.
async fn ended(handle: &NodeHandle, name: &str, bytes: &[u8], options: ImportOptions) -> ImportState {
    let mut file = handle.upload_file().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    let job = handle.import_file(Upload { name: name.to_owned(), file }, options).unwrap();
    loop {
        let state = job.state();
        if state.is_final() {
            return state;
        }
        tokio::task::yield_now().await;
    }
}

/// Imports a file that can be read.
async fn import(handle: &NodeHandle, name: &str, bytes: &[u8], options: ImportOptions) -> Arc<Report> {
    match ended(handle, name, bytes, options).await {
        ImportState::Done(report) => report,
        other => panic!("{name}: {other:?}"),
    }
}

/// Created, changed, unchanged, rejected.
fn counts(report: &Report) -> [u64; 4] {
    [report.created, report.changed, report.unchanged, report.rejected]
}

/// The town's closed records, by title.
fn records(handle: &NodeHandle) -> Vec<LocalRecord> {
    let mut records = handle.own_records().unwrap();
    records.sort_by_key(|record| record.dataset.title.de.as_ref().map(ToString::to_string));
    records
}

/// All sentences of a list, in German.
fn sentences(problems: &[Problem]) -> String {
    let sentence = |problem: &Problem| {
        let text = problem.in_lang(crdt::catalog::Lang::De);
        format!("{}: {} „{}“ {}; {}", text.place, text.field, text.value, text.reason, text.remedy)
    };
    problems.iter().map(sentence).collect::<Vec<_>>().join("\n")
}
