//! The way out of a sandbox whose function was granted some of the network. Every address becomes the sandbox's own, so
//! that whatever it connects to comes to a listener of that port, which the server has; nothing leaves by itself.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::net::sockopt::{set_ipv6_v6only, set_socket_reuseport};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, listen, recv, send, socket_with,
};

/// Where names are asked for.
const NAME_SERVER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 53);
/// Connections that wait for the server.
const BACKLOG: i32 = 128;

/// Opens a listener for each port, and the socket of the name server, which comes last. `taken` are the ports of other
/// listeners on the loopback address, which keep it.
pub(super) fn open(ports: &[u16], taken: &[u16]) -> io::Result<Vec<OwnedFd>> {
    let failed = |what: &'static str| move |error: io::Error| io::Error::other(format!("{what}: {error}"));
    own_all_addresses(AddressFamily::INET).map_err(failed("the route of all addresses"))?;
    // There may be no IPv6, and then nothing is lost.
    let both = own_all_addresses(AddressFamily::INET6).is_ok();
    let mut all = Vec::with_capacity(ports.len() + 1);
    for port in ports {
        let shared = taken.contains(port);
        let opened =
            if both { listener(*port, true, shared) } else { Err(io::ErrorKind::Unsupported.into()) };
        let opened = opened.or_else(|_| listener(*port, false, shared));
        all.push(opened.map_err(failed("a port that is granted"))?);
    }
    all.push(UdpSocket::bind((NAME_SERVER, 53)).map_err(failed("the name server"))?.into());
    Ok(all)
}

/// A socket that takes connections to any address at a port; `shared` where another has the port at one address.
fn listener(port: u16, both: bool, shared: bool) -> io::Result<OwnedFd> {
    let (family, any) = if both {
        (AddressFamily::INET6, SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)))
    } else {
        (AddressFamily::INET, SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)))
    };
    let socket = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    if both {
        set_ipv6_v6only(&socket, false)?;
    }
    share(&socket, shared)?;
    bind(&socket, &any)?;
    listen(&socket, BACKLOG)?;
    Ok(socket)
}

/// A socket that takes connections to the loopback address at a port.
pub(super) fn loopback(port: u16, shared: bool) -> io::Result<OwnedFd> {
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    share(&socket, shared)?;
    bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    listen(&socket, BACKLOG)?;
    Ok(socket)
}

/// The kernel gives a connection to the socket whose address is the narrower one.
fn share(socket: &OwnedFd, shared: bool) -> io::Result<()> {
    if shared {
        set_socket_reuseport(socket, true)?;
    }
    Ok(())
}

/// Adds `local default dev lo` to the table of local addresses.
fn own_all_addresses(family: AddressFamily) -> io::Result<()> {
    // Protocol 0 is NETLINK_ROUTE.
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    let mut message = Vec::new();
    // struct nlmsghdr: length, RTM_NEWROUTE, NLM_F_REQUEST | ACK | EXCL | CREATE, sequence, port.
    message.extend(36_u32.to_ne_bytes());
    message.extend(24_u16.to_ne_bytes());
    message.extend(0x605_u16.to_ne_bytes());
    message.extend([0; 8]);
    // struct rtmsg: family, lengths of destination and source, type of service, RT_TABLE_LOCAL, RTPROT_BOOT,
    // RT_SCOPE_HOST, RTN_LOCAL, flags.
    message.push(u8::try_from(family.as_raw()).map_err(io::Error::other)?);
    message.extend([0, 0, 0, 255, 3, 254, 2]);
    message.extend([0; 4]);
    // struct rtattr: length, RTA_OIF, and the first interface of a namespace.
    message.extend(8_u16.to_ne_bytes());
    message.extend(4_u16.to_ne_bytes());
    message.extend(1_u32.to_ne_bytes());
    send(&socket, &message, SendFlags::empty())?;
    // struct nlmsghdr again, NLMSG_ERROR, and a negative number where it is one.
    let mut answer = [0_u8; 512];
    let (_, size) = recv(&socket, &mut answer, RecvFlags::empty())?;
    let code = answer.get(..size).and_then(|answer| answer.get(16..20)).and_then(|code| code.try_into().ok());
    match code.map(i32::from_ne_bytes) {
        Some(0) => Ok(()),
        Some(code) => Err(io::Error::from_raw_os_error(code.saturating_neg())),
        None => Err(io::Error::other("the kernel's answer is too short")),
    }
}

/// Has the libraries in a root ask the name server.
pub(super) fn name(root: &Path) -> io::Result<()> {
    let etc = root.join("etc");
    fs::write(etc.join("resolv.conf"), format!("nameserver {NAME_SERVER}\noptions timeout:2 attempts:2\n"))?;
    fs::write(etc.join("nsswitch.conf"), "hosts: files dns\npasswd: files\ngroup: files\n")
}
