//! docs/cli.md is generated from the argument definitions.

#[test]
fn the_command_line_reference_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/cli.md");
    let fresh = sessiond::cli::reference();
    if std::env::var_os("SESSIOND_BLESS").is_some() {
        std::fs::write(path, &fresh).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(kept == fresh, "docs/cli.md is out of date: run SESSIOND_BLESS=1 cargo test --test it reference");
}
