//! Reads CQL2 Text (OGC 21-065r2, clause 8 and Annex B).
//!
//! Keywords and names of functions are taken in any case, names of properties
//! as they are. `OR` binds looser than `AND`, that looser than `NOT`.

use super::literal::Coordinates;
use super::tokens::{Piece, Token, tokens};
use super::{
    Clause, Comparison, DEPTH_MAX, End, Filter, Geometry, Instant, Operand, Place, Relation, Value, Wrong,
    check_length,
};

/// Reads a filter.
pub(in crate::records) fn read(filter: &str) -> Result<Filter, Wrong> {
    check_length(filter, Place::Letter(1))?;
    let end = filter.chars().count() + 1;
    let mut reader = Reader { tokens: tokens(filter)?, at: 0, end };
    let read = reader.any(DEPTH_MAX)?;
    match reader.piece() {
        None => Ok(read),
        Some(_) => Err(reader.unexpected(AFTER_CONDITION)),
    }
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
    /// The place behind the last letter.
    end: usize,
}

impl Reader {
    fn piece(&self) -> Option<&Piece> {
        self.tokens.get(self.at).map(|token| &token.piece)
    }

    fn place(&self) -> Place {
        Place::Letter(self.tokens.get(self.at).map_or(self.end, |token| token.at))
    }

    /// Whether a keyword or sign is next, or the one after so many others.
    fn is_next(&self, ahead: usize, what: &str) -> bool {
        match self.tokens.get(self.at + ahead).map(|token| &token.piece) {
            Some(Piece::Word(word)) => word.eq_ignore_ascii_case(what),
            Some(Piece::Sign(sign)) => *sign == what,
            _ => false,
        }
    }

    fn take(&mut self, what: &str) -> bool {
        let is_next = self.is_next(0, what);
        self.at += usize::from(is_next);
        is_next
    }

    fn demand(&mut self, what: &str, remedy: (&'static str, &'static str)) -> Result<(), Wrong> {
        if self.take(what) { Ok(()) } else { Err(self.unexpected(remedy)) }
    }

    /// What stands here is not what is needed here.
    fn unexpected(&self, remedy: (&'static str, &'static str)) -> Wrong {
        match self.piece() {
            Some(piece) => Wrong::new(
                &self.place(),
                piece.to_string(),
                ("ist hier nicht möglich", "is not possible"),
                remedy,
            ),
            None => Wrong::new(&self.place(), "", ("fehlt etwas", "misses something"), remedy),
        }
    }

    fn deeper(&self, depth: usize) -> Result<usize, Wrong> {
        let found = || self.piece().map(Piece::to_string).unwrap_or_default();
        depth.checked_sub(1).ok_or_else(|| Wrong::too_deep(&self.place(), found()))
    }

    /// Alternatives.
    fn any(&mut self, depth: usize) -> Result<Filter, Wrong> {
        let at = self.place();
        let mut ways = vec![self.all(depth)?];
        while self.take("OR") {
            ways.push(self.all(depth)?);
        }
        Ok(if ways.len() == 1 { ways.swap_remove(0) } else { Filter { at, clause: Clause::Any(ways) } })
    }

    fn all(&mut self, depth: usize) -> Result<Filter, Wrong> {
        let at = self.place();
        let mut parts = vec![self.one(depth)?];
        while self.take("AND") {
            parts.push(self.one(depth)?);
        }
        Ok(if parts.len() == 1 { parts.swap_remove(0) } else { Filter { at, clause: Clause::All(parts) } })
    }

    fn one(&mut self, depth: usize) -> Result<Filter, Wrong> {
        let at = self.place();
        let deeper = self.deeper(depth)?;
        if self.take("NOT") {
            return Ok(negated(at, self.one(deeper)?));
        }
        if self.take("(") {
            let inside = self.any(deeper)?;
            self.demand(")", CLOSE)?;
            return Ok(inside);
        }
        if let Some(Piece::Word(word)) = self.piece()
            && self.is_next(1, "(")
        {
            let word = word.clone();
            if let Some(relation) = Relation::of(&word) {
                let (one, other) = self.two_arguments(deeper)?;
                return Ok(Filter { at, clause: Clause::Temporal(relation, one, other) });
            }
            if word.eq_ignore_ascii_case("S_INTERSECTS") {
                let (one, other) = self.two_arguments(deeper)?;
                return Ok(Filter { at, clause: Clause::Intersects(one, other) });
            }
        }
        self.predicate(at, deeper)
    }

    /// `(one, other)` behind the name of a function.
    fn two_arguments(&mut self, depth: usize) -> Result<(Operand, Operand), Wrong> {
        self.at += 2;
        let one = self.operand(depth)?;
        self.demand(",", COMMA)?;
        let other = self.operand(depth)?;
        self.demand(")", CLOSE)?;
        Ok((one, other))
    }

    /// A value and what is said of it.
    fn predicate(&mut self, at: Place, depth: usize) -> Result<Filter, Wrong> {
        let value = self.operand(depth)?;
        if let Some(Piece::Sign(sign)) = self.piece()
            && let Some(comparison) = Comparison::of(sign)
        {
            self.at += 1;
            let other = self.operand(depth)?;
            return Ok(Filter { at, clause: Clause::Compare(value, comparison, other) });
        }
        if self.take("IS") {
            let negative = self.take("NOT");
            self.demand("NULL", IS_NULL)?;
            return Ok(signed(negative, at, Clause::IsNull(value)));
        }
        let negative = self.is_next(0, "NOT");
        self.at += usize::from(negative);
        if self.take("LIKE") {
            let pattern = self.operand(depth)?;
            return Ok(signed(negative, at, Clause::Like(value, pattern)));
        }
        if self.take("BETWEEN") {
            let least = self.operand(depth)?;
            self.demand("AND", BETWEEN)?;
            let most = self.operand(depth)?;
            return Ok(signed(negative, at, Clause::Between(value, least, most)));
        }
        if self.take("IN") {
            self.demand("(", IN_LIST)?;
            let mut values = vec![self.operand(depth)?];
            while self.take(",") {
                values.push(self.operand(depth)?);
            }
            self.demand(")", CLOSE)?;
            return Ok(signed(negative, at, Clause::Among(value, values)));
        }
        match value.value {
            Value::Boolean(always) if !negative => Ok(Filter { at, clause: Clause::Always(always) }),
            _ => Err(self.unexpected(COMPARE)),
        }
    }

    fn operand(&mut self, depth: usize) -> Result<Operand, Wrong> {
        let at = self.place();
        let value = match self.piece().cloned() {
            Some(Piece::Text(text)) => Value::Text(text),
            Some(Piece::Number(number)) => Value::Number(number),
            Some(Piece::Name(name)) => Value::Property(name),
            Some(Piece::Word(word)) => return self.named(at, &word, depth),
            _ => return Err(self.unexpected(OPERAND)),
        };
        self.at += 1;
        Ok(Operand { at, value })
    }

    /// A property, a constant, or a literal that begins with its kind.
    fn named(&mut self, at: Place, word: &str, depth: usize) -> Result<Operand, Wrong> {
        let deeper = self.deeper(depth)?;
        let name = word.to_ascii_uppercase();
        if KEYWORDS.contains(&name.as_str()) {
            return Err(self.unexpected(OPERAND));
        }
        self.at += 1;
        let value = match name.as_str() {
            "TRUE" => Value::Boolean(true),
            "FALSE" => Value::Boolean(false),
            _ if !self.is_next(0, "(") && !GEOMETRIES.contains(&name.as_str()) => {
                Value::Property(word.to_owned())
            }
            "CASEI" => Value::Caseless(Box::new(self.argument(deeper)?)),
            "ACCENTI" => Value::Accentless(Box::new(self.argument(deeper)?)),
            "DATE" => Value::Instant(self.instant(Instant::date)?),
            "TIMESTAMP" => Value::Instant(self.instant(Instant::timestamp)?),
            "INTERVAL" => self.interval()?,
            name if GEOMETRIES.contains(&name) => Value::Geometry(self.geometry(name, deeper)?.checked(&at)?),
            _ => return Err(Wrong::function(&at, word)),
        };
        Ok(Operand { at, value })
    }

    /// `(value)` behind the name of a function.
    fn argument(&mut self, depth: usize) -> Result<Operand, Wrong> {
        self.demand("(", OPEN)?;
        let argument = self.operand(depth)?;
        self.demand(")", CLOSE)?;
        Ok(argument)
    }

    /// `('2026-11-02')` behind `DATE` or `TIMESTAMP`.
    fn instant(&mut self, read: impl Fn(&str) -> Option<Instant>) -> Result<Instant, Wrong> {
        self.demand("(", OPEN)?;
        let Some(Piece::Text(text)) = self.piece() else { return Err(self.unexpected(MOMENT)) };
        let instant = read(text).ok_or_else(|| Instant::wrong(&self.place(), text))?;
        self.at += 1;
        self.demand(")", CLOSE)?;
        Ok(instant)
    }

    fn interval(&mut self) -> Result<Value, Wrong> {
        self.demand("(", OPEN)?;
        let from = self.end()?;
        self.demand(",", COMMA)?;
        let to = self.end()?;
        self.demand(")", CLOSE)?;
        Ok(Value::Interval(Box::new([from, to])))
    }

    fn end(&mut self) -> Result<End, Wrong> {
        let at = self.place();
        let end = match self.piece() {
            Some(Piece::Text(text)) if text == ".." => End::Open,
            Some(Piece::Text(text)) => {
                End::Instant(Instant::any(text).ok_or_else(|| Instant::wrong(&at, text))?)
            }
            Some(Piece::Word(name) | Piece::Name(name)) => End::Property(at, name.clone()),
            _ => return Err(self.unexpected(INTERVAL)),
        };
        self.at += 1;
        Ok(end)
    }

    /// What stands behind the name of a geometry.
    fn geometry(&mut self, kind: &str, depth: usize) -> Result<Geometry, Wrong> {
        let depth = self.deeper(depth)?;
        if !matches!(kind, "BBOX" | "ENVELOPE") {
            self.take("Z");
        }
        Ok(match kind {
            "BBOX" | "ENVELOPE" => Geometry::Bbox(self.edges()?),
            "POINT" => {
                self.demand("(", OPEN)?;
                let place = self.coordinates()?;
                self.demand(")", CLOSE)?;
                Geometry::Points(vec![place])
            }
            "MULTIPOINT" => Geometry::Points(self.list(Self::point)?),
            "LINESTRING" => Geometry::Lines(vec![self.line()?]),
            "MULTILINESTRING" => Geometry::Lines(self.list(Self::line)?),
            "POLYGON" => Geometry::Polygons(vec![self.list(Self::line)?]),
            "MULTIPOLYGON" => Geometry::Polygons(self.list(|reader| reader.list(Self::line))?),
            _ => Geometry::Collection(self.list(|reader| {
                let at = reader.place();
                let Some(Piece::Word(kind)) = reader.piece() else {
                    return Err(reader.unexpected(GEOMETRY));
                };
                let kind = kind.to_ascii_uppercase();
                if !GEOMETRIES.contains(&kind.as_str()) {
                    return Err(reader.unexpected(GEOMETRY));
                }
                reader.at += 1;
                reader.geometry(&kind, depth)?.checked(&at)
            })?),
        })
    }

    /// Items between parentheses.
    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T, Wrong>) -> Result<Vec<T>, Wrong> {
        self.demand("(", OPEN)?;
        let mut items = vec![item(self)?];
        while self.take(",") {
            items.push(item(self)?);
        }
        self.demand(")", CLOSE)?;
        Ok(items)
    }

    fn line(&mut self) -> Result<Vec<Coordinates>, Wrong> {
        self.list(Self::coordinates)
    }

    /// A place of `MULTIPOINT`, with parentheses of its own or without.
    fn point(&mut self) -> Result<Coordinates, Wrong> {
        let wrapped = self.take("(");
        let place = self.coordinates()?;
        if wrapped {
            self.demand(")", CLOSE)?;
        }
        Ok(place)
    }

    fn coordinates(&mut self) -> Result<Coordinates, Wrong> {
        let place = [self.number()?, self.number()?];
        if let Some(Piece::Number(_)) = self.piece() {
            self.at += 1;
        }
        Ok(place)
    }

    fn edges(&mut self) -> Result<[f64; 4], Wrong> {
        let at = self.place();
        let numbers = self.list(Self::number)?;
        Geometry::edges(&numbers)
            .ok_or_else(|| Wrong::new(&at, format!("{numbers:?}"), ("ist kein Rechteck", "is no box"), BBOX))
    }

    fn number(&mut self) -> Result<f64, Wrong> {
        let Some(Piece::Number(number)) = self.piece() else { return Err(self.unexpected(NUMBER)) };
        let number = *number;
        self.at += 1;
        Ok(number)
    }
}

fn negated(at: Place, filter: Filter) -> Filter {
    Filter { at, clause: Clause::Not(Box::new(filter)) }
}

fn signed(negative: bool, at: Place, clause: Clause) -> Filter {
    let filter = Filter { at: at.clone(), clause };
    if negative { negated(at, filter) } else { filter }
}

/// Words that begin no value.
const KEYWORDS: [&str; 8] = ["AND", "OR", "NOT", "LIKE", "BETWEEN", "IN", "IS", "NULL"];

/// Kinds of geometries. `ENVELOPE` is what drafts of CQL2 called `BBOX`.
const GEOMETRIES: [&str; 9] = [
    "BBOX",
    "ENVELOPE",
    "POINT",
    "MULTIPOINT",
    "LINESTRING",
    "MULTILINESTRING",
    "POLYGON",
    "MULTIPOLYGON",
    "GEOMETRYCOLLECTION",
];

type Words = (&'static str, &'static str);

const AFTER_CONDITION: Words = ("Bedingungen mit AND oder OR verbinden", "join conditions with AND or OR");
const BBOX: Words = (
    "vier Zahlen angeben: BBOX(West, Süd, Ost, Nord), oder sechs mit Höhen",
    "give four numbers: BBOX(west, south, east, north), or six with heights",
);
const BETWEEN: Words =
    ("BETWEEN kleinster AND größter Wert schreiben", "write BETWEEN least AND greatest value");
const CLOSE: Words = ("die Klammer mit ) schließen", "close the parenthesis with )");
const COMMA: Words = ("ein Komma zwischen beide Werte setzen", "put a comma between both values");
const COMPARE: Words = (
    "hinter den Wert eine Bedingung schreiben: =, <>, <, >, <=, >=, LIKE, BETWEEN, IN oder IS NULL",
    "write a condition behind the value: =, <>, <, >, <=, >=, LIKE, BETWEEN, IN or IS NULL",
);
const GEOMETRY: Words = (
    "POINT, LINESTRING, POLYGON, BBOX oder deren Mehrzahl schreiben",
    "write POINT, LINESTRING, POLYGON, BBOX or their plurals",
);
const IN_LIST: Words =
    ("die Werte in Klammern setzen: IN ('a', 'b')", "put the values into parentheses: IN ('a', 'b')");
const INTERVAL: Words = (
    "INTERVAL('2026-01-01', '..') schreiben; '..' ist ein offenes Ende",
    "write INTERVAL('2026-01-01', '..'); '..' is an open end",
);
const IS_NULL: Words = ("IS NULL oder IS NOT NULL schreiben", "write IS NULL or IS NOT NULL");
const MOMENT: Words = (
    "die Zeit in einfache Anführungszeichen setzen: DATE('2026-11-02')",
    "put the time into single quotes: DATE('2026-11-02')",
);
const NUMBER: Words = ("eine Zahl angeben: POINT(8.1 51.5)", "give a number: POINT(8.1 51.5)");
const OPEN: Words = ("eine Klammer ( öffnen", "open a parenthesis (");
const OPERAND: Words = (
    "eine Eigenschaft oder einen Wert angeben, Text in einfachen Anführungszeichen",
    "give a property or a value, text in single quotes",
);
