//! Folders and files whose names are not Unicode, used by every command and over the control socket.
#![cfg(unix)]

use crate::cli::sandbox::{Ended, Sandbox};
use serde_json::json;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// `name` in Latin-1.
fn latin(name: &str) -> OsString {
    let bytes: Vec<u8> = name.chars().map(|char| u8::try_from(u32::from(char)).unwrap()).collect();
    OsStr::from_bytes(&bytes).to_owned()
}

fn run(sandbox: &Sandbox, folder: &Path, args: &[&OsStr]) -> Ended {
    let output = sandbox.command(&[]).current_dir(folder).args(args).output().unwrap();
    Ended {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Runs a server on this folder from start to end, with a backup, an archive and a settings file in between.
fn lives(sandbox: &Sandbox, server: &mut crate::cli::sandbox::Server, work: &Path, flags: &[&OsStr]) {
    let command = |args: &[&OsStr]| {
        let ended = run(sandbox, work, &[args, flags].concat());
        assert_eq!(ended.code, Some(0), "{args:?}: {ended:?}");
        ended.out
    };
    server.session("alice");
    command(&["ready".as_ref()]);
    assert!(command(&["list".as_ref()]).contains("Instance PID"));
    let settings: serde_json::Value = serde_json::from_str(&command(&["config".as_ref(), "--json".as_ref()])).unwrap();
    let row = settings["settings"].as_array().unwrap().iter().find(|row| row["key"] == "data_dir").unwrap();
    assert_eq!(row["value"], json!("d\u{fffd}ten"));
    command(&["backup".as_ref(), &latin("kopiä")]);
    command(&["apps".as_ref(), "export".as_ref(), "public".as_ref(), &latin("ärchiv")]);
    command(&["apps".as_ref(), "import".as_ref(), &latin("ärchiv"), "--as".as_ref(), "zwei".as_ref()]);
    command(&["stop".as_ref()]);
    assert_eq!(server.wait().code(), Some(0));
    command(&["check".as_ref()]);
    let restored = run(sandbox, work, &["restore".as_ref(), &latin("kopiä"), &latin("zurück")]);
    assert_eq!(restored.code, Some(0), "{restored:?}");
    let stray: Vec<PathBuf> = files(work)
        .into_iter()
        .filter(|path| path.to_string_lossy().contains("\u{fffd}") && path.to_str().is_some())
        .collect();
    assert_eq!(stray, Vec::<PathBuf>::new(), "a folder of another name");
}

#[test]
fn a_data_folder_named_by_a_flag_is_that_folder() {
    let sandbox = Sandbox::new();
    let name = latin("däten");
    let mut server = sandbox.serve_os(&["--data-dir".as_ref(), &name]);
    assert!(sandbox.path().join(&name).join("control.sock").exists());
    lives(&sandbox, &mut server, sandbox.path(), &["--data-dir".as_ref(), &name]);
}

#[test]
fn a_data_folder_named_by_a_variable_is_that_folder() {
    let mut sandbox = Sandbox::new();
    sandbox.set("SESSIOND_DATA_DIR", latin("däten"));
    let mut server = sandbox.serve(&[]);
    let work = sandbox.path().to_owned();
    assert!(work.join(latin("däten")).join("control.sock").exists());
    lives(&sandbox, &mut server, &work, &[]);
}

#[test]
fn the_background_server_uses_the_folder_that_start_was_given() {
    let sandbox = Sandbox::new();
    let name = latin("däten");
    let flags: [&OsStr; 2] = ["--data-dir".as_ref(), &name];
    let started =
        run(&sandbox, sandbox.path(), &[&["start".as_ref(), "--port".as_ref(), "0".as_ref()], &flags[..]].concat());
    assert_eq!(started.code, Some(0), "{started:?}");
    assert!(sandbox.path().join(&name).join("logs/info.log").exists());
    assert_eq!(run(&sandbox, sandbox.path(), &[&["stop".as_ref()], &flags[..]].concat()).code, Some(0));
    assert_eq!(files(sandbox.path()), [sandbox.path().join(&name)]);
}

#[test]
fn settings_are_shown_in_a_working_directory_of_such_a_name() {
    let sandbox = Sandbox::new();
    let work = sandbox.path().join(latin("hiär"));
    std::fs::create_dir(&work).unwrap();
    std::fs::write(work.join("config.yaml"), "core_config_version: 0\n").unwrap();
    let shown = run(&sandbox, &work, &["config".as_ref(), "--json".as_ref()]);
    assert_eq!(shown.code, Some(0), "{shown:?}");
    assert!(shown.out.contains("hi\u{fffd}r/config.yaml"), "{shown:?}");
}
