//! CKAN's Action API: the forms that clients take apart, and what they find.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};

use crate::support::{Answer, Soest, record, send, soest};

const FORM: &str = "application/x-www-form-urlencoded";

impl Soest {
    async fn ckan(&self, action: &str) -> Answer {
        self.public(&format!("/api/3/action/{action}")).await
    }

    /// The result of an action that must succeed.
    async fn result(&self, action: &str) -> Value {
        let answer = self.ckan(action).await;
        assert_eq!(answer.status, StatusCode::OK, "{action}: {}", answer.text());
        let body = answer.json();
        assert_eq!(body["success"], true, "{action}");
        body["result"].clone()
    }

    async fn post(&self, path: &str, media_type: &str, body: &str) -> Answer {
        let request = Request::post(path).header(header::CONTENT_TYPE, media_type);
        send(&self.public, request.body(Body::from(body.to_owned())).unwrap()).await
    }

    /// Titles found by a query, in order.
    async fn found(&self, parameters: &str) -> Vec<String> {
        let result = self.result(&format!("package_search?sort=title_string+asc&{parameters}")).await;
        let titles = result["results"].as_array().unwrap();
        assert_eq!(result["count"], titles.len(), "{parameters}");
        titles.iter().map(|package| package["title"].as_str().unwrap().to_owned()).collect()
    }

    async fn check(&self, query: &str, expected: &[&str]) {
        let encoded: String = url_encoded(query);
        assert_eq!(self.found(&format!("q={encoded}")).await, expected, "{query}");
        if query.contains(':') {
            assert_eq!(self.found(&format!("fq={encoded}")).await, expected, "fq={query}");
        }
    }
}

fn url_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Three datasets that differ in every field.
async fn filled() -> (Soest, [String; 3]) {
    let soest = soest().await;
    let mut trees = record("Baumkataster");
    trees["distributions"] = json!([
        {"title": {"de": "Bäume als Tabelle"}, "access_url": "https://daten.soest.example/baum",
         "download_url": "https://daten.soest.example/baum.csv", "format": "CSV", "media_type": "text/csv",
         "byte_size": 1234, "modified": "2026-11-02"},
        {"access_url": "https://daten.soest.example/wfs", "format": "WFS"},
    ]);
    trees["spatial"] = json!({"bbox": "8.0,51.5,8.2,51.6"});
    let mut traffic = record("Verkehrszählung Soest");
    traffic["keywords"] = json!({"de": ["Verkehr", "Zählung"]});
    traffic["themes"] = json!(["TRAN"]);
    traffic["description"] = json!({"de": "Kraftfahrzeuge je Stunde an den Einfallstraßen."});
    traffic["licence"] = json!("http://dcat-ap.de/def/licenses/dl-by-de/2.0");
    traffic["attribution"] = json!("Stadt Soest");
    let mut parks = record("Parkplätze");
    parks["keywords"] = json!({"de": ["Verkehr", "Parken"]});
    parks["themes"] = json!(["TRAN", "ENVI"]);
    parks["description"] = json!({"de": "Freie Plätze der Parkhäuser."});
    let ids = [soest.publish(trees).await, soest.publish(traffic).await, soest.publish(parks).await];
    (soest, ids)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_transport_gives_the_same_envelope() {
    let (soest, [trees, ..]) = filled().await;
    let get = soest.ckan(&format!("package_show?id={trees}")).await;
    assert_eq!(get.header(header::CONTENT_TYPE), "application/json;charset=utf-8");
    let body = get.json();
    assert_eq!(body["help"], "http://localhost/api/3/action/help_show?name=package_show");
    assert_eq!(body["result"]["id"], *trees);
    let json = json!({"id": trees}).to_string();
    let path = "/api/action/package_show";
    for (media_type, sent) in [
        ("application/json", json.clone()),
        (FORM, json.clone()),
        (FORM, format!("id={trees}")),
        (FORM, format!("name_or_id={trees}")),
        (FORM, format!("{}=1", url_encoded(&json))),
    ] {
        let answer = soest.post(path, media_type, &sent).await;
        assert_eq!(answer.body, get.body, "{media_type}: {sent}");
    }
    for path in ["/api/action/site_read", "/api/3/action/site_read"] {
        assert_eq!(soest.public(path).await.json()["result"], true);
        assert_eq!(soest.post(path, "application/json", "").await.json()["result"], true);
    }
    let put = Request::builder().method(Method::PUT).uri(path).body(Body::empty()).unwrap();
    assert_eq!(send(&soest.public, put).await.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(soest.public("/api").await.json(), json!({"version": 1}));
    assert_eq!(soest.public("/api/3").await.json(), json!({"version": 3}));
    assert_eq!(soest.public("/api/util/status").await.json()["locale_default"], "de");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_is_answered_in_the_form_of_its_kind() {
    let (soest, _) = filled().await;
    for (action, status, error) in [
        ("package_search?rows=x", 409, json!({"rows": ["Invalid integer"], "__type": "Validation Error"})),
        (
            "package_search?start=-1",
            409,
            json!({"start": ["Must be a natural number"], "__type": "Validation Error"}),
        ),
        (
            "package_search?facet.field=tags",
            409,
            json!({"facet.field": ["Could not parse as valid JSON"], "__type": "Validation Error"}),
        ),
        ("package_show", 409, json!({"name_or_id": ["Missing value"], "__type": "Validation Error"})),
        ("package_show?id=nix", 404, json!({"__type": "Not Found Error", "message": "Not found"})),
        ("organization_show?id=nix", 404, json!({"__type": "Not Found Error", "message": "Not found"})),
        ("organization_show?id=envi", 404, json!({"__type": "Not Found Error", "message": "Not found"})),
        ("resource_show?id=nix", 404, json!({"__type": "Not Found Error", "message": "Not found"})),
        ("tag_show?id=nix", 404, json!({"__type": "Not Found Error", "message": "Not found"})),
        (
            "package_search?limt=5",
            400,
            json!({"__type": "Search Query Error", "message": "Search Query is invalid: Invalid search parameters: ['limt']"}),
        ),
        (
            "package_search?q=%7B!dismax%7Dx",
            409,
            json!({"__type": "Search Error", "message": "Search error: Local parameters are not supported."}),
        ),
    ] {
        let answer = soest.ckan(action).await;
        assert_eq!(answer.status, status, "{action}: {}", answer.text());
        let body = answer.json();
        assert_eq!((&body["success"], &body["error"]), (&json!(false), &error), "{action}");
        let name = action.split('?').next().unwrap();
        assert_eq!(body["help"], format!("http://localhost/api/3/action/help_show?name={name}"));
    }
    for (action, said) in [
        ("package_search?q=title:(a", "not closed"),
        ("package_search?fq=metadata_modified:[x+TO+*]", "Invalid Date String"),
        ("package_search?q=tags:*a*b*c*d*e*f*", "costs too much"),
    ] {
        let answer = soest.ckan(action).await;
        let error = answer.json()["error"].clone();
        assert_eq!(
            (answer.status, &error["__type"]),
            (StatusCode::CONFLICT, &json!("Search Error")),
            "{action}"
        );
        assert!(error["message"].as_str().unwrap().contains(said), "{error}");
    }
    let sort = soest.ckan("package_search?sort=views+desc").await.json()["error"].clone();
    assert_eq!(sort["__type"], "Search Query Error");
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_actions_and_bodies_are_answered_with_a_bare_sentence() {
    let soest = soest().await;
    for action in ["foo", "package_create", "datastore_search", "user_list", "package_activity_list"] {
        let answer = soest.ckan(action).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.json(), json!(format!("Bad request: Action name not known: {action}")));
    }
    for body in ["[]", "{", "7", "\"x\""] {
        let answer = soest.post("/api/3/action/package_show", "application/json", body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert!(answer.json().as_str().unwrap().starts_with("Bad request: JSON Error: "), "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_has_every_key_that_clients_insist_on() {
    let (soest, [trees, ..]) = filled().await;
    let package = soest.result(&format!("package_show?id={trees}")).await;
    let strict = [
        "id",
        "name",
        "title",
        "notes",
        "license_id",
        "license_title",
        "tags",
        "metadata_created",
        "metadata_modified",
        "organization",
        "resources",
        "private",
        "type",
        "author",
        "author_email",
        "maintainer",
        "maintainer_email",
        "state",
        "url",
        "version",
        "isopen",
        "owner_org",
        "creator_user_id",
        "num_resources",
        "num_tags",
        "groups",
        "extras",
        "relationships_as_subject",
        "relationships_as_object",
    ];
    for key in strict {
        assert!(package.get(key).is_some(), "{key}");
    }
    assert_eq!(package["name"], *trees);
    assert_eq!(package["organization"]["name"], "soest");
    assert_eq!(package["owner_org"], "05974040");
    assert_eq!(package["license_id"], "http://dcat-ap.de/def/licenses/dl-zero-de/2.0");
    assert_eq!((&package["isopen"], &package["private"]), (&json!(true), &json!(false)));
    assert_eq!(package["tags"][0]["name"], "Baum");
    assert_eq!(package["groups"][0]["name"], "envi");
    assert_eq!(package["maintainer_email"], "opendata@soest.example");
    let moment = package["metadata_modified"].as_str().unwrap();
    assert!(moment.len() == 26 && moment.ends_with(".000000"), "{moment}");

    let resources = package["resources"].as_array().unwrap();
    let strict = [
        "id",
        "position",
        "name",
        "description",
        "format",
        "mimetype",
        "size",
        "hash",
        "created",
        "last_modified",
        "url",
        "resource_type",
        "package_id",
        "state",
        "url_type",
        "metadata_modified",
    ];
    for resource in resources {
        for key in strict {
            assert!(resource.get(key).is_some(), "{key}");
        }
        assert!(resource["format"].is_string() && resource["created"].is_string());
    }
    assert_eq!(resources[0]["url"], "https://daten.soest.example/baum.csv");
    assert_eq!((&resources[0]["size"], &resources[0]["resource_type"]), (&json!(1234), &json!("file")));
    assert_eq!(resources[0]["last_modified"], "2026-11-02T00:00:00.000000");
    assert_eq!((&resources[1]["resource_type"], &resources[1]["position"]), (&json!("api"), &json!(1)));
    let id = resources[1]["id"].as_str().unwrap();
    assert_eq!(soest.result(&format!("resource_show?id={id}")).await, resources[1]);

    let extra = |key: &str| {
        let extras = package["extras"].as_array().unwrap();
        extras
            .iter()
            .find(|extra| extra["key"] == key)
            .map(|extra| extra["value"].as_str().unwrap().to_owned())
    };
    assert_eq!(
        extra("theme").unwrap(),
        "[\"http://publications.europa.eu/resource/authority/data-theme/ENVI\"]"
    );
    assert_eq!(
        extra("frequency").unwrap(),
        "http://publications.europa.eu/resource/authority/frequency/MONTHLY"
    );
    let german = "[\"http://publications.europa.eu/resource/authority/language/DEU\"]";
    assert_eq!((extra("language").as_deref(), extra("contributorID")), (Some(german), None));
    let spatial: Value = serde_json::from_str(&extra("spatial").unwrap()).unwrap();
    assert_eq!(spatial["coordinates"][0][2], json!([8.2, 51.6]));
    assert!(extra("uri").is_some() && extra("uri") == extra("guid"));
    let identifier = url_encoded(&extra("identifier").unwrap());
    assert_eq!(soest.result(&format!("package_show?id={identifier}")).await["id"], *trees);
    let whole = package.to_string();
    assert!(!whole.contains("geheime") && !whole.contains("gruen@soest.example"), "internal notes stay");
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_find_by_words_fields_ranges_and_logic() {
    let (soest, [trees, ..]) = filled().await;
    let all = &["Baumkataster", "Parkplätze", "Verkehrszählung Soest"][..];
    let (trees_title, parks, traffic) = ("Baumkataster", "Parkplätze", "Verkehrszählung Soest");
    for query in ["", "*:*", "\"\"", "Soest", "state:active", "+capacity:public +state:active", "res_url:*"] {
        soest.check(query, all).await;
    }
    soest.check("Parkhaus", &[parks]).await;
    soest.check("verkehrszählung", &[traffic]).await;
    soest.check("Baum -Tabelle", &[trees_title]).await;
    soest.check("tags:Verkehr", &[parks, traffic]).await;
    soest.check("tags:verkehr", &[]).await;
    soest.check("tags:(Parken OR Baum)", &[trees_title, parks]).await;
    soest.check("groups:tran AND -groups:envi", &[traffic]).await;
    soest.check("organization:soest", all).await;
    soest.check("organization:olpe OR organization:soest", all).await;
    soest.check("-organization:soest -organization:olpe", &[]).await;
    soest.check("owner_org:05974040", all).await;
    soest.check("organization:so*", all).await;
    soest.check("title:baumkataster", &[trees_title]).await;
    soest.check("title:Verkehrsz*", &[traffic]).await;
    soest.check("title:\"verkehrszählung soest\"", &[traffic]).await;
    soest.check("title_string:Parkplätze", &[parks]).await;
    soest.check("notes:Stunden", &[traffic]).await;
    soest.check("res_format:WFS", &[trees_title]).await;
    soest.check("res_name:tabelle", &[trees_title]).await;
    soest.check("res_url:\"https://daten.soest.example/baum.csv\"", &[trees_title]).await;
    soest.check("res_url:*wfs", &[trees_title]).await;
    soest.check("license_id:\"http://dcat-ap.de/def/licenses/dl-by-de/2.0\"", &[traffic]).await;
    soest.check(&format!("id:{trees}"), &[trees_title]).await;
    soest.check(&format!("name:{trees} OR name:x"), &[trees_title]).await;
    soest.check("type:dataset AND NOT tags:Verkehr", &[trees_title]).await;
    soest.check("metadata_modified:[2026-01-01T00:00:00.123456Z TO *]", all).await;
    soest.check("metadata_modified:[2020-01-01T00:00:00Z%20TO%202021-01-01T00:00:00Z]", &[]).await;
    soest.check("metadata_created:[NOW-1DAY TO NOW+1DAY]", all).await;
    soest.check("extras_frequency:MONTHLY", all).await;
    soest.check("maintainer_email:opendata@soest.example", all).await;
    soest.check("vocab_any:x OR tags:Baum", &[trees_title]).await;
    soest.check("state:deleted", &[]).await;
    assert_eq!(soest.found("q=Verkehr&fq=groups:envi").await, [parks]);
    assert_eq!(soest.found("fq_list=%5B%22tags:Verkehr%22,%22groups:envi%22%5D").await, [parks]);
    assert_eq!(soest.found("fq_list=tags:Verkehr&fq_list=groups:envi").await, [parks]);
}

#[tokio::test(flavor = "multi_thread")]
async fn facets_pages_and_fields_have_ckans_form() {
    let (soest, ids) = filled().await;
    let fields = url_encoded("[\"tags\",\"organization\",\"groups\",\"license_id\",\"res_format\",\"any\"]");
    let result = soest.result(&format!("package_search?rows=0&facet.field={fields}")).await;
    assert_eq!((&result["count"], &result["results"]), (&json!(3), &json!([])));
    assert_eq!(result["facets"]["tags"], json!({"Baum": 1, "Parken": 1, "Verkehr": 2, "Zählung": 1}));
    assert_eq!(result["facets"]["organization"], json!({"soest": 3}));
    assert_eq!(result["facets"]["groups"], json!({"envi": 2, "tran": 2}));
    assert_eq!(result["facets"]["any"], json!({}));
    assert_eq!(result["sort"], "score desc, metadata_modified desc");
    let items = &result["search_facets"]["groups"]["items"];
    assert_eq!(items[0], json!({"name": "tran", "display_name": "Verkehr", "count": 2}));
    assert_eq!(items[1]["display_name"], "Umwelt");
    assert_eq!(result["search_facets"]["groups"]["title"], "groups");

    let few =
        soest.result(&format!("package_search?facet.field={fields}&facet.limit=1&facet.mincount=2")).await;
    assert_eq!(few["facets"]["tags"], json!({"Verkehr": 2}));
    let unused =
        soest.result("package_search?q=tags:Baum&rows=0&facet.field=%5B%22tags%22%5D&facet.mincount=0").await;
    assert_eq!(unused["facets"]["tags"], json!({"Baum": 1, "Parken": 0, "Verkehr": 0, "Zählung": 0}));
    let none = soest.result("package_search?facet=false&facet.field=%5B%22tags%22%5D").await;
    assert_eq!((&none["facets"], &none["search_facets"]), (&json!({}), &json!({})));

    let mut sorted = ids.to_vec();
    sorted.sort();
    let mut walked = Vec::new();
    for start in 0.. {
        let page = soest.result(&format!("package_search?sort=id+asc&rows=1&start={start}")).await;
        assert_eq!(page["count"], 3);
        let Some(package) = page["results"].as_array().unwrap().first().cloned() else { break };
        walked.push(package["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(walked, sorted);
    assert_eq!(soest.result("package_list").await, json!(sorted));
    assert_eq!(soest.result("package_list?limit=1&offset=1").await, json!([sorted[1]]));
    let capped = soest.result("package_search?rows=1000000").await;
    assert_eq!(capped["results"].as_array().unwrap().len(), 3);

    let cut = soest.result("package_search?q=tags:Baum&fl=id,tags,organization,res_format,extras_uri").await;
    let cut = cut["results"][0].as_object().unwrap();
    assert_eq!(cut.keys().collect::<Vec<_>>(), ["extras_uri", "id", "organization", "res_format", "tags"]);
    assert_eq!((&cut["tags"], &cut["res_format"]), (&json!(["Baum"]), &json!(["CSV", "WFS"])));
}

#[tokio::test(flavor = "multi_thread")]
async fn organisations_are_towns_and_groups_are_themes() {
    let (soest, _) = filled().await;
    assert_eq!(soest.result("organization_list").await, json!(["olpe", "soest"]));
    assert_eq!(soest.result("organization_list?sort=name+desc").await, json!(["soest", "olpe"]));
    assert_eq!(soest.result("organization_list?order_by=package_count").await, json!(["soest", "olpe"]));
    assert_eq!(soest.result("organization_list?offset=1&limit=5").await, json!(["soest"]));
    let towns = soest.result("organization_list?all_fields=True&include_users=True").await;
    assert_eq!((&towns[1]["package_count"], &towns[0]["package_count"]), (&json!(3), &json!(0)));
    let town = soest.result("organization_show?id=05974040&include_datasets=true").await;
    assert_eq!((&town["name"], &town["display_name"]), (&json!("soest"), &json!("Soest")));
    assert_eq!(town["packages"].as_array().unwrap().len(), 3);
    let groups = soest.result("group_list").await;
    assert!(groups.as_array().unwrap().contains(&json!("tran")), "{groups}");
    assert_eq!(soest.result("group_show?id=tran").await["package_count"], 2);
    assert_eq!(soest.result("group_package_show?id=tran&limit=1").await.as_array().unwrap().len(), 1);
    assert_eq!(soest.result("tag_list").await, json!(["Baum", "Parken", "Verkehr", "Zählung"]));
    assert_eq!(soest.result("tag_list?query=park").await, json!(["Parken"]));
    assert_eq!(
        soest.result("tag_show?id=Verkehr&include_datasets=1").await["packages"].as_array().unwrap().len(),
        2
    );
    let licences = soest.result("license_list").await;
    assert_eq!(licences.as_array().unwrap().len(), 34);
    assert_eq!(soest.result("package_autocomplete?q=Baumkat").await[0]["title"], "Baumkataster");
    let found = soest.result("resource_search?query=url:BAUM.csv&query=format:csv").await;
    assert_eq!((&found["count"], &found["results"][0]["format"]), (&json!(1), &json!("CSV")));
    assert_eq!(soest.result("resource_search?query=name:tabel").await["count"], 1);
    let current = soest.result("current_package_list_with_resources?limit=2").await;
    assert_eq!(current.as_array().unwrap().len(), 2);
    assert!(soest.result("help_show?name=package_search").await.as_str().unwrap().contains("param q"));
    assert_eq!(soest.result("status_show").await["site_url"], "http://localhost");
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_records_answer_as_if_they_had_never_been() {
    let (soest, [trees, ..]) = filled().await;
    let closed = soest.create(record("Geheimer Lageplan")).await;
    soest.settle().await;
    let unknown = "00000000-0000-4000-8000-000000000000";
    let (one, other) = (
        soest.ckan(&format!("package_show?id={closed}")).await,
        soest.ckan(&format!("package_show?id={unknown}")).await,
    );
    assert_eq!((one.status, &one.body), (other.status, &other.body));
    assert_eq!(soest.found("q=Lageplan").await, Vec::<String>::new());
    assert!(!soest.result("package_list").await.to_string().contains(&closed));
    assert_eq!(soest.result(&format!("package_show?id={trees}")).await["id"], *trees);
}

#[tokio::test(flavor = "multi_thread")]
async fn extras_are_searched_under_their_own_keys_by_the_value_they_have() {
    let (soest, [trees, ..]) = filled().await;
    let id = "http://dcat-ap.de/def/contributors/openNRW";
    let said = soest.desk("PATCH", "/api/v1/catalog", json!({"contributor_id": id})).await;
    assert_eq!(said.status, StatusCode::OK, "{}", said.text());
    soest.settle().await;
    let extras = soest.result(&format!("package_show?id={trees}")).await["extras"].clone();
    let value = |key: &str| {
        let extra = extras.as_array().unwrap().iter().find(|extra| extra["key"] == key);
        extra.unwrap_or_else(|| panic!("{key}"))["value"].as_str().unwrap().to_owned()
    };
    for key in [
        "uri",
        "identifier",
        "access_rights",
        "contributorID",
        "issued",
        "modified",
        "publisher_name",
        "frequency",
    ] {
        for prefix in ["", "extras_"] {
            let query = format!("{prefix}{key}:\"{}\"", value(key).replace('"', "\\\""));
            let encoded: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
            let found = soest.found(&format!("fq={encoded}")).await;
            assert!(found.iter().any(|title| title == "Baumkataster"), "{query}: {found:?}");
        }
    }
    for (query, is_found) in [
        ("theme:http\\://publications.europa.eu/resource/authority/data-theme/ENVI", true),
        ("extras_theme:ENVI", true),
        ("theme:*HEAL*", false),
        ("access_rights:*PUBLIC", true),
        ("access_rights:*RESTRICTED", false),
        ("contributorID:*openNRW*", true),
        ("contributorID:*govdata*", false),
        ("issued:[2199-01-01T00:00:00Z TO *]", false),
    ] {
        let encoded: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let found = soest.found(&format!("fq={encoded}")).await;
        assert_eq!(found.iter().any(|title| title == "Baumkataster"), is_found, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ckans_own_pages_ask_for_is_there() {
    let (soest, _) = filled().await;
    let typed = soest.public("/api/util/dataset/autocomplete?incomplete=Baumkat&limit=5").await.json();
    assert_eq!(typed["ResultSet"]["Result"][0]["title"], "Baumkataster");
    let nothing = soest.public("/api/util/dataset/autocomplete?incomplete=").await.json();
    assert_eq!(nothing["ResultSet"]["Result"], json!([]));
    let found = soest.result("resource_search?query=description:gibt-es-nicht").await;
    assert_eq!(found["count"], 0);
}
