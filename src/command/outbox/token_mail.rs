//! [`TokenMail`]: a mail whose token is made in the transaction that writes it.

use super::Outbox;
use crate::context::Context;
use crate::domain::ids::TenantId;
use crate::domain::mail::{Language, Mail, MailAddress, MailKind};
use crate::domain::time::UnixMillis;
use crate::fault::Fault;
use crate::store::Tx;

/// A mail with a link, before the token in the link exists.
pub struct TokenMail {
    /// The outbox that it goes to.
    pub outbox: Outbox,
    /// The recipient.
    pub to: MailAddress,
    /// What it is for.
    pub kind: MailKind,
    /// The language of its text.
    pub language: Language,
    /// The name of the application, as people know it.
    pub app_name: String,
    /// The page that the link leads to, without a query.
    pub page: String,
    /// The tenant that the link names.
    pub tenant: TenantId,
}

impl TokenMail {
    /// Writes the mail with this token, which is valid until `expires` and for `lifetime_ms` from the start.
    ///
    /// # Errors
    /// When the mail is too large for the store, or its tenant was removed.
    pub(in crate::command) async fn add(
        &self,
        context: &Context,
        tx: &mut dyn Tx,
        token: &str,
        lifetime_ms: u64,
        expires: UnixMillis,
    ) -> Result<(), Fault> {
        let mail = Mail {
            tenant: self.tenant.clone(),
            to: self.to.clone().into(),
            kind: self.kind,
            language: self.language,
            app_name: self.app_name.clone(),
            link: Some(format!("{}?token={token}&tenantId={}", self.page, self.tenant)),
            code: None,
            lifetime_ms,
            expires,
        };
        self.outbox.add(context, tx, &mail).await.map(drop)
    }
}
