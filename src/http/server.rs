//! Sockets, limits, timeouts and the panic guard, around one warp filter. The only file that names warp.
//!
//! warp alone has no header timeout, no connection limit and no bounded read of chunked bodies, so its service is run
//! by hyper on our own accept loop, and bodies are read here.

use crate::config::Limits;
use crate::http::accept::{Accept, Failures};
use crate::http::connection::{Patience, Phase, Watched};
use crate::http::exchange::{Reply, Request};
use bytes::{Buf, Bytes, BytesMut};
use futures_util::{FutureExt, Stream, StreamExt};
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
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
/// A body above the limit is read and discarded up to this many times the limit, so that its sender sees the reply.
const DISCARDED_LIMITS: usize = 8;
/// Longest `x-request-id` that is accepted.
const MAX_REQUEST_ID: usize = 64;

/// Serves the connections from `connections` until `shutdown` completes, then gives running requests the shutdown
/// timeout to finish.
///
/// `boot_id` makes the request ids of this run of the server distinct from those of other runs.
pub async fn serve<D: Dispatch>(
    mut connections: impl Accept,
    limits: Limits,
    boot_id: u32,
    dispatch: Arc<D>,
    shutdown: impl Future<Output = ()> + Send,
) {
    let shared = Arc::new(ServerShared { dispatch, limits, boot_id, requests: AtomicU64::new(0) });
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
                serve_connection(stream, peer.ip(), &shared, &graceful, permit);
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
    drop(connections);
    let drained = timeout(limits.shutdown_timeout, graceful.shutdown()).await;
    if drained.is_err() {
        tracing::warn!("stopped with requests still running: they took longer than the drain time");
    }
}

struct ServerShared<D> {
    dispatch: Arc<D>,
    limits: Limits,
    boot_id: u32,
    requests: AtomicU64,
}

fn serve_connection<D: Dispatch>(
    stream: TcpStream,
    peer: IpAddr,
    shared: &Arc<ServerShared<D>>,
    graceful: &GracefulShutdown,
    permit: OwnedSemaphorePermit,
) {
    // Replies are small and complete: waiting for more data would only delay them.
    let _ = stream.set_nodelay(true);
    let patience = Patience::new();
    let filter = TowerToHyperService::new(warp::service(filter(shared, peer, &patience)));
    let service = service_fn(move |request| filter.call(with_headers_apart(in_origin_form(request))));
    let connection = http1::Builder::new()
        .header_read_timeout(None)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(Watched::new(stream, patience.clone())), service);
    let connection = graceful.watch(connection);
    let limits = shared.limits;
    tokio::spawn(async move {
        let served = async {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
        };
        if patience.guard(served, limits).await {
            tracing::debug!(%peer, "a connection was cut: its peer was idle or too slow");
        }
        drop(permit);
    });
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
    patience.enter(Phase::Busy);
    let headers = headers.map(|headers| headers.take()).unwrap_or_default();
    let id = request_id(&headers, &shared);
    let path = path.as_str().to_owned();
    let mut request = Request { id, method, path, query, headers, body: Bytes::new(), peer };
    let response = match read_body(&*shared.dispatch, &request, body, shared.limits).await {
        Ok(body) => {
            request.body = body;
            guarded(&*shared.dispatch, request).await
        }
        Err(refusal) => respond(refusal.reply(shared.limits), None),
    };
    patience.enter(Phase::Reply);
    response
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

/// Why a body was not read.
enum Refusal {
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    TooSlow,
    Broken,
}

impl Refusal {
    fn reply(&self, limits: Limits) -> Reply {
        match self {
            Self::TooLarge { limit } => {
                let sentence = format!("Request body is larger than {limit} bytes");
                Reply::text(StatusCode::PAYLOAD_TOO_LARGE, &sentence)
            }
            Self::TooSlow => {
                let sentence = format!("Request body did not arrive within {} ms", limits.body_timeout.as_millis());
                Reply::text(StatusCode::REQUEST_TIMEOUT, &sentence)
            }
            Self::Broken => Reply::text(StatusCode::BAD_REQUEST, "Request body could not be read"),
        }
    }
}

/// The largest body a request may have. The dispatcher is only asked when the body is larger than the general limit.
struct BodyLimit<'a, D> {
    dispatch: &'a D,
    request: &'a Request,
    bytes: usize,
    is_final: bool,
}

impl<D: Dispatch> BodyLimit<'_, D> {
    fn admits(&mut self, length: usize) -> bool {
        if length > self.bytes && !self.is_final {
            self.is_final = true;
            self.bytes = self.bytes.max(self.dispatch.body_limit(self.request).unwrap_or(0));
        }
        length <= self.bytes
    }
}

async fn read_body<D: Dispatch>(
    dispatch: &D,
    request: &Request,
    body: impl Stream<Item = Result<impl Buf, warp::Error>> + Send,
    limits: Limits,
) -> Result<Bytes, Refusal> {
    let mut limit = BodyLimit { dispatch, request, bytes: limits.body_bytes, is_final: false };
    let headers = &request.headers;
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let too_large = announced.is_some_and(|length| !limit.admits(length));
    if too_large && headers.contains_key(EXPECT) {
        // The sender waits for `100 Continue` before it sends anything.
        return Err(Refusal::TooLarge { limit: limit.bytes });
    }
    let mut collecting = pin!(collect(body, limit));
    // Most bodies have arrived with the head and need no timer.
    if let Poll::Ready(collected) = poll_fn(|cx| Poll::Ready(collecting.as_mut().poll(cx))).await {
        return collected;
    }
    timeout(limits.body_timeout, collecting).await.unwrap_or(Err(Refusal::TooSlow))
}

/// Reads a body within its limit; anything above it is discarded as it arrives.
async fn collect<D: Dispatch>(
    body: impl Stream<Item = Result<impl Buf, warp::Error>>,
    mut limit: BodyLimit<'_, D>,
) -> Result<Bytes, Refusal> {
    let mut body = pin!(body);
    let mut whole = Bytes::new();
    let mut more = BytesMut::new();
    let mut length = 0_usize;
    while let Some(chunk) = body.next().await {
        let mut chunk = chunk.map_err(|_| Refusal::Broken)?;
        length = length.saturating_add(chunk.remaining());
        if !limit.admits(length) {
            (whole, more) = (Bytes::new(), BytesMut::new());
            if length > limit.bytes.saturating_mul(DISCARDED_LIMITS) {
                break;
            }
        } else if whole.is_empty() {
            // The usual case: the body is one chunk and is used without a copy.
            whole = chunk.copy_to_bytes(chunk.remaining());
        } else {
            more.reserve(chunk.remaining());
            more.extend_from_slice(&chunk.copy_to_bytes(chunk.remaining()));
        }
    }
    if !limit.admits(length) {
        return Err(Refusal::TooLarge { limit: limit.bytes });
    }
    if more.is_empty() {
        return Ok(whole);
    }
    let mut joined = BytesMut::with_capacity(length);
    joined.extend_from_slice(&whole);
    joined.extend_from_slice(&more);
    Ok(joined.freeze())
}

fn respond(reply: Reply, request_id: Option<&str>) -> Response<Bytes> {
    let mut response = Response::new(reply.body);
    *response.status_mut() = reply.status;
    let headers = response.headers_mut();
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
