//! Mails with names, addresses and links of any content.
//!
//! The lines of an input are the application's name, the addressee, the link and the code; the first character of
//! a fifth one chooses kind and language. Whatever they hold: the mail has exactly its own headers, and its HTML has
//! only the templates' elements.
#![no_main]

use sessiond::domain::ids::{AppId, TenantId};
use sessiond::domain::mail::{Addressee, HeaderText, Language, Mail, MailAddress, MailKind, Sender};
use sessiond::outbound::http::{DirectHttp, SystemResolver};
use sessiond::outbound::mail::{Mailer, SmtpTransport, Templates, message};
use sessiond::outbound::sms::HttpSms;
use sessiond_fuzz::{NOW, wait};
use std::sync::{Arc, LazyLock};

const HEADERS: [&str; 9] = [
    "Date",
    "From",
    "To",
    "Subject",
    "Message-ID",
    "Auto-Submitted",
    "Content-Language",
    "MIME-Version",
    "Content-Type",
];

static MAILER: LazyLock<Mailer> = LazyLock::new(|| {
    let http = Arc::new(DirectHttp::new(Arc::new(SystemResolver)));
    Mailer::new(Arc::new(SmtpTransport::default()), Arc::new(HttpSms::new(http)), Templates::default())
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let mut line = || lines.next().unwrap_or_default().to_owned();
    let (name, to, link, code, choice) = (line(), line(), line(), line(), line());
    let Ok(to) = Addressee::try_from(to) else { return };
    let choice = choice.bytes().next().map_or(0, usize::from);
    let kind = MailKind::ALL[choice % MailKind::ALL.len()];
    let mail = |name: &str, link: &str, code: &str| Mail {
        tenant: TenantId::public(),
        to: to.clone(),
        kind,
        language: Language::ALL[choice / 16 % Language::ALL.len()],
        app_name: name.to_owned(),
        link: Some(link.to_owned()),
        code: Some(code.to_owned()),
        lifetime_ms: 60_000,
        expires: NOW,
    };
    let write = |mail| wait(MAILER.write(uuid::Uuid::nil(), AppId::base(), mail, NOW)).expect("a letter");
    let letter = write(mail(&name, &link, &code));
    // Empty ones leave out their paragraph.
    let stand_in = |text: &str| if text.is_empty() { "" } else { "1" };
    let plain = write(mail("Shop", stand_in(&link), stand_in(&code)));
    let tags = |html: &str| html.matches('<').count();
    assert_eq!(tags(&letter.html), tags(&plain.html), "{}", letter.html);
    let from = Sender { name: HeaderText::new(&name), address: MailAddress::parse("a@x.io").expect("an address") };
    let message = String::from_utf8(message(&from, &letter)).expect("UTF-8");
    let (head, _) = message.split_once("\r\n\r\n").expect("a head");
    let fields = head.split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
    let names: Vec<_> = fields.map(|field| field.split(':').next().unwrap_or_default()).collect();
    assert_eq!(names, HEADERS, "{head}");
    assert!(head.bytes().all(|byte| byte == b'\r' || byte == b'\n' || !byte.is_ascii_control()), "{head:?}");
});
