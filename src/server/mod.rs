//! Listener, TLS, limits, request log, drain.
//!
//! - [`tls`]: certificates from PEM files, read again when they change.
//! - [`heads`]: the client's own spelling of header names.
//! - [`body`]: a body that reports when its last byte has left.
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
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::door::Door;
use crate::telemetry::{Metrics, events};

pub mod body;
pub mod heads;
#[cfg(feature = "tls")]
pub mod tls;

use heads::HeadTap;

/// What a listener allows.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at a time; further ones wait in the kernel's queue.
    pub connections: usize,
    /// Time for a TLS handshake, and for the head of a request, counted from when the connection is idle.
    pub head_timeout: Duration,
    /// Bytes of a request's head; more is answered 431.
    pub head_bytes: usize,
    /// Time that requests in flight have after a signal to stop.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4_096,
            head_timeout: Duration::from_secs(60),
            head_bytes: 64 << 10,
            drain: Duration::from_secs(30),
        }
    }
}

/// Where a request came from, as an extension of it.
#[derive(Debug, Clone, Copy)]
pub struct Connection {
    /// The other end.
    pub peer: SocketAddr,
    /// The version of TLS, where it is encrypted: `1.3`.
    pub tls: Option<&'static str>,
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
    /// TLS, where it is configured.
    #[cfg(feature = "tls")]
    pub tls: Option<tls::Tls>,
}

impl Server {
    /// Serves until `shutdown` is ready, then drains: no new connections, requests in flight are finished, up to the
    /// limit.
    pub async fn run(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let server = Arc::new(self);
        let builder = Arc::new(server.builder());
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
        events::Drained { clean }.emit();
    }

    fn builder(&self) -> auto::Builder<TokioExecutor> {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.head_timeout)
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
        // Without it, an answer of two writes waits 40 ms for the client's delayed acknowledgement.
        if let Err(error) = stream.set_nodelay(true) {
            events::ConnectionFailed { peer, error: &error }.emit();
            return;
        }
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            match tokio::time::timeout(self.limits.head_timeout, tls.acceptor().accept(stream)).await {
                Ok(Ok(stream)) => {
                    let connection = Connection { peer, tls: Some(tls::version(&stream)) };
                    self.http(builder, watcher, stream, connection).await;
                }
                Ok(Err(error)) => events::ConnectionFailed { peer, error: &error }.emit(),
                Err(error) => events::ConnectionFailed { peer, error: &error }.emit(),
            }
            return;
        }
        self.http(builder, watcher, stream, Connection { peer, tls: None }).await;
    }

    async fn http<S>(
        self: &Arc<Self>,
        builder: &auto::Builder<TokioExecutor>,
        watcher: Watcher,
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
        if let Err(error) = watcher.watch(serving).await {
            events::ConnectionFailed { peer: connection.peer, error: error.as_ref() }.emit();
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let started = Instant::now();
        let report = body::Report::new(Arc::clone(&self.metrics), started, &request);
        let answer = self.door.handle(request.map(Body::new)).await;
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
