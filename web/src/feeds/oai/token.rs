//! The resumption token: a list's place and conditions, written out.
//!
//! The node remembers nothing of a list, so a token stays good over restarts,
//! edits and weeks. It is checked like any other input: it can only say what
//! the arguments could have said.

use crdt::catalog::Theme;
use crdt::ids::{DatasetId, Town, UnixMillis};
use node::handle::LogStart;

use super::request::{Format, List, Set};

/// Up to where a list was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cursor {
    /// Up to a dataset, by id.
    Ids(Option<DatasetId>),
    /// By commit.
    Log(LogStart),
}

impl List {
    /// Writes it: kind, format, set, end, cursor, given and total, between `~`.
    pub(super) fn token(&self) -> String {
        let kind = if self.with_metadata { "r" } else { "i" };
        let set = match self.set {
            None => String::new(),
            Some(Set::Town(town)) => format!("t{town}"),
            Some(Set::Theme(theme)) => format!("h{theme}"),
        };
        let end = self.end.map(|end| end.0.to_string()).unwrap_or_default();
        let cursor = match self.cursor {
            Cursor::Ids(None) => "i".to_owned(),
            Cursor::Ids(Some(id)) => format!("i{id}"),
            Cursor::Log(LogStart::Beginning) => "l".to_owned(),
            Cursor::Log(LogStart::At(at)) => format!("a{}", at.0),
            Cursor::Log(LogStart::After(place)) => format!("l{place}"),
        };
        let total = self.total.map(|total| total.to_string()).unwrap_or_default();
        [kind, self.format.prefix(), &set, &end, &cursor, &self.given.to_string(), &total].join("~")
    }

    /// Reads a token; `None` if this node never wrote it.
    pub(super) fn resumed(token: &str) -> Option<Self> {
        let parts: Vec<&str> = token.split('~').collect();
        let [kind, format, set, end, cursor, given, total] = parts[..] else { return None };
        let list = Self {
            with_metadata: kind == "r",
            format: Format::parse(format)?,
            set: optional(set, read_set)?,
            end: optional(end, |end| end.parse().ok().map(UnixMillis))?,
            cursor: read_cursor(cursor)?,
            given: given.parse().ok()?,
            total: optional(total, |total| total.parse().ok())?,
        };
        (list.given > 0 && list.token() == token).then_some(list)
    }
}

/// Nothing, or something that can be read.
fn optional<T>(text: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
    match text {
        "" => Some(None),
        text => read(text).map(Some),
    }
}

fn read_set(text: &str) -> Option<Set> {
    match text.split_at_checked(1)? {
        ("t", town) => Town::parse(town).ok().map(Set::Town),
        ("h", theme) => Theme::read(theme).ok().map(Set::Theme),
        _ => None,
    }
}

fn read_cursor(text: &str) -> Option<Cursor> {
    Some(match text.split_at_checked(1)? {
        ("i", id) => Cursor::Ids(Some(id.parse().ok()?)),
        ("l", place) => Cursor::Log(LogStart::After(place.parse().ok()?)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_what_was_asked_and_nothing_else_is_one() {
        let id: DatasetId = "6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10".parse().unwrap();
        let place = format!("1795000000000-17-{id}").parse().unwrap();
        let sets = [
            None,
            Some(Set::Town(Town::parse("05974040").unwrap())),
            Some(Set::Theme(Theme::read("ENVI").unwrap())),
        ];
        let mut tokens = Vec::new();
        for set in sets {
            for cursor in [Cursor::Ids(Some(id)), Cursor::Log(LogStart::After(place))] {
                for (end, total) in [(None, None), (Some(UnixMillis(1_795_000_000_000)), Some(23))] {
                    let list = List {
                        with_metadata: end.is_some(),
                        format: Format::DublinCore,
                        set,
                        end,
                        cursor,
                        given: 100,
                        total,
                    };
                    assert_eq!(List::resumed(&list.token()).as_ref(), Some(&list));
                    tokens.push(list.token());
                }
            }
        }
        // Cut anywhere, or with any byte replaced, it is no token or says something else.
        for token in &tokens {
            for cut in 0..token.len() {
                let resumed = List::resumed(&token[..cut]);
                assert!(resumed.is_none_or(|list| list.token() == token[..cut]), "{}", &token[..cut]);
                let mut other = token.clone().into_bytes();
                other[cut] = b'x';
                let other = String::from_utf8(other).unwrap();
                assert!(List::resumed(&other).is_none_or(|list| list.token() == other), "{other}");
            }
        }
        for wrong in ["", "~~~~~~", "r~oai_dc~~~i~0~", "r~oai_dc~~~~100~", "r~oai_dc~~~a5~100~", "ä~ö"] {
            assert_eq!(List::resumed(wrong), None, "{wrong}");
        }
    }
}
