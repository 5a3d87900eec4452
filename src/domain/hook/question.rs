//! [`Question`]: what an inline hook is asked, and [`Answer`]: what it says.

use super::event::Circumstances;
use super::inline::HookPoint;
use crate::domain::ids::{SessionHandle, TenantId, UserId};
use crate::domain::json::JsonObject;
use crate::domain::json::reader::{self, ConfigFlaw, Notes, Reader};
use crate::domain::user::{AccountInfo, RecipeId, ThirdPartyAccount};
use serde::Serialize;

/// The longest name of a browser that hooks are told, in bytes.
const MAX_USER_AGENT: usize = 512;
/// The longest sentence for a person, in characters.
const MAX_MESSAGE: usize = 500;

/// What an inline hook is asked.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// What is about to happen.
    pub point: HookPoint,
    /// The tenant in which.
    pub tenant: &'a TenantId,
    /// The recipe of the login method, if one is used.
    pub recipe: Option<RecipeId>,
    /// The account infos of the login method, if one is used.
    pub infos: &'a [AccountInfo],
    /// What was answered in the sign-up form, besides address and password.
    pub form_fields: Option<&'a JsonObject>,
    /// The user and the login method, by the ids that callers see; `None` at sign-up.
    pub user: Option<(&'a UserId, &'a UserId)>,
    /// Whether it begins a session, and not adds a factor to one or goes on with one.
    pub begins_session: bool,
    /// The session that goes on.
    pub session: Option<&'a SessionHandle>,
    /// What the browser says that it is.
    pub user_agent: Option<&'a str>,
}

/// The body of a request, documented in `docs/hooks.md`. Members are added, never renamed.
#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    timestamp: String,
    data: Data<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    connection_uri_domain: &'a str,
    app_id: &'a str,
    tenant_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipe_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    third_party_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    third_party_user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    form_fields: Option<&'a JsonObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipe_user_id: Option<&'a str>,
    begins_session: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_handle: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_address: Option<String>,
    request_id: &'a str,
}

impl Question<'_> {
    /// The question in JSON.
    #[must_use]
    pub fn body(&self, circumstances: &Circumstances<'_>) -> String {
        let account = self.account();
        let (user, recipe_user) = self.user.unzip();
        let body = Body {
            r#type: format!("before.{}", self.point.name()),
            timestamp: circumstances.at.to_string(),
            data: Data {
                connection_uri_domain: &circumstances.app.connection_uri_domain,
                app_id: &circumstances.app.app_id,
                tenant_id: self.tenant.as_str(),
                recipe_id: self.recipe.map(RecipeId::as_str),
                email: self.email(),
                phone_number: self.phone_number(),
                third_party_id: account.map(|account| account.id.as_str()),
                third_party_user_id: account.map(|account| account.user_id.as_str()),
                form_fields: self.form_fields,
                user_id: user.map(UserId::as_str),
                recipe_user_id: recipe_user.map(UserId::as_str),
                begins_session: self.begins_session,
                session_handle: self.session.map(ToString::to_string),
                user_agent: self.user_agent.map(|agent| bounded(agent, MAX_USER_AGENT)),
                client_address: circumstances.client.map(|address| address.to_canonical().to_string()),
                request_id: circumstances.request_id,
            },
        };
        // invariant: it holds only serialisable data with string keys
        serde_json::to_string(&body).unwrap_or_default()
    }

    /// The e-mail address or phone number of the login method, if one is used.
    #[must_use]
    pub fn login(&self) -> Option<&str> {
        self.email().or_else(|| self.phone_number())
    }

    fn email(&self) -> Option<&str> {
        self.infos.iter().find_map(|info| match info {
            AccountInfo::Email(email) => Some(email.as_str()),
            AccountInfo::PhoneNumber(_) | AccountInfo::ThirdParty(_) => None,
        })
    }

    fn phone_number(&self) -> Option<&str> {
        self.infos.iter().find_map(|info| match info {
            AccountInfo::PhoneNumber(number) => Some(number.as_str()),
            AccountInfo::Email(_) | AccountInfo::ThirdParty(_) => None,
        })
    }

    fn account(&self) -> Option<&ThirdPartyAccount> {
        self.infos.iter().find_map(|info| match info {
            AccountInfo::ThirdParty(account) => Some(account),
            AccountInfo::Email(_) | AccountInfo::PhoneNumber(_) => None,
        })
    }
}

/// The beginning of a text, up to so many bytes.
fn bounded(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or(text)
}

/// What an inline hook says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It may happen.
    Allow {
        /// Claims to add to the session's access tokens; none but of [`HookPoint::Token`].
        claims: Option<JsonObject>,
        /// Members to merge into the user's metadata.
        metadata: Option<JsonObject>,
    },
    /// It must not happen.
    Refuse {
        /// The sentence for the person; `None` for a general one.
        message: Option<String>,
    },
}

impl Answer {
    /// Reads the body of a reply. An empty one allows. Whatever else is not exactly an answer is a mistake: a misspelt
    /// refusal must not allow.
    ///
    /// # Errors
    /// What is wrong with it, without its values.
    pub fn parse(body: &[u8], point: HookPoint) -> Result<Self, ConfigFlaw> {
        const PLACE: &str = "its answer";
        let first = |flaws: Vec<ConfigFlaw>| flaws.into_iter().next().unwrap_or(ConfigFlaw::new(PLACE, "is wrong"));
        let text = str::from_utf8(body).map_err(|_| ConfigFlaw::new(PLACE, "must be UTF-8"))?;
        if text.trim().is_empty() {
            return Ok(Self::Allow { claims: None, metadata: None });
        }
        let json = reader::parse(text, PLACE)?;
        let notes = Notes::default();
        let answer = Reader::of(&json, PLACE.to_owned(), &notes, true).map(|answer| Self::read(&answer, point));
        notes.or(answer).map_err(first)?.ok_or_else(|| ConfigFlaw::new(PLACE, "must be an object"))
    }

    /// Reads the members of an answer; mistakes are noted.
    fn read(answer: &Reader<'_>, point: HookPoint) -> Self {
        answer.knows_all(&["decision", "message", "claims", "metadata"]);
        let object = |name: &str| {
            let members = answer.inner(name).and_then(|_| answer.given(name)?.as_object());
            members.map(JsonObject::from)
        };
        let (claims, metadata, message) = (object("claims"), object("metadata"), answer.filled("message"));
        if claims.is_some() && point != HookPoint::Token {
            answer.note("claims", "belongs to the answer to before.token");
        }
        match answer.required("decision").as_str() {
            "allow" if message.is_some() => answer.note("message", "belongs to a refusal"),
            "refuse" if claims.is_some() || metadata.is_some() => {
                answer.note("decision", "must be allow if there are claims or metadata");
            }
            "allow" => return Self::Allow { claims, metadata },
            "" | "refuse" => {}
            _ => answer.note("decision", "must be allow or refuse"),
        }
        Self::Refuse { message: message.map(|text| text.chars().take(MAX_MESSAGE).collect()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Answer, String> {
        Answer::parse(text.as_bytes(), HookPoint::Token).map_err(|flaw| flaw.to_string())
    }

    #[test]
    fn answers_allow_or_refuse() {
        let nothing = Answer::Allow { claims: None, metadata: None };
        for text in ["", " \n", r#"{"decision": "allow"}"#] {
            assert_eq!(parse(text), Ok(nothing.clone()), "{text}");
        }
        let added = parse(r#"{"decision": "allow", "claims": {"plan": "gold"}, "metadata": {"seen": 1e2}}"#).unwrap();
        let (claims, metadata) = (r#"{"plan":"gold"}"#, r#"{"seen":1e2}"#);
        let object = |text| Some(JsonObject::parse(text).unwrap());
        assert_eq!(added, Answer::Allow { claims: object(claims), metadata: object(metadata) });
        let refused = parse(r#"{"decision": "refuse", "message": "No."}"#).unwrap();
        assert_eq!(refused, Answer::Refuse { message: Some("No.".to_owned()) });
        let long = parse(&format!(r#"{{"decision": "refuse", "message": "{}"}}"#, "é".repeat(9_999))).unwrap();
        assert_eq!(long, Answer::Refuse { message: Some("é".repeat(MAX_MESSAGE)) });
    }

    #[test]
    fn what_is_no_answer_is_neither() {
        for (text, problem) in [
            ("{}", "its answer.decision is missing"),
            ("hush", "its answer must be JSON: wrong at line 1, column 1"),
            ("[]", "its answer must be an object"),
            (r#"{"decison": "refuse"}"#, "its answer.decison is unknown"),
            (r#"{"decision": "deny"}"#, "its answer.decision must be allow or refuse"),
            (r#"{"decision": true}"#, "its answer.decision must be a text that is not empty"),
            (r#"{"decision": "allow", "claims": ["hush"]}"#, "its answer.claims must be an object"),
            (r#"{"decision": "allow", "message": "hush"}"#, "its answer.message belongs to a refusal"),
            (
                r#"{"decision": "refuse", "metadata": {"a": 1}}"#,
                "its answer.decision must be allow if there are claims or metadata",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err(), problem, "{text}");
        }
        assert!(Answer::parse(b"\xff", HookPoint::Token).is_err());
        let claims = Answer::parse(br#"{"decision": "allow", "claims": {}}"#, HookPoint::SignUp).unwrap_err();
        assert_eq!(claims.to_string(), "its answer.claims belongs to the answer to before.token");
    }
}
