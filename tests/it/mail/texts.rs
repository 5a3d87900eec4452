//! Text messages: what the services that deliver them are asked, and what their answers mean.

use super::{LIFETIME, TOKEN, add, failed, mail, run, sent, waiting};
use crate::app::{START, TestApp, TestAppBuilder};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sessiond::crypto::webhook::signature;
use sessiond::domain::http_request::{HttpBody, HttpReply, HttpRequest, Reach};
use sessiond::domain::mail::{Mail, MailKind};
use sessiond::domain::sms::PhoneNumber;
use sessiond::outbound::http::{HttpClient, SendError};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

const PHONE: &str = "+4915112345678";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A client that sends nothing, keeps what it was given and has one answer.
struct Kept {
    answer: Result<(u16, &'static str), SendError>,
    requests: Mutex<Vec<HttpRequest>>,
}

impl Kept {
    fn answering(status: u16, body: &'static str) -> Arc<Self> {
        Arc::new(Self { answer: Ok((status, body)), requests: Mutex::default() })
    }

    fn requests(&self) -> Vec<HttpRequest> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }
}

#[async_trait::async_trait]
impl HttpClient for Kept {
    async fn send(&self, request: &HttpRequest, _: &Reach) -> Result<HttpReply, SendError> {
        self.requests.lock().unwrap().push(request.clone());
        self.answer.clone().map(|(status, body)| HttpReply::new(status, body.as_bytes().to_vec()))
    }
}

fn twilio() -> TestAppBuilder {
    TestApp::builder()
        .setting("sms_twilio_account_sid", "AC1")
        .setting("sms_twilio_auth_token", "s3cret-token")
        .setting("sms_twilio_from", "+15005550006")
}

fn webhook(url: &str) -> TestAppBuilder {
    TestApp::builder().setting("sms_webhook_url", url).setting("sms_webhook_secret", SECRET)
}

fn text(app: &TestApp) -> Mail {
    Mail {
        to: PhoneNumber::parse(PHONE).unwrap().into(),
        kind: MailKind::PasswordlessText,
        link: Some(format!("https://shop.example.org/auth/verify?preAuthSessionId=a&tenantId=public#{TOKEN}")),
        code: Some("123456".to_owned()),
        ..mail(app)
    }
}

fn header<'r>(request: &'r HttpRequest, name: &str) -> &'r str {
    let found = request.headers.iter().find(|(other, _)| other == name);
    found.map(|(_, value)| value.as_str()).unwrap_or_default()
}

fn form(request: &HttpRequest) -> Vec<(String, String)> {
    let Some(HttpBody::Form(form)) = &request.body else { panic!("a form") };
    form_urlencoded::parse(form.as_bytes()).into_owned().collect()
}

#[tokio::test]
async fn twilio_is_asked_as_it_wants_to_be() {
    for (setting, name, sender) in [
        ("sms_twilio_from", "From", "+15005550006"),
        ("sms_twilio_messaging_service_sid", "MessagingServiceSid", "MG1"),
    ] {
        let http = Kept::answering(201, r#"{"sid":"SM1","status":"queued"}"#);
        let app = match setting {
            "sms_twilio_from" => twilio(),
            _ => twilio().setting(setting, sender),
        };
        let app = app.http_client(http.clone()).build().await;
        add(&app, &text(&app)).await;
        assert_eq!(run(&app).await, sent(1));
        let request = http.requests().remove(0);
        assert_eq!(request.url, "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json");
        let account = format!("Basic {}", STANDARD.encode("AC1:s3cret-token"));
        assert_eq!(header(&request, "authorization"), account);
        let words = format!(
            "Your code for Shop: 123456\nSign in to Shop: \
             https://shop.example.org/auth/verify?preAuthSessionId=a&tenantId=public#{TOKEN}\nValid for 1 hour, and only \
             once."
        );
        let expected = [("To", PHONE), ("Body", &words), (name, sender)];
        assert_eq!(form(&request), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}

#[tokio::test]
async fn a_refusal_concerns_one_message_and_an_unusable_service_all_of_them() {
    let unusable = r#"{"code":20003,"message":"Authenticate"}"#;
    let refused = r#"{"code":21211,"message":"The 'To' number +4915112345678 is not a valid phone number."}"#;
    for (status, body, next_ms, words) in [
        (401, unusable, 5_000, "401 20003 Authenticate"),
        (429, "", 5_000, "429"),
        (503, "<html>", 5_000, "503"),
        (302, "", 5_000, "302"),
        (400, refused, 600_000, "400 21211 The 'To' number (recipient) is not a valid phone number."),
    ] {
        let http = Kept::answering(status, body);
        let app = twilio().http_client(http.clone()).build().await;
        app.keep_secret("s3cret-token");
        add(&app, &text(&app)).await;
        assert_eq!(run(&app).await, failed(next_ms), "{status}");
        let listed = sessiond::command::outbox::operate::ListMail { scope: scope(&app), limit: 9 };
        let listed = listed.run(&app.context).await.unwrap().remove(0);
        assert_eq!(listed.record.error.as_deref(), Some(words));
        // A mail is caught meanwhile; another message waits only if the service could not be used at all.
        add(&app, &mail(&app)).await;
        add(&app, &text(&app)).await;
        let round = run(&app).await;
        assert_eq!((round.caught, round.failed), (1, u64::from(status == 400)), "{status}");
    }
}

fn scope(app: &TestApp) -> sessiond::command::scope::Scope {
    let entry = app.context.directory.app(&sessiond::domain::ids::AppId::base()).unwrap();
    sessiond::command::scope::Scope { app: entry, cause: sessiond::command::scope::Cause::without_request("test") }
}

#[tokio::test]
async fn a_webhook_is_signed_and_recognises_what_is_sent_again() {
    let http = Kept::answering(500, "");
    let app = webhook("https://shop.example/sms").http_client(http.clone()).build().await;
    add(&app, &text(&app)).await;
    assert_eq!(run(&app).await, failed(5_000));
    app.clock.advance(5_000);
    run(&app).await;
    let requests = http.requests();
    assert_eq!(header(&requests[0], "webhook-id"), header(&requests[1], "webhook-id"));
    for (request, time_s) in requests.iter().zip([START.0 / 1000, START.0 / 1000 + 5]) {
        assert_eq!(request.url, "https://shop.example/sms");
        assert_eq!(header(request, "webhook-timestamp"), time_s.to_string());
        let Some(HttpBody::Json(body)) = &request.body else { panic!("JSON") };
        let key = STANDARD.decode(&SECRET[6..]).unwrap();
        let expected = signature(&key, header(request, "webhook-id"), time_s, body);
        assert_eq!(header(request, "webhook-signature"), expected);
        let body: Value = serde_json::from_str(body).unwrap();
        let link = text(&app).link.unwrap();
        assert!(body["text"].as_str().unwrap().contains(&link), "{body}");
        let expected = json!({
            "type": "PASSWORDLESS_LOGIN", "phoneNumber": PHONE, "text": body["text"], "userInputCode": "123456",
            "urlWithLinkCode": link, "codeLifetime": LIFETIME, "appName": "Shop", "language": "en",
            "connectionUriDomain": "", "appId": "public", "tenantId": "public",
        });
        assert_eq!(body, expected);
    }
}

#[tokio::test]
async fn a_webhook_on_this_machine_is_called() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/sms", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut seen = Vec::new();
        let mut some = [0; 4096];
        while !String::from_utf8_lossy(&seen).contains("\"tenantId\":\"public\"}") {
            let read = stream.read(&mut some).unwrap();
            seen.extend_from_slice(&some[..read]);
        }
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
        String::from_utf8(seen).unwrap()
    });
    let app = webhook(&url).build().await;
    add(&app, &text(&app)).await;
    assert_eq!(run(&app).await, sent(1));
    assert_eq!(waiting(&app).await, 0);
    let seen = server.join().unwrap();
    assert!(seen.starts_with("POST /sms HTTP/1.1\r\n") && seen.contains("content-type: application/json"), "{seen}");
}
