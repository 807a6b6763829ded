//! Runs the built `hanse` as a shell would.

use std::ffi::OsStr;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::wait::until_blocking;

/// What a finished command has said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
    command: String,
}

/// The program with these arguments and none of our environment's settings.
pub(crate) fn command<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hanse"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("HANSE_")) {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a command of blank-separated words to its end; `{}` is the directory.
pub(crate) fn hanse(line: &str, directory: &Path) -> Said {
    let directory = directory.to_str().expect("temporary directories have plain names");
    run(command(line.split_whitespace().map(|word| word.replace("{}", directory))))
}

/// Runs a prepared command to its end.
pub(crate) fn run(mut command: Command) -> Said {
    let shown = format!("{command:?}");
    let mut child = command.spawn().expect("the built program starts");
    let (out, err) = (drain(child.stdout.take()), drain(child.stderr.take()));
    let status = until_blocking(&shown, || child.try_wait().expect("the system tells how a child ends"));
    let text = |thread: std::thread::JoinHandle<String>| thread.join().expect("a pipe can be read");
    Said { code: status.code(), out: text(out), err: text(err), command: shown }
}

fn drain(pipe: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

impl Said {
    /// Its output, if it did what was asked.
    #[track_caller]
    pub(crate) fn done(self) -> String {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self.out
    }

    /// Its output as JSON.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        let out = self.done();
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
    }

    /// Its one sentence, if it refused with this exit code and said all of `words`.
    #[track_caller]
    pub(crate) fn refused(self, code: i32, words: &[&str]) -> String {
        assert_eq!(self.code, Some(code), "{self:#?}");
        for word in words {
            assert!(self.err.contains(word), "`{word}` is missing: {self:#?}");
        }
        assert!(!self.err.contains("panicked"), "{self:#?}");
        assert!(!self.command.is_empty());
        self.err
    }
}

/// A command that runs beside the test and is killed with it.
#[derive(Debug)]
pub(crate) struct Beside {
    pub(crate) child: Child,
}

impl Beside {
    /// Starts it; its output goes to a file, so that no pipe fills up.
    pub(crate) fn start(mut command: Command, log: &Path) -> Self {
        let file = std::fs::File::create(log).expect("the log can be made");
        let copy = file.try_clone().expect("a file can be cloned");
        Self { child: command.stdout(file).stderr(copy).spawn().expect("the built program starts") }
    }

    /// Ends it as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("an own child can be killed");
        self.child.wait().expect("a killed child ends");
    }

    /// Asks it to stop and gives its exit code.
    pub(crate) fn terminate(&mut self) -> Option<i32> {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(told.expect("kill is installed").success());
        until_blocking("a node that stops", || self.child.try_wait().expect("the system tells")).code()
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `kill -9` for a process that this test has started.
pub(crate) fn kill_now(process: u32) {
    let told = Command::new("kill").args(["-KILL", &process.to_string()]).status();
    assert!(told.expect("kill is installed").success());
}
