//! Makes filters by chance, in both languages, each with a plain judgement over
//! a record as the interface shows it: true, false or unknown.

use serde_json::{Value, json};

/// Whether something is true of a record; nothing if that is unknown.
type Judgement = Box<dyn Fn(&Value) -> Option<bool>>;

/// A filter and what it says of a record.
pub(super) struct Generated {
    pub(super) text: String,
    pub(super) json: Value,
    pub(super) holds: Judgement,
}

/// SplitMix64.
pub(super) struct Chance(pub(super) u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed >> 33) as usize % bound
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// A condition, joined of others at most `depth` deep.
pub(super) fn condition(chance: &mut Chance, depth: usize) -> Generated {
    if depth == 0 || chance.below(4) == 0 {
        return match chance.below(8) {
            0 => is_null(chance),
            1 | 2 => moment(chance),
            3 => related(chance),
            4 => intersects(chance),
            _ => text(chance),
        };
    }
    if chance.below(4) == 0 {
        let inner = condition(chance, depth - 1);
        let (text, json) = (format!("NOT ({})", inner.text), json!({"op": "not", "args": [inner.json]}));
        return Generated {
            text,
            json,
            holds: Box::new(move |record| (inner.holds)(record).map(|holds| !holds)),
        };
    }
    let parts: Vec<Generated> = (0..2 + chance.below(2)).map(|_| condition(chance, depth - 1)).collect();
    let (sign, op, decides) = chance.of(&[("AND", "and", false), ("OR", "or", true)]);
    let text: Vec<String> = parts.iter().map(|part| format!("({})", part.text)).collect();
    let json: Vec<&Value> = parts.iter().map(|part| &part.json).collect();
    Generated {
        text: text.join(&format!(" {sign} ")),
        json: json!({"op": op, "args": json}),
        holds: Box::new(move |record| {
            let parts: Vec<Option<bool>> = parts.iter().map(|part| (part.holds)(record)).collect();
            if parts.contains(&Some(decides)) {
                return Some(decides);
            }
            if parts.contains(&None) { None } else { Some(!decides) }
        }),
    }
}

const TEXTS: [&str; 8] = ["title", "keywords", "themes", "formats", "license", "town", "type", "id"];

/// The values of a property of texts, all its spellings.
fn values(record: &Value, property: &str) -> Vec<String> {
    let properties = &record["properties"];
    let own = |value: &Value| value.as_str().map(str::to_owned);
    let named = |list: &Value, name: &str| -> Vec<String> {
        list.as_array().into_iter().flatten().filter_map(|one| own(&one[name])).collect()
    };
    match property {
        "id" => own(&record["id"]).into_iter().collect(),
        "keywords" => properties["keywords"].as_array().into_iter().flatten().filter_map(own).collect(),
        "themes" => named(&properties["themes"][0]["concepts"], "id"),
        "formats" => named(&properties["formats"], "name"),
        "license" => {
            let links = record["links"].as_array().unwrap().iter();
            let iri = links.filter(|link| link["rel"] == "license").filter_map(|link| own(&link["href"]));
            own(&properties["license"]).into_iter().chain(iri).collect()
        }
        name => own(&properties[name]).into_iter().collect(),
    }
}

fn fold(text: &str, case: bool, accents: bool) -> String {
    let plain = if accents {
        let plain = |letter: char| match letter {
            'ä' => 'a',
            'ö' => 'o',
            'ü' => 'u',
            'é' => 'e',
            'Ä' => 'A',
            'Ü' => 'U',
            other => other,
        };
        text.chars().map(plain).collect()
    } else {
        text.to_owned()
    };
    if case { plain.to_lowercase().replace('ß', "ss") } else { plain }
}

/// A literal: something that is there, or nearly.
fn word(chance: &mut Chance) -> &'static str {
    chance.of(&[
        "Baum",
        "baum",
        "Baumkataster",
        "BAUMKATASTER",
        "Straßenverzeichnis",
        "STRASSENBAUSTELLEN",
        "Müll",
        "Mull",
        "Grün",
        "Bau",
        "Verkehr",
        "ENVI",
        "envi",
        "TRAN",
        "CSV",
        "csv",
        "GEOJSON",
        "DL-DE-ZERO-2.0",
        "other",
        "http://dcat-ap.de/def/licenses/cc-by/4.0",
        "soest",
        "Soest",
        "olpe",
        "dataset",
        "Café",
        "cafe",
        "100%",
        "",
        "Bürger's Rat",
        "M",
        "m",
        "8",
    ])
}

fn pattern(chance: &mut Chance) -> &'static str {
    chance.of(&[
        "%", "Baum%", "baum%", "%a%", "%ß%", "%ss%", "_aum", "%\\%", "Plan\\_B", "%e_e%", "B%r%", "CSV",
        "%/4.0", "%st", "DL-%", "%-%-%", "_", "____", "%é%", "%ü%",
    ])
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

fn text(chance: &mut Chance) -> Generated {
    let property = chance.of(&TEXTS);
    let (case, accents) =
        chance.of(&[(false, false), (false, false), (true, false), (false, true), (true, true)]);
    let around = move |text: String| match (case, accents) {
        (false, false) => text,
        (true, false) => format!("CASEI({text})"),
        (false, true) => format!("ACCENTI({text})"),
        (true, true) => format!("CASEI(ACCENTI({text}))"),
    };
    let around_json = move |value: Value| {
        let value = if accents { json!({"op": "accenti", "args": [value]}) } else { value };
        if case { json!({"op": "casei", "args": [value]}) } else { value }
    };
    let (subject, subject_json) = (around(property.to_owned()), around_json(json!({"property": property})));
    let written = |text: &str| (around(quoted(text)), around_json(json!(text)));
    let test = |fits: Box<dyn Fn(&str) -> bool>| -> Judgement {
        Box::new(move |record| {
            let values = values(record, property);
            (!values.is_empty()).then(|| values.iter().any(|value| fits(&fold(value, case, accents))))
        })
    };
    match chance.below(6) {
        0 => {
            let pattern = pattern(chance);
            let (literal, literal_json) = written(pattern);
            let pattern = fold(pattern, case, accents);
            Generated {
                text: format!("{subject} LIKE {literal}"),
                json: json!({"op": "like", "args": [subject_json, literal_json]}),
                holds: test(Box::new(move |value| like(&pattern, value))),
            }
        }
        1 => {
            let words: Vec<&str> = (0..1 + chance.below(3)).map(|_| word(chance)).collect();
            let (literals, jsons): (Vec<_>, Vec<_>) = words.iter().map(|word| written(word)).unzip();
            let words: Vec<String> = words.iter().map(|word| fold(word, case, accents)).collect();
            Generated {
                text: format!("{subject} IN ({})", literals.join(", ")),
                json: json!({"op": "in", "args": [subject_json, jsons]}),
                holds: test(Box::new(move |value| words.iter().any(|word| word == value))),
            }
        }
        2 => {
            let (least, most) = (word(chance), word(chance));
            let ((from, from_json), (to, to_json)) = (written(least), written(most));
            let (least, most) = (fold(least, case, accents), fold(most, case, accents));
            Generated {
                text: format!("{subject} BETWEEN {from} AND {to}"),
                json: json!({"op": "between", "args": [subject_json, from_json, to_json]}),
                holds: test(Box::new(move |value| *least <= *value && *value <= *most)),
            }
        }
        _ => {
            let (sign, word) = (chance.of(&["=", "=", "<>", "<", ">", "<=", ">="]), word(chance));
            let (literal, literal_json) = written(word);
            let word = fold(word, case, accents);
            let equal = move |value: &str| compare(sign, value.cmp(&word));
            let holds: Judgement = if sign == "<>" {
                let same = test(Box::new(move |value| !equal(value)));
                Box::new(move |record| same(record).map(|same| !same))
            } else {
                test(Box::new(equal))
            };
            Generated {
                text: format!("{subject} {sign} {literal}"),
                json: json!({"op": sign, "args": [subject_json, literal_json]}),
                holds,
            }
        }
    }
}

fn compare(sign: &str, order: std::cmp::Ordering) -> bool {
    match sign {
        "=" => order.is_eq(),
        "<>" => order.is_ne(),
        "<" => order.is_lt(),
        ">" => order.is_gt(),
        "<=" => order.is_le(),
        _ => order.is_ge(),
    }
}

/// Whether a pattern fits, letter by letter.
fn like(pattern: &str, value: &str) -> bool {
    fn from(pattern: &[char], value: &[char]) -> bool {
        match pattern {
            [] => value.is_empty(),
            ['%', rest @ ..] => (0..=value.len()).any(|skipped| from(rest, &value[skipped..])),
            ['_', rest @ ..] => !value.is_empty() && from(rest, &value[1..]),
            ['\\', letter, rest @ ..] | [letter, rest @ ..] => {
                value.first() == Some(letter) && from(rest, &value[1..])
            }
        }
    }
    let (pattern, value): (Vec<char>, Vec<char>) = (pattern.chars().collect(), value.chars().collect());
    from(&pattern, &value)
}

/// First and last second of a day or a moment.
fn seconds(text: &str) -> (i64, i64) {
    if text.len() == 10 {
        let first: jiff::Timestamp = format!("{text}T00:00:00Z").parse().unwrap();
        return (first.as_second(), first.as_second() + 86_399);
    }
    let at: jiff::Timestamp = text.parse().unwrap();
    (at.as_millisecond().div_euclid(1_000), at.as_millisecond().div_euclid(1_000))
}

fn day(chance: &mut Chance) -> &'static str {
    chance.of(&[
        "2018-01-01",
        "2019-06-30",
        "2020-01-01",
        "2020-12-31",
        "2021-05-31",
        "2023-05-01",
        "2025-09-14",
        "2026-01-01",
        "2026-01-10",
        "2026-01-13",
        "2026-01-20",
        "2026-12-31",
        "2026-01-10T08:00:00Z",
        "2026-01-12T10:00:01Z",
        "2020-01-01T00:00:00Z",
        "2026-01-15T12:00:00+01:00",
    ])
}

fn instant(text: &str) -> (String, Value) {
    let name = if text.len() == 10 { "date" } else { "timestamp" };
    (format!("{}('{text}')", name.to_uppercase()), json!({name: text}))
}

fn moment(chance: &mut Chance) -> Generated {
    let property = chance.of(&["created", "updated"]);
    let at = move |record: &Value| seconds(record["properties"][property].as_str().unwrap()).0;
    let (sign, day) = (chance.of(&["=", "<>", "<", ">", "<=", ">="]), day(chance));
    let (literal, literal_json) = instant(day);
    let (first, last) = seconds(day);
    let holds = move |at: i64| match sign {
        "=" => first <= at && at <= last,
        "<>" => at < first || at > last,
        "<" => at < first,
        ">" => at > last,
        "<=" => at <= last,
        _ => at >= first,
    };
    Generated {
        text: format!("{property} {sign} {literal}"),
        json: json!({"op": sign, "args": [{"property": property}, literal_json]}),
        holds: Box::new(move |record| Some(holds(at(record)))),
    }
}

/// First and last edge of a time, each as first and last second.
type Extent = [(i64, i64); 2];

const OPEN: Extent = [(i64::MIN, i64::MIN), (i64::MAX, i64::MAX)];

fn related(chance: &mut Chance) -> Generated {
    let relation = chance.of(&[
        "t_after",
        "t_before",
        "t_contains",
        "t_disjoint",
        "t_during",
        "t_equals",
        "t_finishedBy",
        "t_finishes",
        "t_intersects",
        "t_meets",
        "t_metBy",
        "t_overlappedBy",
        "t_overlaps",
        "t_startedBy",
        "t_starts",
    ]);
    let property = chance.of(&["time", "time", "created", "updated", "both"]);
    let (subject, subject_json) = match property {
        "both" => {
            let json = json!({"interval": [{"property": "created"}, {"property": "updated"}]});
            ("INTERVAL(created, updated)".to_owned(), json)
        }
        name => (name.to_owned(), json!({"property": name})),
    };
    let (literal, literal_json, extent) = literal(chance);
    let swapped = chance.below(4) == 0;
    let (text, args) = if swapped {
        (format!("{relation}({literal}, {subject})"), json!([literal_json, subject_json]))
    } else {
        (format!("{}({subject}, {literal})", relation.to_uppercase()), json!([subject_json, literal_json]))
    };
    Generated {
        text,
        json: json!({"op": relation, "args": args}),
        holds: Box::new(move |record| {
            let own = of_record(record, property)?;
            let (a, b) = if swapped { (extent, own) } else { (own, extent) };
            Some(lies(relation, a, b))
        }),
    }
}

fn literal(chance: &mut Chance) -> (String, Value, Extent) {
    if chance.below(3) == 0 {
        let day = day(chance);
        let (text, json) = instant(day);
        return (text, json, [seconds(day); 2]);
    }
    let mut ends = [day(chance), day(chance)];
    ends.sort_by_key(|day| seconds(day).0);
    let mut extent = ends.map(seconds);
    for (end, open) in OPEN.into_iter().enumerate() {
        if chance.below(4) == 0 {
            (ends[end], extent[end]) = ("..", open);
        }
    }
    let [from, to] = ends;
    (format!("INTERVAL('{from}', '{to}')"), json!({"interval": [from, to]}), extent)
}

fn of_record(record: &Value, property: &str) -> Option<Extent> {
    let moment = |name: &str| Some(seconds(record["properties"][name].as_str()?));
    match property {
        "both" => Some([moment("created")?, moment("updated")?]),
        "time" => {
            let time = &record["time"];
            let ends = match time["date"].as_str() {
                Some(day) => [day, day],
                None => [time["interval"][0].as_str()?, time["interval"][1].as_str()?],
            };
            let [start, end] = OPEN;
            let start = if ends[0] == ".." { start } else { (seconds(ends[0]).0, seconds(ends[0]).0) };
            let end = if ends[1] == ".." { end } else { (seconds(ends[1]).1, seconds(ends[1]).1) };
            Some([start, end])
        }
        name => moment(name).map(|at| [at; 2]),
    }
}

/// How two times lie to each other; a day is equal to all its seconds.
fn lies(relation: &str, [a_start, a_end]: Extent, [b_start, b_end]: Extent) -> bool {
    let before = |one: (i64, i64), other: (i64, i64)| one.1 < other.0;
    let equal = |one: (i64, i64), other: (i64, i64)| !before(one, other) && !before(other, one);
    match relation {
        "t_after" => before(b_end, a_start),
        "t_before" => before(a_end, b_start),
        "t_disjoint" => before(a_end, b_start) || before(b_end, a_start),
        "t_intersects" => !(before(a_end, b_start) || before(b_end, a_start)),
        "t_equals" => equal(a_start, b_start) && equal(a_end, b_end),
        "t_contains" => before(a_start, b_start) && before(b_end, a_end),
        "t_during" => before(b_start, a_start) && before(a_end, b_end),
        "t_starts" => equal(a_start, b_start) && before(a_end, b_end),
        "t_startedBy" => equal(a_start, b_start) && before(b_end, a_end),
        "t_finishes" => before(b_start, a_start) && equal(a_end, b_end),
        "t_finishedBy" => before(a_start, b_start) && equal(a_end, b_end),
        "t_meets" => equal(a_end, b_start),
        "t_metBy" => equal(a_start, b_end),
        "t_overlaps" => before(a_start, b_start) && before(b_start, a_end) && before(a_end, b_end),
        "t_overlappedBy" => before(b_start, a_start) && before(a_start, b_end) && before(b_end, a_end),
        other => panic!("{other}"),
    }
}

/// West, south, east, north of a record.
fn rectangle(record: &Value) -> Option<[f64; 4]> {
    let coordinates = &record["geometry"]["coordinates"];
    let place = |place: &Value| Some((place[0].as_f64()?, place[1].as_f64()?));
    if record["geometry"]["type"] == "Point" {
        let (x, y) = place(coordinates)?;
        return Some([x, y, x, y]);
    }
    let ((west, south), (east, north)) = (place(&coordinates[0][0])?, place(&coordinates[0][2])?);
    Some([west, south, east, north])
}

fn intersects(chance: &mut Chance) -> Generated {
    let x = [7.5, 7.93, 8.02, 8.05, 8.1, 8.15, 8.2, 8.3];
    let y = [50.98, 51.09, 51.4, 51.5, 51.55, 51.57, 51.62, 51.7];
    let (mut xs, mut ys) = ([chance.of(&x), chance.of(&x)], [chance.of(&y), chance.of(&y)]);
    xs.sort_by(f64::total_cmp);
    ys.sort_by(f64::total_cmp);
    let ([w, e], [s, n]) = (xs, ys);
    let (text, json, box_) = match chance.below(3) {
        0 => (format!("BBOX({w}, {s}, {e}, {n})"), json!({"bbox": [w, s, e, n]}), [w, s, e, n]),
        1 => (format!("POINT({w} {s})"), json!({"type": "Point", "coordinates": [w, s]}), [w, s, w, s]),
        _ => (
            format!("POLYGON(({w} {s}, {e} {s}, {e} {n}, {w} {n}, {w} {s}))"),
            json!({"type": "Polygon", "coordinates": [[[w, s], [e, s], [e, n], [w, n], [w, s]]]}),
            [w, s, e, n],
        ),
    };
    Generated {
        text: format!("S_INTERSECTS(geometry, {text})"),
        json: json!({"op": "s_intersects", "args": [{"property": "geometry"}, json]}),
        holds: Box::new(move |record| {
            let [west, south, east, north] = rectangle(record)?;
            Some(west <= box_[2] && box_[0] <= east && south <= box_[3] && box_[1] <= north)
        }),
    }
}

fn is_null(chance: &mut Chance) -> Generated {
    let property = chance.of(&["keywords", "license", "time", "geometry", "created", "town", "title"]);
    let missing = move |record: &Value| match property {
        "time" | "geometry" => record[property].is_null(),
        "created" => record["properties"][property].is_null(),
        name => values(record, name).is_empty(),
    };
    let test = json!({"op": "isNull", "args": [{"property": property}]});
    if chance.below(2) == 0 {
        let text = format!("{property} IS NULL");
        return Generated { text, json: test, holds: Box::new(move |record| Some(missing(record))) };
    }
    Generated {
        text: format!("{property} IS NOT NULL"),
        json: json!({"op": "not", "args": [test]}),
        holds: Box::new(move |record| Some(!missing(record))),
    }
}
