//! `trusted_proxies`: whose address IP rules check.

use crate::app::TestApp;

/// The status of calls from a peer with these headers, where 192.0.2.7 may not call.
async fn status(settings: &[(&str, &str)], peer: &str, headers: &[(&str, &str)]) -> u16 {
    let app = TestApp::builder().setting("ip_deny_regex", r"192\.0\.2\.7|2001:db8::7");
    let app = settings.iter().fold(app, |app, (key, value)| app.setting(key, value)).build().await;
    let request = app.get("/hello").from(peer);
    headers.iter().fold(request, |request, (name, value)| request.header(name, value)).await.code()
}

const PROXY: (&str, &str) = ("trusted_proxies", "10.0.0.0/8");

#[tokio::test]
async fn nobody_speaks_for_others_unless_trusted() {
    let denied = ("x-forwarded-for", "192.0.2.7");
    assert_eq!(status(&[], "10.0.0.1", &[denied]).await, 200);
    assert_eq!(status(&[], "192.0.2.7", &[("x-forwarded-for", "10.0.0.1")]).await, 403);
    assert_eq!(status(&[PROXY], "11.0.0.1", &[denied]).await, 200);
    assert_eq!(status(&[PROXY], "192.0.2.7", &[("x-forwarded-for", "198.51.100.1")]).await, 403);
    assert_eq!(status(&[PROXY], "10.0.0.1", &[denied]).await, 403);
    assert_eq!(status(&[PROXY], "::ffff:10.0.0.1", &[denied]).await, 403);
    assert_eq!(status(&[PROXY], "10.0.0.1", &[]).await, 200);
}

#[tokio::test]
async fn the_last_address_that_is_no_proxys_counts() {
    for (values, code) in [
        (&["192.0.2.7"][..], 403),
        (&[" 192.0.2.7 , 10.0.0.3,10.0.0.2 "], 403),
        (&["198.51.100.1, 192.0.2.7"], 403),
        (&["192.0.2.7:4711"], 403),
        (&["2001:db8::7"], 403),
        (&["[2001:db8::7]"], 403),
        (&["[2001:db8::7]:4711"], 403),
        (&["::ffff:192.0.2.7"], 403),
        (&["198.51.100.1", "192.0.2.7"], 403),
        (&["198.51.100.1", "192.0.2.7, 10.0.0.9"], 403),
        // Headers written by the caller itself neither hide nor incriminate anyone.
        (&["\"x, 192.0.2.7"], 403),
        (&["192.0.2.7, 198.51.100.1"], 200),
        (&["192.0.2.7", "198.51.100.1"], 200),
        (&["192.0.2.7, unknown, 10.0.0.2"], 200),
        (&[""], 200),
    ] {
        let headers: Vec<_> = values.iter().map(|value| ("x-forwarded-for", *value)).collect();
        assert_eq!(status(&[PROXY], "10.0.0.1", &headers).await, code, "{values:?}");
    }
}

#[tokio::test]
async fn proxies_may_write_the_standard_header() {
    let settings = [PROXY, ("trusted_proxy_header", "forwarded")];
    for (value, code) in [
        ("for=192.0.2.7", 403),
        ("For=\"192.0.2.7:80\";proto=http;by=10.0.0.1, for=10.0.0.2", 403),
        ("proto=https; for=\"[2001:db8::7]:4711\"", 403),
        ("for=\"x, for=192.0.2.7", 403),
        ("for=192.0.2.7, for=198.51.100.1", 200),
        ("for=192.0.2.7, for=_hidden", 200),
        ("by=192.0.2.7", 200),
        ("192.0.2.7", 200),
    ] {
        assert_eq!(status(&settings, "10.0.0.1", &[("forwarded", value)]).await, code, "{value}");
        // In this case the other header is the caller's own.
        assert_eq!(status(&[PROXY], "10.0.0.1", &[("forwarded", value)]).await, 200, "{value}");
    }
    assert_eq!(status(&settings, "10.0.0.1", &[("x-forwarded-for", "192.0.2.7")]).await, 200);
}
