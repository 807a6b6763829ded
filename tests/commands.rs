//! The commands as people run them: what they print, refuse and leave behind.
//!
//! Each test runs the built program in a directory of its own.

#[path = "support/binary.rs"]
#[expect(dead_code, reason = "only the federation tests kill by number")]
mod binary;
#[path = "support/wait.rs"]
#[expect(dead_code, reason = "each test binary waits in one of the two ways")]
mod wait;

#[path = "commands/demo.rs"]
mod demo;
#[path = "commands/duplicates.rs"]
mod duplicates;
#[path = "commands/founding.rs"]
mod founding;
#[path = "commands/harvesting.rs"]
mod harvesting;
#[path = "commands/help.rs"]
mod help;
#[path = "commands/importing.rs"]
mod importing;
#[path = "commands/input.rs"]
mod input;
#[path = "commands/moving.rs"]
mod moving;
#[path = "commands/reindexing.rs"]
mod reindexing;
#[path = "commands/serving.rs"]
mod serving;
#[path = "commands/source.rs"]
mod source;
