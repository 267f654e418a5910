//! Sockets that were opened in a sandbox, as the server's own.

use std::io;
use std::net;

use tokio::net::{TcpListener, UdpSocket};

/// Listeners.
pub(super) fn listeners(sockets: Vec<net::TcpListener>) -> io::Result<Vec<TcpListener>> {
    let listener = |socket: net::TcpListener| {
        socket.set_nonblocking(true)?;
        TcpListener::from_std(socket)
    };
    sockets.into_iter().map(listener).collect()
}

/// The socket of a name server.
pub(super) fn queries(socket: net::UdpSocket) -> io::Result<UdpSocket> {
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}
