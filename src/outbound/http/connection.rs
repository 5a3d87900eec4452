//! One request over one connection.

use super::SendError;
use super::target::Target;
use crate::domain::http_request::{HttpBody, HttpReply, HttpRequest};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

/// A reply, and where it sends us.
pub(super) struct Answer {
    pub(super) reply: HttpReply,
    pub(super) location: Option<String>,
}

/// Sends a request to the first of these addresses that can be reached. `tls` is for `https` targets.
pub(super) async fn exchange(
    target: &Target,
    addresses: &[SocketAddr],
    tls: Option<Arc<ClientConfig>>,
    request: &HttpRequest,
) -> Result<Answer, SendError> {
    let max_reply = request.max_reply;
    let request = encode(target, request)?;
    let failed = |reason: String| SendError::Connection { host: target.host.clone(), reason };
    // A slice of addresses is tried one by one; none of them is looked up again.
    let stream = TcpStream::connect(addresses).await.map_err(|error| failed(error.to_string()))?;
    let response = match tls {
        None => send(stream, request).await,
        Some(config) => {
            let name = ServerName::try_from(target.host.clone()).map_err(|_| SendError::Url)?;
            let stream = TlsConnector::from(config).connect(name, stream).await;
            send(stream.map_err(|error| failed(error.to_string()))?, request).await
        }
    };
    read(target, response.map_err(|error| failed(error.to_string()))?, max_reply).await
}

async fn send<S>(stream: S, request: Request<Full<Bytes>>) -> hyper::Result<Response<Incoming>>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Ends with the request: the reply's body keeps it going until it is read or dropped.
    tokio::spawn(connection);
    sender.send_request(request).await
}

fn encode(target: &Target, request: &HttpRequest) -> Result<Request<Full<Bytes>>, SendError> {
    let unsendable = || SendError::Request;
    let mut headers = HeaderMap::new();
    let fixed = [("host", target.authority.as_str()), ("user-agent", "sessiond"), ("connection", "close")];
    let given = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in fixed.into_iter().chain(given) {
        let name = HeaderName::try_from(name).map_err(|_| unsendable())?;
        headers.insert(name, HeaderValue::try_from(value).map_err(|_| unsendable())?);
    }
    let (method, body) = match &request.body {
        None if request.is_head => (Method::HEAD, Bytes::new()),
        None => (Method::GET, Bytes::new()),
        Some(body) => {
            let (kind, text) = match body {
                HttpBody::Form(text) => ("application/x-www-form-urlencoded", text),
                HttpBody::Json(text) => ("application/json", text),
                HttpBody::Jose(text) => ("application/jose+json", text),
            };
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
            (Method::POST, Bytes::from(text.clone()))
        }
    };
    let mut encoded = Request::new(Full::new(body));
    *encoded.method_mut() = method;
    *encoded.uri_mut() = target.path.clone().into();
    *encoded.headers_mut() = headers;
    Ok(encoded)
}

async fn read(target: &Target, response: Response<Incoming>, max_reply: usize) -> Result<Answer, SendError> {
    let (head, body) = response.into_parts();
    let body = match max_reply {
        0 => Vec::new(),
        _ => Limited::new(body, max_reply).collect().await.map(|body| body.to_bytes().to_vec()).map_err(|error| {
            match error.is::<LengthLimitError>() {
                true => SendError::TooLarge(target.host.clone()),
                false => SendError::Connection { host: target.host.clone(), reason: error.to_string() },
            }
        })?,
    };
    let location = head.headers.get(header::LOCATION).filter(|_| head.status.is_redirection());
    let location = location.map(|value| value.to_str().unwrap_or_default().to_owned());
    Ok(Answer { reply: HttpReply { status: head.status.as_u16(), headers: head.headers, body }, location })
}
