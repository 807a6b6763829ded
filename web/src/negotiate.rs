//! Which of several forms of an answer a client wants (RFC 9110, 12.5.1).
//!
//! Never fails: what a client says unintelligibly it did not say.

use axum::http::{HeaderMap, header};

/// Longest header that is looked at, in bytes.
const HEADER_BYTES_MAX: usize = 1_000;

/// The media types that a node offers under several addresses at once.
pub(crate) const HTML: &str = "text/html";
/// See [`HTML`].
pub(crate) const JSON: &str = "application/json";

/// The offer that the client likes best: by its weights, then by the order of the offers. Without a
/// header, the first one; none if the client accepts none of them.
pub(crate) fn preferred<'a>(headers: &HeaderMap, offers: &[&'a str]) -> Option<&'a str> {
    let mut all = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let Some(accept) = all.next() else { return offers.first().copied() };
    if accept.len() > HEADER_BYTES_MAX {
        return offers.first().copied();
    }
    let ranges: Vec<Range<'_>> = accept.split(',').filter_map(Range::read).collect();
    let weight = |offer: &str| {
        let fitting = ranges.iter().filter_map(|range| Some((range.fits(offer)?, range.weight)));
        // The most exact range decides, even if it says less than another.
        fitting.max_by_key(|(exactness, _)| *exactness).map_or(0, |(_, weight)| weight)
    };
    let mut best: Option<(u16, &'a str)> = None;
    for offer in offers {
        let weight = weight(offer);
        if weight > best.map_or(0, |(weight, _)| weight) {
            best = Some((weight, offer));
        }
    }
    best.map(|(_, offer)| offer)
}

/// Whether a person in front of a browser asks: HTML is liked better than `other`.
pub(crate) fn prefers_html(headers: &HeaderMap, other: &str) -> bool {
    preferred(headers, &[other, HTML]) == Some(HTML)
}

/// One range of an `Accept` header.
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    /// Thousandths.
    weight: u16,
}

impl<'a> Range<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let (kind, subtype) = parts.next()?.split_once('/')?;
        let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        let weight = match quality {
            None => 1_000,
            Some(quality) => {
                let quality: f32 = quality.trim().parse().ok()?;
                // Between 0 and 1, so that thousandths fit.
                (quality.clamp(0.0, 1.0) * 1_000.0) as u16
            }
        };
        Some(Self { kind, subtype, weight })
    }

    /// How exactly it names a media type, if it fits at all.
    fn fits(&self, offer: &str) -> Option<u8> {
        let (kind, subtype) = offer.split(';').next()?.trim().split_once('/')?;
        match (self.kind, self.subtype) {
            ("*", "*") => Some(0),
            (own, "*") if own.eq_ignore_ascii_case(kind) => Some(1),
            (own, sub) if own.eq_ignore_ascii_case(kind) && sub.eq_ignore_ascii_case(subtype) => Some(2),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFERS: [&str; 3] = [JSON, HTML, "text/turtle;charset=utf-8"];

    fn check(accept: &str, expected: Option<&str>) {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().unwrap());
        assert_eq!(preferred(&headers, &OFFERS), expected, "{accept}");
    }

    #[test]
    fn the_client_gets_what_it_likes_best() {
        check("*/*", Some(JSON));
        check("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Some(HTML));
        check("text/turtle", Some(OFFERS[2]));
        check("text/*", Some(HTML));
        check("text/*;q=0.5, application/json;q=0.4", Some(HTML));
        check("application/json;q=0.1, text/html;q=0.2", Some(HTML));
        check("*/*, application/json;q=0", Some(HTML));
        check("TEXT/HTML ; Q=1.0", Some(HTML));
        check("image/png", None);
        check("text/html;q=nonsense", None);
        check("nonsense", None);
        check("text/html;q=NaN, application/json;q=0.5", Some(JSON));
        assert_eq!(preferred(&HeaderMap::new(), &OFFERS), Some(JSON));
    }

    #[test]
    fn only_browsers_prefer_pages() {
        let mut headers = HeaderMap::new();
        assert!(!prefers_html(&headers, JSON));
        headers.insert(header::ACCEPT, "*/*".parse().unwrap());
        assert!(!prefers_html(&headers, JSON));
        headers.insert(header::ACCEPT, "text/html,*/*;q=0.8".parse().unwrap());
        assert!(prefers_html(&headers, JSON));
    }
}
