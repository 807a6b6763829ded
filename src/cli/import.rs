//! `hanse import`: take records in from a file or an address, and say what
//! became of each.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use node::import::SourceName;
use node::import::reader;
use node::import::sheets::{self, SheetForm};
use serde_json::{Value, json};

use super::Directory;
use crate::access::{Access, Offline};
use crate::failure::Failure;
use crate::words::text;
use crate::{output, progress};

/// How often a running import is looked at.
const LOOK: Duration = Duration::from_millis(150);
/// Bytes of a file that say what it is.
const HEAD_BYTES: u64 = 32;
/// Problems and hints that are printed for people; `--json` has all.
const SHOWN_MAX: usize = 200;

/// Import an inventory, a catalog or an export; every record arrives closed, as a draft
///
/// Only records of an export of this very town are open again where they were open.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The same file again changes nothing; a newer version of it changes what is new in it. What is wrong
is said with row and column; the good rows go in, unless --all-or-nothing is given.

Exit codes: 0 all rows are in; 1 some were rejected; 2 nothing could be read.

Examples:
  hanse import --template vorlage.xlsx
  hanse import --dir D/soest inventar.xlsx --dry-run
  hanse import --dir D/soest inventar.xlsx --rejected mend.csv
  hanse import --dir D/soest inventar.csv --mapping columns.json --json
  hanse import --dir D/soest https://daten.nachbarstadt.example/catalog.ttl --dry-run
  hanse import --dir D/neu soest.ndjson     the export of this town on a new machine")]
pub(crate) struct Args {
    #[command(flatten)]
    directory: Directory,
    /// The file: xlsx, ods or csv; a catalog: ttl, rdf, jsonld, nt, json; an export of this town.
    /// Or the address of a catalog in RDF, of a CKAN or of a table
    #[arg(value_name = "FILE-or-URL", required_unless_present = "template")]
    file: Option<PathBuf>,
    /// Write the blank template of an inventory (.xlsx or .csv) and do nothing else; it offers
    /// the values of the town's own vocabularies
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    template: Option<PathBuf>,
    #[command(flatten)]
    offline: Offline,
    /// Only say what would happen
    #[arg(long)]
    dry_run: bool,
    /// Let the address be a machine of the house (private addresses, this machine)
    #[arg(long)]
    allow_private: bool,
    /// Let the address redirect to other hosts
    #[arg(long)]
    allow_redirects: bool,
    /// Write nothing if a row is rejected
    #[arg(long)]
    all_or_nothing: bool,
    /// Take again what was thrown away here and still stands in the source
    #[arg(long)]
    again: bool,
    /// Name under which the records are known again; by default made of the file's name or the address
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// How columns are understood: read from this file, or written to it if it does not exist
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// Save the rejected rows as CSV, with the reasons, to be mended
    #[arg(long, value_name = "FILE")]
    rejected: Option<PathBuf>,
    /// Language of the messages; by default the node's
    #[arg(long, value_parser = ["de", "en"])]
    lang: Option<String>,
    /// Print JSON for programs
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    if let Some(path) = &args.template {
        return write_template(path, &args.directory.dir);
    }
    let Some(given) = &args.file else { return Err(Failure::input("import: give a file or an address")) };
    let origin = match Origin::of(given, &args) {
        Err(Unopened::File(fault)) if args.json => {
            output::json(&fault.report(given, &args))?;
            return Err(Failure::unreadable());
        }
        Err(Unopened::File(fault)) => return Err(fault.failure(given)),
        Err(Unopened::Asked(failure)) => return Err(failure),
        Ok(origin) => origin,
    };
    let access = Access::for_writing(&args.directory.dir, args.offline).await?;
    let outcome = import(&access, &args, origin).await;
    access.close().await?;
    let done = outcome?;
    show(&args, &done)
}

/// Where the records come from.
enum Origin {
    File(String, File),
    Address(String),
}

impl Origin {
    /// Opens the file, if it is one, before anything else is done.
    fn of(given: &Path, args: &Args) -> Result<Self, Unopened> {
        if let Some(url) =
            given.to_str().filter(|text| text.starts_with("http://") || text.starts_with("https://"))
        {
            return Ok(Self::Address(url.to_owned()));
        }
        if args.allow_private || args.allow_redirects {
            return Err(Unopened::Asked(Failure::input(format!(
                "import `{}`: --allow-private and --allow-redirects go with an address",
                given.display()
            ))));
        }
        let name = given.file_name().unwrap_or(given.as_os_str()).to_string_lossy().into_owned();
        Ok(Self::File(name, open(given).map_err(Unopened::File)?))
    }
}

/// Why nothing was begun.
enum Unopened {
    /// The options do not go together.
    Asked(Failure),
    /// The file cannot be read.
    File(Unread),
}

/// Why a file was not even opened, in both languages.
struct Unread {
    reason: [String; 2],
    remedy: [&'static str; 2],
}

impl Unread {
    fn of(error: &std::io::Error) -> Self {
        use std::io::ErrorKind::{IsADirectory, NotFound, PermissionDenied};
        let (de, en, remedy) = match error.kind() {
            NotFound => ("gibt es nicht", "does not exist", ["den Pfad prüfen", "check the path"]),
            IsADirectory => {
                ("ist ein Ordner", "is a directory", ["eine Datei darin angeben", "give a file in it"])
            }
            PermissionDenied => (
                "darf nicht gelesen werden",
                "may not be read",
                ["die Rechte der Datei prüfen", "check its permissions"],
            ),
            _ => {
                let reason =
                    [format!("kann nicht gelesen werden ({error})"), format!("cannot be read ({error})")];
                return Self { reason, remedy: ["die Datei prüfen", "check the file"] };
            }
        };
        Self { reason: [de.to_owned(), en.to_owned()], remedy }
    }

    fn too_long(length: u64, most: u64) -> Self {
        Self {
            reason: [
                format!("hat {length} Byte; erlaubt sind {most}"),
                format!("has {length} bytes, at most {most}"),
            ],
            remedy: ["die Datei in mehrere teilen", "split it into several files"],
        }
    }

    fn failure(&self, path: &Path) -> Failure {
        Failure::input(format!("read `{}`: it {}; {}", path.display(), self.reason[1], self.remedy[1]))
    }

    /// The report of an import of which nothing could be read.
    fn report(&self, path: &Path, args: &Args) -> Value {
        let english = args.lang.as_deref() == Some("en");
        let at = usize::from(english);
        json!({
            "dry_run": args.dry_run, "withheld": false,
            "created": 0, "changed": 0, "unchanged": 0, "rejected": 0, "own": 0,
            "problems": [{
                "where": if english { "file" } else { "Datei" }, "field": "", "value": path.display().to_string(),
                "reason": self.reason[at], "remedy": self.remedy[at],
            }],
            "hints": [], "omitted": 0,
        })
    }
}

async fn import(access: &Access, args: &Args, origin: Origin) -> Result<Value, Failure> {
    let mapping = args.mapping.as_deref();
    let source = match (&args.source, &origin) {
        (Some(source), _) => Some(SourceName::new(source)),
        (None, Origin::File(name, _)) => Some(SourceName::of_file(name)),
        (None, Origin::Address(_)) => None,
    };
    let given = mapping.filter(|path| path.exists()).map(mapping_in).transpose()?;
    if let Some(given) = given.as_ref().filter(|_| !args.dry_run) {
        access.set_mapping(named(source.as_ref())?, given).await?;
    }
    let mut query = vec![
        ("dry_run", args.dry_run.to_string()),
        ("all_or_nothing", args.all_or_nothing.to_string()),
        ("again", args.again.to_string()),
    ];
    // A rehearsal reads by the mapping and keeps nothing of it.
    let rehearsed = given.as_ref().filter(|_| args.dry_run).and_then(|given| given.get("columns"));
    query.extend(rehearsed.map(|columns| ("columns", columns.to_string())));
    query.extend(source.map(|source| ("source", source.as_str().to_owned())));
    let begun = match origin {
        Origin::File(name, content) => {
            query.push(("name", name));
            access.begin_import(&query, Some(content)).await?
        }
        Origin::Address(url) => {
            query.extend([
                ("url", url),
                ("allow_private", args.allow_private.to_string()),
                ("allow_redirects", args.allow_redirects.to_string()),
            ]);
            access.begin_import(&query, None).await?
        }
    };
    let id = text(&begun["id"]);
    let done = watch(access, &id, args.lang.as_deref()).await?;
    if let Some(path) = &args.rejected
        && done["report"]["rejected"].as_u64().unwrap_or(0) > 0
    {
        save(path, &access.rejected_rows(&id).await?)?;
    }
    if let Some(path) = mapping.filter(|path| !path.exists() && !args.dry_run && done["state"] == "done") {
        let mapping = access.mapping(&text(&done["source"])).await?;
        save(path, format!("{mapping:#}\n").as_bytes())?;
    }
    Ok(done)
}

/// The source that a file of columns is for.
fn named(source: Option<&SourceName>) -> Result<&str, Failure> {
    source.map(SourceName::as_str).ok_or_else(|| {
        Failure::input("import: --mapping goes with a file, or with an address and --source NAME")
    })
}

/// Waits for the end of an import, with a bar for people.
async fn watch(access: &Access, id: &str, lang: Option<&str>) -> Result<Value, Failure> {
    let bar = progress::bar("importing", 0);
    loop {
        let job = access.import(id, lang).await?;
        match job["state"].as_str() {
            Some("done" | "unreadable") => {
                bar.finish_and_clear();
                return Ok(job);
            }
            Some("failed") => {
                bar.finish_and_clear();
                return Err(Failure::refused(format!(
                    "{}; what came in before stays, run the import again",
                    text(&job["error"])
                )));
            }
            _ => {}
        }
        bar.set_length(job["total"].as_u64().unwrap_or(0));
        bar.set_position(job["done"].as_u64().unwrap_or(0));
        tokio::time::sleep(LOOK).await;
    }
}

fn show(args: &Args, job: &Value) -> Result<(), Failure> {
    let report = &job["report"];
    if args.json {
        output::json(report)?;
    } else {
        for_people(report)?;
    }
    match (job["state"].as_str(), report["rejected"].as_u64()) {
        (Some("unreadable"), _) => Err(Failure::unreadable()),
        (_, Some(0)) => Ok(()),
        _ => Err(Failure::found()),
    }
}

fn for_people(report: &Value) -> Result<(), Failure> {
    let lines = |name: &str| report[name].as_array().cloned().unwrap_or_default();
    let (problems, hints) = (lines("problems"), lines("hints"));
    for (mark, all) in [("", &hints), ("!! ", &problems)] {
        for problem in all.iter().take(SHOWN_MAX) {
            let mark =
                if mark.is_empty() { format!("{}: ", text(&problem["kind"])) } else { mark.to_owned() };
            output::line(format!(
                "{mark}{}: „{}“ {}; {}",
                text(&problem["where"]),
                text(&problem["value"]),
                text(&problem["reason"]),
                text(&problem["remedy"])
            ))?;
        }
        if all.len() > SHOWN_MAX {
            output::line(format!("… {} more; --json lists them", all.len() - SHOWN_MAX))?;
        }
    }
    let count = |name: &str| text(&report[name]);
    let counts =
        ["created", "changed", "unchanged", "rejected"].map(|name| format!("{} {name}", count(name)));
    output::line(counts.join(", "))?;
    if report["dry_run"] == true {
        output::line("nothing was written: this was a rehearsal (--dry-run)")?;
    }
    if report["withheld"] == true {
        output::line("nothing was written: a row was rejected, and --all-or-nothing was given")?;
    }
    Ok(())
}

fn write_template(path: &Path, directory: &Path) -> Result<(), Failure> {
    let form = sheet_form(path)?;
    let lists = node::vocabulary::load(directory).map_err(Failure::input)?;
    let bytes = sheets::template(form, &lists).map_err(Failure::refused)?;
    save(path, &bytes)?;
    output::line(format!("wrote the template to {}", path.display()))
}

/// The form of a table that a file's name asks for.
pub(super) fn sheet_form(path: &Path) -> Result<SheetForm, Failure> {
    SheetForm::of_name(&path.to_string_lossy()).ok_or_else(|| {
        Failure::input(format!("write `{}`: give a name that ends in .xlsx or .csv", path.display()))
    })
}

/// Opens a file that may be imported; its length depends on what it is.
fn open(path: &Path) -> Result<File, Unread> {
    let failed = |error: std::io::Error| Unread::of(&error);
    let mut file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    let mut head = Vec::new();
    (&mut file).take(HEAD_BYTES).read_to_end(&mut head).map_err(failed)?;
    file.rewind().map_err(failed)?;
    let most = reader::longest(&head);
    if length > most {
        return Err(Unread::too_long(length, most));
    }
    Ok(file)
}

fn mapping_in(path: &Path) -> Result<Value, Failure> {
    let shown = path.display();
    let text =
        std::fs::read_to_string(path).map_err(|error| Failure::input(format!("read `{shown}`: {error}")))?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::input(format!("read `{shown}`: it is not JSON: {error}")))
}

pub(super) fn save(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, bytes)
        .map_err(|error| Failure::refused(format!("write `{}`: {error}", path.display())))
}
