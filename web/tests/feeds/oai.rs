//! OAI-PMH: every verb and error, and that no harvester ever misses anything.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};

use crate::support::exchange::Olpe;
use crate::support::xml::Element;
use crate::support::{Soest, record, send};
use crate::{BEGIN, world, world_under};

const OAI: &str = "http://www.openarchives.org/OAI/2.0/";

/// Asks and checks what every answer has.
async fn ask(soest: &Soest, query: &str) -> Element {
    let answer = soest.public(&format!("/oai?{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(answer.header(header::CONTENT_TYPE), "text/xml; charset=utf-8");
    let root = Element::parse(answer.text());
    assert_eq!((root.namespace.as_str(), root.name.as_str()), (OAI, "OAI-PMH"));
    assert_eq!(root.names()[..2], ["responseDate", "request"]);
    assert_eq!(root.child("request").text, "http://localhost/oai");
    root
}

/// The code of the only error, whose message names `words`.
async fn refused(soest: &Soest, query: &str, words: &[&str]) -> String {
    let root = ask(soest, query).await;
    let error = root.child("error");
    for word in words {
        assert!(error.text.contains(word), "{query}: {}", error.text);
    }
    error.attribute("code").unwrap().to_owned()
}

/// A header's identifier, datestamp, and whether the record is deleted.
fn told(header: &Element) -> (String, String, bool) {
    let text = |name| header.text_of(name).unwrap().to_owned();
    (text("identifier"), text("datestamp"), header.attribute("status") == Some("deleted"))
}

/// Walks a list to its end; what it told, in order.
async fn walk(soest: &Soest, query: &str) -> Vec<(String, String, bool)> {
    let mut all = Vec::new();
    let mut next = query.to_owned();
    let verb = query.split('&').next().unwrap();
    loop {
        let root = ask(soest, &next).await;
        if root.all("error").next().is_some() {
            assert_eq!(root.child("error").attribute("code"), Some("noRecordsMatch"));
            return all;
        }
        let list = root.children.last().unwrap();
        for one in &list.children {
            match one.name.as_str() {
                "header" => all.push(told(one)),
                "record" => {
                    let (header, deleted) = (one.child("header"), one.all("metadata").next().is_none());
                    assert_eq!(told(header).2, deleted, "deleted records have no metadata, others have");
                    all.push(told(header));
                }
                name => assert_eq!(name, "resumptionToken"),
            }
        }
        match list.text_of("resumptionToken") {
            Some(token) if !token.is_empty() => {
                let token: String = url_encode(token);
                next = format!("{verb}&resumptionToken={token}");
            }
            _ => return all,
        }
    }
}

fn url_encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn uuid(identifier: &str) -> &str {
    identifier.rsplit(':').next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_repository_says_what_it_is_and_has() {
    let (soest, clock) = world().await;
    let root = ask(&soest, "verb=Identify").await;
    let identify = root.child("Identify");
    assert_eq!(identify.text_of("earliestDatestamp"), Some("1970-01-01T00:00:00Z"));
    clock.pass(60);
    let id = soest.publish(record("Baumkataster")).await;
    let root = ask(&soest, "verb=Identify").await;
    let identify = root.child("Identify");
    // In the order of the schema.
    assert_eq!(
        identify.names(),
        [
            "repositoryName",
            "baseURL",
            "protocolVersion",
            "adminEmail",
            "earliestDatestamp",
            "deletedRecord",
            "granularity",
            "compression",
            "description"
        ]
    );
    assert_eq!(identify.text_of("earliestDatestamp"), Some("2026-11-18T11:07:40Z"));
    assert_eq!(identify.text_of("deletedRecord"), Some("persistent"));
    let scheme = identify.child("description").child("oai-identifier");
    assert_eq!(scheme.text_of("repositoryIdentifier"), Some("soest.invalid"));

    let root = ask(&soest, "verb=ListSets").await;
    let sets: Vec<_> = root.child("ListSets").all("set").map(|set| set.text_of("setSpec").unwrap()).collect();
    assert_eq!(sets[..2], ["town-olpe", "town-soest"]);
    assert!(sets.contains(&"theme-ENVI") && sets.len() == 16, "{sets:?}");

    let root = ask(&soest, "verb=ListMetadataFormats").await;
    let formats = root.child("ListMetadataFormats").all("metadataFormat");
    let formats: Vec<_> = formats.map(|one| one.text_of("metadataPrefix").unwrap().to_owned()).collect();
    assert_eq!(formats, ["oai_dc", "dcat_ap"]);
    let known = format!("verb=ListMetadataFormats&identifier=oai:soest.invalid:{id}");
    assert_eq!(ask(&soest, &known).await.child("ListMetadataFormats").children.len(), formats.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_told_in_dublin_core_and_whatever_it_says_stays_text() {
    let mut config = node::config::Config::default();
    config.public.base_url = Some("https://daten.soest.example".parse().unwrap());
    let (soest, _) = world_under(config).await;
    let hostile = "</dc:title><x>&amp; \u{ffff} \"'";
    let mut body = record(hostile);
    body["title"]["en"] = json!("Tree register");
    body["temporal"] = json!({"start": "2020-01-01"});
    let id = soest.publish(body).await;
    let answer = soest
        .public(&format!("/oai?verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:daten.soest.example:{id}"))
        .await;
    let root = Element::parse(answer.text());
    assert_eq!(root.child("request").text, "https://daten.soest.example/oai");
    assert_eq!(root.child("request").attribute("verb"), Some("GetRecord"));
    let record = root.child("GetRecord").child("record");
    let sets: Vec<&str> = record.child("header").all("setSpec").map(|set| set.text.as_str()).collect();
    assert_eq!(sets, ["town-soest", "theme-ENVI"]);
    let dc = record.child("metadata").child("dc");
    assert_eq!(dc.namespace, "http://www.openarchives.org/OAI/2.0/oai_dc/");
    let of = |name: &str| {
        dc.children.iter().filter(|one| one.name == name).map(|one| one.text.clone()).collect::<Vec<_>>()
    };
    assert_eq!(of("title"), [hostile.replace('\u{ffff}', "\u{fffd}"), "Tree register".to_owned()]);
    assert_eq!(of("subject"), ["Baum", "Umwelt", "Environment"]);
    assert_eq!(
        (of("type"), of("format"), of("language")),
        (vec!["Dataset".into()], vec!["CSV".into()], vec!["de".into(), "en".into()])
    );
    assert_eq!(of("coverage"), ["2020-01-01/"]);
    assert_eq!(of("rights"), ["http://dcat-ap.de/def/licenses/dl-zero-de/2.0"]);
    assert!(of("identifier").contains(&format!("urn:uuid:{id}")));
    assert!(!answer.text().contains("geheime Notiz") && !answer.text().contains("gruen@soest.example"));

    let query = format!("verb=GetRecord&metadataPrefix=dcat_ap&identifier=oai:daten.soest.example:{id}");
    let answer = soest.public(&format!("/oai?{query}")).await;
    let root = Element::parse(answer.text());
    let rdf = root.child("GetRecord").child("record").child("metadata").child("RDF");
    assert_eq!(rdf.namespace, "http://www.w3.org/1999/02/22-rdf-syntax-ns#");
    let dataset = rdf.child("Dataset");
    assert_eq!(dataset.namespace, "http://www.w3.org/ns/dcat#");
    assert_eq!(dataset.attribute("rdf:about"), Some(format!("urn:uuid:{id}").as_str()));
    assert!(answer.text().contains("Tree register") && !answer.text().contains("geheime Notiz"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mistake_gets_the_error_of_the_protocol_that_names_it() {
    let (soest, _) = world().await;
    let id = soest.publish(record("Baumkataster")).await;
    let closed = soest.create(record("Geheimes Melderegister")).await;
    let cases: &[(&str, &str, &[&str])] = &[
        ("", "badVerb", &["`verb` is missing", "ListRecords"]),
        ("verb=ListRecord", "badVerb", &["`ListRecord`", "did you mean `ListRecords`"]),
        ("verb=Identify&verb=Identify", "badVerb", &["more than once"]),
        ("verb=Identify&set=x", "badArgument", &["`set`", "takes none"]),
        ("verb=ListRecords", "badArgument", &["`metadataPrefix=oai_dc`"]),
        ("verb=ListRecords&metadataPrefix=oai_dc&metadataPrefix=oai_dc", "badArgument", &["more than once"]),
        ("verb=ListRecords&metadataPrefix=oai_dc&form=2026-01-01", "badArgument", &["`form`", "from, until"]),
        ("verb=ListRecords&metadataPrefix=marc21", "cannotDisseminateFormat", &["`marc21`", "oai_dc"]),
        (
            "verb=ListRecords&metadataPrefix=oai_dc&from=gestern",
            "badArgument",
            &["`from`", "`gestern`", "2026-11-02T08:41:00Z"],
        ),
        ("verb=ListRecords&metadataPrefix=oai_dc&from=2026-02-30", "badArgument", &["`2026-02-30`"]),
        (
            "verb=ListRecords&metadataPrefix=oai_dc&until=2026-11-02T08:41:00%2B01:00",
            "badArgument",
            &["`until`"],
        ),
        ("verb=ListRecords&metadataPrefix=oai_dc&from=2026-11-02T08:41Z", "badArgument", &["`from`"]),
        (
            "verb=ListRecords&metadataPrefix=oai_dc&from=2026-11-02&until=2026-11-03T00:00:00Z",
            "badArgument",
            &["differ in form"],
        ),
        (
            "verb=ListRecords&metadataPrefix=oai_dc&from=2026-11-03&until=2026-11-02",
            "badArgument",
            &["exchange them"],
        ),
        (
            "verb=ListRecords&metadataPrefix=oai_dc&set=town-sost",
            "noRecordsMatch",
            &["`town-sost`", "did you mean `town-soest`"],
        ),
        ("verb=ListRecords&metadataPrefix=oai_dc&set=theme-TRAN", "noRecordsMatch", &["another set"]),
        ("verb=ListRecords&metadataPrefix=oai_dc&from=2030-01-01", "noRecordsMatch", &["`from`"]),
        ("verb=ListRecords&metadataPrefix=oai_dc&until=1999-12-31", "noRecordsMatch", &["`until`"]),
        ("verb=ListRecords&resumptionToken=x", "badResumptionToken", &["`x`", "begin again"]),
        ("verb=ListSets&resumptionToken=x", "badResumptionToken", &["`x`"]),
        ("verb=ListRecords&resumptionToken=x&metadataPrefix=oai_dc", "badArgument", &["alone"]),
        ("verb=GetRecord&metadataPrefix=oai_dc", "badArgument", &["`identifier`"]),
        (
            "verb=GetRecord&metadataPrefix=oai_dc&identifier=baum",
            "idDoesNotExist",
            &["`baum`", "ListIdentifiers"],
        ),
        ("verb=ListMetadataFormats&identifier=oai:soest.invalid:x", "idDoesNotExist", &["ListIdentifiers"]),
        ("verb=Identify&%3Cscript%3E=%00", "badArgument", &["<script>"]),
    ];
    for (query, code, words) in cases {
        assert_eq!(refused(&soest, query, words).await, *code, "{query}");
        // With these two errors nothing of the request is repeated, with others everything.
        let repeats = ask(&soest, query).await.child("request").attribute("verb").is_some();
        assert_eq!(repeats, !["badVerb", "badArgument"].contains(code), "{query}");
    }
    let of_other_verb = format!("verb=ListIdentifiers&resumptionToken=r~oai_dc~~~i{id}~100~200");
    assert_eq!(refused(&soest, &of_other_verb, &[]).await, "badResumptionToken");

    // A closed record and an unknown one look the same.
    let get = |id: &str| format!("verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:soest.invalid:{id}");
    let unknown = "6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10";
    let masked = async |id: &str| {
        let answer = soest.public(&format!("/oai?{}", get(id))).await;
        answer.text().replace(id, "ID")
    };
    assert!(masked(unknown).await.contains("idDoesNotExist"));
    assert_eq!(masked(&closed).await, masked(unknown).await);
    assert!(ask(&soest, &get(&id)).await.all("GetRecord").next().is_some(), "the control");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_of_a_post_asks_the_same() {
    let (soest, _) = world().await;
    soest.publish(record("Baumkataster")).await;
    let query = "verb=ListRecords&metadataPrefix=oai_dc&set=town-soest";
    let request = Request::post("/oai").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let posted = send(&soest.public, request.body(Body::from(query)).unwrap()).await;
    assert_eq!(posted.text(), soest.public(&format!("/oai?{query}")).await.text());
    assert!(posted.text().contains("Baumkataster"));
}

/// A harvester: what it holds by identifier, told by lists alone.
#[derive(Debug, Default, PartialEq)]
struct Copy(BTreeMap<String, String>);

impl Copy {
    fn take(&mut self, told: Vec<(String, String, bool)>) {
        for (identifier, datestamp, deleted) in told {
            if deleted {
                self.0.remove(uuid(&identifier));
            } else {
                self.0.insert(uuid(&identifier).to_owned(), datestamp);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn incremental_harvests_reproduce_the_catalog_and_miss_no_late_arrival() {
    let (soest, clock) = world().await;
    let olpe = Olpe::open(&soest);
    let mut copy = Copy::default();
    let mut ids = Vec::new();
    // The date from which the next harvest asks, as the last answer said.
    let mut from = "2026-11-18T00:00:00Z".to_owned();
    for round in 0..8 {
        match round {
            0 | 3 => {
                for number in 0..3 {
                    ids.push(soest.publish(record(&format!("Kataster {round} {number}"))).await);
                }
            }
            // Published in Olpe long ago by its clock; it arrives only now.
            1 => drop(olpe.publish(record("Olper Bäume")).await),
            2 => soest.receive(&olpe).await,
            4 => soest.withdraw(&ids[1]).await,
            5 => {
                let path = format!("/api/v1/datasets/{}", ids[0]);
                let edited = soest.desk("PATCH", &path, json!({"title": {"de": "Neu"}})).await;
                assert_eq!(edited.status, StatusCode::OK);
            }
            6 => drop(soest.create(record("Geheim")).await),
            _ => {}
        }
        let date = ask(&soest, "verb=Identify").await.text_of("responseDate").unwrap().to_owned();
        copy.take(walk(&soest, &format!("verb=ListRecords&metadataPrefix=oai_dc&from={from}")).await);
        from = date;
        clock.pass(i64::from(round % 2));

        let mut whole = Copy::default();
        let all = walk(&soest, "verb=ListIdentifiers&metadataPrefix=oai_dc").await;
        whole.take(all.clone());
        assert_eq!(copy, whole, "after round {round}");
        let handle = soest.handle();
        let open = handle.open_datasets(node::handle::Scope::Federation, None, 100).unwrap();
        let open: Vec<String> = open.iter().map(|one| one.dataset.id.to_string()).collect();
        assert_eq!(whole.0.keys().cloned().collect::<Vec<_>>(), open, "after round {round}");
    }
    let deleted: Vec<_> = walk(&soest, "verb=ListIdentifiers&metadataPrefix=oai_dc").await;
    let deleted: Vec<_> = deleted.iter().filter(|one| one.2).map(|one| uuid(&one.0)).collect();
    assert_eq!(deleted, [ids[1].as_str()]);
    // Every theme tells of a deleted record; of the towns, its own.
    for (set, tells) in [("theme-TRAN", true), ("town-soest", true), ("town-olpe", false)] {
        let told = walk(&soest, &format!("verb=ListRecords&metadataPrefix=oai_dc&set={set}")).await;
        assert_eq!(told.iter().any(|one| one.2), tells, "{set}");
    }
    let get = format!("verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:soest.invalid:{}", ids[1]);
    let root = ask(&soest, &get).await;
    assert_eq!(root.child("GetRecord").child("record").names(), ["header"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_town_says_of_its_catalog_is_told_again_with_each_of_its_datasets() {
    let (soest, clock) = world().await;
    let olpe = Olpe::open(&soest);
    olpe.publish(record("Olper Bäume")).await;
    soest.receive(&olpe).await;
    let mut ids = vec![soest.publish(record("Bäume")).await, soest.publish(record("Bänke")).await];
    let withdrawn = soest.publish(record("Brunnen")).await;
    soest.withdraw(&withdrawn).await;
    clock.pass(10);
    let from = ask(&soest, "verb=Identify").await.text_of("responseDate").unwrap().to_owned();
    let told = async || {
        let told = walk(&soest, &format!("verb=ListRecords&metadataPrefix=dcat_ap&from={from}")).await;
        let mut told: Vec<String> = told.iter().map(|one| uuid(&one.0).to_owned()).collect();
        told.sort();
        told
    };
    let edit = async |edit: Value| {
        let edited = soest.desk("PATCH", "/api/v1/catalog", edit).await;
        assert_eq!(edited.status, StatusCode::OK, "{}", edited.text());
    };
    // Of datasets this says nothing.
    edit(json!({"homepage": "https://soest.example"})).await;
    assert_eq!(told().await, <[String; 0]>::default());

    edit(json!({"contributor_id": "http://dcat-ap.de/def/contributors/openNRW"})).await;
    ids.sort();
    assert_eq!(told().await, ids);
    let get = format!("verb=GetRecord&metadataPrefix=dcat_ap&identifier=oai:soest.invalid:{}", ids[0]);
    let record = soest.public(&format!("/oai?{get}")).await;
    assert!(record.text().contains("contributors/openNRW"), "{}", record.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_goes_on_over_edits_and_each_record_comes_once() {
    let (soest, clock) = world().await;
    let mut ids = Vec::new();
    for number in 0..101 {
        ids.push(soest.create(record(&format!("Kataster {number}"))).await);
    }
    let handle = soest.handle();
    let publish = ids.iter().map(|id| handle.publish(id.parse().unwrap()));
    for receipt in futures::future::join_all(publish).await {
        receipt.unwrap();
    }
    clock.pass(10);
    let root = ask(&soest, "verb=ListRecords&metadataPrefix=oai_dc").await;
    let list = root.child("ListRecords");
    let token = list.child("resumptionToken");
    assert_eq!((token.attribute("completeListSize"), token.attribute("cursor")), (Some("101"), Some("0")));
    let mut seen: Vec<String> = list.all("record").map(|one| told(one.child("header")).0).collect();
    assert_eq!(seen.len(), 100);
    // What was told and what was not is edited before the walk goes on.
    for id in &ids {
        let edited =
            soest.desk("PATCH", &format!("/api/v1/datasets/{id}"), json!({"title": {"de": "Neu"}})).await;
        assert_eq!(edited.status, StatusCode::OK);
    }
    let next = format!("verb=ListRecords&resumptionToken={}", url_encode(&token.text));
    let root = ask(&soest, &next).await;
    let list = root.child("ListRecords");
    let end = list.child("resumptionToken");
    assert_eq!((end.text.as_str(), end.attribute("cursor")), ("", Some("100")));
    seen.extend(list.all("record").map(|one| told(one.child("header")).0));
    let mut expected: Vec<String> = ids.iter().map(|id| format!("oai:soest.invalid:{id}")).collect();
    expected.sort();
    assert_eq!(seen, expected);

    // A list of a time goes by commit: everything was edited, everything comes again.
    let from = BEGIN / 1_000 + 10;
    let from = crdt::catalog::Timestamp::from_unix(crdt::ids::UnixMillis(from * 1_000)).unwrap();
    let again = walk(&soest, &format!("verb=ListRecords&metadataPrefix=oai_dc&from={from}")).await;
    assert_eq!(again.len(), 101);
    let before = walk(&soest, "verb=ListRecords&metadataPrefix=oai_dc&until=2026-11-18T11:06:45Z").await;
    assert_eq!(before.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_starts_answers_503_and_harvesters_are_counted() {
    let (soest, _) = world().await;
    soest.handle().board().set_phase(node::view::Phase::CatchingUp);
    let answer = soest.public("/oai?verb=ListRecords&metadataPrefix=oai_dc").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(!answer.header(header::RETRY_AFTER).is_empty());
    assert!(answer.text().starts_with("the node is starting"), "no JSON: {}", answer.text());
    let harvesters = soest.desk("GET", "/api/v1/harvesters", Value::Null).await;
    assert_eq!(harvesters.status, StatusCode::OK);
}
