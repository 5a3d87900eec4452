//! Why a sign-in is refused, and the codes under which people can ask about it (protocol: 21, 3.6).

use crate::domain::user::sign_up::SignUpRefusal;
use crate::fault::Fault;
use crate::http::exchange::Reply;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::reply;
use serde::Serialize;

/// Why a sign-in is refused.
#[derive(Debug)]
pub enum Refused {
    /// By an error that is the same for every route.
    Error(FrontError),
    /// For a reason that each route reports with a status and a code of its own.
    Reason(Reason),
}

/// A reason that each route reports with a status and a code of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The rules say that the person may not sign up.
    SignUpRefused(SignUpRefusal),
    /// Somebody else may have the address or phone number.
    SignUpNotAllowed,
    /// The login method is unverified, and somebody else may have its address or phone number.
    SignInNotAllowed,
    /// It is to be linked to the session's user, but neither of them has verified the address.
    EmailVerificationRequired,
    /// It is to be linked to the session's user, but belongs to another primary user.
    AlreadyLinked,
    /// It is to be linked to the session's user, but another primary user has its address or phone number.
    AccountInfoTaken,
    /// The session's user cannot become primary: another primary user has its address or phone number.
    SessionUserInfoTaken,
}

impl<E: Into<FrontError>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// How a route reports a [`Reason`].
#[derive(Debug, Clone, Copy)]
pub struct ReasonCodes {
    /// The status.
    pub status: &'static str,
    /// The sentence and code for [`Reason::SignUpNotAllowed`].
    pub sign_up: Option<&'static str>,
    /// The sentence and code for [`Reason::SignInNotAllowed`].
    pub sign_in: Option<&'static str>,
    /// The code for [`Reason::EmailVerificationRequired`].
    pub unverified: Option<&'static str>,
    /// The code for [`Reason::AlreadyLinked`].
    pub linked: Option<&'static str>,
    /// The code for [`Reason::AccountInfoTaken`].
    pub taken: Option<&'static str>,
    /// The code for [`Reason::SessionUserInfoTaken`].
    pub session_taken: Option<&'static str>,
}

/// The sentence before the codes for which a route has no sentence of its own.
const GENERAL: &str = "Cannot sign in / up due to security reasons. Please contact support.";

/// The sentence for somebody new, where nobody may sign up. It says nothing about whether they are.
const CLOSED: &str = "Signing up is not possible here. If you have an account, please sign in.";
/// The sentence for addresses with which nobody may sign up.
pub const FOREIGN_DOMAIN: &str = "Signing up is not possible with this email address. Please use a different one.";

impl ReasonCodes {
    /// No reason; routes add those that they may meet.
    #[must_use]
    pub const fn new(status: &'static str) -> Self {
        Self { status, sign_up: None, sign_in: None, unverified: None, linked: None, taken: None, session_taken: None }
    }

    /// The sentence of a reason, with its code.
    fn sentence(&self, reason: Reason) -> Option<String> {
        let general = |code: &str| format!("{GENERAL} (ERR_CODE_{code})");
        match reason {
            Reason::SignUpRefused(SignUpRefusal::Closed) => Some(CLOSED.to_owned()),
            Reason::SignUpRefused(SignUpRefusal::Domain) => Some(FOREIGN_DOMAIN.to_owned()),
            Reason::SignUpNotAllowed => self.sign_up.map(str::to_owned),
            Reason::SignInNotAllowed => self.sign_in.map(str::to_owned),
            Reason::EmailVerificationRequired => self.unverified.map(general),
            Reason::AlreadyLinked => self.linked.map(general),
            Reason::AccountInfoTaken => self.taken.map(general),
            Reason::SessionUserInfoTaken => self.session_taken.map(general),
        }
    }
}

impl Refused {
    /// The reply of a route with these codes.
    ///
    /// # Errors
    /// The error itself; a fault for a reason that the route cannot meet.
    pub fn reply(self, codes: &ReasonCodes) -> Result<Reply, FrontError> {
        let reason = match self {
            Self::Error(error) => return Err(error),
            Self::Reason(reason) => reason,
        };
        let reason =
            codes.sentence(reason).ok_or(Fault::invariant("refusing a sign-in for a reason that has no code"))?;
        Ok(refused(codes.status, &reason))
    }
}

/// The reply with a status and a reason.
pub fn refused(status: &'static str, reason: &str) -> Reply {
    #[derive(Serialize)]
    struct RefusedBody<'a> {
        status: &'static str,
        reason: &'a str,
    }
    reply::ok(&RefusedBody { status, reason })
}
