//! `GET /users` and `GET /user/search/tags`.

use super::object::UserObject;
use super::shared::recipes;
use crate::command::user::UserInfo;
use crate::command::user::list::{ListUsers, SearchUsers, UserPage};
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::domain::time::UnixMillis;
use crate::domain::user::{Order, Position, RecipeId, SearchTags, normalise_phone_number};
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Query;
use crate::http::cdi::version::Wire;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Serialize;

/// Default number of users on a page.
const LIMIT_DEFAULT: i32 = 100;
/// Maximum number of users on a page.
const MAX_LIMIT: i32 = 500;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListBody<'a> {
    status: &'static str,
    users: Vec<UserListItem<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_pagination_token: Option<String>,
}

/// A user in a list: before account linking, with its recipe next to it.
#[derive(Serialize)]
#[serde(untagged)]
enum UserListItem<'a> {
    Whole(UserObject<'a>),
    #[serde(rename_all = "camelCase")]
    Legacy {
        recipe_id: Option<RecipeId>,
        user: UserObject<'a>,
    },
}

impl<'a> UserListItem<'a> {
    fn new(info: &'a UserInfo, wire: Wire) -> Self {
        let user = UserObject::listed(info, wire);
        if wire.users_have_login_methods {
            return Self::Whole(user);
        }
        Self::Legacy { recipe_id: info.user.methods.first().map(|method| method.login.recipe()), user }
    }
}

/// A page, or up to a thousand users that match the search tags: with these, limit, recipes and token have no effect.
pub(super) async fn list(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let query = Query::of(&call.request);
    let recipes = recipes(query)?;
    let scope = call.scope()?;
    let limit = query.int("limit")?;
    let order = order(query)?;
    let tags = search_tags(query);
    let limit = page_size(limit, tags.is_empty())?;
    let from = query.optional("paginationToken").map(|token| parse_token(&token)).transpose()?;
    let tenant = call.tenant.clone();
    let page = if tags.is_empty() {
        ListUsers { scope, tenant, recipes, order, from, limit }.run(context).await?
    } else {
        UserPage { users: SearchUsers { scope, tenant, tags, order }.run(context).await?, next: None }
    };
    Ok(Reply::json(&ListBody {
        status: "OK",
        users: page.users.iter().map(|info| UserListItem::new(info, call.wire)).collect(),
        next_pagination_token: page.next.as_ref().map(token),
    }))
}

fn order(query: Query<'_>) -> Result<Order, ApiError> {
    match query.optional("timeJoinedOrder").as_deref() {
        None | Some("ASC") => Ok(Order::Ascending),
        Some("DESC") => Ok(Order::Descending),
        Some(_) => Err(ApiError::bad_request("timeJoinedOrder can be either ASC OR DESC")),
    }
}

fn search_tags(query: Query<'_>) -> SearchTags {
    let values = |name| query.optional(name).map_or_else(Vec::new, |written| SearchTags::values(&written));
    let mut phones = values("phone");
    // A complete number may be typed in any form; a prefix of one is used as it is.
    phones.extend(values("phone").iter().map(|phone| normalise_phone_number(phone)));
    phones.sort_unstable();
    phones.dedup();
    SearchTags { emails: values("email"), phones, providers: values("provider") }
}

fn page_size(limit: Option<i32>, bounded: bool) -> Result<usize, ApiError> {
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    if limit > MAX_LIMIT && bounded {
        return Err(ApiError::bad_request(format!("max limit allowed is {MAX_LIMIT}")));
    }
    let refused = || ApiError::bad_request("limit must a positive integer with min value 1");
    usize::try_from(limit).ok().filter(|limit| *limit > 0).ok_or_else(refused)
}

/// Callers may drop the padding from a token they send back.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The token of a position: `<id>;<time joined>`, in base64.
fn token(place: &Position) -> String {
    BASE64.encode(format!("{};{}", place.id.as_str(), place.time_joined.0))
}

/// Parses a position, whether or not a user is there. Times before 1970 come before all users.
fn parse_token(token: &str) -> Result<Position, ApiError> {
    let place = || {
        let text = String::from_utf8(BASE64.decode(token).ok()?).ok()?;
        let (id, time) = text.trim_end_matches(';').split_once(';')?;
        let time: i64 = time.parse().ok()?;
        let Ok(time) = u64::try_from(time) else {
            return Some(Position { time_joined: UnixMillis(0), id: UserId::new("") });
        };
        Some(Position { time_joined: UnixMillis(time), id: UserId::new(id) })
    };
    place().ok_or_else(|| ApiError::bad_request("invalid pagination token"))
}

/// The tags that `GET /users` can search by.
pub(super) async fn search_tags_known(_context: &Context, call: &Call) -> Result<Reply, ApiError> {
    #[derive(Serialize)]
    struct TagsBody {
        status: &'static str,
        tags: [&'static str; 3],
    }
    call.scope()?;
    Ok(Reply::json(&TagsBody { status: "OK", tags: ["email", "phone", "provider"] }))
}
