//! Limits by address, and what counts as one.

use super::{HOME, OFFICE, SHOP, figure, guess, passed, post, shop};
use crate::app::TestApp;
use crate::fdi::form;
use http::Method;
use serde_json::json;

const LIMITS: &str = r#"{"sign_in": {"address": "3/h"}}"#;

async fn limited() -> TestApp {
    shop().setting("front_rate_limits", LIMITS).build().await
}

/// A sign-in that comes from this peer, which may report another address.
async fn from(app: &TestApp, peer: &str, reports: Option<&str>, number: usize) -> u16 {
    let mut request = app.front(Method::POST, "/auth/signin").header("origin", SHOP).from(peer);
    if let Some(address) = reports {
        request = request.header("x-forwarded-for", address);
    }
    request.json(&form(&format!("n{number}@x.io"), "wrong horse 1")).await.code()
}

#[tokio::test]
async fn a_host_with_ipv6_has_one_limit_for_all_its_addresses() {
    let app = limited().await;
    let one = async |number: usize| guess(&app, &format!("2a00:1450:1:2::{number:x}"), &format!("{number}@x.io")).await;
    assert_eq!(passed(one).await, 3);
    assert_eq!(guess(&app, "2a00:1450:1:2:ffff::1", "a@x.io").await, 429);
    assert_eq!(guess(&app, "2a00:1450:1:3::1", "a@x.io").await, 200);
    assert_eq!(passed(async |number| guess(&app, HOME, &format!("{number}@x.io")).await).await, 3);
    assert_eq!(guess(&app, &format!("::ffff:{HOME}"), "a@x.io").await, 429);
}

#[tokio::test]
async fn an_address_that_is_not_known_is_not_shared_with_everybody() {
    let app = limited().await;
    // The proxy reports nobody, or itself; a proxy in the network that nobody has named.
    for (peer, reports) in [("127.0.0.1", None), ("127.0.0.1", Some("127.0.0.1")), ("10.0.0.1", Some(HOME))] {
        let before = figure(&app, "sessiond_front_without_address_total").await.unwrap();
        for number in 0..10 {
            assert_eq!(from(&app, peer, reports, number).await, 200, "{peer} {reports:?}");
        }
        assert_eq!(figure(&app, "sessiond_front_without_address_total").await, Some(before + 10));
    }
    // Accounts are counted all the same.
    let app = limited().await;
    assert_eq!(passed(async |_| from(&app, "127.0.0.1", None, 1).await).await, 40);
    assert_eq!(from(&app, "10.0.0.1", Some(OFFICE), 1).await, 429);
}

#[tokio::test]
async fn nobody_escapes_by_headers_of_their_own() {
    let app = limited().await;
    let forged = async |number: usize| from(&app, "93.184.216.36", Some(&format!("45.0.0.{number}")), number).await;
    assert_eq!(passed(forged).await, 3);
    let forged = async |number: usize| from(&app, "127.0.0.1", Some(&format!("45.0.0.{number}, {HOME}")), number).await;
    assert_eq!(passed(forged).await, 3);
    // In a network, every machine has its own address.
    assert_eq!(passed(async |number| from(&app, "10.0.0.1", None, number).await).await, 3);
    assert_eq!(from(&app, "10.0.0.2", None, 0).await, 200);
}

#[tokio::test]
async fn a_denied_address_gets_nothing_and_the_cores_own_network_does_not_matter() {
    let app =
        shop().setting("ip_deny_regex", r"93\.184\.216\.34").setting("ip_allow_regex", r"127\.0\.0\.1").build().await;
    let denied = post(&app, HOME, "/signup", form("a@x.io", "correct horse 1")).await;
    assert_eq!((denied.code(), denied.json()), (403, json!({"message": "Requests from this address are refused"})));
    let keys = app.front(Method::GET, "/auth/jwt/jwks.json").header("x-forwarded-for", HOME).await;
    assert_eq!(keys.code(), 403);
    post(&app, OFFICE, "/signup", form("a@x.io", "correct horse 1")).await.ok();
}

#[tokio::test]
async fn a_rule_of_a_tenant_denies_there() {
    let app = shop().build().await;
    let tenant =
        json!({"tenantId": "t1", "firstFactors": ["emailpassword"], "coreConfig": {"ip_deny_regex": r"93\..*"}});
    app.put("/recipe/multitenancy/tenant/v2", tenant).await.ok();
    assert_eq!(post(&app, HOME, "/t1/signup", form("a@x.io", "correct horse 1")).await.code(), 403);
    post(&app, HOME, "/signup", form("a@x.io", "correct horse 1")).await.ok();
}
