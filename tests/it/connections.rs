//! Connections: how many, and how long one is kept that brings nothing or takes nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use onestop::http::listen::{Limits, listen};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

const SHORT: Duration = Duration::from_millis(100);
/// Longer than any test runs.
const LONG: Duration = Duration::from_secs(600);
const ASK: &[u8] = b"GET / HTTP/1.1\r\nhost: onestop\r\n\r\n";

struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl Server {
    async fn with(limits: Limits, router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(listen(listener, router, stopped, limits));
        Self { address, stop, serving }
    }

    /// Answers everything with "fine".
    async fn fine(limits: Limits) -> Self {
        Self::with(limits, Router::new().fallback(|| async { "fine" })).await
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

fn patient(patience: Duration) -> Limits {
    Limits { patience, ..Limits::default() }
}

/// Reads an answer whose body is "fine".
async fn answer(stream: &mut TcpStream) {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\nfine") {
        assert_ne!(stream.read_buf(&mut read).await.unwrap(), 0, "{}", String::from_utf8_lossy(&read));
    }
    assert!(read.starts_with(b"HTTP/1.1 200 OK\r\n"));
}

/// Fails, and does not hang, when the server keeps the connection.
async fn closed(mut stream: TcpStream) {
    let mut rest = Vec::new();
    let end = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut rest)).await;
    // Closing with something unread resets the connection; it is closed all the same.
    let _ = end.expect("the server keeps the connection");
    assert!(!rest.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&rest));
}

#[tokio::test]
async fn who_says_nothing_is_not_waited_for() {
    let server = Server::fine(patient(SHORT)).await;
    closed(server.connect().await).await;
}

#[tokio::test]
async fn half_a_head_is_not_waited_for() {
    let server = Server::fine(patient(SHORT)).await;
    for half in ["P", "POST /graphql HTTP/1.1\r\n", "GET / HTTP/1.1\r\nhost: onestop\r\nauthorization: Bea"] {
        let mut stream = server.connect().await;
        stream.write_all(half.as_bytes()).await.unwrap();
        closed(stream).await;
    }
}

/// The head as a whole has its time; a byte now and then buys no more of it.
#[tokio::test]
async fn a_head_that_drips_is_not_waited_for() {
    let server = Server::fine(patient(SHORT)).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nx: ").await.unwrap();
    let dripping = async {
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(SHORT / 5).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), dripping).await.expect("the server goes on reading");
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_request_but_not_for_ever() {
    let server = Server::fine(patient(SHORT * 10)).await;
    let mut stream = server.connect().await;
    for _ in 0..3 {
        stream.write_all(ASK).await.unwrap();
        answer(&mut stream).await;
    }
    closed(stream).await;
}

#[tokio::test]
async fn work_may_take_longer_than_a_head() {
    let slow = get(|| async {
        tokio::time::sleep(SHORT * 3).await;
        "fine"
    });
    let server = Server::with(patient(SHORT), Router::new().route("/", slow)).await;
    let mut stream = server.connect().await;
    stream.write_all(ASK).await.unwrap();
    answer(&mut stream).await;
}

/// Asks again and again without reading: once the way back is full, nothing goes out any more.
#[tokio::test]
async fn who_takes_no_answer_is_not_waited_for() {
    let long = "long ".repeat(50_000);
    let router = Router::new().fallback(move || std::future::ready(long.clone()));
    let server = Server::with(patient(SHORT), router).await;
    let mut stream = server.connect().await;
    let asking = async { while stream.write_all(ASK).await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(30), asking).await.expect("the server keeps the connection");
}

#[tokio::test]
async fn one_connection_too_many_waits_for_its_turn() {
    let server = Server::fine(Limits { connections: 2, patience: LONG }).await;
    let mut first = server.connect().await;
    let mut second = server.connect().await;
    for stream in [&mut first, &mut second] {
        stream.write_all(ASK).await.unwrap();
        answer(stream).await;
    }
    let mut third = server.connect().await;
    third.write_all(ASK).await.unwrap();
    let early = tokio::time::timeout(SHORT, answer(&mut third)).await;
    assert!(early.is_err(), "a third is served beside the two");
    drop(first);
    answer(&mut third).await;
    second.write_all(ASK).await.unwrap();
    answer(&mut second).await;
}

#[tokio::test]
async fn told_to_stop_it_ends_what_runs_and_takes_nothing_new() {
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let slow = {
        let (begun, go_on) = (Arc::clone(&begun), Arc::clone(&go_on));
        get(async move || {
            begun.notify_one();
            go_on.notified().await;
            "fine"
        })
    };
    let router = Router::new().route("/", slow).fallback(|| async { "fine" });
    let server = Server::with(patient(LONG), router).await;
    let silent = server.connect().await;
    let mut idle = server.connect().await;
    idle.write_all(b"GET /other HTTP/1.1\r\nhost: onestop\r\n\r\n").await.unwrap();
    answer(&mut idle).await;
    let mut running = server.connect().await;
    running.write_all(ASK).await.unwrap();
    begun.notified().await;

    server.stop.send(true).unwrap();
    closed(silent).await;
    closed(idle).await;
    assert!(TcpStream::connect(server.address).await.is_err(), "nobody listens any more");
    assert!(!server.serving.is_finished(), "a request still runs");
    go_on.notify_one();
    answer(&mut running).await;
    closed(running).await;
    server.serving.await.unwrap();
}
