//! `hanse export`: the town's whole catalog in one file.

use std::io::Write as _;
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
    let bytes = access.export(&args.format, args.with_closed).await;
    access.close().await?;
    let bytes = bytes?;
    if args.file == Path::new("-") {
        let mut out = std::io::stdout().lock();
        return out.write_all(&bytes).and_then(|()| out.flush()).map_err(|error| Failure::output(&error));
    }
    write_whole(&args.file, &bytes)?;
    let held = match (args.format.as_str(), args.with_closed) {
        ("ndjson", true) => "with closed records and notes: keep it safe",
        _ => "what is open, for everyone",
    };
    output::line(format!("{}: {} bytes, {held}", args.file.display(), bytes.len()))
}

/// The file appears whole or not at all, and for its owner only.
fn write_whole(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::refused(format!("write `{}`: {error}", file.display()));
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = file.with_file_name(name);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&part).and_then(|mut out| {
        out.write_all(bytes)?;
        out.sync_all()
    });
    written.and_then(|()| std::fs::rename(&part, file)).map_err(|error| {
        // What is half written is of no use; that it stays is no second failure.
        let _ = std::fs::remove_file(&part);
        failed(error)
    })
}
