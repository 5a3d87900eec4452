//! The port: taken before the store is opened, opened to clients after.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use tokio::net::{TcpListener, TcpSocket};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// Takes `port` (0: any free one) of `host` without accepting connections yet: a port that is busy is found out
/// before any work is done, and no client waits on a server that is still recovering.
pub(super) async fn reserve(host: &str, port: u16) -> io::Result<TcpSocket> {
    let address = SocketAddr::new(resolve(host).await?, port);
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // On Windows this option would let two servers share a port.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Opens a reserved port to clients.
pub(super) fn open(socket: TcpSocket) -> io::Result<TcpListener> {
    socket.listen(BACKLOG)
}

async fn resolve(host: &str) -> io::Result<IpAddr> {
    // No resolver for the usual names: it costs a thread, and may prefer IPv6 where clients expect IPv4.
    if host.eq_ignore_ascii_case("localhost") {
        return Ok(Ipv4Addr::LOCALHOST.into());
    }
    if let Ok(ip) = host.trim_start_matches('[').trim_end_matches(']').parse() {
        return Ok(ip);
    }
    let found: Vec<IpAddr> = tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect();
    let first = found.iter().find(|ip| ip.is_ipv4()).or_else(|| found.first());
    first.copied().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the host name has no address"))
}
