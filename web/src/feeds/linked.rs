//! The catalog in the words of schema.org, as JSON-LD within the portal's
//! pages: what dataset search engines read.
//!
//! It is data, not a script: a page's content security policy stays as strict
//! as without it. Whoever writes it into a page escapes `<`.

use crdt::catalog::{Agent, Dataset, Distribution, Lang, Spatial, Temporal};
use node::view::{DatasetDetail, TownInfo};
use serde_json::{Map, Value, json};

/// The catalog of a node.
pub(crate) fn catalog(base: &str, town: &TownInfo, name: &str) -> Value {
    let mut catalog = catalog_node(base, town, name);
    catalog["@context"] = json!("https://schema.org/");
    catalog
}

fn catalog_node(base: &str, town: &TownInfo, name: &str) -> Value {
    json!({
        "@type": "DataCatalog",
        "@id": format!("{base}/"),
        "url": format!("{base}/"),
        "name": format!("{name} {}", town.name),
    })
}

/// One dataset with its distributions, in the page's language where it has it.
pub(crate) fn dataset(base: &str, detail: &DatasetDetail, catalog: Value, lang: Lang) -> Value {
    let dataset = &detail.dataset;
    let mut node = Node::new("Dataset");
    node.set("@context", Some("https://schema.org/"));
    node.set("@id", dataset.iri.as_ref());
    node.set("url", Some(format!("{base}/dataset/{}", dataset.id)));
    node.set("name", dataset.title.best(lang));
    node.set("description", dataset.description.best(lang));
    node.set("identifier", dataset.identifier.as_ref());
    node.list("keywords", dataset.keywords.iter().map(|keyword| json!(keyword.word.as_str())));
    node.set("license", dataset.licence.as_ref());
    node.set("creditText", dataset.attribution.as_ref());
    node.set("datePublished", dataset.issued);
    node.set("dateModified", dataset.modified);
    node.set("temporalCoverage", coverage(&dataset.temporal));
    node.put("spatialCoverage", place(&dataset.spatial));
    node.put("publisher", organisation(&dataset.publisher, &detail.town));
    node.put("creator", organisation(&dataset.publisher, &detail.town));
    node.put("isAccessibleForFree", Some(json!(true)));
    node.list("inLanguage", dataset.title.iter().map(|(lang, _)| json!(lang.code())));
    node.list("distribution", dataset.distributions.iter().map(|one| download(one, dataset, lang)));
    node.put("includedInDataCatalog", Some(catalog));
    node.into()
}

fn download(one: &Distribution, dataset: &Dataset, lang: Lang) -> Value {
    let mut node = Node::new("DataDownload");
    node.set("name", one.title.best(lang));
    node.set("description", one.description.best(lang));
    node.set("contentUrl", one.download_url.as_ref());
    node.set("url", one.access_url.as_ref());
    let format = one.media_type.as_ref().map(ToString::to_string);
    node.set("encodingFormat", format.or_else(|| one.format.as_ref().map(ToString::to_string)));
    node.set("license", one.licence.as_ref().or(dataset.licence.as_ref()));
    node.set("dateModified", one.modified);
    node.set("contentSize", one.byte_size.map(|size| format!("{} B", size.bytes())));
    node.into()
}

fn organisation(agent: &Agent, town: &TownInfo) -> Option<Value> {
    let mut node = Node::new("GovernmentOrganization");
    node.set("@id", agent.iri.as_ref());
    let name = agent.name.as_ref().map(ToString::to_string);
    node.set("name", Some(name.unwrap_or_else(|| town.name.clone())));
    node.set("url", agent.url.as_ref());
    Some(node.into())
}

fn place(spatial: &Spatial) -> Option<Value> {
    let [west, south, east, north] = spatial.bbox.as_ref()?.degrees();
    // South-west and north-east corner, latitude first.
    let shape = json!({"@type": "GeoShape", "box": format!("{south} {west} {north} {east}")});
    Some(json!({"@type": "Place", "geo": shape}))
}

/// An ISO 8601 interval; an open end is written with dots.
fn coverage(temporal: &Temporal) -> Option<String> {
    let day = |day: Option<crdt::catalog::Date>| day.map_or_else(|| "..".to_owned(), |day| day.to_string());
    (!temporal.is_empty()).then(|| format!("{}/{}", day(temporal.start), day(temporal.end)))
}

/// A node of JSON-LD that holds only what there is.
struct Node(Map<String, Value>);

impl Node {
    fn new(class: &str) -> Self {
        Self(Map::from_iter([("@type".to_owned(), json!(class))]))
    }

    fn set(&mut self, name: &str, text: Option<impl ToString>) {
        self.put(name, text.map(|text| Value::String(text.to_string())));
    }

    fn list(&mut self, name: &str, values: impl Iterator<Item = Value>) {
        let values: Vec<Value> = values.collect();
        self.put(name, (!values.is_empty()).then_some(Value::Array(values)));
    }

    fn put(&mut self, name: &str, value: Option<Value>) {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), value);
        }
    }
}

impl From<Node> for Value {
    fn from(node: Node) -> Self {
        Self::Object(node.0)
    }
}
