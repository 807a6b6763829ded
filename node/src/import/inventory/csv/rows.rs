//! Takes a text apart into rows and cells, strictly where leniency would lose
//! rows.
//!
//! The form is RFC 4180 with any separator and any line break. A quotation mark
//! that is opened in one row and ends, with text behind it, in a later one has
//! swallowed the rows between: that is an error with the row in which it stands.

/// A row of a text file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TextRow {
    /// As a spreadsheet counts: blank lines count, breaks within a cell do not.
    pub(super) number: u32,
    pub(super) cells: Vec<String>,
}

/// A quotation mark in this row is opened and not closed as it should be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OpenQuote(pub(super) u32);

/// Rows of a text, one after the other.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    rest: &'a str,
    separator: u8,
    number: u32,
}

impl<'a> Rows<'a> {
    pub(super) fn new(text: &'a str, separator: u8) -> Self {
        Self { rest: text, separator, number: 0 }
    }

    /// The next row that is not blank.
    pub(super) fn next(&mut self) -> Result<Option<TextRow>, OpenQuote> {
        while !self.rest.is_empty() {
            self.number = self.number.saturating_add(1);
            if self.ends_line() {
                continue;
            }
            let mut cells = vec![self.cell()?];
            while self.passes_separator() {
                cells.push(self.cell()?);
            }
            self.ends_line();
            return Ok(Some(TextRow { number: self.number, cells }));
        }
        Ok(None)
    }

    fn cell(&mut self) -> Result<String, OpenQuote> {
        let Some(inner) = self.rest.strip_prefix('"') else { return Ok(self.bare().to_owned()) };
        let mut cell = String::new();
        let mut rest = inner;
        loop {
            let Some(end) = rest.find('"') else { return Err(OpenQuote(self.number)) };
            cell.push_str(&rest[..end]);
            rest = &rest[end + 1..];
            match rest.strip_prefix('"') {
                Some(more) => {
                    cell.push('"');
                    rest = more;
                }
                None => break,
            }
        }
        self.rest = rest;
        let tail = self.bare();
        if !tail.trim().is_empty() {
            if cell.contains(['\n', '\r']) {
                return Err(OpenQuote(self.number));
            }
            cell.push_str(tail);
        }
        Ok(cell)
    }

    /// What stands up to the next separator or line break.
    fn bare(&mut self) -> &'a str {
        let is_end = |byte: &u8| *byte == self.separator || matches!(byte, b'\n' | b'\r');
        let end = self.rest.as_bytes().iter().position(is_end).unwrap_or(self.rest.len());
        // Ends are ASCII: the cut is one between characters.
        let (cell, rest) = self.rest.split_at(end);
        self.rest = rest;
        cell
    }

    fn passes_separator(&mut self) -> bool {
        let passes = self.rest.as_bytes().first() == Some(&self.separator);
        if passes {
            self.rest = &self.rest[1..];
        }
        passes
    }

    fn ends_line(&mut self) -> bool {
        let length = match self.rest.as_bytes() {
            [b'\r', b'\n', ..] => 2,
            [b'\r' | b'\n', ..] => 1,
            _ => 0,
        };
        self.rest = &self.rest[length..];
        length > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(u32, Vec<String>)>, OpenQuote> {
        let mut rows = Rows::new(text, b';');
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push((row.number, row.cells));
        }
        Ok(all)
    }

    #[test]
    fn rows_are_counted_as_a_spreadsheet_shows_them() {
        for text in ["a;b\n\n\"c\nd\";e\nf", "a;b\r\n\r\n\"c\nd\";e\r\nf\r\n", "a;b\r\r\"c\nd\";e\rf"] {
            let row =
                |number, cells: &[&str]| (number, cells.iter().map(|cell| (*cell).to_owned()).collect());
            let expected = vec![row(1, &["a", "b"]), row(3, &["c\nd", "e"]), row(4, &["f"])];
            assert_eq!(read(text).unwrap(), expected, "{text:?}");
        }
    }

    #[test]
    fn quotes_within_a_row_are_read_and_those_that_swallow_rows_are_not() {
        let cells = |text: &str| read(text).unwrap().remove(0).1;
        assert_eq!(cells("\"a \"\"b\"\"\";5\" Rohr;\"c\" d\n"), ["a \"b\"", "5\" Rohr", "c d"]);
        for text in ["x;y\nBrunnen;\"Umwelt\nBäume;\"Grün\"\nc;d\n", "x;y\nBrunnen;\"Umwelt\nBäume;Grün\n"]
        {
            assert_eq!(read(text), Err(OpenQuote(2)), "{text}");
        }
    }
}
