//! Listener, TLS, limits, request log, drain.
//!
//! - [`tls`]: certificates from PEM files, read again when they change.
//! - [`heads`]: the client's own spelling of header names.
//! - `socket`: how far the kernel runs ahead of a client that reads slowly.
//! - [`idle`]: clients that stop sending, or taking.
//! - [`body`]: a body that reports when its last byte has left; [`expect`]: clients that wait to send theirs; [`linger`]:
//!   the rest of one that nobody reads.
//!
//! The listener, the limits and the shutdown are given from outside, so that a test can run a server on port 0.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use http::{Request, Response, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::door::Door;
use crate::telemetry::{Metrics, events};

pub mod body;
pub mod expect;
pub mod heads;
pub mod idle;
pub mod linger;
mod socket;
#[cfg(feature = "tls")]
pub mod tls;

use expect::{Expected, Noted};
use heads::HeadTap;
use idle::{Awaited, Taken};
use linger::Lingering;

/// How long a connection of a function may be idle. One that is frozen between two invocations does not learn that its
/// connection was closed, and fails when it uses it; its connections end with it.
const FUNCTION_IDLE: Duration = Duration::from_secs(24 * 60 * 60);

/// What a listener allows.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at a time; further ones wait in the kernel's queue.
    pub connections: usize,
    /// Time for a TLS handshake, and for the head of a request, counted from when the connection is idle.
    pub head_timeout: Duration,
    /// Bytes of a request's head; more is answered 431.
    pub head_bytes: usize,
    /// Time without a byte of a request's body, or of an answer that is taken.
    pub idle: Duration,
    /// Time that requests in flight have after a signal to stop.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4_096,
            head_timeout: Duration::from_secs(60),
            head_bytes: 64 << 10,
            idle: Duration::from_secs(60),
            drain: Duration::from_secs(30),
        }
    }
}

/// Where a request came from, as an extension of it.
#[derive(Debug, Clone, Copy)]
pub struct Connection {
    /// The other end.
    pub peer: SocketAddr,
    /// How it is encrypted, where it is.
    pub tls: Option<Encrypted>,
    /// Whether it comes from a function that this server runs.
    pub from_function: bool,
}

/// How a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encrypted {
    /// `TLSv1.2` or `TLSv1.3`.
    pub version: &'static str,
    /// The cipher suite by its name in OpenSSL.
    pub cipher_suite: &'static str,
}

/// Where functions reach the server: plain HTTP, whatever clients use.
#[derive(Debug)]
pub struct Gateway {
    /// On the loopback interface.
    pub listener: TcpListener,
    /// Connections that were accepted in functions' own networks.
    pub streams: mpsc::Receiver<TcpStream>,
}

impl Gateway {
    async fn next(&mut self) -> io::Result<TcpStream> {
        tokio::select! {
            accepted = self.listener.accept() => accepted.map(|(stream, _)| stream),
            Some(stream) = self.streams.recv() => Ok(stream),
        }
    }
}

/// What a listener serves with.
#[derive(Debug)]
pub struct Server {
    /// Answers the requests.
    pub door: Door,
    /// What is allowed.
    pub limits: Limits,
    /// Where events are counted.
    pub metrics: Arc<Metrics>,
    /// Where functions reach it.
    pub gateway: Option<Gateway>,
    /// TLS, where it is configured.
    #[cfg(feature = "tls")]
    pub tls: Option<tls::Tls>,
}

impl Server {
    /// Serves until `shutdown` is ready, then drains: no new connections, requests in flight are finished, up to the
    /// limit.
    pub async fn run(mut self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let gateway = self.gateway.take();
        let server = Arc::new(self);
        let builder = Arc::new(server.builder(server.limits.head_timeout));
        // Until the drain's end: requests in flight may need their functions, and those the server.
        let for_functions = Arc::new(server.builder(FUNCTION_IDLE));
        let inside = tokio::spawn(Arc::clone(&server).serve_functions(gateway, for_functions));
        let graceful = GracefulShutdown::new();
        let connections =
            Arc::new(Semaphore::new(server.limits.connections.clamp(1, Semaphore::MAX_PERMITS)));
        let mut shutdown = pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                accepted = accept(&listener, &connections) => accepted,
                () = &mut shutdown => break,
            };
            let (stream, peer, permit) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    events::AcceptFailed { error: &error }.emit();
                    // Out of file descriptors, most likely: accepting again at once would spin.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let (server, builder, watcher) = (Arc::clone(&server), Arc::clone(&builder), graceful.watcher());
            tokio::spawn(async move {
                server.metrics.connections.inc();
                server.connection(&builder, watcher, stream, peer).await;
                server.metrics.connections.dec();
                drop(permit);
            });
        }
        drop(listener);
        server.door.drain();
        events::Draining { limit: server.limits.drain }.emit();
        let clean = tokio::time::timeout(server.limits.drain, graceful.shutdown()).await.is_ok();
        inside.abort();
        events::Drained { clean }.emit();
    }

    /// Serves functions, beside the limit of connections: those that fill it may be waiting for functions.
    async fn serve_functions(
        self: Arc<Self>,
        gateway: Option<Gateway>,
        builder: Arc<auto::Builder<TokioExecutor>>,
    ) {
        let Some(mut gateway) = gateway else { return };
        let mut serving = JoinSet::new();
        loop {
            let stream = match gateway.next().await {
                Ok(stream) => stream,
                Err(error) => {
                    events::AcceptFailed { error: &error }.emit();
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let (server, builder) = (Arc::clone(&self), Arc::clone(&builder));
            serving.spawn(async move {
                let peer = stream.peer_addr();
                let peer = peer.unwrap_or_else(|_| SocketAddr::from(([127, 0, 0, 1], 0)));
                if socket::prepare(&stream).is_ok() {
                    let connection = Connection { peer, tls: None, from_function: true };
                    server.http(&builder, None, stream, connection).await;
                }
            });
            while serving.try_join_next().is_some() {}
        }
    }

    /// `idle` is for how long a connection may wait for a request.
    fn builder(&self, idle: Duration) -> auto::Builder<TokioExecutor> {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(idle)
            .max_buf_size(self.limits.head_bytes.max(8 << 10));
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(Some(Duration::from_secs(30)))
            .max_header_list_size(u32::try_from(self.limits.head_bytes).unwrap_or(u32::MAX))
            .max_concurrent_streams(256);
        builder
    }

    async fn connection(
        self: &Arc<Self>,
        builder: &auto::Builder<TokioExecutor>,
        watcher: Watcher,
        stream: TcpStream,
        peer: SocketAddr,
    ) {
        if let Err(error) = socket::prepare(&stream) {
            events::ConnectionFailed { peer, error: &error }.emit();
            return;
        }
        let stream = Taken::new(stream, self.limits.idle);
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            match tokio::time::timeout(self.limits.head_timeout, tls.acceptor().accept(stream)).await {
                Ok(Ok(stream)) => {
                    let tls = Some(tls::encrypted(stream.get_ref().1));
                    let connection = Connection { peer, tls, from_function: false };
                    self.http(builder, Some(watcher), stream, connection).await;
                }
                Ok(Err(error)) => events::ConnectionFailed { peer, error: &error }.emit(),
                Err(error) => events::ConnectionFailed { peer, error: &error }.emit(),
            }
            return;
        }
        let connection = Connection { peer, tls: None, from_function: false };
        self.http(builder, Some(watcher), stream, connection).await;
    }

    async fn http<S>(
        self: &Arc<Self>,
        builder: &auto::Builder<TokioExecutor>,
        watcher: Option<Watcher>,
        stream: S,
        connection: Connection,
    ) where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (stream, heads) = HeadTap::new(stream, self.limits.head_bytes);
        let service = service_fn(|mut request: Request<Incoming>| {
            if request.version() <= Version::HTTP_11
                && let Some(spelling) = heads.take(&request)
            {
                request.extensions_mut().insert(spelling);
            }
            request.extensions_mut().insert(connection);
            let server = Arc::clone(self);
            async move { Ok::<_, std::convert::Infallible>(server.answer(request).await) }
        });
        let serving = builder.serve_connection(TokioIo::new(stream), service);
        let served = match watcher {
            Some(watcher) => watcher.watch(serving).await,
            None => serving.await,
        };
        if let Err(error) = served {
            events::ConnectionFailed { peer: connection.peer, error: error.as_ref() }.emit();
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let started = Instant::now();
        let report = body::Report::new(Arc::clone(&self.metrics), started, &request);
        let expected = Expected::of(&request);
        // A function may take its time within an answer; how long it takes altogether is limited elsewhere.
        let inside = request.extensions().get::<Connection>().is_some_and(|from| from.from_function);
        let rest = match inside {
            _ if request.version() > Version::HTTP_11 => 0,
            true => linger::OF_FUNCTION,
            false => linger::OF_CLIENT,
        };
        let waits = expected.clone();
        let request = request.map(|body| match inside {
            true => Body::new(Lingering::new(body, rest, waits)),
            false => Body::new(Lingering::new(Awaited::new(body, self.limits.idle), rest, waits)),
        });
        let request = match &expected {
            Some(expected) => request.map(|body| Body::new(Noted::new(body, expected.clone()))),
            None => request,
        };
        let mut answer = self.door.handle(request).await;
        if let Some(expected) = expected {
            expected.settle(&mut answer);
        }
        report.attach(answer)
    }
}

/// A connection, once one more is allowed.
async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(connections).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, permit))
}
