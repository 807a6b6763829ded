//! A wire between two nodes that counts what passes: all of TCP's payload, so
//! handshakes, encryption and multiplexing too.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// One wire; it lives as long as its runtime.
#[derive(Clone)]
pub(crate) struct Wire {
    /// What the dialing node is to dial.
    pub(crate) address: String,
    counted: Arc<[AtomicU64; 2]>,
}

impl Wire {
    /// A wire that leads to a node's multiaddr.
    pub(crate) async fn to(address: &str) -> Result<Self> {
        let mut parts: Vec<String> = address.split('/').map(str::to_owned).collect();
        let port = parts.get(4).context("a multiaddr with a TCP port")?.parse::<u16>()?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        parts[4] = listener.local_addr()?.port().to_string();
        let counted: Arc<[AtomicU64; 2]> = Arc::default();
        let counts = Arc::clone(&counted);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let counts = Arc::clone(&counts);
                tokio::spawn(async move {
                    let Ok(far) = TcpStream::connect(("127.0.0.1", port)).await else { return };
                    let _ = (near.set_nodelay(true), far.set_nodelay(true));
                    let (near_read, near_write) = near.into_split();
                    let (far_read, far_write) = far.into_split();
                    tokio::join!(
                        carry(near_read, far_write, &counts[0]),
                        carry(far_read, near_write, &counts[1])
                    );
                });
            }
        });
        Ok(Self { address: parts.join("/"), counted })
    }

    /// Bytes from the dialing node, and to it.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        (self.counted[0].load(Ordering::Relaxed), self.counted[1].load(Ordering::Relaxed))
    }
}

async fn carry(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, counted: &AtomicU64) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        counted.fetch_add(read as u64, Ordering::Relaxed);
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}
