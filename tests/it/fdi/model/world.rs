//! The server under test, next to what everybody has really shown.

use super::{Fault, Step, THIEF};
use crate::app::{TestApp, TestReply};
use crate::fdi::linking::{by_code, verification_token};
use crate::fdi::second_factors::{Page, RECIPES, code};
use crate::fdi::{PASSWORD, claims, form};
use http::Method;
use serde_json::{Value, json};
use sessiond::command::scope::{Cause, Scope};
use sessiond::command::signing_in::{Linker, person_of};
use sessiond::domain::ids::{TenantId, UserId};
use sessiond::domain::user::AccountInfo;
use sessiond::domain::user::front_linking::{Candidate, LinkingRule};
use std::collections::{BTreeMap, BTreeSet};

const PEOPLE: [&str; 2] = ["a", "b"];
const TENANTS: [&str; 2] = ["public", "t1"];

/// A browser, with what was really shown in its session.
#[derive(Default)]
struct Browser {
    token: String,
    handle: String,
    user: String,
    tenant: String,
    completed: BTreeSet<String>,
    secrets: BTreeMap<String, String>,
}

struct World<'a> {
    app: &'a TestApp,
    rule: LinkingRule,
    browsers: [Browser; 3],
    /// Who has made each login method: a person's number for those with a password, two more for others.
    makers: BTreeMap<String, usize>,
    required_in: BTreeSet<String>,
    required_of: BTreeSet<String>,
}

fn email(of: usize) -> String {
    format!("{}@x.io", PEOPLE[of])
}

fn password(of: usize) -> String {
    format!("{PASSWORD} {}", PEOPLE[of])
}

/// What people call their authenticator app, and what the thief calls theirs.
const fn device_of(who: usize) -> &'static str {
    if who == THIEF { "mine" } else { "phone" }
}

fn is_ok(reply: &TestReply) -> bool {
    reply.code() == 200 && reply.json()["status"] == "OK"
}

fn has_session(reply: &TestReply) -> bool {
    let tokens = reply.header("front-token");
    !tokens.is_empty() && tokens != ["remove"]
}

impl World<'_> {
    async fn send(&mut self, who: usize, method: Method, path: &str, body: Value) -> TestReply {
        let token = std::mem::take(&mut self.browsers[who].token);
        let mut page = Page { app: self.app, token };
        let reply = page.send(method, path, body).await;
        self.browsers[who].token = page.token;
        if reply.header("front-token") == ["remove"] {
            let secrets = std::mem::take(&mut self.browsers[who].secrets);
            self.browsers[who] = Browser { secrets, ..Browser::default() };
        }
        reply
    }

    /// Takes note of the session that a reply hands out; `shown` is the factor that was completed with it.
    fn note(&mut self, who: usize, reply: &TestReply, shown: Option<&str>) {
        if !has_session(reply) {
            return;
        }
        let claims = claims(reply);
        let text = |name: &str| claims[name].as_str().unwrap_or_default().to_owned();
        let browser = &mut self.browsers[who];
        if browser.handle != text("sessionHandle") {
            // Every session here begins with a password.
            browser.completed = ["emailpassword".to_owned()].into();
            browser.handle = text("sessionHandle");
        }
        (browser.user, browser.tenant) = (text("sub"), text("tId"));
        browser.completed.extend(shown.map(str::to_owned));
        let Some(claim) = claims["st-mfa"].as_object() else { return };
        let counted: BTreeSet<_> = claim["c"].as_object().expect("factors").keys().cloned().collect();
        assert!(counted.is_subset(&browser.completed), "{claim:?} after {:?}", browser.completed);
    }

    /// Checks that a session which was brought up to date says that its factors are enough only if they are.
    fn check_enough(&self, who: usize, reply: &TestReply) {
        if !has_session(reply) || claims(reply)["st-mfa"].is_null() {
            return;
        }
        let browser = &self.browsers[who];
        let is_required = self.required_in.contains(&browser.tenant) || self.required_of.contains(&browser.user);
        let is_enough = !is_required || browser.completed.contains("totp");
        let context = (&browser.user, &browser.tenant, &browser.completed);
        assert_eq!(claims(reply)["st-mfa"]["v"], is_enough, "is enough: {context:?}");
    }

    async fn sign(&mut self, who: usize, path: &str, address: usize, (linked, elsewhere): (bool, bool)) {
        let owner = if who == THIEF { 0 } else { who };
        let mut body = form(&email(address), &password(owner));
        body["shouldTryLinkingWithSessionUser"] = json!(linked && !self.browsers[who].token.is_empty());
        let before = self.methods().await;
        let path = format!("/auth{}{path}", if elsewhere { "/t1" } else { "" });
        let reply = self.send(who, Method::POST, &path, body).await;
        for method in self.methods().await {
            if !before.contains(&method) {
                self.makers.insert(method, owner);
            }
        }
        self.note(who, &reply, is_ok(&reply).then_some("emailpassword"));
        if is_ok(&reply) {
            self.check_enough(who, &reply);
        }
    }

    /// The ids of all login methods.
    async fn methods(&self) -> BTreeSet<String> {
        self.users().await.into_iter().flatten().collect()
    }

    /// The ids of the login methods of each user.
    async fn users(&self) -> Vec<Vec<String>> {
        let mut found = Vec::new();
        for tenant in TENANTS {
            let prefix = if tenant == "public" { String::new() } else { format!("/{tenant}") };
            let users = self.app.get(&format!("{prefix}/users?limit=500")).await.ok().json();
            let id = |method: &Value| method["recipeUserId"].as_str().expect("an id").to_owned();
            let ids = |user: &Value| user["loginMethods"].as_array().expect("methods").iter().map(id).collect();
            found.extend(users["users"].as_array().expect("users").iter().map(ids));
        }
        found
    }

    fn linker(&self) -> Linker {
        let app = self.app.context.directory.find("", "public").expect("the base app");
        let scope = Scope { app, cause: Cause::without_request("test") };
        Linker { scope, tenant: TenantId::public(), rule: self.rule }
    }

    fn made_by(&self, maker: usize) -> Vec<String> {
        self.makers.iter().filter(|(_, other)| **other == maker).map(|(id, _)| id.clone()).collect()
    }

    /// A sign-in by code as the front door has it: allowed, checked, linked.
    async fn code(&mut self, who: usize) {
        let (linker, infos) = (self.linker(), [AccountInfo::Email(email(who))]);
        let candidate = Candidate { infos: &infos, user: None, is_verified: true, session_user: None };
        let is_new = self.made_by(who + 2).is_empty();
        if is_new && !linker.allows(&self.app.context, &candidate).await.expect("a working store") {
            return;
        }
        let id = by_code(self.app, &email(who)).await;
        self.makers.insert(id.clone(), who + 2);
        let person = person_of(&self.app.context, &linker.scope, &UserId::new(id)).await.expect("a working store");
        linker.link_by_account_info(&self.app.context, person.expect("them")).await.expect("a working store");
    }

    /// A sign-in with a provider through the core, which links nobody.
    async fn provider(&mut self, who: usize, address: usize) {
        let body = json!({
            "thirdPartyId": "p", "thirdPartyUserId": format!("{who}-{address}"),
            "email": {"id": email(address), "isVerified": false},
        });
        let signed_in = self.app.post("/recipe/signinup", body).await;
        if signed_in.json()["status"] == "OK" {
            self.makers.insert(signed_in.text_at("/recipeUserId"), who + 2);
        }
    }

    async fn verify(&mut self, who: usize) {
        for id in self.made_by(who) {
            let found = self.app.get(&format!("/user/id?userId={id}")).await.ok().json();
            let methods = found["user"]["loginMethods"].as_array().expect("methods").clone();
            let own =
                methods.iter().any(|method| method["recipeUserId"] == id.as_str() && method["email"] == email(who));
            if !own {
                continue;
            }
            if let Some(token) = verification_token(self.app, &id, &email(who)).await {
                let body = json!({"method": "token", "token": token});
                let replaced = self.browsers[who].handle.clone();
                let reply = self.send(who, Method::POST, "/auth/user/email/verify", body).await;
                self.note(who, &reply, None);
                if self.browsers[who].handle != replaced {
                    self.check_enough(who, &reply);
                }
                return;
            }
        }
    }

    /// Whether a user has an authenticator app that counts.
    async fn has_device(&self, user: &str) -> bool {
        if user.is_empty() {
            return false;
        }
        let path = format!("/recipe/totp/device/list?userId={user}");
        let listed = self.app.get(&path).await.json();
        let devices = listed["devices"].as_array().into_iter().flatten();
        devices.into_iter().any(|device| device["verified"] == true)
    }

    /// Checks that an app was added or removed by a session that may.
    fn check_change(&self, who: usize, had_device: bool) {
        let has_shown = self.browsers[who].completed.contains("totp");
        assert!(!had_device || has_shown, "changed by a session that has shown {:?}", self.browsers[who].completed);
    }

    async fn device(&mut self, who: usize) {
        let had_device = self.has_device(&self.browsers[who].user).await;
        let reply = self.send(who, Method::POST, "/auth/totp/device", json!({"deviceName": device_of(who)})).await;
        self.note(who, &reply, None);
        self.check_enough(who, &reply);
        if is_ok(&reply) {
            self.check_change(who, had_device);
            let browser = &mut self.browsers[who];
            browser.secrets.insert(browser.user.clone(), reply.text_at("/secret"));
        }
    }

    async fn remove_device(&mut self, who: usize) {
        let user = self.browsers[who].user.clone();
        let had_device = self.has_device(&user).await;
        let reply = self.send(who, Method::POST, "/auth/totp/device/remove", json!({"deviceName": "phone"})).await;
        self.note(who, &reply, None);
        if had_device && !self.has_device(&user).await {
            self.check_change(who, had_device);
        }
    }

    async fn totp(&mut self, who: usize, path: &str, is_right: bool) {
        self.app.clock.advance(30_000);
        let user = self.browsers[who].user.clone();
        let had_device = self.has_device(&user).await;
        let secret = self.browsers[who].secrets.get(&user).cloned();
        let right = secret.map(|secret| code(self.app, &secret)).unwrap_or_default();
        let shown = if is_right { right.as_str() } else { "no code" };
        let reply = self.send(who, Method::POST, path, json!({"deviceName": device_of(who), "totp": shown})).await;
        let is_new = is_ok(&reply) && reply.json()["wasAlreadyVerified"] != json!(true);
        assert!(!is_new || is_right && !right.is_empty(), "{path}: a wrong code was taken");
        if is_new && path.ends_with("/device/verify") {
            self.check_change(who, had_device);
        }
        self.note(who, &reply, is_new.then_some("totp"));
        self.check_enough(who, &reply);
    }

    async fn info(&mut self, who: usize) {
        let reply = self.send(who, Method::PUT, "/auth/mfa/info", json!({})).await;
        self.note(who, &reply, None);
        self.check_enough(who, &reply);
    }

    async fn require(&mut self, who: usize, on: bool) {
        let user = self.browsers[who].user.clone();
        if user.is_empty() {
            return;
        }
        let factors = if on { json!(["totp"]) } else { json!([]) };
        let update = json!({"_supertokens": {"requiredSecondaryFactors": factors}});
        self.app.put("/recipe/user/metadata", json!({"userId": user, "metadataUpdate": update})).await.ok();
        match on {
            true => self.required_of.insert(user),
            false => self.required_of.remove(&user),
        };
    }

    /// Changes the completed factors that are stored for a session; false if there is none.
    async fn rewrite_factors(&self, who: usize, change: impl FnOnce(&mut Value)) -> bool {
        let handle = &self.browsers[who].handle;
        let mut stored = self.app.get(&format!("/recipe/session?sessionHandle={handle}")).await.json();
        let mut payload = stored["userDataInJWT"].take();
        if !payload["st-mfa"].is_object() {
            return false;
        }
        change(&mut payload["st-mfa"]["c"]);
        let data = json!({"sessionHandle": handle, "userDataInJWT": payload});
        self.app.put("/recipe/jwt/data", data).await.ok();
        true
    }

    async fn moved(&self, who: usize, into: bool) {
        for id in [self.made_by(who), self.made_by(who + 2)].concat() {
            let path = format!("/t1/recipe/multitenancy/tenant/user{}", if into { "" } else { "/remove" });
            self.app.post(&path, json!({"recipeUserId": id})).await;
        }
    }

    async fn err(&mut self, who: usize, fault: Fault) {
        match fault {
            Fault::Factor => {
                assert!(self.rewrite_factors(who, |factors| factors["totp"] = json!(1)).await);
                // Something has changed, so that the session is handed out again.
                self.require(who, true).await;
                self.info(who).await;
            }
            Fault::Requirement => {
                self.require(who, true).await;
                self.required_of.clear();
                self.info(who).await;
            }
            Fault::Link => {
                let (one, other) = (self.made_by(who).concat(), self.made_by(1 - who).concat());
                self.app.post("/recipe/accountlinking/user/primary", json!({"recipeUserId": one})).await.ok();
                let link = json!({"recipeUserId": other, "primaryUserId": one});
                self.app.post("/recipe/accountlinking/user/link", link).await.ok();
            }
        }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::SignUp(who, address, linked, t) => self.sign(who, "/signup", address, (linked, t)).await,
            Step::SignIn(who, address, linked, t) => self.sign(who, "/signin", address, (linked, t)).await,
            Step::Steal(t) => self.sign(THIEF, "/signin", 0, (false, t)).await,
            Step::Code(who) => self.code(who).await,
            Step::Provider(who, address) => self.provider(who, address).await,
            Step::Primary(who) => {
                // Refused where it is linked to another one, or somebody else has the address.
                for id in self.made_by(who + 2) {
                    self.app.post("/recipe/accountlinking/user/primary", json!({"recipeUserId": id})).await;
                }
            }
            Step::Move(who, into) => self.moved(who, into).await,
            Step::Unlink(who, which) => {
                if let Some(id) = self.made_by(who).get(which) {
                    self.app.post("/recipe/accountlinking/user/unlink", json!({"recipeUserId": id})).await;
                }
            }
            Step::Verify(who) => self.verify(who).await,
            Step::Device(who) => self.device(who).await,
            Step::VerifyDevice(who, right) => self.totp(who, "/auth/totp/device/verify", right).await,
            Step::RemoveDevice(who) => self.remove_device(who).await,
            Step::Totp(who, right) => self.totp(who, "/auth/totp/verify", right).await,
            Step::RequireOfAll(elsewhere, on) => {
                let tenant = TENANTS[usize::from(elsewhere)];
                let factors = if on { json!(["totp"]) } else { json!(null) };
                let body = json!({"tenantId": tenant, "requiredSecondaryFactors": factors});
                self.app.put("/recipe/multitenancy/tenant/v2", body).await.ok();
                match on {
                    true => self.required_in.insert(tenant.to_owned()),
                    false => self.required_in.remove(tenant),
                };
            }
            Step::Require(who, on) => self.require(who, on).await,
            Step::TakeAway(who) => {
                let take_away = |factors: &mut Value| {
                    factors.as_object_mut().expect("factors").remove("totp");
                };
                if self.rewrite_factors(who, take_away).await {
                    self.browsers[who].completed.remove("totp");
                }
            }
            Step::Info(who) => self.info(who).await,
            Step::SignOut(who) => {
                self.send(who, Method::POST, "/auth/signout", json!({})).await;
            }
            Step::Err(who, fault) => self.err(who, fault).await,
        }
        if self.rule == LinkingRule::Verified {
            for user in self.users().await {
                let people: BTreeSet<_> = user.iter().map(|id| self.makers[id] % 2).collect();
                assert_eq!(people.len(), 1, "{user:?} is one user, made by {:?}", self.makers);
            }
        }
    }
}

pub(super) fn run(rule: LinkingRule, name: &str, steps: &[Step]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let app = TestApp::builder()
            .setting("recipe_list", RECIPES)
            .setting("account_linking", name)
            .setting("bcrypt_log_rounds", "4")
            .setting("front_rate_limiting", "false")
            .build()
            .await;
        app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1", "firstFactors": null})).await.ok();
        let mut world = World {
            app: &app,
            rule,
            browsers: [Browser::default(), Browser::default(), Browser::default()],
            makers: BTreeMap::new(),
            required_in: BTreeSet::new(),
            required_of: BTreeSet::new(),
        };
        for step in steps {
            world.take(*step).await;
        }
    });
}
