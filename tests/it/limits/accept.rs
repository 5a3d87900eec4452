//! Connections that fail before they are accepted.

use super::wire::Wire;
use super::{Echo, get, limits, soon};
use crate::app::TestServer;
use rustix::io::Errno;
use sessiond::config::Limits;
use sessiond::http::accept::{Accept, Listeners};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};

/// Fails a number of times before it accepts.
struct Failing {
    listener: TcpListener,
    error: Errno,
    times: u32,
}

impl Accept for Failing {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        if self.times > 0 {
            self.times -= 1;
            return Poll::Ready(Err(self.error.into()));
        }
        self.listener.poll_accept(cx).map(|accepted| accepted)
    }
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let address = listener.local_addr().expect("a bound port");
    (listener, address)
}

/// How long the first request takes after this many failures.
async fn answered_after(error: Errno, times: u32) -> Duration {
    let (listener, address) = listener().await;
    let since = Instant::now();
    let limits = Limits { connections: 1, ..limits() };
    let failing = Failing { listener, error, times };
    let server = TestServer::accepting(failing, address, Arc::new(Echo::default()), limits);
    let mut wire = Wire::open(&server).await;
    wire.send(&get("/a")).await;
    assert_eq!(soon(wire.reply()).await.code, 200);
    since.elapsed()
}

#[tokio::test]
async fn a_connection_that_failed_keeps_no_other_waiting() {
    for error in [Errno::CONNABORTED, Errno::PROTO, Errno::HOSTUNREACH, Errno::PERM] {
        let took = answered_after(error, 50).await;
        assert!(took < Duration::from_secs(1), "{error}: {took:?}");
    }
}

#[tokio::test]
async fn a_lack_of_handles_or_memory_is_waited_for() {
    for error in [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM] {
        let took = answered_after(error, 3).await;
        assert!(took >= Duration::from_millis(150), "{error}: {took:?}");
    }
}

#[tokio::test]
async fn an_error_that_stays_does_not_spin() {
    let took = answered_after(Errno::INVAL, 103).await;
    assert!(took >= Duration::from_millis(150), "{took:?}");
}

#[tokio::test]
async fn several_addresses_are_served_as_one() {
    let (first, second) = (listener().await, listener().await);
    let addresses = [first.1, second.1];
    let listeners = Listeners::new(vec![first.0, second.0]);
    let mut server = TestServer::accepting(listeners, addresses[0], Arc::new(Echo::default()), limits());
    for round in 0..3 {
        for address in addresses {
            server.address = address;
            let mut wire = Wire::open(&server).await;
            wire.send(&get("/a")).await;
            assert_eq!(soon(wire.reply()).await.code, 200, "{address} in round {round}");
        }
    }
}
