//! The front door's certificate files: checked at start, and read again when they change.

use crate::authority::{Authority, Issued};
use crate::cli::sandbox::{Ended, Sandbox, request};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConnection, StreamOwned};

const PATIENCE: Duration = Duration::from_secs(60);

type Connection = StreamOwned<ClientConnection, TcpStream>;

/// Writes the files, and the settings that name them.
fn configured(issued: &Issued) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(
        "config.yaml",
        "core_config_version: 0\napi_domain: https://front.test\nfront_port: 0\nfront_tls_cert: cert.pem\n\
         front_tls_key: key.pem\n",
    );
    write(&sandbox, issued);
    sandbox
}

fn write(sandbox: &Sandbox, issued: &Issued) {
    sandbox.write("cert.pem", &issued.certificate_pem());
    let key = sandbox.write("key.pem", &issued.key_pem());
    allow(&key, 0o600);
}

fn allow(path: &Path, mode: u32) {
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    #[cfg(not(unix))]
    let _ = (path, mode);
}

/// The port in the line that announces the front door.
fn front_port(line: &str) -> u16 {
    let address = line.split_once("Started the front door on https://localhost:").expect(line).1;
    address.split(' ').next().unwrap().parse().unwrap()
}

fn connect(port: u16, authority: &Authority) -> Connection {
    let name = ServerName::try_from("front.test").unwrap();
    let session = ClientConnection::new(authority.client(&[]), name).unwrap();
    StreamOwned::new(session, TcpStream::connect(("127.0.0.1", port)).unwrap())
}

/// Asks for the front door's login methods over this connection.
#[track_caller]
fn ask(connection: &mut Connection) {
    connection.write_all(b"GET /auth/loginmethods HTTP/1.1\r\nhost: front.test\r\n\r\n").unwrap();
    let mut reply = [0; 4096];
    let length = connection.read(&mut reply).unwrap();
    assert!(reply[..length].starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&reply[..length]));
}

/// The certificate that the next handshake shows.
fn shown(port: u16, authority: &Authority) -> Vec<u8> {
    let mut connection = connect(port, authority);
    ask(&mut connection);
    connection.conn.peer_certificates().unwrap()[0].to_vec()
}

#[track_caller]
fn wait_for(what: &str, mut is_there: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_there() {
        assert!(Instant::now() < deadline, "no {what} in {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn new_files_are_noticed_and_no_connection_is_dropped() {
    let authority = Authority::new();
    let first = authority.issue_between(&["front.test"], (2020, 1), (2100, 1));
    let sandbox = configured(&first);
    let mut server = sandbox.serve(&["--config", "config.yaml"]);
    let port = front_port(&server.wait_for_line("Started the front door on"));
    let mut open = connect(port, &authority);
    ask(&mut open);
    assert_eq!(shown(port, &authority), first.certificate);
    let figures = || request(server.port, "GET", "/metrics", &[], "").body;
    let line = "sessiond_tls_certificate_expiry_timestamp_seconds";
    assert!(figures().contains(&format!("{line} 4102444800")), "{}", figures());

    let second = authority.issue_between(&["front.test"], (2020, 1), (2200, 1));
    write(&sandbox, &second);
    wait_for("new certificate", || shown(port, &authority) == second.certificate);
    assert!(figures().contains(&format!("{line} 7258118400")), "{}", figures());
    ask(&mut open);
    assert!(server.err().is_empty(), "{}", server.err());
}

#[cfg(unix)]
#[test]
fn a_hang_up_reads_the_files_at_once_and_a_broken_pair_keeps_the_old_one() {
    let authority = Authority::new();
    let first = authority.issue(&["front.test"]);
    let sandbox = configured(&first);
    let started = sandbox.run(&["start", "--port", "0", "--config", "config.yaml"]);
    assert_eq!(started.code, Some(0), "{started:?}");
    let log = |name: &str| std::fs::read_to_string(sandbox.path().join("data/logs").join(name)).unwrap_or_default();
    let text = started.out.clone() + &log("info.log");
    let port = front_port(text.lines().find(|line| line.contains("Started the front door on")).unwrap());
    let pid = started.out.lines().last().unwrap().rsplit(' ').next().unwrap().parse().unwrap();
    let hang_up = || {
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
    };
    let mut open = connect(port, &authority);
    ask(&mut open);

    // The key of another certificate: each hang-up meets it, one line tells.
    sandbox.write("key.pem", &authority.issue(&["front.test"]).key_pem());
    hang_up();
    let complaint = "keeps its old certificate: cannot use front_tls_cert cert.pem with front_tls_key key.pem: the \
                     private key is not that of the certificate";
    wait_for("complaint", || log("error.log").contains(complaint));
    for _ in 0..5 {
        hang_up();
        assert_eq!(shown(port, &authority), first.certificate);
    }
    let second = authority.issue(&["front.test"]);
    write(&sandbox, &second);
    hang_up();
    wait_for("new certificate", || shown(port, &authority) == second.certificate);
    ask(&mut open);
    assert_eq!(log("error.log").matches("keeps its old certificate").count(), 1, "{}", log("error.log"));
    assert!(!log("info.log").contains("SIGHUP is ignored"));
    assert_eq!(sandbox.run(&["stop"]).code, Some(0));
}

/// The line with which a start that failed ends.
#[track_caller]
fn crash(ended: &Ended) -> &str {
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let line = ended.err.lines().find_map(|line| line.strip_prefix("What caused the crash: "));
    line.unwrap_or_else(|| panic!("{ended:?}"))
}

#[test]
fn files_that_cannot_be_used_are_named_at_start() {
    let authority = Authority::new();
    let (own, other) = (authority.issue(&["front.test"]), authority.issue(&["front.test"]));
    let sandbox = configured(&own);
    let serve = || sandbox.run(&["serve", "--ephemeral", "--port", "0", "--config", "config.yaml"]);
    let pair = "cannot use front_tls_cert cert.pem with front_tls_key key.pem: ";
    for (file, text, line) in [
        ("key.pem", other.key_pem(), format!("{pair}the private key is not that of the certificate")),
        ("key.pem", own.certificate_pem(), format!("{pair}there is no private key")),
        ("key.pem", String::new(), format!("{pair}there is no private key")),
        ("cert.pem", own.key_pem(), format!("{pair}there is no certificate")),
        ("cert.pem", crate::authority::pem("CERTIFICATE", b"no certificate"), format!("{pair}the certificate cannot")),
    ] {
        write(&sandbox, &own);
        sandbox.write(file, &text);
        let ended = serve();
        assert!(crash(&ended).starts_with(&line), "{ended:?}");
    }
    for file in ["key.pem", "cert.pem"] {
        write(&sandbox, &own);
        std::fs::remove_file(sandbox.path().join(file)).unwrap();
        let ended = serve();
        let setting = if file == "key.pem" { "front_tls_key" } else { "front_tls_cert" };
        assert!(crash(&ended).starts_with(&format!("cannot read {setting} {file}: ")), "{ended:?}");
    }
}

#[test]
fn a_certificate_that_browsers_refuse_is_used_with_a_warning() {
    let authority = Authority::new();
    let sandbox = configured(&authority.issue_between(&["other.test"], (2020, 1), (2021, 1)));
    allow(&sandbox.path().join("key.pem"), 0o644);
    let mut server = sandbox.serve(&["--config", "config.yaml"]);
    server.wait_for_line("Started the front door on");
    wait_for("warning", || server.err().contains("is not for"));
    let warned = server.err();
    assert!(warned.contains("the front door's certificate expired on Fri, 01 Jan 2021 00:00:00 GMT"), "{warned}");
    assert!(warned.contains("the front door's certificate is not for front.test"), "{warned}");
    assert_eq!(warned.contains("everybody on this machine can read front_tls_key key.pem"), cfg!(unix), "{warned}");
    drop(server);

    // From the future, and for several names.
    write(&sandbox, &authority.issue_between(&["a.test", "front.test"], (2100, 1), (2101, 1)));
    let mut server = sandbox.serve(&["--config", "config.yaml"]);
    server.wait_for_line("Started the front door on");
    wait_for("warning", || server.err().contains("is not valid before"));
    let warned = server.err();
    assert!(warned.contains("is not valid before Fri, 01 Jan 2100 00:00:00 GMT"), "{warned}");
    assert!(!warned.contains("is not for") && !warned.contains("can read"), "{warned}");
}
