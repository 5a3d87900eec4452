//! Page loads whose session is refreshed on the way.

use super::{SITE, Visitor, ask, figure, location, only, page_load, shop};
use crate::app::{TestApp, TestReply, TestRequest};
use crate::fdi::{claims, cookies};
use http::Method;

const HOUR_MS: u64 = 3_600_000;

fn bounce<'a>(app: &'a TestApp, jar: &str, query: &str) -> TestRequest<'a> {
    let path = format!("/auth/session/refresh{query}");
    app.front_at(Method::GET, "app.shop.example", &path).header("x-forwarded-proto", "https").header("cookie", jar)
}

async fn outcome(app: &TestApp, name: &str) -> u64 {
    figure(app, &format!("sessiond_gate_bounces_total{{outcome=\"{name}\"}}")).await
}

async fn rotations(app: &TestApp) -> u64 {
    figure(app, "sessiond_refreshes_total{outcome=\"ok\"}").await
}

/// The `Set-Cookie` line of this cookie.
fn line(reply: &TestReply, name: &str) -> String {
    let lines = reply.header("set-cookie").into_iter().filter(|line| line.starts_with(&format!("{name}=")));
    let lines: Vec<_> = lines.collect();
    assert_eq!(lines.len(), 1, "{name}");
    lines.concat()
}

#[tokio::test]
async fn an_expired_page_load_is_one_bounce() {
    let app = shop().build().await;
    let visitor = Visitor::new(&app).await;
    app.clock.advance(2 * HOUR_MS);
    let to = location(&page_load(ask(&app, "", "GET", "/a?b=c")).header("cookie", &visitor.access()).await);
    let query = to.strip_prefix("/auth/session/refresh").unwrap();
    let bounced = page_load(bounce(&app, &visitor.jar, query)).await;
    assert_eq!(location(&bounced), "/a?b=c");
    let front = claims(&bounced);
    assert_eq!(front["sub"], visitor.id);
    let readable = line(&bounced, "sFrontToken");
    let token = readable.strip_prefix("sFrontToken=").unwrap().split(';').next().unwrap();
    assert_eq!(token, bounced.header("front-token").concat(), "where the frontend SDK looks for it");
    assert!(readable.ends_with("; Path=/; Expires=Fri, 31 Dec 9999 23:59:59 GMT; Secure; SameSite=Lax"), "{readable}");
    assert!(line(&bounced, "sBounces").contains("Path=/auth/session/refresh;"));
    let passed = ask(&app, "", "GET", "/a?b=c").header("cookie", &only(&cookies(&bounced), "sAccessToken")).await;
    assert_eq!(passed.code(), 200);
    assert_eq!((outcome(&app, "refreshed").await, rotations(&app).await), (1, 1));
}

#[tokio::test]
async fn a_hundred_page_loads_at_once_are_one_rotation() {
    let app = shop().build().await;
    let visitor = Visitor::new(&app).await;
    app.clock.advance(2 * HOUR_MS);
    let all = (0..100).map(|_| async { page_load(bounce(&app, &visitor.jar, "?stRedirectTo=/a")).await });
    let replies = futures_util::future::join_all(all).await;
    let tokens: std::collections::BTreeSet<_> =
        replies.iter().map(|reply| (location(reply), line(reply, "sRefreshToken"))).collect();
    assert_eq!(tokens.len(), 1, "all got the same token");
    assert_eq!(rotations(&app).await, 1);
    assert_eq!((outcome(&app, "refreshed").await, outcome(&app, "shared").await), (1, 99));

    // Once the new token has been used, the old one is theft, and a late tab must not be taken for a thief.
    let new = cookies(&replies[0]);
    let used = app.front(Method::POST, "/auth/session/refresh").header("cookie", &new).await;
    assert_eq!(used.code(), 200);
    app.clock.advance(29_000);
    assert_eq!(location(&page_load(bounce(&app, &visitor.jar, "")).await), "/");
    app.clock.advance(2_000);
    let late = page_load(bounce(&app, &visitor.jar, "?stRedirectTo=/a")).await;
    assert_eq!(location(&late), "/auth?redirectToPath=%2Fa");
    assert_eq!(figure(&app, "sessiond_refreshes_total{outcome=\"theft\"}").await, 1);
}

#[tokio::test]
async fn a_shared_result_ends_with_the_session() {
    let app = shop().build().await;
    let visitor = Visitor::new(&app).await;
    page_load(bounce(&app, &visitor.jar, "")).await;
    let out = app.front(Method::POST, "/auth/signout").header("cookie", &visitor.access()).header("origin", SITE);
    out.await.ok();
    let later = page_load(bounce(&app, &visitor.jar, "?stRedirectTo=/x")).await;
    assert_eq!(location(&later), "/auth?redirectToPath=%2Fx");
    assert!(line(&later, "sRefreshToken").starts_with("sRefreshToken=;"));
    let mut other = Visitor { jar: String::new(), id: String::new() };
    other.again(&app).await;
    assert_eq!(location(&page_load(bounce(&app, &other.jar, "")).await), "/", "another session is another one");
}

#[tokio::test]
async fn without_a_session_the_cookies_go_and_the_sign_in_page_comes() {
    let app = shop().build().await;
    let visitor = Visitor::new(&app).await;
    for jar in [visitor.access().as_str(), "sRefreshToken=nonsense", ""] {
        let reply = page_load(bounce(&app, jar, "?stRedirectTo=%2Fa%3Fb")).await;
        assert_eq!(location(&reply), "/auth?redirectToPath=%2Fa%3Fb");
        for name in ["sAccessToken", "sRefreshToken", "sFrontToken"] {
            let line = line(&reply, name);
            assert!(line.starts_with(&format!("{name}=;")) && line.contains("Expires=Thu, 01 Jan 1970"), "{line}");
        }
    }
    assert_eq!(outcome(&app, "signed-out").await, 3);
}

#[tokio::test]
async fn it_leads_nowhere_but_to_this_host() {
    let app = shop().build().await;
    let visitor = Visitor::new(&app).await;
    for target in
        ["//evil.example", "https://evil.example", "/%5Cevil.example", "/%09/evil.example", "evil", "/a%0D%0Ab"]
    {
        let reply = page_load(bounce(&app, &visitor.jar, &format!("?stRedirectTo={target}"))).await;
        assert_eq!((reply.code(), reply.header("location").len()), (400, 0), "{target}");
        assert!(reply.header("set-cookie").is_empty(), "{target}");
    }
    assert_eq!((rotations(&app).await, outcome(&app, "refused").await), (0, 6));
    let itself = page_load(bounce(&app, &visitor.jar, "?stRedirectTo=/auth/session/refresh%3FstRedirectTo=/x")).await;
    assert_eq!(location(&itself), "/");
}

#[tokio::test]
async fn a_foreign_page_neither_acts_nor_clears_a_cookie() {
    let app = shop().build().await;
    let visitor = Visitor::new(&app).await;
    let from = |site: &str, mode: &str, dest: &str, jar: &str, query: &str| {
        let request = bounce(&app, jar, query).header("sec-fetch-site", site).header("sec-fetch-mode", mode);
        request.header("sec-fetch-dest", dest).header("referer", "https://news.example/")
    };
    for jar in [visitor.jar.as_str(), ""] {
        for (site, mode, dest) in [
            ("cross-site", "no-cors", "image"),
            ("cross-site", "cors", "empty"),
            ("cross-site", "navigate", "iframe"),
            ("same-site", "navigate", "iframe"),
            ("same-origin", "cors", "empty"),
        ] {
            let reply = from(site, mode, dest, jar, "").await;
            assert_eq!(reply.code(), 403, "{site} {mode} {dest}");
            assert!(reply.header("set-cookie").is_empty());
        }
        // A link from elsewhere: our own page leads here once more.
        let linked = from("cross-site", "navigate", "document", jar, "?stRedirectTo=/a%26b").await;
        assert_eq!((linked.code(), linked.header("set-cookie").len()), (200, 0));
        let again = "/auth/session/refresh?stRedirectTo=%2Fa%26b&amp;again=1";
        assert!(linked.body().contains(&format!("content=\"0;url={again}\"")), "{}", linked.body());
        assert!(linked.header("content-security-policy").concat().contains("frame-ancestors 'none'"));
        // A foreign page that knows that gets nowhere.
        let known = from("cross-site", "navigate", "document", jar, "?stRedirectTo=/a%26b&again=1").await;
        assert_eq!((known.code(), known.header("set-cookie").len()), (403, 0));
    }
    assert_eq!(rotations(&app).await, 0);
    let own = from("same-origin", "navigate", "document", &visitor.jar, "?stRedirectTo=/a%26b&again=1").await;
    assert_eq!(location(&own), "/a&b");
    // Old browsers say only where the link was.
    let old = bounce(&app, &visitor.jar, "").header("referer", "https://news.example/").await;
    assert_eq!((old.code(), old.header("set-cookie").len()), (200, 0));
    let old = bounce(&app, &visitor.jar, "").header("referer", "https://app.shop.example/auth/session/refresh").await;
    assert_eq!(location(&old), "/");
}

#[tokio::test]
async fn a_browser_that_comes_back_for_ever_is_stopped() {
    let app = shop().build().await;
    let mut jar = Visitor::new(&app).await.jar;
    for _ in 0..5 {
        let reply = page_load(bounce(&app, &jar, "?stRedirectTo=/a")).await;
        assert_eq!(location(&reply), "/a");
        jar = cookies(&reply);
        app.clock.advance(1_000);
    }
    let stopped = page_load(bounce(&app, &jar, "?stRedirectTo=/a")).await;
    assert_eq!((stopped.code(), stopped.header("location").len()), (500, 0));
    assert!(line(&stopped, "sBounces").starts_with("sBounces=;"), "who loads the page again is not stopped");
    assert_eq!((rotations(&app).await, outcome(&app, "looped").await), (5, 1));
    let told = sessiond::control::doctor::examine(&app.context).await.unwrap();
    let told = told["findings"].as_array().unwrap().iter().any(|finding| finding["name"] == "gate-loop");
    assert!(told, "the doctor knows of it");

    app.clock.advance(60_000);
    let later = page_load(bounce(&app, &jar, "?stRedirectTo=/a")).await;
    assert_eq!(location(&later), "/a", "an hour of work is no loop");
}

#[tokio::test]
async fn where_tokens_are_not_in_cookies_alone_the_website_refreshes() {
    let app = shop().setting("anti_csrf", "VIA_TOKEN").build().await;
    let visitor = Visitor::new(&app).await;
    let reply = page_load(bounce(&app, &visitor.jar, "?stRedirectTo=/a")).await;
    assert_eq!(location(&reply), "/auth?redirectToPath=%2Fa");
    assert_eq!((rotations(&app).await, outcome(&app, "needs-script").await), (0, 1));
    assert!(reply.header("set-cookie").iter().all(|line| line.starts_with("sBounces=")), "nothing is cleared");
}

#[tokio::test]
async fn a_rid_is_not_needed_for_a_page_load_of_our_own() {
    let app = shop().setting("anti_csrf", "VIA_CUSTOM_HEADER").setting("cookie_same_site", "none").build().await;
    let visitor = Visitor::new(&app).await;
    assert_eq!(location(&page_load(bounce(&app, &visitor.jar, "")).await), "/");
}

#[tokio::test]
async fn cookies_of_an_earlier_domain_are_cleared_on_the_way() {
    let app = shop().setting("cookie_domain", "shop.example").setting("older_cookie_domain", "host-only").build().await;
    let visitor = Visitor::new(&app).await;
    let jar = format!("{}; sRefreshToken=older", visitor.jar);
    let reply = page_load(bounce(&app, &jar, "?stRedirectTo=/a")).await;
    assert_eq!(location(&reply), "/a");
    let cleared = line(&reply, "sRefreshToken");
    assert!(cleared.starts_with("sRefreshToken=;") && !cleared.contains("Domain="), "{cleared}");
    assert_eq!((rotations(&app).await, outcome(&app, "repeated").await), (0, 1));
}
