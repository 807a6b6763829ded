//! What goes wrong, in a form for programs and in words that a clerk
//! understands: the one place that maps errors to status codes.
//!
//! [`node`] maps what the node refuses. A [`Problem`] travels as JSON; pages dress it as HTML (`pages::dress`).
//! Never says more about a closed record than about one that never existed.

mod node;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use crdt::catalog::invalid::{Bilingual, nearest};
use crdt::catalog::{self, InvalidField, Lang};
use crdt::ids::ChangeHash;
use serde::Serialize;
use utoipa::ToSchema;

use crate::router::Listener;

/// Seconds after which a client may ask a busy or starting node again.
const RETRY_AFTER_S: u32 = 5;

/// Longest piece of a request that an answer repeats, in characters.
const VALUE_CHARS_MAX: usize = 80;

/// One failed request.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    content: Box<Content>,
}

#[derive(Debug, Clone)]
struct Content {
    message: Bilingual,
    remedy: Option<Bilingual>,
    field: Option<String>,
    value: Option<String>,
    obstacles: Vec<Obstacle>,
    edited: Vec<Edited>,
    heads: Vec<ChangeHash>,
}

/// The body of every error of the API.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    error: ErrorDetail,
}

/// What went wrong and what to do.
#[derive(Debug, Serialize, ToSchema)]
struct ErrorDetail {
    /// Stable name of the error.
    #[schema(example = "unknown_parameter")]
    code: &'static str,
    /// The whole sentence in English.
    message: String,
    /// The whole sentence in German.
    message_de: String,
    /// The field or parameter it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// Its value as given, shortened.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    /// What to do, in English.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
    /// What to do, in German.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy_de: Option<String>,
    /// Everything that hinders the publication (`not_publishable`), or every
    /// field at fault (`invalid_field`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    obstacles: Vec<Obstacle>,
    /// Fields that others edited in the meantime (`edited_meanwhile`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    edited: Vec<Edited>,
    /// The newest changes now (`edited_meanwhile`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    heads: Vec<ChangeHash>,
}

/// One field that stands in the way.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Obstacle {
    /// Path of the field, `/` between its parts.
    pub(crate) field: String,
    /// What is missing or wrong, in English.
    pub(crate) message: String,
    /// The same in German.
    pub(crate) message_de: String,
}

/// A field that somebody else changed since the given heads.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Edited {
    /// Path of the field, `/` between its parts.
    field: String,
    /// When it was changed, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    /// Municipality key of the author's town.
    town: String,
    /// The author's pseudonym.
    author: String,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, message: Bilingual) -> Self {
        let content = Content {
            message,
            remedy: None,
            field: None,
            value: None,
            obstacles: Vec::new(),
            edited: Vec::new(),
            heads: Vec::new(),
        };
        Self { status, code, content: Box::new(content) }
    }

    fn remedy(mut self, remedy: Bilingual) -> Self {
        self.content.remedy = Some(remedy);
        self
    }

    fn field(mut self, field: impl Into<String>) -> Self {
        self.content.field = Some(field.into());
        self
    }

    fn value(mut self, value: &str) -> Self {
        let clean = |c: char| if c.is_control() { '\u{fffd}' } else { c };
        let mut shown: String = value.chars().take(VALUE_CHARS_MAX).map(clean).collect();
        if value.chars().nth(VALUE_CHARS_MAX).is_some() {
            shown.push('…');
        }
        self.content.value = Some(shown);
        self
    }

    /// When a client may ask a busy or starting node again.
    pub(crate) fn retry_after() -> HeaderValue {
        HeaderValue::from(RETRY_AFTER_S)
    }

    /// The same, answered as a conflict: what CKAN says of a value that cannot be.
    #[must_use]
    pub(crate) fn conflicting(mut self) -> Self {
        self.status = StatusCode::CONFLICT;
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    pub(crate) fn message(&self) -> &Bilingual {
        &self.content.message
    }

    pub(crate) fn remedy_words(&self) -> Option<&Bilingual> {
        self.content.remedy.as_ref()
    }

    /// No such dataset, page or route. The same bytes for what is closed and
    /// for what does not exist.
    pub(crate) fn not_found() -> Self {
        let message = Bilingual::fixed("Das gibt es hier nicht.", "there is nothing here");
        let remedy = Bilingual::fixed(
            "Adresse prüfen oder in der Suche nachsehen. Nicht öffentliche Datensätze erscheinen hier nie.",
            "check the address or use the search; records that are not public never appear here",
        );
        Self::new(StatusCode::NOT_FOUND, "not_found", message).remedy(remedy)
    }

    /// The address exists, but not with this method.
    pub(crate) fn method_not_allowed(method: &str) -> Self {
        let message = Bilingual::fixed(
            "Diese Adresse kennt die Methode nicht.",
            "this address does not know the method",
        );
        let remedy = Bilingual::fixed(
            "Eine Methode aus der Kopfzeile „Allow“ verwenden.",
            "use a method of the header `Allow`",
        );
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message).value(method).remedy(remedy)
    }

    /// None of the forms that the client accepts.
    pub(crate) fn not_acceptable(offers: &str) -> Self {
        let message = Bilingual::fixed(
            "In keiner der angenommenen Formen gibt es das hier.",
            "it does not exist here in any of the forms that are accepted",
        );
        let remedy = Bilingual::made(
            format!("Eine davon in der Kopfzeile „Accept“ nennen: {offers}."),
            format!("name one of these in the header `Accept`: {offers}"),
        );
        Self::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", message).field("Accept").remedy(remedy)
    }

    /// A query parameter that the route does not have.
    pub(crate) fn unknown_parameter(name: &str, known: &[&'static str]) -> Self {
        let all = known.join(", ");
        let remedy = match nearest(name, known.iter().copied()) {
            Some(guess) => Bilingual::made(
                format!("Vielleicht „{guess}“? Möglich sind: {all}."),
                format!("did you mean `{guess}`? Possible are: {all}"),
            ),
            None => Bilingual::made(format!("Möglich sind: {all}."), format!("possible are: {all}")),
        };
        let message =
            Bilingual::fixed("Diesen Parameter gibt es hier nicht.", "there is no such parameter here");
        Self::new(StatusCode::BAD_REQUEST, "unknown_parameter", message)
            .field(name)
            .remedy(remedy)
            .shortened()
    }

    /// A query parameter on a route that has none.
    pub(crate) fn no_parameters(name: &str) -> Self {
        let message =
            Bilingual::fixed("Diesen Parameter gibt es hier nicht.", "there is no such parameter here");
        let remedy =
            Bilingual::fixed("Die Adresse ohne Parameter verwenden.", "use the address without parameters");
        Self::new(StatusCode::BAD_REQUEST, "unknown_parameter", message)
            .field(name)
            .remedy(remedy)
            .shortened()
    }

    /// A query parameter with a value that it cannot have.
    pub(crate) fn invalid_parameter(name: &'static str, value: &str, remedy: Bilingual) -> Self {
        let message = Bilingual::made(
            format!("Der Parameter „{name}“ kann diesen Wert nicht haben."),
            format!("the parameter `{name}` cannot have this value"),
        );
        Self::new(StatusCode::BAD_REQUEST, "invalid_parameter", message)
            .field(name)
            .value(value)
            .remedy(remedy)
    }

    /// A query that the search cannot take.
    fn invalid_query(error: &InvalidField) -> Self {
        let message = Bilingual::made(error.message_de(), error.message_en());
        Self::new(StatusCode::BAD_REQUEST, "invalid_parameter", message)
            .field(error.field.clone())
            .value(&error.value)
            .remedy(error.remedy.clone())
    }

    /// A parameter given twice where one value is meant.
    pub(crate) fn repeated_parameter(name: &'static str) -> Self {
        let message = Bilingual::made(
            format!("Der Parameter „{name}“ ist mehrfach angegeben."),
            format!("the parameter `{name}` is given more than once"),
        );
        let remedy = Bilingual::fixed("Den Parameter einmal angeben.", "give it once");
        Self::new(StatusCode::BAD_REQUEST, "repeated_parameter", message).field(name).remedy(remedy)
    }

    /// A field name may be as long as the request; an answer repeats less.
    fn shortened(mut self) -> Self {
        if let Some(field) = &mut self.content.field
            && field.chars().nth(VALUE_CHARS_MAX).is_some()
        {
            *field = field.chars().take(VALUE_CHARS_MAX).chain(['…']).collect();
        }
        self
    }

    /// A body in another form than JSON.
    pub(crate) fn wrong_media_type(given: &str) -> Self {
        let message = Bilingual::fixed("Der Inhalt der Anfrage ist kein JSON.", "the body is not JSON");
        let remedy = Bilingual::fixed(
            "JSON mit der Kopfzeile „Content-Type: application/json“ senden.",
            "send JSON with the header `Content-Type: application/json`",
        );
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong_media_type", message)
            .field("Content-Type")
            .value(given)
            .remedy(remedy)
    }

    /// A body that is longer than any record.
    pub(crate) fn body_too_large(bytes_max: usize) -> Self {
        let message =
            Bilingual::fixed("Der Inhalt der Anfrage ist zu groß.", "the body of the request is too large");
        let remedy = Bilingual::made(
            format!("Höchstens {bytes_max} Byte senden."),
            format!("send at most {bytes_max} bytes"),
        );
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message).remedy(remedy)
    }

    /// A body that broke off.
    pub(crate) fn body_incomplete() -> Self {
        let message = Bilingual::fixed(
            "Der Inhalt der Anfrage kam nicht vollständig an.",
            "the body did not arrive whole",
        );
        let remedy = Bilingual::fixed("Die Anfrage noch einmal senden.", "send the request again");
        Self::new(StatusCode::BAD_REQUEST, "body_incomplete", message).remedy(remedy)
    }

    /// A body that is not JSON.
    pub(crate) fn malformed_json(error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        // The parser's words name no more of the body than one value.
        let parser = error.to_string();
        let message = Bilingual::made(
            format!("Der Inhalt ist kein gültiges JSON: Zeile {line}, Spalte {column}."),
            format!("the body is not valid JSON: line {line}, column {column}"),
        );
        let remedy = Bilingual::fixed("Das JSON an dieser Stelle berichtigen.", "correct the JSON there");
        Self::new(StatusCode::BAD_REQUEST, "malformed_json", message).value(&parser).remedy(remedy)
    }

    /// A JSON body that is not an object.
    pub(crate) fn not_an_object() -> Self {
        let message =
            Bilingual::fixed("Der Inhalt ist JSON, aber kein Objekt.", "the body is JSON but not an object");
        let remedy = Bilingual::fixed(
            "Ein Objekt senden, zum Beispiel {\"title\": {\"de\": \"Baumkataster\"}}.",
            "send an object, for example {\"title\": {\"de\": \"Baumkataster\"}}",
        );
        Self::new(StatusCode::BAD_REQUEST, "not_an_object", message).remedy(remedy)
    }

    /// Fields that cannot hold what was given.
    pub(crate) fn invalid_fields(errors: &[InvalidField]) -> Self {
        let mut problem = match errors {
            [first, ..] => Self::invalid_field(first),
            [] => Self::not_an_object(),
        };
        if errors.len() > 1 {
            problem.content.obstacles = errors.iter().map(Obstacle::from).collect();
        }
        problem
    }

    /// One field that cannot hold what was given.
    pub(crate) fn invalid_field(error: &InvalidField) -> Self {
        let message = Bilingual::made(error.message_de(), error.message_en());
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_field", message)
            .field(error.field.clone())
            .value(&error.value)
            .remedy(error.remedy.clone())
            .shortened()
    }

    /// A dataset that may not go public yet.
    fn not_publishable(obstacles: Vec<Obstacle>) -> Self {
        let message = Bilingual::made(
            format!(
                "Der Datensatz kann noch nicht veröffentlicht werden: {} Hinderungsgründe.",
                obstacles.len()
            ),
            format!("the dataset cannot be published yet: {} obstacles", obstacles.len()),
        );
        let remedy = Bilingual::fixed(
            "Die genannten Felder ausfüllen oder berichtigen und dann noch einmal veröffentlichen.",
            "fill in or correct the fields named and publish again",
        );
        let mut problem =
            Self::new(StatusCode::UNPROCESSABLE_ENTITY, "not_publishable", message).remedy(remedy);
        problem.content.obstacles = obstacles;
        problem
    }

    /// An edit of fields that others have changed since they were read.
    fn edited_meanwhile(edited: Vec<Edited>, heads: Vec<ChangeHash>) -> Self {
        let names = edited.iter().map(|field| field.field.as_str()).collect::<Vec<_>>().join(", ");
        let message = Bilingual::made(
            format!("Diese Felder wurden inzwischen geändert: {names}. Nichts wurde gespeichert."),
            format!("these fields were edited meanwhile: {names}; nothing was saved"),
        );
        let remedy = Bilingual::fixed(
            "Den Datensatz neu laden, die Änderung ansehen und die eigene mit den neuen „heads“ senden.",
            "read the dataset again, look at the edit and send yours with the new `heads`",
        );
        let mut problem = Self::new(StatusCode::CONFLICT, "edited_meanwhile", message).remedy(remedy);
        (problem.content.edited, problem.content.heads) = (edited, heads);
        problem
    }

    /// A desk request without the right token.
    pub(crate) fn unauthorised() -> Self {
        let message = Bilingual::fixed(
            "Der Schreibtisch braucht ein gültiges Zugriffs-Token.",
            "the desk needs a valid access token",
        );
        let remedy = Bilingual::fixed(
            "Auf dem Rechner des Knotens „hanse token --dir VERZEICHNIS“ aufrufen und das Token als Kopfzeile „Authorization: Bearer TOKEN“ senden.",
            "run `hanse token --dir DIRECTORY` on the node's machine and send the token as the header `Authorization: Bearer TOKEN`",
        );
        Self::new(StatusCode::UNAUTHORIZED, "unauthorised", message).remedy(remedy)
    }

    /// A desk request under a name that is not this machine's.
    pub(crate) fn foreign_host(host: &str) -> Self {
        let message = Bilingual::fixed(
            "Unter diesem Namen antwortet der Schreibtisch nicht.",
            "the desk does not answer under this name",
        );
        let remedy = Bilingual::fixed(
            "Die IP-Adresse oder „localhost“ verwenden; ein Proxy muss sie als „Host“ senden.",
            "use the IP address or `localhost`; a proxy must send it as `Host`",
        );
        Self::new(StatusCode::MISDIRECTED_REQUEST, "foreign_host", message)
            .field("Host")
            .value(host)
            .remedy(remedy)
    }

    /// The node is not ready to answer in full.
    pub(crate) fn starting() -> Self {
        let message = Bilingual::fixed(
            "Der Knoten startet gerade und kann noch nicht vollständig antworten.",
            "the node is starting and cannot answer in full yet",
        );
        let remedy =
            Bilingual::fixed("In wenigen Sekunden noch einmal versuchen.", "try again in a few seconds");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "starting", message).remedy(remedy)
    }

    /// More requests at once than the node takes.
    pub(crate) fn busy() -> Self {
        let message = Bilingual::fixed(
            "Der Knoten hat gerade zu viele Anfragen.",
            "the node has too many requests at the moment",
        );
        let remedy =
            Bilingual::fixed("In wenigen Sekunden noch einmal versuchen.", "try again in a few seconds");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message).remedy(remedy)
    }

    /// A request that took longer than it may.
    pub(crate) fn timed_out(listener: Listener) -> Self {
        let message = Bilingual::fixed("Die Anfrage hat zu lange gedauert.", "the request took too long");
        let remedy = match listener {
            Listener::Public => Bilingual::fixed(
                "Enger suchen oder später noch einmal versuchen.",
                "ask for less or try again later",
            ),
            Listener::Desk => Bilingual::fixed(
                "Den Datensatz neu laden und nachsehen, ob die Änderung gespeichert wurde.",
                "read the dataset again to see whether the edit was saved",
            ),
        };
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "timed_out", message).remedy(remedy)
    }

    /// A fault of ours. The log knows more; the answer does not.
    pub(crate) fn internal() -> Self {
        let message =
            Bilingual::fixed("Auf dem Knoten ist ein Fehler aufgetreten.", "the node has met an error");
        let remedy = Bilingual::fixed(
            "Noch einmal versuchen; bleibt der Fehler, die Stadt ansprechen.",
            "try again; if it stays, tell the town",
        );
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message).remedy(remedy)
    }

    fn body(&self) -> ErrorBody {
        let owned = |text: &Bilingual| (text.en.to_string(), text.de.to_string());
        let content = self.content.as_ref().clone();
        let (message, message_de) = owned(&content.message);
        let (remedy, remedy_de) = content.remedy.as_ref().map(owned).unzip();
        ErrorBody {
            error: ErrorDetail {
                code: self.code,
                message,
                message_de,
                field: content.field,
                value: content.value,
                remedy,
                remedy_de,
                obstacles: content.obstacles,
                edited: content.edited,
                heads: content.heads,
            },
        }
    }
}

impl From<&catalog::Finding> for Obstacle {
    fn from(obstacle: &catalog::Finding) -> Self {
        Self {
            field: obstacle.field.clone(),
            message: obstacle.message(Lang::En),
            message_de: obstacle.message(Lang::De),
        }
    }
}

impl From<&InvalidField> for Obstacle {
    fn from(error: &InvalidField) -> Self {
        Self { field: error.field.clone(), message: error.message_en(), message_de: error.message_de() }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body())).into_response();
        let headers = response.headers_mut();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"hanse desk\""));
        }
        response.extensions_mut().insert(self);
        response
    }
}
