//! Days as people write them into spreadsheets.

use crdt::catalog::Date;

/// Reads a day. Of a month or a year alone, the first day is meant; the second
/// value says whether that was supplied here.
pub(super) fn day(text: &str) -> Option<(Date, bool)> {
    let text = without_lead(text.trim().trim_end_matches('.'));
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
    if let Some(found) = quarter(text).or_else(|| spelt_out(text)) {
        return Some(found);
    }
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

/// What stands after `Stand:`, `seit` and the like.
fn without_lead(text: &str) -> &str {
    const LEADS: [&str; 8] = ["stand", "datenstand", "seit", "vom", "am", "ab", "bis", "zum"];
    let mut rest = text;
    while let Some((word, after)) = rest.split_once([' ', ':'])
        && LEADS.contains(&word.to_lowercase().as_str())
    {
        rest = after.trim_start_matches([' ', ':']);
    }
    rest
}

/// `Q1 2024`, `2024 Q1`, `1. Quartal 2024`: the first day of the quarter.
fn quarter(text: &str) -> Option<(Date, bool)> {
    let lower =
        text.to_lowercase().replace(['/', '-'], " ").replace(". quartal", "q").replace("quartal ", "q");
    let words: Vec<&str> = lower.split_whitespace().collect();
    let [one, other] = words.as_slice() else { return None };
    let (year, quarter) = if one.len() == 4 { (one, other) } else { (other, one) };
    let digit = quarter.strip_prefix('q').or_else(|| quarter.strip_suffix('q'))?;
    let number = number(digit).filter(|number| (1..=4).contains(number))?;
    Some((date(self::number(year).filter(|_| year.len() == 4)?, number * 3 - 2, 1)?, true))
}

/// `15. März 2024`.
fn spelt_out(text: &str) -> Option<(Date, bool)> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [day, month, year] = words.as_slice() else { return None };
    let is_word = month.starts_with(char::is_alphabetic) && year.len() == 4;
    is_word
        .then(|| date(number(year)?, month_of(month)?, number(day.trim_end_matches('.'))?))
        .flatten()
        .map(|day| (day, false))
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
            ("2. November 2026", "2026-11-02 false"),
            ("15. März 2024", "2024-03-15 false"),
            ("30. Februar 2024", ""),
            ("Q1 2024", "2024-01-01 true"),
            ("2024/Q3", "2024-07-01 true"),
            ("4. Quartal 2023", "2023-10-01 true"),
            ("Q5 2024", ""),
            ("Stand 2023", "2023-01-01 true"),
            ("Stand: 01.02.2023", "2023-02-01 false"),
            ("seit März 2020", "2020-03-01 true"),
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
