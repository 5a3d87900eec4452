//! A front door without a socket.

use crate::{context, direct, headers, request, runtime};
use http::{HeaderMap, Method, StatusCode};
use sessiond::config::front::FrontRecipe;
use sessiond::http::exchange::Reply;
use sessiond::http::fdi::Fdi;
use sessiond::http::server::Dispatch;
use sessiond::outbound::http::HttpClient;
use std::sync::{Arc, LazyLock};
use tokio::runtime::Runtime;

/// The front door that receives all inputs of a run.
pub static FRONT: LazyLock<Front> = LazyLock::new(|| Front::with(&[], direct()));

/// What its settings do not allow: the only failures that a request may cause.
const REFUSED: [&str; 4] = [
    "multiple session cookies",
    "Since your API and website domain are different",
    "Please initialise the account linking recipe",
    "Signing in with this provider failed",
];

/// A front door without a socket.
pub struct Front {
    runtime: Runtime,
    fdi: Fdi,
    access_token: String,
    refresh_token: String,
}

impl Front {
    /// A front door with these settings besides its usual ones, whose requests to others go this way.
    pub(crate) fn with(more: &[(&str, &str)], http: Arc<dyn HttpClient>) -> Self {
        let runtime = runtime();
        let fields = r#"[{"id":"name","optional":true}]"#;
        let recipes = FrontRecipe::ALL.map(FrontRecipe::name).join(",");
        let settings = [
            ("sign_up_form_fields", fields),
            ("recipe_list", &recipes),
            ("passwordless_contact_method", "EMAIL_OR_PHONE"),
            ("account_linking", "always"),
            ("front_rate_limiting", "false"),
        ];
        let context = context(&runtime, &[settings.as_slice(), more].concat(), http);
        let fdi = Fdi::new(context, 3568);
        let mut front = Self { runtime, fdi, access_token: String::new(), refresh_token: String::new() };
        let form =
            r#"{"formFields":[{"id":"email","value":"p@example.org"},{"id":"password","value":"correct horse 1"}]}"#;
        let reply = front.ask(Method::POST, "/auth/signup", "", headers(std::iter::empty()), form.as_bytes());
        let token = |name: &str| {
            let mut named = reply.headers.iter().filter(|(other, _)| other.as_str() == name);
            named.next().expect("a session").1.to_str().expect("ASCII").to_owned()
        };
        front.access_token = token("st-access-token");
        front.refresh_token = token("st-refresh-token");
        front
    }

    /// The reply to a request. Panics, as a finding, if a caller's input may not lead to such a reply.
    pub fn ask(&self, method: Method, path: &str, query: &str, mut headers: HeaderMap, body: &[u8]) -> Reply {
        headers.entry("host").or_insert(http::HeaderValue::from_static("localhost"));
        let request = request(method, (path, query), headers, body);
        let reply = self.runtime.block_on(self.fdi.dispatch(request));
        let text = String::from_utf8(reply.body.to_vec()).expect("replies are UTF-8");
        if reply.content_type.starts_with("application/json") {
            let _: serde_json::Value = serde_json::from_str(&text).expect("a JSON reply is JSON");
        }
        let is_known =
            reply.status != StatusCode::INTERNAL_SERVER_ERROR || REFUSED.iter().any(|why| text.contains(why));
        assert!(is_known && reply.status != StatusCode::BAD_GATEWAY, "{} {text}", reply.status);
        reply
    }

    /// `text` with `$A` and `$R` replaced by a valid access token and refresh token.
    pub fn fill_in(&self, text: &str) -> String {
        text.replace("$A", &self.access_token).replace("$R", &self.refresh_token)
    }
}
