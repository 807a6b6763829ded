//! The process that reads a file, seen from both sides.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crdt::vocabulary::Vocabularies;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Request, Task};
use crate::import::candidate::{Fault, Line};
use crate::import::limits::READER_TIME;
use crate::import::spool::{JsonLines, SpoolWriter};

/// Name of the program's hidden command.
const COMMAND: &str = "read-import";

/// Has a file read by `program` and takes what it says.
pub(super) fn read(program: &Path, request: Request, file: File, spool: &mut SpoolWriter) -> io::Result<()> {
    let mut told = false;
    let overdue = listen(program, &Task::File(request), file, |line: Line| {
        told = matches!(line, Line::End | Line::Fault(_));
        spool.say(&line)
    })?;
    if !told {
        spool.say(&Line::Fault(broke_off(overdue)))?;
    }
    Ok(())
}

/// Runs `program` over a file and hands on what it says, line by line, until
/// `take` wants no more; whether it was ended because it took too long.
pub(super) fn listen<L: DeserializeOwned>(
    program: &Path,
    task: &Task,
    file: File,
    mut take: impl FnMut(L) -> io::Result<bool>,
) -> io::Result<bool> {
    let mut child = Command::new(program)
        .arg(COMMAND)
        .arg(serde_json::to_string(task)?)
        // It needs nothing from the environment, least of all secrets.
        .env_clear()
        // mimalloc would take as much address space at once as the reader may
        // have in all, and then end it at random.
        .env("MIMALLOC_ARENA_RESERVE", "0")
        .stdin(Stdio::from(file))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let Some(output) = child.stdout.take() else {
        return Err(io::Error::other("the reader has no output"));
    };
    let watched = Watch::over(child);
    let mut lines = JsonLines::new(output);
    loop {
        match lines.next() {
            Ok(Some(line)) => {
                if !take(line)? {
                    break;
                }
            }
            Ok(None) => break,
            // Half a line: the reader was ended in the middle of it.
            Err(error) => {
                tracing::debug!(%error, "the reader of an import broke off");
                break;
            }
        }
    }
    Ok(watched.end())
}

fn broke_off(overdue: bool) -> Fault {
    let (de, en) = if overdue {
        ("das Lesen der Datei dauerte zu lange", "reading the file took too long")
    } else {
        (
            "die Datei braucht beim Lesen mehr Speicher oder Zeit, als ein Import haben darf, oder sie ist beschädigt",
            "reading the file needs more memory or time than an import may have, or the file is damaged",
        )
    };
    Fault::fixed(
        de,
        en,
        "nur die Tabelle in eine neue Datei kopieren und als CSV speichern",
        "copy only the table into a new file and save it as CSV",
    )
}

/// Ends a process that takes too long, and waits for it.
struct Watch {
    shared: Arc<(Mutex<Option<Child>>, Condvar)>,
    overdue: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Watch {
    fn over(child: Child) -> Self {
        let shared = Arc::new((Mutex::new(Some(child)), Condvar::new()));
        let overdue = Arc::new(AtomicBool::new(false));
        let (watched, late) = (Arc::clone(&shared), Arc::clone(&overdue));
        let thread = std::thread::Builder::new().name("import-watch".into()).spawn(move || {
            let (child, ended) = &*watched;
            let child = child.lock().unwrap_or_else(PoisonError::into_inner);
            let waited = ended.wait_timeout_while(child, READER_TIME, |child| child.is_some());
            let (mut child, _) = waited.unwrap_or_else(PoisonError::into_inner);
            if let Some(child) = child.as_mut() {
                late.store(true, Ordering::Relaxed);
                // It may have ended by itself just now.
                let _ = child.kill();
            }
        });
        // Without a watch the reader's own limit of processor time still holds.
        Self { shared, overdue, thread: thread.ok() }
    }

    /// Ends the process if it still runs; whether it was overdue.
    fn end(mut self) -> bool {
        let (child, ended) = &*self.shared;
        let child = child.lock().unwrap_or_else(PoisonError::into_inner).take();
        ended.notify_all();
        if let Some(mut child) = child {
            let _ = child.kill();
            let _ = child.wait();
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.overdue.load(Ordering::Relaxed)
    }
}

/// The reader's side: bounds itself, reads its standard input as the task
/// says, and writes lines to its standard output.
///
/// # Errors
///
/// When the bounds cannot be set, the task is none, or nobody takes the
/// lines any more.
pub fn serve(task: &str) -> io::Result<()> {
    bound()?;
    let task: Task = serde_json::from_str(task)?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    match &task {
        Task::File(request) => {
            let lists = lists(request.directory.as_deref())?;
            super::read_here(request, &lists, input()?, &mut |line| say(&mut out, line).map(|()| true))?;
        }
        Task::Page(origin) => {
            let lists = lists(origin.directory.as_deref())?;
            super::page::read_here(origin, &lists, input()?, &mut |line| say(&mut out, line))?;
        }
    }
    out.flush()
}

fn say(out: &mut impl io::Write, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

/// The town's own lists of codes.
fn lists(directory: Option<&Path>) -> io::Result<Arc<Vocabularies>> {
    match directory {
        Some(directory) => crate::vocabulary::load(directory).map_err(io::Error::other),
        None => Ok(Arc::new(Vocabularies::builtin().clone())),
    }
}

/// Memory, time and files that this process may use from now on.
#[cfg(unix)]
fn bound() -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};

    use crate::import::limits::{READER_CPU_S, READER_MEMORY_BYTES};
    let limits = [
        (Resource::As, READER_MEMORY_BYTES),
        (Resource::Cpu, READER_CPU_S),
        (Resource::Core, 0),
        // It writes to its pipe only.
        (Resource::Fsize, 0),
    ];
    for (resource, value) in limits {
        setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) })?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn bound() -> io::Result<()> {
    Ok(())
}

/// The file behind the standard input.
#[cfg(unix)]
fn input() -> io::Result<File> {
    use std::os::fd::AsFd as _;
    Ok(File::from(io::stdin().as_fd().try_clone_to_owned()?))
}

#[cfg(not(unix))]
fn input() -> io::Result<File> {
    use std::io::{Read as _, Seek as _};
    let mut file = crate::import::private_file(None)?;
    io::copy(&mut io::stdin().lock().take(crate::import::limits::EXPORT_BYTES_MAX), &mut file)?;
    file.rewind()?;
    Ok(file)
}
