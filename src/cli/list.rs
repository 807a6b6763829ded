//! `hanse list`: search the records of a node, as its staff.

use std::path::{Path, PathBuf};

use super::{Directory, import};
use crate::access::Access;
use crate::failure::Failure;
use crate::output;
use crate::words::{text, title};

/// List and search records: all that this node holds, closed ones included
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hanse list --dir D/soest
  hanse list --dir D/soest Baum --town arnsberg
  hanse list --dir D/soest --class closed --json
  hanse list --dir D/soest --export datensaetze.xlsx")]
pub(crate) struct Args {
    #[command(flatten)]
    directory: Directory,
    /// Words to look for; without any, everything is listed
    words: Vec<String>,
    /// Only this town: short name or municipality key; may be repeated
    #[arg(long, value_name = "TOWN")]
    town: Vec<String>,
    /// Only this EU data theme, such as ENVI; may be repeated
    #[arg(long, value_name = "CODE")]
    theme: Vec<String>,
    /// Only this class; may be repeated
    #[arg(long, value_name = "CLASS", value_parser = ["open", "shared", "closed"])]
    class: Vec<String>,
    /// Order of the list
    #[arg(long, default_value = "relevance", value_parser = ["relevance", "modified", "title"])]
    sort: String,
    /// Records to skip
    #[arg(long, value_name = "N", default_value_t = 0)]
    offset: usize,
    /// Records to show at most, 1 to 100
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = limit)]
    limit: usize,
    /// Write all records of this town, with its own notes, to a table (.xlsx or .csv)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["words", "town", "theme", "class", "json"])]
    export: Option<PathBuf>,
    /// Print JSON for programs
    #[arg(long)]
    json: bool,
}

fn limit(text: &str) -> Result<usize, String> {
    let range = 1..=node::view::PAGE_LIMIT_MAX;
    text.parse()
        .ok()
        .filter(|number| range.contains(number))
        .ok_or_else(|| format!("give a whole number from 1 to {}", node::view::PAGE_LIMIT_MAX))
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    if let Some(path) = &args.export {
        return export(&args.directory.dir, path).await;
    }
    let mut query = vec![
        ("q", args.words.join(" ")),
        ("sort", args.sort),
        ("offset", args.offset.to_string()),
        ("limit", args.limit.to_string()),
    ];
    query.retain(|(_, value)| !value.is_empty());
    for (name, values) in [("town", args.town), ("theme", args.theme), ("class", args.class)] {
        query.extend(values.into_iter().map(|value| (name, value)));
    }
    let access = Access::to(&args.directory.dir).await?;
    let page = access.search(&query).await?;
    access.close().await?;
    if args.json {
        return output::json(&page);
    }
    let items = page["items"].as_array().cloned().unwrap_or_default();
    let rows: Vec<Vec<String>> = items
        .iter()
        .map(|hit| {
            let day: String = text(&hit["modified"]).chars().take(10).collect();
            vec![text(&hit["id"]), text(&hit["town_name"]), text(&hit["class"]), day, title(&hit["title"])]
        })
        .collect();
    output::table(&["ID", "TOWN", "CLASS", "MODIFIED", "TITLE"], &rows)?;
    output::line(format!("{} of {}", items.len(), text(&page["total"])))
}

async fn export(directory: &Path, path: &Path) -> Result<(), Failure> {
    let form = import::sheet_form(path)?;
    let access = Access::to(directory).await?;
    let table = access.records(form.ending()).await;
    access.close().await?;
    import::save(path, &table?)?;
    output::line(format!("wrote {}", path.display()))
}
