//! The page in the next tab: what it can make a browser do here, and read.

use super::{PASSWORD, cookies, form, sign_up};
use crate::app::TestApp;
use http::Method;
use sessiond::config::front::FrontRecipe;
use sessiond::http::fdi::RECIPES;
use sessiond::http::fdi::route::FrontRoute;

const SHOP: &str = "https://www.shop.example";

/// A shop with every recipe.
async fn shop() -> TestApp {
    let recipes = FrontRecipe::ALL.map(FrontRecipe::name).join(",");
    TestApp::builder()
        .setting("recipe_list", &recipes)
        .setting("api_domain", "https://api.shop.example")
        .setting("website_domain", "https://www.shop.example,https://m.shop.example")
        .setting("recipe_list", &FrontRecipe::ALL.map(FrontRecipe::name).join(","))
        .build()
        .await
}

/// Requests of strangers' pages, as browsers mark them.
const STRANGERS: [&[(&str, &str)]; 6] = [
    &[("origin", "https://evil.example")],
    &[("origin", "null")],
    &[("origin", "https://www.shop.example.evil.example")],
    &[("origin", "http://www.shop.example")],
    &[("referer", "https://evil.example/https://www.shop.example")],
    &[("sec-fetch-site", "cross-site")],
];

#[tokio::test]
async fn requests_that_change_something_are_refused_before_anything_happens() {
    let app = shop().await;
    let jar = cookies(&sign_up(&app, "a@b.cd").await);
    let odd = |route: &&FrontRoute| route.writes == ["GET", "HEAD"].contains(&route.verb.name());
    let odd: Vec<_> = RECIPES.iter().copied().flatten().filter(odd).map(|route| route.label).collect();
    assert_eq!(odd, ["front GET /user/email/verify", "front POST /callback/apple"]);
    for route in RECIPES.iter().copied().flatten().filter(|route| route.writes) {
        for marks in STRANGERS {
            let method = route.verb.name().parse::<Method>().unwrap();
            let mut request = app.front(method, &format!("/auth{}", route.path)).header("cookie", &jar);
            for (name, value) in marks {
                request = request.header(name, value);
            }
            let refused = request.json(&form("new@b.cd", PASSWORD)).await;
            assert_eq!(refused.code(), 403, "{} {marks:?}: {}", route.label, refused.body());
            assert!(refused.header("set-cookie").is_empty(), "{} {marks:?}", route.label);
            assert!(refused.header("access-control-allow-origin").is_empty(), "{} {marks:?}", route.label);
        }
    }
    // Nothing has happened: the session goes on, and nobody has signed up.
    let exists = app.front(Method::GET, "/auth/emailpassword/email/exists?email=new@b.cd").await.ok();
    assert_eq!(exists.json()["exists"], false);
    let out = app.front(Method::POST, "/auth/signout").header("cookie", &jar).header("origin", SHOP).await;
    assert_eq!(out.code(), 200, "{}", out.body());
}

#[tokio::test]
async fn asking_whether_the_address_is_verified_is_for_the_websites_pages() {
    let app = shop().await;
    let jar = cookies(&sign_up(&app, "a@b.cd").await);
    let own: [&[(&str, &str)]; 6] = [
        &[("origin", SHOP), ("sec-fetch-site", "same-site")],
        &[("origin", "https://m.shop.example")],
        &[("sec-fetch-site", "same-origin")],
        &[("referer", "https://api.shop.example/auth/verify-email")],
        // A page's own server, an app on a phone.
        &[],
        &[("sec-fetch-site", "none")],
    ];
    for marks in own {
        let mut request = app.front(Method::GET, "/auth/user/email/verify").header("cookie", &jar).header("rid", "x");
        for (name, value) in marks {
            request = request.header(name, value);
        }
        let reply = request.await;
        assert_eq!((reply.code(), &reply.json()["isVerified"]), (200, &false.into()), "{marks:?}: {}", reply.body());
    }
}

#[tokio::test]
async fn replies_can_be_read_by_the_websites_pages_alone() {
    let app = shop().await;
    let read = async |origin: &str| {
        let reply = app.front(Method::GET, "/auth/loginmethods").header("origin", origin).await;
        assert_eq!(reply.header("vary"), ["Origin"]);
        let allowed: Vec<String> = reply.header("access-control-allow-origin").into_iter().map(str::to_owned).collect();
        assert_eq!(reply.header("access-control-allow-credentials").len(), allowed.len());
        allowed
    };
    assert_eq!(read(SHOP).await, [SHOP]);
    assert_eq!(read("https://m.shop.example").await, ["https://m.shop.example"]);
    for stranger in ["https://evil.example", "null", "https://WWW.shop.example:444", "https://api.shop.example"] {
        assert!(read(stranger).await.is_empty(), "{stranger}");
    }
    let preflight = app.front(Method::OPTIONS, "/auth/signin").header("origin", "https://evil.example").await;
    assert_eq!(preflight.code(), 204);
    assert!(preflight.header("access-control-allow-methods").is_empty());
}

#[tokio::test]
async fn errors_can_be_read_too_and_tokens_are_never_stored() {
    let app = shop().await;
    let wrong = app.front(Method::POST, "/auth/signin").header("origin", SHOP).body("{").await;
    assert_eq!((wrong.code(), wrong.header("access-control-allow-origin")), (400, vec![SHOP]));
    let none = app.front(Method::POST, "/auth/signout").header("origin", SHOP).await;
    assert_eq!((none.code(), none.header("access-control-allow-origin")), (401, vec![SHOP]));
    let lost = app.front(Method::GET, "/auth/nowhere").header("origin", SHOP).await;
    assert_eq!((lost.code(), lost.header("access-control-allow-origin")), (404, vec![SHOP]));
    let up = app.front(Method::POST, "/auth/signup").header("origin", SHOP).json(&form("a@b.cd", PASSWORD)).await.ok();
    assert_eq!(up.0.cache_control.as_deref(), Some("no-store"));
}

#[tokio::test]
async fn compressed_bodies_are_refused_with_a_sentence() {
    let app = shop().await;
    for encoding in ["gzip", "deflate", "br", "x"] {
        let request = app.front(Method::POST, "/auth/signin").header("content-encoding", encoding);
        let refused = request.json(&form("a@b.cd", PASSWORD)).await;
        assert_eq!(refused.code(), 415, "{encoding}: {}", refused.body());
        assert!(refused.json()["message"].as_str().unwrap().contains("Content-Encoding"), "{}", refused.body());
    }
    let plain = app.front(Method::POST, "/auth/signin").header("content-encoding", "Identity");
    assert_eq!(plain.json(&form("a@b.cd", PASSWORD)).await.code(), 200);
}

#[tokio::test]
async fn keys_may_be_read_by_every_page() {
    let app = shop().await;
    for path in ["/auth/jwt/jwks.json", "/auth/.well-known/openid-configuration"] {
        let reply = app.front(Method::GET, path).header("origin", "https://evil.example").await;
        assert_eq!((reply.code(), reply.header("access-control-allow-origin")), (200, vec!["*"]), "{path}");
        assert!(reply.header("access-control-allow-credentials").is_empty());
    }
}
