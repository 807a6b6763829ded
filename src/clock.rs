//! The machine's clock, which people rely on and no rule does.

use crdt::ids::UnixMillis;

/// Before this the program did not exist: 2025-01-01T00:00:00Z in seconds.
const YEAR_2025: u64 = 1_735_689_600;
/// How far the newest sealed change may lie in this clock's future, in seconds.
const AHEAD_S_MAX: u64 = 24 * 3600;

/// Now.
pub(crate) fn now() -> UnixMillis {
    UnixMillis(jiff::Timestamp::now().as_millisecond())
}

/// What is strange about this clock, given when the newest change held was sealed.
pub(crate) fn doubt(now: UnixMillis, newest_seal: Option<UnixMillis>) -> Option<String> {
    let shown = |at: UnixMillis| {
        jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| at.0.to_string(), |at| format!("{at:.0}"))
    };
    if now.seconds() < YEAR_2025 {
        return Some(format!(
            "this machine's clock says {}, which cannot be: set it, or new records will carry that date",
            shown(now)
        ));
    }
    let newest = newest_seal.filter(|newest| newest.seconds() > now.seconds().saturating_add(AHEAD_S_MAX))?;
    Some(format!(
        "this machine's clock says {}, but the newest change held was made on {}: one of the two clocks is wrong",
        shown(now),
        shown(newest)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_doubted_before_2025_and_far_behind_the_newest_change() {
        let at = |seconds: u64| UnixMillis(seconds as i64 * 1000);
        let fine = YEAR_2025 + 1;
        assert!(doubt(at(fine), None).is_none());
        assert!(doubt(at(fine), Some(at(fine + AHEAD_S_MAX))).is_none());
        assert!(doubt(at(0), None).unwrap().contains("1970-01-01"));
        assert!(doubt(at(fine), Some(at(fine + AHEAD_S_MAX + 1))).unwrap().contains("one of the two clocks"));
    }
}
