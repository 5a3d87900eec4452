//! `sessiond apps` and `sessiond tenants` on a running server and on a stopped folder.

use crate::cli::sandbox::{Sandbox, Server};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::thread;
use std::time::Duration;

const HASH: &str = "$2a$04$abcdefghijklmnopqrstuu5Nk4bWpHwcT1WkA9CjIvp6XcSbYJ9iK";
const MASTER: &str = "a master key that is long enough to be one";

fn app_ids(sandbox: &Sandbox) -> Vec<String> {
    let listed = sandbox.json(&["apps", "list", "--json"]);
    let rows = listed["apps"].as_array().unwrap();
    rows.iter().map(|row| row["appId"].as_str().unwrap().to_owned()).collect()
}

fn put(server: &Server, path: &str, body: &Value) {
    let answer = server.request("PUT", path, &[], &body.to_string());
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[test]
fn apps_and_tenants_are_created_shown_listed_and_deleted() {
    let sandbox = Sandbox::new();
    let server = sandbox.serve(&["--ephemeral"]);
    let key = "an-api-key-of-its-own";
    server.watch.secret(key);
    let set = format!("api_keys={key}");
    let created = sandbox.run(&["apps", "create", "Shop", "--set", &set, "--set", "access_token_validity=60"]);
    assert_eq!((created.code, created.out.as_str()), (Some(0), "created shop\n"), "{created:?}");
    let again = sandbox.run(&["apps", "create", "shop"]);
    assert_eq!((again.code, again.err.as_str()), (Some(1), "error: the app shop already exists\n"));
    let tenant = ["tenants", "create", "t1", "--app", "shop", "--first-factors", "emailpassword,otp-email"];
    assert_eq!(sandbox.run(&tenant).out, "created t1\n");
    assert_eq!(sandbox.run(&tenant).err, "error: the tenant t1 already exists\n");
    let refused = sandbox.run(&["tenants", "create", "recipe", "--app", "shop"]);
    assert_eq!(refused.err, "error: Cannot use 'recipe' as a tenantId\n");
    let refused = sandbox.run(&["apps", "create", "b", "--set", "nope=1"]);
    assert_eq!(refused.err, "error: Invalid core config: Invalid config key: nope\n");
    assert_eq!(sandbox.run(&["tenants", "create", "t2", "--app", "ghost"]).code, Some(1));

    assert_eq!(sandbox.run(&["apps", "list"]).out, "APP     TENANTS  DOMAIN\npublic  1\nshop    2\n");
    let listed = sandbox.run(&["tenants", "list", "--app", "shop"]);
    let expected = "TENANT  FIRST FACTORS            SECOND FACTORS\npublic  all                      -\n\
                    t1      emailpassword,otp-email  -\n";
    assert_eq!(listed.out, expected);
    let shown = sandbox.json(&["apps", "show", "shop", "--json"]);
    assert_eq!((&shown["tenants"], &shown["users"]), (&json!(2), &json!(0)));
    assert_eq!(shown["coreConfig"], json!({"api_keys": "********", "access_token_validity": 60}));
    let words = sandbox.run(&["tenants", "show", "t1", "--app", "shop"]);
    assert!(words.out.starts_with("tenant t1\n0 users\nfirst factors: emailpassword,otp-email\n"), "{words:?}");
    server.watch.search(&sandbox.run(&["apps", "show", "shop"]).out);
    let ghost = sandbox.run(&["tenants", "show", "ghost", "--app", "shop"]);
    assert_eq!(ghost.err, "error: there is no tenant ghost in this app\n");

    let unsaid = sandbox.run(&["apps", "delete", "shop"]);
    assert_eq!(unsaid.code, Some(1));
    assert!(unsaid.err.ends_with("pass --yes to do it\n"), "{unsaid:?}");
    let held = sandbox.run(&["apps", "delete", "shop", "--yes"]);
    assert_eq!(held.err, "error: the app shop has other tenants: --with-tenants deletes them too\n");
    assert_eq!(sandbox.run(&["tenants", "delete", "t1", "--app", "shop", "--yes"]).out, "deleted\n");
    assert_eq!(sandbox.run(&["tenants", "create", "t2", "--app", "shop"]).code, Some(0));
    assert_eq!(sandbox.run(&["apps", "delete", "shop", "--yes", "--with-tenants"]).out, "deleted\n");
    assert_eq!(sandbox.run(&["apps", "delete", "shop", "-y"]).out, "It did not exist: nothing to delete.\n");
    let public = sandbox.run(&["apps", "delete", "public", "--yes"]);
    assert_eq!(public.err, "error: the public app of an installation cannot be deleted\n");
    let public = sandbox.run(&["tenants", "delete", "public", "--yes"]);
    assert_eq!(public.err, "error: the public tenant is deleted with its app: \"sessiond apps delete\"\n");
    assert_eq!(app_ids(&sandbox), ["public"]);
}

#[test]
fn a_folder_that_no_server_uses_is_worked_on_itself() {
    let sandbox = Sandbox::new();
    drop(sandbox.serve(&[]));
    assert_eq!(sandbox.run(&["apps", "create", "shop"]).out, "created shop\n");
    assert_eq!(sandbox.run(&["tenants", "create", "t1", "--app", "shop"]).out, "created t1\n");
    let server = sandbox.serve(&[]);
    let found = server.request("GET", "/appid-shop/t1/recipe/multitenancy/tenant/v2", &[], "");
    assert!(found.body.contains(r#""tenantId":"t1""#), "{found:?}");
}

#[test]
fn an_app_moves_between_two_running_servers() {
    let mut from = Sandbox::new();
    from.set("SESSIOND_MASTER_KEY", MASTER);
    let here = from.serve(&[]);
    here.watch.secret(MASTER);
    put(&here, "/recipe/multitenancy/app/v2", &json!({"appId": "shop"}));
    let session = json!({"userId": "u", "userDataInJWT": {}, "userDataInDatabase": {}, "enableAntiCsrf": false});
    let session = here.request("POST", "/appid-shop/recipe/session", &[], &session.to_string());
    let session: Value = serde_json::from_str(&session.body).unwrap();

    let refused = from.run(&["app", "export", "shop", "shop.archive"]);
    assert!(refused.err.contains("or pass --plain"), "{refused:?}");
    let key = from.write("key", "the key of the archive, which is long enough\n");
    let key = key.to_str().unwrap();
    let exported = from.run(&["app", "export", "shop", "shop.archive", "--key-file", key]);
    assert_eq!(exported.code, Some(0), "{exported:?}");
    assert!(exported.out.ends_with("Its signing keys are sealed.\n"), "{exported:?}");
    let archive = from.path().join("shop.archive");
    let archive = archive.to_str().unwrap();

    let to = Sandbox::new();
    let there = to.serve(&[]);
    let without = to.run(&["app", "import", archive]);
    assert!(without.err.contains("SESSIOND_ARCHIVE_KEY or --key-file"), "{without:?}");
    let imported = to.json(&["app", "import", archive, "--key-file", key, "--json"]);
    assert_eq!(imported["appId"], "shop");
    assert_eq!(imported["records"]["session"], 1);
    let again = to.run(&["app", "import", archive, "--key-file", key]);
    assert_eq!(again.code, Some(1), "{again:?}");
    let refresh = json!({
        "refreshToken": session["refreshToken"]["token"], "enableAntiCsrf": false, "useDynamicSigningKey": true,
    });
    let refreshed = there.request("POST", "/appid-shop/recipe/session/refresh", &[], &refresh.to_string());
    assert!(refreshed.body.contains(r#""status":"OK""#), "{refreshed:?}");
    let jwks = "/appid-shop/.well-known/jwks.json";
    assert_eq!(there.request("GET", jwks, &[], "").body, here.request("GET", jwks, &[], "").body);
}

/// The importing process is killed after longer and longer times; it leaves either nothing or the whole app.
#[test]
fn an_import_that_is_killed_leaves_nothing_half() {
    let from = Sandbox::new();
    let here = from.serve(&[]);
    put(&here, "/recipe/multitenancy/app/v2", &json!({"appId": "shop"}));
    let mut lines = String::new();
    for n in 0..2000 {
        let _ = writeln!(lines, "{}", json!({ "email": format!("user{n}@x.io"), "passwordHash": HASH }));
    }
    let users = from.write("users.jsonl", &lines);
    let told = from.json(&["users", "import", users.to_str().unwrap(), "--app", "shop", "--json"]);
    assert_eq!(told["imported"], 2000);
    let archive = from.path().join("shop.archive");
    let archive = archive.to_str().unwrap();
    let exported = from.json(&["app", "export", "shop", archive, "--json"]);

    let to = Sandbox::new();
    drop(to.serve(&[]));
    let (mut killed_early, mut wait) = (0, Duration::from_millis(30));
    loop {
        let mut child = to.command(&["app", "import", archive, "--json"]).spawn().unwrap();
        thread::sleep(wait);
        let killed = child.kill();
        assert!(killed.is_ok(), "{killed:?}");
        let ended = child.wait().unwrap();
        if app_ids(&to).contains(&"shop".to_owned()) {
            break;
        }
        assert!(!ended.success(), "it said that it was done");
        let sound = to.run(&["check"]);
        assert_eq!(sound.code, Some(0), "{sound:?}");
        killed_early += 1;
        wait += Duration::from_millis(40);
    }
    assert!(killed_early > 0, "the first is killed before it has begun");
    let users = to.json(&["apps", "show", "shop", "--json"]);
    assert_eq!(users["users"], 2000);
    let copy = to.json(&["app", "export", "shop", "copy.archive", "--json"]);
    assert_eq!(copy["records"], exported["records"]);
}
