//! The passwordless recipe (protocol: 21, 6).
//!
//! Messages are written in the transaction of the code that they carry and sent by a job: the reply does not wait for a
//! server, and says nothing about one.

mod answer;
mod code;
mod consume;
mod contact;
mod exists;
mod resend;
mod session_user;
mod shared;

use super::route::FrontRoute;
use crate::config::front::FrontRecipe;
use crate::front_route;

/// Routes of this recipe.
pub const ROUTES: &[FrontRoute] = &[
    front_route!(POST "/signinup/code" => code::create).of(FrontRecipe::Passwordless),
    front_route!(POST "/signinup/code/resend" => resend::resend).of(FrontRecipe::Passwordless),
    front_route!(POST "/signinup/code/consume" => consume::consume).of(FrontRecipe::Passwordless),
    front_route!(GET "/passwordless/email/exists" => exists::email).of(FrontRecipe::Passwordless),
    front_route!(GET "/signup/email/exists" => exists::email).of(FrontRecipe::Passwordless),
    front_route!(GET "/passwordless/phonenumber/exists" => exists::phone_number).of(FrontRecipe::Passwordless),
    front_route!(GET "/passwordless/phoneNumber/exists" => exists::phone_number).of(FrontRecipe::Passwordless),
    front_route!(GET "/signup/phonenumber/exists" => exists::phone_number).of(FrontRecipe::Passwordless),
    front_route!(GET "/signup/phoneNumber/exists" => exists::phone_number).of(FrontRecipe::Passwordless),
];
