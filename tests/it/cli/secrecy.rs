//! No log line, no command's output and no reply to anyone else ever holds a secret.

use crate::cli::sandbox::{Answer, Sandbox, Server, request};
use crate::mail::server::SmtpServer;
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

const SMTP_PASSWORD: &str = "with-which-the-server-signs-in-to-send-mail";
const SMS_SECRET: &str = "whsec_bm90LWZvci1sb2dzLW5vci1mb3ItdGhlLXN0b3Jl";
const PASSWORD: &str = "correct-horse-battery-1";
const NEW_PASSWORD: &str = "incorrect-donkey-battery-2";
const WRONG_PASSWORD: &str = "nearly-correct-horse-battery-1";

/// A browser at the front door; keeps what it gets secret.
struct Browser<'s> {
    server: &'s Server,
    port: u16,
    access_token: String,
}

impl Browser<'_> {
    fn post(&mut self, path: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {}", self.access_token);
        let headers = [("content-type", "application/json"), ("st-auth-mode", "header"), ("authorization", &bearer)];
        let headers = if self.access_token.is_empty() { &headers[..2] } else { &headers };
        let answer = request(self.port, "POST", &format!("/auth{path}"), headers, body);
        answer.headers().for_each(|(name, value)| self.server.watch.header(name, value));
        self.server.watch.reply(answer.body.as_bytes());
        if !answer.header("st-access-token").is_empty() {
            answer.header("st-access-token").clone_into(&mut self.access_token);
        }
        answer
    }

    #[track_caller]
    fn ok(&mut self, path: &str, body: &Value) -> Answer {
        let answer = self.post(path, &body.to_string());
        assert!(answer.status == 200 && answer.body.contains(r#""status":"OK""#), "{path}: {answer:?}");
        answer
    }
}

fn form(fields: &[(&str, &str)]) -> Value {
    let fields: Vec<_> = fields.iter().map(|(id, value)| json!({"id": id, "value": value})).collect();
    json!({ "formFields": fields })
}

/// The link in the newest of so many mails, which the server waits for.
fn link(smtp: &SmtpServer, server: &Server, count: usize) -> String {
    let text = smtp.wait_for(count)[count - 1].part("text/plain");
    let link = text.split_whitespace().find(|word| word.starts_with("http")).expect("a link").to_owned();
    server.watch.link(&link);
    link
}

fn token(link: &str) -> &str {
    link.split(['?', '&']).find_map(|member| member.strip_prefix("token=")).expect("a token")
}

#[test]
fn no_output_holds_a_secret_of_the_front_door_at_any_log_level() {
    for format in ["json", "text"] {
        let smtp = SmtpServer::start();
        let mut sandbox = Sandbox::new();
        let provider =
            json!([{"thirdPartyId": "github", "clients": [{"clientId": "c", "clientSecret": CLIENT_SECRET}]}]);
        let port = smtp.port.to_string();
        for (name, value) in [
            ("SESSIOND_FRONT_PORT", "0"),
            ("SESSIOND_RECIPE_LIST", "emailverification,emailpassword,thirdparty,passwordless,multifactorauth,totp"),
            ("SESSIOND_PASSWORDLESS_CONTACT_METHOD", "EMAIL_OR_PHONE"),
            ("SESSIOND_ACCOUNT_LINKING", "verified"),
            ("SESSIOND_SMTP_HOST", "127.0.0.1"),
            ("SESSIOND_SMTP_PORT", &port),
            ("SESSIOND_SMTP_FROM_EMAIL", "shop@example.org"),
            ("SESSIOND_SMTP_PASSWORD", SMTP_PASSWORD),
            ("SESSIOND_SMS_WEBHOOK_URL", "http://127.0.0.1:9/sms"),
            ("SESSIOND_SMS_WEBHOOK_SECRET", SMS_SECRET),
            ("SESSIOND_THIRD_PARTY_PROVIDERS", &provider.to_string()),
        ] {
            sandbox.set(name, value);
        }
        let mut server = sandbox.serve(&["--ephemeral", "--log-level", "DEBUG", "--log-format", format]);
        let port = Sandbox::front_port(&mut server);
        for secret in [SMTP_PASSWORD, SMS_SECRET, CLIENT_SECRET, PASSWORD, NEW_PASSWORD, WRONG_PASSWORD] {
            server.watch.secret(secret);
        }
        let mut browser = Browser { server: &server, port, access_token: String::new() };
        let signed_up = browser.ok("/signup", &form(&[("email", "ada@example.org"), ("password", PASSWORD)]));
        let refresh_token = signed_up.header("st-refresh-token").to_owned();
        browser.ok("/user/email/verify/token", &json!({}));
        let verification = link(&smtp, &server, 1);
        browser.ok("/user/email/verify", &json!({"method": "token", "token": token(&verification)}));
        browser.ok("/totp/device", &json!({"deviceName": "phone"}));
        let bearer = format!("Bearer {refresh_token}");
        let refreshed = request(port, "POST", "/auth/session/refresh", &[("authorization", &bearer)], "");
        assert_eq!(refreshed.status, 200, "{refreshed:?}");
        refreshed.headers().for_each(|(name, value)| server.watch.header(name, value));

        let mut stranger = Browser { server: &server, port, access_token: String::new() };
        let wrong = form(&[("email", "ada@example.org"), ("password", WRONG_PASSWORD)]).to_string();
        assert!(stranger.post("/signin", &wrong).body.contains("WRONG_CREDENTIALS_ERROR"));
        stranger.ok("/user/password/reset/token", &form(&[("email", "ada@example.org")]));
        let reset = link(&smtp, &server, 2);
        let mut chosen = form(&[("password", NEW_PASSWORD)]);
        chosen["method"] = json!("token");
        chosen["token"] = json!(token(&reset));
        // Bad input is where secrets leak into messages.
        let broken = chosen.to_string().replace("}]", "}");
        assert_eq!(stranger.post("/user/password/reset", &broken).status, 400);
        stranger.ok("/user/password/reset", &chosen);
        stranger.ok("/signinup/code", &json!({"email": "grace@example.org"}));
        link(&smtp, &server, 3);
        stranger.ok("/signinup/code", &json!({"phoneNumber": "+4915112345678"}));

        for args in [["config"].as_slice(), &["config", "--json"], &["mail", "list", "--json"], &["audit"], &["stop"]] {
            let ended = sandbox.run(args);
            assert_eq!(ended.code, Some(0), "{args:?}: {ended:?}");
            server.watch.search(&ended.out);
            server.watch.search(&ended.err);
        }
        server.wait();
        assert!(server.out().contains("front POST /signinup/code"), "DEBUG lines were written: {}", server.out());
    }
}
