//! [`CodeMessage`]: a mail or a text message whose code is made in the transaction that writes it.

use super::Outbox;
use crate::context::Context;
use crate::domain::ids::TenantId;
use crate::domain::mail::{Addressee, Language, Mail, MailKind};
use crate::domain::passwordless::NewCode;
use crate::fault::Fault;
use crate::store::Tx;

/// A message with a code, a link or both, before they exist.
pub struct CodeMessage {
    /// The outbox that it goes to.
    pub outbox: Outbox,
    /// The recipient.
    pub to: Addressee,
    /// The language of its text.
    pub language: Language,
    /// The name of the application, as people know it.
    pub app_name: String,
    /// The page that the link leads to, without a query.
    pub page: String,
    /// The tenant in which the code is used.
    pub tenant: TenantId,
    /// Whether it holds the code to type in.
    pub has_code: bool,
    /// Whether it holds the link.
    pub has_link: bool,
}

impl CodeMessage {
    /// Writes the message with this code, which is valid for `lifetime_ms` from the start.
    ///
    /// # Errors
    /// When the message is too large for the store, or its tenant was removed.
    pub(in crate::command) async fn add(
        &self,
        context: &Context,
        tx: &mut dyn Tx,
        code: &NewCode,
        lifetime_ms: u64,
    ) -> Result<(), Fault> {
        let link = || {
            let (device, link_code) = (code.pre_auth_session.text(), code.link_code.text());
            format!("{}?preAuthSessionId={device}&tenantId={}#{}", self.page, self.tenant, link_code.expose())
        };
        let mail = Mail {
            tenant: self.tenant.clone(),
            to: self.to.clone(),
            kind: match self.to {
                Addressee::Mailbox(_) => MailKind::PasswordlessLogin,
                Addressee::Phone(_) => MailKind::PasswordlessText,
            },
            language: self.language,
            app_name: self.app_name.clone(),
            link: self.has_link.then(link),
            code: self.has_code.then(|| code.input_code.expose().clone()),
            lifetime_ms,
            expires: code.created.plus(lifetime_ms),
        };
        self.outbox.add(context, tx, &mail).await.map(drop)
    }
}
