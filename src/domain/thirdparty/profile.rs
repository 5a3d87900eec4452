//! [`Profile`]: what a provider said about a person, and who that is.

use super::catalogue::ProviderKind;
use super::config::Paths;
use super::provider::Provider;
use crate::domain::json::{Json, Members};

/// What a provider said about a person.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// The payload of the id token; empty if there was none that could be checked.
    pub id_token: Members,
    /// The reply of the user info endpoint; empty if it was not asked.
    pub user_info: Members,
}

/// Longest id of a person that counts as one, in bytes: four times what OpenID Connect allows.
const MAX_USER_ID: usize = 1024;

/// Who a profile is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The person's id at the provider.
    pub user_id: String,
    /// The e-mail address, if the provider gave one.
    pub email: Option<String>,
    /// Whether the provider states that the address is the person's.
    pub is_verified: bool,
}

/// Why a profile does not say who it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProfileFlaw {
    /// Neither reply has the person's id.
    #[error("the provider's replies have no user id")]
    NoUserId,
    /// The two replies are about different people (OpenID Connect Core 1.0, section 5.3.2).
    #[error("the id token and the user info are about different people")]
    TwoPeople,
}

impl Profile {
    /// Who the profile is about: what the id token says wins.
    ///
    /// # Errors
    /// When it is about nobody, or about two.
    pub fn subject(&self, provider: &Provider) -> Result<Subject, ProfileFlaw> {
        if matches!((self.id_token.get("sub"), self.user_info.get("sub")), (Some(a), Some(b)) if a != b) {
            return Err(ProfileFlaw::TwoPeople);
        }
        let sources = [
            Source { members: &self.id_token, paths: &provider.map.id_token },
            Source { members: &self.user_info, paths: &provider.map.user_info },
        ];
        let user_id = sources.iter().find_map(Source::user_id).ok_or(ProfileFlaw::NoUserId)?;
        let email = sources.iter().find_map(Source::email);
        Ok(Subject {
            user_id,
            is_verified: email.is_some_and(|email| is_verified(&sources, email)),
            email: email.map(str::to_owned),
        })
    }
}

/// The first statement about this address counts. One about another address says nothing about it.
fn is_verified(sources: &[Source<'_>], email: &str) -> bool {
    let about = sources.iter().filter(|source| source.email() == Some(email));
    match about.filter_map(Source::verified).next() {
        Some(Json::Bool(flag)) => *flag,
        Some(Json::Text(text)) => text == "true",
        _ => false,
    }
}

/// One of the two replies, and where its values are.
struct Source<'a> {
    members: &'a Members,
    paths: &'a Paths,
}

impl<'a> Source<'a> {
    fn user_id(&self) -> Option<String> {
        match at(self.members, self.paths.user_id.as_deref()?)? {
            Json::Text(text) if !text.is_empty() && text.len() <= MAX_USER_ID => Some(text.clone()),
            Json::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    fn email(&self) -> Option<&'a str> {
        at(self.members, self.paths.email.as_deref()?)?.as_str().map(str::trim).filter(|text| !text.is_empty())
    }

    fn verified(&self) -> Option<&'a Json> {
        at(self.members, self.paths.email_verified.as_deref()?)
    }
}

/// The value at a path of names with dots.
fn at<'m>(members: &'m Members, path: &str) -> Option<&'m Json> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let value = members.get(first)?;
    match rest {
        None => Some(value),
        Some(rest) => at(value.as_object()?, rest),
    }
}

/// Adds the reply of [`emails_request`](super::exchange::emails_request) to the user info, and the primary address with
/// its state as `email` and `email_verified`: the public address of a profile is whatever the person wrote there.
pub fn add_emails(user_info: &mut Members, kind: ProviderKind, emails: Json) {
    let (list, primary, verified) = match kind {
        ProviderKind::Bitbucket => {
            (emails.as_object().and_then(|page| page.get("values")), "is_primary", "is_confirmed")
        }
        _ => (Some(&emails), "primary", "verified"),
    };
    let entries = list.and_then(Json::as_array).unwrap_or_default().iter().filter_map(Json::as_object);
    let is_true = |entry: &Members, name: &str| entry.get(name).and_then(Json::as_bool) == Some(true);
    let found = entries.filter(|entry| is_true(entry, primary)).find_map(|entry| {
        let email = entry.get("email")?.as_str()?.to_owned();
        Some((email, is_true(entry, verified)))
    });
    user_info.remove("email");
    user_info.remove("email_verified");
    if let Some((email, verified)) = found {
        user_info.set("email", Json::Text(email));
        user_info.set("email_verified", Json::Bool(verified));
    }
    user_info.set("emails", emails);
}

/// The address of a person whose provider gives none. Nobody can receive mail there.
#[must_use]
pub fn fake_email(user_id: &str, third_party_id: &str) -> String {
    format!("{user_id}.{third_party_id}@stfakeemail.supertokens.com")
}

impl std::fmt::Debug for Profile {
    /// Leaves out what was said: it is about a person.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Profile(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::thirdparty::read;
    use serde_json::{Value, json};

    fn settled(id: &str, map: &Value) -> Provider {
        let extra = json!({
            "keyId": "k", "teamId": "t", "privateKey": "p", "directoryId": "d", "oktaDomain": "o.test", "boxyURL": "b.test",
        });
        let config = json!({
            "thirdPartyId": id, "userInfoMap": map, "clients": [{"clientId": "me", "additionalConfig": extra}],
            "authorizationEndpoint": "https://op.test/a", "tokenEndpoint": "https://op.test/t",
        });
        let config = read::provider(&config.to_string(), "p").unwrap();
        Provider::settle(&config, &config.clients[0]).unwrap()
    }

    fn members(json: &Value) -> Members {
        Members::parse(&json.to_string()).unwrap()
    }

    fn subject(provider: &Provider, id_token: &Value, user_info: &Value) -> Result<Subject, ProfileFlaw> {
        Profile { id_token: members(id_token), user_info: members(user_info) }.subject(provider)
    }

    fn is(user_id: &str, email: Option<&str>, is_verified: bool) -> Result<Subject, ProfileFlaw> {
        Ok(Subject { user_id: user_id.to_owned(), email: email.map(str::to_owned), is_verified })
    }

    #[test]
    fn every_provider_of_the_catalogue_is_understood() {
        let (mail, none) = (Some("p@x.io"), json!({}));
        let open_id = json!({"sub": "7", "email": "p@x.io", "email_verified": true});
        for id in ["google", "google-workspaces", "gitlab", "okta", "apple", "active-directory"] {
            let provider = settled(id, &none);
            assert_eq!(subject(&provider, &open_id, &none), is("7", mail, true), "{id}");
            assert_eq!(
                subject(&provider, &json!({"sub": "7", "email": "p@x.io"}), &none),
                is("7", mail, false),
                "{id}"
            );
        }
        for (id, user_info, expected) in [
            ("linkedin", open_id, is("7", mail, true)),
            ("discord", json!({"id": "7", "email": "p@x.io", "verified": true}), is("7", mail, true)),
            ("facebook", json!({"id": "7", "email": "p@x.io", "email_verified": true}), is("7", mail, false)),
            ("facebook", json!({"id": "7"}), is("7", None, false)),
            ("twitter", json!({"data": {"id": "7", "username": "p"}}), is("7", None, false)),
            ("boxy-saml", json!({"id": "7", "email": "p@x.io"}), is("7", mail, false)),
        ] {
            assert_eq!(subject(&settled(id, &none), &none, &user_info), expected, "{id}");
        }
    }

    #[test]
    fn github_and_bitbucket_name_the_primary_address() {
        let none = json!({});
        let mut user_info = members(&json!({"id": 7, "email": "public@x.io", "email_verified": true}));
        let emails = json!([
            {"email": "a@x.io", "primary": false, "verified": true}, {"email": "p@x.io", "primary": true, "verified": true},
        ]);
        add_emails(&mut user_info, ProviderKind::Github, members(&json!({"e": emails})).remove("e").unwrap());
        let profile = Profile { user_info, ..Profile::default() };
        assert_eq!(profile.subject(&settled("github", &none)), is("7", Some("p@x.io"), true));

        let mut user_info = members(&json!({"uuid": "{7}"}));
        let page = json!({"values": [{"email": "p@x.io", "is_primary": true, "is_confirmed": false}]});
        add_emails(&mut user_info, ProviderKind::Bitbucket, Json::Object(members(&page)));
        let profile = Profile { user_info, ..Profile::default() };
        assert_eq!(profile.subject(&settled("bitbucket", &none)), is("{7}", Some("p@x.io"), false));

        let mut user_info = members(&json!({"id": 7, "email": "public@x.io", "email_verified": true}));
        add_emails(&mut user_info, ProviderKind::Github, Json::Null);
        let profile = Profile { user_info, ..Profile::default() };
        assert_eq!(profile.subject(&settled("github", &none)), is("7", None, false));
    }

    #[test]
    fn values_are_found_by_configured_paths_and_those_of_the_id_token_win() {
        let map = json!({
            "fromIdTokenPayload": {"userId": "oid"},
            "fromUserInfoAPI": {"userId": "a.b.id", "email": "a.mail", "emailVerified": "a.ok"},
        });
        let own = settled("own", &map);
        let info = json!({"a": {"b": {"id": 12}, "mail": "p@x.io", "ok": "true"}});
        assert_eq!(subject(&own, &json!({}), &info), is("12", Some("p@x.io"), true));
        assert_eq!(subject(&own, &json!({"oid": "o", "email": "q@x.io"}), &info), is("o", Some("q@x.io"), false));
        assert_eq!(subject(&own, &json!({"sub": "s"}), &json!({"a": {"b": 1}})), Err(ProfileFlaw::NoUserId));
    }

    #[test]
    fn only_a_statement_about_the_address_itself_verifies_it() {
        let own = settled("own", &json!({}));
        let of = |id_token: Value, info: Value| subject(&own, &id_token, &info).unwrap().is_verified;
        let info = |email: &str, flag: Value| json!({"sub": "s", "email": email, "email_verified": flag});
        assert!(of(json!({}), info("p@x.io", json!(true))));
        assert!(of(json!({}), info("p@x.io", json!("true"))));
        for flag in [json!(false), json!("True"), json!(1), json!(null), json!("yes")] {
            assert!(!of(json!({}), info("p@x.io", flag)));
        }
        assert!(of(json!({"sub": "s", "email": "p@x.io"}), info("p@x.io", json!(true))));
        assert!(!of(json!({"sub": "s", "email": "victim@x.io"}), info("p@x.io", json!(true))));
        assert!(!of(info("p@x.io", json!(false)), info("p@x.io", json!(true))));
    }

    #[test]
    fn two_people_are_refused() {
        let own = settled("own", &json!({}));
        assert_eq!(subject(&own, &json!({"sub": "a"}), &json!({"sub": "b"})), Err(ProfileFlaw::TwoPeople));
        assert_eq!(subject(&own, &json!({}), &json!({"sub": ""})), Err(ProfileFlaw::NoUserId));
    }
}
