//! `hanse edit`: change given fields of a record, without an editor.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use crdt::ids::ChangeHash;
use serde_json::{Map, Value};

use super::Directory;
use crate::access::{Access, Offline};
use crate::failure::Failure;
use crate::output;
use crate::words::text;

/// Longest file of fields, in bytes: as long as the desk takes.
const BODY_BYTES_MAX: u64 = 1024 * 1024;

/// Change given fields of a record of this town; all others stay
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Fields have the names that `hanse show` prints, with `.` or `/` between their parts.

Examples:
  hanse edit --dir D/soest baumkataster --set title.de='Baumkataster der Stadt'
  hanse edit --dir D/soest baumkataster --set 'themes=[\"ENVI\",\"REGI\"]' --clear temporal
  hanse edit --dir D/soest baumkataster --json-file changes.json --heads HEAD
  echo '{\"frequency\": \"DAILY\"}' | hanse edit --dir D/soest baumkataster --json-file -")]
pub(crate) struct Args {
    #[command(flatten)]
    directory: Directory,
    /// The record: its id, its identifier, or the last part of it
    record: String,
    #[command(flatten)]
    body: Body,
    /// Newest changes as you read them, separated by commas: the edit is refused
    /// if somebody changed the same fields since
    #[arg(long, value_name = "HEAD", value_delimiter = ',')]
    heads: Option<Vec<ChangeHash>>,
    #[command(flatten)]
    offline: Offline,
    /// Print JSON for programs
    #[arg(long)]
    json: bool,
}

/// Fields, given one by one or as a file.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Body {
    /// Set a field; a value that begins with [ or { is JSON, all else is text;
    /// may be repeated
    #[arg(long, value_name = "FIELD=VALUE", value_parser = assignment)]
    set: Vec<(String, Value)>,
    /// Clear a field; may be repeated
    #[arg(long, value_name = "FIELD")]
    clear: Vec<String>,
    /// Take fields from a JSON file (`-`: standard input); --set and --clear come on top
    #[arg(long, value_name = "FILE")]
    json_file: Option<PathBuf>,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let body = args.body.read()?;
    let access = Access::for_writing(&args.directory.dir, args.offline).await?;
    let receipt = edit(&access, &args.record, body, args.heads).await;
    access.close().await?;
    let receipt = receipt?;
    if args.json {
        return output::json(&receipt);
    }
    let done = if receipt["changed"].as_bool() == Some(false) { "unchanged" } else { "changed" };
    output::line(format!("{done} {}", text(&receipt["id"])))
}

async fn edit(
    access: &Access,
    record: &str,
    body: Value,
    heads: Option<Vec<ChangeHash>>,
) -> Result<Value, Failure> {
    access.edit(access.record(record).await?, body, heads).await
}

fn assignment(text: &str) -> Result<(String, Value), String> {
    let (field, value) =
        text.split_once('=').ok_or("give the field, `=` and the value, such as title.de=Baumkataster")?;
    if parts(field).any(str::is_empty) {
        return Err("give the field before `=`, such as title.de".to_owned());
    }
    let value = if value.starts_with(['[', '{']) {
        serde_json::from_str(value).map_err(|error| {
            format!("a value that begins with [ or {{ must be JSON: {error}; use --json-file for such a text")
        })?
    } else {
        Value::from(value)
    };
    Ok((field.to_owned(), value))
}

impl Body {
    /// All fields as one JSON object.
    pub(super) fn read(self) -> Result<Value, Failure> {
        let mut object = match &self.json_file {
            Some(path) => read_object(path)?,
            None => Map::new(),
        };
        let cleared = self.clear.into_iter().map(|field| (field, Value::Null));
        for (field, value) in self.set.into_iter().chain(cleared) {
            place(&mut object, &field, value)?;
        }
        Ok(Value::Object(object))
    }
}

/// The parts of a field's path: `title.de` or, for names with a dot, `title/de`.
fn parts(field: &str) -> std::str::Split<'_, char> {
    field.split(if field.contains('/') { '/' } else { '.' })
}

/// Puts a value at a path, making the objects above it.
fn place(object: &mut Map<String, Value>, field: &str, value: Value) -> Result<(), Failure> {
    let conflict = |part: &str| {
        Failure::input(format!(
            "set `{field}`: `{part}` is given as a value and as a group; give one of them"
        ))
    };
    let mut groups: Vec<&str> = parts(field).collect();
    let name = groups.pop().unwrap_or(field);
    let mut at = object;
    for group in groups {
        at = at
            .entry(group)
            .or_insert_with(|| Value::Object(Map::new()))
            .as_object_mut()
            .ok_or_else(|| conflict(group))?;
    }
    match at.insert(name.to_owned(), value) {
        Some(Value::Object(_)) => Err(conflict(name)),
        _ => Ok(()),
    }
}

fn read_object(path: &Path) -> Result<Map<String, Value>, Failure> {
    let shown = path.display();
    let failed = |error: std::io::Error| Failure::input(format!("read `{shown}`: {error}"));
    let mut text = String::new();
    let take = BODY_BYTES_MAX + 1;
    if path == Path::new("-") {
        std::io::stdin().take(take).read_to_string(&mut text).map_err(failed)?;
    } else {
        std::fs::File::open(path)
            .and_then(|file| file.take(take).read_to_string(&mut text))
            .map_err(failed)?;
    }
    if text.len() as u64 > BODY_BYTES_MAX {
        return Err(Failure::input(format!(
            "read `{shown}`: more than {BODY_BYTES_MAX} bytes; give only the fields to change"
        )));
    }
    match serde_json::from_str(&text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Failure::input(format!(
            "read `{shown}`: it is JSON but not an object; give fields in braces, such as {{\"title\": {{\"de\": \"Baumkataster\"}}}}"
        ))),
        Err(error) => Err(Failure::input(format!("read `{shown}`: it is not JSON: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(set: &[&str], clear: &[&str]) -> Result<Value, Failure> {
        let set = set.iter().map(|text| assignment(text).unwrap()).collect();
        Body { set, clear: clear.iter().map(ToString::to_string).collect(), json_file: None }.read()
    }

    #[test]
    fn paths_become_objects_and_brackets_become_json() {
        let expected = json!({"title": {"de": "a=b", "en": "c"}, "themes": ["ENVI"], "temporal": null});
        assert_eq!(
            body(&["title.de=a=b", "title/en=c", "themes=[\"ENVI\"]"], &["temporal"]).unwrap(),
            expected
        );
    }

    #[test]
    fn contradictions_and_nonsense_are_refused() {
        assert!(body(&["title=x", "title/de=y"], &[]).is_err());
        assert!(body(&["title/de=y"], &["title"]).is_err());
        for wrong in ["title", "=x", "title..de=x", "title//de=x", "themes=[x"] {
            assert!(assignment(wrong).is_err(), "{wrong}");
        }
    }
}
