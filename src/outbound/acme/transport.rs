//! [`Transport`]: the protocol's requests over our own client.

use crate::domain::http_request::{HttpBody, HttpRequest, Reach};
use crate::outbound::http::HttpClient;
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use instant_acme::{BodyWrapper, BytesResponse, Error};
use std::pin::Pin;
use std::sync::Arc;

/// Sends the requests of the protocol.
pub(super) struct Transport {
    http: Arc<dyn HttpClient>,
    reach: Reach,
}

impl Transport {
    pub(super) fn new(http: Arc<dyn HttpClient>, reach: Reach) -> Self {
        Self { http, reach }
    }
}

impl instant_acme::HttpClient for Transport {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let (http, reach) = (Arc::clone(&self.http), self.reach.clone());
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let url = head.uri.to_string();
            let request = match head.method {
                Method::HEAD => HttpRequest::head(url),
                Method::POST => {
                    // invariant: the body is bytes in memory
                    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
                    let text = String::from_utf8(body.to_vec()).map_err(|error| Error::Other(error.into()))?;
                    HttpRequest::post(url, HttpBody::Jose(text))
                }
                _ => HttpRequest::get(url),
            };
            let request = request.with_headers(&[("accept".to_owned(), None)]);
            let reply = http.send(&request, &reach).await.map_err(|error| Error::Other(error.into()))?;
            let mut response = Response::new(Full::new(Bytes::from(reply.body)));
            *response.status_mut() = reply.status.try_into().map_err(http::Error::from)?;
            *response.headers_mut() = reply.headers;
            Ok(BytesResponse::from(response))
        })
    }
}
