//! Request bodies: read within their limit of size and time.

use crate::config::Limits;
use crate::http::exchange::Reply;
use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use http::header::{CONTENT_LENGTH, EXPECT};
use http::{HeaderMap, StatusCode};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use tokio::time::timeout;

/// A body above the limit is read and discarded up to this many times the limit, so that its sender sees the reply.
const DISCARDED_LIMITS: usize = 8;

/// Why a body was not read.
pub(super) enum Refusal {
    /// It is above the limit.
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// It did not arrive in time.
    TooSlow,
    /// The connection broke, or its framing.
    Broken,
}

impl Refusal {
    /// What its sender is told.
    pub(super) fn reply(&self, limits: Limits) -> Reply {
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

/// The largest body a request may have. `raised` is only asked when the body is larger than the general limit.
struct BodyLimit<F> {
    bytes: usize,
    raised: Option<F>,
}

impl<F: FnOnce() -> Option<usize>> BodyLimit<F> {
    fn admits(&mut self, length: usize) -> bool {
        if length > self.bytes
            && let Some(raised) = self.raised.take()
        {
            self.bytes = self.bytes.max(raised().unwrap_or(0));
        }
        length <= self.bytes
    }
}

/// Reads the body of a request. `raised` is the limit of this request, if that is above the general one.
pub(super) async fn read_body<E>(
    headers: &HeaderMap,
    body: impl Stream<Item = Result<impl Buf, E>> + Send,
    limits: Limits,
    raised: impl FnOnce() -> Option<usize> + Send,
) -> Result<Bytes, Refusal> {
    let mut limit = BodyLimit { bytes: limits.body_bytes, raised: Some(raised) };
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
async fn collect<E>(
    body: impl Stream<Item = Result<impl Buf, E>>,
    mut limit: BodyLimit<impl FnOnce() -> Option<usize>>,
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
