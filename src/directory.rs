//! What commands ask of a data directory before they open it.

use std::path::Path;

use node::directory::{DESK_TOKEN_FILE, MEMBER_FILE, MemberFile};
use node::keys;

use crate::failure::Failure;

/// Refuses what is no data directory, in words that help.
pub(crate) fn require(directory: &Path) -> Result<MemberFile, Failure> {
    let shown = directory.display();
    if !directory.exists() {
        return Err(Failure::input_saying(format!(
            "there is no directory `{shown}`; give the node's data directory with --dir, or make one with `hanse init`"
        )));
    }
    if directory.join("soest").join(MEMBER_FILE).is_file() && !directory.join(MEMBER_FILE).exists() {
        return Err(Failure::input_saying(format!(
            "`{shown}` holds the five directories of a demo; give one of them, such as --dir {}",
            directory.join("soest").display()
        )));
    }
    MemberFile::read(&directory.join(MEMBER_FILE)).map_err(Failure::input)
}

/// The token that opens the desk.
pub(crate) fn token(directory: &Path) -> Result<String, Failure> {
    let path = directory.join(DESK_TOKEN_FILE);
    match keys::read_token(&path) {
        Err(keys::KeyError::Missing { .. }) => renew_token(directory),
        read => read.map_err(Failure::refused),
    }
}

/// Makes a new token; the old one counts no more, in a running node too.
pub(crate) fn renew_token(directory: &Path) -> Result<String, Failure> {
    keys::create_token(&directory.join(DESK_TOKEN_FILE)).map_err(Failure::refused)
}
