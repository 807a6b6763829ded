//! The sitemap (`https://www.sitemaps.org/protocol.html`) and `/robots.txt`:
//! the pages of the town's own datasets, for search engines.
//!
//! Only the town's own: each dataset has a page on every node, and a search
//! engine that finds five of them shows none with confidence.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use crdt::ids::DatasetId;
use node::handle::{LISTING_LIMIT_MAX, Listed, NodeHandle, ReadError, Scope};
use uuid::Uuid;

use crate::app::App;
use crate::error::Problem;
use crate::extract::Segment;
use crate::feeds::{second, xml};

/// Datasets up to which one page holds all; the protocol allows 50,000, which
/// leaves room for ids that are not spread evenly over several pages.
const ONE_PAGE_MAX: u64 = 10_000;
/// Addresses that a page may hold by the protocol.
const ADDRESSES_MAX: usize = 50_000;
const MEDIA_TYPE: &str = "application/xml; charset=utf-8";

#[derive(Debug, Template)]
#[template(path = "feeds/sitemap-index.xml")]
struct Index {
    pages: Vec<String>,
}

#[derive(Debug, Template)]
#[template(path = "feeds/sitemap.xml")]
struct Page {
    /// Address and day of the last change.
    addresses: Vec<(String, Option<String>)>,
}

/// The ids that begin with some hexadecimal digits: stable parts of the catalog,
/// whatever is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    digits: u32,
    number: u128,
}

impl Part {
    /// Reads what stands before `.xml`; `all` is the part without digits.
    fn parse(name: &str) -> Option<Self> {
        let digits = if name == "all" { "" } else { name };
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        if digits.len() > 2 || !plain || name.is_empty() {
            return None;
        }
        let number = if digits.is_empty() { 0 } else { u128::from_str_radix(digits, 16).ok()? };
        Some(Self { digits: digits.len() as u32, number })
    }

    /// The parts of a catalog of this size.
    fn all(datasets: u64) -> impl Iterator<Item = Self> {
        let digits = if datasets <= ONE_PAGE_MAX {
            0
        } else if datasets <= 16 * ONE_PAGE_MAX {
            1
        } else {
            2
        };
        (0..16_u128.pow(digits)).map(move |number| Self { digits, number })
    }

    fn name(self) -> String {
        match self.digits {
            0 => "all".to_owned(),
            digits => format!("{:0width$x}", self.number, width = digits as usize),
        }
    }

    /// The id before the first of the part; none if there is no smaller one.
    fn before(self) -> Option<DatasetId> {
        let first = self.number.checked_shl(128 - 4 * self.digits).unwrap_or(0);
        first.checked_sub(1).map(|id| DatasetId(Uuid::from_u128(id)))
    }

    fn holds(self, id: DatasetId) -> bool {
        id.0.as_u128().checked_shr(128 - 4 * self.digits).unwrap_or(0) == self.number
    }
}

/// Answers `GET /sitemap.xml`.
pub(crate) async fn index(State(app): State<App>, headers: HeaderMap) -> Response {
    let base = app.base_url(&headers);
    let count = app.handle.open_count(Scope::Town(app.handle.town().town));
    let pages = Part::all(count).map(|part| format!("{base}/sitemap/{}.xml", part.name())).collect();
    xml(&Index { pages }, MEDIA_TYPE)
}

/// Answers `GET /sitemap/{file}`.
pub(crate) async fn page(
    State(app): State<App>,
    Segment(file): Segment,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let part = file.strip_suffix(".xml").and_then(Part::parse).ok_or_else(Problem::not_found)?;
    let scope = Scope::Town(app.handle.town().town);
    let base = app.base_url(&headers);
    let of_dataset =
        |listed: &Listed| (format!("{base}/dataset/{}", listed.dataset.id), Some(second(listed.at)));
    let datasets = app.read(move |handle| datasets(handle, scope, part)).await?;
    let mut addresses = Vec::with_capacity(datasets.len() + 2);
    if part.before().is_none() {
        addresses.extend(["/", "/federation"].map(|path| (format!("{base}{path}"), None)));
    }
    addresses.extend(datasets.iter().map(of_dataset));
    addresses.truncate(ADDRESSES_MAX);
    Ok(xml(&Page { addresses }, MEDIA_TYPE))
}

/// The datasets of a part. Blocks.
fn datasets(handle: &NodeHandle, scope: Scope, part: Part) -> Result<Vec<Listed>, ReadError> {
    let mut found = Vec::new();
    let mut after = part.before();
    while found.len() < ADDRESSES_MAX {
        let some = handle.open_datasets(scope, after, LISTING_LIMIT_MAX)?;
        let of_part = some.iter().take_while(|listed| part.holds(listed.dataset.id)).count();
        let ends = of_part < LISTING_LIMIT_MAX;
        after = some.last().map(|last| last.dataset.id);
        found.extend(some.into_iter().take(of_part));
        if ends {
            break;
        }
    }
    Ok(found)
}

/// Answers `GET /robots.txt`.
pub(crate) async fn robots(State(app): State<App>, headers: HeaderMap) -> Response {
    let base = app.base_url(&headers);
    let text = format!(
        "User-agent: *\nDisallow: /federation/events\nDisallow: /sparql\n\nSitemap: {base}/sitemap.xml\n"
    );
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_catalog_hold_every_id_once() {
        for datasets in [0, 10_000, 10_001, 160_000, 160_001, u64::MAX] {
            let parts: Vec<Part> = Part::all(datasets).collect();
            for seed in 0..2_000_u128 {
                let id =
                    DatasetId(Uuid::from_u128(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)));
                let holding: Vec<_> = parts.iter().filter(|part| part.holds(id)).collect();
                assert_eq!(holding.len(), 1, "{id} of {datasets}");
                assert!(holding[0].before().is_none_or(|before| before < id && !holding[0].holds(before)));
            }
            for part in parts {
                assert_eq!(Part::parse(&part.name()), Some(part));
            }
        }
        for wrong in ["", "g", "A", "012", "-1", "al", "all.xml", "ä"] {
            assert_eq!(Part::parse(wrong), None, "{wrong}");
        }
    }
}
