//! Builds the transport: TCP and DNS, Noise, the allow-list, Yamux.
//!
//! # Invariants
//!
//! - A peer whose key is not on the allow-list never reaches the multiplexer:
//!   [`Doorkeeper`] ends the upgrade between Noise and Yamux, in both
//!   directions. libp2p's own lists act only after both.

use std::collections::BTreeSet;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};

use futures::future::BoxFuture;
use futures::{AsyncRead, AsyncWrite, FutureExt as _};
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::{Boxed, upgrade::Version};
use libp2p::core::upgrade::{InboundConnectionUpgrade, OutboundConnectionUpgrade, UpgradeInfo};
use libp2p::{PeerId, Transport as _, dns, noise, tcp};

use super::Timing;
use super::key::TransportKey;
use super::muxer::Yamux;

/// The peers that may connect now, shared by the transport and the loop that
/// changes it.
#[derive(Debug, Clone, Default)]
pub(super) struct AllowList(Arc<RwLock<BTreeSet<PeerId>>>);

impl AllowList {
    pub(super) fn replace(&self, peers: BTreeSet<PeerId>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = peers;
    }

    fn contains(&self, peer: &PeerId) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains(peer)
    }
}

/// A peer that proved its key and is not on the list.
#[derive(Debug, thiserror::Error)]
pub(super) enum DoorError {
    #[error("handshake failed: {0}")]
    Noise(#[from] noise::Error),
    #[error("peer {0} is not on the list of the federation's nodes")]
    Stranger(PeerId),
}

/// Noise, and then a look at the list.
#[derive(Clone)]
pub(super) struct Doorkeeper {
    noise: noise::Config,
    allowed: AllowList,
}

impl Doorkeeper {
    fn admit<T>(
        self,
        shaking: impl Future<Output = Result<(PeerId, T), noise::Error>> + Send + 'static,
    ) -> BoxFuture<'static, Result<(PeerId, T), DoorError>>
    where
        T: Send + 'static,
    {
        async move {
            let (peer, stream) = shaking.await?;
            match self.allowed.contains(&peer) {
                true => Ok((peer, stream)),
                false => Err(DoorError::Stranger(peer)),
            }
        }
        .boxed()
    }
}

impl UpgradeInfo for Doorkeeper {
    type Info = <noise::Config as UpgradeInfo>::Info;
    type InfoIter = <noise::Config as UpgradeInfo>::InfoIter;

    fn protocol_info(&self) -> Self::InfoIter {
        self.noise.protocol_info()
    }
}

impl<C> InboundConnectionUpgrade<C> for Doorkeeper
where
    C: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Output = (PeerId, noise::Output<C>);
    type Error = DoorError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Output, Self::Error>> + Send>>;

    fn upgrade_inbound(self, socket: C, info: Self::Info) -> Self::Future {
        let shaking = self.noise.clone().upgrade_inbound(socket, info);
        self.admit(shaking)
    }
}

impl<C> OutboundConnectionUpgrade<C> for Doorkeeper
where
    C: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Output = (PeerId, noise::Output<C>);
    type Error = DoorError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Output, Self::Error>> + Send>>;

    fn upgrade_outbound(self, socket: C, info: Self::Info) -> Self::Future {
        let shaking = self.noise.clone().upgrade_outbound(socket, info);
        self.admit(shaking)
    }
}

/// The whole transport of a node.
pub(super) fn build(
    key: &TransportKey,
    allowed: AllowList,
    timing: &Timing,
) -> Result<Boxed<(PeerId, StreamMuxerBox)>, noise::Error> {
    let doorkeeper = Doorkeeper { noise: noise::Config::new(&key.keypair())?, allowed };
    let transport = resolving(|| tcp::tokio::Transport::new(tcp::Config::default().nodelay(true)))
        .upgrade(Version::V1)
        .authenticate(doorkeeper)
        .multiplex(Yamux)
        .timeout(timing.handshake_timeout)
        .boxed();
    Ok(transport)
}

/// Adds name resolution as the system is configured. Without a readable
/// configuration addresses by number still work: a town works alone. The
/// resolver's built-in default is a public one elsewhere and is never used.
fn resolving(tcp: impl Fn() -> tcp::tokio::Transport) -> dns::tokio::Transport<tcp::tokio::Transport> {
    dns::tokio::Transport::system(tcp()).unwrap_or_else(|error: io::Error| {
        tracing::warn!(%error, "name resolution is not configured, only numeric addresses work");
        let nowhere = dns::ResolverConfig::from_parts(None, Vec::new(), Vec::new());
        dns::tokio::Transport::custom(tcp(), nowhere, dns::ResolverOpts::default())
    })
}
