//! Reads the JSON body of a request: the right media type, not too long, an
//! object; what is wrong otherwise is said with its place.

use axum::extract::{FromRequest, Request};
use axum::http::header;
use serde_json::{Map, Value};

use crate::error::Problem;
use crate::extract::Body;

/// A JSON object.
#[derive(Debug)]
pub(crate) struct JsonObject(pub(super) Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for JsonObject {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let media_type = request.headers().get(header::CONTENT_TYPE);
        let media_type = media_type.map_or("", |value| value.to_str().unwrap_or("?")).to_owned();
        if !is_json(&media_type) {
            return Err(Problem::wrong_media_type(&media_type));
        }
        let bytes = Body::from_request(request, state).await?.0;
        match serde_json::from_slice(&bytes).map_err(|error| Problem::malformed_json(&error))? {
            Value::Object(object) => Ok(Self(object)),
            _ => Err(Problem::not_an_object()),
        }
    }
}

fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}
