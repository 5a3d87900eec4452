//! `/bulk-import/…`: users queued for import, and a user imported at once. Errors are JSON in a text body.

use crate::command::bulk_import::one::{ImportOne, Imported};
use crate::command::bulk_import::queue::{AddUsers, CountUsers, ListUsers, QueueOutcome, RemoveUsers, Waiting};
use crate::context::Context;
use crate::domain::import::waiting::{ADDED_AT_ONCE, BulkStatus};
use crate::domain::json::Members;
use crate::domain::time::UnixMillis;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::{Body, Query, invalid_field};
use crate::http::cdi::route::Route;
use crate::http::cdi::user::object::UserObject;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use crate::route;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// Routes of this part.
pub const ROUTES: &[Route] = &[
    route!(POST "/bulk-import/users", AppStrict403 => add).body_up_to(BATCH_BYTES),
    route!(GET "/bulk-import/users", AppStrict403 => list),
    route!(GET "/bulk-import/users/count", AppStrict403 => count),
    route!(POST "/bulk-import/users/remove", AppStrict403 => remove),
    route!(POST "/bulk-import/import", AppStrict403 => import),
];

/// Largest batch in bytes: 1.6 kB for each of the users it may hold.
const BATCH_BYTES: usize = 16 << 20;
/// Maximum number of users in a page.
const MAX_PAGE: usize = 500;
/// Default number of users in a page.
const PAGE: i32 = 100;
/// Maximum number of ids in a removal.
const REMOVED_AT_ONCE: usize = 500;

/// 400 on a server that keeps everything in memory: queued users would be lost with it.
fn require_disk(context: &Context) -> Result<(), ApiError> {
    if context.directory.base().ephemeral {
        return Err(ApiError::bad_request("This API is not supported in the in-memory database."));
    }
    Ok(())
}

#[derive(Serialize)]
struct AddedBody {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    users: Option<Vec<String>>,
}

async fn add(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    require_disk(context)?;
    let users = Body::of(&call.request)?.objects("users")?;
    if users.len() > ADDED_AT_ONCE {
        let error = format!("You can only add {ADDED_AT_ONCE} users at a time.");
        return Err(refused(&json!({ "error": error })));
    }
    let scope = call.scope()?;
    if users.is_empty() {
        return Ok(Reply::json(&AddedBody { status: "OK", users: None }));
    }
    match (AddUsers { scope, users }).run(context).await? {
        QueueOutcome::Ok(ids) => {
            Ok(Reply::json(&AddedBody { status: "OK", users: Some(ids.iter().map(Uuid::to_string).collect()) }))
        }
        QueueOutcome::Invalid(users) => {
            let users: Vec<_> =
                users.into_iter().map(|(index, errors)| json!({"index": index, "errors": errors})).collect();
            let error = "Data has missing or invalid fields. Please check the users field for more details.";
            Err(refused(&json!({"error": error, "users": users})))
        }
    }
}

/// 400 with JSON in a text. The `<` is escaped the JSON way: with the escape for plain text, readers would get
/// different content.
fn refused(error: &Value) -> ApiError {
    ApiError::bad_request(error.to_string().replace('<', "\\u003c"))
}

fn status(query: Query<'_>) -> Result<Option<BulkStatus>, ApiError> {
    let known = |name: std::borrow::Cow<'_, str>| {
        let refused = "Invalid value for status. Pass one of NEW, PROCESSING, or FAILED!";
        BulkStatus::parse(&name).ok_or_else(|| ApiError::bad_request(refused))
    };
    query.optional("status").map(known).transpose()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListBody {
    status: &'static str,
    users: Vec<WaitingBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_pagination_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WaitingBody {
    id: String,
    #[serde(flatten)]
    user: Members,
    status: BulkStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
    created_at: UnixMillis,
    updated_at: UnixMillis,
}

async fn list(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    require_disk(context)?;
    let query = Query::of(&call.request);
    let limit = query.int("limit")?.unwrap_or(PAGE);
    let limit = match usize::try_from(limit) {
        Ok(limit @ 1..) if limit <= MAX_PAGE => limit,
        Ok(1..) => return Err(ApiError::bad_request(format!("Max limit allowed is {MAX_PAGE}"))),
        _ => return Err(ApiError::bad_request("limit must a positive integer with min value 1")),
    };
    let status = status(query)?;
    let token = query.optional("paginationToken");
    let scope = call.scope()?;
    let from = token.map(|token| position(&token).ok_or_else(|| ApiError::bad_request("invalid pagination token")));
    let (users, next) = ListUsers { scope, status, from: from.transpose()?, limit }.run(context).await?;
    Ok(Reply::json(&ListBody {
        status: "OK",
        users: users.into_iter().map(shown).collect(),
        next_pagination_token: next.map(|(id, created)| STANDARD.encode(format!("{id};{}", created.0))),
    }))
}

/// Parses the position in a token: `<id>;<when it came>`, in base64.
fn position(token: &str) -> Option<Uuid> {
    let text = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
    let (id, created) = text.split_once(';')?;
    created.parse::<u64>().ok()?;
    Uuid::try_parse(id).ok()
}

fn shown(waiting: Waiting) -> WaitingBody {
    let Waiting { id, mut user, status, error, created, updated } = waiting;
    // Members that we add must not duplicate members that were sent.
    for name in ["id", "status", "errorMessage", "createdAt", "updatedAt"] {
        user.remove(name);
    }
    WaitingBody { id: id.to_string(), user, status, error_message: error, created_at: created, updated_at: updated }
}

#[derive(Serialize)]
struct CountBody {
    status: &'static str,
    count: usize,
}

async fn count(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    require_disk(context)?;
    let status = status(Query::of(&call.request))?;
    let count = CountUsers { scope: call.scope()?, status }.run(context).await?;
    Ok(Reply::json(&CountBody { status: "OK", count }))
}

/// The one reply without a `status`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RemovedBody {
    deleted_ids: Vec<String>,
    invalid_ids: Vec<String>,
}

async fn remove(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    require_disk(context)?;
    let values = Body::of(&call.request)?.array("ids")?;
    if values.len() > REMOVED_AT_ONCE {
        let sentence = format!("Field name 'ids' cannot contain more than {REMOVED_AT_ONCE} elements");
        return Err(ApiError::bad_request(sentence));
    }
    let texts: Option<Vec<String>> = values.into_iter().map(|id| id.as_str().map(str::to_owned)).collect();
    let texts = texts.ok_or_else(|| invalid_field("ids"))?;
    if texts.iter().any(String::is_empty) {
        return Err(ApiError::bad_request("Field name 'ids' cannot contain an empty string"));
    }
    let ids = texts.iter().filter_map(|text| Uuid::try_parse(text).ok()).collect();
    let removed = RemoveUsers { scope: call.scope()?, ids }.run(context).await?;
    let was_there = |text: &String| Uuid::try_parse(text).is_ok_and(|id| removed.contains(&id));
    let (deleted_ids, invalid_ids) = texts.into_iter().partition(was_there);
    Ok(Reply::json(&RemovedBody { deleted_ids, invalid_ids }))
}

#[derive(Serialize)]
struct ImportedBody<'a> {
    status: &'static str,
    user: UserObject<'a>,
}

async fn import(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    require_disk(context)?;
    let user = Body::of(&call.request)?.into_members()?;
    match (ImportOne { scope: call.scope()?, user }).run(context).await? {
        Imported::Ok(info) => {
            Ok(Reply::json(&ImportedBody { status: "OK", user: UserObject::whole(&info, call.wire) }))
        }
        Imported::Invalid(errors) => Err(refused(&json!({ "errors": errors }))),
    }
}
