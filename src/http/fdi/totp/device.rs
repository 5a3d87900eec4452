//! `/totp/device…`: a person's authenticator apps.

use super::input::{FACTOR, named, text, user};
use crate::command::totp::device::{AddDevice, AddDeviceOutcome, ReadDevices, RemoveDevice};
use crate::context::Context;
use crate::domain::totp::MAX_DEVICES;
use crate::domain::user::User;
use crate::http::exchange::Reply;
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::cookie::COMPONENT;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::input::Body;
use crate::http::fdi::multifactorauth::{check_set_up, refresh, unmet};
use crate::http::fdi::{reply, session};
use percent_encoding::{AsciiSet, utf8_percent_encode};
use serde::Serialize;

/// What URIs of authenticator apps hold as it is: everything that can be in a URI.
const IN_URI: &AsciiSet = &COMPONENT
    .remove(b';')
    .remove(b',')
    .remove(b'/')
    .remove(b'?')
    .remove(b':')
    .remove(b'@')
    .remove(b'&')
    .remove(b'=')
    .remove(b'+')
    .remove(b'$')
    .remove(b'#');

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AddedBody<'a> {
    status: &'static str,
    device_name: &'a str,
    secret: &'a str,
    qr_code_string: &'a str,
}

/// Adds a device, which counts once a code of it has been shown.
pub(super) async fn create(context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    let mut session = session::required(context, call).await?;
    let body = Body::of(&call.request)?;
    let name = match body.get("deviceName") {
        None => None,
        Some(_) => {
            let name = text(&body, "deviceName", "deviceName must be a string")?;
            Some(named(name, "deviceName cannot be empty")?.to_owned())
        }
    };
    let info = user(context, call, &session).await?;
    check_set_up(context, call, &mut session, &info.user, &[FACTOR]).await?;
    let totp = &call.front.totp;
    let command = AddDevice {
        scope: call.scope(),
        user_id: session.view.user_id.clone(),
        name,
        pace: totp.pace,
        known_secret: None,
    };
    match command.run(context).await? {
        AddDeviceOutcome::Ok { name, secret } => {
            let secret = secret.to_base32();
            let uri = uri(&totp.issuer, identifier(&info.user), secret.expose(), totp.pace.period_s);
            Ok(reply::ok(&AddedBody {
                status: "OK",
                device_name: &name,
                secret: secret.expose(),
                qr_code_string: &uri,
            }))
        }
        AddDeviceOutcome::AlreadyExists => Ok(reply::status("DEVICE_ALREADY_EXISTS_ERROR")),
        AddDeviceOutcome::TooMany => {
            Err(FrontError::bad_request(format!("A user cannot have more than {MAX_DEVICES} TOTP devices")))
        }
    }
}

/// The URI that authenticator apps read from a QR code.
fn uri(issuer: &str, person: Option<&str>, secret: &str, period_s: u32) -> String {
    let issuer = utf8_percent_encode(issuer, IN_URI);
    let person = person.map_or_else(String::new, |person| format!(":{}", utf8_percent_encode(person, IN_URI)));
    format!("otpauth://totp/{issuer}{person}?secret={secret}&issuer={issuer}&digits=6&period={period_s}")
}

/// What a person is called in an authenticator app: by the address or phone number of the login method whose id is the
/// person's, or else by the first that there is.
fn identifier(user: &User) -> Option<&str> {
    let own = user.method(&user.id).map(|method| &method.login);
    let own = own.and_then(|login| login.email().or_else(|| login.phone_number()));
    let email = || user.methods.iter().find_map(|method| method.login.email());
    let phone = || user.methods.iter().find_map(|method| method.login.phone_number());
    own.or_else(email).or_else(phone)
}

#[derive(Serialize)]
struct ListBody<'a> {
    status: &'static str,
    devices: Vec<DeviceBody<'a>>,
}

#[derive(Serialize)]
struct DeviceBody<'a> {
    name: &'a str,
    period: u32,
    skew: u32,
    verified: bool,
}

/// The devices.
pub(super) async fn list(context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    let session = session::required(context, call).await?;
    let devices = ReadDevices(call.scope()).of(context, &session.view.user_id).await?;
    let shown = devices.iter().map(|device| DeviceBody {
        name: &device.name,
        period: device.pace.period_s,
        skew: device.pace.skew,
        verified: device.verified,
    });
    Ok(reply::ok(&ListBody { status: "OK", devices: shown.collect() }))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RemovedBody {
    status: &'static str,
    did_device_exist: bool,
}

/// Removes a device; one that counts, only from a session that has shown a code and needs no other factor.
pub(super) async fn remove(context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    let mut session = session::required(context, call).await?;
    let body = Body::of(&call.request)?;
    let sentence = "deviceName is required and must be a non-empty string";
    let name = named(text(&body, "deviceName", sentence)?, sentence)?;
    let user_id = session.view.user_id.clone();
    let devices = ReadDevices(call.scope()).of(context, &user_id).await?;
    let is_verified = devices.iter().any(|device| device.name == name && device.verified);
    if is_verified {
        let claim = refresh(context, call, &mut session).await?.claim;
        if !(claim.is_satisfied() && claim.has(FACTOR)) {
            return Err(unmet());
        }
    }
    let did_device_exist = RemoveDevice { scope: call.scope(), user_id, name: name.to_owned() }.run(context).await?;
    Ok(reply::ok(&RemovedBody { status: "OK", did_device_exist }))
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn uris_hold_issuer_and_person_as_javascript_encodes_them() {
        assert_eq!(
            uri("My shop?", Some("ä+b@x.io"), "SECRET", 30),
            "otpauth://totp/My%20shop?:%C3%A4+b@x.io?secret=SECRET&issuer=My%20shop?&digits=6&period=30"
        );
        assert_eq!(uri("Shop", None, "S", 60), "otpauth://totp/Shop?secret=S&issuer=Shop&digits=6&period=60");
    }
}
