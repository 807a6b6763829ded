//! Fetches one address of a source, so that neither a hostile source nor a
//! hostile network can make the node read without end or speak to machines of
//! its own house.
//!
//! The address that is checked is the address that is connected to: names are
//! resolved here, each address is judged, and only those that passed are handed
//! to the connection; a name that means something else a moment later changes
//! nothing. Redirects are followed by hand, each judged anew. No cookie, no
//! credential, no `Referer` and no proxy.

use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crdt::catalog::Bilingual;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, StatusCode};
use url::{Host, Url};

use super::page::PAGE_BYTES_MAX;

/// How long a source may take to accept a connection.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one page may take in all.
pub const PAGE_TIMEOUT: Duration = Duration::from_secs(120);
/// Most redirects of one page.
pub const REDIRECTS_MAX: usize = 5;
/// Most times that a packed page may grow; RDF packs some twenty times.
pub const UNPACK_RATIO_MAX: usize = 200;
/// Longest packed page in bytes.
pub const PACKED_BYTES_MAX: usize = PAGE_BYTES_MAX;
/// Longest `ETag` or date that is kept, in bytes.
const VALIDATOR_BYTES_MAX: usize = 512;
/// Longest wait that a source may ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3600);
/// What we like best first.
const ACCEPT: &str = "text/turtle, application/rdf+xml;q=0.9, application/n-triples;q=0.9, application/ld+json;q=0.8, application/json;q=0.7, */*;q=0.1";

/// What a source may lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reach {
    /// Addresses of the house: private, loopback, link-local and the like.
    pub private: bool,
    /// Redirects to another host.
    pub elsewhere: bool,
}

/// What is known of a page from the last time.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Validators {
    /// `ETag`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// `Last-Modified`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
}

/// What came back.
#[derive(Debug, Clone)]
pub enum Fetched {
    /// A page.
    Page {
        /// Its bytes, unpacked.
        bytes: Vec<u8>,
        /// Its media type.
        media_type: Option<String>,
        /// Where it stands, after redirects.
        url: Url,
        /// How to ask for it the next time.
        validators: Validators,
    },
    /// It is as it was.
    NotModified,
}

/// Why a page did not come.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The address is not one to be asked.
    #[error("{0}")]
    Refused(Bilingual),
    /// The source did not answer, or broke off.
    #[error("{0}")]
    Unreachable(Bilingual),
    /// The source answered with an error.
    #[error("{message}")]
    Status {
        /// HTTP's number.
        status: u16,
        /// In words.
        message: Bilingual,
        /// When the source wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// The answer is larger than it may be.
    #[error("{0}")]
    TooLarge(Bilingual),
}

impl FetchError {
    /// What is wrong, in both languages.
    pub fn message(&self) -> &Bilingual {
        match self {
            Self::Refused(text) | Self::Unreachable(text) | Self::TooLarge(text) => text,
            Self::Status { message, .. } => message,
        }
    }
}

/// Asks sources. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Fetcher {
    client: Client,
    reach: Reach,
    timeout: Duration,
}

impl Fetcher {
    /// A fetcher for a source with this reach.
    pub fn new(reach: Reach) -> Result<Self, FetchError> {
        Self::with_timeout(reach, PAGE_TIMEOUT)
    }

    /// The same with another limit of time for a page.
    pub fn with_timeout(reach: Reach, timeout: Duration) -> Result<Self, FetchError> {
        // The first one counts; whoever installed one before wants the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .user_agent(concat!("hanse/", env!("CARGO_PKG_VERSION"), " (catalog harvester)"))
            .dns_resolver(Arc::new(CheckedResolver { reach }))
            .build()
            .map_err(|error| unreachable_source(&error))?;
        Ok(Self { client, reach, timeout })
    }

    /// Whether other hosts may be asked on the way.
    pub(super) fn goes_elsewhere(&self) -> bool {
        self.reach.elsewhere
    }

    /// Fetches a page, unless it is as it was.
    pub async fn fetch(&self, url: &Url, known: &Validators) -> Result<Fetched, FetchError> {
        let slow = || {
            let seconds = self.timeout.as_secs_f32();
            FetchError::Unreachable(Bilingual::made(
                format!("die Quelle hat die Seite nicht innerhalb von {seconds} Sekunden geliefert"),
                format!("the source did not send the page within {seconds} seconds"),
            ))
        };
        tokio::time::timeout(self.timeout, self.follow(url, known)).await.map_err(|_| slow())?
    }

    async fn follow(&self, start: &Url, known: &Validators) -> Result<Fetched, FetchError> {
        let mut url = start.clone();
        for _ in 0..=REDIRECTS_MAX {
            self.judge(&url)?;
            let request = self.client.get(url.clone()).headers(headers(known));
            let response = request.send().await.map_err(|error| unreachable_source(&error))?;
            match response.status() {
                StatusCode::NOT_MODIFIED => return Ok(Fetched::NotModified),
                status if status.is_redirection() => {
                    url = self.redirected(start, &url, response.headers())?
                }
                status if status.is_success() => return page(response, url).await,
                status => return Err(refused_by_source(status, response.headers())),
            }
        }
        Err(FetchError::Refused(Bilingual::made(
            format!("die Quelle leitet mehr als {REDIRECTS_MAX} Mal weiter"),
            format!("the source redirects more than {REDIRECTS_MAX} times"),
        )))
    }

    /// Whether an address may be asked at all. Names are judged when they are
    /// resolved; an address in numbers never gets there.
    fn judge(&self, url: &Url) -> Result<(), FetchError> {
        let refused = |de: &str, en: &str| {
            let shown = without_credentials(url);
            Err(FetchError::Refused(Bilingual::made(format!("{shown} {de}"), format!("{shown} {en}"))))
        };
        if !matches!(url.scheme(), "http" | "https") {
            return refused("ist keine Adresse mit http: oder https:", "is no address with http: or https:");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refused("enthält Zugangsdaten", "contains credentials");
        }
        let address = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(_)) => None,
            None => return refused("nennt keinen Rechner", "names no host"),
        };
        match address {
            Some(address) if !self.reach.private && is_private(address) => {
                Err(FetchError::Refused(private_address(&address.to_string())))
            }
            _ => Ok(()),
        }
    }

    fn redirected(&self, start: &Url, from: &Url, headers: &HeaderMap) -> Result<Url, FetchError> {
        let to =
            headers.get(header::LOCATION).and_then(|to| to.to_str().ok()).and_then(|to| from.join(to).ok());
        let refused = |de: String, en: String| Err(FetchError::Refused(Bilingual::made(de, en)));
        let Some(to) = to else {
            return refused(
                "die Quelle leitet weiter, ohne zu sagen, wohin".into(),
                "the source redirects without saying where to".into(),
            );
        };
        let shown = without_credentials(&to);
        if from.scheme() == "https" && to.scheme() == "http" {
            return refused(
                format!("die Quelle leitet auf die unverschlüsselte Adresse {shown} um"),
                format!("the source redirects to the unencrypted address {shown}"),
            );
        }
        if !self.reach.elsewhere && to.host_str() != start.host_str() {
            return refused(
                format!(
                    "die Quelle leitet auf den fremden Rechner {shown} um; die Adresse dort angeben, oder Umleitungen für diese Quelle erlauben"
                ),
                format!(
                    "the source redirects to another host, {shown}; give that address, or allow redirects for this source"
                ),
            );
        }
        Ok(to)
    }
}

async fn page(mut response: reqwest::Response, url: Url) -> Result<Fetched, FetchError> {
    let header = |name: HeaderName| {
        let text = response.headers().get(name)?.to_str().ok()?;
        (text.len() <= VALIDATOR_BYTES_MAX).then(|| text.to_owned())
    };
    let validators = Validators { etag: header(header::ETAG), last_modified: header(header::LAST_MODIFIED) };
    let media_type = header(header::CONTENT_TYPE);
    let packed = header(header::CONTENT_ENCODING).is_some_and(|coding| coding.eq_ignore_ascii_case("gzip"));
    let length = response.content_length();
    if length.is_some_and(|length| length > PACKED_BYTES_MAX as u64) {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable_source(&error))? {
        if bytes.len() + chunk.len() > PACKED_BYTES_MAX {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    let bytes = if packed || bytes.starts_with(&[0x1f, 0x8b]) { unpack(&bytes)? } else { bytes };
    Ok(Fetched::Page { bytes, media_type, url, validators })
}

/// Unpacks gzip within the bounds of size and growth.
pub(super) fn unpack(packed: &[u8]) -> Result<Vec<u8>, FetchError> {
    let most = PAGE_BYTES_MAX.min(packed.len().saturating_mul(UNPACK_RATIO_MAX));
    let mut bytes = Vec::new();
    let reader = flate2::read::MultiGzDecoder::new(packed);
    match reader.take(most as u64 + 1).read_to_end(&mut bytes) {
        Ok(_) if bytes.len() > most => Err(FetchError::TooLarge(Bilingual::made(
            format!(
                "die gepackte Seite wächst beim Entpacken auf mehr als das {UNPACK_RATIO_MAX}-Fache oder {} MiB",
                PAGE_BYTES_MAX >> 20
            ),
            format!(
                "the packed page grows more than {UNPACK_RATIO_MAX} times or beyond {} MiB",
                PAGE_BYTES_MAX >> 20
            ),
        ))),
        Ok(_) => Ok(bytes),
        Err(_) => Err(FetchError::Unreachable(Bilingual::fixed(
            "die gepackte Seite ist beschädigt oder bricht ab",
            "the packed page is damaged or breaks off",
        ))),
    }
}

fn headers(known: &Validators) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static(ACCEPT));
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    let mut condition = |name: HeaderName, value: &Option<String>| {
        if let Some(value) = value.as_deref().and_then(|value| HeaderValue::from_str(value).ok()) {
            headers.insert(name, value);
        }
    };
    condition(header::IF_NONE_MATCH, &known.etag);
    condition(header::IF_MODIFIED_SINCE, &known.last_modified);
    headers
}

fn too_large() -> FetchError {
    FetchError::TooLarge(Bilingual::made(
        format!("die Seite ist größer als {} MiB", PACKED_BYTES_MAX >> 20),
        format!("the page is larger than {} MiB", PACKED_BYTES_MAX >> 20),
    ))
}

fn refused_by_source(status: StatusCode, headers: &HeaderMap) -> FetchError {
    let seconds = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let number = status.as_u16();
    FetchError::Status {
        status: number,
        message: Bilingual::made(
            format!("die Quelle antwortet mit dem Fehler {number}"),
            format!("the source answers with error {number}"),
        ),
        retry_after: seconds.map(Duration::from_secs).map(|wait| wait.min(RETRY_AFTER_MAX)),
    }
}

fn unreachable_source(error: &reqwest::Error) -> FetchError {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        if let Some(refused) = deeper.downcast_ref::<NoAddress>() {
            return FetchError::Refused(refused.0.clone());
        }
        cause = deeper;
    }
    let detail: String = cause.to_string().chars().take(200).collect();
    FetchError::Unreachable(Bilingual::made(
        format!("die Quelle ist nicht zu erreichen oder bricht ab ({detail})"),
        format!("the source cannot be reached or breaks off ({detail})"),
    ))
}

/// An address as it may be shown.
pub(super) fn without_credentials(url: &Url) -> String {
    let mut shown = url.clone();
    if !shown.username().is_empty() || shown.password().is_some() {
        let _ = shown.set_username("");
        let _ = shown.set_password(None);
    }
    shown.to_string().chars().take(200).collect()
}

fn private_address(host: &str) -> Bilingual {
    Bilingual::made(
        format!(
            "{host} ist eine Adresse im eigenen Haus (privat, lokal oder reserviert); für diese Quelle erlauben, wenn das gewollt ist"
        ),
        format!(
            "{host} is an address of the house (private, local or reserved); allow it for this source if that is meant"
        ),
    )
}

/// No address of a name may be asked.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NoAddress(Bilingual);

/// Resolves names to the addresses that may be asked, and no others.
#[derive(Debug)]
struct CheckedResolver {
    reach: Reach,
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.reach;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let allowed = allowed(name.as_str(), found, reach)?;
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// A name with any address of the house is refused as a whole: it would be
/// chance which one is asked.
fn allowed(name: &str, found: Vec<SocketAddr>, reach: Reach) -> Result<Vec<SocketAddr>, NoAddress> {
    if !reach.private && found.iter().any(|address| is_private(address.ip())) {
        return Err(NoAddress(private_address(name)));
    }
    Ok(found)
}

/// Whether an address is not one of the open internet (IANA's special-purpose
/// registries; RFC 6890 and its successors).
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => is_private_v6(address),
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    matches!(
        (a, b, c),
        (0 | 10 | 127, ..)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18..=19, _)
            | (198, 51, 100)
            | (203, 0, 113)
            | (224..=255, ..)
    )
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    if let Some(inner) = address.to_ipv4_mapped() {
        return is_private_v4(inner);
    }
    let [first, second, third, ..] = address.segments();
    // Of the whole space only 2000::/3 is given out; in it, what tunnels an
    // IPv4 address or is for documents leads elsewhere than it says.
    first & 0xe000 != 0x2000
        || (first == 0x2001 && second < 0x0200)
        || (first == 0x2001 && second == 0x0db8)
        || first == 0x2002
        || (first == 0x3fff && third < 0x1000 && second < 0x1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_house_are_told_from_those_of_the_internet() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.31.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
            "ff02::1",
        ] {
            assert!(is_private(private.parse().unwrap()), "{private}");
        }
        for public in
            ["93.184.216.34", "172.32.0.1", "100.128.0.1", "2a00:1450:4001::1", "2001:4860:4860::8888"]
        {
            assert!(!is_private(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn a_name_that_also_means_a_machine_of_the_house_is_refused() {
        let found = || vec!["93.184.216.34:0".parse().unwrap(), "127.0.0.1:0".parse().unwrap()];
        assert!(allowed("zwei.example", found(), Reach::default()).is_err());
        assert_eq!(
            allowed("zwei.example", found(), Reach { private: true, elsewhere: false }).unwrap().len(),
            2
        );
    }

    #[test]
    fn addresses_in_numbers_files_and_credentials_are_refused() {
        let fetcher = Fetcher::new(Reach::default()).unwrap();
        for (url, word) in [
            ("http://127.0.0.1/", "house"),
            ("http://[::1]:8080/", "house"),
            ("http://2130706433/", "house"),
            ("http://0x7f.1/", "house"),
            ("http://0177.0.0.1/", "house"),
            ("ftp://a.example/", "no address with"),
            ("file:///etc/passwd", "no address with"),
            ("https://anna:geheim@a.example/", "credentials"),
        ] {
            let error = fetcher.judge(&Url::parse(url).unwrap()).unwrap_err().to_string();
            assert!(error.contains(word) && !error.contains("geheim"), "{url}: {error}");
        }
        assert!(fetcher.judge(&Url::parse("https://daten.soest.example/catalog.ttl").unwrap()).is_ok());
    }

    #[test]
    fn a_redirect_that_is_allowed_is_still_judged() {
        let fetcher = Fetcher::new(Reach { private: false, elsewhere: true }).unwrap();
        let start = Url::parse("https://a.example/catalog.ttl").unwrap();
        for (to, word) in [
            ("https://169.254.169.254/latest/", "house"),
            ("https://[::ffff:10.0.0.1]/", "house"),
            ("https://localhost.:8080/", ""),
            ("http://b.example/", "unencrypted"),
            ("file:///etc/passwd", "no address with"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::LOCATION, HeaderValue::from_static(to));
            let followed = fetcher.redirected(&start, &start, &headers).and_then(|to| fetcher.judge(&to));
            match followed {
                Err(error) => assert!(error.to_string().contains(word) && !word.is_empty(), "{to}: {error}"),
                // A name is judged where it is resolved.
                Ok(()) => assert!(word.is_empty(), "{to} was let through"),
            }
        }
    }

    #[test]
    fn packed_pages_unpack_within_bounds() {
        use std::io::Write as _;

        let pack = |bytes: &[u8]| {
            let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            packer.write_all(bytes).unwrap();
            packer.finish().unwrap()
        };
        assert_eq!(unpack(&pack(b"<a:b> <a:c> <a:d> .")).unwrap(), b"<a:b> <a:c> <a:d> .");
        let bomb = pack(&vec![0; 20_000_000]);
        assert!(matches!(unpack(&bomb), Err(FetchError::TooLarge(_))), "{} bytes grow too much", bomb.len());
        let cut = &pack(&[7; 1000])[..15];
        assert!(matches!(unpack(cut), Err(FetchError::Unreachable(_))));
    }
}
