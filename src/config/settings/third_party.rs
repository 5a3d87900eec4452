//! Settings of third-party providers.

use super::setting::{Default, Kind, Setting, setting};
use Default::{Int, Null};

pub(super) const THIRD_PARTY: &[Setting] = &[
    setting(
        "third_party_providers",
        "SESSIOND_THIRD_PARTY_PROVIDERS",
        Kind::Json,
        Null,
        "Providers of the front door: a list with the members of an SDK's provider configuration. They apply to tenants without providers of their own: to the public one, and to others where \
         `includeInNonPublicTenantsByDefault` is true.",
    )
    .per_app()
    .hidden()
    .secret(),
    setting(
        "provider_private_networks",
        "SESSIOND_PROVIDER_PRIVATE_NETWORKS",
        Kind::Text,
        Null,
        "Addresses and networks, separated by commas, at which providers may be called though they are not public; \
         loopback ones also without TLS, for development.",
    )
    .per_app()
    .protected()
    .hidden(),
    setting(
        "provider_timeout_ms",
        "SESSIOND_PROVIDER_TIMEOUT_MS",
        Kind::Long,
        Int(10_000),
        "A provider that has not answered a request within this time has failed.",
    )
    .unit("ms")
    .at_least(100)
    .at_most(60_000)
    .per_app()
    .hidden(),
];
