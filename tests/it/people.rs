//! Users for tests: with known ids, written to the store as sign-ups would.

use crate::app::{SeededEntropy, TestApp, TestAppBuilder};
use crate::store::{Contents, dump, rows_of};
use serde_json::{Value, json};
use sessiond::domain::ids::{AppId, TenantId, UserId};
use sessiond::domain::password::HashParameters;
use sessiond::domain::time::UnixMillis;
use sessiond::domain::user::{
    AccountInfo, ExternalId, Login, LoginMethod, PasswordHash, RecipeId, ThirdPartyAccount, User,
};
use sessiond::state::password::SignInRefused;
use sessiond::store::{Keyspace, user};
use tokio::task::JoinSet;

/// Firebase's hash of "user1password".
pub(crate) const FIREBASE: &str = "$f_scrypt$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==\
                        $42xEC+ixf3L2lw==$m=14$r=8$s=Bw==";
/// The key with which [`FIREBASE`] is made.
pub(crate) const SIGNER_KEY: &str =
    "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==";

/// A login method of the public tenant that joined at `joined`.
pub(crate) fn method(id: &str, joined: u64, login: Login) -> LoginMethod {
    let tenants = [TenantId::public()].into();
    LoginMethod { id: UserId::new(id), external: None, tenants, time_joined: UnixMillis(joined), login }
}

/// Adds an e-mail address and a password.
pub(crate) fn by_password(id: &str, joined: u64, email: &str) -> LoginMethod {
    let password = PasswordHash::new("$2a$04$hash");
    method(id, joined, Login::EmailPassword { email: email.to_owned(), password })
}

/// Adds an account at a provider, named after the id.
pub(crate) fn by_provider(id: &str, joined: u64, email: &str) -> LoginMethod {
    let account = ThirdPartyAccount { id: "google".to_owned(), user_id: format!("g-{id}") };
    method(id, joined, Login::ThirdParty { account, email: email.to_owned() })
}

/// Adds codes sent to a phone.
pub(crate) fn by_phone(id: &str, joined: u64, number: &str) -> LoginMethod {
    method(id, joined, Login::Passwordless { email: None, phone_number: Some(number.to_owned()) })
}

/// Puts the method into these tenants only.
pub(crate) fn within<const N: usize>(tenants: [&str; N], method: LoginMethod) -> LoginMethod {
    LoginMethod { tenants: tenants.into_iter().map(TenantId::new).collect(), ..method }
}

/// Gives the method an external id.
pub(crate) fn mapped(external: &str, method: LoginMethod) -> LoginMethod {
    LoginMethod { external: Some(ExternalId { id: UserId::new(external), info: None }), ..method }
}

impl TestApp {
    /// Signs these up, each as a separate user.
    pub(crate) async fn people<const N: usize>(&self, methods: [LoginMethod; N]) {
        for method in methods {
            let mut tx = self.context.store.begin();
            user::save(tx.as_mut(), &AppId::base(), &[], &[&User::new(method)]).await.unwrap().expect("a free login");
            tx.commit().await.unwrap();
        }
    }

    /// The password's hash that is stored for this address in the public tenant of an app.
    pub(crate) async fn stored_hash(&self, app: &AppId, email: &str) -> String {
        let (info, public) = (AccountInfo::Email(email.to_owned()), TenantId::public());
        let mut tx = self.context.store.begin();
        let found = user::find_identity(tx.as_mut(), app, &public, RecipeId::EmailPassword, &info).await;
        let found = found.unwrap().expect("an account");
        match &found.user.method(&found.id).unwrap().login {
            Login::EmailPassword { password, .. } => password.expose().to_owned(),
            other => panic!("{other:?}"),
        }
    }

    /// Makes a user primary.
    pub(crate) async fn make_primary(&self, id: &str) -> Value {
        self.post("/recipe/accountlinking/user/primary", json!({"recipeUserId": id})).await.json()
    }

    /// Links a login method to a primary user.
    pub(crate) async fn link(&self, recipe_user_id: &str, primary_user_id: &str) -> Value {
        let body = json!({"recipeUserId": recipe_user_id, "primaryUserId": primary_user_id});
        self.post("/recipe/accountlinking/user/link", body).await.json()
    }

    /// Makes the first one primary and links the others to it.
    pub(crate) async fn group(&self, ids: &[&str]) {
        assert_eq!(self.make_primary(ids[0]).await["status"], "OK");
        for id in &ids[1..] {
            let linked = self.link(id, ids[0]).await;
            assert_eq!((&linked["status"], &linked["accountsAlreadyLinked"]), (&json!("OK"), &json!(false)));
        }
    }

    /// `{id, isPrimaryUser, methods}` of the user that has this id; `null` if there is none.
    pub(crate) async fn who_is(&self, id: &str) -> Value {
        let reply = self.get(&format!("/user/id?userId={id}")).await.json();
        let user = &reply["user"];
        if user.is_null() {
            return Value::Null;
        }
        let methods: Vec<_> = user["loginMethods"].as_array().unwrap().iter().map(|m| &m["recipeUserId"]).collect();
        json!({"id": user["id"], "isPrimaryUser": user["isPrimaryUser"], "methods": methods})
    }

    /// Handles of the live sessions of this login method, without those of linked ones.
    pub(crate) async fn sessions_of(&self, id: &str) -> Vec<String> {
        let query = format!("/recipe/session/user?userId={id}&fetchSessionsForAllLinkedAccounts=false");
        serde_json::from_value(self.get(&query).await.json()["sessionHandles"].clone()).unwrap()
    }

    /// Everything that is stored, to compare before and after a request that must change nothing.
    pub(crate) async fn stored(&self) -> Contents {
        dump(&*self.context.store).await
    }

    /// How many rows of this kind the store holds.
    pub(crate) async fn rows(&self, keyspace: Keyspace) -> usize {
        rows_of(&*self.context.store, keyspace).await.len()
    }
}

/// An app whose passwords are hashed at the lowest cost.
pub(crate) fn with_cheap_passwords() -> TestAppBuilder {
    TestApp::builder().setting("bcrypt_log_rounds", "4")
}

impl TestApp {
    /// Signs somebody up at the newest version; the user's id.
    pub(crate) async fn sign_up(&self, email: &str, password: &str) -> String {
        let body = json!({"email": email, "password": password});
        self.post("/recipe/signup", body).await.ok().text_at("/user/id")
    }

    /// Keeps every bcrypt thread busy with hashes of this cost, until the set is dropped and they have finished.
    pub(crate) async fn busy_with_bcrypt(&self, cost: u32) -> JoinSet<Result<String, SignInRefused>> {
        let mut running = JoinSet::new();
        for _ in 0..std::thread::available_parallelism().unwrap().get() {
            let app = self.clone();
            running.spawn(async move {
                app.context.hashing.hash("x", HashParameters::Bcrypt { cost }, &SeededEntropy::new(7)).await
            });
        }
        tokio::task::yield_now().await;
        running
    }

    /// The status of a sign-in at the newest version.
    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> String {
        self.post("/recipe/signin", json!({"email": email, "password": password})).await.text_at("/status")
    }
}
