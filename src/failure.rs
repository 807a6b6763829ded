//! How a command ends when it does not end well: one sentence on standard
//! error and one of two exit codes.
//!
//! Messages of operations are fragments that finish "failed to …"; here they
//! become the sentence. Nothing else in the program writes errors.

use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    sentence: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The reader of our output went away: nothing is wrong.
    Unread,
    /// Asked correctly, and refused or failed: exit code 1.
    Refused,
    /// The same, because the node waits for other towns before it publishes.
    CatchingUp,
    /// Asked wrongly, in arguments, settings or a file: exit code 2.
    Input,
}

/// What every command says about its exit codes.
pub(crate) const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 refused, failed, or a check found something wrong;
2 wrong arguments, settings or input files (nothing was changed).";

impl Failure {
    /// The operation failed; `fragment` finishes "failed to …".
    pub(crate) fn refused(fragment: impl Display) -> Self {
        Self { kind: Kind::Refused, sentence: Some(format!("failed to {fragment}")) }
    }

    /// What was given is wrong; `fragment` finishes "failed to …".
    pub(crate) fn input(fragment: impl Display) -> Self {
        Self { kind: Kind::Input, sentence: Some(format!("failed to {fragment}")) }
    }

    /// The operation failed; `sentence` says all.
    pub(crate) fn refused_saying(sentence: impl Into<String>) -> Self {
        Self { kind: Kind::Refused, sentence: Some(sentence.into()) }
    }

    /// What was given is wrong; `sentence` says all.
    pub(crate) fn input_saying(sentence: impl Into<String>) -> Self {
        Self { kind: Kind::Input, sentence: Some(sentence.into()) }
    }

    /// The node waits for other towns; `sentence` says so.
    pub(crate) fn catching_up(sentence: String) -> Self {
        Self { kind: Kind::CatchingUp, sentence: Some(sentence) }
    }

    /// The same failure for a directory without a running node, which will
    /// never catch up by waiting.
    pub(crate) fn without_a_node(self) -> Self {
        if self.kind != Kind::CatchingUp {
            return self;
        }
        Self::refused_saying(
            "no node is running on this directory, and what other towns may have is written only by one that has \
             caught up with them; start it with `hanse serve`, or repeat with --offline if this directory is the \
             newest state of the node",
        )
    }

    /// A check found something wrong and its report is written already.
    pub(crate) fn found() -> Self {
        Self { kind: Kind::Refused, sentence: None }
    }

    /// Nothing could be read, and the report that says so is written already.
    pub(crate) fn unreadable() -> Self {
        Self { kind: Kind::Input, sentence: None }
    }

    /// Standard output cannot be written to.
    pub(crate) fn output(error: &std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self { kind: Kind::Unread, sentence: None };
        }
        Self::refused(format!("write to standard output: {error}"))
    }

    /// Says it and gives the exit code.
    pub(crate) fn report(self) -> ExitCode {
        if let Some(sentence) = self.sentence {
            // Nobody is left to tell if standard error is gone too.
            let _ = writeln!(std::io::stderr(), "error: {sentence}");
        }
        match self.kind {
            Kind::Unread => ExitCode::SUCCESS,
            Kind::Refused | Kind::CatchingUp => ExitCode::from(1),
            Kind::Input => ExitCode::from(2),
        }
    }
}
