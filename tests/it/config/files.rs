//! `config.yaml` as other programs leave it: duplicate keys, truncated, in another encoding, not a file at all.

use super::Given;
use sessiond::config::{ConfigFile, Origin, data_dir};

fn unreadable(given: &Given, why: &str) -> String {
    format!("cannot read the config file {}: {why}", given.path().display())
}

#[test]
fn the_last_of_two_lines_about_a_setting_counts() {
    let given = Given::new().file(
        "host: a\nport: x\nhost: b\nport: 2\naccess_token_dynamic_signing_key_update_interval: 2\n\
         access_token_signing_key_update_interval: 3",
    );
    assert_eq!(given.effective("host"), ("b".to_owned(), Origin::File { line: 4 }));
    assert_eq!(given.effective("access_token_dynamic_signing_key_update_interval").0, "3");
    let loaded = given.loaded();
    assert_eq!(loaded.config.port, 2);
    let path = given.path();
    let path = path.display();
    assert_eq!(
        loaded.warnings,
        [
            format!("{path}, line 4: 'host' is set in line 2 already; this line counts."),
            format!("{path}, line 5: 'port' is set in line 3 already; this line counts."),
            format!(
                "'port' must be of type int, not \"x\", in line 3. The config file can be found here: {path}. It is ignored: \
                 config file, line 5 wins."
            ),
            format!(
                "{path}, line 7: 'access_token_signing_key_update_interval' is set in line 6 already; this line counts."
            ),
        ]
    );
    let twice = Given::new().raw_file("core_config_version: 1\ncore_config_version: 0\n");
    assert_eq!(twice.loaded().warnings.len(), 1);
}

#[test]
fn a_second_document_is_not_read_in_silence() {
    let given = Given::new().file("port: 1\n---\nip_deny_regex: .*");
    let loaded = given.loaded();
    assert!(loaded.config.app.ip_deny.is_none());
    let line = format!("{}, line 3: a second document begins here; it is not read.", given.path().display());
    assert_eq!(loaded.warnings, [line]);
}

#[test]
fn encodings_other_than_utf_8_are_named() {
    let text = "core_config_version: 0\nhost: h\n";
    let given = Given::new().raw_file("");
    given.bytes(&text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>());
    assert_eq!(
        given.refused(),
        unreadable(&given, "line 1 holds a NUL byte: it is UTF-16 or no text; save it as UTF-8")
    );
    let marked = format!("\u{feff}{text}");
    for bytes in [
        marked.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>(),
        marked.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>(),
    ] {
        given.bytes(&bytes);
        assert_eq!(given.refused(), unreadable(&given, "it is UTF-16; save it as UTF-8"));
    }
    given.bytes(b"core_config_version: 0\n# f\xfcr\nhost: h\n");
    assert_eq!(given.refused(), unreadable(&given, "line 2 is not UTF-8; save it as UTF-8"));
    given.bytes(b"core_config_version: 0\nhost: a\0b\n");
    assert!(given.refused().contains("line 2 holds a NUL byte"), "{}", given.refused());
    given.bytes(format!("{marked}{marked}").as_bytes());
    assert_eq!(given.effective("host").0, "h", "two files with byte order marks, one after the other");
    given.bytes(marked.replace('\n', "\r\n").as_bytes());
    assert_eq!(given.effective("host").0, "h");
}

#[test]
fn what_is_no_file_of_settings_is_called_what_it_is() {
    let mut given = Given::new();
    std::fs::create_dir(given.path()).unwrap();
    given.sources.config_file = ConfigFile::IfPresent(given.path());
    assert_eq!(given.refused(), unreadable(&given, "it is a folder, not a file"));
    std::fs::remove_dir(given.path()).unwrap();
    given.bytes(&vec![b'#'; (1 << 20) + 1]);
    assert_eq!(given.refused(), unreadable(&given, "it is larger than 1024 KiB"));
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere_is_no_missing_file() {
    let mut given = Given::new();
    std::os::unix::fs::symlink("nowhere", given.path()).unwrap();
    given.sources.config_file = ConfigFile::IfPresent(given.path());
    assert!(given.refused().starts_with(&unreadable(&given, "")), "{}", given.refused());
}

#[cfg(unix)]
#[test]
fn settings_may_come_through_a_pipe() {
    let given = Given::new();
    let path = given.path();
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let writer = std::thread::spawn(move || std::fs::write(path, "core_config_version: 0\nport: 7\n").unwrap());
    let mut given = given;
    given.sources.config_file = ConfigFile::Required(given.path());
    assert_eq!(given.loaded().config.port, 7);
    writer.join().unwrap();
}

#[test]
fn a_long_value_is_cut_in_a_sentence() {
    let long = "9".repeat(500_000);
    let sentence = Given::new().file(&format!("port: {long}")).refused();
    assert!(sentence.contains(&format!("not \"{}…\", in line 2", "9".repeat(80))), "{}", sentence.len());
}

#[test]
fn the_data_folder_is_found_although_another_setting_is_wrong() {
    let given = Given::new().file("port: x\ndata_dir: elsewhere");
    assert!(given.refused().contains("'port'"));
    assert_eq!(data_dir(&given.sources), std::path::PathBuf::from("elsewhere"));
    let given = given.env("SESSIOND_DATA_DIR", "'other'\n");
    assert_eq!(data_dir(&given.sources), std::path::PathBuf::from("other"));
}
