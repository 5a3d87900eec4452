//! What comes back: a link, or a code that was typed in.

use super::shared::{self, bad_encoding, required};
use crate::command::passwordless::attempt::{Attempt, CheckCode, Presented, Refused};
use crate::command::passwordless::list::{ListDevices, Of};
use crate::context::Context;
use crate::domain::passwordless::{Contact, DeviceHash, DeviceId, LinkCode};
use crate::domain::secret::Secret;
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::input::Body;

/// What the client sends back.
pub(super) struct Answer {
    pre_auth_session: Option<DeviceHash>,
    code: AnswerCode,
}

/// The two ways to sign in.
enum AnswerCode {
    Link(String),
    Input { device: String, code: String },
}

impl Answer {
    /// Reads it.
    ///
    /// # Errors
    /// 400 unless it has a link, or a device and a code.
    pub(super) fn of(body: &Body) -> Result<Self, FrontError> {
        let pre_auth_session = required(body, "preAuthSessionId", "Please provide preAuthSessionId")?;
        let either = "Please provide one of (linkCode) or (deviceId+userInputCode) and not both";
        let [link, device, code] = ["linkCode", "deviceId", "userInputCode"].map(|name| body.get(name).is_some());
        let text = |name| required(body, name, either).map(str::to_owned);
        let code = match (link, device || code) {
            (true, false) => AnswerCode::Link(text("linkCode")?),
            (false, true) if device && code => {
                AnswerCode::Input { device: text("deviceId")?, code: text("userInputCode")? }
            }
            (false, true) => return Err(FrontError::bad_request("Please provide both deviceId and userInputCode")),
            _ => return Err(FrontError::bad_request(either)),
        };
        Ok(Self { pre_auth_session: DeviceHash::parse(pre_auth_session), code })
    }

    /// The contact of the device that the client names, if there is one.
    pub(super) async fn contact(&self, context: &Context, call: &FrontCall) -> Result<Option<Contact>, FrontError> {
        let place = shared::place(call)?;
        let Some(hash) = self.pre_auth_session else { return Ok(None) };
        let devices = ListDevices { place, of: Of::Device(hash) }.run(context).await?;
        Ok(devices.into_iter().next().map(|(_, device)| device.contact))
    }

    /// The factor that it is.
    pub(super) const fn factor(&self, contact: &Contact) -> &'static str {
        match (&self.code, contact) {
            (AnswerCode::Input { .. }, Contact::Email(_)) => "otp-email",
            (AnswerCode::Input { .. }, Contact::PhoneNumber(_)) => "otp-phone",
            (AnswerCode::Link(_), Contact::Email(_)) => "link-email",
            (AnswerCode::Link(_), Contact::PhoneNumber(_)) => "link-phone",
        }
    }

    /// It, as the command takes it.
    ///
    /// # Errors
    /// 400 for text that is not base64.
    pub(super) fn attempt(&self, call: &FrontCall) -> Result<Attempt, FrontError> {
        let presented = match &self.code {
            AnswerCode::Link(link) => {
                Presented::LinkCode(LinkCode::parse(link).ok_or_else(|| bad_encoding("linkCode"))?)
            }
            AnswerCode::Input { device, code } => Presented::InputCode {
                device: DeviceId::parse(device).ok_or_else(|| bad_encoding("deviceId"))?,
                code: Secret::new(code.clone()),
            },
        };
        Ok(Attempt { place: shared::place(call)?, pre_auth_session: self.pre_auth_session, presented })
    }
}

/// A code that is looked at before it is used: at most once, because wrong ones are counted.
pub(super) struct EarlyCheck<'a> {
    answer: &'a Answer,
    /// The outcome, once it was looked at.
    pub(super) verdict: Option<Result<(), Refused>>,
}

impl<'a> EarlyCheck<'a> {
    /// Nothing was looked at yet.
    pub(super) const fn of(answer: &'a Answer) -> Self {
        Self { answer, verdict: None }
    }

    /// True if the code is right.
    ///
    /// # Errors
    /// 400 for text that is not base64, or when the store fails.
    pub(super) async fn is_right(&mut self, context: &Context, call: &FrontCall) -> Result<bool, FrontError> {
        if self.verdict.is_none() {
            let checked = CheckCode(self.answer.attempt(call)?).run(context).await?;
            self.verdict = Some(checked.map(drop));
        }
        Ok(matches!(self.verdict, Some(Ok(()))))
    }
}
