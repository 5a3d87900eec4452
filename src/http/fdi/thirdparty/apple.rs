//! `POST /callback/apple`: Apple answers with a form, and pages cannot read forms. The browser is sent on to the page
//! that began the sign-in, with the form's fields as parameters.

use crate::context::Context;
use crate::domain::origin::Origin;
use crate::http::exchange::Reply;
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::error::FrontError;
use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{GeneralPurposeConfig, STANDARD};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode, Uri};
use serde_json::Value;

/// Browsers write the state with padding or without.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(super) async fn callback(_context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    let fields: Vec<_> = form_urlencoded::parse(&call.request.body).collect();
    let state = fields.iter().find(|(name, _)| name == "state").map(|(_, state)| state.as_ref());
    let page = state.and_then(|state| page_of(call, state));
    let page = page.ok_or_else(|| FrontError::bad_request("The state does not name a page of the website"))?;
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(&fields);
    let separator = if page.contains('?') { '&' } else { '?' };
    let location = format!("{page}{separator}{}", query.finish());
    // invariant: the page is a URI and the query is percent-encoded
    let location = HeaderValue::try_from(location).map_err(|_| FrontError::bad_request("The form is not text"))?;
    let mut reply = Reply::empty(StatusCode::SEE_OTHER);
    reply.headers.push((LOCATION, location));
    Ok(reply.not_stored())
}

/// The page in a state, if it belongs to the website: anyone could send a form with the address of their own, and would
/// get the code.
fn page_of(call: &FrontCall, state: &str) -> Option<String> {
    let decoded = LENIENT.decode(state.trim()).or_else(|_| STANDARD.decode(state)).ok()?;
    let state: Value = serde_json::from_slice(&decoded).ok()?;
    let page = state.get("frontendRedirectURI")?.as_str()?;
    let uri: Uri = page.parse().ok()?;
    let origin = Origin::parse(&format!("{}://{}", uri.scheme_str()?, uri.authority()?))?;
    call.pages().contains(&origin).then(|| uri.to_string())
}
