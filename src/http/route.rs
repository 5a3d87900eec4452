//! Routes: a const table per recipe, joined once, duplicates refused at start-up, looked up by exact path.

use crate::app::App;
use crate::http::cdi::Call;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use futures_util::future::BoxFuture;

/// A handler: decode, run the command, encode.
pub type Handler = for<'a> fn(&'a App, &'a Call) -> BoxFuture<'a, Result<Reply, ApiError>>;
