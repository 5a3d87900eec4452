//! Which module may use which name, read from the sources, because a single package has no other boundaries.

mod graph;

use graph::Graph;
use regex::Regex;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Longest file, tests not counted.
const MAX_LINES: usize = 400;

/// A name and the places that may use it.
struct Fence {
    what: Name,
    allowed: Allowed,
}

enum Name {
    /// An external crate.
    Crate(&'static str),
    /// A module at the root of this one.
    Module(&'static str),
    /// A module inside one at the root of this one.
    Inner(&'static str, &'static str),
    /// Any identifier or path.
    Path(&'static str),
}

enum Allowed {
    /// Only in files whose path begins with one of these.
    Only(&'static [&'static str]),
    /// Everywhere but in files whose path begins with one of these.
    Not(&'static [&'static str]),
}

const FENCES: &[Fence] = &[
    Fence { what: Name::Crate("warp"), allowed: Allowed::Only(&["http/server.rs"]) },
    Fence { what: Name::Crate("sled"), allowed: Allowed::Only(&["store/sled/"]) },
    Fence { what: Name::Crate("bincode"), allowed: Allowed::Only(&["store/codec.rs"]) },
    Fence { what: Name::Crate("anyhow"), allowed: Allowed::Only(&["cli/"]) },
    Fence { what: Name::Crate("lettre"), allowed: Allowed::Only(&["outbound/mail/"]) },
    Fence { what: Name::Crate("minijinja"), allowed: Allowed::Only(&["http/", "outbound/"]) },
    Fence { what: Name::Crate("tokio"), allowed: Allowed::Not(&["domain/"]) },
    Fence { what: Name::Crate("hyper"), allowed: Allowed::Only(&["http/server.rs", "outbound/"]) },
    // The three places of TLS: what a certificate is, the front door's handshake, and the connections that we open.
    Fence {
        what: Name::Crate("tokio_rustls"),
        allowed: Allowed::Only(&["crypto/certificate.rs", "http/tls.rs", "outbound/"]),
    },
    Fence { what: Name::Crate("instant_acme"), allowed: Allowed::Only(&["outbound/acme/"]) },
    Fence { what: Name::Crate("rcgen"), allowed: Allowed::Only(&["outbound/acme/"]) },
    Fence { what: Name::Crate("der"), allowed: Allowed::Only(&["crypto/certificate.rs"]) },
    Fence { what: Name::Crate("flate2"), allowed: Allowed::Only(&["move_in/"]) },
    Fence { what: Name::Crate("rustls_native_certs"), allowed: Allowed::Only(&["outbound/"]) },
    Fence { what: Name::Path("SystemTime::now"), allowed: Allowed::Only(&["system.rs"]) },
    Fence { what: Name::Path("SystemTime"), allowed: Allowed::Not(&["domain/", "command/", "http/"]) },
    Fence { what: Name::Path("Instant"), allowed: Allowed::Not(&["domain/", "command/"]) },
    Fence { what: Name::Path("SysRng"), allowed: Allowed::Only(&["system.rs"]) },
    Fence { what: Name::Path("OsRng"), allowed: Allowed::Only(&["system.rs"]) },
    Fence { what: Name::Path("rand::rng"), allowed: Allowed::Only(&["system.rs"]) },
    Fence { what: Name::Path("SystemClock"), allowed: Allowed::Only(&["app.rs", "system.rs"]) },
    Fence { what: Name::Path("SystemEntropy"), allowed: Allowed::Only(&["app.rs", "system.rs"]) },
    Fence { what: Name::Path("CdiVersion"), allowed: Allowed::Only(&["http/"]) },
    Fence { what: Name::Module("app"), allowed: Allowed::Only(&["app.rs", "cli/", "control/", "lifecycle/"]) },
    Fence { what: Name::Module("cli"), allowed: Allowed::Only(&["cli/", "lib.rs", "main.rs"]) },
    Fence {
        what: Name::Module("command"),
        allowed: Allowed::Not(&[
            "config/",
            "context.rs",
            "crypto/",
            "domain/",
            "metrics/",
            "move_in/",
            "state/",
            "store/",
        ]),
    },
    Fence {
        what: Name::Module("context"),
        allowed: Allowed::Not(&["config/", "crypto/", "domain/", "metrics/", "move_in/", "state/", "store/"]),
    },
    Fence { what: Name::Module("control"), allowed: Allowed::Only(&["cli/", "control/", "lifecycle/"]) },
    Fence { what: Name::Module("crypto"), allowed: Allowed::Not(&["config/", "domain/", "http/"]) },
    Fence { what: Name::Module("http"), allowed: Allowed::Only(&["http/", "lifecycle/"]) },
    Fence { what: Name::Module("jobs"), allowed: Allowed::Only(&["jobs/", "lifecycle/"]) },
    Fence { what: Name::Module("lifecycle"), allowed: Allowed::Only(&["cli/", "lifecycle/"]) },
    Fence { what: Name::Module("logs"), allowed: Allowed::Only(&["app.rs", "lifecycle/", "logs.rs"]) },
    Fence { what: Name::Module("metrics"), allowed: Allowed::Not(&["config/", "crypto/", "domain/", "store/"]) },
    Fence { what: Name::Module("move_in"), allowed: Allowed::Only(&["cli/", "command/move_in/", "move_in/"]) },
    Fence {
        what: Name::Module("outbound"),
        allowed: Allowed::Not(&["config/", "crypto/", "domain/", "metrics/", "move_in/", "state/", "store/"]),
    },
    Fence {
        what: Name::Module("state"),
        allowed: Allowed::Not(&["config/", "crypto/", "domain/", "move_in/", "store/"]),
    },
    Fence { what: Name::Module("stop"), allowed: Allowed::Only(&["control/", "lifecycle/", "stop.rs"]) },
    Fence {
        what: Name::Module("store"),
        allowed: Allowed::Not(&["config/", "crypto/", "domain/", "http/", "move_in/"]),
    },
    Fence { what: Name::Inner("http", "gate"), allowed: Allowed::Only(&["http/fdi/mod.rs", "http/gate/"]) },
    Fence { what: Name::Inner("http", "fdi"), allowed: Allowed::Only(&["http/fdi/", "http/gate/", "lifecycle/"]) },
    Fence {
        what: Name::Inner("store", "sled"),
        allowed: Allowed::Only(&["store/archive.rs", "store/data_folder.rs", "store/sled/"]),
    },
    Fence { what: Name::Module("system"), allowed: Allowed::Only(&["app.rs", "cli/", "system.rs"]) },
];

/// Existing cycles between files, each with its reason: the files, or the folder that contains them all. A cycle is
/// removed from here once it is broken, and none is added.
const CIRCLES: &[(&str, &[&str])] = &[
    (
        "a user's row, the keys that follow from it and the marks that it copies are written together",
        &[
            "store/user/count.rs",
            "store/user/index.rs",
            "store/user/mod.rs",
            "store/user/plain.rs",
            "store/user/verified.rs",
        ],
    ),
    ("parts of one engine, put together in its mod.rs, whose state they share", &["store/sled/"]),
];

impl Name {
    /// The name in the document.
    fn shown(&self) -> String {
        match self {
            Self::Crate(name) => format!("crate `{name}`"),
            Self::Module(name) => format!("module `{name}`"),
            Self::Inner(outer, name) => format!("module `{outer}::{name}`"),
            Self::Path(path) => format!("`{path}`"),
        }
    }

    fn pattern(&self) -> Regex {
        let pattern = match self {
            // The first part of a path: after a path separator it would be one of our modules.
            Self::Crate(name) => {
                format!(r"(?:^|[^\w:])(?:::)?{name}::|\buse\s+(?:::)?{name}\b|\bextern\s+crate\s+{name}\b")
            }
            Self::Module(name) => format!(r"\bcrate::{name}\b|\bcrate::\{{[^;]*?\b{name}\b"),
            Self::Inner(outer, name) => format!(r"\b{outer}::{name}\b|\b{outer}::\{{[^;]*?\b{name}::"),
            Self::Path(path) => format!(r"\b{path}\b"),
        };
        Regex::new(&pattern).expect("a fence's pattern")
    }
}

impl Allowed {
    /// The rule as worded in the document.
    fn shown(&self) -> String {
        let named = |places: &[&str]| places.iter().map(|place| format!("`{place}`")).collect::<Vec<_>>().join(", ");
        match self {
            Self::Only(places) => format!("only in {}", named(places)),
            Self::Not(places) => format!("not in {}", named(places)),
        }
    }

    fn covers(&self, file: &str) -> bool {
        match self {
            Self::Only(places) => places.iter().any(|place| file.starts_with(place)),
            Self::Not(places) => !places.iter().any(|place| file.starts_with(place)),
        }
    }
}

/// `(file, line)` of every violation, as text.
fn breaches(files: &BTreeMap<String, String>) -> Vec<String> {
    let mut found = Vec::new();
    for fence in FENCES {
        let pattern = fence.what.pattern();
        for (file, code) in files.iter().filter(|(file, _)| !fence.allowed.covers(file)) {
            found.extend(pattern.find_iter(code).map(|hit| {
                let line = code[..hit.start()].lines().count().max(1);
                format!("{file}:{line} names {}", hit.as_str().trim())
            }));
        }
    }
    found
}

fn too_long(files: &BTreeMap<String, String>) -> Vec<String> {
    let long = files.iter().map(|(file, code)| (file, code.lines().count()));
    long.filter(|(_, lines)| *lines > MAX_LINES).map(|(file, lines)| format!("{file}: {lines} lines")).collect()
}

/// The code of a file without comments, string literals and tests; lines keep their numbers.
fn code_of(source: &str) -> String {
    let tests = Regex::new(r"\n#\[cfg\((?:test|all\(test\b[^\n]*)\)\]\nmod ").expect("a pattern");
    let without_tests = tests.split(source).next().unwrap_or_default();
    let literal = Regex::new(r##"(?s)//[^\n]*|r#".*?"#|"(?:\\.|[^"\\])*"|b?'(?:\\.|[^'\\])'"##).expect("a pattern");
    let blank = |hit: &regex::Captures<'_>| "\n".repeat(hit[0].matches('\n').count());
    literal.replace_all(without_tests, blank).into_owned()
}

/// Every source file by its path below `src`, with slashes.
fn sources(folder: &Path, root: &Path, into: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            sources(&path, root, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let parts = path.strip_prefix(root).expect("a path below src").iter();
            let name = parts.map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/");
            into.insert(name, code_of(&fs::read_to_string(&path).expect("a readable file")));
        }
    }
}

fn ours() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = BTreeMap::new();
    sources(&root, &root, &mut files);
    files
}

#[test]
fn modules_name_only_what_their_layer_may() {
    let files = ours();
    assert!(files.len() > 40, "the sources were not found");
    assert_eq!(breaches(&files), Vec::<String>::new());
}

#[test]
fn files_form_no_circles_but_the_listed_ones() {
    let files = ours();
    let graph = Graph::of(&files);
    let covers = |places: &[&str], circle: &[&str]| {
        circle
            .iter()
            .all(|file| places.iter().any(|place| file == place || place.ends_with('/') && file.starts_with(place)))
    };
    let circles = graph.circles();
    let new: Vec<_> =
        circles.iter().filter(|circle| !CIRCLES.iter().any(|(_, places)| covers(places, circle))).collect();
    assert!(new.is_empty(), "new circles, or larger ones: {new:#?}");
    let open = CIRCLES.iter().find(|(_, places)| !circles.iter().any(|circle| covers(places, circle)));
    assert!(open.is_none(), "no circle any more, so take it from the list: {open:?}");
}

#[test]
fn the_document_has_every_fence_and_no_other() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md");
    let kept = fs::read_to_string(&path).expect("the document");
    let (before, rest) = kept.split_once("<!-- fences: -->\n").expect("where the fences begin");
    let (_, after) = rest.split_once("<!-- :fences -->").expect("where they end");
    let rows = FENCES.iter().map(|fence| format!("| {} | {} |\n", fence.what.shown(), fence.allowed.shown()));
    let table: String = std::iter::once("\n| name | may be used |\n|---|---|\n".to_owned()).chain(rows).collect();
    let fresh = format!("{before}<!-- fences: -->\n{table}\n<!-- :fences -->{after}");
    if std::env::var_os("SESSIOND_BLESS").is_some() {
        fs::write(&path, fresh).expect("a written document");
    } else {
        assert!(
            kept == fresh,
            "docs/architecture.md is out of date: run SESSIOND_BLESS=1 cargo test --test it layering"
        );
    }
}

#[test]
fn a_circle_is_found_through_re_exports_aliases_and_nested_imports() {
    let sample = |one: &str, two: &str| {
        let files = [
            ("lib.rs", ""),
            ("a/mod.rs", "pub mod one; mod two; pub use two::Two; pub use one::One as Uno;"),
            ("a/one.rs", one),
            ("a/two.rs", two),
        ];
        let files = files.into_iter().map(|(file, code)| (file.to_owned(), code.to_owned())).collect();
        Graph::of(&files).circles().into_iter().map(|circle| circle.join(" ")).collect::<Vec<_>>()
    };
    let circle = ["a/one.rs a/two.rs"];
    assert_eq!(sample("use crate::a::Two;", "use super::one::One;"), circle);
    assert_eq!(sample("use crate::{b, a::{Two, c}};", "fn f() { super::one::f() }"), circle);
    assert_eq!(sample("use super::two as other; fn f() { other::f() }", "use crate::a::Uno;"), circle);
    assert!(sample("use crate::a::Two;", "use super::three::One; fn f() { std::one::f() }").is_empty());
    assert!(sample("use crate::a::Two;", "pub use crate::a::one::One;").is_empty(), "re-exports do not count");
}

#[test]
fn files_stay_short() {
    assert_eq!(too_long(&ours()), Vec::<String>::new());
}

#[test]
fn every_fence_finds_what_it_forbids() {
    let sample = |what: &Name| match what {
        Name::Crate(name) => [format!("use {name}::Thing;"), format!("fn f(x: &{name}::Thing) {{}}")],
        Name::Module(name) => [format!("use crate::{name}::Thing;"), format!("use crate::{{fault, {name}::Thing}};")],
        Name::Inner(outer, name) => {
            [format!("use crate::{outer}::{name}::Thing;"), format!("use crate::{outer}::{{Thing, {name}::Other}};")]
        }
        Name::Path(path) => [format!("let x = {path}();"), format!("x::{path}")],
    };
    for fence in FENCES {
        let outside = match fence.allowed {
            Allowed::Only(_) => "other/mod.rs".to_owned(),
            Allowed::Not(places) => format!("{}x.rs", places[0]),
        };
        for code in sample(&fence.what) {
            let files = BTreeMap::from([(outside.clone(), code.clone())]);
            assert!(!breaches(&files).is_empty(), "{code} in {outside} went unseen");
        }
    }
}

#[test]
fn comments_text_and_modules_of_the_same_name_are_no_breach() {
    let innocent = "//! warp::Filter\nlet text = \"sled::Db\"; // bincode::serialize\nuse super::sled::SledEngine;";
    let files = BTreeMap::from([("app.rs".to_owned(), code_of(innocent))]);
    assert_eq!(breaches(&files), Vec::<String>::new());
}

#[test]
fn a_file_that_is_too_long_is_named() {
    let files = BTreeMap::from([("long.rs".to_owned(), "x\n".repeat(MAX_LINES + 1))]);
    assert_eq!(too_long(&files), ["long.rs: 401 lines"]);
}
