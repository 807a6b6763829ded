//! What may stand where in a document: the gate asks, before a change is
//! admitted, whether every value it makes is of its field's kind.
//!
//! Unknown fields may hold anything within the protocol's bounds, so that
//! nodes of different versions run side by side. Never looks at content: what a
//! text says is the reader's question.

use crate::catalog::fields::{CATALOG, DATASET, Field, Shape, find};
use crate::catalog::{FieldPath, ValueKind};
use crate::genesis::DocumentKind;

/// A value of a kind that its field cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("field `{path}` holds a {wanted}, not a {given}", wanted = wanted.name(), given = given.name())]
pub struct SchemaViolation {
    /// The place.
    pub path: FieldPath,
    /// What the field holds.
    pub wanted: ValueKind,
    /// What was given.
    pub given: ValueKind,
}

/// One step from the root of a document to a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathPart {
    /// A key of a map.
    Key(String),
    /// An element of a list.
    Element,
}

/// Whether a value of this kind may be put at this place of such a document.
pub fn check(document: DocumentKind, path: &[PathPart], kind: ValueKind) -> Result<(), SchemaViolation> {
    let fields = match document {
        DocumentKind::Dataset => DATASET,
        DocumentKind::Catalog => CATALOG,
        // Regional lists have no fields yet: bounds alone hold for them.
        DocumentKind::RegionalList => return Ok(()),
    };
    match wanted(fields, path) {
        Some(wanted) if wanted != kind => {
            let keys = path.iter().map(|part| match part {
                PathPart::Key(key) => key.as_str(),
                PathPart::Element => "[]",
            });
            Err(SchemaViolation { path: FieldPath::new(keys), wanted, given: kind })
        }
        _ => Ok(()),
    }
}

/// The one kind that may stand there; `None` if this version does not know the
/// place.
fn wanted(fields: &'static [Field], path: &[PathPart]) -> Option<ValueKind> {
    let [PathPart::Key(name), rest @ ..] = path else { return None };
    let shape = find(fields, name)?.shape;
    match (shape, rest) {
        (Shape::Scalar(kind, _), []) => Some(kind),
        (Shape::Scalar(..), _) => None,
        (_, []) => Some(ValueKind::Map),
        (Shape::Record(below), rest) => wanted(below, rest),
        (Shape::Set(check), [PathPart::Key(key)]) => check(key).is_ok().then_some(ValueKind::Bool),
        (Shape::Entries(_), [PathPart::Key(_)]) => Some(ValueKind::Map),
        (Shape::Entries(below), [PathPart::Key(_), rest @ ..]) => wanted(below, rest),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(document: DocumentKind, path: &str, kind: ValueKind) -> bool {
        let parts: Vec<_> = path.split('/').map(|key| PathPart::Key(key.to_owned())).collect();
        check(document, &parts, kind).is_ok()
    }

    #[test]
    fn known_places_hold_their_kind_alone() {
        use ValueKind::{Bool, Bytes, Int, List, Map, Null, Text};
        let places = [
            ("title", Map),
            ("title/de", Text),
            ("keywords/de/Baum", Bool),
            ("themes/ENVI", Bool),
            ("licence", Text),
            ("distributions", Map),
            ("distributions/x", Map),
            ("distributions/x/title/en", Text),
            ("distributions/x/position", Int),
        ];
        for (path, wanted) in places {
            for kind in [Map, List, Text, Int, Bool, Null, Bytes] {
                assert_eq!(verdict(DocumentKind::Dataset, path, kind), kind == wanted, "{path} as {kind:?}");
            }
        }
    }

    #[test]
    fn unknown_places_hold_anything() {
        for path in [
            "wetter",
            "title/fr",
            "themes/ein neues",
            "distributions/x/wetter",
            "contact/wetter/heute",
            "licence/x",
        ] {
            assert!(verdict(DocumentKind::Dataset, path, ValueKind::List), "{path}");
        }
        assert!(verdict(DocumentKind::Catalog, "distributions", ValueKind::Int));
        assert!(!verdict(DocumentKind::Catalog, "town", ValueKind::Int));
        assert!(verdict(DocumentKind::RegionalList, "town", ValueKind::Int));
    }

    #[test]
    fn a_violation_names_the_field() {
        let error =
            check(DocumentKind::Dataset, &[PathPart::Key("title".into())], ValueKind::List).unwrap_err();
        assert_eq!(error.to_string(), "field `title` holds a map, not a list");
    }
}
