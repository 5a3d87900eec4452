//! Data folders written by released versions open unchanged, with everything in them.
//!
//! `tests/fixtures/folders/VERSION.tar.gz` holds two folders, one of a server that was stopped and one of a server that
//! was killed, with the replies that it gave (`answers.json`). To add one for the next release, check that release out
//! and run `SESSIOND_PACK_FOLDER=1 cargo test --test it old_folder`. Existing archives never change.

use crate::cli::sandbox::{Sandbox, Server};
use crate::store::{copy_folder, dump, options};
use serde_json::{Map, Value, json};
use sessiond::domain::totp::TotpSecret;
use sessiond::store::Engine;
use sessiond::store::sled::{self, Start};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const PASSWORD: &str = "correct horse 1";
const TOTP_SECRET: &str = "JBSWY3DPEHPK3PXP";
/// Refresh tokens live for ten thousand years: the test must not expire.
const SETTINGS: &str = "core_config_version: 0\nrefresh_token_validity: 5256000000\nbcrypt_log_rounds: 4\n";

fn archives() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/folders")
}

fn tar(arguments: &[&str], folder: &Path) {
    let done = Command::new("tar").args(arguments).current_dir(folder).output().unwrap();
    assert!(done.status.success(), "tar {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

fn get(server: &Server, path: &str) -> Value {
    let answer = server.request("GET", path, &[("cdi-version", "5.4")], "");
    assert_eq!(answer.status, 200, "GET {path}: {answer:?}");
    serde_json::from_str(&answer.body).unwrap()
}

fn ask(server: &Server, method: &str, path: &str, body: &Value) -> Value {
    let headers = [("cdi-version", "5.4"), ("content-type", "application/json")];
    let answer = server.request(method, path, &headers, &body.to_string());
    assert_eq!(answer.status, 200, "{method} {path}: {answer:?}");
    let reply: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(reply["status"], "OK", "{method} {path}: {reply}");
    reply
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

fn stop(sandbox: &Sandbox, mut server: Server) {
    assert_eq!(sandbox.run(&["stop"]).code, Some(0));
    assert_eq!(server.wait().code(), Some(0));
}

/// Replies to these paths are compared; the ids in `users` and `sessions` come from the folder.
fn paths(users: &[String], sessions: &[String]) -> Vec<String> {
    let mut paths: Vec<String> = [
        "/users?limit=100&timeJoinedOrder=ASC",
        "/users/count?includeAllTenants=true",
        "/recipe/roles",
        "/recipe/role/permissions?role=admin",
        "/recipe/role/users?role=admin",
        "/recipe/multitenancy/tenant/list/v2",
        "/recipe/multitenancy/app/list/v2",
        "/recipe/dashboard/users",
        "/users/by-accountinfo?email=ann%40x.io&doUnionOfAccountInfo=true",
        "/users/by-accountinfo?phoneNumber=%2B4915112345678&doUnionOfAccountInfo=true",
        "/recipe/userid/map?userId=customer-7&userIdType=ANY",
        "/recipe/user/metadata?userId=nobody",
    ]
    .map(str::to_owned)
    .into();
    for user in users {
        paths.extend(
            ["/user/id", "/recipe/user/metadata", "/recipe/user/roles", "/recipe/totp/device/list"]
                .map(|path| format!("{path}?userId={user}")),
        );
        paths.push(format!("/recipe/user/email/verify?userId={user}&email=ann%40x.io"));
        paths.push(format!("/recipe/session/user?userId={user}"));
    }
    paths.extend(sessions.iter().map(|handle| format!("/recipe/session?sessionHandle={handle}")));
    paths
}

/// Creates one of every kind of long-lived record.
fn fill(server: &Server, prefix: &str) -> (Vec<String>, Vec<String>, Map<String, Value>) {
    let id = |reply: &Value| text(&reply["user"]["id"]);
    ask(server, "PUT", "/recipe/role", &json!({"role": "admin", "permissions": ["read", "write"]}));
    ask(server, "PUT", "/recipe/role", &json!({"role": "reader", "permissions": []}));
    ask(server, "PUT", "/recipe/multitenancy/app/v2", &json!({"appId": "shop"}));
    let tenant = json!({"tenantId": "t1", "firstFactors": ["emailpassword"], "coreConfig": {}});
    ask(server, "PUT", "/recipe/multitenancy/tenant/v2", &tenant);
    let by_password = |tenant: &str, email: String| {
        id(&ask(server, "POST", &format!("{tenant}/recipe/signup"), &json!({"email": email, "password": PASSWORD})))
    };
    let ann = by_password("", format!("{prefix}ann@x.io"));
    let bob = by_password("", format!("{prefix}bob@x.io"));
    let elsewhere = by_password("/t1", format!("{prefix}ann@x.io"));
    let google = json!({"thirdPartyId": "google", "thirdPartyUserId": format!("{prefix}g-1"),
        "email": {"id": format!("{prefix}gus@x.io"), "isVerified": true}});
    let gus = id(&ask(server, "POST", "/recipe/signinup", &google));
    let phone = format!("+491511234567{}", 8 - prefix.len());
    let sent = ask(server, "POST", "/recipe/signinup/code", &json!({"phoneNumber": phone}));
    let used = json!({"preAuthSessionId": sent["preAuthSessionId"], "linkCode": sent["linkCode"]});
    let pat = id(&ask(server, "POST", "/recipe/signinup/code/consume", &used));
    let token = ask(
        server,
        "POST",
        "/recipe/user/email/verify/token",
        &json!({"userId": ann, "email": format!("{prefix}ann@x.io")}),
    );
    ask(server, "POST", "/recipe/user/email/verify", &json!({"method": "token", "token": token["token"]}));
    ask(server, "POST", "/recipe/accountlinking/user/primary", &json!({"recipeUserId": ann}));
    ask(server, "POST", "/recipe/accountlinking/user/link", &json!({"recipeUserId": gus, "primaryUserId": ann}));
    let mapping = json!({"superTokensUserId": bob, "externalUserId": format!("{prefix}customer-7"),
        "externalUserIdInfo": "crm"});
    ask(server, "POST", "/recipe/userid/map", &mapping);
    let bob = format!("{prefix}customer-7");
    let users = vec![ann, bob, elsewhere, pat];
    let mut sessions = Vec::new();
    let mut refresh_tokens = Map::new();
    for (number, user) in users.iter().enumerate() {
        let metadata = json!({"userId": user, "metadataUpdate": {"number": number, "name": {"first": "Ann Ürgüp 🙂"}}});
        ask(server, "PUT", "/recipe/user/metadata", &metadata);
        let role = if number % 2 == 0 { "admin" } else { "reader" };
        ask(server, "PUT", "/recipe/user/role", &json!({"userId": user, "role": role}));
        let device = json!({"userId": user, "deviceName": "phone", "skew": 1, "period": 30, "secretKey": TOTP_SECRET});
        ask(server, "POST", "/recipe/totp/device/import", &device);
        let body = json!({"userId": user, "userDataInJWT": {"role": "admin"}, "enableAntiCsrf": false,
            "userDataInDatabase": {"cart": "x".repeat(40 * number)}, "useDynamicSigningKey": number % 2 == 0});
        let session = ask(server, "POST", "/recipe/session", &body);
        let refresh = |token: &Value| json!({"refreshToken": token, "enableAntiCsrf": false, "useDynamicSigningKey": number % 2 == 0});
        let again = ask(server, "POST", "/recipe/session/refresh", &refresh(&session["refreshToken"]["token"]));
        refresh_tokens.insert(text(&session["session"]["handle"]), again["refreshToken"]["token"].clone());
        sessions.push(text(&session["session"]["handle"]));
        let ended = text(&ask(server, "POST", "/recipe/session", &body)["session"]["handle"]);
        ask(server, "POST", "/recipe/session/remove", &json!({"sessionHandles": [ended]}));
        sessions.push(ended);
    }
    let operator = json!({"email": format!("{prefix}ops@x.io"), "password": PASSWORD});
    ask(server, "POST", "/recipe/dashboard/user", &operator);
    (users, sessions, refresh_tokens)
}

fn answers(server: &Server, (users, sessions, tokens): (Vec<String>, Vec<String>, Map<String, Value>)) -> Value {
    let answers: Map<String, Value> =
        paths(&users, &sessions).into_iter().map(|path| (path.clone(), get(server, &path))).collect();
    json!({"answers": answers, "users": users, "refreshTokens": tokens})
}

/// Packs folders of the version under test, unless they exist.
fn pack() {
    let archive = archives().join(format!("{}.tar.gz", env!("CARGO_PKG_VERSION")));
    assert!(!archive.exists(), "{} is there and never changes", archive.display());
    let sandbox = Sandbox::new();
    sandbox.write("config.yaml", SETTINGS);
    let (packed, data) = (sandbox.path().join("packed"), sandbox.path().join("data"));
    let server = sandbox.serve(&[]);
    fill(&server, "early-");
    // From here on there is a snapshot, and a journal after it.
    assert_eq!(sandbox.run(&["compact"]).code, Some(0));
    let stopped = answers(&server, fill(&server, ""));
    stop(&sandbox, server);
    copy_folder(&data, &packed.join("stopped"));
    let mut server = sandbox.serve(&[]);
    let killed = answers(&server, fill(&server, "late-"));
    server.kill();
    let _ = fs::remove_file(data.join("control.sock"));
    copy_folder(&data, &packed.join("killed"));
    for name in ["stopped", "killed"] {
        let _ = fs::remove_dir_all(packed.join(name).join(".started"));
    }
    let known = json!({"stopped": stopped, "killed": killed});
    fs::write(packed.join("answers.json"), serde_json::to_vec(&known).unwrap()).unwrap();
    fs::create_dir_all(archives()).unwrap();
    let options = ["--sort=name", "--owner=0", "--group=0", "-I", "gzip -9", "-cf"];
    tar(&[options.as_slice(), &[archive.to_str().unwrap(), "answers.json", "killed", "stopped"]].concat(), &packed);
    assert!(archive.metadata().unwrap().len() < 200 << 10, "{:?}", archive.metadata());
}

/// The code that an authenticator app shows now.
fn totp_code() -> String {
    format!("{:06}", TotpSecret::from_base32(TOTP_SECRET).unwrap().code(options().clock.now().seconds() / 30))
}

/// A server on the folder replies like the one that wrote it, and lets in everyone who could sign in before.
fn holds_all(sandbox: &Sandbox, known: &Value, label: &str) {
    for round in 0..2 {
        let server = sandbox.serve(&[]);
        for (path, answer) in known["answers"].as_object().unwrap() {
            assert_eq!(get(&server, path), *answer, "{label}, start {round}: {path}");
        }
        if round == 1 {
            for token in known["refreshTokens"].as_object().unwrap().values() {
                let body = json!({"refreshToken": token, "enableAntiCsrf": false, "useDynamicSigningKey": true});
                ask(&server, "POST", "/recipe/session/refresh", &body);
            }
            for tenant in ["", "/t1"] {
                let body = json!({"email": "ann@x.io", "password": PASSWORD});
                ask(&server, "POST", &format!("{tenant}/recipe/signin"), &body);
            }
            let operator = json!({"email": "ops@x.io", "password": PASSWORD});
            ask(&server, "POST", "/recipe/dashboard/signin", &operator);
            for user in known["users"].as_array().unwrap() {
                ask(&server, "POST", "/recipe/totp/verify", &json!({"userId": user, "totp": totp_code()}));
            }
        }
        stop(sandbox, server);
        let checked = sandbox.run(&["check"]);
        assert!(checked.code == Some(0) && !checked.err.contains("not checked"), "{label}, start {round}: {checked:?}");
    }
}

#[tokio::test]
async fn folders_of_released_versions_open_unchanged_and_all_is_found() {
    if std::env::var_os("SESSIOND_PACK_FOLDER").is_some() {
        pack();
    }
    let mut seen = 0;
    let packed = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "gz");
    for archive in fs::read_dir(archives()).unwrap().map(|entry| entry.unwrap().path()).filter(packed) {
        let sandbox = Sandbox::new();
        let unpacked = sandbox.path().join("unpacked");
        fs::create_dir(&unpacked).unwrap();
        tar(&["-xzf", archive.to_str().unwrap()], &unpacked);
        let known: Value = serde_json::from_slice(&fs::read(unpacked.join("answers.json")).unwrap()).unwrap();
        for (name, starts) in [("stopped", &[Start::Clean] as &[_]), ("killed", &[Start::Verified, Start::Rebuilt])] {
            let label = format!("{} {name}", archive.display());
            let copy = sandbox.path().join(name);
            copy_folder(&unpacked.join(name), &copy);
            let (engine, report) = sled::open(&copy, &options()).unwrap();
            assert!(starts.contains(&report.start) && report.notes.is_empty(), "{label}: {report:?}");
            assert!(dump(&engine).await.len() > 100, "{label}");
            engine.close().await.unwrap();
            drop(engine);
            let _ = fs::remove_dir_all(sandbox.path().join("data"));
            copy_folder(&unpacked.join(name), &sandbox.path().join("data"));
            sandbox.write("config.yaml", SETTINGS);
            holds_all(&sandbox, &known[name], &label);
            seen += 1;
        }
    }
    assert!(seen >= 2, "no archives");
}
