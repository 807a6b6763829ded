//! What CKAN's field names mean here: turns queries into conditions on the
//! node's own fields.
//!
//! A field that CKAN has and Hanse has no values for is true of nothing, as in
//! CKAN itself; so is any unknown name. What every dataset has in common
//! (`state`, `capacity`, `type`) is decided on the spot.

use std::ops::Bound;

use crdt::catalog::LicenceIri;
use crdt::ids::UnixMillis;
use node::view::{Expression, MomentField, NamedField, Pattern, PatternPiece};

use super::Context;
use super::envelope::{Failure, excerpt};
use super::package::ACCESS_RIGHT;
use super::syntax::{self, End, Piece, Tree, Value};

/// Text fields that `text` and a value without a field look into are all; this
/// is the wildcard's share of them.
const ANYWHERE: [NamedField; 3] = [NamedField::Title, NamedField::Description, NamedField::Keyword];

impl Context<'_> {
    /// `q`: words without a colon, else a query.
    pub(super) fn q(&self, text: &str) -> Result<Expression, Failure> {
        let text = text.trim();
        if matches!(text, "" | "\"\"" | "''" | "*" | "*:*") {
            return Ok(Expression::All);
        }
        if text.contains(':') { self.fq(text) } else { words(text) }
    }

    /// `fq`: always a query.
    pub(super) fn fq(&self, text: &str) -> Result<Expression, Failure> {
        if text.trim().is_empty() {
            return Ok(Expression::All);
        }
        if text.contains("{!") {
            return Err(Failure::Search("Local parameters are not supported.".to_owned()));
        }
        let tree = syntax::parse(text).map_err(|wrong| {
            Failure::Search(format!("cannot read the query `{}`: {wrong}", excerpt(text)))
        })?;
        self.expression(&tree)
    }

    fn expression(&self, tree: &Tree) -> Result<Expression, Failure> {
        let all = |parts: &[Tree]| parts.iter().map(|part| self.expression(part)).collect::<Result<_, _>>();
        Ok(match tree {
            Tree::And(parts) => Expression::And(all(parts)?),
            Tree::Or(parts) => Expression::Or(all(parts)?),
            Tree::Not(part) => Expression::Not(Box::new(self.expression(part)?)),
            Tree::Term(None, value) => anywhere(value),
            Tree::Term(Some(field), value) => self.term(field, value)?,
        })
    }

    fn term(&self, field: &str, value: &Value) -> Result<Expression, Failure> {
        use NamedField as Named;
        let same = |text: &str| Some(text.to_owned());
        let name = field.strip_prefix("extras_").unwrap_or(field);
        Ok(match name {
            "*" => Expression::All,
            "text" => anywhere(value),
            "id" | "name" => compare(Named::Id, value, |text| Some(text.to_lowercase())),
            "identifier" => compare(Named::Identifier, value, same),
            "guid" | "uri" | "url" => compare(Named::Iri, value, same),
            "title" => compare(Named::Title, value, same),
            "title_string" => compare(Named::TitleExact, value, same),
            "notes" => compare(Named::Description, value, same),
            "tags" => compare(Named::Keyword, value, same),
            "groups" => compare(Named::Theme, value, |text| Some(text.to_uppercase())),
            "organization" => self.towns(value, |town| town.code.clone()),
            "owner_org" => self.towns(value, |town| town.town.to_string()),
            "license_id" => compare(Named::Licence, value, |text| {
                Some(
                    LicenceIri::parse_with(self.lists(), text)
                        .map_or_else(|_| text.to_owned(), |licence| licence.to_string()),
                )
            }),
            "res_format" => compare(Named::Format, value, same),
            "res_name" => compare(Named::DistributionTitle, value, same),
            "res_url" => compare(Named::Url, value, same),
            "author" | "publisher_name" => compare(Named::Publisher, value, same),
            "maintainer" | "contact_name" => compare(Named::Contact, value, same),
            "maintainer_email" | "contact_email" => compare(Named::Mailbox, value, same),
            "frequency" => compare(Named::Frequency, value, |text| {
                // The value of the extra is the IRI.
                Some(last_part(text).to_owned())
            }),
            // Of these extras the values are IRIs, or lists of them.
            "theme" => compare(Named::Theme, value, |text| Some(last_part(text).to_uppercase())),
            "access_rights" => constant(value, &format!("{ACCESS_RIGHT}PUBLIC")),
            "contributorID" => self.contributed(value)?,
            "metadata_created" | "issued" => self.moment(MomentField::Created, value)?,
            "metadata_modified" | "modified" => self.moment(MomentField::Modified, value)?,
            "state" => constant(value, "active"),
            "capacity" => constant(value, "public"),
            "private" => constant(value, "false"),
            "type" | "dataset_type" => constant(value, "dataset"),
            _ => Expression::Nothing,
        })
    }

    /// Towns by what names them here; the index knows their keys only.
    fn towns(&self, value: &Value, name: impl Fn(&node::view::TownInfo) -> String) -> Expression {
        let meant = self.members.iter().filter(|town| matches(value, &name(town)));
        Expression::Or(meant.map(|town| Expression::Is(NamedField::Town, town.town.to_string())).collect())
    }

    /// Datasets of the towns whose catalog has such a contributor id, which is
    /// compared alone and as the JSON list that the extra is.
    fn contributed(&self, value: &Value) -> Result<Expression, Failure> {
        let mut towns = Vec::new();
        for member in &self.members {
            let said = self.contributor(member.town)?;
            if said.is_some_and(|iri| matches(value, &iri) || matches(value, &format!("[\"{iri}\"]"))) {
                towns.push(Expression::Is(NamedField::Town, member.town.to_string()));
            }
        }
        Ok(Expression::Or(towns))
    }

    fn moment(&self, field: MomentField, value: &Value) -> Result<Expression, Failure> {
        let read = |text: &str| {
            syntax_moment(text, self.handle.now())
                .ok_or_else(|| Failure::Search(format!("Invalid Date String:'{}'", excerpt(text))))
        };
        let Value::Range(from, to) = value else {
            return Ok(match value {
                Value::Pattern(pieces) if pieces == &[Piece::Any] => {
                    Expression::During(field, Bound::Unbounded, Bound::Unbounded)
                }
                Value::Word(text) | Value::Phrase(text) => {
                    let (seconds, exact) = read(text)?;
                    let whole = Bound::Included(seconds);
                    if exact { Expression::During(field, whole, whole) } else { Expression::Nothing }
                }
                _ => return Err(Failure::Search("Invalid Date String: no moment has wildcards".to_owned())),
            });
        };
        // Moments are kept to the second: the fraction of an end moves it to the next one.
        let from = match (&from.value, from.inclusive) {
            (None, _) => Bound::Unbounded,
            (Some(text), inclusive) => match read(text)? {
                (seconds, true) if inclusive => Bound::Included(seconds),
                (seconds, _) => Bound::Excluded(seconds),
            },
        };
        let to = match (&to.value, to.inclusive) {
            (None, _) => Bound::Unbounded,
            (Some(text), inclusive) => match read(text)? {
                (seconds, true) if !inclusive => Bound::Excluded(seconds),
                (seconds, _) => Bound::Included(seconds),
            },
        };
        Ok(Expression::During(field, from, to))
    }
}

/// What stands behind the last slash of an IRI, also within a JSON list.
fn last_part(text: &str) -> &str {
    let bare = text.trim_matches(['[', ']', '"']);
    bare.rsplit('/').next().unwrap_or(bare)
}

/// A reader's words, as CKAN's own search reads them.
fn words(text: &str) -> Result<Expression, Failure> {
    if text.contains("{!") {
        return Err(Failure::Search("Local parameters are not supported.".to_owned()));
    }
    Ok(Expression::Words(text.to_owned()))
}

/// A value without a field.
fn anywhere(value: &Value) -> Expression {
    match value {
        Value::Word(text) => Expression::Words(text.clone()),
        Value::Phrase(text) => Expression::Words(format!("\"{}\"", text.replace('"', " "))),
        Value::Pattern(pieces) => {
            let like = |field: NamedField| Expression::Like(field, pattern(pieces));
            Expression::Or(ANYWHERE.into_iter().map(like).collect())
        }
        Value::Range(..) => Expression::Nothing,
    }
}

/// A value of a field; `spelt` gives the index's spelling, nothing for what no
/// dataset can have.
fn compare(field: NamedField, value: &Value, spelt: impl Fn(&str) -> Option<String>) -> Expression {
    match value {
        Value::Word(text) | Value::Phrase(text) => {
            spelt(text).map_or(Expression::Nothing, |text| Expression::Is(field, text))
        }
        Value::Pattern(pieces) if pieces == &[Piece::Any] => Expression::Has(field),
        Value::Pattern(pieces) => Expression::Like(field, upper_or_lower(field, pattern(pieces))),
        Value::Range(from, to) => Expression::Between(field, bound(from), bound(to)),
    }
}

/// Codes are upper-case in the index and lower-case in names of groups; ids the other way round.
fn upper_or_lower(field: NamedField, pattern: Pattern) -> Pattern {
    let respelt = |piece| match (piece, field) {
        (PatternPiece::Text(text), NamedField::Theme) => PatternPiece::Text(text.to_uppercase()),
        (PatternPiece::Text(text), NamedField::Id) => PatternPiece::Text(text.to_lowercase()),
        (piece, _) => piece,
    };
    Pattern(pattern.0.into_iter().map(respelt).collect())
}

fn pattern(pieces: &[Piece]) -> Pattern {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => PatternPiece::Text(text.clone()),
        Piece::Any => PatternPiece::Any,
        Piece::One => PatternPiece::One,
    };
    Pattern(pieces.iter().map(piece).collect())
}

fn bound(end: &End) -> Bound<String> {
    match (&end.value, end.inclusive) {
        (None, _) => Bound::Unbounded,
        (Some(value), true) => Bound::Included(value.clone()),
        (Some(value), false) => Bound::Excluded(value.clone()),
    }
}

/// A field that has the same value in every open dataset.
fn constant(value: &Value, all_have: &str) -> Expression {
    if matches(value, all_have) { Expression::All } else { Expression::Nothing }
}

/// Whether a condition is true of a value.
fn matches(value: &Value, text: &str) -> bool {
    match value {
        Value::Word(asked) | Value::Phrase(asked) => asked == text,
        Value::Pattern(pieces) => fits(pieces, text),
        Value::Range(from, to) => {
            let above = from.value.as_deref().is_none_or(|from_value| match from.inclusive {
                true => text >= from_value,
                false => text > from_value,
            });
            let below = to.value.as_deref().is_none_or(|to_value| match to.inclusive {
                true => text <= to_value,
                false => text < to_value,
            });
            above && below
        }
    }
}

/// Whether a pattern fits a short text as a whole; each wildcard is tried once
/// for each place, from the left.
fn fits(pieces: &[Piece], text: &str) -> bool {
    let letters: Vec<char> = text.chars().collect();
    // Places of the text that the pieces so far can reach.
    let mut reached = vec![false; letters.len() + 1];
    reached[0] = true;
    for piece in pieces {
        let mut next = vec![false; letters.len() + 1];
        for at in (0..=letters.len()).filter(|at| reached[*at]) {
            match piece {
                Piece::Any => next[at..].fill(true),
                Piece::One if at < letters.len() => next[at + 1] = true,
                Piece::One => {}
                Piece::Text(part) => {
                    let part: Vec<char> = part.chars().collect();
                    if letters[at..].starts_with(&part) {
                        next[at + part.len()] = true;
                    }
                }
            }
        }
        reached = next;
    }
    reached[letters.len()]
}

/// A moment as Solr writes it: RFC 3339, `NOW`, and date arithmetic on either
/// (`NOW-7DAYS`, `NOW/DAY`). Seconds since 1970, and whether there was no
/// fraction of a second.
fn syntax_moment(text: &str, now: UnixMillis) -> Option<(i64, bool)> {
    let text = text.trim();
    let (start, mathematics) = match text.strip_prefix("NOW") {
        Some(rest) => (jiff::Timestamp::from_millisecond(now.0).ok()?, rest),
        None => match text.split_once('Z') {
            Some((day, rest)) => (format!("{day}Z").parse().ok()?, rest),
            None if text.len() == 10 => (format!("{text}T00:00:00Z").parse().ok()?, ""),
            None => (text.parse().or_else(|_| format!("{text}Z").parse()).ok()?, ""),
        },
    };
    let moment = arithmetic(start, mathematics)?;
    Some((moment.as_second(), moment.subsec_nanosecond() == 0))
}

/// Most steps of date arithmetic in one moment.
const STEPS_MAX: usize = 8;

fn arithmetic(start: jiff::Timestamp, steps: &str) -> Option<jiff::Timestamp> {
    use jiff::{Span, ToSpan, Unit, ZonedRound};
    let mut at = start.to_zoned(jiff::tz::TimeZone::UTC);
    let mut rest = steps;
    for _ in 0..STEPS_MAX {
        let Some(sign) = rest.chars().next() else { return Some(at.timestamp()) };
        rest = &rest[sign.len_utf8()..];
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number = &rest[..digits];
        rest = &rest[digits..];
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let unit = rest[..letters].trim_end_matches('S');
        rest = &rest[letters..];
        at = if sign == '/' {
            if !number.is_empty() {
                return None;
            }
            match unit {
                "YEAR" => at.first_of_year().ok()?.start_of_day().ok()?,
                "MONTH" => at.first_of_month().ok()?.start_of_day().ok()?,
                "DAY" | "DATE" => at.start_of_day().ok()?,
                "HOUR" | "MINUTE" | "SECOND" => {
                    let unit = match unit {
                        "HOUR" => Unit::Hour,
                        "MINUTE" => Unit::Minute,
                        _ => Unit::Second,
                    };
                    at.round(ZonedRound::new().smallest(unit).mode(jiff::RoundMode::Trunc)).ok()?
                }
                _ => return None,
            }
        } else {
            let count: i32 = number.parse().ok().filter(|count| (0..=100_000).contains(count))?;
            let span: Span = match unit {
                "YEAR" if count <= 2_000 => count.years(),
                "MONTH" if count <= 24_000 => count.months(),
                "DAY" | "DATE" => count.days(),
                "HOUR" => count.hours(),
                "MINUTE" => count.minutes(),
                "SECOND" => count.seconds(),
                _ => return None,
            };
            match sign {
                '+' => at.checked_add(span).ok()?,
                '-' => at.checked_sub(span).ok()?,
                _ => return None,
            }
        };
    }
    rest.is_empty().then(|| at.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_with_arithmetic_and_fractions() {
        let now = UnixMillis(1_795_000_000_000);
        let day = 86_400;
        let midnight = 1_795_000_000 - 1_795_000_000 % day;
        for (text, expected) in [
            ("NOW", Some((1_795_000_000, true))),
            ("NOW-7DAYS", Some((1_795_000_000 - 7 * day, true))),
            ("NOW/DAY", Some((midnight, true))),
            ("NOW/DAY-1DAY", Some((midnight - day, true))),
            ("NOW-1MONTH/MONTH", Some((1_790_812_800, true))),
            ("2026-01-01T00:00:00Z", Some((1_767_225_600, true))),
            ("2026-01-01T00:00:00.123456Z", Some((1_767_225_600, false))),
            ("2026-01-01T00:00:00.123456", Some((1_767_225_600, false))),
            ("2026-01-01", Some((1_767_225_600, true))),
            ("2026-01-01T00:00:00Z+1DAY", Some((1_767_225_600 + day, true))),
            ("2026-13-01T00:00:00Z", None),
            ("yesterday", None),
            ("NOW-99999999999DAYS", None),
            ("NOW-1FORTNIGHT", None),
            ("NOWHERE", None),
            ("NOW/7DAYS", None),
            ("", None),
        ] {
            assert_eq!(syntax_moment(text, now), expected, "{text}");
        }
        assert_eq!(syntax_moment(&format!("NOW{}", "+1DAY".repeat(STEPS_MAX + 1)), now), None);
    }

    #[test]
    fn patterns_fit_as_a_whole() {
        let fits = |pattern: &str, text: &str| match syntax::parse(pattern).unwrap() {
            Tree::Term(None, value) => matches(&value, text),
            other => panic!("{other:?}"),
        };
        for (pattern, text, expected) in [
            ("soest", "soest", true),
            ("so*", "soest", true),
            ("*st", "soest", true),
            ("s*e*t", "soest", true),
            ("so?st", "soest", true),
            ("so?", "soest", false),
            ("*", "", true),
            ("?", "", false),
            ("[a TO m]", "arnsberg", true),
            ("[a TO m]", "soest", false),
            ("{soest TO *}", "soest", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} on {text}");
        }
    }
}
