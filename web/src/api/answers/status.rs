//! How the node is: for anybody, and for staff.

use crdt::catalog::Title;
use crdt::ids::DatasetId;
use node::view::{NewestChange, Phase, PublicStatus, Status, TownInfo};
use serde::Serialize;
use utoipa::ToSchema;

use super::moment;
use crate::api::schema;
/// What anybody may know about the node.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PublicStatusAnswer {
    #[schema(value_type = schema::TownName)]
    node: TownInfo,
    /// Version of the program.
    version: &'static str,
    #[schema(value_type = Option<schema::Federation>)]
    federation: Option<node::view::FederationInfo>,
    /// `starting`, `catching_up` or `ready`.
    #[schema(value_type = String, example = "ready")]
    phase: Phase,
    /// Open datasets of all towns.
    datasets: u64,
    /// Every town of the federation, this one included.
    towns: Vec<PublicTownAnswer>,
    newest_change: Option<NewestChangeAnswer>,
}

/// What anybody may know about one town's node, as seen from here.
#[derive(Debug, Serialize, ToSchema)]
struct PublicTownAnswer {
    #[serde(flatten)]
    #[schema(value_type = schema::TownName)]
    info: TownInfo,
    /// Whether this is the node that answers.
    here: bool,
    /// Whether a session is up.
    connected: bool,
    /// Open datasets of the town held here.
    datasets: u64,
    /// Changes it is known to have that are not here yet.
    lag_changes: u64,
    /// Age of the oldest difference, in seconds.
    lag_seconds: u64,
    /// When it was last heard, RFC 3339.
    last_seen: Option<String>,
}

/// The newest change to an open dataset.
#[derive(Debug, Serialize, ToSchema)]
struct NewestChangeAnswer {
    /// The dataset.
    #[schema(value_type = uuid::Uuid)]
    id: DatasetId,
    /// Its title.
    #[schema(value_type = schema::Literal)]
    title: Title,
    /// Municipality key of its town.
    town: String,
    /// Name of its town.
    town_name: String,
    /// When it was sealed, RFC 3339.
    at: Option<String>,
}

impl From<NewestChange> for NewestChangeAnswer {
    fn from(newest: NewestChange) -> Self {
        Self {
            id: newest.id,
            title: newest.title,
            town: newest.town.to_string(),
            town_name: newest.town_name,
            at: moment(newest.at),
        }
    }
}

impl From<PublicStatus> for PublicStatusAnswer {
    fn from(status: PublicStatus) -> Self {
        let town = |town: node::view::PublicTown| PublicTownAnswer {
            info: town.info,
            here: town.here,
            connected: town.connected,
            datasets: town.datasets,
            lag_changes: town.lag_changes,
            lag_seconds: town.lag_seconds,
            last_seen: town.last_seen.and_then(moment),
        };
        Self {
            node: status.node,
            version: status.version,
            federation: status.federation,
            phase: status.phase,
            datasets: status.datasets,
            towns: status.towns.into_iter().map(town).collect(),
            newest_change: status.newest_change.map(Into::into),
        }
    }
}

/// Everything staff may know about the node.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatusAnswer {
    #[schema(value_type = schema::TownName)]
    node: TownInfo,
    /// Version of the program.
    version: &'static str,
    #[schema(value_type = Option<schema::Federation>)]
    federation: Option<node::view::FederationInfo>,
    /// `starting`, `catching_up` or `ready`.
    #[schema(value_type = String, example = "ready")]
    phase: Phase,
    /// The other towns.
    peers: Vec<PeerAnswer>,
    newest_change: Option<NewestChangeAnswer>,
    #[schema(value_type = schema::Store)]
    store: node::view::StoreStatus,
    #[schema(value_type = schema::Queues)]
    queues: node::view::QueueStatus,
    #[schema(value_type = schema::Quarantine)]
    quarantine: node::view::QuarantineStatus,
}

/// One other town as seen from here.
#[derive(Debug, Serialize, ToSchema)]
struct PeerAnswer {
    #[serde(flatten)]
    #[schema(value_type = schema::TownName)]
    info: TownInfo,
    /// Whether a session is up.
    connected: bool,
    /// Address of the connection, or the last one tried.
    address: Option<String>,
    /// Changes it is known to have that are not here yet.
    lag_changes: u64,
    /// Age of the oldest difference, in seconds.
    lag_seconds: u64,
    /// When it was last heard, RFC 3339.
    last_seen: Option<String>,
    /// Failed dials and refused messages since the start.
    failures: u64,
    /// The last failure in words.
    last_failure: Option<String>,
    /// Open datasets of this town held here.
    datasets: u64,
}

impl From<Status> for StatusAnswer {
    fn from(status: Status) -> Self {
        let peer = |peer: node::view::PeerStatus| PeerAnswer {
            info: peer.info,
            connected: peer.connected,
            address: peer.address,
            lag_changes: peer.lag_changes,
            lag_seconds: peer.lag_seconds,
            last_seen: peer.last_seen.and_then(moment),
            failures: peer.failures,
            last_failure: peer.last_failure,
            datasets: peer.datasets,
        };
        Self {
            node: status.node,
            version: status.version,
            federation: status.federation,
            phase: status.phase,
            peers: status.peers.into_iter().map(peer).collect(),
            newest_change: status.newest_change.map(Into::into),
            store: status.store,
            queues: status.queues,
            quarantine: status.quarantine,
        }
    }
}

/// What nodes compare to see whether they hold the same.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DigestAnswer {
    /// Over which records.
    #[schema(example = "open")]
    pub(in crate::api) audience: &'static str,
    /// The hash, hexadecimal.
    pub(in crate::api) digest: String,
}

/// Whether the node is alive, or ready.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok`, `starting`, `catching_up` or `ready`.
    #[schema(example = "ready")]
    pub(in crate::api) status: &'static str,
}
