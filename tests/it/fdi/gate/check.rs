//! Who passes, what the application is told, and what everybody else is told.

use super::{SITE, Visitor, ask, figure, header, identity, location, only, page_load, shop};
use crate::app::TestReply;
use crate::fdi::sign_up_by_header;
use serde_json::json;

const HOUR_MS: u64 = 3_600_000;
const HEADERS: [&str; 9] = [
    "x-sessiond-user-id",
    "x-sessiond-recipe-user-id",
    "x-sessiond-tenant-id",
    "x-sessiond-session-handle",
    "x-sessiond-email",
    "x-sessiond-email-verified",
    "x-sessiond-roles",
    "x-sessiond-permissions",
    "x-sessiond-factors",
];

#[tokio::test]
async fn a_session_passes_and_the_application_is_told_whose_it_is() {
    let app = shop().build().await;
    let mut visitor = Visitor::new(&app).await;
    for role in ["editor", "über, all"] {
        app.put("/recipe/role", json!({"role": role, "permissions": ["write"]})).await.ok();
        app.put("/recipe/user/role", json!({"role": role, "userId": visitor.id})).await.ok();
    }
    visitor.again(&app).await;
    let ask = || ask(&app, "", "GET", "/reports?q=1").header("cookie", &visitor.access());
    let passed = ask().await;
    assert_eq!((passed.code(), passed.body().as_str()), (200, ""));
    let told = HEADERS.map(|name| header(&passed, name));
    let [user, recipe_user, tenant, handle, email, verified, roles, permissions, factors] = told;
    assert_eq!((&user, &recipe_user, tenant.as_str()), (&visitor.id, &visitor.id, "public"));
    assert_eq!((email.as_str(), verified.as_str(), factors.as_str()), ("", "false", ""));
    assert_eq!((roles.as_str(), permissions.as_str()), ("editor,%C3%BCber%2C%20all", "write"));
    let claims = identity(&passed);
    assert_eq!(
        (&claims["sub"], &claims["sessionHandle"], &claims["aud"]),
        (&json!(user), &json!(handle), &json!(SITE))
    );
    assert_eq!((&claims["iss"], &claims["st-role"]["v"][1]), (&json!(format!("{SITE}/auth")), &json!("über, all")));
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 60);
    assert_eq!(claims["refreshTokenHash1"], json!(null), "it must be no access token");
    assert_eq!(passed.0.cache_control.as_deref(), Some("no-store"));
    assert!(passed.header("set-cookie").is_empty() && passed.header("front-token").is_empty());
    assert_eq!(figure(&app, "sessiond_gate_requests_total{outcome=\"allowed\"}").await, 1);

    // The same for a while, then anew; never for another application.
    let bearer = |reply: &TestReply| header(reply, "authorization");
    app.clock.advance(29_999);
    assert_eq!(bearer(&ask().await), bearer(&passed));
    app.clock.advance(1);
    assert_ne!(bearer(&ask().await), bearer(&passed));
    let other = app.front(http::Method::GET, "/auth/gate").header("cookie", &visitor.access());
    let other = other.header("x-original-method", "GET").header("x-original-uri", "/");
    let other = other.header("x-original-proto", "https").header("x-original-host", "wiki.shop.example").await;
    assert_eq!(identity(&other)["aud"], "https://wiki.shop.example");
}

#[tokio::test]
async fn the_identity_token_is_no_session() {
    let app = shop().build().await;
    let visitor = Visitor::new(&app).await;
    let passed = ask(&app, "", "GET", "/").header("cookie", &visitor.access()).await;
    let bearer = header(&passed, "authorization");
    let replayed = ask(&app, "", "GET", "/").header("authorization", &bearer).await;
    assert_eq!((replayed.code(), replayed.body().as_str()), (401, r#"{"message":"unauthorised"}"#));
    let refresh = app.front(http::Method::POST, "/auth/session/refresh").header("authorization", &bearer).await;
    assert_eq!(refresh.code(), 401);
    let verify = json!({
        "accessToken": bearer.strip_prefix("Bearer ").unwrap(), "enableAntiCsrf": false, "doAntiCsrfCheck": false,
        "checkDatabase": false,
    });
    let verified = app.post("/recipe/session/verify", verify).cdi("5.4").await;
    assert_eq!(verified.json()["status"], "TRY_REFRESH_TOKEN");
    let own = ask(&app, "", "GET", "/").header("authorization", &bearer).header("cookie", &visitor.access()).await;
    assert_eq!(own.code(), 200, "an application's own bearer token is ignored");
}

#[tokio::test]
async fn header_mode_passes_too() {
    let app = shop().build().await;
    let up = sign_up_by_header(&app, "a@b.cd").await;
    let bearer = format!("Bearer {}", up.header("st-access-token").concat());
    let passed = ask(&app, "", "DELETE", "/x").header("authorization", &bearer).header("origin", "https://x.io").await;
    assert_eq!(passed.code(), 200, "nobody else can send it");
    assert_ne!(header(&passed, "authorization"), bearer, "the application does not get the session's token");
}

#[tokio::test]
async fn pages_are_led_on_and_scripts_are_told() {
    let app = shop().build().await;
    let visitor = Visitor::new(&app).await;
    let page = |jar: &str| page_load(ask(&app, "", "GET", "/a/b?q=1&r=%2F")).header("cookie", jar);
    assert_eq!(location(&page("").await), "/auth?redirectToPath=%2Fa%2Fb%3Fq%3D1%26r%3D%252F");
    let script = ask(&app, "", "GET", "/a").header("sec-fetch-mode", "cors").header("accept", "text/html").await;
    assert_eq!((script.code(), script.body().as_str()), (401, r#"{"message":"unauthorised"}"#));
    assert!(script.header("set-cookie").is_empty() && script.header("location").is_empty());
    let old_browser = ask(&app, "", "HEAD", "/a").header("accept", "text/html,*/*;q=0.8").await;
    assert_eq!(location(&old_browser), "/auth?redirectToPath=%2Fa");
    assert_eq!(ask(&app, "", "POST", "/a").header("accept", "text/html").await.code(), 401, "a form's content is lost");

    app.clock.advance(2 * HOUR_MS);
    let expired = visitor.access();
    assert_eq!(location(&page(&expired).await), "/auth/session/refresh?stRedirectTo=%2Fa%2Fb%3Fq%3D1%26r%3D%252F");
    let script = ask(&app, "", "GET", "/a").header("cookie", &expired).await;
    assert_eq!((script.code(), script.body().as_str()), (401, r#"{"message":"try refresh token"}"#));
    let guarded_sign_in = page_load(ask(&app, "", "GET", "/auth/?redirectToPath=%2F")).await;
    assert_eq!(guarded_sign_in.code(), 401, "not sent from the sign-in page to the sign-in page");
    let status = page_load(ask(&app, "require&redirect=off", "GET", "/a")).header("cookie", &expired).await;
    assert_eq!(status.code(), 401, "nginx cannot hand on a redirect");
    let preflight = ask(&app, "", "OPTIONS", "/a").header("accept", "text/html").await;
    assert_eq!(preflight.code(), 401, "browsers follow no redirects of preflights");
    for (outcome, count) in [("sent-to-page", 2), ("bounced", 1), ("unauthorised", 6)] {
        let name = format!("sessiond_gate_requests_total{{outcome=\"{outcome}\"}}");
        assert_eq!(figure(&app, &name).await, count, "{outcome}");
    }
}

#[tokio::test]
async fn what_is_required_is_asked_of_the_claims() {
    let app = shop().build().await;
    let mut visitor = Visitor::new(&app).await;
    app.put("/recipe/role", json!({"role": "editor", "permissions": ["write"]})).await.ok();
    app.put("/recipe/user/role", json!({"role": "editor", "userId": visitor.id})).await.ok();
    visitor.again(&app).await;
    for (query, code) in [
        ("require", 200),
        ("require&role=editor", 200),
        ("require&role=admin,editor&permission=write", 200),
        ("require&tenant=public", 200),
        ("require&max_age=60&check=database", 200),
        ("require&role=admin", 403),
        ("require&role=editor&role=admin", 403),
        ("require&permission=read", 403),
        ("require&tenant=acme", 403),
        ("require&verified", 403),
        ("require&mfa", 403),
        ("require&factor=totp", 403),
    ] {
        let reply = ask(&app, query, "GET", "/").header("cookie", &visitor.access()).await;
        assert_eq!(reply.code(), code, "{query}: {}", reply.body());
        assert_eq!(reply.header("x-sessiond-user-id").len(), usize::from(code == 200), "{query}");
    }
    let told = ask(&app, "require&role=admin", "GET", "/").header("cookie", &visitor.access()).await;
    let flaw =
        json!({"id": "st-role", "reason": {"message": "wrong value", "expectedToIncludeAtLeastOneOf": ["admin"]}});
    assert_eq!(told.json(), json!({"message": "invalid claim", "claimValidationErrors": [flaw]}));

    let page = |query: &'static str| page_load(ask(&app, query, "GET", "/x")).header("cookie", &visitor.access());
    let denied = page("require&role=admin").await;
    assert_eq!((denied.code(), denied.body().as_str()), (403, "You do not have access to this page\n"));
    for (query, to) in [
        ("require&verified", "/auth/verify-email?redirectToPath=%2Fx"),
        ("require&mfa", "/auth/mfa?redirectToPath=%2Fx"),
        ("require&factor=totp,otp-phone", "/auth/mfa?n=totp%2Cotp-phone&stepUp=true&redirectToPath=%2Fx"),
    ] {
        assert_eq!(location(&page(query).await), to, "{query}");
    }
    app.clock.advance(60_001);
    let stale = page("require&max_age=60").await;
    assert_eq!(location(&stale), "/auth?forceFreshAuth=true&redirectToPath=%2Fx");
}

#[tokio::test]
async fn the_settings_requirements_hold_at_every_gate() {
    let app = shop().setting("email_verification_mode", "REQUIRED").build().await;
    let visitor = Visitor::new(&app).await;
    let reply = ask(&app, "", "GET", "/").header("cookie", &visitor.access()).await;
    assert_eq!((reply.code(), &reply.json()["claimValidationErrors"][0]["id"]), (403, &json!("st-ev")));
    let app = shop().setting("recipe_list", "emailpassword,multifactorauth,totp").build().await;
    let visitor = Visitor::new(&app).await;
    let ask = || ask(&app, "", "GET", "/").header("cookie", &visitor.access());
    assert_eq!(ask().await.code(), 200, "nothing more is required of this person");
    let of_tenant = app.front(http::Method::GET, "/auth/acme/gate").header("cookie", &visitor.access());
    let of_tenant = of_tenant.header("x-forwarded-method", "GET").header("x-forwarded-uri", "/");
    let of_tenant = of_tenant.header("x-forwarded-proto", "https").header("x-forwarded-host", "app.shop.example").await;
    assert_eq!(of_tenant.code(), 403, "a tenant in the path is a requirement");
}

#[tokio::test]
async fn the_database_knows_of_sessions_that_have_ended_and_of_what_was_changed() {
    let app = shop().build().await;
    let visitor = Visitor::new(&app).await;
    let ask = |query: &'static str| ask(&app, query, "GET", "/").header("cookie", &visitor.access());
    let passed = ask("require&check=database").await;
    assert_eq!(header(&passed, "x-sessiond-email"), "a@b.cd");
    let handle = header(&passed, "x-sessiond-session-handle");
    let payload = json!({"st-role": {"v": ["late"], "t": 1}});
    app.put("/recipe/jwt/data", json!({"sessionHandle": handle, "userDataInJWT": payload})).await.ok();
    assert_eq!(header(&ask("require&check=database&role=late").await, "x-sessiond-roles"), "late");
    assert_eq!(ask("require&role=late").await.code(), 403, "the token is older");
    app.post("/recipe/session/remove", json!({"sessionHandles": [handle]})).await.ok();
    assert_eq!(ask("").await.code(), 200, "a token is good until it expires");
    let ended = ask("require&check=database").await;
    assert_eq!((ended.code(), ended.body().as_str()), (401, r#"{"message":"unauthorised"}"#));
    let page = page_load(ask("require&max_age=600")).await;
    assert_eq!(location(&page), "/auth/session/refresh?stRedirectTo=%2F", "its cookies are cleared there");
}

#[tokio::test]
async fn it_neither_promotes_a_token_nor_replaces_it() {
    let app = shop().build().await;
    let visitor = Visitor::new(&app).await;
    let refresh = app.front(http::Method::POST, "/auth/session/refresh").header("cookie", &visitor.jar);
    let child = only(&crate::fdi::cookies(&refresh.await), "sAccessToken");
    for query in ["", "require&check=database"] {
        let passed = ask(&app, query, "GET", "/").header("cookie", &child).await;
        assert_eq!(passed.code(), 200, "{query}");
        assert!(passed.header("set-cookie").is_empty() && passed.header("front-token").is_empty());
    }
    assert_eq!(figure(&app, "sessiond_lineage_moves_total{kind=\"promoted\"}").await, 0);
    // The parent has not been replaced, so it is no theft to use it.
    let parent = app.front(http::Method::POST, "/auth/session/refresh").header("cookie", &visitor.jar).await;
    assert_eq!(parent.code(), 200);
}

#[tokio::test]
async fn websites_elsewhere_have_the_pages() {
    let app = shop().setting("website_domain", "https://www.shop.example,https://wiki.shop.example").build().await;
    let on = |host: &'static str| {
        let request = app.front_at(http::Method::GET, host, "/auth/gate").header("x-forwarded-method", "GET");
        let request = request.header("x-forwarded-uri", "/x").header("x-forwarded-proto", "https");
        page_load(request.header("x-forwarded-host", host))
    };
    assert_eq!(location(&on("app.shop.example").await), "https://www.shop.example/auth");
    assert_eq!(location(&on("wiki.shop.example").await), "/auth?redirectToPath=%2Fx");
    let app = shop().setting("website_base_path", "/").setting("website_domain", SITE).build().await;
    assert_eq!(location(&page_load(ask(&app, "", "GET", "/x")).await), "/?redirectToPath=%2Fx");
    let app = shop().build().await;
    let page = page_load(ask(&app, "", "GET", "//evil.example/%2F..")).await;
    assert_eq!(location(&page), "/auth?redirectToPath=%2F", "what is no path of this host leads home");
}
