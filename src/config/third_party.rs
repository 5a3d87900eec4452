//! [`ThirdPartyConfig`]: the settings of third-party providers.

use crate::config::flaws::Flaws;
use crate::config::trust::networks;
use crate::config::values::Values;
use crate::domain::http_request::Reach;
use crate::domain::json::reader::ConfigFlaw;
use crate::domain::thirdparty::apple::apple_secret;
use crate::domain::thirdparty::config::ProviderConfig;
use crate::domain::thirdparty::provider::Provider;
use crate::domain::thirdparty::read;
use crate::domain::time::UnixMillis;
use std::sync::Arc;
use std::time::Duration;

const PRIVATE_NETWORKS: &str = "provider_private_networks";

/// The settings of third-party providers.
#[derive(Debug, Clone)]
pub struct ThirdPartyConfig {
    /// The static providers.
    pub providers: Arc<[ProviderConfig]>,
    /// Where requests to providers may go, and for how long they may take.
    pub reach: Reach,
}

impl ThirdPartyConfig {
    /// Reads the settings; `None` if one of them breaks a rule.
    pub(super) fn read(values: &Values, flaws: &mut Flaws) -> Option<Self> {
        let text = values.text(PROVIDERS).filter(|text| !text.is_empty());
        let providers = flaws.keep_json(PROVIDERS, text.map_or(Ok(Vec::new()), static_providers));
        let networks = networks(values, PRIVATE_NETWORKS);
        let networks = flaws.keep([PRIVATE_NETWORKS], networks);
        let timeout = Duration::from_millis(values.unsigned("provider_timeout_ms"));
        let reach = Reach { private_networks: networks?.into(), setting: PRIVATE_NETWORKS, timeout };
        Some(Self { providers: providers?.into(), reach })
    }

    /// What applies where stored settings are no longer valid: no providers.
    pub(super) fn none() -> Self {
        let reach =
            Reach { private_networks: Arc::new([]), setting: PRIVATE_NETWORKS, timeout: Duration::from_secs(10) };
        Self { providers: Arc::new([]), reach }
    }
}

const PROVIDERS: &str = "third_party_providers";

/// The providers in a text. Each client must be complete, because nobody may look at it before a person wants to sign
/// in.
fn static_providers(text: &str) -> Result<Vec<ProviderConfig>, Vec<ConfigFlaw>> {
    let providers = read::list(text, PROVIDERS)?;
    let mut flaws = Vec::new();
    for (index, config) in providers.iter().enumerate() {
        for (client_index, client) in config.clients.iter().enumerate() {
            let place = format!("{PROVIDERS}[{index}]");
            let provider = match Provider::settle(config, client) {
                Ok(provider) => provider,
                Err(flaw) => {
                    flaws.push(ConfigFlaw { place: format!("{place}.{}", flaw.place), ..flaw });
                    continue;
                }
            };
            if let Err(flaw) = apple_secret(&provider, UnixMillis(0)) {
                let place = format!("{place}.clients[{client_index}].additionalConfig");
                flaws.push(ConfigFlaw::new(place, format!("is not complete: {flaw}")));
            }
        }
    }
    if flaws.is_empty() { Ok(providers) } else { Err(flaws) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings;
    use crate::config::values::Value;
    use crate::domain::secret::Secret;
    use serde_json::json;

    fn read(key: &str, value: &str) -> Result<ThirdPartyConfig, String> {
        let mut values = Values::defaults();
        values.set(settings::place(key).unwrap(), Value::Text(Secret::new(value.to_owned())));
        let mut flaws = Flaws::default();
        let config = ThirdPartyConfig::read(&values, &mut flaws);
        flaws.first().map(|()| config.unwrap())
    }

    fn refusal(providers: &serde_json::Value) -> String {
        read("third_party_providers", &providers.to_string()).unwrap_err()
    }

    #[test]
    fn providers_are_read_and_mistakes_named_with_their_place() {
        let client = json!([{"clientId": "i"}]);
        let good = read("third_party_providers", &json!([{"thirdPartyId": "github", "clients": client}]).to_string());
        assert_eq!(good.unwrap().providers[0].third_party_id, "github");
        assert_eq!(
            refusal(&json!([{"thirdPartyId": "github"}, {"thirdPartyId": "x", "clients": [{}]}])),
            "third_party_providers[1].clients[0].clientId is missing"
        );
        assert_eq!(
            refusal(&json!([{"thirdPartyId": "okta", "clients": client}])),
            "third_party_providers[0].clients[0].additionalConfig.oktaDomain is missing"
        );
        assert_eq!(
            refusal(&json!([{"thirdPartyId": "own", "clients": client}])),
            "third_party_providers[0].authorizationEndpoint is missing, and there is no oidcDiscoveryEndpoint"
        );
        assert_eq!(
            refusal(&json!([{"thirdPartyId": "apple", "clients": client}])),
            "third_party_providers[0].clients[0].additionalConfig is not complete: Please ensure that keyId, teamId and \
             privateKey are provided in the additionalConfig"
        );
        assert_eq!(
            read("provider_private_networks", "10.0.0.0/8, x").unwrap_err(),
            "'provider_private_networks' must be a comma-separated list of addresses and networks, such as \
             10.0.0.0/8,::1: 'x' is none"
        );
    }

    #[test]
    fn without_settings_nothing_private_can_be_reached() {
        let config = ThirdPartyConfig::read(&Values::defaults(), &mut Flaws::default()).unwrap();
        assert!(config.providers.is_empty() && config.reach.private_networks.is_empty());
        assert_eq!(config.reach.timeout, Duration::from_secs(10));
        let open = read("provider_private_networks", "127.0.0.0/8,::1").unwrap().reach;
        assert!(open.allows_private("::ffff:127.0.0.1".parse().unwrap()));
        assert!(!open.allows_private("10.0.0.1".parse().unwrap()));
    }
}
