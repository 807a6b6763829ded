//! Days as people write them into spreadsheets.

use crdt::catalog::Date;

/// Reads a day. Of a month or a year alone, the first day is meant; the second
/// value says whether that was supplied here.
pub(super) fn day(text: &str) -> Option<(Date, bool)> {
    let text = text.trim().trim_end_matches('.');
    // 2026-11-02, 2026-11-02T08:00:00.123456, 2026-11-02 08:00
    if let Some(head) = text.get(..10)
        && (text.len() == 10 || matches!(text.as_bytes()[10], b'T' | b' '))
        && let Ok(date) = Date::parse(head)
    {
        return Some((date, false));
    }
    let text = text
        .split_once(' ')
        .filter(|(day, time)| day.contains('.') && time.contains(':'))
        .map_or(text, |(day, _)| day);
    let parts: Vec<&str> = text.split(['.', '/', '-']).map(str::trim).collect();
    match parts.as_slice() {
        [day, month, year] if year.len() == 4 || year.len() == 2 => {
            Some((date(number(year)?, month_of(month)?, number(day)?)?, false))
        }
        [month, year] if year.len() == 4 => Some((date(number(year)?, month_of(month)?, 1)?, true)),
        [year, month] if year.len() == 4 => Some((date(number(year)?, month_of(month)?, 1)?, true)),
        [one] => worded(one),
        _ => None,
    }
}

/// `2026`, `November 2026`.
fn worded(text: &str) -> Option<(Date, bool)> {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        [year] if year.len() == 4 => Some((date(number(year)?, 1, 1)?, true)),
        [month, year] if year.len() == 4 => Some((date(number(year)?, month_of(month)?, 1)?, true)),
        _ => None,
    }
}

fn number(text: &str) -> Option<i16> {
    text.parse().ok()
}

fn month_of(text: &str) -> Option<i16> {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mär", "apr", "mai", "jun", "jul", "aug", "sep", "okt", "nov", "dez"];
    if let Ok(month) = text.parse() {
        return Some(month);
    }
    let word = text.to_lowercase();
    let at = MONTHS.iter().position(|month| word.starts_with(month))?;
    i16::try_from(at + 1).ok()
}

fn date(year: i16, month: i16, day: i16) -> Option<Date> {
    // Two digits of a year are of this century.
    let year = if (0..100).contains(&year) { 2000 + year } else { year };
    Date::parse(&format!("{year:04}-{month:02}-{day:02}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_as_people_write_them() {
        for (text, expected) in [
            ("2026-11-02", "2026-11-02 false"),
            ("2020-01-23T01:28:56.715941", "2020-01-23 false"),
            ("2.11.2026", "2026-11-02 false"),
            ("02.11.26", "2026-11-02 false"),
            ("02.11.2026 08:15", "2026-11-02 false"),
            ("11/2026", "2026-11-01 true"),
            ("2026-11", "2026-11-01 true"),
            ("November 2026", "2026-11-01 true"),
            ("2. November 2026", ""),
            ("2026", "2026-01-01 true"),
            ("31.02.2026", ""),
            ("laufend", ""),
            ("", ""),
            ("ä", ""),
        ] {
            let read = day(text).map(|(date, rounded)| format!("{date} {rounded}")).unwrap_or_default();
            assert_eq!(read, expected, "{text}");
        }
    }
}
