//! The floor: a bare warp server that reads the whole body and replies with as many bytes as requested.
//!
//! It runs in a separate process (the bench executes itself again), on tokio's default runtime and the system
//! allocator, so that the harness compares with the cost of warp alone, on this machine at this minute.

use bytes::Bytes;
use std::io::Write as _;
use warp::Filter as _;

/// Serves until the process is killed; prints the address in the format that [`super::server`] looks for.
///
/// # Errors
/// When no socket can be opened.
pub(crate) fn run() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let mut out = std::io::stdout();
        writeln!(out, "Started the floor on {}", listener.local_addr()?)?;
        out.flush()?;
        let filler = Bytes::from(vec![b'x'; 64 * 1024]);
        let route = warp::path!("floor" / usize).and(warp::body::bytes()).map(move |size: usize, body: Bytes| {
            std::hint::black_box(body.len());
            let mut reply = warp::http::Response::new(filler.slice(..size.min(filler.len())));
            reply.headers_mut().insert(
                warp::http::header::CONTENT_TYPE,
                warp::http::HeaderValue::from_static("application/json; charset=UTF-8"),
            );
            reply
        });
        warp::serve(route).incoming(listener).run().await;
        Ok(())
    })
}
