//! Secret keys and tokens as files: made from the system's randomness, for
//! their owner alone, refused when others can read them.
//!
//! Keys are Ed25519 in PKCS#8 PEM (RFC 8410), as other tools write them. No
//! secret is ever put into an error or a log.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey};

/// Longest key or token file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 4096;

/// Why a key or token file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// There is none.
    #[error("read `{}`: there is no such file; `hanse init` makes it, a backup has it", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// There is one already, and secrets are never overwritten.
    #[error("make `{}`: it is there already and is not overwritten", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Others than the owner can use it.
    #[error("use `{}`: it has mode {mode:03o}, so others can read it; run `chmod 600` on it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is not such a file.
    #[error("use `{}`: it is not {wanted}; put it back from a backup", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What it should be.
        wanted: &'static str,
    },
    /// The system refused.
    #[error("use `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system gives no random bytes.
    #[error("draw random bytes: {0}")]
    Random(String),
}

/// Random bytes of the system.
pub fn random<const N: usize>() -> Result<[u8; N], KeyError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| KeyError::Random(error.to_string()))?;
    Ok(bytes)
}

/// Makes a key and its file.
pub fn create(path: &Path) -> Result<SigningKey, KeyError> {
    let key = SigningKey::from_bytes(&random()?);
    let pem = key
        .to_pkcs8_pem(LineEnding::LF)
        .map_err(|_| KeyError::Format { path: path.to_owned(), wanted: "an Ed25519 key in PEM" })?;
    write_secret(path, pem.as_bytes())?;
    Ok(key)
}

/// Reads a key file.
pub fn read(path: &Path) -> Result<SigningKey, KeyError> {
    let wanted = "an Ed25519 private key in PEM (PKCS#8)";
    let text = read_secret(path, wanted)?;
    SigningKey::from_pkcs8_pem(&text).map_err(|_| KeyError::Format { path: path.to_owned(), wanted })
}

/// Makes a token of 32 random bytes and its file; replaces an earlier one.
pub fn create_token(path: &Path) -> Result<String, KeyError> {
    let token = crdt::ids::hex(&random::<32>()?);
    let beside = path.with_extension("token-new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io_error(&beside, error)),
        _ => {}
    }
    write_secret(&beside, format!("{token}\n").as_bytes())?;
    fs::rename(&beside, path).map_err(|error| io_error(path, error))?;
    Ok(token)
}

/// Reads a token file.
pub fn read_token(path: &Path) -> Result<String, KeyError> {
    let wanted = "a token of 64 hexadecimal digits";
    let text = read_secret(path, wanted)?;
    let token = text.trim();
    if token.len() == 64 && crdt::ids::from_hex(token).is_some() {
        return Ok(token.to_owned());
    }
    Err(KeyError::Format { path: path.to_owned(), wanted })
}

fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => KeyError::Exists { path: path.to_owned() },
        _ => io_error(path, error),
    })?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|error| io_error(path, error))
}

fn read_secret(path: &Path, wanted: &'static str) -> Result<String, KeyError> {
    let file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => KeyError::Missing { path: path.to_owned() },
        _ => io_error(path, error),
    })?;
    refuse_exposed(path, &file)?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(|error| io_error(path, error))?;
    String::from_utf8(bytes).map_err(|_| KeyError::Format { path: path.to_owned(), wanted })
}

#[cfg(unix)]
fn refuse_exposed(path: &Path, file: &File) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata().map_err(|error| io_error(path, error))?.permissions().mode() & 0o777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(KeyError::Exposed { path: path.to_owned(), mode }) }
}

#[cfg(not(unix))]
fn refuse_exposed(_: &Path, _: &File) -> Result<(), KeyError> {
    Ok(())
}

fn io_error(path: &Path, source: io::Error) -> KeyError {
    KeyError::Io { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_back_from_its_file_and_is_never_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("node.key");
        assert!(matches!(read(&path), Err(KeyError::Missing { .. })));
        let key = create(&path).unwrap();
        assert_eq!(read(&path).unwrap(), key);
        assert!(matches!(create(&path), Err(KeyError::Exists { .. })));
        assert_eq!(read(&path).unwrap(), key);
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_can_read_is_refused_with_its_remedy() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("node.key");
        create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(
            error.contains("node.key") && error.contains("640") && error.contains("chmod 600"),
            "{error}"
        );
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_shown() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("node.key");
        write_secret(&path, b"geheim").unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains("not an Ed25519") && !error.contains("geheim"), "{error}");
        assert!(matches!(read_token(&path), Err(KeyError::Format { .. })));
    }

    #[test]
    fn a_new_token_replaces_the_old() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("desk.token");
        let first = create_token(&path).unwrap();
        let second = create_token(&path).unwrap();
        assert_ne!(first, second);
        assert_eq!(read_token(&path).unwrap(), second);
    }
}
