//! Authenticator apps of imported users.

use crate::domain::import::reader::{MAX_LENGTH, MemberReader};
use crate::domain::json::Members;
use crate::domain::totp::{MAX_DEVICES, MAX_SKEW, Pace, TotpSecret};

/// An authenticator app.
#[derive(Debug)]
pub struct NewDevice {
    /// Its name; if absent, it is given one.
    pub name: Option<String>,
    /// The secret it shares with us.
    pub secret: TotpSecret,
    /// Which of its codes are accepted.
    pub pace: Pace,
}

/// The devices in a user's members, in the form of the protocol's bulk import.
pub(in crate::domain) fn devices(reader: &mut MemberReader<'_>, members: &Members) -> Vec<NewDevice> {
    let listed = reader.objects(members, "totpDevices").unwrap_or_default();
    if listed.len() > MAX_DEVICES {
        reader.wrong(format!("A user cannot have more than {MAX_DEVICES} TOTP devices."));
        return Vec::new();
    }
    let mut devices: Vec<NewDevice> = Vec::new();
    for members in listed {
        let Some(device) = device(reader, members) else { continue };
        if let Some(name) = &device.name
            && devices.iter().any(|other| other.name.as_ref() == Some(name))
        {
            reader.wrong(format!("A totp device with name {name} already exists"));
        }
        devices.push(device);
    }
    devices
}

fn device(reader: &mut MemberReader<'_>, device: &Members) -> Option<NewDevice> {
    const SUFFIX: &str = " for a totp device.";
    let secret = reader.required_text(device, "secretKey", SUFFIX);
    let period = reader.integer(device, "period", SUFFIX).unwrap_or(30);
    let skew = reader.integer(device, "skew", SUFFIX).unwrap_or(1);
    let name = reader.text(device, "deviceName", SUFFIX);
    // The secret must stay out of every sentence: sentences are stored.
    reader.bounded(secret.unwrap_or_default(), "TOTP secretKey", MAX_LENGTH, MAX_LENGTH);
    let read = secret.and_then(TotpSecret::from_base32);
    if read.is_none() && secret.is_some() {
        reader.wrong("secretKey should be a Base32 text for a totp device.");
    }
    let period_s = u32::try_from(period).ok().filter(|period| *period > 0 && i32::try_from(*period).is_ok());
    if period_s.is_none() {
        reader.wrong("period should be > 0 for a totp device.");
    }
    let steps = u32::try_from(skew).ok();
    match steps {
        None => reader.wrong("skew should be >= 0 for a totp device."),
        Some(steps) if steps > MAX_SKEW => reader.wrong(format!("skew should be <= {MAX_SKEW} for a totp device.")),
        Some(_) => {}
    }
    if let Some(name) = name {
        reader.bounded(name, &format!("TOTP deviceName {name}"), MAX_LENGTH, MAX_LENGTH);
    }
    let name = name.map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
    Some(NewDevice { name, secret: read?, pace: Pace { period_s: period_s?, skew: steps? } })
}
