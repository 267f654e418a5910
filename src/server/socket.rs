//! Options of the sockets that clients come over.

use std::io;

use tokio::net::TcpStream;

/// Bytes of an answer that the kernel takes before it can send them. Otherwise it takes megabytes of each, however slowly
/// its client reads: memory that nobody counts, and work that was for nothing when the client turns away. Half of it costs a
/// tenth more CPU where 64 MiB are read as fast as can be.
#[cfg(target_os = "linux")]
static UNSENT: libc::c_int = 512 << 10;

/// Has answers go out as they are written, and no further ahead of the client than they must be.
///
/// # Errors
/// The connection is of no use.
pub(super) fn prepare(stream: &TcpStream) -> io::Result<()> {
    // Without it, an answer of two writes waits 40 ms for the client's delayed acknowledgement.
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    if let Err(error) = limit_unsent(stream) {
        tracing::debug!(%error, "the kernel takes more of an answer than it can send");
    }
    Ok(())
}

/// `TCP_NOTSENT_LOWAT` of tcp(7).
#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "no library that is here already has this option")]
fn limit_unsent(stream: &TcpStream) -> io::Result<()> {
    use std::os::fd::AsRawFd as _;

    let length = libc::socklen_t::try_from(size_of_val(&UNSENT)).map_err(io::Error::other)?;
    // SAFETY: the kernel reads a number of this length, and the socket is open as long as the stream is.
    let done = unsafe {
        libc::setsockopt(
            stream.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_NOTSENT_LOWAT,
            (&raw const UNSENT).cast(),
            length,
        )
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use tokio::net::{TcpListener, TcpSocket};

    use super::*;

    #[tokio::test]
    async fn the_kernel_takes_little_of_what_nobody_reads() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpSocket::new_v4().unwrap();
        client.set_recv_buffer_size(4096).unwrap();
        let client = client.connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        prepare(&stream).unwrap();
        let (bytes, mut taken) = (vec![0; 64 << 10], 0);
        stream.writable().await.unwrap();
        while let Ok(written) = stream.try_write(&bytes) {
            taken += written;
        }
        assert!((1 << 10..1 << 20).contains(&taken), "{taken}");
        drop(client);
    }
}
