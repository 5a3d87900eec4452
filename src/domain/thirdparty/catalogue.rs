//! The catalogue: what is known about well-known providers, so that an operator states no more than a client.

/// Which provider it is, for those whose ways differ from plain OAuth 2.0 and OpenID Connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProviderKind {
    /// Microsoft Entra ID.
    ActiveDirectory,
    /// Apple.
    Apple,
    /// Bitbucket.
    Bitbucket,
    /// Discord.
    Discord,
    /// Facebook.
    Facebook,
    /// GitHub.
    Github,
    /// GitLab.
    Gitlab,
    /// Google, for accounts of an organisation.
    GoogleWorkspaces,
    /// Google.
    Google,
    /// Okta.
    Okta,
    /// LinkedIn.
    Linkedin,
    /// Twitter (X).
    Twitter,
    /// SAML through Ory Polis (BoxyHQ).
    BoxySaml,
    /// SAML by this server.
    Saml,
    /// As configured.
    Custom,
}

/// What the catalogue knows about a provider. Texts may name members of a client's `additionalConfig` in braces.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Which provider it is.
    pub kind: ProviderKind,
    /// How the ids that mean it begin.
    pub prefix: &'static str,
    /// The name to show.
    pub name: &'static str,
    /// The issuer whose discovery document is read; empty for none.
    pub discovery: &'static str,
    /// Where the browser is sent; empty if discovery says.
    pub authorization: &'static str,
    /// Where a code is exchanged; empty if discovery says.
    pub token: &'static str,
    /// Where the person's data is read; empty if discovery says.
    pub user_info: &'static str,
    /// The scopes to ask for.
    pub scope: &'static [&'static str],
    /// Members of the authorization URL's query.
    pub query: &'static [(&'static str, &'static str)],
    /// Values of the members in braces that need not be given.
    pub defaults: &'static [(&'static str, &'static str)],
    /// Whether PKCE is used in any case.
    pub force_pkce: bool,
    /// Whether an account without an e-mail address is refused.
    pub require_email: bool,
    /// Where the id, the address and the statement about it are in the reply of the user info endpoint; empty for none.
    pub map: [&'static str; 3],
}

/// The names of OpenID Connect Core 1.0, section 5.1.
pub const STANDARD_MAP: [&str; 3] = ["sub", "email", "email_verified"];

/// What applies to a provider that the catalogue does not know.
pub const CUSTOM: Entry = Entry {
    kind: ProviderKind::Custom,
    prefix: "",
    name: "",
    discovery: "",
    authorization: "",
    token: "",
    user_info: "",
    scope: &[],
    query: &[],
    defaults: &[],
    force_pkce: false,
    require_email: true,
    map: STANDARD_MAP,
};

const OIDC: Entry = Entry { scope: &["openid", "email"], ..CUSTOM };

const GOOGLE: Entry = Entry {
    kind: ProviderKind::Google,
    prefix: "google",
    name: "Google",
    discovery: "https://accounts.google.com",
    query: &[("included_grant_scopes", "true"), ("access_type", "offline")],
    ..OIDC
};

/// The catalogue, in the order in which prefixes are tried: a longer one before a shorter one.
pub const CATALOGUE: [Entry; 14] = [
    Entry {
        kind: ProviderKind::ActiveDirectory,
        prefix: "active-directory",
        name: "Active Directory",
        discovery: "https://login.microsoftonline.com/{directoryId}/v2.0",
        ..OIDC
    },
    Entry {
        kind: ProviderKind::Apple,
        prefix: "apple",
        name: "Apple",
        discovery: "https://appleid.apple.com",
        query: &[("response_mode", "form_post")],
        ..OIDC
    },
    Entry {
        kind: ProviderKind::Bitbucket,
        prefix: "bitbucket",
        name: "Bitbucket",
        authorization: "https://bitbucket.org/site/oauth2/authorize",
        token: "https://bitbucket.org/site/oauth2/access_token",
        user_info: "https://api.bitbucket.org/2.0/user",
        scope: &["account", "email"],
        query: &[("audience", "api.atlassian.com")],
        map: ["uuid", "email", "email_verified"],
        ..CUSTOM
    },
    Entry {
        kind: ProviderKind::Discord,
        prefix: "discord",
        name: "Discord",
        authorization: "https://discord.com/oauth2/authorize",
        token: "https://discord.com/api/oauth2/token",
        user_info: "https://discord.com/api/users/@me",
        scope: &["identify", "email"],
        map: ["id", "email", "verified"],
        ..CUSTOM
    },
    Entry {
        kind: ProviderKind::Facebook,
        prefix: "facebook",
        name: "Facebook",
        authorization: "https://www.facebook.com/v12.0/dialog/oauth",
        token: "https://graph.facebook.com/v12.0/oauth/access_token",
        user_info: "https://graph.facebook.com/me",
        scope: &["email"],
        map: ["id", "email", ""],
        ..CUSTOM
    },
    Entry {
        kind: ProviderKind::Github,
        prefix: "github",
        name: "Github",
        authorization: "https://github.com/login/oauth/authorize",
        token: "https://github.com/login/oauth/access_token",
        user_info: "https://api.github.com/user",
        scope: &["read:user", "user:email"],
        map: ["id", "email", "email_verified"],
        ..CUSTOM
    },
    Entry {
        kind: ProviderKind::Gitlab,
        prefix: "gitlab",
        name: "Gitlab",
        discovery: "{gitlabBaseUrl}",
        defaults: &[("gitlabBaseUrl", "https://gitlab.com")],
        ..OIDC
    },
    Entry {
        kind: ProviderKind::GoogleWorkspaces,
        prefix: "google-workspaces",
        name: "Google Workspaces",
        query: &[("included_grant_scopes", "true"), ("access_type", "offline"), ("hd", "{hd}")],
        defaults: &[("hd", "*")],
        ..GOOGLE
    },
    GOOGLE,
    Entry { kind: ProviderKind::Okta, prefix: "okta", name: "Okta", discovery: "{oktaDomain}", ..OIDC },
    Entry {
        kind: ProviderKind::Linkedin,
        prefix: "linkedin",
        name: "LinkedIn",
        authorization: "https://www.linkedin.com/oauth/v2/authorization",
        token: "https://www.linkedin.com/oauth/v2/accessToken",
        user_info: "https://api.linkedin.com/v2/userinfo",
        scope: &["openid", "profile", "email"],
        ..CUSTOM
    },
    Entry {
        kind: ProviderKind::Twitter,
        prefix: "twitter",
        name: "Twitter",
        authorization: "https://twitter.com/i/oauth2/authorize",
        token: "https://api.twitter.com/2/oauth2/token",
        user_info: "https://api.twitter.com/2/users/me",
        scope: &["users.read", "tweet.read"],
        force_pkce: true,
        require_email: false,
        map: ["data.id", "", ""],
        ..CUSTOM
    },
    Entry {
        kind: ProviderKind::BoxySaml,
        prefix: "boxy-saml",
        name: "SAML",
        authorization: "{boxyURL}/api/oauth/authorize",
        token: "{boxyURL}/api/oauth/token",
        user_info: "{boxyURL}/api/oauth/userinfo",
        map: ["id", "email", "email_verified"],
        ..CUSTOM
    },
    Entry { kind: ProviderKind::Saml, prefix: "saml", name: "SAML", ..CUSTOM },
];

/// The entry that an id, or the name of an implementation, means.
#[must_use]
pub fn entry_of(id: &str) -> &'static Entry {
    CATALOGUE.iter().find(|entry| id.starts_with(entry.prefix)).unwrap_or(&CUSTOM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_means_the_provider_whose_name_it_begins_with() {
        for (id, kind) in [
            ("google", ProviderKind::Google),
            ("google-2", ProviderKind::Google),
            ("google-workspaces-x", ProviderKind::GoogleWorkspaces),
            ("boxy-saml-acme", ProviderKind::BoxySaml),
            ("saml-acme", ProviderKind::Saml),
            ("apple", ProviderKind::Apple),
            ("mygoogle", ProviderKind::Custom),
            ("", ProviderKind::Custom),
        ] {
            assert_eq!(entry_of(id).kind, kind, "{id}");
        }
    }

    #[test]
    fn every_entry_is_reached_by_its_own_prefix() {
        for entry in &CATALOGUE {
            assert_eq!(entry_of(entry.prefix).kind, entry.kind, "{}", entry.prefix);
        }
    }
}
