//! What a client sends with an action, in every form that CKAN takes: query
//! string, JSON object, form, and a form whose only key is the JSON (which is
//! what `curl -d '{…}'` sends).
//!
//! Values are kept as they came; what an action needs of them it asks for by
//! type, and gets a validation error in CKAN's words.

use axum::http::{HeaderMap, header};
use serde_json::{Map, Value};

use super::envelope::{Failure, excerpt};

/// Most parameters that are read; no client sends a tenth of them.
const PARAMETERS_MAX: usize = 1_000;

/// The parameters of one request.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Parameters(Map<String, Value>);

impl Parameters {
    /// From an address: a name given several times is a list.
    pub(super) fn of_query(query: Option<&str>) -> Self {
        Self::of_form(query.unwrap_or_default().as_bytes())
    }

    fn of_form(form: &[u8]) -> Self {
        let mut found: Map<String, Value> = Map::new();
        for (name, value) in url::form_urlencoded::parse(form).take(PARAMETERS_MAX) {
            let value = Value::String(value.into_owned());
            match found.get_mut(name.as_ref()) {
                None => drop(found.insert(name.into_owned(), value)),
                Some(Value::Array(values)) => values.push(value),
                Some(one) => *one = Value::Array(vec![one.take(), value]),
            }
        }
        Self(found)
    }

    /// From a body, and from the address where there is none. What is wrong
    /// comes in the words that follow "JSON Error: ".
    pub(super) fn of_post(query: Option<&str>, headers: &HeaderMap, body: &[u8]) -> Result<Self, String> {
        let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = media_type.and_then(|media_type| media_type.split(';').next()).unwrap_or_default();
        let is_form = essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded");
        let text = body.trim_ascii();
        if text.is_empty() {
            return Ok(Self::of_query(query));
        }
        if !is_form {
            return Self::of_json(text);
        }
        // The JSON as it stands, before `&`, `=` and `+` in it are taken for a form's signs.
        if text.first() == Some(&b'{') && serde_json::from_slice::<Value>(text).is_ok() {
            return Self::of_json(text);
        }
        let form = Self::of_form(text);
        match form.0.iter().next() {
            Some((key, Value::String(value)))
                if form.0.len() == 1 && matches!(value.as_str(), "" | "1") && !is_name(key) =>
            {
                Self::of_json(key.as_bytes())
            }
            _ => Ok(form),
        }
    }

    fn of_json(text: &[u8]) -> Result<Self, String> {
        match serde_json::from_slice(text) {
            Ok(Value::Object(object)) => Ok(Self(object)),
            Ok(other) => Err(format!(
                "Request data JSON decoded to {} but it needs to be a dictionary.",
                excerpt(&other.to_string())
            )),
            Err(error) => Err(format!("Error decoding JSON data. Error: {error}")),
        }
    }

    /// All names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// A value as it came; `null` counts as not given.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A text.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Failure> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(Value::Bool(yes)) => Ok(Some(yes.to_string())),
            Some(_) => Err(Failure::of(name, "Must be a string")),
        }
    }

    /// A text that must be there.
    pub(super) fn required(&self, name: &str) -> Result<String, Failure> {
        let given = self.text(name)?.filter(|text| !text.is_empty());
        given.ok_or_else(|| Failure::of(name, "Missing value"))
    }

    /// A whole number from 0.
    pub(super) fn natural(&self, name: &str) -> Result<Option<usize>, Failure> {
        let number = self.integer(name)?;
        let natural = number
            .map(|number| usize::try_from(number).map_err(|_| Failure::of(name, "Must be a natural number")));
        natural.transpose()
    }

    /// A whole number.
    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, Failure> {
        let Some(text) = self.text(name)?.filter(|text| !text.trim().is_empty()) else { return Ok(None) };
        text.trim().parse().map(Some).map_err(|_| Failure::of(name, "Invalid integer"))
    }

    /// Yes or no, also as Python writes it (`True`).
    pub(super) fn flag(&self, name: &str, default: bool) -> Result<bool, Failure> {
        let Some(text) = self.text(name)? else { return Ok(default) };
        match text.trim().to_ascii_lowercase().as_str() {
            "" => Ok(default),
            "true" | "yes" | "on" | "y" | "t" | "1" => Ok(true),
            "false" | "no" | "off" | "n" | "f" | "0" => Ok(false),
            _ => Err(Failure::of(name, "Must be true or false")),
        }
    }

    /// Texts: a list, a name given several times, or one of them.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, Failure> {
        let Some(Value::Array(values)) = self.value(name) else {
            return Ok(self.text(name)?.into_iter().collect());
        };
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let all = values.iter().map(text).collect::<Option<Vec<_>>>();
        all.ok_or_else(|| Failure::of(name, "Must be a list of strings"))
    }

    /// Texts, where one text alone is the JSON of a list.
    pub(super) fn json_texts(&self, name: &str) -> Result<Vec<String>, Failure> {
        let Some(Value::String(text)) = self.value(name) else { return self.texts(name) };
        if text.is_empty() {
            return Ok(Vec::new());
        }
        serde_json::from_str(text).map_err(|_| Failure::of(name, "Could not parse as valid JSON"))
    }
}

/// Whether a lone form key is a parameter's name rather than JSON.
fn is_name(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn post(media_type: &str, body: &str) -> Result<Value, String> {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, media_type.parse().unwrap())]);
        Parameters::of_post(Some("q=address"), &headers, body.as_bytes()).map(|found| Value::Object(found.0))
    }

    #[test]
    fn every_form_of_a_request_says_the_same() {
        let form = "application/x-www-form-urlencoded";
        for (media_type, body, expected) in [
            ("application/json", r#"{"id": "x"}"#, json!({"id": "x"})),
            ("application/json;charset=utf-8", r#"{"rows": 5}"#, json!({"rows": 5})),
            ("", r#"{"id": "x"}"#, json!({"id": "x"})),
            (form, r#"{"id":"x"}"#, json!({"id": "x"})),
            (form, r#"{"id":"a&b=c+d"}"#, json!({"id": "a&b=c+d"})),
            (form, "%7B%22id%22%3A%22x%22%7D=", json!({"id": "x"})),
            (form, "%7B%22id%22%3A%22x%22%7D=1", json!({"id": "x"})),
            (form, "id=x&rows=5", json!({"id": "x", "rows": "5"})),
            (form, "id=1", json!({"id": "1"})),
            (form, "fq_list=a&fq_list=b&fq_list=c", json!({"fq_list": ["a", "b", "c"]})),
            ("application/json", "", json!({"q": "address"})),
            (form, "  ", json!({"q": "address"})),
        ] {
            assert_eq!(post(media_type, body), Ok(expected), "{media_type}: {body}");
        }
    }

    #[test]
    fn a_body_that_is_no_object_is_said_to_be_none() {
        assert!(post("application/json", "[1]").unwrap_err().contains("[1] but it needs to be a dictionary"));
        assert!(post("application/json", "{").unwrap_err().starts_with("Error decoding JSON data."));
        assert!(post("application/x-www-form-urlencoded", "{\"id\":").unwrap_err().starts_with("Error"));
    }

    #[test]
    fn values_are_read_by_type_or_refused_by_name() {
        let given = |query: &str| Parameters::of_query(Some(query));
        assert_eq!(given("rows=007").natural("rows").unwrap(), Some(7));
        assert_eq!(given("rows=").natural("rows").unwrap(), None);
        assert!(given("all_fields=True").flag("all_fields", false).unwrap());
        assert!(!given("all_fields=False").flag("all_fields", true).unwrap());
        assert_eq!(given("f=%5B%22a%22%5D").json_texts("f").unwrap(), ["a"]);
        assert_eq!(given("f=a&f=b").json_texts("f").unwrap(), ["a", "b"]);
        for (failure, wrong) in [
            (given("rows=x").natural("rows").unwrap_err(), "Invalid integer"),
            (given("rows=-1").natural("rows").unwrap_err(), "Must be a natural number"),
            (given("rows=1&rows=2").natural("rows").unwrap_err(), "Must be a string"),
            (given("rows=maybe").flag("rows", true).unwrap_err(), "Must be true or false"),
            (given("rows=tags").json_texts("rows").unwrap_err(), "Could not parse as valid JSON"),
            (given("").required("rows").unwrap_err(), "Missing value"),
        ] {
            let Failure::Validation(all) = failure else { panic!("{failure:?}") };
            assert_eq!(all, [("rows".to_owned(), wrong.to_owned())]);
        }
    }
}
