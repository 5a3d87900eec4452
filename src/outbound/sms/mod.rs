//! Text messages: from a [`Letter`](crate::outbound::mail::Letter) to a service that delivers it.

mod client;
mod request;
mod transport;

pub use client::HttpSms;
pub use transport::SmsTransport;
