//! E-mail verification below HTTP: races, requests from other recipes, expiry, stored bytes.

mod races;
mod records;
mod stored;

use crate::app::TestApp;
use sessiond::command::emailverification::Address;
use sessiond::command::emailverification::create::{CreateVerificationToken, Created};
use sessiond::command::emailverification::revoke::RevokeVerificationTokens;
use sessiond::command::emailverification::status::{IsEmailVerified, UnverifyEmail};
use sessiond::command::emailverification::verify::{Verified, VerifyEmail};
use sessiond::command::scope::{Cause, Scope};
use sessiond::domain::ids::{AppId, TenantId, UserId};

const EMAIL: &str = "a@b.c";

fn scope(app: &TestApp) -> Scope {
    let entry = app.context.directory.app(&AppId::base()).expect("the base app always exists");
    Scope { app: entry, cause: Cause::without_request("test") }
}

fn address(app: &TestApp, user: &str) -> Address {
    let (tenant, user_id) = (TenantId::public(), UserId::new(user));
    Address { scope: scope(app), tenant, user_id, email: EMAIL.to_owned() }
}

/// A new token; `None` when the address is verified.
async fn create(app: &TestApp, user: &str) -> Option<String> {
    let command = CreateVerificationToken { address: address(app, user), lifetime_ms: 1000, mail: None };
    match command.run(&app.context).await.unwrap() {
        Created::Ok(token) => Some(token.expose().clone()),
        Created::AlreadyVerified => None,
    }
}

async fn verify(app: &TestApp, token: &str) -> bool {
    let command = VerifyEmail { scope: scope(app), tenant: TenantId::public(), token };
    matches!(command.run(&app.context).await.unwrap(), Verified::Ok { .. })
}

async fn revoke(app: &TestApp, user: &str) {
    RevokeVerificationTokens(address(app, user)).run(&app.context).await.unwrap();
}

async fn unverify(app: &TestApp, user: &str) {
    UnverifyEmail(address(app, user)).run(&app.context).await.unwrap();
}

async fn is_verified(app: &TestApp, user: &str) -> bool {
    IsEmailVerified(address(app, user)).run(&app.context).await.unwrap()
}
