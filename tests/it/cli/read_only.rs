//! Folders that can only be read: snapshots of a volume, `:ro` mounts, folders of another account. Needs root; fails
//! loudly without.

use crate::cli::sandbox::{Ended, Sandbox, Server};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

fn run(program: &str, arguments: &[&str]) {
    let done = Command::new(program).args(arguments).output().unwrap();
    assert!(done.status.success(), "{program} {arguments:?} (needs root): {}", String::from_utf8_lossy(&done.stderr));
}

/// A folder seen through a read-only mount; unmounted at the end.
struct ReadOnly(PathBuf);

impl ReadOnly {
    fn mount(folder: &Path, at: &Path) -> Self {
        fs::create_dir(at).unwrap();
        let (folder, place) = (folder.to_str().unwrap(), at.to_str().unwrap());
        run("mount", &["--bind", folder, place]);
        let mounted = Self(at.to_owned());
        run("mount", &["-o", "remount,bind,ro", place]);
        assert!(fs::write(at.join("lock"), "").is_err(), "the mount can be written: the test proves nothing");
        mounted
    }
}

impl Drop for ReadOnly {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn sessions(sandbox: &Sandbox, folder: &str) -> usize {
    let listed = sandbox.json(&["sessions", "list", "alice", "--json", "--data-dir", folder]);
    listed["sessions"].as_array().unwrap().len()
}

fn stop(sandbox: &Sandbox, mut server: Server) {
    assert_eq!(sandbox.run(&["stop"]).code, Some(0));
    assert_eq!(server.wait().code(), Some(0));
}

/// `check`, `restore` and `salvage` work, and what they write is complete.
fn works(sandbox: &Sandbox, ask: &dyn Fn(&[&str]) -> Ended, folder: &str, out: &str) {
    let checked = ask(&["check", "--data-dir", folder]);
    assert!(checked.code == Some(0) && checked.out.ends_with("No damage found.\n"), "{folder}: {checked:?}");
    assert!(checked.err.contains("not checked: whether sessions"), "{folder}: {checked:?}");
    for command in ["restore", "salvage"] {
        let to = format!("{out}/{command}");
        let made = ask(&[command, folder, &to]);
        assert_eq!(made.code, Some(0), "{folder}: {made:?}");
        assert_eq!(sessions(sandbox, &to), 3, "{folder} {command}");
    }
}

#[test]
fn folders_on_a_read_only_mount_are_checked_restored_and_salvaged() {
    let sandbox = Sandbox::new();
    let server = sandbox.serve(&[]);
    for _ in 0..3 {
        server.session("alice");
    }
    assert_eq!(sandbox.run(&["backup", "backup"]).code, Some(0));
    stop(&sandbox, server);
    let data = sandbox.path().join("data");
    let killed = sandbox.path().join("killed");
    crate::store::copy_folder(&data, &killed);
    let mut server = sandbox.serve(&["--data-dir", "killed"]);
    server.kill();
    for name in ["data", "killed", "backup"] {
        let mount = ReadOnly::mount(&sandbox.path().join(name), &sandbox.path().join(format!("ro-{name}")));
        let folder = mount.0.file_name().unwrap().to_str().unwrap();
        works(&sandbox, &|arguments| sandbox.run(arguments), folder, &format!("of-{name}"));
    }
}

#[test]
fn a_folder_that_is_served_is_not_restored_from_through_a_read_only_mount() {
    let sandbox = Sandbox::new();
    let server = sandbox.serve(&[]);
    server.session("alice");
    let _mount = ReadOnly::mount(&sandbox.path().join("data"), &sandbox.path().join("ro"));
    for command in ["restore", "salvage"] {
        let refused = sandbox.run(&[command, "ro", "out"]);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.err.contains(&format!("in use by process {}", server.pid())), "{refused:?}");
        assert!(!sandbox.path().join("out").exists());
    }
    let refused = sandbox.run(&["serve", "--port", "0", "--data-dir", "ro"]);
    assert!(refused.code == Some(1) && refused.err.contains("Read-only file system"), "{refused:?}");
}

#[test]
fn a_folder_of_somebody_else_is_read_unless_its_owner_serves_it() {
    let sandbox = Sandbox::new();
    let server = sandbox.serve(&[]);
    for _ in 0..3 {
        server.session("alice");
    }
    // Everyone may read, only root may write. The binary is where others can run it.
    let (out, binary) = (sandbox.path().join("out"), sandbox.path().join("sessiond"));
    fs::copy(env!("CARGO_BIN_EXE_sessiond"), &binary).unwrap();
    fs::create_dir(&out).unwrap();
    let open = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    open(sandbox.path());
    open(&binary);
    fs::set_permissions(&out, fs::Permissions::from_mode(0o777)).unwrap();
    let as_nobody = |arguments: &[&str]| {
        run("chmod", &["-R", "a+rX", sandbox.path().join("data").to_str().unwrap()]);
        let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
        let mut command = Command::new("setpriv");
        command.args(nobody).arg(&binary).args(arguments).current_dir(&out).env_clear();
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    };
    let refused = as_nobody(&["restore", "../data", "early"]);
    assert!(refused.err.contains(&format!("in use by process {}", server.pid())), "{refused:?}");
    stop(&sandbox, server);
    works(&sandbox, &as_nobody, "../data", out.to_str().unwrap());
}
