//! The server's side of the sandbox: hands over the plan, and takes the sockets that were opened in there.

use std::io::{self, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

use super::{COMMAND, Isolation, Plan, SPACE, cgroup};

/// Time for a sandbox to be set up.
const LIMIT: Duration = Duration::from_secs(20);

/// A sandbox about to be started.
#[derive(Debug)]
pub struct Launch(UnixStream);

/// The sockets that were opened in a sandbox, and what holds it beside what must.
#[derive(Debug)]
pub struct Opened {
    /// Those of the plan's ports.
    pub ports: Vec<TcpListener>,
    /// Those of the ports that lead out.
    pub outward: Vec<TcpListener>,
    /// That of names, where any leads out.
    pub names: Option<UdpSocket>,
    /// The version of Landlock; 0 where the kernel has none.
    pub landlock: u8,
}

impl Launch {
    /// Prepares one: what is to be started, whose output and group are the caller's to choose, and this. The command
    /// holds the other end of a socket; until it is dropped, nobody learns here that the process has ended.
    ///
    /// # Errors
    /// No sockets.
    pub fn new() -> io::Result<(Command, Self)> {
        let (socket, theirs) = UnixStream::pair()?;
        let mut command = Command::new("/proc/self/exe");
        command.arg(COMMAND).stdin(Stdio::from(OwnedFd::from(theirs))).env_clear();
        Ok((command, Self(socket)))
    }

    /// Lets the started process go on, by a plan, and answers the sockets. Blocks.
    ///
    /// # Errors
    /// It ended; its output says why.
    pub fn go(self, plan: &Plan) -> io::Result<Opened> {
        let Self(mut socket) = self;
        let text = serde_json::to_vec(plan).map_err(io::Error::other)?;
        let length = u32::try_from(text.len()).map_err(io::Error::other)?;
        socket.set_read_timeout(Some(LIMIT))?;
        socket.set_write_timeout(Some(LIMIT))?;
        socket.write_all(&[1])?;
        socket.write_all(&length.to_be_bytes())?;
        socket.write_all(&text)?;
        let mut byte = [0];
        let mut space = [MaybeUninit::uninit(); SPACE];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let received =
            recvmsg(&socket, &mut [IoSliceMut::new(&mut byte)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
        let mut sockets: Vec<OwnedFd> = Vec::new();
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                sockets.extend(descriptors);
            }
        }
        let (ports, outward) = (plan.ports.len(), plan.outward.len());
        if received.bytes == 0 || sockets.len() != ports + outward + usize::from(outward > 0) {
            return Err(io::Error::other("the sandbox was not set up"));
        }
        let names = sockets.drain(ports + outward..).next().map(UdpSocket::from);
        let outward = sockets.drain(ports..).map(TcpListener::from).collect();
        let ports = sockets.into_iter().map(TcpListener::from).collect();
        let [landlock] = byte;
        Ok(Opened { ports, outward, names, landlock })
    }
}

/// Finds out what this host can enforce, by doing it. Blocks.
#[must_use]
pub fn probe(scratch: &Path) -> Isolation {
    let tried = try_namespaces(scratch).map_err(|error| error.to_string());
    Isolation {
        landlock: tried.as_ref().copied().unwrap_or(0),
        namespaces: tried.map(drop),
        cgroups: cgroup::Hierarchy::find(),
    }
}

fn try_namespaces(scratch: &Path) -> io::Result<u8> {
    let root = scratch.join("probe");
    std::fs::create_dir_all(&root)?;
    let (mut command, launch) = Launch::new()?;
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    drop(command);
    let plan = Plan {
        root,
        binds: Vec::new(),
        temporary_mb: 1,
        ports: vec![9001],
        outward: Vec::new(),
        program: "/bin/true".into(),
        arguments: Vec::new(),
        variables: Default::default(),
        directory: "/".into(),
        counted: false,
    };
    let went = launch.go(&plan);
    if went.is_err() {
        child.kill().ok();
    }
    let output = child.wait_with_output()?;
    if let (true, Ok(opened)) = (output.status.success(), &went) {
        return Ok(opened.landlock);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim().trim_start_matches("refract: the sandbox cannot be set up: ");
    Err(io::Error::other(if said.is_empty() { output.status.to_string() } else { said.to_owned() }))
}
