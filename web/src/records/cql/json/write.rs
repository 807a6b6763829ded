//! Writes a filter as CQL2 JSON, for the links of a search that came by `POST`.

use serde_json::{Value as Json, json};

use super::super::{Clause, Comparison, End, Filter, Instant, Operand, Relation, Value};

impl Filter {
    /// The filter in CQL2 JSON.
    pub(in crate::records) fn to_json(&self) -> Json {
        let call = |op: &str, args: &[&Operand]| {
            let args: Vec<Json> = args.iter().map(|one| one.to_json()).collect();
            json!({"op": op, "args": args})
        };
        let joined = |op: &str, parts: &[Filter]| {
            let parts: Vec<Json> = parts.iter().map(Self::to_json).collect();
            json!({"op": op, "args": parts})
        };
        match &self.clause {
            Clause::Always(always) => json!(always),
            Clause::All(parts) => joined("and", parts),
            Clause::Any(parts) => joined("or", parts),
            Clause::Not(part) => json!({"op": "not", "args": [part.to_json()]}),
            Clause::Compare(one, comparison, other) => {
                call(name(&Comparison::ALL, comparison), &[one, other])
            }
            Clause::Like(value, pattern) => call("like", &[value, pattern]),
            Clause::Between(value, least, most) => call("between", &[value, least, most]),
            Clause::Among(value, values) => {
                let values: Vec<Json> = values.iter().map(Operand::to_json).collect();
                json!({"op": "in", "args": [value.to_json(), values]})
            }
            Clause::IsNull(value) => call("isNull", &[value]),
            Clause::Intersects(one, other) => call("s_intersects", &[one, other]),
            Clause::Temporal(relation, one, other) => call(name(&Relation::ALL, relation), &[one, other]),
        }
    }
}

fn name<T: PartialEq>(all: &[(T, &'static str)], wanted: &T) -> &'static str {
    all.iter().find(|(one, _)| one == wanted).map_or("", |(_, name)| name)
}

impl Operand {
    /// The value in CQL2 JSON.
    pub(in crate::records) fn to_json(&self) -> Json {
        match &self.value {
            Value::Property(name) => json!({"property": name}),
            Value::Text(text) => json!(text),
            Value::Number(number) => json!(number),
            Value::Boolean(value) => json!(value),
            Value::Caseless(inner) => json!({"op": "casei", "args": [inner.to_json()]}),
            Value::Accentless(inner) => json!({"op": "accenti", "args": [inner.to_json()]}),
            Value::Instant(instant) if instant.is_date() => json!({"date": instant.text}),
            Value::Instant(Instant { text, .. }) => json!({"timestamp": text}),
            Value::Interval(ends) => json!({"interval": ends.each_ref().map(End::to_json)}),
            Value::Geometry(geometry) => geometry.to_json(),
        }
    }
}

impl End {
    fn to_json(&self) -> Json {
        match self {
            Self::Open => json!(".."),
            Self::Instant(instant) => json!(instant.text),
            Self::Property(_, name) => json!({"property": name}),
        }
    }
}
