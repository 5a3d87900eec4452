//! The table of routes itself: what it refuses, and what `rid` and versions select.

use crate::app::TestApp;
use http::Method;
use sessiond::context::Context;
use sessiond::http::cdi::call::Call;
use sessiond::http::cdi::route::{Route, Table};
use sessiond::http::cdi::version::CdiVersion;
use sessiond::http::error::ApiError;
use sessiond::http::exchange::Reply;
use sessiond::route;

async fn one(_context: &Context, _call: &Call) -> Result<Reply, ApiError> {
    Ok(Reply::status("ONE"))
}

async fn two(_context: &Context, _call: &Call) -> Result<Reply, ApiError> {
    Ok(Reply::status("TWO"))
}

const SHARED: &[Route] = &[
    route!(GET "/recipe/test", App => one),
    route!(GET "/recipe/test", App => two).rid("two"),
    route!(PUT "/recipe/test", App => one),
    route!(POST "/recipe/test", App => one).until(CdiVersion::V4_0),
    route!(POST "/recipe/test", App => two).since(CdiVersion::V4_0),
];

async fn status(app: &TestApp, method: Method, rid: Option<&str>, version: &str) -> String {
    let request = app.request(method, "/recipe/test").cdi(version);
    let reply = match rid {
        Some(rid) => request.header("rId", rid).await,
        None => request.await,
    };
    if reply.code() == 200 { reply.text_at("/status") } else { reply.code().to_string() }
}

#[tokio::test]
async fn rid_chooses_among_routes_of_one_path() {
    let app = TestApp::builder().routes(SHARED).build().await;
    assert_eq!(status(&app, Method::GET, None, "5.4").await, "ONE");
    assert_eq!(status(&app, Method::GET, Some("unknown"), "5.4").await, "ONE");
    assert_eq!(status(&app, Method::GET, Some("two"), "5.4").await, "TWO");
    // a known rid without that method
    assert_eq!(status(&app, Method::PUT, Some("two"), "5.4").await, "405");
    assert_eq!(status(&app, Method::PUT, None, "5.4").await, "ONE");
}

#[tokio::test]
async fn versions_choose_among_routes_of_one_path() {
    let app = TestApp::builder().routes(SHARED).build().await;
    assert_eq!(status(&app, Method::POST, None, "3.1").await, "ONE");
    assert_eq!(status(&app, Method::POST, None, "4.0").await, "TWO");
}

#[test]
fn routes_that_one_request_could_mean_are_refused() {
    const TWICE: &[Route] = &[route!(GET "/a", App => one), route!(GET "/a/", Tenant => two)];
    const OVERLAP: &[Route] =
        &[route!(GET "/a", App => one).until(CdiVersion::V5_0), route!(GET "/a", App => two).since(CdiVersion::V4_0)];
    const RIDS: &[Route] = &[route!(GET "/a", App => one).rid("x"), route!(GET "/a", App => two).rid("x")];
    for recipe in [TWICE, OVERLAP, RIDS] {
        let error = Table::new("", &[recipe]).err().expect("refused");
        assert!(error.to_string().contains("GET /a"), "{error}");
    }
    const ONCE: &[Route] = &[route!(GET "/a", App => one)];
    assert!(Table::new("", &[ONCE, ONCE]).is_err());
    assert!(Table::new("", &[ONCE, SHARED]).is_ok());
}
