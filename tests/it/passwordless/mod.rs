//! Passwordless sign-ins: concurrent requests, and what is stored. Endpoints are in `cdi/recipe/signinup/`.

mod races;
mod records;
mod stored;
mod thief;

use crate::app::{TestApp, TestReply};
use serde_json::{Value, json};

/// A code that was created.
#[derive(Debug, Clone)]
pub(crate) struct Sent(pub(crate) Value);

impl Sent {
    pub(crate) fn text(&self, member: &str) -> &str {
        self.0[member].as_str().unwrap()
    }

    /// The device's secret id.
    pub(crate) fn device(&self) -> &str {
        self.text("deviceId")
    }

    /// The body that presents the link.
    pub(crate) fn link(&self) -> Value {
        json!({"preAuthSessionId": self.0["preAuthSessionId"], "linkCode": self.0["linkCode"]})
    }

    /// The body that presents the code on the device.
    pub(crate) fn input(&self) -> Value {
        self.typed(self.text("userInputCode"))
    }

    /// The body that presents another code on the device.
    pub(crate) fn typed(&self, code: &str) -> Value {
        json!({"preAuthSessionId": self.0["preAuthSessionId"], "deviceId": self.0["deviceId"], "userInputCode": code})
    }
}

impl TestApp {
    /// Creates a code for `{"email": …}`, `{"phoneNumber": …}` or `{"deviceId": …}`.
    pub(crate) async fn send(&self, to: Value) -> Sent {
        Sent(self.post("/recipe/signinup/code", to).await.ok().json())
    }

    /// Presents a code; returns the whole reply.
    pub(crate) async fn consume(&self, body: Value) -> TestReply {
        self.post("/recipe/signinup/code/consume", body).await
    }

    /// Presents a code; returns the status.
    pub(crate) async fn consumed(&self, body: Value) -> String {
        self.consume(body).await.text_at("/status")
    }
}
