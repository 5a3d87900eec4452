//! Replies as the SDKs send them.

use crate::http::exchange::Reply;
use bytes::Bytes;
use http::StatusCode;
use serde::Serialize;

/// The `Content-Type` of the SDKs' JSON replies.
pub const JSON: &str = "application/json; charset=utf-8";

/// A body as JSON text.
pub fn json_text(body: &impl Serialize) -> Bytes {
    // invariant: reply structs hold only serialisable data with string keys
    serde_json::to_vec(body).unwrap_or_default().into()
}

/// A JSON reply with this status.
pub fn json(status: StatusCode, body: &impl Serialize) -> Reply {
    Reply::bare(status, JSON, json_text(body))
}

/// 200 with a JSON body.
pub fn ok(body: &impl Serialize) -> Reply {
    json(StatusCode::OK, body)
}

/// 200 with `{"status": …}` and nothing else.
#[must_use]
pub fn status(status: &'static str) -> Reply {
    #[derive(Serialize)]
    struct StatusBody {
        status: &'static str,
    }
    ok(&StatusBody { status })
}

/// `GENERAL_ERROR`, with a sentence for the person.
#[must_use]
pub fn general_error(message: &str) -> Reply {
    #[derive(Serialize)]
    struct GeneralErrorBody<'a> {
        status: &'static str,
        message: &'a str,
    }
    ok(&GeneralErrorBody { status: "GENERAL_ERROR", message })
}

/// `{"message": …}` with this status.
#[must_use]
pub fn message(status: StatusCode, message: &str) -> Reply {
    #[derive(Serialize)]
    struct MessageBody<'a> {
        message: &'a str,
    }
    json(status, &MessageBody { message })
}
