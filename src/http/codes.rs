//! What is said about codes that people type in: the same to applications and to browsers, because the SDKs pass it on.

use crate::command::passwordless::attempt::Refused;
use crate::command::totp::check::Checked;
use serde::Serialize;

/// A code of a passwordless sign-in that was refused (CDI: passwordless; protocol: 21, 6).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RefusedCodeBody {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_code_input_attempt_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    maximum_code_input_attempts: Option<u64>,
}

impl RefusedCodeBody {
    /// The body for this refusal.
    ///
    /// # Errors
    /// The sentence for bad input.
    pub const fn of(refused: Refused) -> Result<Self, &'static str> {
        let (status, failures, most) = match refused {
            Refused::RestartFlow => ("RESTART_FLOW_ERROR", None, None),
            Refused::OtherDevice => return Err("preAuthSessionId and deviceId doesn't match"),
            Refused::WrongInput { expired, failed_attempts, attempts_max } => {
                let status = if expired { "EXPIRED_USER_INPUT_CODE_ERROR" } else { "INCORRECT_USER_INPUT_CODE_ERROR" };
                (status, Some(failed_attempts), Some(attempts_max))
            }
        };
        Ok(Self { status, failed_code_input_attempt_count: failures, maximum_code_input_attempts: most })
    }
}

/// What became of a code of an authenticator app (CDI: totp; protocol: 21, 8).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckedTotpBody {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    was_already_verified: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_number_of_failed_attempts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_number_of_failed_attempts: Option<u32>,
    /// Time until the next attempt, in ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
}

/// How much is said about a code of an authenticator app.
#[derive(Debug, Clone, Copy)]
pub struct TotpShown {
    /// Whether a device is being verified: says whether it was before.
    pub verifies_device: bool,
    /// The number of wrong codes in a row that are allowed; `None` leaves both numbers out.
    pub most_failures: Option<u32>,
}

impl CheckedTotpBody {
    /// The body for this outcome.
    #[must_use]
    pub fn of(checked: &Checked, shown: TotpShown) -> Self {
        let (status, was_verified, failures, retry_after_ms) = match *checked {
            Checked::Ok { was_verified } => ("OK", Some(was_verified), None, None),
            Checked::UnknownDevice => ("UNKNOWN_DEVICE_ERROR", None, None, None),
            Checked::UnknownUser => ("UNKNOWN_USER_ID_ERROR", None, None, None),
            Checked::Invalid { failures } => ("INVALID_TOTP_ERROR", None, Some(failures), None),
            Checked::LimitReached { failures, retry_after_ms } => {
                ("LIMIT_REACHED_ERROR", None, Some(failures), Some(retry_after_ms))
            }
        };
        Self {
            status,
            was_already_verified: was_verified.filter(|_| shown.verifies_device),
            current_number_of_failed_attempts: failures.filter(|_| shown.most_failures.is_some()),
            max_number_of_failed_attempts: shown.most_failures.filter(|_| failures.is_some()),
            retry_after_ms,
        }
    }
}
