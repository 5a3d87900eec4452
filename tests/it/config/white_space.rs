//! Invisible characters at the ends of a value never count; inside one they are reported.

use super::Given;
use sessiond::config::settings::{self, Default, Kind, Setting};
use sessiond::config::{BaseConfig, Origin};
use sessiond::domain::sms::SmsService;
use std::collections::HashMap;

/// Characters that editors, shells, secrets from files and other systems leave at the ends of a value.
pub(crate) const BLANKS: [&str; 8] = ["\n", "\r\n", "\r", " ", "\t", "\u{a0}", "\u{feff}", "\u{200b}"];

/// A key of webhooks.
const WEBHOOK_SECRET: &str = "Zmlyc3QtLWZpcnN0LS1maXJzdC0tZmlyc3Q=";

/// A value that differs from the default and passes every rule.
pub(crate) fn sample(setting: &Setting) -> String {
    let named = match setting.key {
        "core_config_version" => "0",
        "api_keys" => "abcdefghijklmnopqrstuvwx",
        "supertokens_saas_secret" => "abcdefghijklmnopqrstuvwxabcdefghijklmnopqrstuvwx",
        "supertokens_saas_load_only_cud" => "example.com",
        "supertokens_max_cdi_version" => "5.0",
        "supertokens_min_cdi_version" => "2.9",
        "ip_allow_regex" => r"10\..*",
        "ip_deny_regex" => r"192\.0\.2\..*",
        "log_level" => "WARN",
        "oauth_client_secret_encryption_key" => "correct horse",
        "provider_private_networks" | "hook_private_networks" => "10.0.0.0/8",
        "third_party_providers" | "event_hooks" | "inline_hooks" => "[]",
        "trusted_proxies" => "10.0.0.0/8, ::1",
        "allowed_hosts" => "core.example.com,*.example.net",
        "allowed_origins" => "http://localhost:3000",
        "host" | "front_host" => "127.0.0.2",
        "app_name" => "Shop",
        "account_linking" => "always",
        "api_domain" => "https://auth.example.com",
        "website_domain" => "https://www.example.com,http://localhost:3000",
        "api_base_path" | "api_gateway_path" | "website_base_path" | "access_token_path" => "/x",
        "recipe_list" => "userroles,emailpassword",
        "cookie_domain" | "older_cookie_domain" => ".example.com",
        "sign_up_form_fields" => r#"[{"id": "name"}]"#,
        "front_tenant_hosts" => r#"{"a.example.com": "a"}"#,
        "front_rate_limits" => r#"{"mail": {"app": "off"}}"#,
        "first_factors" => "emailpassword",
        "base_path" => "/x",
        "brute_force_address_header" => "x-real-ip",
        "firebase_password_hashing_signer_key" => "c2lnbmVy",
        "refresh_token_rotation_grace_period" => "31",
        "access_token_validity_jitter" => "0.125",
        "smtp_from_email" => "shop@example.org",
        "smtp_host" => "localhost",
        "smtp_password" | "sms_twilio_auth_token" => "correct horse",
        "front_acme_eab_key" => "c2lnbmVyLWtleQ",
        "sms_twilio_account_sid" => "AC2",
        "sms_webhook_secret" => WEBHOOK_SECRET,
        _ => "",
    };
    if !named.is_empty() {
        return named.to_owned();
    }
    let other = |known: &&&'static str| Default::Text(known) != setting.default;
    if let Some(choice) = setting.one_of.iter().find(other) {
        return (*choice).to_owned();
    }
    match (setting.kind, setting.default) {
        (Kind::Bool, default) => (default == Default::Bool(false)).to_string(),
        (Kind::Int | Kind::Long, Default::Int(number)) => (number + 1).to_string(),
        (Kind::Int | Kind::Long, _) => "2".to_owned(),
        (Kind::Double, Default::Double(number)) => (number + 1.5).to_string(),
        (Kind::Path, _) => "a folder/x".to_owned(),
        _ if setting.unit == "URL" => "https://example.com".to_owned(),
        _ => "text".to_owned(),
    }
}

/// Sources with the other settings without which this one would be refused.
fn companions(setting: &Setting) -> Given {
    let needed: &[(&str, &str)] = match setting.key {
        "supertokens_saas_secret" => &[("api_keys", "abcdefghijklmnopqrstuvwx")],
        key if key.starts_with("oauth_provider_") => &[
            ("oauth_provider_public_service_url", "https://example.com"),
            ("oauth_provider_admin_service_url", "https://example.com"),
            ("oauth_provider_consent_login_base_url", "https://example.com"),
        ],
        "smtp_host" | "smtp_password" => &[("smtp_host", "localhost"), ("smtp_from_email", "shop@example.org")],
        "sms_twilio_account_sid" | "sms_twilio_auth_token" => &[
            ("sms_twilio_account_sid", "AC1"),
            ("sms_twilio_auth_token", "secret"),
            ("sms_twilio_from", "+15005550006"),
        ],
        "sms_webhook_url" | "sms_webhook_secret" => {
            &[("sms_webhook_url", "https://example.com"), ("sms_webhook_secret", WEBHOOK_SECRET)]
        }
        "front_acme" => &[("api_domain", "https://auth.example.com")],
        "front_tls_cert" | "front_tls_key" => {
            &[("front_tls_cert", "cert.pem"), ("front_tls_key", "key.pem"), ("api_domain", "https://auth.example.com")]
        }
        _ => &[],
    };
    let lines: Vec<String> = needed
        .iter()
        .filter(|(key, _)| *key != setting.key)
        .map(|(key, value)| format!("{key}: \"{value}\""))
        .collect();
    Given::new().file(&lines.join("\n"))
}

/// The setting's value in a comparable form, secrets included.
fn seen(config: &BaseConfig, key: &str) -> (String, Origin) {
    let row = config.effective_settings().into_iter().find(|row| row.key == key).unwrap();
    let secret = match key {
        "api_keys" => Some(config.app.api_keys[0].expose().clone()),
        "supertokens_saas_secret" => Some(config.saas_secret.as_ref().unwrap().expose().clone()),
        "firebase_password_hashing_signer_key" => {
            Some(config.app.firebase_signer_key.as_ref().unwrap().expose().clone())
        }
        "smtp_password" => {
            let server = config.app.mail.server.as_ref().unwrap();
            Some(server.credentials.as_ref().unwrap().password.expose().clone())
        }
        "sms_twilio_auth_token" | "sms_webhook_secret" => match config.app.sms.service.as_deref().unwrap() {
            SmsService::Twilio(twilio) => Some(twilio.auth_token.expose().clone()),
            SmsService::Webhook(webhook) => Some(format!("{:?}", webhook.keys[0].expose())),
        },
        _ => None,
    };
    (secret.unwrap_or(row.value), row.origin)
}

/// The same setting given by every source, in every way that each supports; `written` is the value.
fn ways(setting: &Setting, written: &str) -> Vec<(String, Given)> {
    let key = setting.key;
    let mut ways = Vec::new();
    let escaped: String = written.chars().map(yaml_escape).collect();
    let with_line = |line: &str| {
        let given = companions(setting);
        let lines = std::fs::read_to_string(given.path()).unwrap().replace("core_config_version: 0\n", "");
        let version = if key == "core_config_version" { "" } else { "core_config_version: 0\n" };
        given.raw_file(&format!("{version}{lines}{line}\n"))
    };
    ways.push(("quoted in the file".to_owned(), with_line(&format!("{key}: \"{escaped}\""))));
    if !written.contains(['\n', '\r']) {
        // Plain JSON would be YAML's own.
        if setting.kind != Kind::Json {
            ways.push(("plain in the file".to_owned(), with_line(&format!("{key}: {written}"))));
        }
        ways.push(("a block in the file".to_owned(), with_line(&format!("{key}: |\n  {}\n", written.trim_start()))));
    }
    if key != "core_config_version" {
        ways.push(("a flag".to_owned(), companions(setting).flag(key, written)));
    }
    if let Some(name) = setting.env {
        ways.push(("a variable".to_owned(), companions(setting).env(name, written)));
        ways.push(("a variable in double quotes".to_owned(), companions(setting).env(name, in_double_quotes(written))));
        ways.push(("a variable in single quotes".to_owned(), companions(setting).env(name, format!("'{written}'\r"))));
    }
    ways
}

fn yaml_escape(char: char) -> String {
    match char {
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '"' | '\\' => format!("\\{char}"),
        ' '..='~' => char.to_string(),
        other => format!("\\u{:04x}", u32::from(other)),
    }
}

fn in_double_quotes(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t");
    format!("\"{escaped}\"")
}

#[test]
fn white_space_at_both_ends_of_any_setting_from_any_source_does_not_count() {
    let mut tried = 0;
    for setting in settings::ALL.iter() {
        let value = sample(setting);
        let clean: HashMap<String, (String, Origin)> = ways(setting, &value)
            .into_iter()
            .map(|(way, given)| (way, seen(&given.loaded().config, setting.key)))
            .collect();
        for blank in BLANKS {
            for (way, given) in ways(setting, &format!("{blank}{value}{blank}{blank}")) {
                let loaded = given.loaded();
                let about = format!("{}, {way}, {blank:?}", setting.key);
                assert_eq!(seen(&loaded.config, setting.key), clean[&way], "{about}");
                assert_ne!(clean[&way].1, Origin::Default, "{about}");
                let odd = loaded.warnings.iter().find(|warning| !warning.contains("has no effect"));
                assert_eq!(odd, None, "{about}");
                tried += 1;
            }
        }
    }
    assert!(tried > 2500, "{tried}");
}

#[test]
fn a_setting_that_is_blank_in_the_environment_is_not_set() {
    for setting in settings::ALL.iter() {
        let Some(name) = setting.env else { continue };
        for blank in BLANKS.iter().chain(&["", "\"\"", "''", "\" \\n\"", "'\t'"]) {
            let loaded = Given::new().env(name, *blank).loaded();
            let row = loaded.config.effective_settings().into_iter().find(|row| row.key == setting.key).unwrap();
            let remark = format!("Environment variable {name} is empty: it counts as not set.");
            let remarks = if setting.secret || setting.protected { vec![remark] } else { Vec::new() };
            assert_eq!((row.origin, loaded.warnings), (Origin::Default, remarks), "{name} {blank:?}");
        }
    }
    for name in ["SESSIOND_MASTER_KEY", "SESSIOND_MASTER_KEY_FILE"] {
        let loaded = Given::new().env(name, "\u{feff}\n").loaded();
        assert!(loaded.config.master_key.is_none());
        assert_eq!(loaded.warnings, [format!("Environment variable {name} is empty: it counts as not set.")]);
    }
}

#[test]
fn what_cannot_be_seen_inside_a_value_is_named_and_secrets_are_not_shown() {
    // In keys and in JSON white space between parts does not count.
    let is_plain = |setting: &&&Setting| setting.key != "api_keys" && setting.kind != Kind::Json;
    for setting in settings::ALL.iter().filter(is_plain) {
        let value = sample(setting);
        for (hidden, shown) in
            [("\u{200b}", r"\u{200b}"), ("\u{feff}", r"\u{feff}"), ("\n", r"\n"), ("\u{7}", r"\u{7}")]
        {
            if setting.kind == Kind::Path && !hidden.chars().all(char::is_control) {
                continue;
            }
            let middle = value.len() / 2;
            let written = format!("{}{hidden}{}", &value[..middle], &value[middle..]);
            let written = if value.len() == 1 { format!("{value}{hidden}{value}") } else { written };
            for (way, given) in ways(setting, &written) {
                if setting.kind == Kind::Bool
                    && way.starts_with("a variable")
                    && !setting.env.unwrap().starts_with("SESSIOND_")
                {
                    let warnings = given.loaded().warnings;
                    assert!(
                        warnings.iter().any(|warning| warning.contains(shown)),
                        "{} {way}: {warnings:?}",
                        setting.key
                    );
                    continue;
                }
                let sentence = given.refused();
                if hidden == "\u{feff}" && (way == "plain in the file" || way == "a block in the file") {
                    assert!(sentence.contains("a byte order mark must not appear"), "{sentence}");
                    continue;
                }
                let about = format!("{}, {way}: {sentence}", setting.key);
                assert!(sentence.starts_with(&format!("'{}' ", setting.key)), "{about}");
                assert!(sentence.contains(shown), "{about}");
                assert!(!sentence.contains(hidden), "{about}");
                assert!(!setting.secret || !sentence.contains(&value[..middle]), "{about}");
            }
        }
    }
}

#[test]
fn folders_may_have_names_with_other_kinds_of_space() {
    for name in ["a\u{a0}b", "a b", "\u{1f468}\u{200d}\u{1f469}", "\u{3000}x/y"] {
        let given = Given::new().env("SESSIOND_DATA_DIR", format!("x/{name}"));
        assert_eq!(given.loaded().config.data_dir, std::path::PathBuf::from(format!("x/{name}")));
    }
}

#[test]
fn rules_about_addresses_deny_whom_they_name_whatever_surrounds_them() {
    for written in
        ["192\\.0\\.2\\.1\n", "'192\\.0\\.2\\.1'", "\"192\\\\.0\\\\.2\\\\.1\\r\"", "\u{feff}192\\.0\\.2\\.1\u{a0}"]
    {
        let config = Given::new().env("IP_DENY_REGEX", written).loaded().config;
        assert!(config.app.ip_deny.as_ref().unwrap().is_match("192.0.2.1"), "{written:?}");
    }
    let block = Given::new().file("ip_deny_regex: |\n  192\\.0\\.2\\.1\nip_allow_regex: >-\n  .*\n\n").loaded().config;
    assert!(block.app.ip_deny.as_ref().unwrap().is_match("192.0.2.1"));
    for (written, leftover) in
        [(r"10\..* | 192\..*", r#"" ""#), (r"''10\..*''", r#""'""#), ("10\\..*\u{2019}", "\"\u{2019}\"")]
    {
        let sentence = Given::new().env("IP_DENY_REGEX", written).refused();
        assert!(sentence.contains(&format!("looks for {leftover}, which is in no address")), "{sentence}");
    }
    let lines = Given::new().file("ip_deny_regex: |\n  10\\..*\n  |192\\..*\n");
    assert!(lines.refused().starts_with("'ip_deny_regex' holds the invisible character \\n: "), "{}", lines.refused());
    let network = Given::new().env("IP_DENY_REGEX", "10.0.0.0/8").loaded();
    assert_eq!(
        network.warnings,
        ["No address matches 'ip_deny_regex' (\"10.0.0.0/8\"), so it denies nobody: it is a regular expression."]
    );
}

#[test]
fn a_name_of_a_header_is_one() {
    for wrong in ["x forwarded for", "x-forwarded-for:", "ä"] {
        let sentence = Given::new().flag("brute_force_address_header", wrong).refused();
        assert!(
            sentence.starts_with("'brute_force_address_header' must be the name of a header, not \""),
            "{sentence}"
        );
    }
    assert_eq!(Given::new().file("host: ' '").refused(), "'host' must not be empty");
}
