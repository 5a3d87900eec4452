//! [`SmsConfig`]: the typed settings of outbound text messages, and their rules.

use crate::config::flaws::Flaws;
use crate::config::values::Values;
use crate::config::webhook::{SECRET_RULE, URL_RULE, is_protected, webhook_key};
use crate::domain::secret::Secret;
use crate::domain::sms::{SmsService, Twilio, TwilioSender};
use crate::domain::webhook::Webhook;
use std::sync::Arc;

/// The effective settings of an app's text messages.
#[derive(Debug, Clone)]
pub struct SmsConfig {
    /// The service that delivers them; without one they are caught.
    pub service: Option<Arc<SmsService>>,
}

impl SmsConfig {
    /// The typed form of values that [`check`] has accepted. A service whose stored settings are no longer valid is left
    /// out: its messages are caught.
    pub(super) fn from_values(values: &Values) -> Self {
        Self { service: service(values).ok().flatten().map(Arc::new) }
    }
}

/// Checks the rules of the settings of text messages.
pub(super) fn check(values: &Values, flaws: &mut Flaws) {
    match (filled(values, "sms_twilio_account_sid"), filled(values, "sms_webhook_url")) {
        (_, Some(_)) => flaws.keep(["sms_webhook_url", "sms_webhook_secret"], service(values)),
        (Some(_), None) => {
            let keys = ["sms_twilio_account_sid", "sms_twilio_auth_token", "sms_twilio_from", "sms_twilio_base_url"];
            flaws.keep(keys, service(values))
        }
        (None, None) => None,
    };
}

/// The service that the settings describe, if they name one.
fn service(values: &Values) -> Result<Option<SmsService>, String> {
    match (filled(values, "sms_twilio_account_sid"), filled(values, "sms_webhook_url")) {
        (None, None) => Ok(None),
        // An app may have a program of its own where the others use an account at Twilio.
        (_, Some(url)) => webhook(values, url).map(SmsService::Webhook).map(Some),
        (Some(sid), None) => twilio(values, sid).map(SmsService::Twilio).map(Some),
    }
}

fn filled<'v>(values: &'v Values, key: &str) -> Option<&'v str> {
    values.text(key).filter(|text| !text.is_empty())
}

fn twilio(values: &Values, sid: &str) -> Result<Twilio, String> {
    if !sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err("'sms_twilio_account_sid' must be letters and digits, such as AC0123456789abcdef".to_owned());
    }
    let token = filled(values, "sms_twilio_auth_token")
        .ok_or("'sms_twilio_auth_token' must be set if 'sms_twilio_account_sid' is")?;
    let from = match (filled(values, "sms_twilio_messaging_service_sid"), filled(values, "sms_twilio_from")) {
        (Some(service), _) => TwilioSender::MessagingService(service.to_owned()),
        (None, Some(number)) => TwilioSender::Number(number.to_owned()),
        (None, None) => {
            let rule =
                "'sms_twilio_from' or 'sms_twilio_messaging_service_sid' must be set if 'sms_twilio_account_sid' is";
            return Err(rule.to_owned());
        }
    };
    let base_url = values.text("sms_twilio_base_url").unwrap_or_default();
    check_url("sms_twilio_base_url", base_url)?;
    Ok(Twilio {
        account_sid: sid.to_owned(),
        auth_token: Secret::new(token.to_owned()),
        from,
        base_url: base_url.trim_end_matches('/').to_owned(),
    })
}

fn webhook(values: &Values, url: &str) -> Result<Webhook, String> {
    check_url("sms_webhook_url", url)?;
    let rule = format!("'sms_webhook_secret' must be set if 'sms_webhook_url' is: {SECRET_RULE}");
    let key = filled(values, "sms_webhook_secret").and_then(webhook_key).ok_or(rule)?;
    Ok(Webhook { url: url.to_owned(), keys: vec![key] })
}

/// Codes go to this URL, so the connection is encrypted unless it stays on this machine.
fn check_url(key: &str, url: &str) -> Result<(), String> {
    if is_protected(url) { Ok(()) } else { Err(format!("'{key}' {URL_RULE}")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::BaseConfig;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const TWILIO: [(&str, &str); 3] =
        [("sms_twilio_account_sid", "AC1"), ("sms_twilio_auth_token", "s3cret"), ("sms_twilio_from", "+15005550006")];

    fn read(settings: &[(&str, &str)]) -> Result<Option<Arc<SmsService>>, String> {
        let config = BaseConfig::with(settings, false).map_err(|error| error.to_string())?;
        Ok(config.app.sms.service.clone())
    }

    fn url(settings: &[(&str, &str)]) -> String {
        read(settings).unwrap().unwrap().url()
    }

    #[test]
    fn the_settings_name_one_service_or_none() {
        assert!(read(&[]).unwrap().is_none());
        assert!(read(&[("sms_twilio_from", "+15005550006")]).unwrap().is_none());
        assert_eq!(url(&TWILIO), "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json");
        let other = [&TWILIO[..], &[("sms_twilio_base_url", "http://localhost:1/x/")]].concat();
        assert_eq!(url(&other), "http://localhost:1/x/2010-04-01/Accounts/AC1/Messages.json");
        let own = [("sms_webhook_url", "https://shop.example/sms?x=1"), ("sms_webhook_secret", SECRET)];
        assert_eq!(url(&own), "https://shop.example/sms?x=1");
        let bare = [own[0], ("sms_webhook_secret", SECRET.trim_start_matches("whsec_"))];
        assert_eq!(url(&bare), url(&own));
        assert_eq!(url(&[&TWILIO[..], &own].concat()), url(&own), "the webhook takes the place of the account");
    }

    #[test]
    fn what_cannot_work_is_refused_by_name() {
        let (sid, token, from) = (TWILIO[0], TWILIO[1], TWILIO[2]);
        let hook = ("sms_webhook_url", "https://shop.example");
        for (settings, key) in [
            (vec![sid, from], "sms_twilio_auth_token"),
            (vec![sid, token], "sms_twilio_from"),
            (vec![("sms_twilio_account_sid", "AC1/../x"), token, from], "sms_twilio_account_sid"),
            (vec![sid, token, from, ("sms_twilio_base_url", "http://api.twilio.com")], "sms_twilio_base_url"),
            (vec![sid, token, from, hook], "sms_webhook_secret"),
            (vec![hook], "sms_webhook_secret"),
            (vec![hook, ("sms_webhook_secret", "whsec_c2hvcnQ=")], "sms_webhook_secret"),
            (vec![hook, ("sms_webhook_secret", "not base64, but long enough for one")], "sms_webhook_secret"),
            (vec![("sms_webhook_url", "shop.example"), ("sms_webhook_secret", SECRET)], "sms_webhook_url"),
            (vec![("sms_webhook_url", "https://u:p@shop.example"), ("sms_webhook_secret", SECRET)], "sms_webhook_url"),
        ] {
            let error = read(&settings).unwrap_err();
            assert!(error.contains(key), "{settings:?}: {error}");
            assert!(!error.contains("s3cret") && !error.contains("base64, but"), "{error}");
        }
    }
}
