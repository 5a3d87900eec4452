//! Mails that a request has written.

use super::call::FrontCall;
use crate::command::outbox::{Outbox, TokenMail};
use crate::context::Context;
use crate::domain::ids::TenantId;
use crate::domain::mail::{Language, MailAddress, MailKind};
use crate::fault::Fault;
use http::header::ACCEPT_LANGUAGE;

/// A mail with a link to a page of the website, in the language of the person who asked for it. `None` for an address
/// that no mail can be sent to: forms accept a few of those.
///
/// # Errors
/// When the store or the master key fails.
pub async fn token_mail(
    context: &Context,
    call: &FrontCall,
    (kind, page): (MailKind, &str),
    email: &str,
    tenant: &TenantId,
) -> Result<Option<TokenMail>, Fault> {
    let Ok(to) = MailAddress::parse(email) else {
        tracing::info!(request = call.request.id, "no mail is sent: no mail server accepts such an address");
        return Ok(None);
    };
    Ok(Some(TokenMail {
        outbox: Outbox::of(context, &call.app).await?,
        to,
        kind,
        language: language(call),
        app_name: call.front.app_name.clone(),
        page: call.page(page),
        tenant: tenant.clone(),
    }))
}

/// The first language of the browser that mails are written in, or the configured one.
pub(super) fn language(call: &FrontCall) -> Language {
    let accepted = call.request.header(&ACCEPT_LANGUAGE).unwrap_or_default();
    // Browsers list languages in the order in which people prefer them.
    let tags = accepted.split(',').map(|tag| tag.split(';').next().unwrap_or_default().trim());
    tags.filter(|tag| !tag.is_empty()).find_map(Language::from_tag).unwrap_or(call.app.config.mail.language)
}
