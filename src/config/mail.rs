//! [`MailConfig`]: the typed settings of outbound mail, and their rules.

use crate::config::flaws::Flaws;
use crate::config::values::Values;
use crate::domain::loopback::is_loopback;
use crate::domain::mail::{Credentials, HeaderText, Language, MailAddress, Security, Sender, SmtpServer};
use crate::domain::secret::Secret;
use std::sync::Arc;

/// The port on which servers expect TLS from the first byte (RFC 8314).
const SUBMISSIONS_PORT: u16 = 465;

/// The effective settings of an app's mails.
#[derive(Debug, Clone)]
pub struct MailConfig {
    /// The server that mails are handed to; without one they are caught.
    pub server: Option<Arc<SmtpServer>>,
    /// The language of mails to people whose language is not known.
    pub language: Language,
}

impl MailConfig {
    /// The typed form of values that [`check`] has accepted. A server whose stored settings are no longer valid is left
    /// out: its mails are caught.
    pub(super) fn from_values(values: &Values) -> Self {
        let language = values.text("mail_language").and_then(Language::from_tag).unwrap_or_default();
        Self { server: server(values).ok().flatten().map(Arc::new), language }
    }
}

/// Checks the rules of mail settings.
pub(super) fn check(values: &Values, flaws: &mut Flaws) {
    let address = flaws.keep(["smtp_from_email"], from_address(values));
    let host = flaws.keep(["smtp_host"], host(values));
    if let (Some(_), Some(_)) = (address, host) {
        flaws.keep(["smtp_host", "smtp_from_email", "smtp_secure", "smtp_password"], server(values));
    }
}

fn host(values: &Values) -> Result<Option<&str>, String> {
    let Some(host) = values.text("smtp_host") else { return Ok(None) };
    if host.is_empty() || host.contains(|char: char| char.is_whitespace() || matches!(char, '/' | '@' | ',')) {
        return Err("'smtp_host' must be a host name or an address, without a scheme, a path or a port".to_owned());
    }
    Ok(Some(host))
}

fn from_address(values: &Values) -> Result<Option<MailAddress>, String> {
    let Some(text) = values.text("smtp_from_email") else { return Ok(None) };
    MailAddress::parse(text).map(Some).map_err(|error| format!("'smtp_from_email' is not a valid address: {error}"))
}

/// The server that the settings describe, if they name one.
fn server(values: &Values) -> Result<Option<SmtpServer>, String> {
    let Some(host) = host(values)? else { return Ok(None) };
    let Some(address) = from_address(values)? else {
        return Err("'smtp_from_email' must be set if 'smtp_host' is: it is the sender's address".to_owned());
    };
    let port = u16::try_from(values.unsigned("smtp_port")).unwrap_or_default();
    let password = values.text("smtp_password").filter(|password| !password.is_empty());
    let security = match values.text("smtp_secure").unwrap_or_default().to_ascii_lowercase().as_str() {
        "tls" | "true" => Security::Tls,
        "starttls" => Security::StartTls,
        "opportunistic" | "false" => Security::StartTlsIfOffered.with_password(host, password.is_some()),
        "none" => Security::Plain,
        _ if port == SUBMISSIONS_PORT => Security::Tls,
        _ if is_loopback(host) => Security::Plain,
        _ => Security::StartTls,
    };
    if security == Security::Plain && password.is_some() && !is_loopback(host) {
        return Err(
            "'smtp_secure' must not be none if 'smtp_password' is set: the password would be sent unencrypted \
                    to another machine"
                .to_owned(),
        );
    }
    let username = values.text("smtp_auth_username").filter(|username| !username.is_empty());
    let credentials = password.map(|password| Credentials {
        username: username.unwrap_or(address.as_str()).to_owned(),
        password: Secret::new(password.to_owned()),
    });
    let name = HeaderText::new(values.text("smtp_from_name").unwrap_or_default());
    Ok(Some(SmtpServer { host: host.to_owned(), port, security, credentials, from: Sender { name, address } }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::BaseConfig;

    fn read(settings: &[(&str, &str)]) -> Result<Option<Arc<SmtpServer>>, String> {
        let config = BaseConfig::with(settings, false).map_err(|error| error.to_string())?;
        Ok(config.app.mail.server.clone())
    }

    fn security(settings: &[(&str, &str)]) -> Security {
        let all = [&[("smtp_from_email", "shop@x.io")], settings].concat();
        read(&all).unwrap().unwrap().security
    }

    #[test]
    fn without_a_server_mails_are_caught() {
        assert!(read(&[]).unwrap().is_none());
        assert!(read(&[("smtp_from_email", "shop@x.io")]).unwrap().is_none());
    }

    #[test]
    fn auto_means_encryption_beyond_this_machine() {
        assert_eq!(security(&[("smtp_host", "mx.x.io")]), Security::StartTls);
        assert_eq!(security(&[("smtp_host", "mx.x.io"), ("smtp_port", "465")]), Security::Tls);
        assert_eq!(security(&[("smtp_host", "localhost")]), Security::Plain);
        assert_eq!(security(&[("smtp_host", "mx.x.io"), ("smtp_secure", "TRUE")]), Security::Tls);
        let optional = [("smtp_host", "mx.x.io"), ("smtp_secure", "false")];
        assert_eq!(security(&optional), Security::StartTlsIfOffered);
        assert_eq!(security(&[&optional[..], &[("smtp_password", "s3cret")]].concat()), Security::StartTls);
    }

    #[test]
    fn the_account_is_the_sender_unless_named() {
        let base = [("smtp_host", "mx.x.io"), ("smtp_from_email", "shop@x.io"), ("smtp_password", "s3cret")];
        let username =
            |settings: &[(&str, &str)]| read(settings).unwrap().unwrap().credentials.clone().unwrap().username;
        assert_eq!(username(&base), "shop@x.io");
        assert_eq!(username(&[&base[..], &[("smtp_auth_username", "apikey")]].concat()), "apikey");
    }

    #[test]
    fn what_cannot_work_is_refused_by_name() {
        let host = ("smtp_host", "mx.x.io");
        let from = ("smtp_from_email", "shop@x.io");
        for (settings, key) in [
            (vec![host], "smtp_from_email"),
            (vec![("smtp_from_email", "shop")], "smtp_from_email"),
            (vec![("smtp_host", "smtp://mx.x.io"), from], "smtp_host"),
            (vec![("smtp_host", "a b"), from], "smtp_host"),
            (vec![host, from, ("smtp_port", "0")], "smtp_port"),
            (vec![host, from, ("smtp_port", "65536")], "smtp_port"),
            (vec![host, from, ("smtp_secure", "maybe")], "smtp_secure"),
            (vec![host, from, ("smtp_secure", "none"), ("smtp_password", "s3cret")], "smtp_secure"),
            (vec![("mail_language", "tlh")], "mail_language"),
        ] {
            let error = read(&settings).unwrap_err();
            assert!(error.contains(key), "{settings:?}: {error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
