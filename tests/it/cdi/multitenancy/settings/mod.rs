//! Every setting that may differ between apps or tenants takes effect where it was set, and nowhere else.
//!
//! [`probes`] observes the effect of each; the table of settings says which ones must be covered.

mod hooks;
mod probes;
mod providers;
mod texts;

use super::{put_app, put_domain, put_tenant};
use crate::app::{TestApp, TestReply, TestRequest};
use crate::mail::Described;
use crate::people::with_cheap_passwords;
use futures_util::future::BoxFuture;
use http::Method;
use serde_json::{Value, json};
use sessiond::config::settings::{ALL, Level, SECTIONS, Status};
use sessiond::domain::ids::{AppId, PUBLIC};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Where a request goes: the host it names and the prefix of its path.
#[derive(Debug, Clone, Copy)]
struct Place {
    host: &'static str,
    app: &'static str,
    tenant: &'static str,
}

const fn place(host: &'static str, app: &'static str, tenant: &'static str) -> Place {
    Place { host, app, tenant }
}

const BASE: Place = place("localhost", "", "");

/// A server as seen from one tenant.
struct Spot<'a> {
    app: &'a TestApp,
    place: Place,
}

impl Spot<'_> {
    /// A request to the tenant.
    fn request(&self, method: Method, path: &str) -> TestRequest<'_> {
        let Place { host, app, tenant } = self.place;
        self.app.request(method, &format!("{app}{tenant}{path}")).host(host)
    }

    async fn post(&self, path: &str, body: Value) -> TestReply {
        self.request(Method::POST, path).json(&body).await
    }

    async fn get(&self, path: &str) -> TestReply {
        self.request(Method::GET, path).await
    }

    /// The app itself, whatever the tenant: for what concerns the whole app.
    fn whole_app(&self) -> Self {
        Self { app: self.app, place: Place { tenant: "", ..self.place } }
    }

    /// An address that has not been used yet.
    fn new_email(&self) -> String {
        self.app.clock.advance(1);
        format!("p{}@x.io", self.app.context.now().0)
    }

    /// The app's id.
    fn app_id(&self) -> AppId {
        let Place { host, app, .. } = self.place;
        AppId {
            connection_uri_domain: if host == BASE.host { String::new() } else { host.to_owned() },
            app_id: app.strip_prefix("/appid-").unwrap_or(PUBLIC).to_owned(),
        }
    }

    async fn sign_up(&self, email: &str) -> String {
        self.post("/recipe/signup", json!({"email": email, "password": "right"})).await.ok().text_at("/user/id")
    }
}

/// A probe that shows whether a setting takes effect.
struct Probe {
    key: &'static str,
    /// A value other than the default.
    value: Value,
    /// Older CDI versions, the only ones that know the setting, cannot address apps by path.
    by_domain_only: bool,
    /// What the server does for a tenant; differs with the setting, and with nothing else.
    seen: for<'a> fn(Spot<'a>) -> BoxFuture<'a, Value>,
}

/// A server with what the setting needs to act.
async fn server_for(key: &str) -> TestApp {
    let builder = with_cheap_passwords()
        .setting("trusted_proxies", "127.0.0.1")
        .setting("argon2_memory_kb", "64")
        .setting("access_token_validity_jitter", "0")
        .setting("smtp_host", "127.0.0.1")
        .setting("smtp_from_email", "shop@example.org")
        .setting("smtp_password", "right")
        .setting("sms_twilio_account_sid", "AC1")
        .setting("sms_twilio_auth_token", "right")
        .setting("sms_twilio_from", "+15005550006")
        .setting("sms_webhook_secret", texts::FIRST_SECRET)
        .mail(Arc::new(Described))
        .http_client(Arc::new(providers::Echo));
    let app = match key {
        "event_hook_retry_hours" | "hook_private_networks" => {
            builder.setting("event_hooks", &hooks::some().to_string()).build().await
        }
        "sms_webhook_secret" => builder.setting("sms_webhook_url", "https://hook.test").build().await,
        _ => builder.build().await,
    };
    for id in ["a1", "a2"] {
        put_app(&app, id, json!({})).await.ok();
        for tenant in ["t1", "t2"] {
            put_tenant(&app, &format!("/appid-{id}"), tenant, json!({})).await.ok();
        }
    }
    for domain in ["one.example", "two.example"] {
        put_domain(&app, domain, json!({})).await.ok();
    }
    app
}

/// Sets the probe's setting with `put` for `target`: only there may the observation change.
async fn acts_only_there(
    probe: &Probe,
    target: Place,
    others: &[Place],
    put: for<'a> fn(&'a TestApp, Value) -> BoxFuture<'a, TestReply>,
) {
    let app = server_for(probe.key).await;
    let seen = async |place: Place| (probe.seen)(Spot { app: &app, place }).await;
    let usual = seen(target).await;
    for other in others {
        assert_eq!(seen(*other).await, usual, "{}: {other:?} before", probe.key);
    }
    put(&app, json!({probe.key: probe.value})).await.ok();
    assert_ne!(seen(target).await, usual, "{} has no effect in {target:?}", probe.key);
    for other in others {
        assert_eq!(seen(*other).await, usual, "{} acts in {other:?} too", probe.key);
    }
}

#[test]
fn every_setting_that_may_differ_has_a_probe() {
    // Those of the front door have theirs in `fdi/settings.rs`.
    let sections = SECTIONS.iter().filter(|section| !section.title.starts_with("Front door"));
    let settings = sections.flat_map(|section| section.settings);
    let differing = settings.filter(|setting| setting.level != Level::Core && setting.status == Status::Used);
    let expected: BTreeSet<_> = differing.map(|setting| setting.key).collect();
    let probed: BTreeSet<_> = probes::all().iter().map(|probe| probe.key).collect();
    assert_eq!(probed, expected);
}

#[tokio::test]
async fn a_tenants_setting_acts_in_that_tenant_alone() {
    let target = place("localhost", "/appid-a1", "/t1");
    let others = [
        place("localhost", "/appid-a1", ""),
        place("localhost", "/appid-a1", "/t2"),
        place("localhost", "/appid-a2", "/t1"),
        BASE,
    ];
    for probe in of_level(Level::Tenant) {
        acts_only_there(&probe, target, &others, |app, config| Box::pin(put_tenant(app, "/appid-a1", "t1", config)))
            .await;
    }
}

#[tokio::test]
async fn an_apps_setting_acts_in_that_app_alone() {
    let target = place("localhost", "/appid-a1", "");
    let others = [place("localhost", "/appid-a2", ""), BASE, place("one.example", "", "")];
    for probe in of_level(Level::App).into_iter().chain(of_level(Level::Tenant)).filter(|probe| !probe.by_domain_only) {
        acts_only_there(&probe, target, &others, |app, config| Box::pin(put_app(app, "a1", config))).await;
    }
}

#[tokio::test]
async fn a_domains_setting_acts_in_that_domain_alone() {
    let target = place("one.example", "", "");
    let others = [BASE, place("two.example", "", ""), place("localhost", "/appid-a1", "")];
    for probe in of_level(Level::App).into_iter().chain(of_level(Level::Tenant)) {
        let others = if probe.by_domain_only { &others[..2] } else { &others };
        acts_only_there(&probe, target, others, |app, config| Box::pin(put_domain(app, "one.example", config))).await;
    }
}

#[tokio::test]
async fn what_is_of_an_app_cannot_be_set_for_one_of_its_tenants() {
    let app = server_for("").await;
    for probe in of_level(Level::App) {
        let refused = put_tenant(&app, "/appid-a1", "t1", json!({probe.key: probe.value})).await;
        assert_eq!(refused.code(), 400, "{}: {}", probe.key, refused.body());
        assert!(refused.body().contains(probe.key), "{}", refused.body());
    }
}

fn of_level(level: Level) -> Vec<Probe> {
    let of = |key: &str| ALL.iter().find(|setting| setting.key == key).map(|setting| setting.level);
    probes::all().into_iter().filter(|probe| of(probe.key) == Some(level)).collect()
}
