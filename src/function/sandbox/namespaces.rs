//! The one place with `unsafe`: rustix marks `unshare` so because one of its flags, which is not used here, would take
//! file descriptors away from other threads.
#![allow(unsafe_code, reason = "see above")]

use rustix::thread::{UnshareFlags, unshare_unsafe};

/// Puts this process into new namespaces; a new pid namespace is that of the children it starts from now on.
pub(super) fn enter(with_user: bool) -> rustix::io::Result<()> {
    let mut flags = UnshareFlags::NEWNS
        | UnshareFlags::NEWPID
        | UnshareFlags::NEWNET
        | UnshareFlags::NEWIPC
        | UnshareFlags::NEWUTS;
    if with_user {
        flags |= UnshareFlags::NEWUSER;
    }
    // SAFETY: the flags are without FILES, whatever else threads share.
    unsafe { unshare_unsafe(flags) }
}
