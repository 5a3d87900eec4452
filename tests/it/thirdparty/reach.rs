//! Which addresses a provider may have, whatever its name resolves to.

use super::provider::TestProvider;
use sessiond::domain::http_request::{HttpRequest, Reach};
use sessiond::outbound::http::{DirectHttp, HttpClient, Resolve, SendError};
use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Resolves every name to these addresses, one list after the other.
#[derive(Default)]
pub(super) struct Fixed {
    lists: Mutex<Vec<Vec<IpAddr>>>,
    asked: AtomicUsize,
}

#[async_trait::async_trait]
impl Resolve for Fixed {
    async fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut lists = self.lists.lock().unwrap();
        if lists.is_empty() { Err(io::Error::other("no such host")) } else { Ok(lists.remove(0)) }
    }
}

/// A resolver with these answers.
pub(super) fn resolver(lists: &[&[&str]]) -> Arc<Fixed> {
    let lists = lists.iter().map(|list| list.iter().map(|text| text.parse().expect("an address")).collect()).collect();
    Arc::new(Fixed { lists: Mutex::new(lists), asked: AtomicUsize::default() })
}

fn resolving(lists: &[&[&str]]) -> (Arc<Fixed>, DirectHttp) {
    let fixed = resolver(lists);
    (Arc::clone(&fixed), DirectHttp::new(fixed))
}

/// Reach into these networks.
pub(super) fn reach(networks: &[&str]) -> Reach {
    let networks = networks.iter().map(|text| text.parse().expect("a network")).collect();
    Reach { private_networks: networks, setting: "provider_private_networks", timeout: Duration::from_millis(1000) }
}

/// The status of a reply.
pub(super) async fn get(http: &DirectHttp, url: &str, reach: &Reach) -> Result<u16, SendError> {
    http.send(&HttpRequest::get(url.to_owned()), reach).await.map(|reply| reply.status)
}

#[tokio::test]
async fn names_that_resolve_to_private_addresses_are_refused() {
    for address in [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "100.64.0.1",
        "192.168.0.1",
        "224.0.0.1",
        "0.0.0.0",
        "::1",
        "fd00::1",
        "fe80::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
    ] {
        let (_, http) = resolving(&[&[address]]);
        let refused = get(&http, "https://op.test/", &reach(&[])).await.unwrap_err();
        let (address, setting) = (address.parse().unwrap(), "provider_private_networks");
        let expected = SendError::Private { host: "op.test".to_owned(), address, setting };
        assert_eq!(refused, expected);
    }
}

#[tokio::test]
async fn addresses_in_urls_are_checked_as_well() {
    let (fixed, http) = resolving(&[]);
    for url in [
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://localhost/",
        "https://x.localhost./",
        "https://169.254.169.254/",
    ] {
        let refused = get(&http, url, &reach(&[])).await.unwrap_err();
        assert!(matches!(refused, SendError::Private { .. }), "{url}: {refused:?}");
    }
    assert_eq!(fixed.asked.load(Ordering::SeqCst), 0);
    // Other ways to write an address are names to us: the resolver's answer is what counts.
    for url in ["https://2130706433/", "https://0x7f.1/", "https://127.1/"] {
        let (_, http) = resolving(&[&["127.0.0.1"]]);
        let refused = get(&http, url, &reach(&[])).await.unwrap_err();
        assert!(matches!(refused, SendError::Private { .. }), "{url}: {refused:?}");
    }
}

#[tokio::test]
async fn a_name_is_resolved_once_and_only_checked_addresses_are_called() {
    let provider = TestProvider::start().await;
    provider.says("/x", &serde_json::json!({}));
    let url = provider.url("/x").replace("127.0.0.1", "op.test");
    let open = reach(&["127.0.0.1/32"]);
    // The second answer of the resolver would lead elsewhere.
    let (fixed, http) = resolving(&[&["127.0.0.1"], &["10.0.0.1"]]);
    assert_eq!(get(&http, &url, &open).await, Ok(200));
    assert_eq!(fixed.asked.load(Ordering::SeqCst), 1);
    assert!(provider.seen("/x")[0].head.contains("host: op.test:"));
    // Of several addresses only the allowed ones are called.
    let (_, http) = resolving(&[&["10.0.0.1", "169.254.169.254", "127.0.0.1"]]);
    assert_eq!(get(&http, &url, &open).await, Ok(200));
    let (_, http) = resolving(&[&["127.0.0.1"]]);
    assert!(matches!(get(&http, &url, &reach(&["10.0.0.0/8"])).await, Err(SendError::Private { .. })));
}

#[tokio::test]
async fn plain_http_is_for_loopback_addresses_that_are_allowed() {
    for (address, networks) in [("1.1.1.1", &[][..]), ("10.0.0.1", &["10.0.0.0/8"]), ("1.1.1.1", &["0.0.0.0/0"])] {
        let (_, http) = resolving(&[&[address]]);
        let refused = get(&http, "http://op.test/", &reach(networks)).await;
        assert_eq!(refused, Err(SendError::Plain("op.test".to_owned())), "{address}");
    }
    for url in ["ftp://op.test/", "file:///etc/passwd", "https://user@op.test/", "op.test"] {
        let (_, http) = resolving(&[&["1.1.1.1"]]);
        assert_eq!(get(&http, url, &reach(&[])).await, Err(SendError::Url), "{url}");
    }
    let (_, http) = resolving(&[]);
    assert!(matches!(get(&http, "https://op.test/", &reach(&[])).await, Err(SendError::Unresolved { .. })));
}

#[tokio::test]
async fn a_provider_without_tls_on_an_https_port_is_refused() {
    let provider = TestProvider::start().await;
    let url = provider.url("/x").replace("http://", "https://");
    let (_, http) = resolving(&[]);
    let refused = get(&http, &url, &reach(&["127.0.0.0/8"])).await.unwrap_err();
    assert!(matches!(refused, SendError::Connection { .. } | SendError::Timeout(_)), "{refused:?}");
    assert!(provider.seen("/x").is_empty());
}
