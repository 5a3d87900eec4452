//! The settings: by app, in part, and off.

use super::{HOME, SHOP, guess, shop};
use crate::cdi::multitenancy::put_app;
use crate::fdi::form;
use http::Method;
use serde_json::json;
use sessiond::config::front::DEFAULT_LIMITS;

#[tokio::test]
async fn each_app_has_its_limits_and_its_own_counts() {
    let app = shop().build().await;
    let limits = json!({"sign_in": {"address": "2/h", "account": "off"}});
    for (id, settings) in [
        ("a1", json!({"front_rate_limits": limits})),
        ("a2", json!({"front_rate_limiting": false, "front_rate_limits": limits})),
        ("a3", json!({})),
    ] {
        let mut settings = settings;
        settings["api_domain"] = json!(format!("https://{id}.example"));
        settings["website_domain"] = json!(SHOP);
        put_app(&app, id, settings).await.ok();
    }
    let guess_at = async |host: &str| {
        let request = app.front_at(Method::POST, host, "/auth/signin").header("x-forwarded-for", HOME);
        request.header("origin", SHOP).json(&form("a@x.io", "wrong horse 1")).await.code()
    };
    for (host, passes) in [("a1.example", 2), ("a3.example", 20), ("api.shop.example", 20), ("a2.example", 60)] {
        let mut codes = Vec::new();
        for _ in 0..60 {
            codes.push(guess_at(host).await);
        }
        assert_eq!(codes.iter().filter(|code| **code == 200).count(), passes, "{host}");
    }
    // A change takes effect at once, and nobody waits longer than under the new rule.
    let limits = json!({"sign_in": {"address": "off", "account": "60/m"}});
    put_app(&app, "a1", json!({ "front_rate_limits": limits })).await.ok();
    assert_eq!(guess_at("a1.example").await, 200);
}

#[tokio::test]
async fn what_is_not_set_stays_as_usual() {
    let app = shop().setting("front_rate_limits", r#"{"sign_in": {"address": "off"}}"#).build().await;
    for number in 0..150 {
        assert_eq!(guess(&app, HOME, &format!("{number}@x.io")).await, 200);
    }
    for _ in 0..19 {
        assert_eq!(guess(&app, HOME, "1@x.io").await, 200);
    }
    assert_eq!(guess(&app, HOME, "1@x.io").await, 429);
}

#[test]
fn the_usual_limits_are_those_of_the_document() {
    let document = include_str!("../../../../docs/front-door.md");
    for (action, member, rate) in DEFAULT_LIMITS {
        let row = document.lines().find(|line| line.starts_with(&format!("| `{}` |", action.name())));
        let row = row.unwrap_or_else(|| panic!("no row for {}", action.name()));
        let place = ["address", "account", "country", "app"].iter().position(|known| *known == member).unwrap();
        let cell = row.split('|').nth(3 + place).unwrap().trim();
        assert_eq!(cell, rate, "{} {member}", action.name());
    }
}
