//! A town that goes by lists of its own: every interface labels, filters and
//! groups by them; RDF says what all nodes say.

use axum::http::StatusCode;
use node::config::Config;
use node::handle::OpenOptions;
use serde_json::json;

use crate::support::{Soest, record, soest_prepared};

const THEMES: &str = "# title.de: Themen der Stadt\n# title.en: Themes of the town\n# source: Stadt Soest\n\
    # version: 2026\ncode\tde\ten\nENVI\tNatur vor der Haustür\tNature at the door\n\
    BOERDE\tRund um die Börde\tAround the Börde\n";

async fn soest() -> (Soest, String) {
    let soest = soest_prepared(OpenOptions::default(), Config::default(), |directory| {
        let folder = directory.join("vocabulary");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("themes.tsv"), THEMES).unwrap();
    })
    .await;
    let id = soest.publish(record("Baumkataster")).await;
    (soest, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn people_read_and_choose_the_towns_own_words() {
    let (soest, id) = soest().await;
    let page = async |path: String| soest.page(&path).await.text().to_owned();
    assert!(page("/".to_owned()).await.contains("Natur vor der Haustür"), "the facet");
    assert!(page("/?lang=en&theme=ENVI".to_owned()).await.contains("Nature at the door"), "the choice");
    assert!(page(format!("/dataset/{id}")).await.contains("Natur vor der Haustür"), "the record");
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_are_told_the_towns_own_codes() {
    let (soest, id) = soest().await;
    let found = soest.public("/api/v1/datasets?theme=natur+vor+der+haustuer").await.json();
    assert_eq!(
        (&found["total"], &found["facets"]["theme"][0]["label"]),
        (&json!(1), &json!("Natur vor der Haustür"))
    );
    assert_eq!(soest.public("/api/v1/datasets?theme=BOERDE").await.json()["total"], 0);
    assert_eq!(soest.public("/api/v1/datasets?theme=TRAN").await.status, StatusCode::BAD_REQUEST);

    let groups = soest.public("/api/3/action/group_list").await.json();
    assert_eq!(groups["result"], json!(["envi", "boerde"]), "by their German titles");
    let package = soest.public(&format!("/api/3/action/package_show?id={id}")).await.json();
    assert_eq!(package["result"]["groups"][0]["title"], "Natur vor der Haustür");
    let facets = "/api/3/action/package_search?rows=0&facet.field=%5B%22groups%22%5D";
    let items = &soest.public(facets).await.json()["result"]["search_facets"]["groups"]["items"];
    assert_eq!(items[0]["display_name"], "Natur vor der Haustür");

    let queryables = soest.public("/collections/federation/queryables").await.json();
    assert_eq!(queryables["properties"]["themes"]["enum"], json!(["ENVI", "BOERDE"]));
    let matched =
        async |themes: &str| soest.public(&format!("/collections/federation/items?themes={themes}")).await;
    let items = matched("ENVI").await.json();
    assert_eq!(
        items["features"][0]["properties"]["themes"][0]["concepts"][0]["title"],
        "Natur vor der Haustür"
    );
    assert_eq!(matched("TRAN").await.status, StatusCode::BAD_REQUEST);

    let sets = soest.public("/oai?verb=ListSets").await;
    assert!(sets.text().contains("theme-BOERDE") && !sets.text().contains("theme-TRAN"), "{}", sets.text());
    let records = soest.public("/oai?verb=ListRecords&metadataPrefix=oai_dc&set=theme-ENVI").await;
    assert!(records.text().contains("Nature at the door"), "{}", records.text());
    assert!(soest.public("/feeds/group/envi.atom").await.text().contains("Natur vor der Haustür"));
    assert_eq!(soest.public("/feeds/group/boerde.atom").await.status, StatusCode::OK);
    assert_eq!(soest.public("/feeds/group/tran.atom").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn rdf_goes_by_the_lists_that_all_nodes_have() {
    let (soest, id) = soest().await;
    let triples = soest.public(&format!("/dataset/{id}.nt")).await;
    let theme = "<http://publications.europa.eu/resource/authority/data-theme/ENVI>";
    assert!(triples.text().contains(theme), "{}", triples.text());
}
