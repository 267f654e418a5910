//! The root key from a command: what a key service's own client prints, asked for once at start.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use zeroize::Zeroizing;

use super::{DataKey, KEY};

/// Bytes of output that are read: a key and what is around it.
const MAX_OUTPUT: usize = 1024;

/// Why there is no key.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CommandError {
    /// It cannot be started.
    #[error("encryption_key_command cannot be started: {0}")]
    Start(String),
    /// It failed.
    #[error("encryption_key_command failed ({0}); what it says is above, on standard error")]
    Failed(String),
    /// It takes too long.
    #[error("encryption_key_command did not end within {0} seconds (encryption_key_command_seconds)")]
    Timeout(u64),
    /// What it printed is no key. What it was stays unsaid: it may be a secret.
    #[error("encryption_key_command must print 64 hexadecimal digits and nothing else; it printed {0} bytes")]
    Malformed(usize),
}

/// Runs a command by the shell and reads the key that it prints. Its standard error is the server's.
///
/// # Errors
/// [`CommandError`]; none of them shows what was printed.
pub fn root_key(command: &str, limit: Duration) -> Result<DataKey, CommandError> {
    let start = |error: std::io::Error| CommandError::Start(error.to_string());
    let mut child = Command::new("/bin/sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(start)?;
    let deadline = Instant::now() + limit;
    let found = read(&mut child, limit).and_then(|printed| {
        // It may close its output and go on.
        loop {
            if let Some(status) = child.try_wait().map_err(start)? {
                return Ok((printed, status));
            }
            if Instant::now() >= deadline {
                return Err(CommandError::Timeout(limit.as_secs()));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    if found.is_err() {
        // The shell and what it started.
        if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
            kill_process_group(pid, Signal::KILL).ok();
        }
        child.wait().ok();
    }
    let (printed, status) = found?;
    if !status.success() {
        return Err(CommandError::Failed(status.to_string()));
    }
    let malformed = || CommandError::Malformed(printed.len());
    let text = printed.trim_ascii();
    if text.len() != 2 * KEY {
        return Err(malformed());
    }
    let mut key = Zeroizing::new([0; KEY]);
    data_encoding::HEXLOWER_PERMISSIVE.decode_mut(text, &mut *key).map_err(|_| malformed())?;
    Ok(DataKey::from_bytes(*key))
}

/// What a child prints until it closes its output.
fn read(child: &mut Child, limit: Duration) -> Result<Zeroizing<Vec<u8>>, CommandError> {
    let Some(output) = child.stdout.take() else {
        return Err(CommandError::Start("it has no standard output".into()));
    };
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        // Of its final size from the start, so that no copy of it is left behind.
        let mut printed = Zeroizing::new(Vec::with_capacity(2 * MAX_OUTPUT));
        let result = output.take(MAX_OUTPUT as u64).read_to_end(&mut printed);
        // Nobody listens any more after the time is over.
        drop(send.send(result.map(|_| printed)));
    });
    match receive.recv_timeout(limit) {
        Ok(Ok(printed)) => Ok(printed),
        Ok(Err(error)) => Err(CommandError::Start(error.to_string())),
        Err(_) => Err(CommandError::Timeout(limit.as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY_TEXT: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    fn failure(command: &str) -> CommandError {
        root_key(command, Duration::from_secs(20)).unwrap_err()
    }

    #[test]
    fn a_command_prints_the_key() {
        let expected: [u8; KEY] = std::array::from_fn(|at| u8::try_from(at).unwrap());
        for command in [format!("echo {KEY_TEXT}"), format!("printf ' {}\\n\\n'", KEY_TEXT.to_uppercase())] {
            let key = root_key(&command, Duration::from_secs(20)).unwrap();
            assert_eq!(*key.bytes(), expected, "{command}");
        }
    }

    #[test]
    fn what_goes_wrong_is_said_without_what_was_printed() {
        assert_eq!(
            failure(&format!("echo {KEY_TEXT}; exit 3")),
            CommandError::Failed("exit status: 3".into())
        );
        assert_eq!(failure("exit 0"), CommandError::Malformed(0));
        assert_eq!(failure(&format!("echo {KEY_TEXT}ff")), CommandError::Malformed(67));
        assert_eq!(failure("printf '%0300d' 0"), CommandError::Malformed(300));
        let wrong = failure(&format!("echo {}", KEY_TEXT.replace('0', "g")));
        assert_eq!(wrong, CommandError::Malformed(65));
        assert!(!wrong.to_string().contains("g1"));
    }

    #[test]
    fn a_command_that_hangs_is_ended_with_what_it_started() {
        let begun = Instant::now();
        for command in ["sleep 60; echo", "exec >&-; sleep 60"] {
            assert_eq!(
                root_key(command, Duration::from_secs(1)).unwrap_err(),
                CommandError::Timeout(1),
                "{command}"
            );
        }
        assert!(begun.elapsed() < Duration::from_secs(30));
    }
}
