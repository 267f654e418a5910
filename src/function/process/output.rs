//! What a function writes: read as it comes, its last part kept until it is asked for.

use std::collections::VecDeque;
use std::io::{ErrorKind, PipeReader};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::unix::pipe::Receiver;

use crate::function::runtime::Log;

/// Bytes that are kept.
const KEPT: usize = 256 << 10;
/// Bytes after which a function that goes on writing is read slowly, so that it does not keep the server busy.
const CALM: u64 = 1 << 20;

#[derive(Debug, Default)]
struct Kept {
    bytes: VecDeque<u8>,
    dropped: u64,
    total: u64,
}

/// The output of one process and its children.
#[derive(Debug)]
pub(super) struct Output {
    pipe: Receiver,
    kept: Mutex<Kept>,
}

impl Output {
    /// Reads a pipe until all that write to it are gone.
    pub(super) fn read(pipe: PipeReader) -> std::io::Result<Arc<Self>> {
        let output =
            Arc::new(Self { pipe: Receiver::from_owned_fd(OwnedFd::from(pipe))?, kept: Mutex::default() });
        let reader = Arc::clone(&output);
        tokio::spawn(async move {
            while reader.pipe.readable().await.is_ok() {
                match reader.drain(8) {
                    Some(total) if total > CALM => tokio::time::sleep(Duration::from_millis(10)).await,
                    Some(_) => {}
                    None => break,
                }
            }
        });
        Ok(output)
    }

    /// Takes what is in the pipe now, at most so many times 8 KiB. Answers the bytes since the log was last taken;
    /// `None` at the end.
    fn drain(&self, times: usize) -> Option<u64> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut buffer = Vec::with_capacity(8 << 10);
        for _ in 0..times {
            buffer.clear();
            match self.pipe.try_read_buf(&mut buffer) {
                Ok(0) => return None,
                Ok(read) => {
                    kept.total += read as u64;
                    kept.bytes.extend(&buffer);
                    let over = kept.bytes.len().saturating_sub(KEPT);
                    kept.bytes.drain(..over);
                    kept.dropped += over as u64;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return None,
            }
        }
        Some(kept.total)
    }

    /// What was written since this was last called.
    pub(super) fn take(&self) -> Log {
        // What the function wrote before it answered is in the pipe by now; the pipe holds 64 KiB.
        self.drain(16);
        let kept = std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner));
        Log { text: kept.bytes.into(), dropped: kept.dropped }
    }
}
