//! Requests that are refused: with the protocol's message, and without a trace in the store.

use crate::app::TestApp;
use http::Method;
use serde_json::{Value, json};

/// Bodies that are not JSON objects.
const NO_OBJECTS: [&str; 5] = ["", "{", "null", "[{}]", "\"a\""];

/// A request that is valid as it is.
pub(crate) struct Good {
    /// Its method.
    pub(crate) method: Method,
    /// Its path, without a tenant.
    pub(crate) path: &'static str,
    /// Its version.
    pub(crate) version: &'static str,
    /// Its body.
    pub(crate) body: Value,
}

/// A POST request.
pub(crate) const fn post(path: &'static str, version: &'static str, body: Value) -> Good {
    Good { method: Method::POST, path, version, body }
}

/// A PUT request.
pub(crate) const fn put(path: &'static str, version: &'static str, body: Value) -> Good {
    Good { method: Method::PUT, path, version, body }
}

impl Good {
    /// Sets a member of its body.
    fn with(&self, field: &str, value: Value) -> String {
        let mut body = self.body.clone();
        body[field] = value;
        body.to_string()
    }

    /// Removes a member of its body.
    fn without(&self, field: &str) -> String {
        let mut body = self.body.clone();
        body.as_object_mut().expect("an object").remove(field).expect("a member of the good body");
        body.to_string()
    }
}

/// Every kind of value that is not text; also lists and objects of texts.
fn no_texts() -> [Value; 7] {
    [json!(null), json!(true), json!(1), json!([]), json!(["a"]), json!({}), json!({"a": "a"})]
}

fn invalid(field: &str) -> String {
    format!("Field name '{field}' is invalid in JSON input")
}

impl TestApp {
    /// With another body, or in another tenant, the request is refused with this message and changes nothing.
    pub(crate) async fn refuses(&self, good: &Good, prefix: &str, body: &str, (code, sentence): (u16, &str)) {
        let before = self.stored().await;
        let path = format!("{prefix}{}", good.path);
        let request = self.request(good.method.clone(), &path).cdi(good.version).body(body.to_owned());
        let reply = request.await;
        let told = format!("{} {path} at {} with {body:.200}", good.method, good.version);
        assert_eq!((reply.code(), reply.body()), (code, format!("{sentence}\n")), "{told}");
        assert!(self.stored().await == before, "{told} changed something");
    }

    /// With these members in place of its own, the request is refused with 400 and these messages.
    pub(crate) async fn refuses_each(&self, good: &Good, cases: &[(Value, &str)]) {
        for (members, sentence) in cases {
            let mut body = good.body.clone();
            body.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
            self.refuses(good, "", &body.to_string(), (400, sentence)).await;
        }
    }

    /// The request requires these members, all of them texts, in a JSON object.
    pub(crate) async fn wants_texts(&self, good: &Good, fields: &[&str]) {
        for body in NO_OBJECTS {
            self.refuses(good, "", body, (400, "Invalid Json Input")).await;
        }
        for field in fields {
            self.refuses(good, "", &good.without(field), (400, &invalid(field))).await;
        }
        self.wants_texts_if_any(good, fields).await;
    }

    /// These members may be omitted from the request, but must be texts.
    pub(crate) async fn wants_texts_if_any(&self, good: &Good, fields: &[&str]) {
        for field in fields {
            for wrong in no_texts() {
                self.refuses(good, "", &good.with(field, wrong), (400, &invalid(field))).await;
            }
        }
    }

    /// The request belongs to a tenant: the tenant has to exist, and below CDI 3.0 there is none.
    pub(crate) async fn is_of_a_tenant(&self, good: &Good) {
        let body = good.body.to_string();
        let unknown = "AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId \
                       combination not found: (, public, nobody)";
        for version in ["3.0", "4.0", "5.0", "5.1", "5.6"] {
            let good = Good { method: good.method.clone(), version, body: good.body.clone(), ..*good };
            self.refuses(&good, "/nobody", &body, (400, unknown)).await;
        }
        let old = Good { method: good.method.clone(), version: "2.21", body: good.body.clone(), ..*good };
        self.refuses(&old, "/nobody", &body, (404, "Not found")).await;
    }
}
