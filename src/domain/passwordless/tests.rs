//! The guarantees of devices and codes.

use super::*;
use crate::domain::entropy::Entropy;
use proptest::prelude::*;

const RULES: CodeRules = CodeRules { lifetime_ms: 100, attempts_max: 3 };

fn hash(byte: u8) -> LinkCodeHash {
    LinkCodeHash::from_bytes([byte; 32])
}

fn code(byte: u8, created: u64) -> Code {
    Code { id: CodeId::from_bytes([byte; 16]), link_code: hash(byte), created: UnixMillis(created) }
}

fn device(failed_attempts: u64, codes: &[Code]) -> Device {
    Device { contact: Contact::Email("jane@x.io".to_owned()), failed_attempts, codes: codes.to_vec() }
}

struct Fixed(u8);

impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

#[test]
fn a_code_is_good_for_its_lifetime_and_its_last_millisecond() {
    let device = device(0, &[code(1, 0), code(2, 50)]);
    let input = |byte, now| device.judge_input(&hash(byte), RULES, UnixMillis(now));
    let link = |byte, now| device.judge_link(&hash(byte), RULES, UnixMillis(now));
    assert_eq!((input(1, 100), link(1, 100)), (Verdict::Right, Verdict::Right));
    assert_eq!(input(1, 101), Verdict::Failed { failed_attempts: 1, expired: true });
    assert_eq!(link(1, 101), Verdict::DeadLink);
    assert_eq!((input(2, 101), link(2, 101)), (Verdict::Right, Verdict::Right));
    assert_eq!(input(3, 0), Verdict::Failed { failed_attempts: 1, expired: false });
    assert_eq!(link(3, 0), Verdict::DeadLink);
    assert!(!device.is_expired(RULES, UnixMillis(150)));
    assert!(device.is_expired(RULES, UnixMillis(151)));
}

#[test]
fn the_attempt_that_reaches_the_limit_uses_the_device_up() {
    let at = |failed, byte| device(failed, &[code(1, 0)]).judge_input(&hash(byte), RULES, UnixMillis(0));
    assert_eq!(at(1, 9), Verdict::Failed { failed_attempts: 2, expired: false });
    assert_eq!(at(2, 9), Verdict::UsedUp);
    assert_eq!(at(2, 1), Verdict::Right);
    assert_eq!(at(3, 1), Verdict::UsedUp, "the setting was lowered");
    let link = device(3, &[code(1, 0)]).judge_link(&hash(1), RULES, UnixMillis(0));
    assert_eq!(link, Verdict::UsedUp, "a link does not bypass the limit");
}

#[test]
fn a_device_has_a_code_once_and_sheds_old_ones_when_it_has_many() {
    let mut device = device(0, &[code(0, 0)]);
    assert!(!device.add(code(0, 5), RULES));
    for byte in 1..64 {
        assert!(device.add(code(byte, 50), RULES));
    }
    assert_eq!(device.codes.len(), 64);
    assert!(device.add(code(64, 120), RULES));
    assert_eq!(device.codes.len(), 64, "the first was over");
    assert!(device.add(code(65, 120), RULES));
    assert_eq!(device.codes.len(), 65, "none that is good goes");
}

#[test]
fn ids_are_read_as_they_are_handed_out_and_with_or_without_padding() {
    let id = DeviceId::random(&Fixed(0xFB));
    let text = id.text();
    assert_eq!(text.expose().len(), 44);
    assert!(text.expose().ends_with('=') && text.expose().contains('+'));
    for form in [text.expose().as_str(), text.expose().trim_end_matches('=')] {
        assert_eq!(DeviceId::parse(form).unwrap().hash(), id.hash());
    }
    assert!(DeviceId::parse("no base64!").is_none());
    assert!(DeviceId::parse("-_-_").is_none(), "of the other alphabet");
    assert_ne!(DeviceId::parse("").unwrap().hash(), id.hash());

    let hash = id.hash();
    assert_eq!(hash.text().len(), 43);
    assert_eq!(DeviceHash::parse(&hash.text()), Some(hash));
    assert_eq!(DeviceHash::parse(&format!("{}==", hash.text())), Some(hash));
    assert_eq!(DeviceHash::parse("short"), None);

    // sha256("abc"), base64url
    let known = DeviceId::parse("YWJj").unwrap().hash();
    assert_eq!(known.text(), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
}

#[test]
fn an_input_code_has_six_digits_whatever_it_is() {
    assert_eq!(random_input_code(&Fixed(0)).expose(), "000000");
    assert_eq!(random_input_code(&Fixed(1)).expose().len(), 6);
}

#[test]
fn contacts_are_those_of_the_login() {
    let both = Login::Passwordless { email: Some("e".to_owned()), phone_number: Some("+49".to_owned()) };
    let contacts = [Contact::Email("e".to_owned()), Contact::PhoneNumber("+49".to_owned())];
    assert_eq!(Contact::all_of(&both), contacts);
    for contact in contacts {
        assert_eq!(Contact::all_of(&contact.login()), std::slice::from_ref(&contact));
        assert_eq!(contact.login().account_infos(), [contact.info()]);
    }
}

proptest! {
    /// Whatever is tried, in whatever order: a device forgives fewer failures than the limit; before that, a right code
    /// in time is always accepted, and a wrong one never.
    #[test]
    fn attempts_are_counted_and_end(tries in prop::collection::vec((0_u8..4, 0_u64..200), 1..20), limit in 1_u64..6) {
        let rules = CodeRules { attempts_max: limit, ..RULES };
        let mut device = device(0, &[code(1, 0), code(2, 60)]);
        for (byte, now) in tries {
            let good = match byte { 1 => now <= 100, 2 => now <= 160, _ => false };
            match device.judge_input(&hash(byte), rules, UnixMillis(now)) {
                Verdict::Right => prop_assert!(good),
                Verdict::Failed { failed_attempts, expired } => {
                    prop_assert!(!good);
                    prop_assert_eq!(expired, byte == 1 || byte == 2);
                    prop_assert_eq!(failed_attempts, device.failed_attempts + 1);
                    prop_assert!(failed_attempts < limit);
                    device.failed_attempts = failed_attempts;
                }
                Verdict::UsedUp => {
                    prop_assert!(!good);
                    prop_assert_eq!(device.failed_attempts + 1, limit);
                    return Ok(());
                }
                Verdict::DeadLink => prop_assert!(false, "an input code is not a link"),
            }
        }
    }
}
