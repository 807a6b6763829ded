//! The files that pages load: one style sheet, one script, one icon, compiled
//! in. Nothing is fetched from elsewhere.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::error::Problem;

/// Name, media type and content of every file.
const FILES: [(&str, &str, &str); 3] = [
    ("hanse.css", "text/css; charset=utf-8", include_str!("../assets/hanse.css")),
    ("live.js", "text/javascript; charset=utf-8", include_str!("../assets/live.js")),
    ("icon.svg", "image/svg+xml", include_str!("../assets/icon.svg")),
];

/// One file; a browser that has it already gets only the news that it is so.
pub(crate) async fn asset(path: Result<Path<String>, PathRejection>, headers: HeaderMap) -> Response {
    let named = |file: &(&str, &str, &str)| path.as_ref().is_ok_and(|Path(name)| file.0 == name);
    let Some((_, media_type, content)) = FILES.into_iter().find(named) else {
        return Problem::not_found().into_response();
    };
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    let tag = format!("\"{:016x}\"", hasher.finish());
    let common = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, "public, max-age=300".to_owned())];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|given| given.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    (common, [(header::CONTENT_TYPE, media_type)], content).into_response()
}
