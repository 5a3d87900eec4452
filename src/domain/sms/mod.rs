//! Outbound text messages: to which numbers, and through which service.

mod number;
mod service;

pub use number::{NumberError, PhoneNumber};
pub use service::{SmsService, Twilio, TwilioSender};
