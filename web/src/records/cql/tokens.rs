//! Cuts a filter in CQL2 Text into words, literals and signs.

use super::{Place, Wrong};

/// A piece of a filter, and the number of its first letter, from 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) at: usize,
    pub(super) piece: Piece,
}

/// What a piece is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    /// A keyword or the name of a property or function.
    Word(String),
    /// A name in double quotes, which is no keyword.
    Name(String),
    /// A literal in single quotes, its escapes read.
    Text(String),
    Number(f64),
    /// Parentheses, commas, comparisons, and what arithmetic and arrays use.
    Sign(&'static str),
}

impl std::fmt::Display for Piece {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Word(text) => f.write_str(text),
            Self::Name(text) => write!(f, "\"{text}\""),
            Self::Text(text) => write!(f, "'{text}'"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Sign(sign) => f.write_str(sign),
        }
    }
}

/// The signs, the longer before those they begin with.
const SIGNS: [&str; 17] =
    ["<>", "<=", ">=", "!=", "=", "<", ">", "(", ")", ",", "[", "]", "+", "-", "*", "/", "^"];

/// Cuts a whole filter.
pub(super) fn tokens(filter: &str) -> Result<Vec<Token>, Wrong> {
    let mut cutter = Cutter { letters: filter.chars().collect(), at: 0 };
    let mut tokens = Vec::new();
    while let Some(token) = cutter.next()? {
        tokens.push(token);
    }
    Ok(tokens)
}

struct Cutter {
    letters: Vec<char>,
    at: usize,
}

impl Cutter {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.letters.get(self.at + ahead).copied()
    }

    fn next(&mut self) -> Result<Option<Token>, Wrong> {
        while self.peek(0).is_some_and(char::is_whitespace) {
            self.at += 1;
        }
        let at = self.at + 1;
        let Some(letter) = self.peek(0) else { return Ok(None) };
        let piece = match letter {
            '\'' => Piece::Text(self.quoted('\'')?),
            '"' => Piece::Name(self.quoted('"')?),
            letter if self.begins_number(letter) => self.number()?,
            letter if is_name_start(letter) => Piece::Word(self.word()),
            _ => self.sign()?,
        };
        Ok(Some(Token { at, piece }))
    }

    fn begins_number(&self, letter: char) -> bool {
        let digit = |ahead| self.peek(ahead).is_some_and(|letter| letter.is_ascii_digit());
        match letter {
            '+' | '-' => digit(1) || (self.peek(1) == Some('.') && digit(2)),
            '.' => digit(1),
            letter => letter.is_ascii_digit(),
        }
    }

    fn number(&mut self) -> Result<Piece, Wrong> {
        let start = self.at;
        self.at += 1;
        while let Some(letter) = self.peek(0) {
            let exponent = matches!(self.letters[self.at - 1], 'e' | 'E');
            let more = letter.is_ascii_digit()
                || matches!(letter, '.' | 'e' | 'E')
                || (exponent && matches!(letter, '+' | '-'));
            if !more {
                break;
            }
            self.at += 1;
        }
        let text: String = self.letters[start..self.at].iter().collect();
        let number = text.parse().ok().filter(|number: &f64| number.is_finite());
        number.map(Piece::Number).ok_or_else(|| {
            Wrong::new(
                &Place::Letter(start + 1),
                text,
                ("ist keine Zahl", "is not a number"),
                (
                    "eine Zahl wie 51.5 schreiben; Text in einfache Anführungszeichen setzen",
                    "write a number such as 51.5; put text into single quotes",
                ),
            )
        })
    }

    fn word(&mut self) -> String {
        let start = self.at;
        while self
            .peek(0)
            .is_some_and(|letter| is_name_start(letter) || letter.is_ascii_digit() || letter == '.')
        {
            self.at += 1;
        }
        self.letters[start..self.at].iter().collect()
    }

    fn sign(&mut self) -> Result<Piece, Wrong> {
        let is_next =
            |sign: &&&str| sign.chars().enumerate().all(|(ahead, one)| self.peek(ahead) == Some(one));
        if let Some(sign) = SIGNS.iter().find(is_next) {
            self.at += sign.len();
            return Ok(Piece::Sign(sign));
        }
        Err(Wrong::new(
            &Place::Letter(self.at + 1),
            self.peek(0).map(String::from).unwrap_or_default(),
            ("ist kein Zeichen von CQL2", "is no sign of CQL2"),
            (
                "Text in einfache Anführungszeichen setzen: title = 'Baumkataster'",
                "put text into single quotes: title = 'Baumkataster'",
            ),
        ))
    }

    /// What stands between quotes. A quote is doubled or escaped in it; an
    /// escape that means nothing stays, for the patterns of `LIKE`.
    fn quoted(&mut self, quote: char) -> Result<String, Wrong> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        while let Some(letter) = self.peek(0) {
            self.at += 1;
            match letter {
                '\\' => {
                    let escaped = self.peek(0);
                    self.at += 1;
                    match escaped {
                        Some('a') => text.push('\u{7}'),
                        Some('b') => text.push('\u{8}'),
                        Some('t') => text.push('\t'),
                        Some('n') => text.push('\n'),
                        Some('v') => text.push('\u{b}'),
                        Some('f') => text.push('\u{c}'),
                        Some('r') => text.push('\r'),
                        Some(sign @ ('\\' | '\'' | '"')) => text.push(sign),
                        Some(other) => text.extend(['\\', other]),
                        None => break,
                    }
                }
                letter if letter == quote && self.peek(0) == Some(quote) => {
                    text.push(quote);
                    self.at += 1;
                }
                letter if letter == quote => return Ok(text),
                letter => text.push(letter),
            }
        }
        let rest: String = self.letters[start..].iter().collect();
        Err(Wrong::new(
            &Place::Letter(start + 1),
            rest,
            ("ist nicht geschlossen", "is not closed"),
            (
                "das Anführungszeichen schließen; innen verdoppeln: 'Bürger''s'",
                "close the quote; double it inside: 'Bürger''s'",
            ),
        ))
    }
}

fn is_name_start(letter: char) -> bool {
    letter.is_alphabetic() || matches!(letter, '_' | ':')
}
