//! The town's own vocabularies: files in the folder `vocabulary/` of the data
//! directory that take the place of the lists compiled in.
//!
//! Read once, at start; never written, never fetched. A file that cannot be
//! used stops the start: a node that silently went by another list than its
//! town's would publish what the town does not allow.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crdt::catalog::InvalidField;
use crdt::vocabulary::{InvalidVocabulary, List, VOCABULARY_BYTES_MAX, Vocabularies, Vocabulary};

/// The folder, below the data directory.
pub const VOCABULARY_DIRECTORY: &str = "vocabulary";

/// How a list's file is called: its name and this.
const EXTENSION: &str = "tsv";

/// Why the town's lists cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadVocabularyError {
    /// The folder or a file could not be read.
    #[error("read the vocabulary `{}`: {error}", path.display())]
    Read {
        /// Folder or file.
        path: PathBuf,
        /// What went wrong.
        error: io::Error,
    },
    /// A file is called like no list.
    #[error("use the vocabulary `{}`: {error}; rename the file or move it elsewhere", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
        /// What its name is not.
        error: Box<InvalidField>,
    },
    /// A file is too long or not UTF-8.
    #[error("use the vocabulary `{}`: {problem}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        problem: &'static str,
    },
    /// A line that cannot be.
    #[error("use the vocabulary `{}`: {error}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Line, column, problem and remedy.
        error: Box<InvalidVocabulary>,
    },
}

/// The lists of the town whose data directory this is: those compiled in, but
/// for the ones that have a file in its folder.
pub fn load(directory: &Path) -> Result<Arc<Vocabularies>, LoadVocabularyError> {
    let folder = directory.join(VOCABULARY_DIRECTORY);
    let unread = |error| LoadVocabularyError::Read { path: folder.clone(), error };
    let mut lists = Vocabularies::builtin().clone();
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Arc::new(lists)),
        Err(error) => return Err(unread(error)),
    };
    for entry in entries {
        let path = entry.map_err(unread)?.path();
        // Notes and copies may lie beside the lists.
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            lists.replace(read(&path)?);
        }
    }
    Ok(Arc::new(lists))
}

fn read(path: &Path) -> Result<Vocabulary, LoadVocabularyError> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let list = List::parse(&name)
        .map_err(|error| LoadVocabularyError::Unknown { path: path.to_owned(), error: error.into() })?;
    let unread = |error| LoadVocabularyError::Read { path: path.to_owned(), error };
    let mut bytes = Vec::new();
    let limit = VOCABULARY_BYTES_MAX as u64 + 1;
    File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(unread)?;
    let unusable = |problem| LoadVocabularyError::Unreadable { path: path.to_owned(), problem };
    if bytes.len() > VOCABULARY_BYTES_MAX {
        return Err(unusable("it is longer than 4 MiB; shorten it"));
    }
    let text = String::from_utf8(bytes).map_err(|_| unusable("it is not UTF-8; save it as UTF-8"))?;
    Vocabulary::parse(list, &text)
        .map_err(|error| LoadVocabularyError::Invalid { path: path.to_owned(), error: error.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str =
        "# title.de: T\n# title.en: T\n# source: Soest\n# version: 2026\ncode\tde\nTIDE\tbei Flut\n";

    fn with(name: &str, content: &[u8]) -> Result<Arc<Vocabularies>, String> {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().join(VOCABULARY_DIRECTORY);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join(name), content).unwrap();
        load(directory.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_takes_the_place_of_one_list_and_leaves_the_others() {
        let lists = with("frequencies.tsv", LIST.as_bytes()).unwrap();
        assert_eq!(lists.frequencies().concepts().len(), 1);
        assert_eq!(lists.themes(), Vocabularies::builtin().themes());
        assert_eq!(*with("read me.txt", b"notes").unwrap(), *Vocabularies::builtin());
        assert_eq!(*load(Path::new("nowhere")).unwrap(), *Vocabularies::builtin());
    }

    #[test]
    fn a_broken_file_is_refused_with_its_name_its_line_and_what_to_do() {
        let cases: [(&str, Vec<u8>, &[&str]); 4] = [
            (
                "frequencies.tsv",
                format!("{LIST}TIDE\tnochmal\n").into(),
                &["frequencies.tsv", "line 7, column 1", "remove one"],
            ),
            ("frequency.tsv", LIST.into(), &["frequency.tsv", "`frequencies`"]),
            ("themes.tsv", vec![0xff, 0xfe], &["themes.tsv", "UTF-8"]),
            ("themes.tsv", vec![b'#'; VOCABULARY_BYTES_MAX + 1], &["themes.tsv", "4 MiB"]),
        ];
        for (name, content, words) in cases {
            let error = with(name, &content).unwrap_err();
            assert!(words.iter().all(|word| error.contains(word)), "{error}");
        }
    }
}
