//! Both languages say the same, whatever is said in them, and what cannot be
//! read is refused where it stands.

use crdt::vocabulary::Vocabularies;
use proptest::prelude::*;
use serde_json::json;

use super::super::filter;
use super::super::query::Known;
use super::super::queryables::Queryable;
use super::*;

fn of_text(filter: &str) -> Filter {
    text::read(filter).unwrap_or_else(|wrong| panic!("{filter}: {:?}", wrong.field()))
}

/// Both filters say the same, and what is written of them says it too.
fn same(text: &str, json: &serde_json::Value) {
    let (one, other) = (of_text(text), json::read(&json.to_string()));
    let other = other.unwrap_or_else(|wrong| panic!("{json}: {:?}", wrong.field()));
    assert_eq!(one, other, "{text}");
    assert_eq!(json::read(&one.to_json().to_string()), Ok(one), "{text}");
}

fn named(name: &str) -> serde_json::Value {
    json!({"property": name})
}

/// The forms of the standard's examples, class by class.
#[test]
fn every_construct_says_the_same_in_both_languages() {
    let call = |op: &str, args: serde_json::Value| json!({"op": op, "args": args});
    // Basic CQL2.
    for (sign, op) in [("=", "="), ("<>", "<>"), ("<", "<"), (">", ">"), ("<=", "<="), (">=", ">=")] {
        same(&format!("town {sign} 'soest'"), &call(op, json!([named("town"), "soest"])));
    }
    same("balance>-150.5", &call(">", json!([named("balance"), -150.5])));
    same("swimming_pool = true", &call("=", json!([named("swimming_pool"), true])));
    same("'soest' = \"town\"", &call("=", json!(["soest", named("town")])));
    same("TRUE", &json!(true));
    same("not FALSE", &call("not", json!([false])));
    same("license IS NULL", &call("isNull", json!([named("license")])));
    let present = call("not", json!([call("isNull", json!([named("license")]))]));
    same("license is not null", &present);
    let (a, b, c) = ("a = '1'", "b = '2'", "c = '3'");
    let [one, two, three] =
        [("a", "1"), ("b", "2"), ("c", "3")].map(|(name, value)| call("=", json!([named(name), value])));
    same(
        &format!("{a} OR {b} AND NOT {c}"),
        &call("or", json!([one, call("and", json!([two, call("not", json!([three]))]))])),
    );
    same(&format!("({a} OR {b}) AND {c}"), &call("and", json!([call("or", json!([one, two])), three])));
    same(&format!("{a} AND {b} AND {c}"), &call("and", json!([one, two, three])));
    same(&format!("(((({a}))))"), &one);
    let built = call(">=", json!([named("built"), {"date": "2015-01-01"}]));
    same("built >= DATE('2015-01-01')", &built);
    same(
        "updated < TIMESTAMP('2012-08-10T05:30:00.5Z')",
        &call("<", json!([named("updated"), {"timestamp": "2012-08-10T05:30:00.5Z"}])),
    );
    // Advanced comparisons.
    same("name LIKE 'Smith%'", &call("like", json!([named("name"), "Smith%"])));
    same(
        "name not like '100\\%\\_' ",
        &call("not", json!([call("like", json!([named("name"), "100\\%\\_"]))])),
    );
    same("depth BETWEEN 100.0 and 150.0", &call("between", json!([named("depth"), 100.0, 150.0])));
    same(
        "depth NOT BETWEEN .5 AND 1e2",
        &call("not", json!([call("between", json!([named("depth"), 0.5, 100.0]))])),
    );
    same("town IN ('soest','olpe')", &call("in", json!([named("town"), ["soest", "olpe"]])));
    same("town NOT IN ('x')", &call("not", json!([call("in", json!([named("town"), ["x"]]))])));
    // Case and accents.
    same(
        "CASEI(road_class) IN (casei('Straße'))",
        &call("in", json!([call("casei", json!([named("road_class")])), [call("casei", json!(["Straße"]))]])),
    );
    same(
        "ACCENTI(CASEI(name)) = accenti(casei('Chávez'))",
        &call(
            "=",
            json!([
                call("accenti", json!([call("casei", json!([named("name")]))])),
                call("accenti", json!([call("casei", json!(["Chávez"]))])),
            ]),
        ),
    );
    // Places.
    let geometries = [
        ("BBOX(7.5,51.0, 8.5, 52)", json!({"bbox": [7.5, 51, 8.5, 52]})),
        ("BBOX(160.6,-55.95,0,-170,-25.89,10)", json!({"bbox": [160.6, -55.95, -170.0, -25.89]})),
        ("ENVELOPE(7.5,51,8.5,52)", json!({"bbox": [7.5, 51, 8.5, 52]})),
        ("POINT(7.02 49.92)", json!({"type": "Point", "coordinates": [7.02, 49.92]})),
        ("POINT Z (7 49 100)", json!({"type": "Point", "coordinates": [7, 49, 100]})),
        ("MULTIPOINT((1 2), (3 4))", json!({"type": "MultiPoint", "coordinates": [[1, 2], [3, 4]]})),
        ("MULTIPOINT(1 2, 3 4)", json!({"type": "MultiPoint", "coordinates": [[1, 2], [3, 4]]})),
        ("LINESTRING(1 2, 3 4)", json!({"type": "LineString", "coordinates": [[1, 2], [3, 4]]})),
        (
            "MULTILINESTRING((1 2,3 4),(5 6,7 8))",
            json!({"type": "MultiLineString", "coordinates": [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]}),
        ),
        (
            "polygon((0 0,1 0,1 1,0 0))",
            json!({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}),
        ),
        (
            "MULTIPOLYGON(((0 0,1 0,1 1,0 0)))",
            json!({"type": "MultiPolygon", "coordinates": [[[[0, 0], [1, 0], [1, 1], [0, 0]]]]}),
        ),
        (
            "GEOMETRYCOLLECTION(POINT(1 2), LINESTRING(1 2, 3 4))",
            json!({"type": "GeometryCollection", "geometries": [
                {"type": "Point", "coordinates": [1, 2]},
                {"type": "LineString", "coordinates": [[1, 2], [3, 4]]},
            ]}),
        ),
    ];
    for (text, json) in geometries {
        same(
            &format!("S_INTERSECTS(geometry, {text})"),
            &call("s_intersects", json!([named("geometry"), json])),
        );
    }
    // Times.
    for (relation, name) in Relation::ALL {
        let text = format!("{}(time, INTERVAL('2005-01-10', '2010-02-10T00:00:00Z'))", name.to_uppercase());
        let interval = json!({"interval": ["2005-01-10", "2010-02-10T00:00:00Z"]});
        same(&text, &call(name, json!([named("time"), interval])));
        assert!(matches!(of_text(&text).clause, Clause::Temporal(read, ..) if read == relation));
    }
    same(
        "T_DURING(INTERVAL(created, \"updated\"), INTERVAL('..', '2010-02-10'))",
        &call(
            "t_during",
            json!([
                {"interval": [named("created"), named("updated")]},
                {"interval": ["..", "2010-02-10"]},
            ]),
        ),
    );
}

#[test]
fn quotes_and_control_letters_are_escaped() {
    let text = |filter: &str| match of_text(filter).clause {
        Clause::Compare(_, _, Operand { value: Value::Text(text), .. }) => text,
        other => panic!("{other:?}"),
    };
    assert_eq!(text("a = 'Bürger''s \\'Amt\\''"), "Bürger's 'Amt'");
    assert_eq!(text(r"a = '\a\b\t\n\v\f\r\\'"), "\u{7}\u{8}\t\n\u{b}\u{c}\r\\");
    assert_eq!(text(r"a = '50\% \x'"), r"50\% \x");
    assert_eq!(text("a = ''"), "");
}

#[test]
fn older_clients_may_name_the_operator_as_the_only_member() {
    let old = json!({"and": [
        {"eq": [{"property": "town"}, "soest"]},
        {"not": [{"like": [{"casei": {"property": "title"}}, {"casei": "%Baum%"}]}]},
        {"gte": [{"property": "updated"}, {"date": "2026-01-01"}]},
    ]});
    same("town = 'soest' AND NOT CASEI(title) LIKE CASEI('%Baum%') AND updated >= DATE('2026-01-01')", &old);
}

#[test]
fn what_cannot_be_read_is_refused_where_it_stands() {
    for (filter, place, words) in [
        ("", 1, "a property or a value"),
        ("town =", 7, "a property or a value"),
        ("town = 'soest", 8, "close the quote"),
        ("town = soest'", 13, "close the quote"),
        ("(town = 'soest'", 16, "close the parenthesis"),
        ("town = 'soest')", 15, "AND or OR"),
        ("town = 'soest' title = 'x'", 16, "AND or OR"),
        ("town", 5, "LIKE, BETWEEN"),
        ("town == 'soest'", 7, "a property or a value"),
        ("town != 'soest'", 6, "LIKE, BETWEEN"),
        ("Straße = 'ä' AND §", 18, "single quotes"),
        ("town IN 'soest'", 9, "IN ('a', 'b')"),
        ("town IS EMPTY", 9, "IS NOT NULL"),
        ("x BETWEEN 1, 2", 12, "BETWEEN least AND"),
        ("x = 1.2.3", 5, "write a number"),
        ("updated > DATE('gestern')", 16, "DATE('2026-11-02')"),
        ("updated > DATE('2026-02-30')", 16, "DATE('2026-11-02')"),
        ("updated > DATE('2026-02-03T00:00:00Z')", 16, "DATE('2026-11-02')"),
        ("updated > TIMESTAMP('2026-02-03')", 21, "DATE('2026-11-02')"),
        ("T_AFTER(time INTERVAL('..','..'))", 14, "comma"),
        ("T_AFTER(time, INTERVAL('x', '..'))", 24, "DATE('2026-11-02')"),
        ("S_WITHIN(geometry, POINT(1 2))", 1, "s_intersects"),
        ("S_INTERSECT(geometry, POINT(1 2))", 1, "did you mean `s_intersects`"),
        ("T_STRATS(time, DATE('2026-01-01'))", 1, "did you mean `t_starts`"),
        ("A_CONTAINS(keywords, 'x')", 1, "keywords = 'a' AND keywords = 'b'"),
        ("S_INTERSECTS(geometry, POINT(200 2))", 24, "from -180 to 180"),
        ("S_INTERSECTS(geometry, BBOX(1, 2, 3))", 28, "west, south, east, north"),
        ("S_INTERSECTS(geometry, BBOX(1, 9, 3, 2))", 24, "south not beyond north"),
        ("S_INTERSECTS(geometry, POLYGON((0 0, 1 0, 1 1)))", 24, "close each ring"),
        ("S_INTERSECTS(geometry, LINESTRING(0 0))", 24, "at least two places"),
        ("S_INTERSECTS(geometry, CIRCLE(0 0))", 24, "possible are"),
        ("a + 1 = 2", 3, "LIKE, BETWEEN"),
        ("a = ['x']", 5, "a property or a value"),
    ] {
        let Err(wrong) = text::read(filter) else { panic!("{filter} was read") };
        let said = wrong.field();
        assert!(said.problem.en.starts_with(&format!("at character {place} ")), "{filter}: {said}");
        assert!(said.to_string().contains(words), "{filter}: {said}");
        assert_ne!(said.remedy.de, said.remedy.en, "{filter}");
    }
    for (filter, place, words) in [
        (json!("town = 'soest'"), "as a whole", "\"op\""),
        (json!({"op": "and", "args": [true, {"op": "==", "args": []}]}), "at /args/1/op", "possible are"),
        (json!({"op": "not", "args": [true, false]}), "as a whole", "give 1 arguments instead of 2"),
        (json!({"op": "=", "args": [{"property": 5}, "x"]}), "at /args/0/property", "text"),
        (json!({"op": "=", "args": [{"property": "a"}, null]}), "at /args/1", "GeoJSON"),
        (json!({"op": "=", "args": [{"property": "a"}, {"date": "x"}]}), "at /args/1/date", "DATE("),
        (json!({"op": "in", "args": [{"property": "a"}, "x"]}), "at /args/1", "a list"),
        (json!({"op": "and"}), "as a whole", "`args`"),
        (json!({"op": "and", "args": []}), "as a whole", "`args`"),
        (json!({"op": 1, "args": []}), "at /op", "\"op\""),
        (json!({"op": "s_within", "args": []}), "at /op", "s_intersects"),
        (
            json!({"op": "t_after", "args": [{"property": "time"}, {"interval": ["x", ".."]}]}),
            "at /args/1/interval/0",
            "DATE(",
        ),
        (
            json!({"op": "s_intersects", "args": [{"property": "g"}, {"type": "Circle", "coordinates": [1, 2]}]}),
            "at /args/1",
            "GeoJSON",
        ),
        (json!({"op": "=", "args": [{"op": "+", "args": [1, 2]}, 3]}), "at /args/0", "possible are"),
    ] {
        let Err(wrong) = json::read(&filter.to_string()) else { panic!("{filter} was read") };
        let said = wrong.field();
        assert!(said.problem.en.starts_with(place), "{filter}: {said}");
        assert!(said.to_string().contains(words), "{filter}: {said}");
    }
    assert!(json::read("{").unwrap_err().field().problem.en.contains("is no JSON"));
}

#[test]
fn length_and_depth_are_bounded() {
    let long = format!("a = '{}'", "x".repeat(FILTER_BYTES_MAX));
    assert!(text::read(&long).unwrap_err().field().to_string().contains("16384"));
    let nested = |depth: usize| format!("{}TRUE{}", "(".repeat(depth), ")".repeat(depth));
    assert!(text::read(&nested(DEPTH_MAX - 3)).is_ok());
    assert!(text::read(&nested(5_000)).unwrap_err().field().to_string().contains("nest the filter"));
    let negated = format!("{}TRUE", "NOT ".repeat(4_000));
    assert!(text::read(&negated).unwrap_err().field().to_string().contains("nest the filter"));
    let caseless = format!("{}a{} = 'x'", "CASEI(".repeat(1_000), ")".repeat(1_000));
    assert!(text::read(&caseless).unwrap_err().field().to_string().contains("nest the filter"));
    let collected =
        format!("S_INTERSECTS(g, {}POINT(1 2){})", "GEOMETRYCOLLECTION(".repeat(500), ")".repeat(500));
    assert!(text::read(&collected).unwrap_err().field().to_string().contains("nest the filter"));
    let deep = (0..DEPTH_MAX + 1).fold(json!(true), |inner, _| json!({"op": "not", "args": [inner]}));
    assert!(json::read(&deep.to_string()).unwrap_err().field().to_string().contains("nest the filter"));
    assert!(json::read(&format!("{}1{}", "[".repeat(7_000), "]".repeat(7_000))).is_err());
}

/// A filter in text, as somebody could write it.
fn written(filter: &Filter) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"));
    let joined = |parts: &[Filter], sign: &str| {
        let parts: Vec<String> = parts.iter().map(|part| format!("({})", written(part))).collect();
        parts.join(sign)
    };
    fn value(operand: &Operand, quoted: &impl Fn(&str) -> String) -> String {
        let end = |end: &End| match end {
            End::Open => "'..'".to_owned(),
            End::Instant(instant) => quoted(&instant.text),
            End::Property(_, name) => name.clone(),
        };
        match &operand.value {
            Value::Property(name) => format!("\"{name}\""),
            Value::Text(text) => quoted(text),
            Value::Number(number) => number.to_string(),
            Value::Boolean(boolean) => boolean.to_string(),
            Value::Caseless(inner) => format!("CASEI({})", value(inner, quoted)),
            Value::Accentless(inner) => format!("ACCENTI({})", value(inner, quoted)),
            Value::Instant(instant) if instant.is_date() => format!("DATE({})", quoted(&instant.text)),
            Value::Instant(instant) => format!("TIMESTAMP({})", quoted(&instant.text)),
            Value::Interval(ends) => format!("INTERVAL({}, {})", end(&ends[0]), end(&ends[1])),
            Value::Geometry(Geometry::Bbox([west, south, east, north])) => {
                format!("BBOX({west}, {south}, {east}, {north})")
            }
            Value::Geometry(other) => panic!("{other:?} is not generated"),
        }
    }
    let value = |operand: &Operand| value(operand, &quoted);
    match &filter.clause {
        Clause::Always(always) => always.to_string(),
        Clause::All(parts) => joined(parts, " AND "),
        Clause::Any(parts) => joined(parts, " OR "),
        Clause::Not(part) => format!("NOT ({})", written(part)),
        Clause::Compare(one, comparison, other) => {
            let (_, sign) = Comparison::ALL.iter().find(|(known, _)| known == comparison).unwrap();
            format!("{} {sign} {}", value(one), value(other))
        }
        Clause::Like(one, pattern) => format!("{} LIKE {}", value(one), value(pattern)),
        Clause::Between(one, least, most) => {
            format!("{} BETWEEN {} AND {}", value(one), value(least), value(most))
        }
        Clause::Among(one, values) => {
            let values: Vec<String> = values.iter().map(value).collect();
            format!("{} IN ({})", value(one), values.join(", "))
        }
        Clause::IsNull(one) => format!("{} IS NULL", value(one)),
        Clause::Intersects(one, other) => format!("S_INTERSECTS({}, {})", value(one), value(other)),
        Clause::Temporal(relation, one, other) => {
            let (_, name) = Relation::ALL.iter().find(|(known, _)| known == relation).unwrap();
            format!("{name}({}, {})", value(one), value(other))
        }
    }
}

fn operands() -> impl Strategy<Value = Operand> {
    let instants = prop_oneof!["20[0-2][0-9]-0[1-9]-[0-2][1-8]", "20[0-2][0-9]-1[0-2]-10T1[0-9]:00:0[0-9]Z"];
    let instants = instants.prop_map(|text| Instant::any(&text).unwrap());
    let ends = prop_oneof![
        Just(End::Open),
        instants.clone().prop_map(End::Instant),
        "[a-z]{3,8}".prop_map(|name| End::Property(Place::Letter(1), name)),
    ];
    // Numbers as people write them: beyond, JSON is read to the last bit but one.
    let degrees = |from: i32, to: i32| (from..to).prop_map(|parts| f64::from(parts) / 1_000_000.0);
    let (wide, high) = (180_000_000, 90_000_000);
    let bbox = (degrees(-wide, 0), degrees(-high, 0), degrees(0, wide), degrees(0, high));
    let leaf = prop_oneof![
        "[a-zäöü:_][a-zäöüß0-9._:]{0,8}".prop_map(Value::Property),
        proptest::sample::select(Queryable::names().to_vec())
            .prop_map(|name| Value::Property(name.to_owned())),
        ".{0,12}".prop_map(Value::Text),
        any::<i32>().prop_map(|parts| Value::Number(f64::from(parts) / 1_000.0)),
        any::<bool>().prop_map(Value::Boolean),
        instants.prop_map(Value::Instant),
        [ends.clone(), ends].prop_map(|ends| Value::Interval(Box::new(ends))),
        bbox.prop_map(|(w, s, e, n)| Value::Geometry(Geometry::Bbox([w, s, e, n]))),
    ];
    let placed = |value| Operand { at: Place::Letter(1), value };
    leaf.prop_map(placed).prop_recursive(3, 8, 1, move |inner| {
        prop_oneof![
            inner.clone().prop_map(move |inner| placed(Value::Caseless(Box::new(inner)))),
            inner.prop_map(move |inner| placed(Value::Accentless(Box::new(inner)))),
        ]
    })
}

fn filters() -> impl Strategy<Value = Filter> {
    let (one, two) = (operands, || (operands(), operands()));
    let leaf = prop_oneof![
        any::<bool>().prop_map(Clause::Always),
        (two(), proptest::sample::select(Comparison::ALL.to_vec()))
            .prop_map(|((one, other), (comparison, _))| Clause::Compare(one, comparison, other)),
        two().prop_map(|(one, pattern)| Clause::Like(one, pattern)),
        (one(), two()).prop_map(|(one, (least, most))| Clause::Between(one, least, most)),
        (one(), proptest::collection::vec(operands(), 1..4))
            .prop_map(|(one, values)| Clause::Among(one, values)),
        one().prop_map(Clause::IsNull),
        two().prop_map(|(one, other)| Clause::Intersects(one, other)),
        (two(), proptest::sample::select(Relation::ALL.to_vec()))
            .prop_map(|((one, other), (relation, _))| Clause::Temporal(relation, one, other)),
    ];
    let placed = |clause| Filter { at: Place::Letter(1), clause };
    leaf.prop_map(placed).prop_recursive(4, 24, 4, move |inner| {
        let several = || proptest::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            several().prop_map(move |parts| placed(Clause::All(parts))),
            several().prop_map(move |parts| placed(Clause::Any(parts))),
            inner.clone().prop_map(move |part| placed(Clause::Not(Box::new(part)))),
        ]
    })
}

proptest! {
    #[test]
    fn a_filter_written_in_either_language_is_read_as_what_it_was(filter in filters()) {
        let (text, json) = (written(&filter), filter.to_json().to_string());
        prop_assert_eq!(json::read(&json), Ok(filter.clone()), "{}", json);
        prop_assert_eq!(text::read(&text), Ok(filter), "{}", text);
    }

    #[test]
    fn a_filter_is_mapped_or_refused_in_both_languages(filter in filters()) {
        let towns = [("soest".to_owned(), "05974040".to_owned())];
        let known = Known { towns: &towns, lists: Vocabularies::builtin() };
        if let Err(wrong) = filter::expression(&filter, known) {
            let said = wrong.field();
            prop_assert_ne!(said.problem.de, said.problem.en);
            prop_assert_ne!(said.remedy.de, said.remedy.en);
        }
    }

    #[test]
    fn nothing_that_is_sent_breaks_a_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let sent = String::from_utf8_lossy(&bytes);
        drop(text::read(&sent));
        drop(json::read(&sent));
    }

    #[test]
    fn no_order_of_pieces_breaks_a_reader(pieces in proptest::collection::vec(
        proptest::sample::select(vec![
            "(", ")", ",", "'", "''", "\"", "\\", "=", "<>", "AND ", "OR ", "NOT ", "LIKE ", "IN ", "BETWEEN ",
            "IS ", "NULL ", "a ", "'x' ", "1 ", "-", ".", "e", "CASEI(", "DATE('2026-01-01')", "INTERVAL(", "'..'",
            "S_INTERSECTS(", "T_AFTER(", "POINT(1 2)", "POLYGON(", "BBOX(", "TRUE ", "{\"op\":", "\"and\",", "\"args\":[", "]}", "ß", "\u{0}",
        ]), 0..40)) {
        let sent = pieces.concat();
        drop(text::read(&sent));
        drop(json::read(&sent));
    }
}
