//! Compiles components in a process of its own: it has limits, no environment and nothing of the server's memory, and
//! a component that makes the compiler blow up takes only that process with it.

use std::io::{self, Read, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, setrlimit};

use super::engine;

/// The command, which is not for people.
pub const COMMAND: &str = "__compile-wasm";

/// Bytes of a component.
pub const MAX_COMPONENT: u64 = 64 << 20;
/// Bytes that it may be compiled to.
const MAX_CODE: u64 = 512 << 20;
/// Address space of the compiler: a component of 20 MB takes some 500 MB of memory, on several threads.
const ADDRESS_SPACE: u64 = 6 << 30;
/// Longest message of the compiler's that is passed on.
const MAX_MESSAGE: u64 = 2_000;

/// Why there is no code.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CompileError {
    /// The component is not one.
    #[error("{0}")]
    Refused(String),
    /// It took too long.
    #[error("compiling it took more than {} seconds", .0.as_secs())]
    Timeout(Duration),
    /// The compiler ended without an answer.
    #[error("the compiler {0}")]
    Failed(String),
    /// There is no compiler.
    #[error("the compiler cannot be run: {0}")]
    Unavailable(String),
}

/// Starts compilers.
#[derive(Debug, Clone)]
pub struct Compiler {
    program: PathBuf,
    timeout: Duration,
}

impl Compiler {
    /// This program, as it was when it started, even if the file has changed since.
    #[must_use]
    pub fn new(timeout: Duration) -> Self {
        let own = PathBuf::from("/proc/self/exe");
        let program = if own.exists() { own } else { std::env::current_exe().unwrap_or(own) };
        Self { program, timeout }
    }

    /// Compiles. Blocks.
    ///
    /// # Errors
    /// [`CompileError`].
    pub fn compile(&self, component: Vec<u8>) -> Result<Vec<u8>, CompileError> {
        if cfg!(test) {
            // The unit tests' program has no such command.
            return in_process(&component).map_err(CompileError::Refused);
        }
        let failed = |error: &io::Error| CompileError::Unavailable(error.to_string());
        let mut child = Command::new(&self.program)
            .arg(COMMAND)
            .arg(self.timeout.as_secs().to_string())
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed(&error))?;
        let (Some(mut input), Some(output), Some(errors)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            end(&mut child);
            return Err(CompileError::Unavailable("it has no pipes".into()));
        };
        let deadline = Instant::now() + self.timeout;
        std::thread::scope(|threads| {
            // A compiler that has ended does not read: its exit code says why.
            threads.spawn(move || drop(input.write_all(&component)));
            let code = threads.spawn(move || read(output, MAX_CODE));
            let message = threads.spawn(move || read(errors, MAX_MESSAGE));
            let status = loop {
                match child.try_wait() {
                    Ok(Some(status)) => break status,
                    Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(5)),
                    Ok(None) => {
                        end(&mut child);
                        return Err(CompileError::Timeout(self.timeout));
                    }
                    Err(error) => {
                        end(&mut child);
                        return Err(failed(&error));
                    }
                }
            };
            let code = code.join().map_err(|_| CompileError::Failed("panicked".into()))?;
            let message = message.join().ok().and_then(Result::ok).unwrap_or_default();
            let message = String::from_utf8_lossy(&message).trim().to_owned();
            match status.code() {
                Some(0) => code.map_err(|error| CompileError::Failed(error.to_string())),
                Some(1) => Err(CompileError::Refused(message)),
                _ => Err(CompileError::Failed(format!(
                    "ended with {status}; it may need more memory than it has"
                ))),
            }
        })
    }
}

fn end(child: &mut Child) {
    drop(child.kill());
    drop(child.wait());
}

fn read(from: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    from.take(limit + 1).read_to_end(&mut all)?;
    if all.len() as u64 > limit {
        return Err(io::Error::other(format!("it put out more than {limit} bytes")));
    }
    Ok(all)
}

fn in_process(component: &[u8]) -> Result<Vec<u8>, String> {
    let engine = engine::compiler().map_err(|error| format!("{error:#}"))?;
    engine.precompile_component(component).map_err(|error| format!("{error:#}"))
}

/// The compiler's process: a component on standard input, machine code on standard output. Exit code 1 with a message
/// is a refusal.
#[must_use]
pub fn run(seconds: u64) -> ExitCode {
    let outcome = limit(seconds)
        .and_then(|()| read(io::stdin().lock(), MAX_COMPONENT))
        .map_err(|error| error.to_string())
        .and_then(|component| in_process(&component))
        .and_then(|code| io::stdout().write_all(&code).map_err(|error| error.to_string()));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// Takes away from this process what a compiler does not need.
fn limit(seconds: u64) -> io::Result<()> {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let limits = [
        (Resource::As, ADDRESS_SPACE),
        (Resource::Cpu, seconds.saturating_mul(processors as u64)),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        (Resource::Nofile, 64),
    ];
    for (resource, most) in limits {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    // Behind the server's own threads.
    rustix::process::nice(crate::priority::BEHIND)?;
    Ok(())
}
