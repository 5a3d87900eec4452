//! The list of endpoints, as a file to look at.

use crate::app::TestApp;
use sessiond::http::route::Verb;
use std::collections::BTreeSet;
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

/// What the inputs name that fuzzing begins with: the first line of each, up to the version.
fn named_by_seeds(target: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let seeds = std::fs::read_dir(folder).expect("seeds").map(|seed| seed.expect("a seed").path());
    let named = seeds.map(|seed| {
        let bytes = std::fs::read(&seed).expect("a seed");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let words: Vec<&str> = text.lines().next().unwrap_or_default().split(' ').collect();
        let version = words.iter().position(|word| word.starts_with(|first: char| first.is_ascii_digit()));
        let version = version.unwrap_or_else(|| panic!("{}: the first line names a version", seed.display()));
        [&words[..version], &words[version + 1..]].concat().join(" ")
    });
    named.collect()
}

#[tokio::test]
async fn fuzzing_has_an_input_for_every_endpoint() {
    let app = TestApp::new().await;
    let (mut bodies, mut queries) = (BTreeSet::new(), BTreeSet::new());
    for mounted in app.cdi.table().routes() {
        let route = mounted.route;
        let path = if route.path.is_empty() { "/" } else { route.path };
        let rid = route.rid.map(|rid| format!(" {rid}")).unwrap_or_default();
        match route.verb {
            Verb::GET => queries.insert(format!("{path}{rid}")),
            verb => bodies.insert(format!("{verb:?} {path}{rid}")),
        };
    }
    for (target, endpoints) in [("json_body", bodies), ("query", queries)] {
        // A recipe is named where others share the path, and may be named elsewhere.
        let seeds = named_by_seeds(target);
        let without: Vec<_> = endpoints.difference(&seeds).collect();
        assert_eq!(without, [""; 0], "add an input to fuzz/seeds/{target}");
        let of_nothing: Vec<_> = seeds.difference(&endpoints).collect();
        assert_eq!(of_nothing, [""; 0], "remove it from fuzz/seeds/{target}");
    }
}
