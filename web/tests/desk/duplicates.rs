//! Records that seem to be the same, at the desk: hints, reasons, decisions.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::imported;
use crate::support::exchange::Olpe;
use crate::support::{Soest, record, soest};

async fn created(soest: &Soest, body: Value) -> String {
    let answer = soest.desk("POST", "/api/v1/datasets", body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    answer.json()["id"].as_str().unwrap().to_owned()
}

async fn pairs(soest: &Soest, query: &str) -> Value {
    let answer = soest.desk("GET", &format!("/api/v1/duplicates{query}"), Value::Null).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_is_shown_with_its_reasons_until_somebody_finds_it_different() {
    let soest = soest().await;
    let first = json!({"title": "Spielplätze im Stadtgebiet", "description": "Alle öffentlichen Spielplätze mit Geräten, Altersgruppe und Prüfdatum."});
    let first = created(&soest, first).await;
    let other = created(&soest, json!({"title": "Spielplaetze"})).await;
    created(&soest, json!({"title": "Spielplätze 2023"})).await;
    created(&soest, json!({"title": "Denkmalliste"})).await;

    let of = pairs(&soest, &format!("?of={other}&scope=town")).await;
    let hint =
        of["items"].as_array().unwrap().iter().find(|hint| hint["other"]["id"] == json!(first)).unwrap();
    assert_eq!((&hint["scope"], &hint["record"]["class"]), (&json!("town"), &json!("closed")));
    assert!(hint["score"].as_u64().unwrap() >= 50, "{hint}");
    let reason = &hint["reasons"][0];
    assert_eq!((&reason["kind"], &reason["text"]), (&json!("title"), &json!("titles 100 % alike")));
    assert_eq!(reason["text_de"], "Titel zu 100 % gleich");
    let before = pairs(&soest, "").await["total"].as_u64().unwrap();
    assert_eq!(pairs(&soest, "?limit=1&offset=1").await["items"].as_array().unwrap().len(), 1);
    assert_eq!(pairs(&soest, "?scope=federation").await["total"], 0);

    let say = async |body: Value| soest.desk("POST", "/api/v1/duplicates/different", body).await.status;
    assert_eq!(say(json!({"record": other, "other": first})).await, StatusCode::NO_CONTENT);
    assert_eq!(pairs(&soest, "").await["total"].as_u64(), Some(before - 1));
    let of = pairs(&soest, &format!("?of={first}")).await;
    assert!(of["items"].as_array().unwrap().iter().all(|hint| hint["other"]["id"] != json!(other)), "{of}");
    assert_eq!(say(json!({"record": first, "other": other, "undo": true})).await, StatusCode::NO_CONTENT);
    assert_eq!(pairs(&soest, "").await["total"].as_u64(), Some(before));
}

#[tokio::test(flavor = "multi_thread")]
async fn hints_follow_edits_and_wrong_questions_are_refused() {
    let soest = soest().await;
    let first = created(&soest, json!({"title": "Hundesteuer"})).await;
    let other = created(&soest, json!({"title": "Abfuhrkalender"})).await;
    assert_eq!(pairs(&soest, "").await["total"], 0);
    let edited =
        soest.desk("PATCH", &format!("/api/v1/datasets/{other}"), json!({"title": "Hundesteuern"})).await;
    assert_eq!(edited.status, StatusCode::OK);
    assert_eq!(pairs(&soest, "").await["total"], 1);

    let unknown = "6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10";
    for (query, status) in [
        ("?scope=welt", 400),
        ("?score=20", 400),
        ("?limit=0", 400),
        ("?alles=1", 400),
        ("?of=6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10", 404),
        ("?of=baum", 404),
    ] {
        let answer = soest.desk("GET", &format!("/api/v1/duplicates{query}"), Value::Null).await;
        assert_eq!(answer.status.as_u16(), status, "{query}: {}", answer.text());
    }
    for (body, status) in [
        (json!({"record": first, "other": first}), 422),
        (json!({"record": first, "other": unknown}), 404),
        (json!({"record": first}), 400),
        (json!({"record": first, "other": other, "why": "x"}), 400),
    ] {
        let answer = soest.desk("POST", "/api/v1/duplicates/different", body.clone()).await;
        assert_eq!(answer.status.as_u16(), status, "{body}: {}", answer.text());
    }
    assert_eq!(pairs(&soest, "").await["total"], 1, "nothing was noted");
}

fn merged(keep: &str, give_up: &str, take_over: &[&str]) -> Value {
    json!({"keep": keep, "give_up": give_up, "take_over": take_over})
}

/// Asks every public interface for the record `give_up`, also known as
/// `stadtbaeume-liste`: each answers with the one that was kept.
async fn leads_everywhere(soest: &Soest, give_up: &str, keep: &str) {
    let dataset = soest.public(&format!("/api/v1/datasets/{give_up}")).await.json();
    assert_eq!(dataset["id"], json!(keep), "{dataset}");
    let others = dataset["other_identifiers"].as_array().unwrap();
    assert!(others.contains(&json!("stadtbaeume-liste")) && others.contains(&json!(give_up)), "{others:?}");
    let page = soest.page(&format!("/dataset/{give_up}")).await;
    assert!(page.status == StatusCode::OK && page.text().contains("Baumkataster"));
    assert!(page.text().contains("Weitere Kennungen") && page.text().contains("stadtbaeume-liste"));
    let english = soest.page(&format!("/dataset/{keep}?lang=en")).await;
    assert!(english.text().contains("Other identifiers"), "{}", english.text());
    let records = "/collections/federation/items";
    let found = soest.public(&format!("{records}?externalIds=stadtbaeume-liste")).await.json();
    assert_eq!(found["features"][0]["id"], json!(keep), "{found}");
    let external = &found["features"][0]["properties"]["externalIds"];
    assert!(external.as_array().unwrap().contains(&json!({"value": "stadtbaeume-liste"})), "{external}");
    let turtle = soest.public(&format!("/dataset/{give_up}.ttl")).await;
    for piece in ["adms:Identifier", "\"stadtbaeume-liste\"", &format!("<urn:uuid:{keep}> a dcat:Dataset")] {
        assert!(turtle.text().contains(piece), "{piece}: {}", turtle.text());
    }
    for name in [give_up, "stadtbaeume-liste"] {
        let package = soest.public(&format!("/api/3/action/package_show?id={name}")).await;
        assert_eq!(package.json()["result"]["id"], json!(keep), "{name}: {}", package.text());
        let extras = package.json()["result"]["extras"].as_array().unwrap().clone();
        let others = extras.iter().find(|extra| extra["key"] == "alternate_identifier").unwrap();
        assert!(others["value"].as_str().unwrap().contains("\"stadtbaeume-liste\""), "{others}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_move_the_names_of_what_was_given_up_lead_everywhere_too() {
    let old = soest().await;
    let mut body = record("Stadtbäume");
    body["identifier"] = json!("stadtbaeume-liste");
    let give_up = old.publish(body).await;
    let keep = old.publish(record("Baumkataster")).await;
    let draft = created(&old, json!({"title": "Bäume (alt)", "identifier": "baum-17"})).await;
    for name in [&give_up, &draft] {
        let answer = old.desk("POST", "/api/v1/duplicates/merge", merged(&keep, name, &[])).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    }
    let export = async |soest: &Soest, query: &str| {
        soest.desk("GET", &format!("/api/v1/export{query}"), Value::Null).await.text().to_owned()
    };
    for (query, knows_drafts) in [("?with_closed=true", StatusCode::OK), ("", StatusCode::NOT_FOUND)] {
        let whole = export(&old, query).await;
        let new = soest().await;
        let job = imported(&new, "ausfuhr.ndjson", &whole).await;
        assert_eq!((&job["report"]["created"], &job["report"]["hints"]), (&json!(1), &json!([])), "{job}");
        new.settle().await;
        assert_eq!(export(&new, query).await, whole);
        leads_everywhere(&new, &give_up, &keep).await;
        let list = new.public("/api/3/action/package_list").await;
        assert!(!list.text().contains(&give_up), "{}", list.text());
        // The name of a closed record is the town's own.
        let at_the_desk = new.desk("GET", &format!("/api/v1/datasets/{draft}"), Value::Null).await;
        assert_eq!(at_the_desk.status, knows_drafts, "{query}");
        let outside = new.public(&format!("/api/v1/datasets/{draft}")).await;
        assert_eq!(outside.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_record_that_was_given_up_leads_every_reader_to_the_kept_one() {
    let soest = soest().await;
    let mut old = record("Stadtbäume");
    old["identifier"] = json!("stadtbaeume-liste");
    let give_up = soest.publish(old).await;
    let keep = soest.publish(record("Baumkataster")).await;
    let before = soest.public("/api/v1/datasets").await.json()["total"].clone();

    let answer = soest.desk("POST", "/api/v1/duplicates/merge", merged(&keep, &give_up, &[])).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!((&answer.json()["left"], &answer.json()["kept"]["id"]), (&json!("replaced"), &json!(keep)));
    soest.settle().await;

    leads_everywhere(&soest, &give_up, &keep).await;

    // Lists show it no more, and those who have it are told that it is gone.
    let after = soest.public("/api/v1/datasets").await.json()["total"].as_u64();
    assert_eq!(after.map(|count| count + 1), before.as_u64());
    let list = soest.public("/api/3/action/package_list").await;
    assert!(list.text().contains(&keep) && !list.text().contains(&give_up), "{}", list.text());
    let catalog = soest.public("/catalog.ttl").await;
    assert!(!catalog.text().contains(&format!("<urn:uuid:{give_up}>")), "{}", catalog.text());
    assert_eq!(soest.handle().open_count(node::handle::Scope::Federation), 1);
    let oai = soest.public("/oai?verb=ListIdentifiers&metadataPrefix=oai_dc").await;
    let header = oai.text().split("<header").find(|header| header.contains(&give_up)).unwrap();
    assert!(header.starts_with(" status=\"deleted\""), "{header}");

    let again = soest.desk("POST", "/api/v1/duplicates/merge", merged(&keep, &give_up, &[])).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND, "it is no record any more: {}", again.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_record_that_was_given_up_is_known_by_its_names_inside_the_town_only() {
    let soest = soest().await;
    let keep = soest.publish(record("Baumkataster")).await;
    let draft = json!({"title": "Bäume (alt)", "identifier": "baum-17", "frequency": "DAILY", "hvd": "nein",
        "internal": {"classification_reason": "aus dem Altverfahren"}});
    let give_up = created(&soest, draft).await;
    let open = soest.public(&format!("/api/v1/datasets/{keep}")).await.json();

    let wrong = soest.desk("POST", "/api/v1/duplicates/merge", merged(&keep, &give_up, &["title"])).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text().contains("internal/classification_reason"), "{}", wrong.text());
    let turned = soest.desk("POST", "/api/v1/duplicates/merge", merged(&give_up, &keep, &[])).await;
    assert_eq!((turned.status, turned.error()), (StatusCode::CONFLICT, "published".to_owned()));
    let same = soest.desk("POST", "/api/v1/duplicates/merge", merged(&keep, &keep, &[])).await;
    assert_eq!(same.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(soest.public(&format!("/api/v1/datasets/{keep}")).await.json(), open, "nothing was changed");

    let take_over = merged(&keep, &give_up, &["internal/classification_reason"]);
    let done = soest.desk("POST", "/api/v1/duplicates/merge", take_over).await;
    assert_eq!((done.status, &done.json()["left"]), (StatusCode::OK, &json!("deleted")));
    soest.settle().await;
    let kept = soest.desk("GET", &format!("/api/v1/datasets/{give_up}"), Value::Null).await.json();
    assert_eq!(
        (&kept["id"], &kept["internal"]["classification_reason"]),
        (&json!(keep), &json!("aus dem Altverfahren"))
    );
    // Outside, all is as it was: byte for byte, and the names mean nothing.
    assert_eq!(soest.public(&format!("/api/v1/datasets/{keep}")).await.json(), open);
    for name in [give_up.as_str(), "baum-17"] {
        let package = soest.public(&format!("/api/3/action/package_show?id={name}")).await;
        assert_eq!(package.status, StatusCode::NOT_FOUND, "{name}");
    }
    assert_eq!(soest.public(&format!("/api/v1/datasets/{give_up}")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_town_merged_is_one_record_here_too() {
    let soest = soest().await;
    let olpe = Olpe::open(&soest);
    let (keep, give_up) =
        (olpe.publish(record("Wanderwege")).await, olpe.publish(record("Wanderwege und Pfade")).await);
    soest.receive(&olpe).await;
    let scope = node::handle::Scope::Federation;
    assert_eq!(soest.handle().open_count(scope), 2);
    // Two records of another town are none of our pairs.
    assert_eq!(pairs(&soest, "").await["total"], 0);
    let ours = created(&soest, json!({"title": "Wanderwege"})).await;
    let hints = pairs(&soest, &format!("?of={ours}&scope=federation")).await;
    assert_eq!(hints["items"][0]["other"]["town"], "05966024", "{hints}");
    let say = json!({"keep": ours, "give_up": give_up});
    let refused = soest.desk("POST", "/api/v1/duplicates/merge", say).await;
    assert_eq!((refused.status, refused.error()), (StatusCode::FORBIDDEN, "not_own".to_owned()));

    olpe.merge(keep, give_up).await;
    soest.receive(&olpe).await;
    soest.settle().await;
    assert_eq!(soest.handle().open_count(scope), 1);
    assert_eq!(soest.handle().open_datasets(scope, None, 10).unwrap().len(), 1);
    let dataset = soest.public(&format!("/api/v1/datasets/{give_up}")).await.json();
    assert_eq!((&dataset["id"], &dataset["town"]), (&json!(keep), &json!("05966024")));
    let found = soest.public("/api/v1/datasets?q=Wanderwege").await.json();
    assert_eq!(found["total"], 1, "{found}");
    let hints = pairs(&soest, &format!("?of={ours}")).await;
    assert_eq!(hints["total"], 1, "{hints}");
}
