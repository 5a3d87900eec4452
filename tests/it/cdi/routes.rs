//! The list of endpoints, as a file to look at.

use crate::app::TestApp;
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
