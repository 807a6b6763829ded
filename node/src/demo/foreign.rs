//! Translates the form of the project's test data (`meta`, `municipalities`,
//! `partners`, `datasets`) into the form of [`super::records`].
//!
//! It moves fields and checks no value: what a field may hold is known in one
//! place only. A field that it does not know is refused, never dropped.

use serde_json::{Map, Value, json};

use super::records::{FORM, RecordProblem};

/// Fields that keep their meaning: theirs, ours.
const FIELDS: [(&str, &str); 20] = [
    ("identifier", "identifier"),
    ("title", "title"),
    ("description", "description"),
    ("keywords", "keywords"),
    ("theme", "themes"),
    ("musterdatensatz", "musterdatensatz"),
    ("licence", "licence"),
    ("attribution_text", "attribution"),
    ("formats", "formats"),
    ("frequency", "frequency"),
    ("update_process", "update_process"),
    ("data_modified", "data_modified"),
    ("department", "department"),
    ("domain", "domain"),
    ("personal_data", "personal_data"),
    ("hvd", "hvd"),
    ("quality_criteria", "quality_criteria"),
    ("distributions", "distributions"),
    ("political_geocoding_uri", "spatial/geocoding"),
    ("spatial_unit", "spatial/unit"),
];

/// Fields that never leave the town.
const INTERNAL: [(&str, &str); 8] = [
    ("legal_basis", "legal_basis"),
    ("source_system", "source_system"),
    ("responsible_role", "responsible_role"),
    ("steward_role", "steward_role"),
    ("classification_reason", "classification_reason"),
    ("proposed_classification", "proposed_classification"),
    ("shared_with", "sharing/recipients"),
    ("demo_note", "notes"),
];

/// Fields that [`dataset`] and [`record`] treat one by one.
const SPECIAL: [&str; 8] =
    ["id", "municipality", "ags", "classification", "status", "sharing", "contact_point", "withdrawal"];

/// The file in our form; one that is not in the foreign form is given back as it is.
pub(super) fn translate(json: Value) -> Result<Value, Vec<RecordProblem>> {
    let (Some(towns), Some(datasets)) = (list(&json, "municipalities"), list(&json, "datasets")) else {
        return Ok(json);
    };
    let mut problems = Vec::new();
    let mut records = Vec::new();
    for (index, dataset) in datasets.iter().enumerate() {
        match record(dataset, towns) {
            Ok(record) => records.push(record),
            Err(message) => {
                let name = dataset.get("id").and_then(Value::as_str).unwrap_or("no id");
                problems.push(RecordProblem { place: format!("record {} ({name})", index + 1), message });
            }
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let partners = list(&json, "partners").map(Vec::as_slice).unwrap_or_default();
    Ok(json!({
        "form": FORM,
        "towns": towns.iter().map(town).collect::<Vec<_>>(),
        "partners": partners.iter().map(|one| json!({ "code": one["code"], "name": one["name"] })).collect::<Vec<_>>(),
        "records": records,
    }))
}

fn town(municipality: &Value) -> Value {
    let code = municipality["code"].as_str().unwrap_or_default();
    json!({
        "town": municipality["ags"],
        "code": code,
        "name": municipality["name"],
        "base_url": format!("https://daten.{code}.example"),
        "mailbox": municipality["mailbox"],
    })
}

fn record(dataset: &Value, towns: &[Value]) -> Result<Value, String> {
    let object = dataset.as_object().ok_or("is not an object in braces; give a record")?;
    let known = |name: &&String| {
        let theirs = FIELDS.iter().chain(&INTERNAL).map(|(theirs, _)| *theirs);
        !theirs.chain(SPECIAL).any(|field| field == name.as_str())
    };
    if let Some(name) = object.keys().find(known) {
        return Err(format!("there is no field `{name}`; remove it or correct its name"));
    }
    let town = towns.iter().find(|town| town["code"] == dataset["municipality"]).ok_or_else(|| {
        format!("field `municipality`: {} is not in `municipalities`; add it there", dataset["municipality"])
    })?;
    if town["ags"] != dataset["ags"] {
        let (given, right) = (&dataset["ags"], &town["ags"]);
        return Err(format!("field `ags`: {given} is not the key of this municipality; give {right}"));
    }
    let publish = match dataset["classification"].as_str() {
        Some("open") => true,
        Some("shared" | "closed") => false,
        _ => {
            let given = &dataset["classification"];
            return Err(format!("field `classification`: {given}; give \"open\", \"shared\" or \"closed\""));
        }
    };
    let body = self::dataset(object, town);
    Ok(json!({ "town": dataset["municipality"], "publish": publish, "dataset": body }))
}

fn dataset(theirs: &Map<String, Value>, town: &Value) -> Value {
    let get = |name: &str| theirs.get(name).cloned().unwrap_or(Value::Null);
    let mut body = moved(theirs, &FIELDS);
    let mut internal = moved(theirs, &INTERNAL);
    // A new record is closed: it can be neither published nor shared yet.
    let status = match get("status") {
        Value::String(status) if status == "veroeffentlicht" || status == "geteilt" => Value::from("intern"),
        other => other,
    };
    body.insert("status".to_owned(), status);
    let code = town["code"].as_str().unwrap_or_default();
    let name = town["name"].as_str().unwrap_or_default();
    body.insert(
        "publisher".to_owned(),
        json!({ "name": format!("Stadt {name}"), "url": format!("https://daten.{code}.example") }),
    );
    if let Value::Object(contact) = get("contact_point") {
        body.insert("contact".to_owned(), Value::Object(renamed(contact, "mailbox", "email")));
    }
    if let Value::Object(sharing) = get("sharing") {
        for (name, value) in sharing {
            put(&mut internal, &format!("sharing/{name}"), value);
        }
    }
    if get("classification") == "shared" && !internal.contains_key("proposed_classification") {
        internal.insert("proposed_classification".to_owned(), "shared".into());
    }
    if let withdrawal @ Value::Object(_) = get("withdrawal") {
        let note = internal.get("notes").and_then(Value::as_str).unwrap_or_default();
        internal.insert("notes".to_owned(), format!("Rücknahme: {withdrawal}\n{note}").trim_end().into());
    }
    body.insert("internal".to_owned(), Value::Object(internal));
    Value::Object(body)
}

/// The fields of `table` under our names; what is null stays away.
fn moved(theirs: &Map<String, Value>, table: &[(&str, &str)]) -> Map<String, Value> {
    let mut ours = Map::new();
    for (from, to) in table {
        match theirs.get(*from) {
            None | Some(Value::Null) => {}
            Some(Value::Array(entries)) if entries.is_empty() => {}
            Some(value) => put(&mut ours, to, value.clone()),
        }
    }
    ours
}

/// Puts a value at `name` or, one level down, at `name/name`.
fn put(object: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('/') {
        None => {
            object.insert(path.to_owned(), value);
        }
        Some((outer, inner)) => {
            let below = object.entry(outer).or_insert_with(|| json!({}));
            below[inner] = value;
        }
    }
}

fn renamed(mut object: Map<String, Value>, from: &str, to: &str) -> Map<String, Value> {
    if let Some(value) = object.remove(from) {
        object.insert(to.to_owned(), value);
    }
    object
}

fn list<'a>(json: &'a Value, name: &str) -> Option<&'a Vec<Value>> {
    json.get(name).and_then(Value::as_array)
}
