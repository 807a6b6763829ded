//! Reads the part of Lucene's query language that CKAN's clients write, into a
//! tree of conditions on fields.
//!
//! Phrases, `AND OR NOT + - && || !`, parentheses, also after a field, wildcards, ranges with open
//! and closed ends. Side by side means AND, and AND binds closer than OR. What it cannot read it
//! refuses by name; it never guesses. It knows no field: [`super::expression`] says what they are.

/// How deep parentheses may be nested.
const DEPTH_MAX: usize = 10;
/// Longest query, in bytes.
const BYTES_MAX: usize = 16_384;
/// Most conditions of a query.
const TERMS_MAX: usize = 400;

/// A query that was read.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tree {
    /// `field:value`, or a value alone.
    Term(Option<String>, Value),
    And(Vec<Tree>),
    Or(Vec<Tree>),
    Not(Box<Tree>),
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// A word without wildcards.
    Word(String),
    /// A word with wildcards, in pieces.
    Pattern(Vec<Piece>),
    /// Words in quotes.
    Phrase(String),
    /// From, to; an open end is `None`.
    Range(End, End),
}

/// A piece of a word with wildcards.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    Text(String),
    Any,
    One,
}

/// An end of a range.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct End {
    pub(super) value: Option<String>,
    pub(super) inclusive: bool,
}

/// Reads a query; the error is a sentence without a full stop.
pub(super) fn parse(text: &str) -> Result<Tree, String> {
    if text.len() > BYTES_MAX {
        return Err(format!("the query has more than {BYTES_MAX} bytes"));
    }
    let mut parser = Parser { rest: text, terms: 0 };
    let tree = parser.any(None, DEPTH_MAX)?;
    match parser.peek() {
        None => Ok(tree),
        Some(sign) => Err(format!("unexpected `{sign}`")),
    }
}

struct Parser<'a> {
    rest: &'a str,
    terms: usize,
}

impl Parser<'_> {
    /// The next letter that is no space.
    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    /// Takes a sign, if it is next.
    fn take(&mut self, sign: &str) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Takes a word operator or its sign, if one is next.
    fn operator(&mut self, word: &str, sign: &str) -> bool {
        self.rest = self.rest.trim_start();
        if self.is_next(word) { self.take(word) } else { self.take(sign) }
    }

    /// Whether a word operator is next and stands alone.
    fn is_next(&self, word: &str) -> bool {
        let behind = self.rest.strip_prefix(word).map(|rest| rest.chars().next());
        behind.is_some_and(|next| {
            next.is_none_or(|next| next.is_whitespace() || matches!(next, '(' | ')' | '"'))
        })
    }

    /// Alternatives, up to the end or a closing parenthesis.
    fn any(&mut self, field: Option<&str>, depth: usize) -> Result<Tree, String> {
        let mut ways = vec![self.all(field, depth)?];
        while self.operator("OR", "||") {
            ways.push(self.all(field, depth)?);
        }
        Ok(if ways.len() == 1 { ways.swap_remove(0) } else { Tree::Or(ways) })
    }

    /// Conditions that must all be true.
    fn all(&mut self, field: Option<&str>, depth: usize) -> Result<Tree, String> {
        let mut parts = vec![self.one(field, depth)?];
        loop {
            let joined = self.operator("AND", "&&");
            let at_end =
                matches!(self.peek(), None | Some(')')) || self.rest.starts_with("||") || self.is_next("OR");
            if at_end && joined {
                return Err("a condition is missing after `AND`".to_owned());
            }
            if at_end {
                break;
            }
            parts.push(self.one(field, depth)?);
        }
        Ok(if parts.len() == 1 { parts.swap_remove(0) } else { Tree::And(parts) })
    }

    fn one(&mut self, field: Option<&str>, depth: usize) -> Result<Tree, String> {
        let mut negative = false;
        loop {
            if self.operator("NOT", "!") {
                negative = !negative;
            } else if self.rest.starts_with('-') {
                self.take("-");
                negative = !negative;
            } else if !self.take("+") {
                break;
            }
        }
        let tree = self.primary(field, depth)?;
        Ok(if negative { Tree::Not(Box::new(tree)) } else { tree })
    }

    fn primary(&mut self, field: Option<&str>, depth: usize) -> Result<Tree, String> {
        self.terms += 1;
        if self.terms > TERMS_MAX {
            return Err(format!("the query has more than {TERMS_MAX} conditions"));
        }
        if self.take("(") {
            let Some(depth) = depth.checked_sub(1) else {
                return Err(format!("parentheses are nested more than {DEPTH_MAX} deep"));
            };
            let inside = self.any(field, depth)?;
            if !self.take(")") {
                return Err("a parenthesis is not closed".to_owned());
            }
            self.boost()?;
            return Ok(inside);
        }
        if field.is_none()
            && let Some(named) = self.field()
        {
            // `*:*` means everything.
            if named == "*" && self.rest.starts_with('*') {
                self.take("*");
                return Ok(Tree::Term(Some("*".to_owned()), Value::Pattern(vec![Piece::Any])));
            }
            if self.peek().is_none() {
                return Err(format!("a value is missing after `{named}:`"));
            }
            return self.primary(Some(&named), depth);
        }
        let value = self.value()?;
        self.boost()?;
        Ok(Tree::Term(field.map(str::to_owned), value))
    }

    /// The name before a colon, if the next word is one.
    fn field(&mut self) -> Option<String> {
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '*')))?;
        let rest = self.rest[end..].strip_prefix(':')?;
        if end == 0 {
            return None;
        }
        let name = self.rest[..end].to_owned();
        self.rest = rest;
        Some(name)
    }

    fn value(&mut self) -> Result<Value, String> {
        match self.peek() {
            None => Err("a condition is missing at the end".to_owned()),
            Some('"') => self.phrase(),
            Some(open @ ('[' | '{')) => self.range(open),
            Some(')') => Err("a condition is missing before `)`".to_owned()),
            Some(_) => self.word(),
        }
    }

    fn phrase(&mut self) -> Result<Value, String> {
        let mut text = String::new();
        let mut letters = self.rest.char_indices().skip(1);
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(Value::Phrase(text));
                }
                '\\' => text.extend(letters.next().map(|(_, letter)| letter)),
                letter => text.push(letter),
            }
        }
        Err("a quote is not closed".to_owned())
    }

    fn range(&mut self, open: char) -> Result<Value, String> {
        let Some(end) = self.rest.find([']', '}']) else { return Err("a range is not closed".to_owned()) };
        let inside = &self.rest[1..end];
        let closed = self.rest[end..].starts_with(']');
        self.rest = &self.rest[end + 1..];
        // One harvester encodes its addresses twice.
        let inside = inside.replace("%20", " ");
        let Some((from, to)) = inside.split_once(" TO ") else {
            return Err(format!("the range `{inside}` has no ` TO `"));
        };
        let value = |text: &str| {
            let text = text.trim().trim_matches('"');
            (text != "*" && !text.is_empty()).then(|| text.to_owned())
        };
        let from = End { value: value(from), inclusive: open == '[' };
        Ok(Value::Range(from, End { value: value(to), inclusive: closed }))
    }

    fn word(&mut self) -> Result<Value, String> {
        let mut text = String::new();
        let mut wild: Vec<(usize, Piece)> = Vec::new();
        let mut letters = self.rest.char_indices();
        let mut end = self.rest.len();
        // Where wildcards stand, as counts of plain letters before them.
        let mut plain = 0;
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\\' => match letters.next() {
                    Some((_, letter)) => {
                        text.push(letter);
                        plain += 1;
                    }
                    None => return Err("nothing stands behind the last `\\`".to_owned()),
                },
                '*' => wild.push((plain, Piece::Any)),
                '?' => wild.push((plain, Piece::One)),
                '~' => return Err("`~` (similar words, words nearby) is not supported".to_owned()),
                letter if letter.is_whitespace() || matches!(letter, '(' | ')' | '"' | '^' | '[' | '{') => {
                    end = at;
                    break;
                }
                ']' | '}' => return Err(format!("unexpected `{letter}`")),
                letter => {
                    text.push(letter);
                    plain += 1;
                }
            }
        }
        self.rest = &self.rest[end..];
        if wild.is_empty() && text.is_empty() {
            return Err(format!("unexpected `{}`", self.peek().map_or(String::new(), String::from)));
        }
        if wild.is_empty() {
            return Ok(Value::Word(text));
        }
        Ok(Value::Pattern(in_pieces(&text, wild)))
    }

    /// A weight, which changes only the order, and is passed over.
    fn boost(&mut self) -> Result<(), String> {
        if self.rest.starts_with('~') {
            return Err("`~` (similar words, words nearby) is not supported".to_owned());
        }
        let Some(rest) = self.rest.strip_prefix('^') else { return Ok(()) };
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        if end == 0 {
            return Err("a number is missing after `^`".to_owned());
        }
        self.rest = &rest[end..];
        Ok(())
    }
}

/// Text with wildcards after so many of its letters.
fn in_pieces(text: &str, wild: Vec<(usize, Piece)>) -> Vec<Piece> {
    let letters: Vec<char> = text.chars().collect();
    let mut pieces = Vec::new();
    let mut at = 0;
    for (place, piece) in wild {
        if place > at {
            pieces.push(Piece::Text(letters[at..place].iter().collect()));
            at = place;
        }
        // `**` is no more than `*`.
        if piece != Piece::Any || pieces.last() != Some(&Piece::Any) {
            pieces.push(piece);
        }
    }
    if at < letters.len() {
        pieces.push(Piece::Text(letters[at..].iter().collect()));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree in prefix form.
    fn shown(tree: &Tree) -> String {
        let all = |parts: &[Tree]| parts.iter().map(shown).collect::<Vec<_>>().join(" ");
        match tree {
            Tree::And(parts) => format!("(and {})", all(parts)),
            Tree::Or(parts) => format!("(or {})", all(parts)),
            Tree::Not(part) => format!("(not {})", shown(part)),
            Tree::Term(field, value) => {
                let field = field.as_deref().map(|field| format!("{field}:")).unwrap_or_default();
                let end = |end: &End| end.value.clone().unwrap_or("*".to_owned());
                let value = match value {
                    Value::Word(word) => word.clone(),
                    Value::Phrase(text) => format!("\"{text}\""),
                    Value::Range(from, to) => format!(
                        "{}{} {}{}",
                        if from.inclusive { '[' } else { '{' },
                        end(from),
                        end(to),
                        if to.inclusive { ']' } else { '}' }
                    ),
                    Value::Pattern(pieces) => {
                        let piece = |piece: &Piece| match piece {
                            Piece::Text(text) => format!("<{text}>"),
                            Piece::Any => "*".to_owned(),
                            Piece::One => "?".to_owned(),
                        };
                        pieces.iter().map(piece).collect()
                    }
                };
                format!("{field}{value}")
            }
        }
    }

    fn check(text: &str, expected: &str) {
        match parse(text) {
            Ok(tree) => assert_eq!(shown(&tree), expected, "{text}"),
            Err(wrong) => panic!("{text}: {wrong}"),
        }
    }

    #[test]
    fn what_clients_write_is_read() {
        check("*:*", "*:*");
        check("tags:Baum", "tags:Baum");
        check("title:\"Stadt Soest\"", "title:\"Stadt Soest\"");
        check("organization:soest AND tags:Verkehr", "(and organization:soest tags:Verkehr)");
        check("organization:a OR organization:b", "(or organization:a organization:b)");
        check("-organization:a -organization:b", "(and (not organization:a) (not organization:b))");
        check("+capacity:public +state:active", "(and capacity:public state:active)");
        check("NOT tags:x AND y", "(and (not tags:x) y)");
        check("a OR b c", "(or a (and b c))");
        check("a && b || !c", "(or (and a b) (not c))");
        check("tags:(a OR \"b c\") d", "(and (or tags:a tags:\"b c\") d)");
        check("res_url:*", "res_url:*");
        check("name:foo* OR name:*b?r", "(or name:<foo>* name:*<b>?<r>)");
        check("metadata_modified:[2026-01-01T00:00:00Z TO *]", "metadata_modified:[2026-01-01T00:00:00Z *]");
        check("metadata_modified:{NOW-7DAYS TO NOW}", "metadata_modified:{NOW-7DAYS NOW}");
        check("m:[2026-01-01T00:00:00Z%20TO%20*]", "m:[2026-01-01T00:00:00Z *]");
        check("title:bar^4 (a b)^0.5", "(and title:bar (and a b))");
        check("url:http\\://a.example/\\(x\\)", "url:http://a.example/(x)");
        check(
            "license_id:\"http://dcat-ap.de/def/licenses/cc-by/4.0\"",
            "license_id:\"http://dcat-ap.de/def/licenses/cc-by/4.0\"",
        );
        check("extras_guid:http://a.example/x", "extras_guid:http://a.example/x");
        check("a\\*b", "a*b");
        check("ORANGE ANDORRA NOTIZ", "(and ORANGE ANDORRA NOTIZ)");
        check("tags: Baum", "tags:Baum");
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (text, wrong) in [
            ("", "missing at the end"),
            ("(a", "not closed"),
            ("a)", "unexpected `)`"),
            ("\"a", "quote is not closed"),
            ("tags:", "missing after `tags:`"),
            ("a AND", "missing after `AND`"),
            ("a OR", "missing at the end"),
            ("()", "missing before `)`"),
            ("m:[a b]", "no ` TO `"),
            ("m:[a TO b", "not closed"),
            ("roam~2", "not supported"),
            ("\"a b\"~3", "not supported"),
            ("a^", "number is missing"),
            ("a\\", "behind the last"),
            ("a]", "unexpected `]`"),
        ] {
            let said = parse(text).unwrap_err();
            assert!(said.contains(wrong), "{text}: {said}");
        }
        let deep = format!("{}a{}", "(".repeat(DEPTH_MAX + 1), ")".repeat(DEPTH_MAX + 1));
        assert!(parse(&deep).unwrap_err().contains("deep"));
        assert!(parse(&"a ".repeat(TERMS_MAX + 1)).unwrap_err().contains("conditions"));
        assert!(parse(&"a".repeat(BYTES_MAX + 1)).unwrap_err().contains("bytes"));
        assert!(parse(&"-".repeat(BYTES_MAX)).is_err());
    }
}
