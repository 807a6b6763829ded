//! SPARQL over HTTP: what goes in, what comes out, and what stays inside.

use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::json;

use crate::support::{Answer, Soest, record, send, soest};

const TITLES: &str = "PREFIX dcterms: <http://purl.org/dc/terms/> PREFIX dcat: <http://www.w3.org/ns/dcat#> \
    SELECT ?title { ?d a dcat:Dataset ; dcterms:title ?title } ORDER BY ?title";

fn encoded(query: &str) -> String {
    url::form_urlencoded::byte_serialize(query.as_bytes()).collect()
}

impl Soest {
    async fn sparql(&self, accept: &str, parameters: &str) -> Answer {
        let request = Request::get(format!("/sparql?{parameters}")).header(header::ACCEPT, accept);
        send(&self.public, request.body(Body::empty()).unwrap()).await
    }

    async fn select(&self, query: &str) -> Vec<String> {
        let answer = self.sparql("text/csv", &format!("query={}", encoded(query))).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        answer.text().lines().skip(1).map(str::to_owned).collect()
    }

    async fn post_query(&self, media_type: &str, body: &str) -> Answer {
        let request = Request::post("/sparql").header(header::CONTENT_TYPE, media_type);
        send(&self.public, request.body(Body::from(body.to_owned())).unwrap()).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_finds_what_is_open_as_it_is_now() {
    let soest = soest().await;
    let id = soest.publish(record("Baumkataster")).await;
    soest.create(record("Geheimes Melderegister")).await;
    soest.settle().await;
    assert_eq!(soest.select(TITLES).await, ["Baumkataster"]);
    let edit = json!({"title": {"de": "Bäume der Stadt"}});
    assert_eq!(soest.desk("PATCH", &format!("/api/v1/datasets/{id}"), edit).await.status, StatusCode::OK);
    soest.settle().await;
    assert_eq!(soest.select(TITLES).await, ["Bäume der Stadt"]);
    // Nothing of the closed record and of the old title is left anywhere.
    let all = "SELECT (STR(?o) AS ?text) { ?s ?p ?o }";
    let texts = soest.select(all).await.join("\n");
    assert!(texts.contains("Bäume der Stadt"), "the control is found");
    assert!(!texts.contains("Geheimes") && !texts.contains("Baumkataster"), "{texts}");
    assert!(!texts.contains("geheime Notiz") && !texts.contains("gruen@soest.example"), "{texts}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_of_asking_gets_the_same_answer() {
    let soest = soest().await;
    soest.publish(record("Baumkataster")).await;
    let query = encoded(TITLES);
    // SPARQLWrapper adds three parameters to every request.
    let by_get = soest
        .sparql(
            "application/sparql-results+json",
            &format!("query={query}&format=json&output=json&results=json"),
        )
        .await;
    let bindings = by_get.json()["results"]["bindings"].clone();
    assert_eq!(bindings[0]["title"]["value"], "Baumkataster");
    assert_eq!(by_get.header(header::CONTENT_TYPE), "application/sparql-results+json");
    let form = soest.post_query("application/x-www-form-urlencoded", &format!("query={query}")).await;
    let direct = soest.post_query("application/sparql-query; charset=utf-8", TITLES).await;
    assert_eq!((form.json(), direct.json()), (by_get.json(), by_get.json()));
    for (accept, begins) in [
        ("application/sparql-results+xml", "<?xml"),
        ("text/csv", "title\r\n"),
        ("text/tab-separated-values", "?title\n"),
    ] {
        let answer = soest.sparql(accept, &format!("query={query}")).await;
        assert!(answer.header(header::CONTENT_TYPE).starts_with(accept));
        assert!(answer.text().starts_with(begins), "{accept}: {}", answer.text());
    }
    let describe = encoded("DESCRIBE ?d { ?d a <http://www.w3.org/ns/dcat#Dataset> }");
    for accept in ["text/turtle", "application/rdf+xml", "application/n-triples", "application/ld+json"] {
        let answer = soest.sparql(accept, &format!("query={describe}")).await;
        assert_eq!((answer.status, answer.header(header::CONTENT_TYPE)), (StatusCode::OK, accept));
        assert!(answer.text().contains("Baumkataster"), "{accept}: {}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_town_is_a_graph_and_the_service_describes_itself() {
    let soest = soest().await;
    soest.publish(record("Baumkataster")).await;
    let graphs = soest
        .select("SELECT ?g (COUNT(?d) AS ?n) { GRAPH ?g { ?g <http://www.w3.org/ns/dcat#dataset> ?d } } GROUP BY ?g")
        .await;
    assert_eq!(graphs.len(), 1);
    let (graph, count) = graphs[0].rsplit_once(',').unwrap();
    assert_eq!(count, "1");
    let described = soest.sparql("text/turtle", "").await;
    assert_eq!(described.header(header::CONTENT_TYPE), "text/turtle");
    for part in ["SPARQL11Query", "UnionDefaultGraph", graph, "/sparql>"] {
        assert!(described.text().contains(part), "{part}: {}", described.text());
    }
    let page = soest.sparql("text/html", "lang=en").await;
    assert!(page.header(header::CONTENT_TYPE).starts_with("text/html"));
    assert!(page.text().contains("<textarea") && page.text().contains("SPARQL queries"));
    // The examples of the page are answered.
    let chosen =
        soest.sparql("*/*", &format!("query={}&default-graph-uri={}", encoded(TITLES), encoded(graph))).await;
    assert_eq!(chosen.json()["results"]["bindings"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_answered_is_said_in_both_languages() {
    let soest = soest().await;
    soest.publish(record("Baumkataster")).await;
    let ask = |parameters: String| {
        let soest = &soest;
        async move { soest.sparql("*/*", &parameters).await }
    };
    let query = |query: &str| format!("query={}", encoded(query));
    let cases = [
        (query("SELECT * {\n ?s ?p }"), 400, ["line 2, column 9", "Zeile 2, Spalte 9"]),
        (query(""), 400, ["parameter `query`", "Parameter „query“"]),
        (query("DELETE WHERE { ?s ?p ?o }"), 400, ["only reads", "nur gelesen"]),
        ("update=DROP+ALL".to_owned(), 400, ["only reads", "nur gelesen"]),
        (
            query("SELECT * { SERVICE <https://x.example/> { ?s ?p ?o } }"),
            400,
            ["no SERVICE", "SERVICE gibt es hier nicht"],
        ),
        (
            query("SELECT * FROM <https://x.example/g> { ?s ?p ?o }"),
            400,
            ["none is fetched", "keiner geladen"],
        ),
        (
            query("SELECT (1 AS ?one) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"),
            400,
            ["more than 100000 results", "mehr als 100000 Ergebnisse"],
        ),
    ];
    for (parameters, status, parts) in cases {
        let answer = ask(parameters).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
        assert!(answer.header(header::CONTENT_TYPE).starts_with("text/plain"));
        assert!(parts.iter().all(|part| answer.text().contains(part)), "{}", answer.text());
    }
    let answer = soest.sparql("image/png", &query("ASK {}")).await;
    assert_eq!(answer.status, StatusCode::NOT_ACCEPTABLE);
    assert!(answer.text().contains("application/sparql-results+json"));
    let answer = soest.post_query("application/json", "{}").await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let answer = soest.post_query("application/sparql-update", "DROP ALL").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_node_answers_others_while_costly_queries_run() {
    let soest = soest().await;
    soest.publish(record("Baumkataster")).await;
    // Every triple with every other, eight times over: no machine counts that in time.
    let costly = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . \
         ?m ?o ?p . ?q ?r ?s . ?t ?u ?v . ?w ?x ?y }";
    let costly = format!("query={}", encoded(costly));
    let others_were_answered = AtomicBool::new(false);
    let query = async || {
        let answer = soest.sparql("*/*", &costly).await;
        (answer, others_were_answered.load(Ordering::SeqCst))
    };
    let others = async {
        for _ in 0..20 {
            assert_eq!(soest.public("/api/v1/datasets?q=Baum").await.status, StatusCode::OK);
        }
        others_were_answered.store(true, Ordering::SeqCst);
    };
    let (one, two, three, ()) = tokio::join!(query(), query(), query(), others);
    for (answer, after_the_others) in [one, two, three] {
        if answer.status == StatusCode::SERVICE_UNAVAILABLE {
            assert!(!answer.header(header::RETRY_AFTER).is_empty());
            continue;
        }
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
        assert!(answer.text().contains("more than 5 s"), "{}", answer.text());
        assert!(after_the_others, "the readers waited for a costly query");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_queries_than_one_are_refused_wherever_they_stand() {
    let soest = soest().await;
    soest.publish(record("Baumkataster")).await;
    let ask = encoded("ASK { ?s ?p ?o }");
    let twice = soest.sparql("text/csv", &format!("query={ask}&query={ask}")).await;
    let post = async |uri: &str, media_type: &str, body: String| {
        let request = Request::post(uri).header(header::CONTENT_TYPE, media_type);
        send(&soest.public, request.body(Body::from(body)).unwrap()).await
    };
    let form = "application/x-www-form-urlencoded";
    let beside = format!("/sparql?query={ask}");
    for answer in [
        twice,
        post("/sparql", form, format!("query={ask}&query={ask}")).await,
        post(&beside, form, format!("query={ask}")).await,
        post(&beside, "application/sparql-query", "ASK { ?s ?p ?o }".to_owned()).await,
    ] {
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
        assert!(answer.text().contains("more than one query"), "{}", answer.text());
    }
    // The control: other parameters may stand in the address beside a query in the body.
    let beside = post("/sparql?format=csv", "application/sparql-query", "ASK {}".to_owned()).await;
    assert_eq!((beside.status, beside.text().trim()), (StatusCode::OK, "true"));
}
