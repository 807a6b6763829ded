//! One walk through a source: page after page to its end, or to the reason why
//! it did not come there.
//!
//! What a walk has read counts as read whatever comes later; only a walk that
//! came to its end and adds up says that something is gone. A page that names
//! itself or an earlier one as the next, an empty page or one without news in the
//! middle, a count that changes or is not reached and a record that comes twice
//! are signs of a source that moves or lies, and each is a reason to delete
//! nothing.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crdt::catalog::Bilingual;
use crdt::foreign::ForeignRecord;
use crdt::vocabulary::Vocabularies;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::fetch::{FetchError, Fetched, Fetcher, Validators, without_credentials};
use super::page::{self, Page};
use super::source::{Kind, SourceSpec};
use crate::import::reader::read_page;

/// Most pages of one walk.
pub const PAGES_MAX: usize = 20_000;
/// How long one walk may take.
pub const WALK_TIME_MAX: Duration = Duration::from_secs(6 * 3600);
/// Most records of one walk.
pub const WALK_RECORDS_MAX: usize = 500_000;
/// Records of a page that a CKAN is asked for; its own bound is 1000.
const CKAN_ROWS: usize = 100;

/// How far a walk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct WalkProgress {
    /// Pages read.
    pub pages: usize,
    /// Records read, each once.
    pub records: usize,
    /// Records that came again.
    pub repeated: usize,
    /// How many the source says there are.
    pub total: Option<u64>,
}

/// How a walk ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalkEnd {
    /// What was read.
    pub progress: WalkProgress,
    /// How to ask for the first page the next time, if it is the only one.
    pub validators: Validators,
    /// Whether the source said that nothing changed.
    pub unchanged: bool,
    /// Whether every page was read to the last one.
    pub whole: bool,
    /// Why what is missing must not count as gone; `None`: it may.
    pub incomplete: Option<Bilingual>,
    /// Whether the source refused the first question, so that another may help.
    pub refused: bool,
    /// When the source wants to be asked again, in seconds.
    pub retry_after_s: Option<u64>,
}

/// How a source is walked through.
#[derive(Debug, Clone)]
pub struct Walk<'a> {
    /// Who fetches.
    pub fetcher: &'a Fetcher,
    /// The source.
    pub source: &'a SourceSpec,
    /// Only what changed since, in the source's own words.
    pub since: Option<&'a str>,
    /// What is known of the first page.
    pub known: &'a Validators,
    /// The vocabularies by which codes are known.
    pub lists: &'a Arc<Vocabularies>,
    /// The data directory, where private files may lie.
    pub directory: Option<&'a Path>,
    /// Ends the walk before its time.
    pub stop: &'a CancellationToken,
}

/// Walks through a source. `first` is its first page, if that was fetched
/// already. Each record is handed to `take` once, in the order of the source;
/// `step` learns how far the walk is.
pub async fn walk(
    Walk { fetcher, source, since, known, lists, directory, stop }: Walk<'_>,
    mut first: Option<Fetched>,
    mut take: impl FnMut(ForeignRecord) -> std::io::Result<()>,
    mut step: impl FnMut(WalkProgress),
) -> std::io::Result<WalkEnd> {
    let mut end = WalkEnd {
        progress: WalkProgress::default(),
        validators: Validators::default(),
        unchanged: false,
        whole: false,
        incomplete: None,
        refused: false,
        retry_after_s: None,
    };
    let began = Instant::now();
    let nothing = Validators::default();
    // Why what was read is not one moment of the source.
    let mut moved: Option<Bilingual> = None;
    let mut seen: HashSet<[u8; 16]> = HashSet::new();
    let mut visited: HashSet<String> = HashSet::new();
    let mut next = Some(first_page(source, since));
    while let Some(url) = next.take() {
        if !visited.insert(url.to_string()) || visited.len() > PAGES_MAX {
            end.incomplete = Some(goes_in_circles(&url));
            break;
        }
        let is_first = end.progress.pages == 0;
        let fetched = match first.take() {
            Some(fetched) => Ok(fetched),
            None => {
                let known = if is_first { known } else { &nothing };
                let left = WALK_TIME_MAX.saturating_sub(began.elapsed());
                tokio::select! {
                    fetched = fetcher.fetch(&url, known) => fetched,
                    () = stop.cancelled() => {
                        end.incomplete = Some(stopped());
                        break;
                    }
                    () = tokio::time::sleep(left) => {
                        end.incomplete = Some(takes_too_long());
                        break;
                    }
                }
            }
        };
        let (page, stands_at) = match fetched {
            Ok(Fetched::NotModified) => {
                end.validators = known.clone();
                end.unchanged = true;
                return Ok(end);
            }
            Ok(Fetched::Page { bytes, media_type, url: stands_at, validators }) => {
                if is_first {
                    end.validators = validators;
                }
                let directory = directory.map(Path::to_owned);
                match read(bytes, media_type, stands_at.clone(), Arc::clone(lists), directory).await {
                    Ok(page) => (page, stands_at),
                    Err(problem) => {
                        end.incomplete = Some(on_page(end.progress.pages + 1, &url, &problem));
                        break;
                    }
                }
            }
            Err(error) => {
                if let FetchError::Status { status, retry_after, .. } = &error {
                    end.retry_after_s = retry_after.map(|wait| wait.as_secs());
                    end.refused = is_first && matches!(status, 400 | 409 | 500);
                }
                end.incomplete = Some(on_page(end.progress.pages + 1, &url, error.message()));
                break;
            }
        };
        if !page.is_catalog && page.records.is_empty() {
            end.incomplete = Some(on_page(end.progress.pages + 1, &url, &no_catalog()));
            break;
        }
        end.progress.pages += 1;
        let before = end.progress;
        end.progress.total = page.total.or(end.progress.total);
        if let (Some(before), Some(now)) = (before.total, page.total)
            && before != now
        {
            moved.get_or_insert_with(|| counts_anew(before, now));
        }
        let (count, page_next) = (page.records.len(), page.next.clone());
        for record in page.records {
            // One without a name is no double of another.
            if !record.key.is_empty() && !seen.insert(short_hash(&record)) {
                end.progress.repeated += 1;
                continue;
            }
            end.progress.records += 1;
            if end.progress.records > WALK_RECORDS_MAX {
                end.incomplete = Some(too_many());
                return Ok(end);
            }
            take(record)?;
        }
        step(end.progress);
        if count > 0 && end.progress.records == before.records {
            end.incomplete = Some(on_page(end.progress.pages, &url, &no_news()));
            break;
        }
        next = match following(source, since, &end.progress, count, page_next, &stands_at, fetcher) {
            Ok(next) => next,
            Err(problem) => {
                end.incomplete = Some(problem);
                None
            }
        };
    }
    if end.progress.pages > 1 {
        // Of several pages the first alone does not tell whether one changed.
        end.validators = Validators::default();
    }
    end.whole = end.incomplete.is_none();
    if end.whole {
        end.incomplete = moved.or_else(|| does_not_add_up(&end.progress));
    }
    Ok(end)
}

/// Parsing keeps a thread busy.
async fn read(
    bytes: Vec<u8>,
    media_type: Option<String>,
    url: Url,
    lists: Arc<Vocabularies>,
    directory: Option<PathBuf>,
) -> Result<Page, Bilingual> {
    let work =
        move || read_page(bytes, media_type.as_deref(), Some(url.as_str()), &lists, directory.as_deref());
    let read = tokio::task::spawn_blocking(work).await;
    match read {
        Ok(Ok(page)) => page.map_err(|error| {
            let page::UnreadablePage { problem, remedy } = error;
            Bilingual::made(
                format!("{}; {}", problem.de, remedy.de),
                format!("{}; {}", problem.en, remedy.en),
            )
        }),
        Ok(Err(error)) => {
            tracing::warn!(%error, "a fetched page could not be read");
            Err(broke_off())
        }
        Err(_) => Err(broke_off()),
    }
}

fn broke_off() -> Bilingual {
    Bilingual::fixed("das Lesen ist abgebrochen", "reading broke off")
}

fn first_page(source: &SourceSpec, since: Option<&str>) -> Url {
    match source.kind {
        Kind::Rdf => source.url.clone(),
        Kind::Ckan => ckan_page(&source.url, 0, since),
    }
}

/// `package_search` in an order that no edit changes.
fn ckan_page(base: &Url, start: usize, since: Option<&str>) -> Url {
    let mut url = base.clone();
    let path = base.path().split("/api/").next().unwrap_or_default().trim_end_matches('/').to_owned();
    url.set_path(&format!("{path}/api/3/action/package_search"));
    url.set_fragment(None);
    // What the source was narrowed to (`fq`, `q`) stays.
    let kept: Vec<(String, String)> = base
        .query_pairs()
        .filter(|(name, _)| !matches!(&**name, "rows" | "start" | "sort"))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let mut query = url.query_pairs_mut();
    query.clear();
    for (name, value) in &kept {
        match since {
            Some(since) if name == "fq" => {
                query.append_pair(name, &format!("({value}) AND {}", newer(since)))
            }
            _ => query.append_pair(name, value),
        };
    }
    if let Some(since) = since
        && !kept.iter().any(|(name, _)| name == "fq")
    {
        query.append_pair("fq", &newer(since));
    }
    query.append_pair("sort", "id asc");
    query.append_pair("rows", &CKAN_ROWS.to_string());
    query.append_pair("start", &start.to_string());
    drop(query);
    url
}

/// What Solr calls newer. CKAN writes its moments without the zone, which is
/// always UTC, and Solr demands it.
fn newer(since: &str) -> String {
    let has_zone = since.ends_with('Z') || since.get(10..).is_some_and(|time| time.contains(['+', '-']));
    let (zone, since) = if has_zone { ("", since) } else { ("Z", since) };
    format!("metadata_modified:[{since}{zone} TO *]")
}

/// The page after this one, none at the end, or why there is neither.
fn following(
    source: &SourceSpec,
    since: Option<&str>,
    progress: &WalkProgress,
    count: usize,
    next: Option<String>,
    stands_at: &Url,
    fetcher: &Fetcher,
) -> Result<Option<Url>, Bilingual> {
    match source.kind {
        Kind::Rdf => {
            let Some(next) = next else { return Ok(None) };
            let url = stands_at.join(&next).map_err(|_| goes_nowhere(&next))?;
            let is_safe = url.scheme() == "https" || url.scheme() == stands_at.scheme();
            let stays = url.host_str() == stands_at.host_str()
                && (url.port_or_known_default() == stands_at.port_or_known_default()
                    || url.scheme() != stands_at.scheme());
            if !is_safe || !stays && !fetcher.goes_elsewhere() {
                return Err(goes_nowhere(&next));
            }
            if count == 0 {
                return Err(empty_page(progress.pages));
            }
            Ok(Some(url))
        }
        Kind::Ckan => {
            let read = progress.records + progress.repeated;
            match progress.total {
                Some(total) if (read as u64) < total && count == 0 => Err(empty_page(progress.pages)),
                Some(total) if (read as u64) < total => Ok(Some(ckan_page(&source.url, read, since))),
                _ => Ok(None),
            }
        }
    }
}

/// Whether all records came once, and as many as were promised.
fn does_not_add_up(progress: &WalkProgress) -> Option<Bilingual> {
    let WalkProgress { records, repeated, total, .. } = *progress;
    if repeated > 0 {
        return Some(Bilingual::made(
            format!(
                "{repeated} Datensätze kamen mehrfach: die Quelle hat sich während des Abrufs bewegt, andere können fehlen"
            ),
            format!(
                "{repeated} records came more than once: the source moved during the walk, others may be missing"
            ),
        ));
    }
    match total {
        Some(total) if total != records as u64 => Some(Bilingual::made(
            format!("die Quelle nennt {total} Datensätze, gekommen sind {records}"),
            format!("the source speaks of {total} records, {records} came"),
        )),
        _ => None,
    }
}

fn short_hash(record: &ForeignRecord) -> [u8; 16] {
    let mut short = [0; 16];
    short.copy_from_slice(&crdt::encoding::hash("hanse harvest key 1", &[record.key.as_bytes()])[..16]);
    short
}

fn on_page(number: usize, url: &Url, problem: &Bilingual) -> Bilingual {
    let shown = without_credentials(url);
    Bilingual::made(
        format!("Seite {number} ({shown}): {}", problem.de),
        format!("page {number} ({shown}): {}", problem.en),
    )
}

fn no_news() -> Bilingual {
    Bilingual::fixed(
        "alle ihre Datensätze kamen schon auf früheren Seiten; die Quelle blättert nicht weiter",
        "all its records came on earlier pages already; the source does not turn the page",
    )
}

fn counts_anew(before: u64, now: u64) -> Bilingual {
    Bilingual::made(
        format!(
            "die Quelle nannte erst {before}, dann {now} Datensätze: sie hat sich während des Abrufs bewegt, andere können fehlen"
        ),
        format!(
            "the source spoke of {before} records first, then of {now}: it moved during the walk, others may be missing"
        ),
    )
}

fn stopped() -> Bilingual {
    Bilingual::fixed("der Abruf wurde angehalten", "the walk was stopped")
}

fn takes_too_long() -> Bilingual {
    let hours = WALK_TIME_MAX.as_secs() / 3600;
    Bilingual::made(
        format!("der Abruf dauert länger als {hours} Stunden"),
        format!("the walk takes longer than {hours} hours"),
    )
}

fn no_catalog() -> Bilingual {
    Bilingual::fixed(
        "die Antwort nennt weder einen Katalog noch einen Datensatz",
        "the answer names neither a catalog nor a dataset",
    )
}

fn goes_in_circles(url: &Url) -> Bilingual {
    let shown = without_credentials(url);
    Bilingual::made(
        format!("die Seiten führen im Kreis: {shown} kam schon einmal"),
        format!("the pages lead in a circle: {shown} was there before"),
    )
}

fn goes_nowhere(next: &str) -> Bilingual {
    let shown: String = next.chars().take(200).collect();
    Bilingual::made(
        format!("der Verweis auf die nächste Seite führt nicht weiter: {shown}"),
        format!("the link to the next page leads nowhere: {shown}"),
    )
}

fn empty_page(number: usize) -> Bilingual {
    Bilingual::made(
        format!("Seite {number} ist leer, obwohl noch Datensätze kommen müssten"),
        format!("page {number} is empty although records should follow"),
    )
}

fn too_many() -> Bilingual {
    Bilingual::made(
        format!("die Quelle hat mehr als {WALK_RECORDS_MAX} Datensätze"),
        format!("the source has more than {WALK_RECORDS_MAX} records"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ckan_is_asked_in_a_fixed_order_and_for_what_is_new() {
        let base = |text: &str| Url::parse(text).unwrap();
        for portal in [
            "https://a.example",
            "https://a.example/",
            "https://a.example/api/3/action/package_search?rows=5",
        ] {
            let url = ckan_page(&base(portal), 200, None);
            assert_eq!(
                url.as_str(),
                "https://a.example/api/3/action/package_search?sort=id+asc&rows=100&start=200"
            );
        }
        let narrowed = ckan_page(
            &base("https://a.example/ckan/?fq=organization:soest"),
            0,
            Some("2026-01-01T00:00:00Z"),
        );
        assert!(
            narrowed
                .as_str()
                .starts_with("https://a.example/ckan/api/3/action/package_search?fq=%28organization")
        );
        assert!(narrowed.as_str().contains("metadata_modified"), "{narrowed}");
        for (since, meant) in [
            ("2026-01-01T00:00:00.123456", "2026-01-01T00:00:00.123456Z"),
            ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
            ("2026-01-01T00:00:00+01:00", "2026-01-01T00:00:00+01:00"),
        ] {
            assert_eq!(newer(since), format!("metadata_modified:[{meant} TO *]"));
        }
    }

    #[test]
    fn a_walk_that_does_not_add_up_says_so() {
        let progress = |records, repeated, total| WalkProgress { pages: 2, records, repeated, total };
        assert_eq!(does_not_add_up(&progress(5, 0, Some(5))), None);
        assert_eq!(does_not_add_up(&progress(5, 0, None)), None);
        for wrong in [progress(4, 0, Some(5)), progress(6, 0, Some(5)), progress(5, 1, None)] {
            assert!(does_not_add_up(&wrong).is_some(), "{wrong:?}");
        }
    }
}
