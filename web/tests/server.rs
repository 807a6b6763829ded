//! Both listeners over real sockets, from bind to a clean stop.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use support::soest;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use web::{BindError, Server};

async fn ask(address: std::net::SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn both_listeners_serve_until_they_are_stopped() {
    let soest = soest().await;
    let mut config = soest.config.clone();
    config.public.listen = ([127, 0, 0, 1], 0).into();
    config.desk.listen = ([127, 0, 0, 1], 0).into();
    let server = Server::bind(soest.handle(), config.clone()).await.unwrap();
    let (public, desk) = (server.public_address(), server.desk_address());
    assert!(public.port() != 0 && desk.port() != 0 && public != desk);

    config.desk.listen = desk;
    let taken = Server::bind(soest.handle(), config).await.unwrap_err();
    assert!(matches!(taken, BindError::Taken { .. }), "{taken}");

    let stop = CancellationToken::new();
    let serving = tokio::spawn(server.serve(stop.clone()));
    assert!(ask(public, "/api/v1/status").await.starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(ask(public, "/healthz").await.starts_with("HTTP/1.1 404 "));
    assert!(ask(desk, "/healthz").await.starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(ask(desk, "/api/v1/status").await.starts_with("HTTP/1.1 401 "));
    // A live page that is still open does not hold the stop up.
    let mut live = TcpStream::connect(public).await.unwrap();
    live.write_all(format!("GET /federation/events HTTP/1.1\r\nHost: {public}\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let mut first = [0; 15];
    live.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    stop.cancel();
    serving.await.unwrap().unwrap();
    assert!(TcpStream::connect(public).await.is_err());
}
