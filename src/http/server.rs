//! Sockets, limits, timeouts and the panic guard, around one warp filter. The only file that names warp.
//!
//! warp alone has no header timeout, no connection limit and no bounded read of chunked bodies, so its service is run
//! by hyper on our own accept loop, and bodies are read by `body`.

use crate::config::Limits;
use crate::http::accept::{Accept, Failures};
use crate::http::body::{Refusal, read_body};
use crate::http::connection::{Patience, Watched};
use crate::http::exchange::{Reply, Request};
use crate::http::tls::{Secured, Tls};
use bytes::{Buf, Bytes};
use futures_util::{FutureExt, Stream};
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HOST, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri};
use hyper::body::{Body, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::{HttpService, Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::error::Error;
use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;
use warp::Filter;
use warp::path::FullPath;

/// The service that answers requests.
pub trait Dispatch: Send + Sync + 'static {
    /// Answers one request.
    fn dispatch(&self, request: Request) -> impl Future<Output = Reply> + Send;

    /// The largest body in bytes that this request may have, if that is above the general limit. Its body has not been
    /// read yet.
    fn body_limit(&self, request: &Request) -> Option<usize> {
        let _ = request;
        None
    }

    /// Called after answering a request has panicked and the panic has been logged.
    fn record_panic(&self) {}
}

/// The header that identifies a request in logs.
static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest request head; also the size of a connection's buffer.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Requests under way at once on an HTTP/2 connection. Few frontends send more, and each may cost as much memory as a
/// connection of HTTP/1.1.
const MAX_STREAMS: u32 = 32;
/// Longest request head in HTTP/2, as RFC 9113 (6.5.2) counts it.
const MAX_STREAM_HEAD_BYTES: u32 = 32 * 1024;
/// Longest `x-request-id` that is accepted.
const MAX_REQUEST_ID: usize = 64;

/// Serves the connections from `connections` until `shutdown` completes, then gives running requests the shutdown
/// timeout to finish. With `tls`, connections begin with a handshake.
///
/// `boot_id` makes the request ids of this run of the server distinct from those of other runs.
pub async fn serve<D: Dispatch>(
    mut connections: impl Accept,
    limits: Limits,
    boot_id: u32,
    dispatch: Arc<D>,
    tls: Option<Tls>,
    shutdown: impl Future<Output = ()> + Send,
) {
    let (running, stopping) = watch::channel(());
    let turns = Semaphore::new(limits.connections);
    let shared =
        Arc::new(ServerShared { dispatch, limits, boot_id, requests: AtomicU64::new(0), tls, turns, stopping });
    let slots = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    let mut failures = Failures::default();
    loop {
        let next = async {
            // invariant: the semaphore is never closed
            let permit = Arc::clone(&slots).acquire_owned().await.ok()?;
            Some((permit, poll_fn(|cx| connections.poll_accept(cx)).await))
        };
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = next => accepted,
        };
        match accepted {
            Some((permit, Ok((stream, peer)))) => {
                failures.clear();
                serve_connection(stream, peer.ip(), Arc::clone(&shared), graceful.watcher(), permit);
            }
            Some((permit, Err(error))) => {
                drop(permit);
                if let Some(pause) = failures.note(&error) {
                    tokio::time::sleep(pause).await;
                }
            }
            None => break,
        }
    }
    drop((connections, running));
    let drained = timeout(limits.shutdown_timeout, graceful.shutdown()).await;
    if drained.is_err() {
        tracing::warn!("stopped with requests still running: they took longer than the drain time");
    }
}

type BoxError = Box<dyn Error + Send + Sync>;

struct ServerShared<D> {
    dispatch: Arc<D>,
    limits: Limits,
    boot_id: u32,
    requests: AtomicU64,
    tls: Option<Tls>,
    /// As many requests are answered at once as there may be connections, however many of them share one.
    turns: Semaphore,
    /// Ends when the server stops.
    stopping: watch::Receiver<()>,
}

fn serve_connection<D: Dispatch>(
    stream: TcpStream,
    peer: IpAddr,
    shared: Arc<ServerShared<D>>,
    watcher: Watcher,
    permit: OwnedSemaphorePermit,
) {
    // Replies are small and complete: waiting for more data would only delay them.
    let _ = stream.set_nodelay(true);
    tokio::spawn(async move {
        let (patience, limits) = (Patience::new(), shared.limits);
        let served = async {
            let ended = match shared.tls.is_some() {
                false => serve_http1(stream, peer, &shared, &patience, watcher).await.map_err(Into::into),
                true => Box::pin(serve_tls(stream, peer, &shared, &patience, watcher)).await,
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended early");
            }
        };
        if patience.guard(served, limits).await {
            tracing::debug!(%peer, "a connection was cut: its peer was idle, too slow or abandoned too much");
        }
        drop(permit);
    });
}

fn serve_http1<D: Dispatch>(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    peer: IpAddr,
    shared: &Arc<ServerShared<D>>,
    patience: &Patience,
    watcher: Watcher,
) -> impl Future<Output = hyper::Result<()>> {
    let connection = http1::Builder::new()
        .header_read_timeout(None)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(Watched::new(stream, patience.clone())), service(shared, peer, patience));
    watcher.watch(connection)
}

/// A connection that begins with a handshake, which a stop does not wait for.
async fn serve_tls<D: Dispatch>(
    stream: TcpStream,
    peer: IpAddr,
    shared: &Arc<ServerShared<D>>,
    patience: &Patience,
    watcher: Watcher,
) -> Result<(), BoxError> {
    let (Some(tls), mut stopping) = (&shared.tls, shared.stopping.clone()) else { return Ok(()) };
    let secured = tokio::select! {
        biased;
        secured = tls.accept(stream) => secured?,
        _ = stopping.changed() => None,
    };
    let Some(Secured { stream, is_http2 }) = secured else { return Ok(()) };
    if !is_http2 {
        return Ok(serve_http1(stream, peer, shared, patience, watcher).await?);
    }
    patience.multiplex();
    let connection = http2::Builder::new(TokioExecutor::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_STREAM_HEAD_BYTES)
        .serve_connection(TokioIo::new(Watched::new(stream, patience.clone())), service(shared, peer, patience));
    Ok(watcher.watch(connection).await?)
}

/// The filter as hyper runs it.
fn service<D: Dispatch>(
    shared: &Arc<ServerShared<D>>,
    peer: IpAddr,
    patience: &Patience,
) -> impl HttpService<
    Incoming,
    ResBody: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
    Error: Into<BoxError>,
    Future: Send + 'static,
>
+ Send
+ 'static
+ use<D> {
    let filter = TowerToHyperService::new(warp::service(filter(shared, peer, patience)));
    service_fn(move |request| filter.call(with_headers_apart(in_origin_form(request))))
}

/// Replaces a target that has no path. No route has this path.
const NO_PATH: &str = "/:";

/// A request whose target is a path. The authority of a target in absolute form replaces `Host` (RFC 9112, 3.2.2), but
/// must not hide that there were two. warp panics on a request whose target is an authority without a path (CONNECT).
fn in_origin_form<B>(mut request: http::Request<B>) -> http::Request<B> {
    let authority = request.uri().authority().map(|authority| authority.as_str());
    let host = authority.map(|authority| authority.rsplit_once('@').map_or(authority, |(_, host)| host));
    let host = host.and_then(|host| HeaderValue::from_str(host).ok());
    if let Some(host) = host.filter(|_| request.headers().get_all(HOST).iter().nth(1).is_none()) {
        request.headers_mut().insert(HOST, host);
    }
    if request.uri().path_and_query().is_none() {
        *request.uri_mut() = Uri::from_static(NO_PATH);
    }
    request
}

/// A request's headers on their way past warp, whose filters can only copy them.
#[derive(Clone)]
struct HeadersApart(Arc<Mutex<HeaderMap>>);

impl HeadersApart {
    fn take(&self) -> HeaderMap {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn with_headers_apart<B>(mut request: http::Request<B>) -> http::Request<B> {
    let headers = std::mem::take(request.headers_mut());
    request.extensions_mut().insert(HeadersApart(Arc::new(Mutex::new(headers))));
    request
}

/// The only filter: takes every request apart and answers it. It never rejects.
fn filter<D: Dispatch>(
    shared: &Arc<ServerShared<D>>,
    peer: IpAddr,
    patience: &Patience,
) -> impl Filter<Extract = (Response<Bytes>,), Error = warp::Rejection> + Clone + use<D> {
    let (shared, patience) = (Arc::clone(shared), patience.clone());
    let query = warp::query::raw().or_else(|_| std::future::ready(Ok::<_, Infallible>((String::new(),))));
    warp::any()
        .map(move || (Arc::clone(&shared), peer, patience.clone()))
        .and(warp::method())
        .and(warp::path::full())
        .and(query)
        .and(warp::ext::optional::<HeadersApart>())
        .and(warp::body::stream())
        .then(answer)
}

async fn answer<D: Dispatch>(
    (shared, peer, patience): (Arc<ServerShared<D>>, IpAddr, Patience),
    method: Method,
    path: FullPath,
    query: String,
    headers: Option<HeadersApart>,
    body: impl Stream<Item = Result<impl Buf, warp::Error>> + Send,
) -> Response<Bytes> {
    let answering = patience.answer();
    // Without HTTP/2 there are no more requests than connections.
    let _turn = match patience.is_multiplexed() {
        true => shared.turns.acquire().await.ok(),
        false => None,
    };
    let headers = headers.map(|headers| headers.take()).unwrap_or_default();
    let id = request_id(&headers, &shared);
    let path = path.as_str().to_owned();
    let mut request = Request { id, method, path, query, headers, body: Bytes::new(), peer };
    let raised = || shared.dispatch.body_limit(&request);
    match read_body(&request.headers, body, shared.limits, raised).await {
        Ok(body) => {
            request.body = body;
            let response = guarded(&*shared.dispatch, request).await;
            answering.finish();
            response
        }
        Err(refusal) => {
            // Nobody waits for the reply to a request that broke off.
            if !matches!(refusal, Refusal::Broken) {
                answering.finish();
            }
            respond(refusal.reply(shared.limits), None)
        }
    }
}

/// Answers a request; a panic on the way becomes a 500, and the server keeps running.
async fn guarded<D: Dispatch>(dispatch: &D, request: Request) -> Response<Bytes> {
    let id = request.id.clone();
    match AssertUnwindSafe(dispatch.dispatch(request)).catch_unwind().await {
        Ok(reply) if reply.status.is_server_error() => respond(reply, Some(&id)),
        Ok(reply) => respond(reply, None),
        Err(panic) => {
            tracing::error!(request = id, "a handler panicked: {}", panic_text(&*panic));
            dispatch.record_panic();
            respond(Reply::text(StatusCode::INTERNAL_SERVER_ERROR, "Internal error"), Some(&id))
        }
    }
}

/// The caller's request id if it is fit for a log line, otherwise one of our own.
fn request_id<D>(headers: &HeaderMap, shared: &ServerShared<D>) -> String {
    let sane = |id: &&str| {
        (1..=MAX_REQUEST_ID).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
    };
    match headers.get(&REQUEST_ID).and_then(|value| value.to_str().ok()).filter(sane) {
        Some(id) => id.to_owned(),
        None => own_request_id(shared.boot_id, shared.requests.fetch_add(1, Ordering::Relaxed)),
    }
}

/// `<boot id>-<number>` in hex, formatted by hand: this runs for nearly every request.
fn own_request_id(boot_id: u32, number: u64) -> String {
    let mut id = String::with_capacity(25);
    push_hex(&mut id, u64::from(boot_id), 8);
    id.push('-');
    push_hex(&mut id, number, (u64::BITS - number.leading_zeros()).div_ceil(4).max(1));
    id
}

fn push_hex(text: &mut String, value: u64, digits: u32) {
    for place in (0..digits).rev() {
        // invariant: a nibble is a digit
        text.extend(u32::try_from(value >> (4 * place) & 0xF).ok().and_then(|nibble| char::from_digit(nibble, 16)));
    }
}

fn respond(reply: Reply, request_id: Option<&str>) -> Response<Bytes> {
    let mut response = Response::new(reply.body);
    *response.status_mut() = reply.status;
    let headers = response.headers_mut();
    // Those of the reply, at most five of ours, and the date and the length.
    headers.reserve(reply.headers.len() + 7);
    if !reply.content_type.is_empty() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    for (name, text) in [(CACHE_CONTROL, reply.cache_control), (ALLOW, reply.allow)] {
        if let Some(value) = text.and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.insert(name, value);
        }
    }
    if let Some(seconds) = reply.retry_after_s {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    for (name, value) in reply.headers {
        headers.append(name, value);
    }
    if let Some(value) = request_id.and_then(|id| HeaderValue::from_str(id).ok()) {
        headers.insert(REQUEST_ID.clone(), value);
    }
    response
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&'static str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::own_request_id;

    #[test]
    fn own_request_ids_are_boot_id_and_number_in_hex() {
        for number in [0, 1, 0xF, 0x10, 0x1234, u64::MAX] {
            assert_eq!(own_request_id(0xAB, number), format!("000000ab-{number:x}"));
        }
    }
}
