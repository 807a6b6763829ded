//! Yamux with windows of our choosing.
//!
//! libp2p's own wrapper bounds the number of streams but leaves a connection
//! up to 1 GiB of unread data, which a peer reaches by answering yamux's pings
//! late. This one is that wrapper with the bound set, and it knows nothing of
//! what the streams carry.

use std::collections::VecDeque;
use std::future::{Ready, ready};
use std::io;
use std::iter;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use futures::{AsyncRead, AsyncWrite};
use libp2p::core::muxing::{StreamMuxer, StreamMuxerEvent};
use libp2p::core::upgrade::{InboundConnectionUpgrade, OutboundConnectionUpgrade, UpgradeInfo};

/// Streams of one connection, both directions together: four that a peer may
/// open (sync, ping, identify, one that is closing) and as many of ours.
const STREAMS_MAX: usize = 8;

/// Unread bytes that all streams of one connection may hold. Each stream is
/// promised 256 KiB; what is above lets the busy one grow on a long line.
const RECEIVE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The upgrade to a bounded Yamux connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Yamux;

impl Yamux {
    fn connection<C>(io: C, mode: yamux::Mode) -> Muxer<C>
    where
        C: AsyncRead + AsyncWrite + Unpin,
    {
        let mut config = yamux::Config::default();
        config.set_max_num_streams(STREAMS_MAX).set_max_connection_receive_window(Some(RECEIVE_BYTES_MAX));
        Muxer { connection: yamux::Connection::new(io, config, mode), inbound: VecDeque::new(), waker: None }
    }
}

impl UpgradeInfo for Yamux {
    type Info = &'static str;
    type InfoIter = iter::Once<Self::Info>;

    fn protocol_info(&self) -> Self::InfoIter {
        iter::once("/yamux/1.0.0")
    }
}

impl<C> InboundConnectionUpgrade<C> for Yamux
where
    C: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Output = Muxer<C>;
    type Error = io::Error;
    type Future = Ready<Result<Self::Output, Self::Error>>;

    fn upgrade_inbound(self, io: C, _: Self::Info) -> Self::Future {
        ready(Ok(Self::connection(io, yamux::Mode::Server)))
    }
}

impl<C> OutboundConnectionUpgrade<C> for Yamux
where
    C: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Output = Muxer<C>;
    type Error = io::Error;
    type Future = Ready<Result<Self::Output, Self::Error>>;

    fn upgrade_outbound(self, io: C, _: Self::Info) -> Self::Future {
        ready(Ok(Self::connection(io, yamux::Mode::Client)))
    }
}

/// One connection.
pub(super) struct Muxer<C> {
    connection: yamux::Connection<C>,
    /// Streams that arrived while libp2p drove the connection for another
    /// reason; bounded by [`STREAMS_MAX`].
    inbound: VecDeque<yamux::Stream>,
    waker: Option<Waker>,
}

impl<C> Muxer<C>
where
    C: AsyncRead + AsyncWrite + Unpin + 'static,
{
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<yamux::Stream, yamux::ConnectionError>> {
        self.connection.poll_next_inbound(cx).map(|next| next.unwrap_or(Err(yamux::ConnectionError::Closed)))
    }
}

impl<C> StreamMuxer for Muxer<C>
where
    C: AsyncRead + AsyncWrite + Unpin + 'static,
{
    type Substream = yamux::Stream;
    type Error = yamux::ConnectionError;

    fn poll_inbound(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::Substream, Self::Error>> {
        if let Some(stream) = self.inbound.pop_front() {
            return Poll::Ready(Ok(stream));
        }
        let next = self.poll_next(cx);
        if next.is_pending() {
            self.waker = Some(cx.waker().clone());
        }
        next
    }

    fn poll_outbound(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::Substream, Self::Error>> {
        self.connection.poll_new_outbound(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.connection.poll_close(cx)
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<StreamMuxerEvent, Self::Error>> {
        match self.poll_next(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(stream)) => {
                // Beyond the bound the stream is dropped, which resets it.
                if self.inbound.len() < STREAMS_MAX {
                    self.inbound.push_back(stream);
                }
                if let Some(waker) = self.waker.take() {
                    waker.wake();
                }
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }
}
