//! TLS without a proxy: its settings, and what browsers are told.

use crate::app::TestApp;
use crate::cdi::multitenancy::put_app;
use http::Method;
use serde_json::json;
use sessiond::config::BaseConfig;

const FILES: [(&str, &str); 2] = [("front_tls_cert", "cert.pem"), ("front_tls_key", "key.pem")];

async fn strict(app: &TestApp, host: &str) -> Vec<String> {
    let mut found = Vec::new();
    for path in ["/auth/loginmethods", "/auth/nowhere"] {
        let reply = app.front_at(Method::GET, host, path).await;
        found.extend(reply.header("strict-transport-security").into_iter().map(str::to_owned));
    }
    found
}

#[tokio::test]
async fn browsers_are_told_to_keep_to_https_where_the_host_is_the_front_doors_own() {
    let app = TestApp::builder().setting("api_domain", "https://auth.example.com");
    let with_tls = app.setting(FILES[0].0, FILES[0].1).setting(FILES[1].0, FILES[1].1).build().await;
    assert_eq!(strict(&with_tls, "auth.example.com").await, ["max-age=31536000", "max-age=31536000"]);
    // What else is on the host, on other ports, may have no TLS.
    for (id, origin, host) in
        [("a1", "https://one.example.org:8443", "one.example.org"), ("a2", "https://app.localhost", "app.localhost")]
    {
        put_app(&with_tls, id, json!({"api_domain": origin})).await.ok();
        assert_eq!(strict(&with_tls, host).await, Vec::<String>::new(), "{origin}");
    }
    // Behind a proxy that is its decision.
    let behind = TestApp::builder().setting("api_domain", "https://auth.example.com").build().await;
    assert_eq!(strict(&behind, "auth.example.com").await, Vec::<String>::new());
}

#[tokio::test]
async fn tls_needs_both_files_and_an_address_with_https() {
    let api = ("api_domain", "https://auth.example.com");
    let refused = |settings: &[(&str, &str)]| BaseConfig::with(settings, false).err().map(|error| error.to_string());
    assert_eq!(refused(&[FILES[0], FILES[1], api]), None);
    for (settings, part) in [
        (vec![FILES[0], api], "must be set together"),
        (vec![FILES[1], api], "must be set together"),
        (vec![FILES[0], FILES[1]], "'api_domain' must be set and begin with https://"),
        (vec![FILES[0], FILES[1], ("api_domain", "http://auth.example.com")], "'api_domain' must be set and begin"),
    ] {
        assert!(refused(&settings).is_some_and(|sentence| sentence.contains(part)), "{settings:?}");
    }
    let acme = ("front_acme", "on");
    assert_eq!(refused(&[acme, api]), None);
    assert_eq!(refused(&[acme, api, ("front_acme_directory", "http://127.0.0.1:14000/dir")]), None);
    for (settings, part) in [
        (vec![acme], "'api_domain' must be set and begin with https:// if 'front_acme' is set"),
        (vec![acme, api, FILES[0], FILES[1]], "'front_acme' and 'front_tls_cert' cannot be used together"),
        (vec![acme, api, ("ephemeral", "true")], "'front_acme' needs a data folder"),
        (vec![acme, api, ("front_acme_directory", "http://acme.example/dir")], "'front_acme_directory' must be a URL"),
        (vec![acme, api, ("front_acme_directory", "acme.example")], "'front_acme_directory' must be a URL"),
        (vec![acme, api, ("front_acme_contact_email", "me")], "'front_acme_contact_email' is not a valid address"),
    ] {
        assert!(refused(&settings).is_some_and(|sentence| sentence.contains(part)), "{settings:?}");
    }
    // An app cannot go back to http, either.
    let app = TestApp::builder().setting(api.0, api.1);
    let app = app.setting(FILES[0].0, FILES[0].1).setting(FILES[1].0, FILES[1].1).build().await;
    let refused = put_app(&app, "a1", json!({"api_domain": "http://one.example.org"})).await;
    assert_ne!(refused.code(), 200, "{}", refused.body());
}
