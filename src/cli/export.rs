//! `hanse export`: the town's whole catalog in one file.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::Directory;
use crate::access::Access;
use crate::failure::Failure;
use crate::output;

/// Write the whole catalog of this town into one file
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The same state gives the same bytes. docs/export.md specifies the form. `hanse import` takes it back in.

Examples:
  hanse export --dir D/soest soest.ndjson
  hanse export --dir D/soest --with-closed move.ndjson
  hanse export --dir D/soest --format ttl - | less")]
pub(crate) struct Args {
    #[command(flatten)]
    directory: Directory,
    /// File to write; `-` is standard output
    file: PathBuf,
    /// Form: ndjson holds everything, the others are DCAT-AP.de for everyone
    #[arg(long, value_name = "FORM", default_value = "ndjson", value_parser = ["ndjson", "ttl", "rdf", "jsonld", "nt", "n3"])]
    format: String,
    /// Also closed records and internal notes: for the town's own move, not for others
    #[arg(long)]
    with_closed: bool,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    if args.with_closed && args.format != "ndjson" {
        return Err(Failure::input_saying(format!(
            "--with-closed goes with --format ndjson alone, not with `{}`: RDF is for everyone",
            args.format
        )));
    }
    let access = Access::to(&args.directory.dir).await?;
    let exported = export(&args, &access).await;
    access.close().await?;
    let Some(bytes) = exported? else { return Ok(()) };
    let held = match (args.format.as_str(), args.with_closed) {
        ("ndjson", true) => "with closed records and notes: keep it safe",
        _ => "what is open, for everyone",
    };
    output::line(format!("{}: {bytes} bytes, {held}", args.file.display()))
}

/// Writes the file and says how many bytes; nothing of standard output.
async fn export(args: &Args, access: &Access) -> Result<Option<u64>, Failure> {
    if args.file == Path::new("-") {
        let mut out = io::stdout();
        access.export(&args.format, args.with_closed, &mut out).await?;
        out.flush().map_err(|error| Failure::output(&error))?;
        return Ok(None);
    }
    let mut part = Part::begin(&args.file)?;
    let written = access.export(&args.format, args.with_closed, &mut part.open).await?;
    part.finish()?;
    Ok(Some(written))
}

/// A file that appears whole or not at all, and for its owner only.
struct Part {
    file: PathBuf,
    path: PathBuf,
    open: File,
}

impl Part {
    fn begin(file: &Path) -> Result<Self, Failure> {
        let mut name = file.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let path = file.with_file_name(name);
        let mut options = File::options();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let open = options.open(&path).map_err(|error| unwritten(file, &error))?;
        Ok(Self { file: file.to_owned(), path, open })
    }

    fn finish(self) -> Result<(), Failure> {
        let finished = self.open.sync_all().and_then(|()| std::fs::rename(&self.path, &self.file));
        finished.map_err(|error| unwritten(&self.file, &error))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // What is half written is of no use; that it stays is no second
        // failure. A file that is whole has its own name by now.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn unwritten(file: &Path, error: &io::Error) -> Failure {
    Failure::refused(format!("write `{}`: {error}", file.display()))
}
