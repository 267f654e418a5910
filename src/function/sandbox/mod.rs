//! What holds a function's process: namespaces, a root of its own, a filter of system calls, limits.
//!
//! - [`launch`]: the server's side; [`inside`]: the command `refract __sandbox`, which sets up and becomes the function.
//! - `namespaces`, `outward`, `filter` and `landlock`: what it uses; [`cgroup`]: memory, CPU and processes, and the freezer.
//!
//! The function is process 1 of its own pid namespace: when it ends, all that it has started ends. Its network is a
//! loopback interface of its own with two sockets that were opened before it: the Runtime API and this server; and where
//! an operator granted it some of the network, one for each port of that, and one for names.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub mod cgroup;
mod filter;
pub mod inside;
mod landlock;
pub mod launch;
mod namespaces;
mod outward;

/// The argument that makes the binary the sandbox's inside.
pub const COMMAND: &str = "__sandbox";
/// The user that functions run as, as on AWS; no file of the host is its.
const USER: u32 = 993;

/// Sockets that are handed over at most: two, one for each entry of a grant, and that of names; and their space in a
/// message.
const SOCKETS: usize = 2 + crate::catalog::network::MAX_ENTRIES + 1;
const SPACE: usize = rustix::cmsg_space!(ScmRights(SOCKETS));

/// What becomes of a process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    /// An empty directory, on which the new root is mounted.
    pub root: PathBuf,
    /// What of the host is seen, read-only: from, to.
    pub binds: Vec<(PathBuf, PathBuf)>,
    /// Size of `/tmp`, in MB.
    pub temporary_mb: u32,
    /// Ports on the loopback interface, whose sockets go to the server.
    pub ports: Vec<u16>,
    /// Ports of whatever address that lead out, by the server, which answers for names then, too; none for a function
    /// that was granted nothing.
    pub outward: Vec<u16>,
    /// What is run.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its environment.
    pub variables: BTreeMap<String, String>,
    /// Where it begins.
    pub directory: PathBuf,
    /// Whether a control group counts its processes.
    pub counted: bool,
}

/// What this host can enforce.
#[derive(Debug, Clone)]
pub struct Isolation {
    /// Namespaces, a root of its own, the filter and limits: nothing, or why not.
    pub namespaces: Result<(), String>,
    /// Memory, CPU and processes: by which version, or why not.
    pub cgroups: Result<cgroup::Hierarchy, String>,
    /// The version of Landlock, which is used where the kernel has it; 0 where it has not.
    pub landlock: u8,
}

impl Isolation {
    /// Whether nothing is missing.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.namespaces.is_ok() && self.cgroups.is_ok()
    }

    /// What is missing, in words.
    #[must_use]
    pub fn missing(&self) -> String {
        let namespaces = self.namespaces.as_ref().err().map(|why| format!("namespaces ({why})"));
        let cgroups = self.cgroups.as_ref().err().map(|why| format!("cgroups ({why})"));
        let all: Vec<String> = namespaces.into_iter().chain(cgroups).collect();
        all.join(", ")
    }
}
