//! Sources after a merge: a record that a person gave up for another does not
//! come back, and the source goes on speaking about the one that was kept.

use std::collections::BTreeSet;

use crdt::catalog::{Dataset, NewDataset, RecordEdit};
use crdt::ids::DatasetId;
use node::handle::MergeRequest;
use node::harvest::source::{Kind, Source, SourceSpec};
use node::store::Leading;
use serde_json::{Value, json};

use super::running::Town;
use super::server::{Answer, page};
use super::support;

/// What the source says, with `change` in the place of `of`.
fn said(numbers: &[u32], of: &str, change: &str) -> Answer {
    let text = page(numbers.iter().copied(), None, None);
    assert!(text.contains(of), "{of}");
    // Long enough to be known as a name of the federation's.
    Answer::turtle(text.replace(of, change).replace("\"q-", "\"kennung-der-quelle-"))
}

impl Town {
    /// Asks the source, which says this now; created, changed, deleted, kept, own.
    async fn hears(&self, answer: Answer) -> [u64; 5] {
        self.server.set("/catalog.ttl", answer);
        counts(&self.run().await)
    }

    /// The record of this title.
    fn of_title(&self, title: &str) -> DatasetId {
        self.records().into_iter().find(|(named, _)| named == title).unwrap().1
    }

    async fn has(&self, body: Value) -> DatasetId {
        self.handle().create(NewDataset::parse(&body).unwrap()).await.unwrap().id
    }

    async fn merge(&self, keep: DatasetId, give_up: DatasetId, take_over: &[&str]) {
        let take_over = take_over.iter().map(|field| (*field).to_owned()).collect::<BTreeSet<_>>();
        self.handle().merge(MergeRequest { keep, give_up, take_over }).await.unwrap();
    }

    fn closed(&self, id: DatasetId) -> Dataset {
        let mut found = None;
        let take = |record: crdt::catalog::LocalRecord| {
            if record.dataset.id == id {
                found = Some(record.dataset);
            }
        };
        self.handle().each_own_record(take).unwrap();
        found.unwrap()
    }

    /// Fields of a record that wait for a decision.
    fn tasks(&self, id: DatasetId) -> BTreeSet<String> {
        self.handle().tasks_of(id).unwrap().into_iter().map(|task| task.field).collect()
    }
}

fn counts(source: &Source) -> [u64; 5] {
    assert_eq!(source.problem, None);
    let counts = &source.counts;
    [counts.created, counts.changed, counts.deleted, counts.kept, counts.own]
}

fn fields(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

const FIRST: &str = "dct:title \"Datensatz 1\"@de";
const DESCRIBED: &str = "dct:title \"Datensatz 1\"@de ; dct:description \"Von der Quelle\"@de";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_harvested_record_given_up_for_an_own_one_does_not_come_back() {
    let town = Town::start().await;
    assert_eq!(town.hears(said(&[1, 2, 3], FIRST, FIRST)).await, [3, 0, 0, 0, 0]);
    let own = town.has(json!({"title": "Eigener Datensatz"})).await;
    town.merge(own, town.of_title("Datensatz 1"), &[]).await;
    for order in [[1, 2, 3], [3, 1, 2]] {
        assert_eq!(town.hears(said(&order, FIRST, FIRST)).await, [0; 5]);
        assert_eq!(town.titles().len(), 3);
    }
    // What the town has not said is filled in, what it has said stays.
    let renamed = DESCRIBED.replace("Datensatz 1", "Datensatz 1b");
    assert_eq!(town.hears(said(&[1, 2, 3], FIRST, &renamed)).await, [0, 1, 0, 0, 0]);
    let kept = town.closed(own);
    assert_eq!(kept.title.de.unwrap().as_str(), "Eigener Datensatz");
    assert_eq!(kept.description.de.unwrap().as_str(), "Von der Quelle");
    assert_eq!(town.tasks(own), fields(&["title/de"]));
    // Gone there, and there again: a person is told once, and nothing is doubled.
    assert_eq!(town.hears(said(&[2, 3], "\"q-2\"", "\"q-2\"")).await, [0, 0, 0, 1, 0]);
    assert_eq!(town.tasks(own), fields(&["title/de", "status"]));
    assert_eq!(town.hears(said(&[3, 2], "\"q-2\"", "\"q-2\"")).await, [0; 5]);
    assert_eq!(town.hears(said(&[1, 2, 3], FIRST, &renamed)).await, [0; 5]);
    assert_eq!(town.titles(), ["2", "3", "Eigener Datensatz"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_record_that_says_just_what_the_source_says_is_not_the_sources_to_delete() {
    let town = Town::start().await;
    assert_eq!(town.hears(said(&[1, 2, 3], FIRST, FIRST)).await, [3, 0, 0, 0, 0]);
    let harvested = town.of_title("Datensatz 1");
    let own = town.has(json!({"title": "Datensatz 1"})).await;
    town.merge(own, harvested, &[]).await;
    assert_eq!(town.hears(said(&[2, 3], "\"q-2\"", "\"q-2\"")).await, [0, 0, 0, 1, 0]);
    assert_eq!(town.closed(own).title.de.unwrap().as_str(), "Datensatz 1");
    assert_eq!(town.tasks(own), fields(&["status"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_own_record_given_up_for_a_harvested_one_leaves_its_words_there() {
    let town = Town::start().await;
    assert_eq!(town.hears(said(&[1, 2, 3], FIRST, FIRST)).await, [3, 0, 0, 0, 0]);
    let body = json!({"title": "Eigener Datensatz", "description": "Vom Amt", "identifier": "amt-1"});
    let own = town.has(body).await;
    let kept = town.of_title("Datensatz 1");
    town.merge(kept, own, &["description"]).await;
    assert_eq!(town.hears(said(&[1, 2, 3], FIRST, FIRST)).await, [0; 5]);
    // The source goes on, but for what was taken over from the town's own record.
    let renamed = DESCRIBED.replace("Datensatz 1", "Datensatz 1b");
    assert_eq!(town.hears(said(&[1, 2, 3], FIRST, &renamed)).await, [0, 1, 0, 0, 0]);
    let record = town.closed(kept);
    assert_eq!(record.title.de.unwrap().as_str(), "Datensatz 1b");
    assert_eq!(record.description.de.unwrap().as_str(), "Vom Amt");
    assert_eq!(town.tasks(kept), fields(&["description/de"]));
    // Named as the one that was given up by a source: it is the kept one.
    let amt = said(&[1, 2, 3], "\"q-3\"", "\"amt-1\"");
    town.hears(amt).await;
    assert_eq!(town.hears(said(&[2, 3], "\"q-2\"", "\"q-2\"")).await[2..4], [0, 1]);
    assert_eq!(town.closed(kept).description.de.unwrap().as_str(), "Vom Amt");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_published_record_given_up_for_another_is_not_taken_for_one_that_came_back() {
    let town = Town::start().await;
    assert_eq!(town.hears(said(&[1, 2, 3], FIRST, FIRST)).await, [3, 0, 0, 0, 0]);
    let harvested = town.of_title("Datensatz 1");
    // What the source has not said, so that it may be published.
    let full = serde_json::to_value(&support::record(7).dataset).unwrap();
    let names = [
        "description",
        "contact",
        "licence",
        "themes",
        "personal_data",
        "frequency",
        "distributions",
        "publisher",
        "keywords",
        "attribution",
        "hvd",
        "spatial",
        "department",
    ];
    let mut edit: serde_json::Map<String, Value> =
        names.iter().filter_map(|name| Some(((*name).to_owned(), full.get(*name)?.clone()))).collect();
    edit.insert("internal".into(), serde_json::to_value(&support::record(7).internal).unwrap());
    let edit = RecordEdit::parse(&Value::Object(edit)).unwrap();
    town.handle().edit(harvested, edit, None).await.unwrap();
    town.handle().publish(harvested).await.unwrap();
    let own = town.handle().create(NewDataset::from_record(&support::record(8))).await.unwrap().id;
    town.handle().publish(own).await.unwrap();
    town.merge(own, harvested, &[]).await;
    let open = || town.handle().open_dataset(own).unwrap().unwrap().dataset;
    let before = open();
    assert!(before.other_identifiers.iter().any(|name| name.to_string() == harvested.to_string()));

    assert_eq!(town.hears(said(&[3, 2, 1], FIRST, FIRST)).await, [0; 5]);
    let renamed = FIRST.replace("Datensatz 1", "Datensatz 1b");
    assert_eq!(town.hears(said(&[1, 2, 3], FIRST, &renamed)).await, [0; 5]);
    assert_eq!(town.tasks(own), fields(&["title"]), "what is published is a person's to change");
    assert_eq!(town.hears(said(&[2, 3], "\"q-2\"", "\"q-2\"")).await, [0, 0, 0, 1, 0]);
    assert_eq!(town.tasks(own), fields(&["title", "status"]));
    assert_eq!(open(), before, "the published record stays what it was");
    assert_eq!(town.records().len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_sources_of_a_merged_record_the_leading_one_speaks() {
    let town = Town::start().await;
    assert_eq!(town.hears(said(&[1, 2, 3], FIRST, FIRST)).await, [3, 0, 0, 0, 0]);
    let spec = SourceSpec {
        name: "zweite".into(),
        url: town.server.url("/zweite.ttl"),
        kind: Kind::Rdf,
        interval_s: None,
        allow_private: true,
        allow_redirects: false,
    };
    town.handle().add_source(spec).await.unwrap();
    let second = |numbers: &[u32], text: &str| {
        let text = page(numbers.iter().copied(), None, None)
            .replace("quelle.example", "zweite.example")
            .replace("\"q-", "\"z-")
            .replace("Datensatz", text);
        town.server.set("/zweite.ttl", Answer::turtle(text));
    };
    let run_second = async || counts(&town.handle().run_source("zweite").await.unwrap());
    second(&[1, 2, 3], "Zweiter");
    assert_eq!(run_second().await, [3, 0, 0, 0, 0]);
    let (kept, given_up) = (town.of_title("Zweiter 1"), town.of_title("Datensatz 1"));
    town.merge(kept, given_up, &[]).await;
    let sources = town.handle().lead_of(kept).unwrap().unwrap().sources;
    assert_eq!(sources, ["harvest quelle", "harvest zweite"]);
    assert_eq!((town.hears(said(&[1, 2, 3], FIRST, FIRST)).await, run_second().await), ([0; 5], [0; 5]));

    // Nobody leads: each carries over what it says anew where the other's word does not stand.
    assert_eq!(town.hears(said(&[1, 2, 3], FIRST, DESCRIBED)).await, [0, 1, 0, 0, 0]);
    assert_eq!(town.closed(kept).description.de.unwrap().as_str(), "Von der Quelle");
    town.handle().lead(kept, Some(Leading::Source("harvest zweite".into()))).await.unwrap();
    let other = DESCRIBED.replace("Von der Quelle", "Neu von der Quelle");
    assert_eq!(town.hears(said(&[1, 2, 3], FIRST, &other)).await, [0; 5]);
    second(&[1, 2, 3], "Führender");
    assert_eq!(run_second().await, [0, 3, 0, 0, 0]);
    let record = town.closed(kept);
    assert_eq!(record.title.de.unwrap().as_str(), "Führender 1");
    assert_eq!(record.description.de.unwrap().as_str(), "Von der Quelle");

    // Gone at one, then at the other: a person decides.
    assert_eq!(town.hears(said(&[2, 3], "\"q-2\"", "\"q-2\"")).await, [0, 0, 0, 1, 0]);
    second(&[2, 3], "Führender");
    assert_eq!(run_second().await, [0, 0, 0, 1, 0]);
    assert_eq!(town.closed(kept).title.de.unwrap().as_str(), "Führender 1");
    assert_eq!(town.records().len(), 5);
}
