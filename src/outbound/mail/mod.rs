//! Mail: from a [`Mail`](crate::domain::mail::Mail) to a [`Letter`] in words, and from there to an SMTP server or into
//! the box of caught mails.

mod caught;
mod compose;
mod letter;
mod mailer;
mod message;
mod messages;
mod smtp;
mod templates;
mod transport;

pub use caught::{CaughtMail, CaughtMailView, MAX_CAUGHT};
pub use letter::{Delivery, Letter};
pub use mailer::{Mailer, Services};
pub use message::message;
pub use smtp::SmtpTransport;
pub use templates::{TEMPLATES, Templates};
pub use transport::{MailTransport, SendError};
