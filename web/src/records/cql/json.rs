//! Reads and writes CQL2 JSON (OGC 21-065r2, clause 9).
//!
//! What drafts of the standard wrote, and older clients still do, is read as
//! well: the operator as the only member (`{"eq": […]}`), and `casei` and
//! `accenti` the same way.

mod write;

use serde_json::{Map, Value as Json};

use super::literal::Coordinates;
use super::{
    Clause, Comparison, DEPTH_MAX, End, Filter, Geometry, Instant, Operand, Place, Relation, Value, Wrong,
    check_length,
};

/// Operators of drafts, with what they became.
const DRAFTS: [(&str, &str); 13] = [
    ("and", "and"),
    ("or", "or"),
    ("not", "not"),
    ("eq", "="),
    ("neq", "<>"),
    ("lt", "<"),
    ("lte", "<="),
    ("gt", ">"),
    ("gte", ">="),
    ("like", "like"),
    ("isNull", "isNull"),
    ("casei", "casei"),
    ("accenti", "accenti"),
];

/// Reads a filter from its text.
pub(in crate::records) fn read(filter: &str) -> Result<Filter, Wrong> {
    let whole = Place::Pointer(String::new());
    check_length(filter, whole.clone())?;
    let json: Json = serde_json::from_str(filter).map_err(|error| {
        Wrong::new(
            &whole,
            format!("{error}: {filter}"),
            ("ist kein JSON", "is no JSON"),
            (
                "CQL2 JSON schreiben, zum Beispiel {\"op\": \"=\", \"args\": [{\"property\": \"town\"}, \"soest\"]}; für CQL2 Text filter-lang=cql2-text",
                "write CQL2 JSON, for example {\"op\": \"=\", \"args\": [{\"property\": \"town\"}, \"soest\"]}; for CQL2 Text filter-lang=cql2-text",
            ),
        )
    })?;
    filter_at(&json, whole, DEPTH_MAX)
}

/// Refuses a filter that would be refused once it stood in a link.
pub(in crate::records) fn short_enough_for_links(filter: Filter) -> Result<Filter, Wrong> {
    check_length(&filter.to_json().to_string(), Place::Pointer(String::new()))?;
    Ok(filter)
}

/// An operator with its arguments.
struct Call<'a> {
    at: Place,
    op: &'a str,
    args: Vec<(Place, &'a Json)>,
}

impl<'a> Call<'a> {
    /// The call that an object is, if it is one.
    fn of(object: &'a Map<String, Json>, at: &Place) -> Result<Option<Self>, Wrong> {
        let (op, args, at_args) = match (object.get("op"), object.iter().next()) {
            (Some(Json::String(op)), _) => (op.as_str(), object.get("args"), at.under("args")),
            (Some(other), _) => {
                return Err(Wrong::new(&at.under("op"), other.to_string(), NO_TEXT, OP));
            }
            (None, Some((name, args))) if object.len() == 1 => {
                let draft = DRAFTS.iter().find(|(draft, _)| draft == name);
                let Some((_, op)) = draft else { return Ok(None) };
                (*op, Some(args), at.under(name))
            }
            _ => return Ok(None),
        };
        let args = match args {
            Some(Json::Array(args)) => {
                args.iter().enumerate().map(|(number, one)| (at_args.under(number), one)).collect()
            }
            // Of one argument, some leave the brackets out.
            Some(one) => vec![(at_args, one)],
            None => return Err(Wrong::new(at, op, ("hat keine „args“", "has no `args`"), ARGS)),
        };
        Ok(Some(Self { at: at.clone(), op, args }))
    }

    fn exactly<const N: usize>(&self) -> Result<&[(Place, &'a Json); N], Wrong> {
        <&[_; N]>::try_from(self.args.as_slice()).map_err(|_| {
            let remedy = crdt::catalog::invalid::Bilingual::made(
                format!("{N} Argumente angeben statt {}", self.args.len()),
                format!("give {N} arguments instead of {}", self.args.len()),
            );
            let problem = ("hat nicht so viele Argumente wie nötig", "has not as many arguments as needed");
            Wrong::because(&self.at, self.op, problem, remedy)
        })
    }

    fn two(&self, depth: usize) -> Result<(Operand, Operand), Wrong> {
        let [one, other] = self.exactly::<2>()?;
        Ok((operand_at(one.1, one.0.clone(), depth)?, operand_at(other.1, other.0.clone(), depth)?))
    }
}

fn filter_at(json: &Json, at: Place, depth: usize) -> Result<Filter, Wrong> {
    let Some(depth) = depth.checked_sub(1) else { return Err(Wrong::too_deep(&at, json.to_string())) };
    if let Json::Bool(always) = json {
        return Ok(Filter { at, clause: Clause::Always(*always) });
    }
    let call = match json {
        Json::Object(object) => Call::of(object, &at)?,
        _ => None,
    };
    let Some(call) = call else {
        return Err(Wrong::new(&at, json.to_string(), ("ist keine Bedingung", "is no condition"), OP));
    };
    let clause = clause(&call, depth)?;
    Ok(Filter { at, clause })
}

fn clause(call: &Call<'_>, depth: usize) -> Result<Clause, Wrong> {
    if let Some(comparison) = Comparison::of(call.op) {
        let (one, other) = call.two(depth)?;
        return Ok(Clause::Compare(one, comparison, other));
    }
    if let Some(relation) = Relation::of(call.op) {
        let (one, other) = call.two(depth)?;
        return Ok(Clause::Temporal(relation, one, other));
    }
    Ok(match call.op.to_ascii_lowercase().as_str() {
        "and" => Clause::All(parts(call, depth)?),
        "or" => Clause::Any(parts(call, depth)?),
        "not" => {
            let [(at, inner)] = call.exactly::<1>()?;
            Clause::Not(Box::new(filter_at(inner, at.clone(), depth)?))
        }
        "like" => {
            let (value, pattern) = call.two(depth)?;
            Clause::Like(value, pattern)
        }
        "between" => {
            let [value, least, most] = call.exactly::<3>()?;
            let read = |(at, one): &(Place, &Json)| operand_at(one, at.clone(), depth);
            Clause::Between(read(value)?, read(least)?, read(most)?)
        }
        "in" => {
            let [(at, value), (at_list, list)] = call.exactly::<2>()?;
            let Json::Array(list) = list else {
                return Err(Wrong::new(
                    at_list,
                    list.to_string(),
                    ("ist keine Liste", "is no list"),
                    IN_LIST,
                ));
            };
            let value = operand_at(value, at.clone(), depth)?;
            let items = list.iter().enumerate();
            let items = items.map(|(number, one)| operand_at(one, at_list.under(number), depth));
            Clause::Among(value, items.collect::<Result<_, _>>()?)
        }
        "isnull" => {
            let [(at, value)] = call.exactly::<1>()?;
            Clause::IsNull(operand_at(value, at.clone(), depth)?)
        }
        "s_intersects" => {
            let (one, other) = call.two(depth)?;
            Clause::Intersects(one, other)
        }
        _ => return Err(Wrong::function(&call.at.under("op"), call.op)),
    })
}

/// The conditions of `and` or `or`; the standard wants two, one does no harm.
fn parts(call: &Call<'_>, depth: usize) -> Result<Vec<Filter>, Wrong> {
    if call.args.is_empty() {
        return Err(Wrong::new(&call.at, call.op, ("hat keine Bedingungen", "has no conditions"), ARGS));
    }
    call.args.iter().map(|(at, one)| filter_at(one, at.clone(), depth)).collect()
}

fn operand_at(json: &Json, at: Place, depth: usize) -> Result<Operand, Wrong> {
    let Some(depth) = depth.checked_sub(1) else { return Err(Wrong::too_deep(&at, json.to_string())) };
    let value = match json {
        Json::String(text) => Value::Text(text.clone()),
        Json::Bool(value) => Value::Boolean(*value),
        Json::Number(number) => Value::Number(number.as_f64().unwrap_or(f64::NAN)),
        Json::Object(object) => object_at(object, json, &at, depth)?,
        _ => return Err(Wrong::new(&at, json.to_string(), NO_VALUE, OPERAND)),
    };
    Ok(Operand { at, value })
}

fn object_at(object: &Map<String, Json>, json: &Json, at: &Place, depth: usize) -> Result<Value, Wrong> {
    let text = |name: &str| match object.get(name) {
        Some(Json::String(text)) => Ok(text.as_str()),
        other => {
            let found = other.map(ToString::to_string).unwrap_or_default();
            Err(Wrong::new(&at.under(name), found, NO_TEXT, OPERAND))
        }
    };
    let instant = |name: &str, read: fn(&str) -> Option<Instant>| {
        let text = text(name)?;
        read(text).map(Value::Instant).ok_or_else(|| Instant::wrong(&at.under(name), text))
    };
    if object.contains_key("property") {
        return Ok(Value::Property(text("property")?.to_owned()));
    }
    if object.contains_key("date") {
        return instant("date", Instant::date);
    }
    if object.contains_key("timestamp") {
        return instant("timestamp", Instant::timestamp);
    }
    if let Some(ends) = object.get("interval") {
        return interval(ends, &at.under("interval"));
    }
    if let Some(edges) = object.get("bbox").filter(|_| !object.contains_key("type")) {
        let at = at.under("bbox");
        let numbers: Option<Vec<f64>> =
            edges.as_array().and_then(|edges| edges.iter().map(Json::as_f64).collect());
        let edges = numbers.as_deref().and_then(Geometry::edges);
        let bbox = edges.map(Geometry::Bbox).ok_or_else(|| wrong_geometry(&at, json))?;
        return Ok(Value::Geometry(bbox.checked(&at)?));
    }
    if object.contains_key("type") {
        return Ok(Value::Geometry(geometry(json, at, depth)?));
    }
    match Call::of(object, at)? {
        Some(call) if call.op.eq_ignore_ascii_case("casei") => Ok(Value::Caseless(argument(&call, depth)?)),
        Some(call) if call.op.eq_ignore_ascii_case("accenti") => {
            Ok(Value::Accentless(argument(&call, depth)?))
        }
        Some(call) => Err(Wrong::function(at, call.op)),
        None => Err(Wrong::new(at, json.to_string(), NO_VALUE, OPERAND)),
    }
}

fn argument(call: &Call<'_>, depth: usize) -> Result<Box<Operand>, Wrong> {
    let [(at, one)] = call.exactly::<1>()?;
    Ok(Box::new(operand_at(one, at.clone(), depth)?))
}

fn interval(ends: &Json, at: &Place) -> Result<Value, Wrong> {
    let Some([from, to]) = ends.as_array().map(Vec::as_slice) else {
        return Err(Wrong::new(at, ends.to_string(), ("ist keine Zeitspanne", "is no interval"), INTERVAL));
    };
    let end = |number: usize, json: &Json| {
        let at = at.under(number);
        match (json, json.get("property").and_then(Json::as_str)) {
            (_, Some(name)) => Ok(End::Property(at.under("property"), name.to_owned())),
            (Json::String(text), _) if text == ".." => Ok(End::Open),
            (Json::String(text), _) => {
                Instant::any(text).map(End::Instant).ok_or_else(|| Instant::wrong(&at, text))
            }
            _ => Err(Wrong::new(&at, json.to_string(), NO_TEXT, INTERVAL)),
        }
    };
    Ok(Value::Interval(Box::new([end(0, from)?, end(1, to)?])))
}

/// GeoJSON (RFC 7946).
fn geometry(json: &Json, at: &Place, depth: usize) -> Result<Geometry, Wrong> {
    let Some(depth) = depth.checked_sub(1) else { return Err(Wrong::too_deep(at, json.to_string())) };
    if json["type"] == "GeometryCollection" {
        let Some(parts) = json["geometries"].as_array() else { return Err(wrong_geometry(at, json)) };
        let parts = parts.iter().enumerate();
        let parts = parts.map(|(number, one)| geometry(one, &at.under("geometries").under(number), depth));
        return Ok(Geometry::Collection(parts.collect::<Result<_, _>>()?));
    }
    let places = &json["coordinates"];
    let read = match json["type"].as_str() {
        Some("Point") => place(places).map(|one| Geometry::Points(vec![one])),
        Some("MultiPoint") => list(places, place).map(Geometry::Points),
        Some("LineString") => line(places).map(|one| Geometry::Lines(vec![one])),
        Some("MultiLineString") => list(places, line).map(Geometry::Lines),
        Some("Polygon") => list(places, line).map(|one| Geometry::Polygons(vec![one])),
        Some("MultiPolygon") => list(places, |rings| list(rings, line)).map(Geometry::Polygons),
        _ => None,
    };
    read.ok_or_else(|| wrong_geometry(at, json))?.checked(at)
}

fn list<T>(json: &Json, item: impl Fn(&Json) -> Option<T>) -> Option<Vec<T>> {
    json.as_array().filter(|items| !items.is_empty())?.iter().map(item).collect()
}

fn line(json: &Json) -> Option<Vec<Coordinates>> {
    list(json, place)
}

fn place(json: &Json) -> Option<Coordinates> {
    match list(json, Json::as_f64)?.as_slice() {
        [longitude, latitude] | [longitude, latitude, _] => Some([*longitude, *latitude]),
        _ => None,
    }
}

fn wrong_geometry(at: &Place, json: &Json) -> Wrong {
    Wrong::new(at, json.to_string(), ("ist keine Geometrie", "is no geometry"), GEOMETRY)
}

type Words = (&'static str, &'static str);

const NO_TEXT: Words = ("ist kein Text", "is no text");
const NO_VALUE: Words = ("ist kein Wert", "is no value");
const ARGS: Words = ("die Argumente als Liste „args“ angeben", "give the arguments as a list `args`");
const GEOMETRY: Words = (
    "GeoJSON angeben, oder {\"bbox\": [West, Süd, Ost, Nord]}",
    "give GeoJSON, or {\"bbox\": [west, south, east, north]}",
);
const IN_LIST: Words = (
    "als zweites Argument eine Liste angeben: [{\"property\": \"town\"}, [\"soest\", \"olpe\"]]",
    "give a list as the second argument: [{\"property\": \"town\"}, [\"soest\", \"olpe\"]]",
);
const INTERVAL: Words = (
    "zwei Zeiten angeben: {\"interval\": [\"2026-01-01\", \"..\"]}; „..“ ist ein offenes Ende",
    "give two times: {\"interval\": [\"2026-01-01\", \"..\"]}; `..` is an open end",
);
const OP: Words = (
    "{\"op\": \"=\", \"args\": [{\"property\": \"town\"}, \"soest\"]} schreiben",
    "write {\"op\": \"=\", \"args\": [{\"property\": \"town\"}, \"soest\"]}",
);
const OPERAND: Words = (
    "{\"property\": Name} oder einen Wert angeben: Text, {\"date\": …}, {\"timestamp\": …}, {\"interval\": […]}, GeoJSON",
    "give {\"property\": name} or a value: text, {\"date\": …}, {\"timestamp\": …}, {\"interval\": […]}, GeoJSON",
);
