//! The list of endpoints, as a file for review.

use crate::app::{TestApp, TestReply};
use http::Method;
use sessiond::http::cdi::call::Reach;
use sessiond::http::cdi::route::Route;
use sessiond::http::exchange::Verb;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

#[tokio::test]
async fn the_list_of_endpoints_is_the_one_on_file() {
    let app = TestApp::new().await;
    let mut lines: Vec<String> = Vec::new();
    for mounted in app.cdi.table().routes() {
        let route = mounted.route;
        let mut line =
            format!("{:6} {}", format!("{:?}", route.verb), if route.path.is_empty() { "/" } else { route.path });
        let version =
            |version: sessiond::http::cdi::version::CdiVersion| format!("{}.{}", version.major, version.minor);
        let facts = [
            Some(format!("{:?}", route.reach)),
            route.rid.map(|rid| format!("rid={rid}")),
            route.since.map(|first| format!("since={}", version(first))),
            route.until.map(|end| format!("until={}", version(end))),
            route.without_app.map(|_| "answers-without-app".to_owned()),
            (!route.key).then(|| "no-key".to_owned()),
            route.public.then(|| "public".to_owned()),
            (!route.version).then(|| "no-version".to_owned()),
        ];
        for fact in facts.into_iter().flatten() {
            let _ = write!(line, "  {fact}");
        }
        lines.push(line);
    }
    lines.sort_by_key(|line| line.split_once(' ').map(|(verb, rest)| (rest.trim().to_owned(), verb.to_owned())));
    let now = lines.join("\n") + "\n";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cdi_endpoints.txt");
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        std::fs::write(&file, &now).expect("a writable fixture");
    }
    let on_file = std::fs::read_to_string(&file).expect("tests/fixtures/cdi_endpoints.txt");
    assert_eq!(now, on_file, "if the change is meant: UPDATE_FIXTURES=1 cargo test --test it endpoints");
}

/// An initial input for fuzzing a target.
struct Seed {
    /// The text of its first line without the version; GET without its verb.
    endpoint: String,
    /// The query at the end of its first line.
    query: String,
    /// The rest, after the first line.
    rest: String,
}

fn seeds(target: &str) -> Vec<Seed> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let seeds = std::fs::read_dir(folder).expect("seeds").map(|seed| seed.expect("a seed").path());
    let read = seeds.map(|seed| {
        let bytes = std::fs::read(&seed).expect("a seed");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
        let (first, query) = first.split_once(" ?").unwrap_or((first, ""));
        let first = first.strip_prefix("GET ").unwrap_or(first);
        let words: Vec<&str> = first.split(' ').collect();
        let version = words.iter().position(|word| word.starts_with(|first: char| first.is_ascii_digit()));
        let version = version.unwrap_or_else(|| panic!("{}: the first line names a version", seed.display()));
        let endpoint = [&words[..version], &words[version + 1..]].concat().join(" ");
        Seed { endpoint, query: query.to_owned(), rest: rest.to_owned() }
    });
    read.collect()
}

fn named_by_seeds(target: &str) -> BTreeSet<String> {
    seeds(target).into_iter().map(|seed| seed.endpoint).collect()
}

/// The name of an endpoint in inputs: GET without its verb, because the query target has no other methods.
pub(crate) fn name(route: &Route) -> String {
    let path = if route.path.is_empty() { "/" } else { route.path };
    let rid = route.rid.map(|rid| format!(" {rid}")).unwrap_or_default();
    match route.verb {
        Verb::GET | Verb::HEAD => format!("{path}{rid}"),
        verb => format!("{} {path}{rid}", verb.name()),
    }
}

/// Valid requests by an endpoint's [`name`]: (query, body).
pub(crate) fn good_requests() -> BTreeMap<String, Vec<(String, String)>> {
    let mut requests: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for Seed { endpoint, rest, .. } in seeds("query") {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(rest.lines().filter_map(|line| line.trim_start_matches('~').split_once('=')));
        requests.entry(endpoint).or_default().push((query.finish(), String::new()));
    }
    for Seed { endpoint, query, rest } in seeds("json_body") {
        requests.entry(endpoint).or_default().push((query, rest));
    }
    // All of its inputs are invalid.
    let bulk = requests.entry("POST /recipe/user/metadata/bulk".to_owned()).or_default();
    bulk.push((String::new(), r#"{"userIds":["a"]}"#.to_owned()));
    requests
}

#[tokio::test]
async fn every_route_of_the_app_refuses_a_tenant_from_5_0_and_ignores_it_below() {
    const REFUSAL: &str = "Only public tenantId can call this app specific API";
    let app = TestApp::new().await;
    let requests = good_requests();
    let refused = |reply: &TestReply| reply.code() == 403 && reply.body().trim_end() == REFUSAL;
    let (mut looked_at, mut wrong) = (0, Vec::new());
    let routes = app.cdi.table().routes().map(|mounted| mounted.route);
    // Figures of the whole server are available nowhere else.
    for route in routes.filter(|route| route.reach == Reach::AppStrict403 && route.path != "/metrics") {
        let endpoint = name(route);
        let send = async |version: &str| {
            let mut replies = Vec::new();
            for (query, body) in &requests[&endpoint] {
                let method = Method::from_bytes(route.verb.name().as_bytes()).unwrap();
                let request = app.request(method, &format!("/t1{}?{query}", route.path)).cdi(version);
                let request = route.rid.into_iter().fold(request, |request, rid| request.header("rid", rid));
                replies.push(request.body(body.clone()).await);
            }
            replies
        };
        for version in ["5.0", "5.6"].into_iter().filter(|version| route.since.is_none() || *version == "5.6") {
            let replies = send(version).await;
            let told: Vec<_> = replies.iter().map(|reply| (reply.code(), reply.body())).collect();
            if !replies.iter().any(refused) {
                wrong.push(format!("{endpoint} at {version}: {told:?}"));
            }
        }
        for version in ["3.0", "4.0"] {
            if send(version).await.iter().any(refused) {
                wrong.push(format!("{endpoint} at {version}"));
            }
        }
        looked_at += 1;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(looked_at > 70, "{looked_at} routes");
}

#[tokio::test]
async fn fuzzing_has_an_input_for_every_endpoint() {
    let app = TestApp::new().await;
    let (mut bodies, mut queries) = (BTreeSet::new(), BTreeSet::new());
    for mounted in app.cdi.table().routes() {
        let route = mounted.route;
        let inputs = if matches!(route.verb, Verb::GET | Verb::HEAD) { &mut queries } else { &mut bodies };
        inputs.insert(name(route));
    }
    // Endpoints with only a query are part of the one target and are all that the other one has.
    let all: BTreeSet<_> = bodies.union(&queries).cloned().collect();
    for (target, endpoints, known) in [("json_body", &bodies, &all), ("query", &queries, &queries)] {
        // A recipe is named where several share the path, and may be named elsewhere.
        let seeds = named_by_seeds(target);
        let without: Vec<_> = endpoints.difference(&seeds).collect();
        assert_eq!(without, [""; 0], "add an input to fuzz/seeds/{target}");
        let of_nothing: Vec<_> = seeds.difference(known).collect();
        assert_eq!(of_nothing, [""; 0], "remove it from fuzz/seeds/{target}");
    }
}
