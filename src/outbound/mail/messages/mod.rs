//! The words of mails: one file per language. `{app}`, `{email}` and `{lifetime}` are filled in.

mod de;
mod en;
mod es;
mod fr;
mod ja;
mod pt;
mod words;

use crate::domain::mail::Language;
pub(super) use words::Messages;

/// The words of a language.
pub(super) const fn of(language: Language) -> &'static Messages {
    match language {
        Language::En => &en::MESSAGES,
        Language::De => &de::MESSAGES,
        Language::Fr => &fr::MESSAGES,
        Language::Es => &es::MESSAGES,
        Language::Pt => &pt::MESSAGES,
        Language::Ja => &ja::MESSAGES,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::mail::MailKind;

    #[test]
    fn every_message_has_its_places_and_no_other() {
        for language in Language::ALL {
            let messages = of(language);
            let has = |text: &str, wanted: &[&str]| {
                let found: Vec<_> = text.split('{').skip(1).map(|part| part.split('}').next().unwrap()).collect();
                assert_eq!(found, wanted, "{}: {text}", language.name());
                assert!(!text.trim().is_empty());
            };
            for kind in MailKind::ALL {
                let words = messages.words(kind);
                has(words.subject, &["app"]);
                has(words.intro, &["app"]);
                has(words.action, &[]);
                has(words.ignore, &[]);
            }
            has(messages.link_hint, &[]);
            has(messages.code_hint, &[]);
            has(messages.text_code, &["app"]);
            has(messages.text_link, &["app"]);
            has(messages.validity, &["lifetime"]);
            has(messages.footer, &["email"]);
        }
    }
}
