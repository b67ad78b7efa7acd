//! Accepts connections and keeps them no longer than they are of use: so many at once, none that waits for its client for ever.

use std::io;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Sleep;

/// How long what runs may take to end once the server is told to stop.
pub const STOP_TIME: Duration = Duration::from_secs(9);
/// How long no connection is taken after the system had none to give, e.g. for want of file descriptors.
const REST: Duration = Duration::from_millis(500);

/// What clients may use up.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once; further ones wait to be accepted.
    pub connections: u32,
    /// How long a connection may take to bring the whole head of its next request, or to take a piece of an answer.
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 1_000, patience: Duration::from_secs(10) }
    }
}

/// Serves until told to stop; then takes no new connection, and lets what runs end in time.
pub async fn listen(listener: TcpListener, router: Router, mut stop: watch::Receiver<bool>, limits: Limits) {
    let free = Arc::new(Semaphore::new(limits.connections as usize));
    let told = stop.clone();
    loop {
        let (stream, place) = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = accept(&listener, &free) => accepted,
        };
        let serving = serve(stream, router.clone(), told.clone(), limits.patience);
        tokio::spawn(async move {
            serving.await;
            drop(place);
        });
    }
    drop(listener);
    // Every connection has ended when every place is free.
    let _ = tokio::time::timeout(STOP_TIME, free.acquire_many(limits.connections)).await;
}

/// The longest head of a request, in bytes: an address of 64 KiB, which is the most that is read, and as much again.
const LONGEST_HEAD: usize = 128 << 10;
const MOST_HEADERS: usize = 100;
/// After how long without a sign of life a connection is asked for one.
const UNHEARD: Duration = Duration::from_secs(15);

/// The next connection, once there is a place for it.
async fn accept(listener: &TcpListener, free: &Arc<Semaphore>) -> (TcpStream, OwnedSemaphorePermit) {
    loop {
        match try_accept(listener, free).await {
            Ok(accepted) => return accepted,
            Err(error) if is_of_the_client(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted");
                tokio::time::sleep(REST).await;
            }
        }
    }
}

async fn try_accept(
    listener: &TcpListener,
    free: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(free).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    // It fails where the client is gone already; serving finds that out.
    let _ = stream.set_nodelay(true);
    let _ = notice_the_dead(&stream);
    Ok((stream, place))
}

/// A client that lost its network sends no farewell; a stream that says little would hold its place until the kernel gives up,
/// which may be a quarter of an hour later.
fn notice_the_dead(stream: &TcpStream) -> io::Result<()> {
    let socket = SockRef::from(stream);
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(UNHEARD).with_interval(UNHEARD / 3))?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(2 * UNHEARD))?;
    Ok(())
}

/// Whether one client's connection broke while it was accepted.
fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// The address of the client's end of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Origin(pub Option<IpAddr>);

/// Serves one connection until it is closed; told to stop, after the request that runs.
async fn serve(stream: TcpStream, router: Router, mut stop: watch::Receiver<bool>, patience: Duration) {
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    let mut http1 = builder.http1();
    http1
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_buf_size(LONGEST_HEAD)
        .max_headers(MOST_HEADERS);
    let origin = Origin(stream.peer_addr().ok().map(|address| address.ip()));
    let router = router.layer(Extension(origin));
    let stream = TokioIo::new(Answering { stream, patience, stuck: None });
    let mut connection = pin!(builder.serve_connection(stream, TowerToHyperService::new(router)));
    let told = async { drop(stop.wait_for(|stop| *stop).await) };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = told => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error, "a connection ended before its time");
    }
}

/// A stream whose client must take what it is sent: once nothing goes out for too long, writing fails.
struct Answering {
    stream: TcpStream,
    patience: Duration,
    stuck: Option<Pin<Box<Sleep>>>,
}

impl Answering {
    fn judge(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stuck = None;
            return written;
        }
        let patience = self.patience;
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        stuck.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Answering {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Answering {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.judge(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.judge(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
