//! The port: reserved before the store is opened, opened to clients after that.

use crate::domain::loopback;
use crate::http::accept::Listeners;
use std::io;
use std::net::{IpAddr, SocketAddr};
use tokio::net::TcpSocket;

/// Maximum number of connections waiting to be accepted, per address.
const BACKLOG: u32 = 1024;
/// How many ports are tried to find one that is free on every address of the host.
const MAX_ATTEMPTS: u32 = 16;

/// Sockets that hold the port on every address of the host but do not accept connections yet.
pub(super) struct Reserved {
    sockets: Vec<TcpSocket>,
    /// The port they hold.
    pub(super) port: u16,
}

/// Why the port could not be reserved.
pub(super) enum ReserveError {
    /// The host's name has no address.
    UnknownHost(io::Error),
    /// An address or the port is not available.
    Bind(io::Error),
}

/// Reserves `port` (0: any free one) of `host` without accepting connections yet: a busy port is detected before any
/// work is done, and no client waits for a server that is still recovering.
///
/// A name means all of its addresses, because clients choose among them freely. Addresses that this machine does not
/// have, such as IPv6 addresses where IPv6 is off, are left out as long as one is left.
pub(super) async fn reserve(host: &str, port: u16) -> Result<Reserved, ReserveError> {
    let addresses = resolve(host).await.map_err(ReserveError::UnknownHost)?;
    let mut attempt = 1;
    loop {
        match reserve_all(&addresses, port) {
            // The system chose a free port for the first address; it may be busy on another one.
            Err(error) if port == 0 && error.kind() == io::ErrorKind::AddrInUse && attempt < MAX_ATTEMPTS => {
                attempt += 1
            }
            reserved => return reserved.map_err(ReserveError::Bind),
        }
    }
}

fn reserve_all(addresses: &[IpAddr], port: u16) -> io::Result<Reserved> {
    let mut reserved = Reserved { sockets: Vec::new(), port };
    let mut missing = None;
    for address in addresses {
        match bind(SocketAddr::new(*address, reserved.port)) {
            Ok(socket) => {
                reserved.port = socket.local_addr()?.port();
                reserved.sockets.push(socket);
            }
            Err(error) if is_missing(&error) => missing = Some(error),
            Err(error) => return Err(error),
        }
    }
    match missing {
        Some(error) if reserved.sockets.is_empty() => Err(error),
        _ => Ok(reserved),
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // On Windows this option would let two servers share a port.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// True if this machine does not have the address, or any addresses of its family.
fn is_missing(error: &io::Error) -> bool {
    #[cfg(unix)]
    let no_such_family = error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error());
    #[cfg(not(unix))]
    let no_such_family = error.raw_os_error() == Some(10_047); // WSAEAFNOSUPPORT
    no_such_family || error.kind() == io::ErrorKind::AddrNotAvailable
}

impl Reserved {
    /// Opens the port to clients.
    pub(super) fn open(self) -> io::Result<Listeners> {
        let listeners: io::Result<Vec<_>> = self.sockets.into_iter().map(|socket| socket.listen(BACKLOG)).collect();
        listeners.map(Listeners::new)
    }
}

/// The addresses of a host without duplicates; IPv4 first.
async fn resolve(host: &str) -> io::Result<Vec<IpAddr>> {
    // Names of this machine itself do not go to a resolver: it costs a thread, and many know only some of these names.
    let loopback = loopback::addresses(host);
    if !loopback.is_empty() {
        return Ok(loopback.to_vec());
    }
    if let Ok(ip) = host.trim_start_matches('[').trim_end_matches(']').parse() {
        return Ok(vec![ip]);
    }
    let mut found: Vec<IpAddr> = tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect();
    found.sort();
    found.dedup();
    if found.is_empty() { Err(io::Error::new(io::ErrorKind::NotFound, "it has no address")) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::{ReserveError, reserve};
    use std::io;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
    use tokio::net::{TcpListener, TcpStream};

    const BOTH: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

    async fn has_ipv6() -> bool {
        TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await.is_ok()
    }

    #[tokio::test]
    async fn localhost_is_every_loopback_address_there_is() {
        for host in ["localhost", "LOCALHOST.", "core.localhost"] {
            let Ok(reserved) = reserve(host, 0).await else { panic!("{host} is refused") };
            let port = reserved.port;
            let opened = reserved.open().expect("it listens");
            for ip in BOTH {
                let connected = TcpStream::connect(SocketAddr::new(ip, port)).await;
                assert!(connected.is_ok() || (ip.is_ipv6() && !has_ipv6().await), "{host} on {ip}: {connected:?}");
            }
            drop(opened);
        }
    }

    #[tokio::test]
    async fn a_port_that_is_busy_on_one_of_the_addresses_is_not_shared() {
        for ip in BOTH {
            let Ok(taken) = TcpListener::bind((ip, 0)).await else { continue };
            let port = taken.local_addr().expect("an address").port();
            let refused = reserve("localhost", port).await.err();
            let busy = |error: &io::Error| error.kind() == io::ErrorKind::AddrInUse;
            assert!(matches!(refused, Some(ReserveError::Bind(error)) if busy(&error)), "{ip}");
        }
    }

    #[tokio::test]
    async fn ip6_localhost_is_ipv6_only() {
        if has_ipv6().await {
            let Ok(reserved) = reserve("ip6-localhost", 0).await else { panic!("ip6-localhost is refused") };
            let port = reserved.port;
            let _opened = reserved.open().expect("it listens");
            assert!(TcpStream::connect((Ipv6Addr::LOCALHOST, port)).await.is_ok());
            assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err());
        }
    }

    #[tokio::test]
    async fn a_name_without_an_address_is_told_from_a_busy_port() {
        assert!(matches!(reserve("no such host.invalid", 0).await.err(), Some(ReserveError::UnknownHost(_))));
    }
}
