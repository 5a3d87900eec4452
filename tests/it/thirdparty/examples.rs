//! Every example of docs/providers.md is read, and every provider of the catalogue has one.

use serde_json::{Value, json};
use sessiond::config::BaseConfig;
use sessiond::domain::thirdparty::catalogue::{CATALOGUE, Entry, ProviderKind, entry_of};
use std::path::Path;

/// The sections of the page with an example: text and provider.
fn sections() -> Vec<(String, Value)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/providers.md");
    let page = std::fs::read_to_string(path).expect("the page");
    let sections = page.split("\n## ").map(str::to_owned);
    sections
        .filter_map(|text| {
            let example = text.split_once("```json\n")?.1.split_once("```")?.0;
            let provider = serde_json::from_str(example).unwrap_or_else(|error| panic!("{error}: {example}"));
            Some((text, provider))
        })
        .collect()
}

fn entry(provider: &Value) -> &'static Entry {
    entry_of(provider["thirdPartyId"].as_str().expect("an id"))
}

#[test]
fn every_example_is_accepted() {
    let sections = sections();
    let all: Vec<_> = sections.iter().map(|(_, provider)| provider).collect();
    let text = json!(all).to_string();
    let config = BaseConfig::with(&[("third_party_providers", &text)], false).expect("good settings");
    assert_eq!(config.app.third_party.providers.len(), sections.len());
}

#[test]
fn every_provider_of_the_catalogue_has_an_example_with_its_scopes() {
    let sections = sections();
    // SAML has no routes yet.
    for known in CATALOGUE.iter().filter(|entry| entry.kind != ProviderKind::Saml) {
        let found = sections.iter().find(|(_, provider)| entry(provider).kind == known.kind);
        let (text, _) = found.unwrap_or_else(|| panic!("{} has no example", known.name));
        let scopes = format!("`{}`", known.scope.join(" "));
        assert!(known.scope.is_empty() || text.contains(&scopes), "{}: {scopes}", known.name);
    }
    let custom = sections.iter().filter(|(_, provider)| entry(provider).kind == ProviderKind::Custom).count();
    assert_eq!(custom, 2, "one with OpenID Connect, one with OAuth 2.0");
}
