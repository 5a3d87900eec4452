//! `front_tenant_hosts`: hosts that belong to one tenant each.

use super::address::Api;
use crate::config::flaws::Flaws;
use crate::config::values::Values;
use crate::domain::ids::TenantId;
use crate::domain::json::reader::{ConfigFlaw, Notes, Reader, parse};
use crate::domain::origin::Origin;
use crate::domain::tenancy::tenant_id;
use std::collections::{BTreeMap, BTreeSet};

const KEY: &str = "front_tenant_hosts";

/// Hosts that belong to one tenant of an app each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TenantHosts {
    named: BTreeMap<String, TenantId>,
    /// Domains whose sub-domains have the ids of their tenants as first label.
    domains: BTreeSet<String>,
    /// The host of the whole app, which patterns do not mean.
    of_app: Option<String>,
}

impl TenantHosts {
    /// Reads the setting; `None` if it breaks a rule.
    pub(super) fn read(values: &Values, api: Option<&Api>, flaws: &mut Flaws) -> Option<Self> {
        let hosts = flaws.keep_json(KEY, read(values.text(KEY).unwrap_or("{}")))?;
        let of_app = api.and_then(|api| api.origin.as_ref()).map(|origin| origin.host.clone());
        Some(Self { of_app, ..hosts })
    }

    /// True without hosts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.named.is_empty() && self.domains.is_empty()
    }

    /// The tenant that a host (in lower case) belongs to, which may not exist. A host that is named comes before a
    /// pattern, and patterns do not mean the host of `api_domain`.
    #[must_use]
    pub fn tenant_of(&self, host: &str) -> Option<TenantId> {
        if let Some(tenant) = self.named.get(host) {
            return Some(tenant.clone());
        }
        let (label, domain) = host.split_once('.')?;
        // The public tenant is the one that has no name in paths, either.
        let tenant = tenant_id(label).ok().map(TenantId::new).filter(|tenant| !tenant.is_public())?;
        (self.domains.contains(domain) && self.of_app.as_deref() != Some(host)).then_some(tenant)
    }

    /// True if the setting is the same, of whichever app.
    #[must_use]
    pub fn is_same_table(&self, other: &Self) -> bool {
        (&self.named, &self.domains) == (&other.named, &other.domains)
    }

    /// The hosts of a tenant.
    #[must_use]
    pub fn of(&self, tenant: &TenantId) -> Vec<String> {
        let named = self.named.iter().filter(|(_, owner)| *owner == tenant).map(|(host, _)| host.clone());
        let by_label = self.domains.iter().map(|domain| format!("{tenant}.{domain}"));
        let by_label = by_label.filter(|host| self.tenant_of(host).as_ref() == Some(tenant));
        named.chain(by_label).collect()
    }

    /// The hosts that are named.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        self.named.keys().map(String::as_str)
    }

    /// The domains whose sub-domains belong to tenants.
    pub fn domains(&self) -> impl Iterator<Item = &str> {
        self.domains.iter().map(String::as_str)
    }
}

fn read(text: &str) -> Result<TenantHosts, Vec<ConfigFlaw>> {
    let json = parse(text, KEY).map_err(|flaw| vec![flaw])?;
    let notes = Notes::default();
    let mut hosts = TenantHosts::default();
    if let Some(reader) = Reader::of(&json, KEY.to_owned(), &notes, true) {
        for (written, tenant) in reader.entries() {
            match entry(written, tenant.as_str().unwrap_or_default(), &mut hosts) {
                Ok(true) => {}
                Ok(false) => reader.note_entry(written, "is that of an earlier entry"),
                Err(problem) => reader.note_entry(written, &problem),
            }
        }
    }
    notes.or(hosts)
}

/// Adds an entry; false if there is one for this host already.
fn entry(written: &str, tenant: &str, hosts: &mut TenantHosts) -> Result<bool, String> {
    let host = written.to_ascii_lowercase();
    let (domain, is_pattern) = host.strip_prefix("*.").map_or((host.as_str(), false), |domain| (domain, true));
    let origin = Origin::parse(&format!("https://{domain}")).filter(|origin| origin.host == domain);
    if !domain.contains(|char: char| char.is_ascii_alphabetic()) || domain.contains(['*', ':', '_']) || origin.is_none()
    {
        return Err("must be a host such as acme.example.com, without scheme and port, or *.example.com".to_owned());
    }
    if origin.is_some_and(|origin| origin.site().is_none()) {
        return Err("must not be a public suffix, which belongs to no site".to_owned());
    }
    match (is_pattern, tenant == "*") {
        (true, true) => Ok(hosts.domains.insert(domain.to_owned())),
        (true, false) => Err("must be \"*\": the first label of such a host is the tenant's id".to_owned()),
        (false, true) => Err("may be \"*\" only if the host begins with \"*.\"".to_owned()),
        (false, false) => {
            let tenant = tenant_id(tenant).map_err(|error| format!("must be the id of a tenant: {error}"))?;
            Ok(hosts.named.insert(host, TenantId::new(tenant)).is_none())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_hosts_come_before_patterns() {
        let hosts = r#"{"Login.Acme.example": "acme", "*.shop.example": "*", "b.shop.example": "beta"}"#;
        let hosts = read(hosts).unwrap();
        let tenant = |host: &str| hosts.tenant_of(host).map(|tenant| tenant.to_string());
        for (host, owner) in [
            ("login.acme.example", Some("acme")),
            ("acme.shop.example", Some("acme")),
            ("b.shop.example", Some("beta")),
            ("public.shop.example", None),
            ("a.b.shop.example", None),
            ("a_b.shop.example", None),
            ("recipe.shop.example", None),
            ("shop.example", None),
            ("acme.example", None),
            ("acme.evil-shop.example", None),
        ] {
            assert_eq!(tenant(host).as_deref(), owner, "{host}");
        }
        assert_eq!(hosts.of(&TenantId::new("acme")), ["login.acme.example", "acme.shop.example"]);
        assert_eq!(hosts.of(&TenantId::new("beta")), ["b.shop.example", "beta.shop.example"]);
        // Its host by the pattern is another tenant's.
        assert_eq!(hosts.of(&TenantId::new("b")), [""; 0]);
        assert_eq!(hosts.of(&TenantId::public()), [""; 0]);
    }

    #[test]
    fn every_mistake_is_named_with_its_host() {
        let refused = r#"{"https://a.io": "a", "a.io:80": "a", "b.io": 1, "c.io": "x_y", "*.d.io": "d", "e.io": "*",
            "*.co.uk": "*", "1.2.3.4": "a", "*": "*", "a.*.io": "a", "F.io": "f", "f.io": "f"}"#;
        let flaws: Vec<String> = read(refused).unwrap_err().iter().map(ToString::to_string).collect();
        let host = "must be a host such as acme.example.com, without scheme and port, or *.example.com";
        let expected = [
            format!(r#"front_tenant_hosts["https://a.io"] {host}"#),
            format!(r#"front_tenant_hosts["a.io:80"] {host}"#),
            r#"front_tenant_hosts["b.io"] must be the id of a tenant: tenantId should not be an empty String"#.to_owned(),
            r#"front_tenant_hosts["c.io"] must be the id of a tenant: tenantId can only contain letters, numbers and hyphens"#
                .to_owned(),
            r#"front_tenant_hosts["*.d.io"] must be "*": the first label of such a host is the tenant's id"#.to_owned(),
            r#"front_tenant_hosts["e.io"] may be "*" only if the host begins with "*.""#.to_owned(),
            r#"front_tenant_hosts["*.co.uk"] must not be a public suffix, which belongs to no site"#.to_owned(),
            format!(r#"front_tenant_hosts["1.2.3.4"] {host}"#),
            format!(r#"front_tenant_hosts["*"] {host}"#),
            format!(r#"front_tenant_hosts["a.*.io"] {host}"#),
            r#"front_tenant_hosts["f.io"] is that of an earlier entry"#.to_owned(),
        ];
        assert_eq!(flaws, expected);
        assert_eq!(read("[]").unwrap_err()[0].to_string(), "front_tenant_hosts must be an object");
    }
}
