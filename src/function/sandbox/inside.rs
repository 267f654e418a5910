//! `refract __sandbox`: two steps, each a process of this binary. The first enters namespaces; the second, process 1
//! in there, makes the root, opens the sockets, gives up all rights and becomes the function.

use std::ffi::CString;
use std::fs;
use std::io::{self, IoSlice, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::symlink;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use rustix::fs::{StatVfsMountFlags, statvfs};
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind_recursive, mount_change,
    mount_remount, unmount,
};
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, send,
    sendmsg, socket_with,
};
use rustix::process::{
    Resource, Rlimit, Signal, getegid, geteuid, pivot_root, set_parent_process_death_signal, setrlimit,
};
use rustix::thread::{
    CapabilitySet, CapabilitySets, Gid, Uid, set_capabilities, set_no_new_privs, set_thread_groups,
    set_thread_res_gid, set_thread_res_uid,
};

use super::{COMMAND, Plan, SPACE, USER, filter, landlock, namespaces, outward};

/// Bytes of a plan.
const MAX_PLAN: u32 = 1 << 20;
/// Open files of a function.
const FILES: u64 = 1_024;
/// Processes and threads of a function, where no cgroup counts them.
const PROCESSES: u64 = 1_024;

/// Runs the step that the arguments name, if they name one.
#[must_use]
pub fn run() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next()? != COMMAND {
        return None;
    }
    let outcome = match arguments.next() {
        None => outer(),
        Some(_) => inner(),
    };
    Some(outcome.unwrap_or_else(|error| {
        eprintln!("refract: the sandbox cannot be set up: {error}");
        ExitCode::from(125)
    }))
}

fn context(what: impl std::fmt::Display) -> impl FnOnce(rustix::io::Errno) -> io::Error {
    move |error| io::Error::new(io::Error::from(error).kind(), format!("{what}: {error}"))
}

/// Enters namespaces, and waits for what it starts in them.
fn outer() -> io::Result<ExitCode> {
    // The server says when it has put this process under its limits.
    let mut go = [0];
    Input.read_exact(&mut go)?;
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let (user, group) = (geteuid(), getegid());
    let as_root = user.is_root();
    namespaces::enter(!as_root).map_err(context("namespaces"))?;
    if !as_root {
        fs::write("/proc/self/setgroups", "deny")?;
        fs::write("/proc/self/uid_map", format!("0 {} 1", user.as_raw()))?;
        fs::write("/proc/self/gid_map", format!("0 {} 1", group.as_raw()))?;
    }
    let mut step = Command::new("/proc/self/exe");
    step.args([COMMAND, if as_root { "root" } else { "user" }]);
    let status = step.status()?;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

/// Sets up, and becomes the function.
fn inner() -> io::Result<ExitCode> {
    let as_root = std::env::args().nth(2).as_deref() == Some("root");
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let plan = read_plan()?;
    loopback()?;
    let listening = plan.ports.iter().map(|port| outward::loopback(*port, plan.outward.contains(port)));
    let mut sockets: Vec<OwnedFd> = listening.collect::<Result<_, _>>()?;
    if !plan.outward.is_empty() {
        sockets.extend(outward::open(&plan.outward, &plan.ports)?);
    }
    make_root(&plan)?;
    let landlock = landlock::restrict().map_err(|error| io::Error::other(format!("Landlock: {error}")))?;
    hand_over(&sockets, landlock)?;
    drop(sockets);
    // That of processes is one for all that the user has: where a control group counts those of this function, it would
    // only let one function leave none for the others.
    let processes = (!plan.counted).then_some((Resource::Nproc, PROCESSES));
    let others = [(Resource::Core, 0), (Resource::Nofile, FILES), (Resource::Memlock, 64 << 10)];
    for (resource, most) in others.into_iter().chain(processes) {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    if as_root {
        let (user, group) = (Uid::from_raw(USER), Gid::from_raw(USER));
        set_thread_groups(&[])?;
        set_thread_res_gid(group, group, group)?;
        set_thread_res_uid(user, user, user)?;
    }
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?;
    set_no_new_privs(true)?;
    filter::load().map_err(|error| io::Error::other(format!("seccomp: {error}")))?;
    let error = Command::new(&plan.program)
        .args(&plan.arguments)
        .env_clear()
        .envs(&plan.variables)
        .current_dir(&plan.directory)
        .stdin(Stdio::null())
        .exec();
    Err(io::Error::new(error.kind(), format!("{}: {error}", plan.program.display())))
}

/// Standard input without a buffer: what one step does not read is the next one's.
struct Input;

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(io::stdin().as_fd(), buffer)?)
    }
}

fn read_plan() -> io::Result<Plan> {
    let mut socket = Input;
    let mut length = [0; 4];
    socket.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length > MAX_PLAN {
        return Err(io::Error::other("the plan is too long"));
    }
    let mut text = Vec::new();
    socket.take(length.into()).read_to_end(&mut text)?;
    serde_json::from_slice(&text).map_err(io::Error::other)
}

/// Turns the loopback interface on.
fn loopback() -> io::Result<()> {
    // Protocol 0 is NETLINK_ROUTE.
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    // struct nlmsghdr: length, RTM_NEWLINK, NLM_F_REQUEST, sequence, port; struct ifinfomsg: family, type, index 1
    // (the first interface of a namespace), flags and mask IFF_UP.
    let mut message = Vec::new();
    message.extend(32_u32.to_ne_bytes());
    message.extend(16_u16.to_ne_bytes());
    message.extend(1_u16.to_ne_bytes());
    message.extend([0; 8]);
    message.extend([0; 4]);
    message.extend(1_i32.to_ne_bytes());
    message.extend(1_u32.to_ne_bytes());
    message.extend(1_u32.to_ne_bytes());
    send(&socket, &message, SendFlags::empty())?;
    Ok(())
}

/// Gives the server the sockets that it listens on in here, and says what holds the function beside what must.
fn hand_over(sockets: &[OwnedFd], landlock: u8) -> io::Result<()> {
    let descriptors: Vec<_> = sockets.iter().map(AsFd::as_fd).collect();
    let mut space = [MaybeUninit::uninit(); SPACE];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(&descriptors)) {
        return Err(io::Error::other("too many sockets"));
    }
    sendmsg(io::stdin().as_fd(), &[IoSlice::new(&[landlock])], &mut control, SendFlags::empty())?;
    Ok(())
}

fn text(text: &str) -> io::Result<CString> {
    CString::new(text).map_err(io::Error::other)
}

/// Where something of the new root is, seen from the old one.
fn within(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// Makes a root that holds what the plan names, and nothing else of the host.
fn make_root(plan: &Plan) -> io::Result<()> {
    let root = &plan.root;
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .map_err(context("private mounts"))?;
    let safe = MountFlags::NOSUID | MountFlags::NODEV;
    mount("tmpfs", root, "tmpfs", safe, text("size=4m,mode=0755")?.as_c_str())
        .map_err(context("the root"))?;
    for directory in ["tmp", "proc", "dev", "etc", "old"] {
        fs::create_dir(root.join(directory))?;
    }
    for name in ["bin", "sbin", "lib", "lib32", "lib64", "libx32"] {
        let path = Path::new("/").join(name);
        match fs::read_link(&path) {
            Ok(target) => symlink(target, root.join(name))?,
            Err(_) if path.is_dir() => bind(&path, &root.join(name))?,
            Err(_) => {}
        }
    }
    let system =
        ["/usr", "/etc/ld.so.cache", "/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/etc/alternatives"];
    for path in system.map(Path::new).into_iter().filter(|path| path.exists()) {
        bind(path, &within(root, path))?;
    }
    for name in ["null", "zero", "full", "random", "urandom"] {
        let (from, to) = (Path::new("/dev").join(name), root.join("dev").join(name));
        fs::write(&to, "")?;
        mount_bind_recursive(&from, &to).map_err(context(from.display()))?;
    }
    symlink("/proc/self/fd", root.join("dev/fd"))?;
    symlink("/tmp", root.join("dev/shm"))?;
    fs::write(root.join("etc/hosts"), "127.0.0.1 localhost olap.127.0.0.1 olap.localhost\n")?;
    fs::write(root.join("etc/nsswitch.conf"), "hosts: files\npasswd: files\ngroup: files\n")?;
    if !plan.outward.is_empty() {
        outward::name(root)?;
    }
    fs::write(
        root.join("etc/passwd"),
        format!("root:x:0:0::/tmp:/bin/sh\nsbx_user:x:{USER}:{USER}::/tmp:/bin/sh\n"),
    )?;
    fs::write(root.join("etc/group"), format!("root:x:0:\nsbx_user:x:{USER}:\n"))?;
    for (from, to) in &plan.binds {
        bind(from, &within(root, to))?;
    }
    let size = text(&format!("size={}m,mode=1777", plan.temporary_mb))?;
    mount("tmpfs", root.join("tmp"), "tmpfs", safe, size.as_c_str()).map_err(context("/tmp"))?;
    mount("proc", root.join("proc"), "proc", safe | MountFlags::NOEXEC, None).map_err(context("/proc"))?;
    pivot_root(root, root.join("old")).map_err(context("pivot_root"))?;
    std::env::set_current_dir("/")?;
    unmount("/old", UnmountFlags::DETACH).map_err(context("the old root"))?;
    fs::remove_dir("/old")?;
    mount_remount("/", safe | MountFlags::RDONLY, c"").map_err(context("a root that is read-only"))
}

/// Shows a file or directory of the host, read-only.
fn bind(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
    } else {
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(to, "")?;
    }
    mount_bind_recursive(from, to).map_err(context(from.display()))?;
    let mut flags = MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
    // What the mount has that the host made, a user namespace may not take away.
    let present = statvfs(to).map_err(context(from.display()))?.f_flag;
    if present.contains(StatVfsMountFlags::NOEXEC) {
        flags |= MountFlags::NOEXEC;
    }
    if present.contains(StatVfsMountFlags::NOATIME) {
        flags |= MountFlags::NOATIME;
    }
    if present.contains(StatVfsMountFlags::NODIRATIME) {
        flags |= MountFlags::NODIRATIME;
    }
    mount_remount(to, flags, c"").map_err(context(from.display()))
}
