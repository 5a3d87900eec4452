//! Hosts that belong to one tenant each: who is let in where, and what is written into mails, cookies and tokens.

use super::{PASSWORD, claims, cookies, form};
use crate::app::{TestApp, TestAppBuilder, TestReply, TestRequest};
use crate::cdi::multitenancy::put_app;
use http::Method;
use serde_json::{Value, json};
use sessiond::domain::ids::AppId;
use sessiond::jobs::outbox::round;

const HOSTS: &str = r#"{"login.acme.example": "acme", "*.shop.example": "*"}"#;
const ACME: &str = "login.acme.example";
const BETA: &str = "beta.shop.example";

fn builder() -> TestAppBuilder {
    let builder = TestApp::builder().setting("api_domain", "https://auth.shop.example");
    let builder = builder.setting("website_domain", "https://www.shop.example").setting("bcrypt_log_rounds", "4");
    builder.setting("front_tenant_hosts", HOSTS)
}

/// A shop with two tenants, besides the public one.
async fn shop() -> TestApp {
    with_tenants(builder().build().await).await
}

async fn with_tenants(app: TestApp) -> TestApp {
    for tenant in ["acme", "beta"] {
        add_tenant(&app, "", tenant).await;
    }
    app
}

async fn add_tenant(app: &TestApp, prefix: &str, id: &str) {
    let body = json!({"tenantId": id, "firstFactors": ["emailpassword"]});
    app.put(&format!("{prefix}/recipe/multitenancy/tenant/v2"), body).await.ok();
}

/// A sign-up from a page of this origin.
fn sign_up<'a>(app: &'a TestApp, host: &str, page: &str, path: &str) -> TestRequest<'a> {
    let request = app.front_at(Method::POST, host, path).header("origin", page).header("st-auth-mode", "cookie");
    request.json(&form("a@b.cd", PASSWORD))
}

/// The tenant of somebody who has signed up.
#[track_caller]
fn tenant(reply: &TestReply) -> Value {
    assert_eq!(reply.json()["status"], "OK", "{}", reply.body());
    claims(reply)["tId"].clone()
}

#[tokio::test]
async fn the_host_names_the_tenant() {
    let app = shop().await;
    for (host, page, path, expected) in [
        (ACME, "https://login.acme.example", "/auth/signup", "acme"),
        (BETA, "https://beta.shop.example", "/auth/beta/signup", "beta"),
        ("auth.shop.example", "https://www.shop.example", "/auth/signup", "public"),
    ] {
        assert_eq!(tenant(&sign_up(&app, host, page, path).await), expected, "{host}{path}");
    }
    // Under the host of the whole app, the path still names tenants.
    let in_path = sign_up(&app, "auth.shop.example", "https://www.shop.example", "/auth/beta/signup").await;
    assert_eq!(in_path.json()["status"], "FIELD_ERROR", "the account is there: {}", in_path.body());
}

#[tokio::test]
async fn the_host_of_the_page_names_the_tenant_where_tenants_share_a_front_door() {
    let app = shop().await;
    let page = "https://login.acme.example";
    let up = sign_up(&app, "auth.shop.example", page, "/auth/signup").await;
    assert_eq!(tenant(&up), "acme");
    assert_eq!(up.header("access-control-allow-origin"), [page]);
    // The page is on another site than the front door.
    assert!(
        cookies(&up).contains("sAccessToken") && up.header("set-cookie").concat().contains("SameSite=None"),
        "{up:?}"
    );
    let refused = sign_up(&app, "auth.shop.example", page, "/auth/beta/signup").await;
    assert_eq!(refused.code(), 403);
}

#[tokio::test]
async fn a_path_that_names_another_tenant_opens_no_door() {
    let app = shop().await;
    for (host, path) in [(ACME, "beta"), (ACME, "public"), (BETA, "acme"), (BETA, "ACME"), (BETA, "nobody")] {
        for (method, route) in [(Method::POST, "signup"), (Method::POST, "signin"), (Method::GET, "loginmethods")] {
            let request = app.front_at(method, host, &format!("/auth/{path}/{route}"));
            let refused = request.json(&form("a@b.cd", PASSWORD)).await;
            assert_eq!(refused.code(), 403, "{host} {path}: {}", refused.body());
            assert!(refused.body().contains("tenant to which this host does not belong"), "{}", refused.body());
        }
    }
    let own = app.front_at(Method::GET, ACME, "/auth/ACME/loginmethods").await;
    assert_eq!(own.code(), 200, "{}", own.body());
}

#[tokio::test]
async fn a_host_without_a_tenant_is_nobodys() {
    let app = shop().await;
    for path in ["/auth/signup", "/auth/acme/signup", "/auth/session/refresh"] {
        let refused = sign_up(&app, "typo.shop.example", "https://typo.shop.example", path).await;
        assert_eq!((refused.code(), refused.body().contains("Tenant not found")), (400, true), "{}", refused.body());
        assert!(refused.header("access-control-allow-origin").is_empty());
    }
    // A page there is a stranger's, although the pattern fits.
    let page = sign_up(&app, "auth.shop.example", "https://blog.shop.example", "/auth/signup").await;
    assert_eq!(page.code(), 403, "{}", page.body());
    app.post("/recipe/multitenancy/tenant/remove", json!({"tenantId": "acme"})).await.ok();
    assert_eq!(sign_up(&app, ACME, "https://login.acme.example", "/auth/signup").await.code(), 400);
}

#[tokio::test]
async fn pages_of_other_tenants_are_strangers() {
    let app = shop().await;
    for page in [
        "https://beta.shop.example",
        "https://auth.shop.example",
        "http://login.acme.example",
        "https://login.acme.example:8443",
        "https://login.acme.example.evil.example",
    ] {
        let refused = sign_up(&app, ACME, page, "/auth/signup").await;
        assert_eq!(refused.code(), 403, "{page}: {}", refused.body());
        assert!(refused.header("access-control-allow-origin").is_empty(), "{page}");
    }
    // The website's pages may use every tenant's host.
    assert_eq!(tenant(&sign_up(&app, ACME, "https://www.shop.example", "/auth/signup").await), "acme");
    // Listing a tenant's page does not open the others' hosts to it.
    let listed = builder().setting("website_domain", "https://www.shop.example,https://beta.shop.example");
    let listed = with_tenants(listed.build().await).await;
    assert_eq!(sign_up(&listed, ACME, "https://beta.shop.example", "/auth/signup").await.code(), 403);
}

#[tokio::test]
async fn links_in_mails_lead_to_the_host_where_the_flow_began() {
    let app = shop().await;
    sign_up(&app, ACME, "https://login.acme.example", "/auth/signup").await.ok();
    let asked = json!({"formFields": [{"id": "email", "value": "a@b.cd"}]});
    let link = async |host: &str, page: Option<&str>, path: &str| {
        let mut request = app.front_at(Method::POST, host, path);
        if let Some(page) = page {
            request = request.header("origin", page);
        }
        request.json(&asked).await.ok();
        round(&app.context).await.unwrap();
        let mails = app.context.mailer.caught.list();
        app.context.mailer.caught.clear();
        let link = mails[0].link.clone().unwrap();
        assert!(link.ends_with("&tenantId=acme"), "{link}");
        link.split('?').next().unwrap().to_owned()
    };
    let reset = "/auth/user/password/reset/token";
    let in_path = "/auth/acme/user/password/reset/token";
    for (host, page, path, expected) in [
        (ACME, Some("https://login.acme.example"), reset, "https://login.acme.example"),
        (ACME, None, reset, "https://login.acme.example"),
        ("acme.shop.example", None, reset, "https://acme.shop.example"),
        (ACME, Some("https://www.shop.example"), reset, "https://www.shop.example"),
        ("auth.shop.example", Some("https://login.acme.example"), reset, "https://login.acme.example"),
        ("auth.shop.example", None, in_path, "https://www.shop.example"),
        ("auth.shop.example", Some("https://auth.shop.example"), in_path, "https://www.shop.example"),
    ] {
        assert_eq!(link(host, page, path).await, format!("{expected}/auth/reset-password"), "{host} {page:?}");
    }
}

#[tokio::test]
async fn tokens_have_the_issuer_of_the_app_and_name_the_tenants_hosts() {
    let app = shop().await;
    let up = sign_up(&app, ACME, "https://login.acme.example", "/auth/signup").await;
    let claims = claims(&up);
    assert_eq!(claims["iss"], "https://auth.shop.example/auth");
    assert_eq!(claims["st-t-dmns"]["v"], json!(["login.acme.example", "acme.shop.example"]));
    let public = sign_up(&app, "auth.shop.example", "https://www.shop.example", "/auth/signup").await;
    assert!(super::claims(&public).get("st-t-dmns").is_none(), "the public tenant has no host");
    let document = app.front_at(Method::GET, ACME, "/auth/.well-known/openid-configuration").await.json();
    assert_eq!(document["jwks_uri"], "https://auth.shop.example/auth/jwt/jwks.json");
}

#[tokio::test]
async fn cookies_are_shared_only_where_the_domain_contains_the_host() {
    let app = with_tenants(builder().setting("cookie_domain", ".shop.example").build().await).await;
    let domain = async |host: &str| {
        let up = sign_up(&app, host, &format!("https://{host}"), "/auth/signup").await.ok();
        up.header("set-cookie").iter().any(|line| line.contains("Domain=.shop.example"))
    };
    assert!(domain(BETA).await);
    assert!(!domain(ACME).await, "browsers would throw it away");
}

#[tokio::test]
async fn on_this_machine_tenants_have_hosts_without_further_settings() {
    let app = TestApp::builder().setting("front_tenant_hosts", r#"{"*.localhost": "*"}"#).build().await;
    add_tenant(&app, "", "acme").await;
    let up = sign_up(&app, "acme.localhost:3568", "http://acme.localhost:3568", "/auth/signup").await;
    assert_eq!(tenant(&up), "acme");
    assert_eq!(tenant(&sign_up(&app, "localhost:3568", "http://localhost:3000", "/auth/signup").await), "public");
}

#[tokio::test]
async fn hosts_choose_the_app_too_and_a_shared_one_is_told() {
    let app = shop().await;
    let hosts = json!({"login.other.example": "acme", "*.rest.example": "*"});
    put_app(&app, "other", json!({"api_domain": "https://auth.other.example", "front_tenant_hosts": hosts})).await.ok();
    add_tenant(&app, "/appid-other", "acme").await;
    for host in ["login.other.example", "acme.rest.example"] {
        let document = app.front_at(Method::GET, host, "/auth/.well-known/openid-configuration").await.json();
        assert_eq!(document["issuer"], "https://auth.other.example/auth", "{host}");
    }
    let other = AppId { app_id: "other".to_owned(), ..AppId::base() };
    let directory = &app.context.directory;
    assert_eq!(directory.shared_front_hosts(&other), [""; 0]);
    let mut all = directory.front_hosts(&directory.app(&other).unwrap());
    all.sort();
    assert_eq!(all, ["acme.rest.example", "auth.other.example", "login.other.example"]);

    // An app that takes another's host gets no requests there.
    for hosts in [json!({"login.acme.example": "acme"}), json!({"auth.shop.example": "acme"})] {
        put_app(&app, "other", json!({"front_tenant_hosts": hosts})).await.ok();
        let host = hosts.as_object().unwrap().keys().next().unwrap();
        assert_eq!(directory.shared_front_hosts(&other), [host.as_str()]);
        let document = app.front_at(Method::GET, host, "/auth/.well-known/openid-configuration").await.json();
        assert_eq!(document["issuer"], "https://auth.shop.example/auth", "{host}");
    }
    // Apps without hosts of their own only inherit those of the base app.
    put_app(&app, "third", json!({})).await.ok();
    let third = AppId { app_id: "third".to_owned(), ..AppId::base() };
    assert_eq!(directory.shared_front_hosts(&third), [""; 0]);
}
