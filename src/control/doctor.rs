//! What the running server has seen that does not fit, and what its settings lack.

use crate::command::outbox::operate::ListMail;
use crate::command::scope::{Cause, Scope};
use crate::config::front::{ContactMethod, FrontConfig, FrontRecipe};
use crate::context::Context;
use crate::control::task_context::failed;
use crate::domain::anomaly::Anomaly;
use crate::domain::ids::AppId;
use crate::domain::origin::Origin;
use crate::state::directory::AppEntry;
use serde_json::{Value, json};
use std::sync::Arc;

/// The most waiting mails that are looked at per app.
const MAX_MAILS: usize = 1000;
/// The most apps that are named.
const MAX_APPS: usize = 10;

/// Examines the running server: what it has seen, what waits, what its settings lack. The result has the shape of the
/// command's `--json` output.
///
/// # Errors
/// A sentence for the operator when the store fails.
pub async fn examine(context: &Context) -> Result<Value, String> {
    let now = context.now();
    let mut findings = Vec::new();
    for anomaly in Anomaly::ALL {
        if let Some(seen) = context.sightings.of(anomaly, now) {
            findings.push(json!({
                "name": anomaly.name(), "cause": anomaly.cause(), "wayOut": anomaly.way_out(),
                "count": seen.count, "firstSeen": seen.first, "lastSeen": seen.last, "requestId": seen.request_id,
                "app": shown(&seen.app), "subjects": seen.subjects, "examples": seen.examples,
            }));
            continue;
        }
        let mut apps = Vec::new();
        for app in context.directory.apps() {
            if apps.len() < MAX_APPS && is_wrong(context, &app, anomaly).await? {
                apps.push(shown(&app.id));
            }
        }
        if !apps.is_empty() {
            findings.push(json!({
                "name": anomaly.name(), "cause": anomaly.cause(), "wayOut": anomaly.way_out(), "apps": apps,
            }));
        }
    }
    Ok(json!({ "findings": findings }))
}

/// An app as other tasks show it.
fn shown(app: &AppId) -> Value {
    json!({ "connectionUriDomain": app.connection_uri_domain, "appId": app.app_id })
}

/// Whether an app's settings, or its outbox, have an anomaly by themselves.
async fn is_wrong(context: &Context, app: &Arc<AppEntry>, anomaly: Anomaly) -> Result<bool, String> {
    // Without an address, a front door is for development, where all of this is as it should be.
    let Some(front) = app.config.front.as_ref().filter(|front| front.api.origin.is_some()) else { return Ok(false) };
    Ok(match anomaly {
        Anomaly::FrontHostShared => !context.directory.shared_front_hosts(&app.id).is_empty(),
        // Where browsers have used https, that is what was told.
        Anomaly::HttpApiOfHttpsPage => {
            context.sightings.of(Anomaly::HttpsUnknown, context.now()).is_none() && has_http_api_of_https_page(front)
        }
        Anomaly::MailFailing => is_mail_failing(context, app).await?,
        Anomaly::MailServerMissing => app.config.mail.server.is_none() && needs_mail(front),
        Anomaly::TextServiceMissing => app.config.sms.service.is_none() && needs_texts(front),
        Anomaly::MasterKeyMissing => {
            let base = context.directory.base();
            app.is_public() && base.master_key.is_none() && !base.ephemeral
        }
        _ => false,
    })
}

async fn is_mail_failing(context: &Context, app: &Arc<AppEntry>) -> Result<bool, String> {
    let scope = Scope { app: Arc::clone(app), cause: Cause::without_request("sessiond doctor") };
    let waiting = ListMail { scope, limit: MAX_MAILS }.run(context).await.map_err(failed)?;
    Ok(waiting.iter().any(|mail| mail.record.progress.failures > 0))
}

fn has_http_api_of_https_page(front: &FrontConfig) -> bool {
    let is_open = |api: &Origin| !api.is_https && !api.is_loopback();
    front.api.origin.as_ref().is_some_and(is_open) && front.websites.iter().any(|website| website.is_https)
}

fn needs_mail(front: &FrontConfig) -> bool {
    front.has(FrontRecipe::EmailPassword)
        || front.has(FrontRecipe::EmailVerification)
        || front.has(FrontRecipe::Passwordless) && front.passwordless.contact != ContactMethod::Phone
}

fn needs_texts(front: &FrontConfig) -> bool {
    front.has(FrontRecipe::Passwordless) && front.passwordless.contact != ContactMethod::Email
}
