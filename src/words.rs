//! Values in words for people: sizes, ages, titles. Programs get JSON instead.

use serde_json::Value;

/// A value on one line; nothing for null.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// German title, or the English one.
pub(crate) fn title(value: &Value) -> String {
    [&value["de"], &value["en"], value].into_iter().find_map(Value::as_str).unwrap_or("(no title)").to_owned()
}

/// A number of bytes.
pub(crate) fn bytes(value: &Value) -> String {
    const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let bytes = value.as_u64().unwrap_or(0);
    match UNITS.into_iter().find(|(_, size)| bytes >= *size) {
        Some((unit, size)) => format!("{}.{} {unit}", bytes / size, bytes % size * 10 / size),
        None => format!("{bytes} B"),
    }
}

/// How long ago a time of RFC 3339 was.
pub(crate) fn ago(value: &Value) -> String {
    match value.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok()) {
        Some(then) => elapsed(jiff::Timestamp::now().as_second() - then.as_second()),
        None => "never".to_owned(),
    }
}

fn elapsed(seconds: i64) -> String {
    match seconds {
        ..2 => "just now".to_owned(),
        2..120 => format!("{seconds} s ago"),
        120..7_200 => format!("{} min ago", seconds / 60),
        7_200..172_800 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

/// Hexadecimal digits in groups of four, to be compared by telephone.
pub(crate) fn in_groups(hex: &str) -> String {
    let digits: Vec<char> = hex.chars().collect();
    digits.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

/// Every value of a JSON object as `path  value`, a line each.
pub(crate) fn leaves(value: &Value) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    collect("", value, &mut rows);
    rows
}

fn collect(path: &str, value: &Value, rows: &mut Vec<Vec<String>>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
    match value {
        Value::Null => {}
        Value::Object(fields) => fields.iter().for_each(|(name, value)| collect(&below(name), value, rows)),
        Value::Array(entries) if entries.iter().all(|entry| !entry.is_object()) => {
            if !entries.is_empty() {
                let joined = entries.iter().map(text).collect::<Vec<_>>().join(", ");
                rows.push(vec![path.to_owned(), joined]);
            }
        }
        Value::Array(entries) => {
            for (at, entry) in entries.iter().enumerate() {
                let name = entry["id"].as_str().map_or_else(|| (at + 1).to_string(), str::to_owned);
                collect(&below(&name), entry, rows);
            }
        }
        value => rows.push(vec![path.to_owned(), text(value)]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_said_in_words() {
        assert_eq!(bytes(&json!(1_572_864)), "1.5 MiB");
        assert_eq!(bytes(&json!(17)), "17 B");
        assert_eq!(
            (elapsed(-5), elapsed(90), elapsed(7_300)),
            ("just now".into(), "90 s ago".into(), "2 h ago".into())
        );
        assert_eq!((ago(&json!(null)), ago(&json!("x"))), ("never".into(), "never".into()));
        assert_eq!(in_groups("abcdef0123"), "abcd ef01 23");
        assert_eq!(title(&json!({"en": "Trees"})), "Trees");
    }

    #[test]
    fn a_record_becomes_one_line_per_value() {
        let record = json!({"title": {"de": "Bäume"}, "themes": ["ENVI", "REGI"], "none": null,
            "distributions": [{"id": "csv", "format": "CSV"}]});
        let lines: Vec<String> = leaves(&record).into_iter().map(|row| row.join("=")).collect();
        assert_eq!(
            lines,
            [
                "distributions/csv/format=CSV",
                "distributions/csv/id=csv",
                "themes=ENVI, REGI",
                "title/de=Bäume"
            ]
        );
    }
}
