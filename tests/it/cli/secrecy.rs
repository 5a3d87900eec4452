//! No log line, no command's output and no reply to anyone else ever holds a secret.

use crate::cli::sandbox::{Sandbox, Server};
use serde_json::{Value, json};

const API_KEY: &str = "an-api-key-that-opens-everything-1234";
const WRONG_API_KEY: &str = "a-wrong-api-key-may-be-a-mistyped-one";
const MASTER_KEY: &str = "a-master-key-that-seals-all-keys-0123456789";
const CLIENT_SECRET: &str = "what-the-application-shares-with-a-provider";
const PRIVATE_KEY: &str = "with-which-the-application-signs-for-a-provider";
const NEW_MASTER_KEY: &str = "another-master-key-that-seals-all-keys-9876";

#[test]
fn no_output_holds_a_secret_at_any_log_level() {
    for format in ["json", "text"] {
        let mut sandbox = Sandbox::new();
        sandbox.set("API_KEYS", API_KEY);
        sandbox.set("SESSIOND_MASTER_KEY", MASTER_KEY);
        let mut server = sandbox.serve(&["--ephemeral", "--log-level", "DEBUG", "--log-format", format]);
        for secret in [API_KEY, WRONG_API_KEY, MASTER_KEY, NEW_MASTER_KEY, CLIENT_SECRET, PRIVATE_KEY] {
            server.watch.secret(secret);
        }
        let key = [("api-key", API_KEY)];
        let post = |path: &str, body: Value| server.post(path, &key, &body);

        let created = post(
            "/recipe/session",
            json!({
                "userId": "alice", "userDataInJWT": {}, "userDataInDatabase": {},
                "enableAntiCsrf": true, "useDynamicSigningKey": true,
            }),
        );
        assert_eq!(created["status"], "OK", "{created}");
        let verify = |token: &Value, csrf: &Value| {
            post(
                "/recipe/session/verify",
                json!({
                    "accessToken": token, "antiCsrfToken": csrf,
                    "enableAntiCsrf": true, "doAntiCsrfCheck": true, "checkDatabase": true,
                }),
            )
        };
        let refresh = |token: &Value, csrf: &Value| {
            post(
                "/recipe/session/refresh",
                json!({ "refreshToken": token, "antiCsrfToken": csrf, "enableAntiCsrf": true, "useDynamicSigningKey": true }),
            )
        };
        let first = (&created["refreshToken"]["token"], &created["antiCsrfToken"]);
        assert_eq!(verify(&created["accessToken"]["token"], first.1)["status"], "OK");
        assert_eq!(verify(&created["accessToken"]["token"], &json!("wrong"))["status"], "TRY_REFRESH_TOKEN");
        let second = refresh(first.0, first.1);
        assert_eq!(verify(&second["accessToken"]["token"], &second["antiCsrfToken"])["status"], "OK");
        assert_eq!(refresh(first.0, first.1)["status"], "TOKEN_THEFT_DETECTED");
        let custom = post(
            "/recipe/jwt",
            json!({ "payload": {}, "validity": 60, "algorithm": "RS256", "jwksDomain": "http://localhost" }),
        );
        assert_eq!(custom["status"], "OK", "{custom}");

        put_provider(&server, key[0]);

        // Bad input is where secrets leak into messages.
        let mangled = created["accessToken"]["token"].as_str().unwrap().replace('.', "..");
        assert_ne!(verify(&json!(mangled), first.1)["status"], "OK");
        server.watch.secret(&mangled);
        assert_eq!(server.request("POST", "/recipe/session", &[("api-key", WRONG_API_KEY)], "{}").status, 401);
        let broken = format!("{{\"refreshToken\": \"{}\"", first.0.as_str().unwrap());
        let answer = server.request("POST", "/recipe/session/refresh", &[key[0], ("cdi-version", "5.4")], &broken);
        assert_eq!(answer.status, 400, "{answer:?}");

        let handle = created["session"]["handle"].as_str().unwrap();
        sandbox.set("SESSIOND_NEW_MASTER_KEY", NEW_MASTER_KEY);
        for args in [
            ["config"].as_slice(),
            &["config", "--json"],
            &["keys", "list", "--json"],
            &["keys", "rotate", "--immediate"],
            &["keys", "reseal"],
            &["sessions", "why", handle, "--json"],
            &["sessions", "list", "alice", "--json"],
            &["apps", "list", "--json"],
            &["apps", "show", "public", "--json"],
            &["tenants", "list", "--json"],
            &["tenants", "show", "public", "--json"],
            &["audit", "--json"],
            &["ready", "--json"],
            &["stop"],
        ] {
            let ended = sandbox.run(args);
            assert_eq!(ended.code, Some(0), "{args:?}: {ended:?}");
            server.watch.search(&ended.out);
            server.watch.search(&ended.err);
        }
        server.wait();
        assert!(server.out().contains("control request"), "DEBUG lines were written");
        // Dropping the server searches its own output.
    }
}

/// Adds a provider with its secrets, and invalid ones like it.
fn put_provider(server: &Server, key: (&str, &str)) {
    let clients = json!([{"clientId": "c", "clientSecret": CLIENT_SECRET,
        "additionalConfig": {"keyId": "k", "teamId": "t", "privateKey": PRIVATE_KEY}}]);
    let provider = json!({"thirdPartyId": "apple", "clients": clients}).to_string();
    let put = |config: &str| {
        let body = format!(r#"{{"config": {config}}}"#);
        server.request("PUT", "/recipe/multitenancy/config/thirdparty", &[key], &body)
    };
    assert_eq!(put(&provider).status, 200);
    for (bad, sentence) in [
        ("null", "Invalid third party config: clientId cannot be null"),
        ("[]", "Field name 'config' is invalid in JSON input"),
    ] {
        let refused = put(&provider.replace("\"c\"", bad));
        assert_eq!((refused.status, refused.body.trim_end()), (400, sentence));
    }
}
