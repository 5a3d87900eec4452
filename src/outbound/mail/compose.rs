//! Puts a mail into words.

use super::messages::{self, Messages};
use super::{Letter, Templates};
use crate::domain::ids::AppId;
use crate::domain::mail::{Channel, HeaderText, Mail};
use crate::domain::time::UnixMillis;
use minijinja::{Value, context};
use uuid::Uuid;

/// The letter for a mail.
///
/// # Errors
/// When a built-in template cannot be rendered.
pub(super) fn letter(
    templates: &Templates,
    id: Uuid,
    app: AppId,
    mail: Mail,
    date: UnixMillis,
) -> Result<Letter, minijinja::Error> {
    let messages = messages::of(mail.language);
    let subject = HeaderText::new(&filled(messages.words(mail.kind).subject, &mail));
    let values = values(&mail, messages, &subject);
    let name = mail.kind.name();
    let text = templates.render(&format!("{name}.txt"), &values)?;
    let html = match mail.kind.channel() {
        Channel::Mail => templates.render(&format!("{name}.html"), &values)?,
        Channel::Text => String::new(),
    };
    Ok(Letter { id, app, mail, date, subject, text, html })
}

/// What templates are given; the same for every kind, so that one layout serves all.
fn values(mail: &Mail, messages: &Messages, subject: &HeaderText) -> Value {
    let words = messages.words(mail.kind);
    let fill = |message| filled(message, mail);
    context! {
        app_name => mail.app_name.as_str(),
        email => mail.to.as_str(),
        link => mail.link.as_deref(),
        code => mail.code.as_deref(),
        lifetime => mail.language.lifetime(mail.lifetime_ms),
        language => mail.language.name(),
        subject => subject.as_str(),
        intro => fill(words.intro),
        action => fill(words.action),
        link_hint => fill(messages.link_hint),
        code_hint => fill(messages.code_hint),
        text_code => fill(messages.text_code),
        text_link => fill(messages.text_link),
        validity => fill(messages.validity),
        ignore => fill(words.ignore),
        footer => fill(messages.footer),
    }
}

/// A message with its places filled in, in one pass: what is filled in is not looked at again.
fn filled(message: &str, mail: &Mail) -> String {
    let mut text = String::new();
    let mut rest = message;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        match name {
            "app" => text.push_str(&mail.app_name),
            "email" => text.push_str(mail.to.as_str()),
            "lifetime" => text.push_str(&mail.language.lifetime(mail.lifetime_ms)),
            // invariant: messages have no other places, which a test checks
            _ => {}
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::TenantId;
    use crate::domain::mail::{Language, MailAddress, MailKind};
    use crate::domain::sms::PhoneNumber;

    fn mail(kind: MailKind, language: Language) -> Mail {
        Mail {
            tenant: TenantId::public(),
            to: MailAddress::parse("jane@example.org").unwrap().into(),
            kind,
            language,
            app_name: "Shop".to_owned(),
            link: Some("https://x.io/auth/verify?preAuthSessionId=a&tenantId=public#c0de".to_owned()),
            code: None,
            lifetime_ms: 900_000,
            expires: UnixMillis(900_000),
        }
    }

    fn write(mail: Mail) -> Letter {
        letter(&Templates::default(), Uuid::nil(), AppId::base(), mail, UnixMillis(0)).unwrap()
    }

    #[test]
    fn every_mail_can_be_written_in_every_language() {
        for kind in MailKind::ALL.into_iter().filter(|kind| kind.channel() == Channel::Mail) {
            for language in Language::ALL {
                let letter = write(Mail { code: Some("123456".to_owned()), ..mail(kind, language) });
                let Letter { subject, text, html, .. } = &letter;
                let link = letter.mail.link.as_deref().unwrap();
                assert!(subject.as_str().contains("Shop"), "{subject}");
                for part in [text, html] {
                    assert!(part.contains("123456") && part.contains("jane@example.org"), "{part}");
                    assert!(part.contains(&language.lifetime(900_000)), "{part}");
                    assert!(!part.contains('{') && !part.contains('}') || part == html, "{part}");
                }
                assert!(text.lines().any(|line| line == link), "the link has a line of its own: {text}");
                assert!(html.contains(&format!("lang=\"{}\"", language.name())), "{html}");
                assert!(!html.contains("http-equiv") && !html.contains("src="), "nothing is loaded: {html}");
            }
        }
    }

    #[test]
    fn text_messages_are_short_in_every_language() {
        for language in Language::ALL {
            let to = PhoneNumber::parse("+4915112345678").unwrap().into();
            let both = Mail { to, code: Some("123456".to_owned()), ..mail(MailKind::PasswordlessText, language) };
            let code = write(Mail { link: None, ..both.clone() }).text;
            let link = write(Mail { code: None, ..both.clone() }).text;
            let both = write(both);
            for text in [&both.text, &code, &link] {
                assert!(text.contains("Shop") && text.contains(&language.lifetime(900_000)), "{text}");
                assert!(text.trim() == text && !text.contains("\n\n"), "{text:?}");
            }
            assert!(both.text.contains("123456") && both.text.contains("#c0de"), "{}", both.text);
            assert!(!code.contains("http") && !link.contains("123456"), "{code}, {link}");
            // Two parts of a message in UCS-2, the alphabet with the fewest characters per part.
            assert!(code.encode_utf16().count() <= 134, "{code}");
            assert!(both.html.is_empty());
        }
    }

    #[test]
    fn a_mail_says_only_what_it_carries() {
        let login = |link: Option<&str>, code: Option<&str>| {
            let of = |text: Option<&str>| text.map(str::to_owned);
            write(Mail { link: of(link), code: of(code), ..mail(MailKind::PasswordlessLogin, Language::En) })
        };
        let code = login(None, Some("123456"));
        assert!(!code.html.contains("href") && !code.text.contains("http"), "{}", code.text);
        assert!(code.text.contains("123456"));
        let link = login(Some("https://x.io/v#l"), None);
        let hint = messages::of(Language::En).code_hint;
        assert!(!link.text.contains(hint) && !link.html.contains(hint), "{}", link.text);
    }

    #[test]
    fn what_an_operator_or_a_user_wrote_stays_text() {
        let name = "Evil</title><script>\r\nBcc: x@x.io\r\n\r\n{email}{{ link }}".to_owned();
        let letter = write(Mail { app_name: name, ..mail(MailKind::PasswordReset, Language::En) });
        assert!(!letter.html.contains("<script>"), "{}", letter.html);
        assert!(!letter.subject.as_str().contains(['\r', '\n']), "{}", letter.subject);
        assert!(letter.subject.as_str().contains("{email}{{ link }}"), "filled in once: {}", letter.subject);
    }
}
