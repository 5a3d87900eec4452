//! [`HooksConfig`]: the settings of hooks, and their rules.

use crate::config::flaws::Flaws;
use crate::config::trust::networks;
use crate::config::values::Values;
use crate::config::webhook::{SECRET_RULE, URL_RULE, is_protected, webhook_key};
use crate::domain::hook::{EventHook, EventHookId, HookEventKind, HookPoint, InlineHook};
use crate::domain::http_request::Reach;
use crate::domain::json::Json;
use crate::domain::json::reader::{ConfigFlaw, Notes, Reader, parse};
use crate::domain::loopback;
use crate::domain::webhook::Webhook;
use http::Uri;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

const EVENT_HOOKS: &str = "event_hooks";
const INLINE_HOOKS: &str = "inline_hooks";
const PRIVATE_NETWORKS: &str = "hook_private_networks";
/// How long an event hook may take to answer.
const PATIENCE: Duration = Duration::from_secs(15);
const HOUR_MS: u64 = 3_600_000;
/// The most event hooks of an app: each event is stored once for each.
const MAX_EVENT_HOOKS: usize = 16;
/// How long an inline hook may take, unless its settings say otherwise, in ms: people wait for it.
const TIMEOUT_MS: u64 = 2_000;
/// How long its settings may let it take, in ms.
const TIMEOUTS_MS: RangeInclusive<u64> = 100..=10_000;

/// The programs that are told of events or asked before something happens, and how they are called.
#[derive(Debug, Clone)]
pub struct HooksConfig {
    /// The programs that are told of events.
    pub events: Arc<[EventHook]>,
    /// The programs that are asked; of each point, at most one is.
    pub inline: Arc<[InlineHook]>,
    /// How long it is tried to tell a program of an event, in ms (configured in hours).
    pub retry_ms: u64,
    /// Where they may be, and how long one may take to take an event.
    pub reach: Reach,
}

impl HooksConfig {
    /// Reads the settings; `None` if one of them breaks a rule.
    pub(super) fn read(values: &Values, flaws: &mut Flaws) -> Option<Self> {
        let networks = flaws.keep([PRIVATE_NETWORKS], networks(values, PRIVATE_NETWORKS))?;
        let reach = Reach { private_networks: networks.into(), setting: PRIVATE_NETWORKS, timeout: PATIENCE };
        let filled = |key| values.text(key).filter(|text| !text.is_empty());
        let events = filled(EVENT_HOOKS).map_or(Ok(Vec::new()), |text| event_hooks(text, &reach));
        let inline = filled(INLINE_HOOKS).map_or(Ok(Vec::new()), |text| inline_hooks(text, &reach));
        let (events, inline) = (flaws.keep_json(EVENT_HOOKS, events), flaws.keep_json(INLINE_HOOKS, inline));
        Some(Self {
            events: events?.into(),
            inline: inline?.into(),
            retry_ms: values.unsigned("event_hook_retry_hours") * HOUR_MS,
            reach,
        })
    }

    /// What applies where stored settings are no longer valid: no hooks. Those that the front door would have asked
    /// cannot refuse then, so it is closed: see [`AppConfig::from_values`](super::AppConfig::from_values).
    pub(super) fn none() -> Self {
        let reach = Reach { private_networks: Arc::new([]), setting: PRIVATE_NETWORKS, timeout: PATIENCE };
        Self { events: Arc::new([]), inline: Arc::new([]), retry_ms: HOUR_MS, reach }
    }
}

fn event_hooks(text: &str, reach: &Reach) -> Result<Vec<EventHook>, Vec<ConfigFlaw>> {
    let json = parse(text, EVENT_HOOKS).map_err(|flaw| vec![flaw])?;
    let notes = Notes::default();
    let readers = readers(&json, EVENT_HOOKS, &notes)?;
    if readers.len() > MAX_EVENT_HOOKS {
        return Err(vec![ConfigFlaw::new(EVENT_HOOKS, format!("must not have more than {MAX_EVENT_HOOKS} hooks"))]);
    }
    let mut hooks: Vec<EventHook> = Vec::with_capacity(readers.len());
    for reader in readers {
        reader.knows_all(&["url", "secret", "previousSecret", "events"]);
        let webhook = webhook(&reader, reach);
        let id = EventHookId::of(&webhook.url);
        if !webhook.url.is_empty() && hooks.iter().any(|other| other.id == id) {
            reader.note("url", "is that of an earlier hook of the list");
        }
        hooks.push(EventHook { webhook, id, kinds: kinds(&reader) });
    }
    notes.or(hooks)
}

fn inline_hooks(text: &str, reach: &Reach) -> Result<Vec<InlineHook>, Vec<ConfigFlaw>> {
    let json = parse(text, INLINE_HOOKS).map_err(|flaw| vec![flaw])?;
    let notes = Notes::default();
    let mut hooks: Vec<InlineHook> = Vec::new();
    for reader in readers(&json, INLINE_HOOKS, &notes)? {
        reader.knows_all(&["url", "secret", "previousSecret", "before", "fail", "timeoutMs"]);
        let (points, fail) = (points(&reader, &hooks), reader.required("fail"));
        if !["", "open", "closed"].contains(&fail.as_str()) {
            reader.note("fail", "must be open or closed");
        }
        let (timeout, fails_open) = (timeout(&reader), fail == "open");
        hooks.push(InlineHook { webhook: webhook(&reader, reach), points, timeout, fails_open });
    }
    notes.or(hooks)
}

fn timeout(reader: &Reader<'_>) -> Duration {
    let Some(given) = reader.given("timeoutMs") else { return Duration::from_millis(TIMEOUT_MS) };
    let ms = given.as_i64().and_then(|ms| u64::try_from(ms).ok()).filter(|ms| TIMEOUTS_MS.contains(ms));
    if ms.is_none() {
        let (least, most) = (TIMEOUTS_MS.start(), TIMEOUTS_MS.end());
        reader.note("timeoutMs", &format!("must be a whole number from {least} to {most}"));
    }
    Duration::from_millis(ms.unwrap_or(TIMEOUT_MS))
}

/// What an inline hook is asked about: nothing that an earlier one is.
fn points(reader: &Reader<'_>, earlier: &[InlineHook]) -> Vec<HookPoint> {
    if reader.given("before").is_none() {
        reader.note("before", "is missing");
    }
    let mut points = Vec::new();
    for (index, name) in reader.texts("before").unwrap_or_default().iter().enumerate() {
        let place = format!("before[{index}]");
        match HookPoint::named(name) {
            Some(point) if points.contains(&point) || earlier.iter().any(|hook| hook.points.contains(&point)) => {
                reader.note(&place, "is there twice: one hook is asked before each");
            }
            Some(point) => points.push(point),
            None if name.is_empty() => {}
            None => reader.note(&place, "must be sign_up, sign_in or token"),
        }
    }
    points
}

/// The objects in a list of hooks, with their places.
fn readers<'a>(json: &'a Json, setting: &str, notes: &'a Notes) -> Result<Vec<Reader<'a>>, Vec<ConfigFlaw>> {
    let Some(entries) = json.as_array() else {
        return Err(vec![ConfigFlaw::new(setting, "must be a list of hooks in JSON")]);
    };
    let reader = |(index, entry)| Reader::of(entry, format!("{setting}[{index}]"), notes, true);
    Ok(entries.iter().enumerate().filter_map(reader).collect())
}

fn kinds(reader: &Reader<'_>) -> Vec<HookEventKind> {
    if reader.given("events").is_none() {
        reader.note("events", "is missing");
    }
    let mut kinds = Vec::new();
    for (index, pattern) in reader.texts("events").unwrap_or_default().iter().enumerate() {
        let found = HookEventKind::matching(pattern);
        if found.is_empty() && !pattern.is_empty() {
            let rule = "must name an event, such as user.signed_up, or a group, such as user.*";
            reader.note(&format!("events[{index}]"), rule);
        }
        kinds.extend(found);
    }
    kinds
}

/// The URL and the secrets of a hook.
fn webhook(reader: &Reader<'_>, reach: &Reach) -> Webhook {
    let url = reader.required("url");
    if !url.is_empty() && !is_protected(&url) {
        reader.note("url", URL_RULE);
    } else if let Some(address) = private_address(&url).filter(|address| !reach.allows_private(*address)) {
        let way_out = format!("leads to {address}, which is not public; add it to {PRIVATE_NETWORKS} to allow it");
        reader.note("url", &way_out);
    }
    let secrets = [("secret", Some(reader.required("secret"))), ("previousSecret", reader.filled("previousSecret"))];
    let mut keys = Vec::new();
    for (name, secret) in secrets {
        let Some(secret) = secret.filter(|secret| !secret.is_empty()) else { continue };
        match webhook_key(&secret) {
            Some(key) => keys.push(key),
            None => reader.note(name, &format!("must be {SECRET_RULE}")),
        }
    }
    Webhook { url, keys }
}

/// The first loopback address that a URL names without a resolver's help: others are checked when they are called.
fn private_address(url: &str) -> Option<IpAddr> {
    let uri: Uri = url.parse().ok()?;
    let host = uri.host()?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let named = bare.parse::<IpAddr>().ok().filter(|address| address.to_canonical().is_loopback());
    named.or_else(|| loopback::addresses(host).first().copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings;
    use crate::config::values::Value;
    use crate::domain::secret::Secret;
    use serde_json::{Value as Any, json};

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn read(hooks: &Any, networks: &str) -> Result<HooksConfig, String> {
        let mut values = Values::defaults();
        for (key, value) in [(EVENT_HOOKS, hooks.to_string()), (PRIVATE_NETWORKS, networks.to_owned())] {
            values.set(settings::place(key).unwrap(), Value::Text(Secret::new(value)));
        }
        let mut flaws = Flaws::default();
        let config = HooksConfig::read(&values, &mut flaws);
        flaws.first().map(|()| config.unwrap())
    }

    fn refusal(hook: &Any) -> String {
        let good = json!({"url": "https://a.example/", "secret": SECRET, "events": ["*"]});
        let error = read(&json!([good, hook]), "").unwrap_err();
        assert!(!error.contains("hush"), "{error}");
        error
    }

    #[test]
    fn hooks_are_read() {
        let config = read(
            &json!([
                {"url": "https://a.example/x?y=1", "secret": SECRET, "events": ["session.*", "user.signed_up"]},
                {"url": "http://localhost:1/", "secret": SECRET, "previousSecret": &SECRET[6..], "events": ["*"]},
            ]),
            "127.0.0.1",
        );
        let hooks = config.unwrap().events;
        assert_eq!((hooks[0].webhook.host(), hooks[0].kinds.len(), hooks[0].webhook.keys.len()), ("a.example", 4, 1));
        assert!(hooks[0].wants(HookEventKind::SignedUp) && !hooks[0].wants(HookEventKind::SignedIn));
        assert_eq!(hooks[1].webhook.keys.len(), 2);
        assert_ne!(hooks[0].id, hooks[1].id);
    }

    #[test]
    fn mistakes_are_named_with_their_place_and_without_the_value() {
        let hook = |url: &str, secret: &str, events: Any| json!({"url": url, "secret": secret, "events": events});
        let url = "https://b.example/hush";
        for (hook, sentence) in [
            (json!(1), "event_hooks[1] must be an object"),
            (json!({"url": url, "secrt": "hush"}), "event_hooks[1].secrt is unknown"),
            (json!({"secret": SECRET, "events": ["*"]}), "event_hooks[1].url is missing"),
            (json!({"url": url, "events": ["*"]}), "event_hooks[1].secret is missing"),
            (json!({"url": url, "secret": SECRET}), "event_hooks[1].events is missing"),
            (
                hook(url, "hush", json!(["*"])),
                "event_hooks[1].secret must be at least 24 random bytes in base64, with or without whsec_ before them",
            ),
            (
                hook("http://b.example/hush", SECRET, json!(["*"])),
                "event_hooks[1].url must be a URL with https, or with http on this machine",
            ),
            (
                hook("https://a.example/", SECRET, json!(["*"])),
                "event_hooks[1].url is that of an earlier hook of the list",
            ),
            (
                hook("http://localhost:1/hush", SECRET, json!(["*"])),
                "event_hooks[1].url leads to 127.0.0.1, which is not public; add it to hook_private_networks to allow it",
            ),
            (
                hook("https://[::1]/hush", SECRET, json!(["*"])),
                "event_hooks[1].url leads to ::1, which is not public; add it to hook_private_networks to allow it",
            ),
            (
                hook(url, SECRET, json!(["user.*", "user.signedUp"])),
                "event_hooks[1].events[1] must name an event, such as user.signed_up, or a group, such as user.*",
            ),
            (hook(url, SECRET, json!("*")), "event_hooks[1].events must be a list of texts"),
        ] {
            assert_eq!(refusal(&hook), sentence);
        }
        assert_eq!(read(&json!({}), "").unwrap_err(), "event_hooks must be a list of hooks in JSON");
        assert_eq!(
            read(&json!([]), "x").unwrap_err(),
            "'hook_private_networks' must be a comma-separated list of addresses and networks, such as 10.0.0.0/8,::1: \
             'x' is none"
        );
    }

    #[test]
    fn inline_hooks_are_read_and_mistakes_named() {
        let read = |hooks: &Any| {
            let mut values = Values::defaults();
            values.set(settings::place(INLINE_HOOKS).unwrap(), Value::Text(Secret::new(hooks.to_string())));
            let mut flaws = Flaws::default();
            let config = HooksConfig::read(&values, &mut flaws);
            flaws.first().map(|()| config.unwrap().inline)
        };
        let hook = |with: Any| {
            let mut hook =
                json!({"url": "https://a.example/", "secret": SECRET, "before": ["sign_up"], "fail": "open"});
            hook.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
            hook
        };
        let hooks = read(&json!([
            hook(json!({"timeoutMs": 100})),
            hook(json!({"before": ["token", "sign_in"], "fail": "closed"})),
        ]));
        let hooks = hooks.unwrap();
        assert!(hooks[0].fails_open && !hooks[1].fails_open);
        assert_eq!(hooks[1].points, [HookPoint::Token, HookPoint::SignIn]);
        assert_eq!([hooks[0].timeout, hooks[1].timeout], [100, 2_000].map(Duration::from_millis));
        for (second, sentence) in [
            (json!({"before": ["sign_up"]}), "inline_hooks[1].before[0] is there twice: one hook is asked before each"),
            (json!({"before": ["refresh"]}), "inline_hooks[1].before[0] must be sign_up, sign_in or token"),
            (json!({"before": null}), "inline_hooks[1].before is missing"),
            (json!({"before": [], "fail": null}), "inline_hooks[1].fail is missing"),
            (json!({"before": [], "fail": "ajar"}), "inline_hooks[1].fail must be open or closed"),
            (
                json!({"before": [], "timeoutMs": 99}),
                "inline_hooks[1].timeoutMs must be a whole number from 100 to 10000",
            ),
            (
                json!({"before": [], "timeoutMs": "1"}),
                "inline_hooks[1].timeoutMs must be a whole number from 100 to 10000",
            ),
            (json!({"before": [], "events": []}), "inline_hooks[1].events is unknown"),
            (
                json!({"before": [], "secret": "hush"}),
                "inline_hooks[1].secret must be at least 24 random bytes in base64, \
             with or without whsec_ before them",
            ),
        ] {
            assert_eq!(read(&json!([hook(json!({})), hook(second)])).unwrap_err(), sentence);
        }
        assert_eq!(read(&json!("x")).unwrap_err(), "inline_hooks must be a list of hooks in JSON");
    }

    #[test]
    fn without_settings_there_are_no_hooks() {
        let config = HooksConfig::read(&Values::defaults(), &mut Flaws::default()).unwrap();
        assert!(config.events.is_empty() && config.inline.is_empty() && config.reach.private_networks.is_empty());
        assert_eq!(config.retry_ms, 24 * HOUR_MS);
    }
}
