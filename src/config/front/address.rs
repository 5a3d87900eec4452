//! Where the front door is, and which pages may use it.

use crate::config::front::listener::TlsSource;
use crate::config::url_path::base_path;
use crate::config::values::Values;
use crate::domain::origin::Origin;

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
    pub(super) fn read(values: &Values) -> Result<Self, String> {
        let origin = values.text("api_domain").map(|text| origin("api_domain", text)).transpose()?;
        if TlsSource::read(values)?.is_some() && !origin.as_ref().is_some_and(|origin| origin.is_https) {
            return Err("'api_domain' must be set and begin with https:// if 'front_tls_cert' is set".to_owned());
        }
        Ok(Self { origin, base_path: path(values, "api_base_path")?, gateway_path: path(values, "api_gateway_path")? })
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
    pub(super) fn read(values: &Values, api: &Api) -> Result<Self, String> {
        let mut origins = Vec::new();
        for text in values.list("website_domain") {
            let website = origin("website_domain", text)?;
            let is_cross_site = api.origin.as_ref().is_some_and(|api| !api.is_same_site(&website));
            origins.push((website, is_cross_site));
        }
        if origins.is_empty() {
            origins.extend(api.origin.clone().map(|own| (own, false)));
        }
        Ok(Self { origins, base_path: path(values, "website_base_path")? })
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

    /// The website of a request: the one it comes from, if it may, or else the first; `None` in development, for a
    /// request that comes from no page.
    #[must_use]
    pub fn of(&self, origin: Option<&Origin>) -> Option<&Origin> {
        let known = origin.and_then(|origin| self.origins.iter().find(|(known, _)| known == origin));
        known.or_else(|| self.origins.first()).map(|(origin, _)| origin)
    }

    /// True if the website of a request belongs to another site than the front door, so that its requests carry only
    /// cookies with `SameSite=None`.
    #[must_use]
    pub fn is_cross_site(&self, origin: Option<&Origin>) -> bool {
        let known = origin.and_then(|origin| self.origins.iter().find(|(known, _)| known == origin));
        known.or_else(|| self.origins.first()).is_some_and(|(_, is_cross_site)| *is_cross_site)
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

fn path(values: &Values, key: &str) -> Result<String, String> {
    base_path(values.text(key).unwrap_or_default()).map_err(|sentence| sentence.replace("base_path", key))
}
