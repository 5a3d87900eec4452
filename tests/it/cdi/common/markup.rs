//! What a caller sends never comes back as markup, so a browser that shows a reply executes nothing.

use crate::app::TestApp;
use crate::cdi::routes::{good_requests, name};
use crate::people::with_cheap_passwords;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use http::{HeaderName, HeaderValue, Method};
use serde_json::{Value, json};
use sessiond::http::cdi::route::Route;
use sessiond::http::exchange::{JSON, Request};
use sessiond::http::server::Dispatch;
use std::net::{IpAddr, Ipv4Addr};

const MARKUP: &str = "<script>";

/// Texts that put markup where a value, the tenant in a handle or decoded bytes would be repeated.
fn values() -> Vec<String> {
    let encoded = STANDARD_NO_PAD.encode(MARKUP);
    vec![MARKUP.to_owned(), format!("x_{MARKUP}"), format!("{MARKUP}@{MARKUP}.io"), encoded]
}

/// Bodies in which one value or one member's name, at any depth, became markup.
fn spoilt_bodies(good: &Value, text: &str) -> Vec<Value> {
    let mut bodies = vec![json!(text), json!([text]), json!({ text: text })];
    match good {
        Value::Object(members) => {
            for (name, value) in members {
                for spoilt in spoilt_bodies(value, text) {
                    let mut members = members.clone();
                    members.insert(name.clone(), spoilt);
                    bodies.push(Value::Object(members));
                }
                let mut members = members.clone();
                members.remove(name);
                members.insert(text.to_owned(), value.clone());
                bodies.push(Value::Object(members));
            }
        }
        Value::Array(items) => {
            for (place, value) in items.iter().enumerate() {
                for spoilt in spoilt_bodies(value, text) {
                    let mut items = items.clone();
                    items[place] = spoilt;
                    bodies.push(Value::Array(items));
                }
            }
        }
        _ => {}
    }
    bodies
}

/// Queries in which one value, or one more name, became markup.
fn spoilt_queries(good: &str, text: &str) -> Vec<String> {
    let pairs: Vec<(String, String)> = form_urlencoded::parse(good.as_bytes()).into_owned().collect();
    let encode =
        |pairs: &[(String, String)]| form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let mut queries = vec![text.to_owned()];
    for place in 0..pairs.len() {
        let mut pairs = pairs.clone();
        pairs[place].1 = text.to_owned();
        queries.push(encode(&pairs));
    }
    // Parameters that only a few requests have.
    for more in ["includeRecipeIds", "email", "thirdPartyId", "paginationToken", "timeJoinedOrder", "status", "limit"] {
        let more = [(more.to_owned(), text.to_owned())];
        queries.push(encode(&[&pairs[..], &more].concat()));
    }
    queries
}

struct Search<'a> {
    app: &'a TestApp,
    replies: usize,
    texts: usize,
    found: Vec<String>,
}

impl Search<'_> {
    async fn send(&mut self, route: &Route, (prefix, query, body): (&str, &str, String), headers: &[(&str, &str)]) {
        let sent = format!("{} {prefix}{}?{query} {headers:?} {body}", route.verb.name(), route.path);
        let headers = headers.iter().map(|(name, value)| {
            (HeaderName::try_from(*name).expect("a name"), HeaderValue::try_from(*value).expect("a value"))
        });
        let request = Request {
            id: "test".to_owned(),
            method: Method::from_bytes(route.verb.name().as_bytes()).expect("a method"),
            path: format!("{prefix}{}", route.path),
            query: query.to_owned(),
            headers: headers.collect(),
            body: body.into(),
            peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
        };
        // Bypasses the search for secrets, which would take minutes for so many replies.
        let reply = self.app.cdi.dispatch(request).await;
        self.replies += 1;
        if reply.content_type == JSON {
            return;
        }
        self.texts += 1;
        let body = String::from_utf8_lossy(&reply.body);
        if body.replace("<=", "").contains('<') {
            self.found.push(format!("{sent}: {body}"));
        }
    }
}

#[tokio::test]
async fn no_reply_repeats_markup() {
    const HEADERS: [&str; 12] = [
        "cdi-version",
        "rid",
        "api-key",
        "authorization",
        "host",
        "origin",
        "referer",
        "sec-fetch-site",
        "x-request-id",
        "x-forwarded-for",
        "content-type",
        "accept",
    ];
    let app = with_cheap_passwords().build().await;
    let good = good_requests();
    let mut search = Search { app: &app, replies: 0, texts: 0, found: Vec::new() };
    let routes: Vec<&Route> = app.cdi.table().routes().map(|mounted| mounted.route).collect();
    for route in &routes {
        let rid = route.rid.map(|rid| ("rid", rid));
        for (query, body) in &good[&name(route)] {
            for header in HEADERS {
                search.send(route, ("", query, body.clone()), &[(header, MARKUP)]).await;
            }
            for prefix in ["/<script>", "/%3Cscript%3E", "/appid-<script>", "/appid-%3Cscript%3E/t1", "/t1/<script>"] {
                search.send(route, (prefix, query, body.clone()), &[]).await;
            }
            for (version, texts) in [("5.6", &values()[..]), ("3.1", &values()[..1]), ("2.18", &values()[..1])] {
                let headers: Vec<_> = rid.into_iter().chain([("cdi-version", version)]).collect();
                for text in texts {
                    search.send(route, ("", query, text.clone()), &headers).await;
                    for query in spoilt_queries(query, text) {
                        search.send(route, ("", &query, body.clone()), &headers).await;
                    }
                    let Ok(good) = serde_json::from_str(body) else { continue };
                    for body in spoilt_bodies(&good, text) {
                        search.send(route, ("", query, body.to_string()), &headers).await;
                    }
                }
            }
        }
    }
    search.found.truncate(20);
    assert!(search.found.is_empty(), "{:#?}", search.found);
    assert!(search.texts > 10_000 && search.replies > search.texts, "{} of {}", search.texts, search.replies);
}
