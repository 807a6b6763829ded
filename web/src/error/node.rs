//! What the node's refusals mean over HTTP, and in words.
//!
//! A fault in the data directory is logged here, once; the public answer says
//! nothing about it.

use std::fmt::Display;

use axum::http::StatusCode;
use crdt::catalog::invalid::Bilingual;
use crdt::catalog::{InvalidField, Timestamp};
use crdt::ids::{ChangeHash, Town};
use node::handle::{
    CreateError, DecideError, EditCatalogError, EditError, EditedField, LeadError, MergeError, PublishError,
    ReadError,
};
use node::import::ImportError;

use super::{Edited, Obstacle, Problem};

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Invalid(field) => Self::invalid_query(&field),
            ReadError::Rebuilding { .. } => Self::rebuilding(),
            ReadError::Store(_) | ReadError::Search(_) => {
                tracing::error!(%error, "a read failed");
                Self::internal()
            }
        }
    }
}

impl From<node::export::ExportError> for Problem {
    fn from(error: node::export::ExportError) -> Self {
        match error {
            node::export::ExportError::Read(error) => error.into(),
            node::export::ExportError::Write(_) => Self::internal(),
        }
    }
}

impl From<node::harvest::run::HarvestError> for Problem {
    fn from(error: node::harvest::run::HarvestError) -> Self {
        use node::harvest::run::HarvestError;

        match error {
            HarvestError::Invalid(field) => Self::invalid_field(&field),
            HarvestError::Unknown(name) => {
                let message = Bilingual::made(
                    format!("Eine Quelle „{name}“ gibt es nicht."),
                    format!("there is no source `{name}`"),
                );
                let remedy = Bilingual::fixed(
                    "Mit GET /api/v1/sources nachsehen, wie sie heißt.",
                    "look up its name with `hanse source list`",
                );
                Self::new(StatusCode::NOT_FOUND, "not_found", message).remedy(remedy)
            }
            HarvestError::Exists(_)
            | HarvestError::Full
            | HarvestError::Running(_)
            | HarvestError::NotRunning(_)
            | HarvestError::NothingAwaits(_) => Self::refused(&error.to_string()),
            HarvestError::Read(error) => error.into(),
            HarvestError::Import(error) => error.into(),
            HarvestError::Delete(error) => error.into(),
            HarvestError::Write(error) => Self::not_written(&error),
            HarvestError::Spool(_) | HarvestError::BrokenOff => {
                tracing::error!(%error, "a source could not be asked");
                Self::internal()
            }
        }
    }
}

impl From<CreateError> for Problem {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::Exists(id) => {
                let message = Bilingual::made(
                    format!("Den Datensatz {id} gibt es schon."),
                    format!("dataset {id} exists already"),
                );
                let remedy = Bilingual::fixed("Mit PATCH ändern.", "change it with PATCH");
                Self::new(StatusCode::CONFLICT, "exists", message).remedy(remedy)
            }
            CreateError::Invalid(field) => Self::invalid_field(&field),
            CreateError::Busy { .. } => Self::busy(),
            CreateError::Stopped => Self::stopping(),
            CreateError::Write(reason) => Self::not_written(&reason),
        }
    }
}

impl From<ImportError> for Problem {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Busy(_) => Self::busy(),
            ImportError::Read(error) => error.into(),
            ImportError::Spool(_) | ImportError::Key(_) | ImportError::Write(_) => {
                tracing::error!(%error, "an import could not begin");
                Self::internal()
            }
        }
    }
}

impl From<EditError> for Problem {
    fn from(error: EditError) -> Self {
        match error {
            EditError::NotFound(_) => Self::not_found(),
            EditError::NotOwn { owner, .. } => Self::not_own(owner),
            EditError::Invalid(field) => Self::invalid_field(&field),
            EditError::EditedMeanwhile { fields, heads, .. } => Self::meanwhile(&fields, heads),
            EditError::UnknownHeads { .. } => Self::unknown_heads(),
            EditError::NotEditable { field, remedy, .. } => Self::not_editable(&field, remedy),
            EditError::Obstructed { obstacles, .. } => {
                Self::not_publishable(obstacles.iter().map(Obstacle::from).collect())
            }
            EditError::CatchingUp { .. } => Self::catching_up(),
            EditError::NotCertified { reason, .. } => Self::not_certified(&reason),
            EditError::Refused { reason, .. } => Self::refused(&reason),
            EditError::Busy { .. } => Self::busy(),
            EditError::Stopped => Self::stopping(),
            EditError::Write(reason) => Self::not_written(&reason),
        }
    }
}

impl From<DecideError> for Problem {
    fn from(error: DecideError) -> Self {
        match error {
            DecideError::SameRecord(id) => Self::invalid_field(&InvalidField::new(
                "other",
                id,
                Bilingual::fixed("ist derselbe Datensatz", "is the same record"),
                Bilingual::fixed("zwei verschiedene Datensätze angeben", "name two records"),
            )),
            DecideError::NotFound(_) => Self::not_found(),
            DecideError::NeitherOwn(_, _) => Self::neither_own(),
            DecideError::Read(error) => error.into(),
            DecideError::Busy { .. } => Self::busy(),
            DecideError::Stopped => Self::stopping(),
            DecideError::Write(reason) => Self::not_written(&reason),
        }
    }
}

impl From<MergeError> for Problem {
    fn from(error: MergeError) -> Self {
        match error {
            MergeError::SameRecord(id) => DecideError::SameRecord(id).into(),
            MergeError::NotFound(_) => Self::not_found(),
            MergeError::Published { .. } => Self::published_given_up(),
            MergeError::NotLacking { field, lacking } => {
                let lacking: Vec<String> = lacking.into_iter().collect();
                Self::invalid_field(&InvalidField::new(
                    "take_over",
                    field,
                    Bilingual::fixed(
                        "hat der behaltene Datensatz schon, oder der andere nicht",
                        "is a field that the kept record has, or the other has not",
                    ),
                    Bilingual::made(
                        format!("übernommen werden kann: {}", lacking.join(", ")),
                        format!("these can be taken over: {}", lacking.join(", ")),
                    ),
                ))
            }
            MergeError::Edit(error) => error.into(),
            MergeError::Write(reason) => Self::not_written(&reason),
        }
    }
}

impl From<LeadError> for Problem {
    fn from(error: LeadError) -> Self {
        match error {
            LeadError::NotFound(_) => Self::not_found(),
            LeadError::NoSource { source_name, sources } => {
                let sources: Vec<String> = sources.into_iter().collect();
                Self::invalid_field(&InvalidField::new(
                    "source",
                    source_name,
                    Bilingual::fixed("ist keine Quelle dieses Datensatzes", "is no source of this record"),
                    Bilingual::made(
                        format!("eine von diesen angeben: {}", sources.join(", ")),
                        format!("give one of these: {}", sources.join(", ")),
                    ),
                ))
            }
            LeadError::Read(error) => error.into(),
            LeadError::Edit(error) => error.into(),
        }
    }
}

impl From<EditCatalogError> for Problem {
    fn from(error: EditCatalogError) -> Self {
        match error {
            EditCatalogError::Invalid(field) => Self::invalid_field(&field),
            EditCatalogError::Faulty(body) => Self::invalid_fields(&body.fields),
            EditCatalogError::CatchingUp => Self::catching_up(),
            EditCatalogError::NotCertified(reason) => Self::not_certified(&reason),
            EditCatalogError::Refused(reason) => Self::refused(&reason),
            EditCatalogError::Busy { .. } => Self::busy(),
            EditCatalogError::Stopped => Self::stopping(),
            EditCatalogError::Write(reason) => Self::not_written(&reason),
        }
    }
}

impl From<PublishError> for Problem {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::NotFound(_) => Self::not_found(),
            PublishError::NotOwn { owner, .. } => Self::not_own(owner),
            PublishError::AlreadyOpen(_) => {
                let message = Bilingual::fixed(
                    "Der Datensatz ist schon veröffentlicht.",
                    "the dataset is published already",
                );
                let remedy = Bilingual::fixed("Nichts zu tun.", "nothing to do");
                Self::new(StatusCode::CONFLICT, "already_open", message).remedy(remedy)
            }
            PublishError::Incomplete { obstacles, .. } => {
                Self::not_publishable(obstacles.iter().map(Obstacle::from).collect())
            }
            PublishError::NotCertified { reason, .. } => Self::not_certified(&reason),
            PublishError::CatchingUp { .. } => Self::catching_up(),
            PublishError::Refused { reason, .. } => Self::refused(&reason),
            PublishError::Busy { .. } => Self::busy(),
            PublishError::Stopped => Self::stopping(),
            PublishError::Write(reason) => Self::not_written(&reason),
        }
    }
}

impl Problem {
    fn meanwhile(fields: &[EditedField], heads: Vec<ChangeHash>) -> Self {
        let edited = fields.iter().map(|field| Edited {
            field: field.path.clone(),
            at: Timestamp::from_unix(field.at).map(|at| at.to_string()),
            town: field.town.to_string(),
            author: field.pseudonym.to_string(),
        });
        Self::edited_meanwhile(edited.collect(), heads)
    }

    fn rebuilding() -> Self {
        let message =
            Bilingual::fixed("Der Suchindex wird gerade neu aufgebaut.", "the search index is being rebuilt");
        let remedy =
            Bilingual::fixed("In wenigen Sekunden noch einmal versuchen.", "try again in a few seconds");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "rebuilding", message).remedy(remedy)
    }

    fn catching_up() -> Self {
        let message = Bilingual::fixed(
            "Der Knoten gleicht sich noch mit den anderen Städten ab und veröffentlicht noch nichts.",
            "the node is still catching up with the other towns and publishes nothing yet",
        );
        let remedy = Bilingual::fixed(
            "Warten, bis „/readyz“ bereit meldet, und noch einmal versuchen.",
            "wait until `/readyz` says ready and try again",
        );
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "catching_up", message).remedy(remedy)
    }

    fn stopping() -> Self {
        let message = Bilingual::fixed("Der Knoten wird gerade beendet.", "the node is shutting down");
        let remedy =
            Bilingual::fixed("Nach dem Neustart noch einmal versuchen.", "try again after its restart");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", message).remedy(remedy)
    }

    fn not_own(owner: Town) -> Self {
        let message = Bilingual::made(
            format!("Der Datensatz gehört einer anderen Stadt (Gemeindeschlüssel {owner})."),
            format!("the dataset belongs to another town (municipality key {owner})"),
        );
        let remedy = Bilingual::fixed(
            "Nur ein Knoten dieser Stadt kann ihn ändern: dort Bescheid geben.",
            "only a node of that town can change it: tell them",
        );
        Self::new(StatusCode::FORBIDDEN, "not_own", message).remedy(remedy)
    }

    fn published_given_up() -> Self {
        let message = Bilingual::fixed(
            "Der Datensatz, der aufgegeben werden soll, ist veröffentlicht, der andere nicht.",
            "the record to be given up is published, and the other is not",
        );
        let remedy = Bilingual::fixed(
            "Den veröffentlichten behalten, oder den anderen zuerst veröffentlichen.",
            "keep the published one, or publish the other first",
        );
        Self::new(StatusCode::CONFLICT, "published", message).remedy(remedy)
    }

    fn neither_own() -> Self {
        let message = Bilingual::fixed(
            "Keiner der beiden Datensätze gehört dieser Stadt.",
            "neither record belongs to this town",
        );
        let remedy = Bilingual::fixed(
            "Ein Paar mit einem eigenen Datensatz angeben.",
            "name a pair with a record of this town",
        );
        Self::new(StatusCode::FORBIDDEN, "not_own", message).remedy(remedy)
    }

    fn unknown_heads() -> Self {
        let message = Bilingual::fixed(
            "Die angegebenen „heads“ gehören nicht zur Geschichte dieses Datensatzes.",
            "the `heads` given are not of this dataset's history",
        );
        let remedy = Bilingual::fixed(
            "Den Datensatz neu laden und die Änderung mit seinen „heads“ senden.",
            "read the dataset again and send the edit with its `heads`",
        );
        Self::new(StatusCode::CONFLICT, "unknown_heads", message).field("heads").remedy(remedy)
    }

    fn not_editable(field: &str, remedy: &str) -> Self {
        let message = Bilingual::made(
            format!("Das Feld „{field}“ kann so nicht geändert werden."),
            format!("the field `{field}` cannot be changed by an edit"),
        );
        let remedy = Bilingual::made(format!("Das Feld weglassen ({remedy})."), remedy.to_owned());
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "not_editable", message).field(field).remedy(remedy)
    }

    fn not_certified(reason: &str) -> Self {
        let message = Bilingual::made(
            format!("Dieser Knoten darf nicht für seine Stadt siegeln: {reason}"),
            format!("this node may not seal for its town: {reason}"),
        );
        let remedy = Bilingual::fixed(
            "Die IT der Stadt muss dem Knoten eine gültige Bescheinigung geben.",
            "the town's IT has to give the node a valid certificate",
        );
        Self::new(StatusCode::CONFLICT, "not_certified", message).remedy(remedy)
    }

    fn refused(reason: &str) -> Self {
        let message = Bilingual::made(
            format!("Der Datensatz nimmt die Änderung nicht an: {reason}"),
            format!("the dataset does not take the edit: {reason}"),
        );
        let remedy =
            Bilingual::fixed("Die Änderung kleiner fassen oder prüfen.", "check the edit or make it smaller");
        Self::new(StatusCode::CONFLICT, "refused", message).remedy(remedy)
    }

    fn not_written(reason: &impl Display) -> Self {
        tracing::error!(%reason, "a write failed");
        let message = Bilingual::made(
            format!("Nichts wurde gespeichert, der Knoten konnte nicht schreiben: {reason}"),
            format!("nothing was saved, the node could not write: {reason}"),
        );
        let remedy = Bilingual::fixed(
            "Speicherplatz und Rechte des Datenverzeichnisses prüfen, dann noch einmal versuchen.",
            "check space and permissions of the data directory and try again",
        );
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "not_written", message).remedy(remedy)
    }
}
