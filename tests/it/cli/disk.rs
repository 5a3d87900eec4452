//! A server on its data folder: what survives, and who may use the folder.

use crate::cli::sandbox::Sandbox;
use serde_json::json;

fn handle(session: &serde_json::Value) -> String {
    session["session"]["handle"].as_str().unwrap().to_owned()
}

#[test]
fn sessions_and_keys_survive_a_clean_stop_and_a_kill() {
    let sandbox = Sandbox::new();
    let mut server = sandbox.serve(&[]);
    let kids = server.kids();
    let stopped = server.session("alice");
    assert_eq!(sandbox.run(&["stop"]).code, Some(0));
    assert_eq!(server.wait().code(), Some(0));

    let mut server = sandbox.serve(&[]);
    let killed = server.session("alice");
    server.kill();
    let server = sandbox.serve(&[]);
    assert_eq!(server.kids(), kids);
    let listed = sandbox.json(&["sessions", "list", "alice", "--json"]);
    let mut found: Vec<_> =
        listed["sessions"].as_array().unwrap().iter().map(|row| row["sessionHandle"].as_str().unwrap()).collect();
    let mut expected = [handle(&stopped), handle(&killed)];
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    let refreshed = server.post(
        "/recipe/session/refresh",
        &[],
        &json!({ "refreshToken": killed["refreshToken"]["token"], "enableAntiCsrf": false, "useDynamicSigningKey": true }),
    );
    assert_eq!(refreshed["status"], "OK");
}

#[test]
fn a_second_server_on_a_folder_is_told_who_has_it() {
    let sandbox = Sandbox::new();
    let server = sandbox.serve(&[]);
    let second = sandbox.run(&["serve", "--port", "0"]);
    assert_eq!(second.code, Some(1), "{second:?}");
    let line = format!(
        "What caused the crash: the data folder data is in use by process {}: stop it first, or choose another --data-dir\n",
        server.pid()
    );
    assert!(second.err.ends_with(&line), "{second:?}");
    assert_eq!(sandbox.run(&["ready"]).code, Some(0), "commands still reach the first one");
    drop(sandbox.serve(&["--ephemeral"]));
    assert_eq!(sandbox.run(&["ready"]).code, Some(0), "an in-memory server next to it removed nothing");
}

#[test]
fn commands_work_on_a_folder_that_no_server_uses_and_say_so() {
    let sandbox = Sandbox::new();
    let mut server = sandbox.serve(&[]);
    let session = server.session("alice");
    assert_eq!(sandbox.run(&["stop"]).code, Some(0));
    server.wait();
    let why = sandbox.run(&["sessions", "why", &handle(&session)]);
    assert_eq!(why.code, Some(0), "{why:?}");
    assert!(why.err.contains("no server runs on data: working on the folder itself"), "{why:?}");
    assert_eq!(sandbox.run(&["sessions", "revoke", &handle(&session)]).out, format!("ended {}\n", handle(&session)));
    let rotated = sandbox.json(&["keys", "rotate", "--immediate", "--json"]);
    let server = sandbox.serve(&[]);
    assert!(server.kids().contains(&rotated["kid"].as_str().unwrap().to_owned()));
    assert_eq!(sandbox.run(&["sessions", "list", "alice"]).out, "No live sessions.\n");

    let missing = sandbox.run(&["keys", "list", "--data-dir", "nowhere"]);
    assert_eq!(missing.err, "error: there is no data folder nowhere; name one with --data-dir\n");
    assert!(!sandbox.path().join("nowhere").exists());
}

#[cfg(unix)]
#[test]
fn nothing_that_a_server_writes_is_for_others_to_read() {
    use std::os::unix::fs::PermissionsExt;
    fn walk(folder: &std::path::Path, found: &mut Vec<(std::path::PathBuf, u32)>) {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            found.push((entry.path(), entry.metadata().unwrap().permissions().mode()));
            if entry.file_type().unwrap().is_dir() {
                walk(&entry.path(), found);
            }
        }
    }
    let sandbox = Sandbox::new();
    let started = sandbox.run(&["start", "--port", "0"]);
    assert_eq!(started.code, Some(0), "{started:?}");
    let mut found = Vec::new();
    walk(&sandbox.path().join("data"), &mut found);
    assert_eq!(sandbox.run(&["stop"]).code, Some(0));
    assert!(found.len() > 5, "{found:?}");
    let open: Vec<_> = found.iter().filter(|(_, mode)| mode & 0o077 != 0).collect();
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn a_folder_sealed_with_a_master_key_opens_with_that_key_only() {
    const RIGHT: &str = "the-right-master-key-of-this-folder-0123456789";
    let mut sandbox = Sandbox::new();
    sandbox.set("SESSIOND_MASTER_KEY", RIGHT);
    let mut server = sandbox.serve(&[]);
    server.session("alice");
    assert_eq!(sandbox.run(&["stop"]).code, Some(0));
    server.wait();
    sandbox.set("SESSIOND_MASTER_KEY", "");
    let missing = sandbox.run(&["serve", "--port", "0"]);
    assert_eq!(missing.code, Some(1));
    assert!(missing.err.contains("sealed under a master key, and none was given"), "{missing:?}");
    sandbox.set("SESSIOND_MASTER_KEY", "some-other-master-key-of-another-folder-123");
    let wrong = sandbox.run(&["serve", "--port", "0"]);
    assert!(wrong.err.contains("sealed under another master key"), "{wrong:?}");
    assert_eq!(wrong.code, Some(1));
    sandbox.set("SESSIOND_MASTER_KEY", RIGHT);
    sandbox.serve(&[]);
}

/// An ext4 file system on a loop device, to be broken by the test. Needs root; fails loudly without.
#[cfg(target_os = "linux")]
struct Breakable {
    mounted: std::path::PathBuf,
    device: String,
}

#[cfg(target_os = "linux")]
impl Breakable {
    fn new(folder: &std::path::Path) -> Self {
        let (image, mounted) = (folder.join("image"), folder.join("disk"));
        std::fs::File::create(&image).unwrap().set_len(256 << 20).unwrap();
        std::fs::create_dir(&mounted).unwrap();
        let run = |command: &mut std::process::Command| {
            let output = command.output().unwrap();
            assert!(output.status.success(), "a loop device needs root: {output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        run(std::process::Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image));
        let options = ["-o", "loop,errors=remount-ro"];
        run(std::process::Command::new("mount").args(options).arg(&image).arg(&mounted));
        let source = run(std::process::Command::new("findmnt").args(["-n", "-o", "SOURCE"]).arg(&mounted));
        let device = source.trim().rsplit('/').next().unwrap().to_owned();
        Self { mounted, device }
    }

    /// From now on every write fails.
    fn break_it(&self) {
        std::fs::write(format!("/sys/fs/ext4/{}/trigger_fs_error", self.device), "test").unwrap();
    }
}

#[cfg(target_os = "linux")]
impl Drop for Breakable {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.mounted).status();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_fails_ends_the_server_with_a_reason_and_loses_nothing() {
    let sandbox = Sandbox::new();
    let disk = Breakable::new(sandbox.path());
    let folder = disk.mounted.join("data");
    let folder = folder.to_str().unwrap();
    let mut server = sandbox.serve(&["--data-dir", folder]);
    let kept = handle(&server.session("alice"));
    disk.break_it();
    let body = json!({ "userId": "bob", "userDataInJWT": {}, "userDataInDatabase": {}, "enableAntiCsrf": false });
    let refused = server.request("POST", "/recipe/session", &[], &body.to_string());
    assert_eq!(refused.status, 500, "not acknowledged: {refused:?}");
    assert_eq!(server.wait().code(), Some(1));
    let err = server.err();
    let crash = err.lines().find(|line| line.starts_with("What caused the crash: cannot write "));
    assert!(crash.is_some_and(|line| line.contains("Read-only")), "{err}");
    assert!(!err.contains("panic"), "{err}");

    let copy = sandbox.path().join("copy");
    let copied = std::process::Command::new("cp").arg("-r").args([folder, copy.to_str().unwrap()]).status();
    assert!(copied.unwrap().success());
    let _server = sandbox.serve(&["--data-dir", "copy"]);
    let listed = sandbox.json(&["sessions", "list", "alice", "--json", "--data-dir", "copy"]);
    assert_eq!(listed["sessions"][0]["sessionHandle"], json!(kept));
}
