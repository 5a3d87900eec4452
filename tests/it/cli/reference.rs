//! docs/cli.md is generated from the argument definitions, docs/doctor.md from the table of anomalies.

#[test]
fn the_command_line_reference_is_up_to_date() {
    compare("docs/cli.md", &sessiond::cli::reference());
}

#[test]
fn the_reference_of_findings_is_up_to_date() {
    compare("docs/doctor.md", &sessiond::cli::findings_reference());
}

fn compare(name: &str, fresh: &str) {
    let path = format!("{}/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("SESSIOND_BLESS").is_some() {
        std::fs::write(&path, fresh).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == fresh, "{name} is out of date: run SESSIOND_BLESS=1 cargo test --test it reference");
}
