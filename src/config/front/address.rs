//! Where the front door is, and which pages may use it.

use crate::config::flaws::Flaws;
use crate::config::front::listener::TlsSource;
use crate::config::url_path::base_path;
use crate::config::values::Values;
use crate::domain::origin::Origin;

/// The settings that may keep TLS from being set up.
const TLS_SETTINGS: [&str; 7] = [
    "front_tls_cert",
    "front_tls_key",
    "front_acme",
    "front_acme_directory",
    "front_acme_contact_email",
    "front_acme_eab_key_id",
    "front_acme_eab_key",
];

/// Where browsers reach the front door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Api {
    /// Its origin; `None` in development, when it is the one that it listens on.
    pub origin: Option<Origin>,
    /// Prefix of its paths as browsers see them: empty, or with a leading and without a trailing slash.
    pub base_path: String,
    /// What a gateway in front adds to that.
    pub gateway_path: String,
}

impl Api {
    pub(super) fn read(values: &Values, flaws: &mut Flaws) -> Option<Self> {
        let origin = values.text("api_domain").map(|text| origin("api_domain", text)).transpose();
        let origin = flaws.keep(["api_domain"], origin);
        let tls = flaws.keep(TLS_SETTINGS, TlsSource::read(values)).flatten();
        let is_https = matches!(&origin, Some(Some(origin)) if origin.is_https);
        if let Some(source) = tls
            && !is_https
        {
            let setting = source.setting();
            let sentence = format!("'api_domain' must be set and begin with https:// if '{setting}' is set");
            flaws.add(["api_domain", setting], sentence);
        }
        let base_path = path(values, "api_base_path", flaws);
        let gateway_path = path(values, "api_gateway_path", flaws);
        Some(Self { origin: origin?, base_path: base_path?, gateway_path: gateway_path? })
    }

    /// True if browsers may be told to use https alone for its host: it is reached on https's own port, where nothing
    /// else is, and is not this machine, whose other ports developers use.
    #[must_use]
    pub fn owns_its_host(&self) -> bool {
        self.origin.as_ref().is_some_and(|origin| origin.is_https && origin.port.is_none() && !origin.is_loopback())
    }

    /// The path before those of the routes.
    #[must_use]
    pub fn prefix(&self) -> String {
        format!("{}{}", self.gateway_path, self.base_path)
    }
}

/// The pages that may use the front door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Websites {
    /// Their origins, each with whether it belongs to another site than the front door; that one itself, if none is
    /// configured. Without any, in development, every page of this machine may use it.
    origins: Vec<(Origin, bool)>,
    /// Where the website has its sign-in pages.
    pub base_path: String,
}

impl Websites {
    pub(super) fn read(values: &Values, api: Option<&Api>, flaws: &mut Flaws) -> Option<Self> {
        let api = api.and_then(|api| api.origin.as_ref());
        let mut origins = Vec::new();
        let mut is_complete = true;
        for text in values.list("website_domain") {
            let Some(website) = flaws.keep(["website_domain"], origin("website_domain", text)) else {
                is_complete = false;
                continue;
            };
            let is_cross_site = api.is_some_and(|api| !api.is_same_site(&website));
            origins.push((website, is_cross_site));
        }
        if origins.is_empty() {
            origins.extend(api.cloned().map(|own| (own, false)));
        }
        let base_path = path(values, "website_base_path", flaws)?;
        is_complete.then_some(Self { origins, base_path })
    }

    /// True if pages of this origin may use the front door.
    #[must_use]
    pub fn contains(&self, origin: &Origin) -> bool {
        if self.origins.is_empty() {
            origin.is_loopback()
        } else {
            self.origins.iter().any(|(known, _)| known == origin)
        }
    }

    /// True if one of the websites has this host.
    #[must_use]
    pub fn has_host(&self, host: &str) -> bool {
        self.origins.iter().any(|(origin, _)| origin.host == host)
    }

    /// The first website; `None` in development.
    #[must_use]
    pub fn first(&self) -> Option<&Origin> {
        self.origins.first().map(|(origin, _)| origin)
    }

    /// True if the website of a request belongs to another site than the front door, so that its requests carry only
    /// cookies with `SameSite=None`.
    #[must_use]
    pub fn is_cross_site(&self, origin: Option<&Origin>) -> bool {
        let known = origin.and_then(|origin| self.origins.iter().find(|(known, _)| known == origin));
        known.or_else(|| self.origins.first()).is_some_and(|(_, is_cross_site)| *is_cross_site)
    }

    /// The websites; in development, none.
    pub fn iter(&self) -> impl Iterator<Item = &Origin> {
        self.origins.iter().map(|(origin, _)| origin)
    }

    /// True if one of the websites belongs to another site than the front door.
    #[must_use]
    pub fn any_cross_site(&self) -> bool {
        self.origins.iter().any(|(_, is_cross_site)| *is_cross_site)
    }
}

fn origin(key: &str, text: &str) -> Result<Origin, String> {
    let origin = Origin::parse_written(text);
    let origin = origin.ok_or_else(|| {
        format!("'{key}' must be an origin (scheme, host, port) such as https://auth.example.com, not '{text}'")
    })?;
    if origin.site().is_none() {
        return Err(format!("'{key}' must not be a public suffix: '{text}' belongs to no site"));
    }
    Ok(origin)
}

fn path(values: &Values, key: &'static str, flaws: &mut Flaws) -> Option<String> {
    let path = base_path(values.text(key).unwrap_or_default());
    flaws.keep([key], path.map_err(|sentence| sentence.replace("base_path", key)))
}
