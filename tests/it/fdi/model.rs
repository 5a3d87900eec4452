//! Linking and second factors under sequences of steps by two people, against what each of them has really shown.
//!
//! Both know both addresses, each reads mail at one of them and knows only passwords of their own. Nobody uses a link
//! that somebody else has asked for. Then, whatever they do and in whatever order:
//!
//! * **Nobody is let into somebody else's account** (under `verified`): login methods that two people have made are
//!   never one user's.
//! * **No factor counts that was not shown**: a session's claim names only factors that were completed in it, and says
//!   that it is enough only if one of the required ones is among them.

use super::linking::{by_code, verification_token};
use super::second_factors::{Page, RECIPES, code};
use super::{PASSWORD, claims, form};
use crate::app::{TestApp, TestReply};
use crate::model::cases;
use http::Method;
use proptest::prelude::*;
use serde_json::{Value, json};
use sessiond::command::scope::{Cause, Scope};
use sessiond::command::signing_in::{Linker, person_of};
use sessiond::domain::ids::{TenantId, UserId};
use sessiond::domain::user::AccountInfo;
use sessiond::domain::user::front_linking::{Candidate, LinkingRule};
use std::collections::{BTreeMap, BTreeSet};

const PEOPLE: [&str; 2] = ["a", "b"];

/// What somebody does. The first member is who.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Signs up with an address, in their session or without.
    SignUp(usize, usize, bool),
    /// Signs in with an address and their own password.
    SignIn(usize, usize, bool),
    /// Signs in with a code mailed to their address, and is linked as at the front door.
    Code(usize),
    /// Signs in with a provider that reports an address without vouching for it.
    Provider(usize, usize),
    /// An application of the core makes one of their login methods without a password primary.
    Primary(usize),
    /// Uses the link by which they verify their own address for a login method that they have made.
    Verify(usize),
    /// Adds an authenticator app.
    Device(usize),
    /// Shows a code to verify it: the right one, or another.
    VerifyDevice(usize, bool),
    /// Shows a code of it.
    Totp(usize, bool),
    /// An operator requires TOTP of everybody, or of nobody.
    RequireOfAll(bool),
    /// An operator requires TOTP of them.
    Require(usize, bool),
    /// Asks what is to do.
    Info(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (who, flag) = (|| 0..2_usize, any::<bool>);
    // Mostly one's own address, and the right code.
    let address =
        || (who(), proptest::bool::weighted(0.7)).prop_map(|(who, own)| (who, if own { who } else { 1 - who }));
    let coded = || (who(), proptest::bool::weighted(0.75));
    let step = prop_oneof![
        4 => (address(), flag()).prop_map(|((who, email), flag)| Step::SignUp(who, email, flag)),
        4 => (address(), flag()).prop_map(|((who, email), flag)| Step::SignIn(who, email, flag)),
        3 => who().prop_map(Step::Code),
        3 => address().prop_map(|(who, email)| Step::Provider(who, email)),
        2 => who().prop_map(Step::Primary),
        4 => who().prop_map(Step::Verify),
        3 => who().prop_map(Step::Device),
        5 => coded().prop_map(|(who, right)| Step::VerifyDevice(who, right)),
        4 => coded().prop_map(|(who, right)| Step::Totp(who, right)),
        1 => flag().prop_map(Step::RequireOfAll),
        2 => (who(), flag()).prop_map(|(who, on)| Step::Require(who, on)),
        2 => who().prop_map(Step::Info),
    ];
    proptest::collection::vec(step, 5..60)
}

/// A person's browser, with what they have really shown in its session.
#[derive(Default)]
struct Browser {
    token: String,
    handle: String,
    user: String,
    completed: BTreeSet<String>,
    secrets: BTreeMap<String, String>,
}

struct World<'a> {
    app: &'a TestApp,
    rule: LinkingRule,
    browsers: [Browser; 2],
    /// Who has made each login method: a person's number for those with a password, two more for others.
    makers: BTreeMap<String, usize>,
    required_of_all: bool,
    required_of: BTreeSet<String>,
}

fn email(of: usize) -> String {
    format!("{}@x.io", PEOPLE[of])
}

fn password(of: usize) -> String {
    format!("{PASSWORD} {}", PEOPLE[of])
}

impl World<'_> {
    async fn send(&mut self, who: usize, method: Method, path: &str, body: Value) -> TestReply {
        let token = std::mem::take(&mut self.browsers[who].token);
        let mut page = Page { app: self.app, token };
        let reply = page.send(method, path, body).await;
        self.browsers[who].token = page.token;
        if reply.header("front-token") == ["remove"] {
            self.browsers[who] = Browser::default();
        }
        reply
    }

    /// Takes note of the session that a reply hands out; `shown` is the factor that was completed with it.
    fn note(&mut self, who: usize, reply: &TestReply, shown: Option<&str>) {
        let tokens = reply.header("front-token");
        if tokens.is_empty() || tokens == ["remove"] {
            return;
        }
        let claims = claims(reply);
        let browser = &mut self.browsers[who];
        let handle = claims["sessionHandle"].as_str().unwrap_or_default().to_owned();
        if browser.handle != handle {
            // Every session here begins with a password.
            let completed = ["emailpassword".to_owned()].into();
            let secrets = std::mem::take(&mut browser.secrets);
            *browser =
                Browser { token: std::mem::take(&mut browser.token), handle, completed, secrets, user: String::new() };
        }
        claims["sub"].as_str().unwrap_or_default().clone_into(&mut browser.user);
        browser.completed.extend(shown.map(str::to_owned));
        let Some(claim) = claims["st-mfa"].as_object() else { return };
        let counted: BTreeSet<_> = claim["c"].as_object().expect("factors").keys().cloned().collect();
        assert!(counted.is_subset(&browser.completed), "{claim:?} after {:?}", browser.completed);
    }

    /// Checks that a session which was brought up to date says that its factors are enough only if they are.
    fn check_enough(&self, who: usize, reply: &TestReply) {
        let tokens = reply.header("front-token");
        if tokens.is_empty() || tokens == ["remove"] || claims(reply)["st-mfa"].is_null() {
            return;
        }
        let browser = &self.browsers[who];
        let is_required = self.required_of_all || self.required_of.contains(&browser.user);
        let is_enough = !is_required || browser.completed.contains("totp");
        assert_eq!(claims(reply)["st-mfa"]["v"], is_enough, "{} {:?}", browser.user, browser.completed);
    }

    async fn sign(&mut self, who: usize, path: &str, address: usize, linked: bool) {
        let mut body = form(&email(address), &password(who));
        body["shouldTryLinkingWithSessionUser"] = json!(linked && !self.browsers[who].token.is_empty());
        let before = self.methods().await;
        let reply = self.send(who, Method::POST, path, body).await;
        for method in self.methods().await {
            if !before.contains(&method) {
                self.makers.insert(method, who);
            }
        }
        let is_ok = reply.code() == 200 && reply.json()["status"] == "OK";
        self.note(who, &reply, is_ok.then_some("emailpassword"));
        if is_ok {
            self.check_enough(who, &reply);
        }
    }

    /// The ids of all login methods.
    async fn methods(&self) -> BTreeSet<String> {
        self.users().await.into_iter().flatten().collect()
    }

    /// The ids of the login methods of each user.
    async fn users(&self) -> Vec<Vec<String>> {
        let users = self.app.get("/users?limit=500").await.ok().json();
        let id = |method: &Value| method["recipeUserId"].as_str().expect("an id").to_owned();
        let ids = |user: &Value| user["loginMethods"].as_array().expect("methods").iter().map(id).collect();
        users["users"].as_array().expect("users").iter().map(ids).collect()
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
                let reply = self.send(who, Method::POST, "/auth/user/email/verify", body).await;
                return self.note(who, &reply, None);
            }
        }
    }

    async fn totp(&mut self, who: usize, path: &str, is_right: bool) {
        self.app.clock.advance(30_000);
        let user = self.browsers[who].user.clone();
        let secret = self.browsers[who].secrets.get(&user).cloned();
        let right = secret.map(|secret| code(self.app, &secret)).unwrap_or_default();
        let shown = if is_right { right.as_str() } else { "no code" };
        let reply = self.send(who, Method::POST, path, json!({"deviceName": "phone", "totp": shown})).await;
        let is_ok = reply.code() == 200 && reply.json()["status"] == "OK";
        let is_new = is_ok && reply.json()["wasAlreadyVerified"] != json!(true);
        assert!(!is_new || is_right && !right.is_empty(), "{path}: a wrong code was taken");
        self.note(who, &reply, is_new.then_some("totp"));
        self.check_enough(who, &reply);
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::SignUp(who, address, linked) => self.sign(who, "/auth/signup", address, linked).await,
            Step::SignIn(who, address, linked) => self.sign(who, "/auth/signin", address, linked).await,
            Step::Code(who) => self.code(who).await,
            Step::Provider(who, address) => self.provider(who, address).await,
            Step::Primary(who) => {
                // Refused where it is linked to another one, or somebody else has the address.
                for id in self.made_by(who + 2) {
                    self.app.post("/recipe/accountlinking/user/primary", json!({"recipeUserId": id})).await;
                }
            }
            Step::Verify(who) => self.verify(who).await,
            Step::Device(who) => {
                let body = json!({"deviceName": "phone"});
                let reply = self.send(who, Method::POST, "/auth/totp/device", body).await;
                self.note(who, &reply, None);
                self.check_enough(who, &reply);
                if reply.code() == 200 && reply.json()["status"] == "OK" {
                    let browser = &mut self.browsers[who];
                    browser.secrets.insert(browser.user.clone(), reply.text_at("/secret"));
                }
            }
            Step::VerifyDevice(who, right) => self.totp(who, "/auth/totp/device/verify", right).await,
            Step::Totp(who, right) => self.totp(who, "/auth/totp/verify", right).await,
            Step::RequireOfAll(on) => {
                let factors = if on { json!(["totp"]) } else { json!(null) };
                let body = json!({"tenantId": "public", "requiredSecondaryFactors": factors});
                self.app.put("/recipe/multitenancy/tenant/v2", body).await.ok();
                self.required_of_all = on;
            }
            Step::Require(who, on) => {
                let user = self.browsers[who].user.clone();
                if user.is_empty() {
                    return;
                }
                let factors = if on { json!(["totp"]) } else { json!([]) };
                let update = json!({"_supertokens": {"requiredSecondaryFactors": factors}});
                let body = json!({"userId": user, "metadataUpdate": update});
                self.app.put("/recipe/user/metadata", body).await.ok();
                if on {
                    self.required_of.insert(user)
                } else {
                    self.required_of.remove(&user)
                };
            }
            Step::Info(who) => {
                let reply = self.send(who, Method::PUT, "/auth/mfa/info", json!({})).await;
                self.note(who, &reply, None);
                self.check_enough(who, &reply);
            }
        }
        if self.rule == LinkingRule::Verified {
            for user in self.users().await {
                let people: BTreeSet<_> = user.iter().map(|id| self.makers[id] % 2).collect();
                assert_eq!(people.len(), 1, "{user:?} is one user, made by {:?}", self.makers);
            }
        }
    }
}

fn run(rule: LinkingRule, name: &str, steps: &[Step]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let app = TestApp::builder()
            .setting("recipe_list", RECIPES)
            .setting("account_linking", name)
            .setting("bcrypt_log_rounds", "4")
            .build()
            .await;
        let mut world = World {
            app: &app,
            rule,
            browsers: [Browser::default(), Browser::default()],
            makers: BTreeMap::new(),
            required_of_all: false,
            required_of: BTreeSet::new(),
        };
        for step in steps {
            world.take(*step).await;
        }
    });
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn nobody_is_let_in_by_somebody_elses_login(steps in steps()) {
        run(LinkingRule::Verified, "verified", &steps);
    }

    #[test]
    fn no_factor_counts_that_was_not_shown(steps in steps()) {
        run(LinkingRule::Always, "always", &steps);
    }
}
