//! Apps, tenants and their settings, providers, roles and keys: collected, and written before everything else.

use super::error::{MoveInError, RowError};
use super::report::{Fate, Report};
use super::writer::Writer;
use crate::command::tenancy::ProviderSealer;
use crate::context::Context;
use crate::crypto::core_key::{is_key_pair, read_core_key};
use crate::crypto::sealing::SealingKey;
use crate::crypto::v2_refresh_token::V2RefreshKey;
use crate::domain::entropy::random_bytes;
use crate::domain::ids::{AppId, PUBLIC, TenantId};
use crate::domain::json::JsonObject;
use crate::domain::key::{KeyKind, Kid};
use crate::domain::secret::Secret;
use crate::domain::tenancy::{Provider, Tenant};
use crate::domain::time::UnixMillis;
use crate::domain::userroles::{Incarnation, Permission, Role, RoleName};
use crate::fault::Fault;
use crate::move_in::row::{Record, text_array};
use crate::state::directory::Directory;
use crate::state::key::{KeyVault, MovedInKey, MovedInKeys};
use crate::store::app::AppRecord;
use crate::store::{codec, provider, tenant, userroles};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The tables that are collected.
pub(super) const TABLES: [&str; 12] = [
    "apps",
    "jwt_signing_keys",
    "key_value",
    "role_permissions",
    "roles",
    "session_access_token_signing_keys",
    "tenant_configs",
    "tenant_first_factors",
    "tenant_required_secondary_factors",
    "tenant_thirdparty_provider_clients",
    "tenant_thirdparty_providers",
    "tenants",
];

/// Settings with which a tenant of the original has a database of its own.
const OF_DATABASES: [&str; 3] = ["postgresql_", "mysql_", "mongodb_"];

/// What the tables say about an app.
#[derive(Default)]
struct App {
    created: Option<u64>,
    tenants: BTreeMap<TenantId, Collected>,
    roles: BTreeMap<RoleName, BTreeSet<Permission>>,
    refresh_key: Option<Secret<String>>,
    signing_keys: Vec<MovedInKey>,
}

/// What the tables say about a tenant.
#[derive(Default)]
struct Collected {
    tenant: Option<Tenant>,
    is_first_factors_null: bool,
    first_factors: BTreeSet<String>,
    secondary_factors: BTreeSet<String>,
    providers: BTreeMap<String, Map<String, Value>>,
    clients: BTreeMap<String, Vec<Value>>,
}

/// The apps of a dump, while they are collected.
#[derive(Default)]
pub(super) struct Tenancy {
    apps: BTreeMap<String, App>,
}

/// An app that has been written, with what later rows need.
pub(super) struct MovedApp {
    pub(super) id: AppId,
    /// The key under which it keeps what is sealed.
    pub(super) sealing: SealingKey,
    pub(super) roles: BTreeMap<RoleName, Incarnation>,
}

impl Tenancy {
    /// Takes a row of one of [`TABLES`].
    pub(super) fn take(&mut self, table: &str, row: Record<'_>, report: &mut Report) -> Result<Fate, RowError> {
        let domain = row.optional("connection_uri_domain").unwrap_or_default();
        if !domain.is_empty() {
            return Ok(Fate::Skipped("its connection URI domain has a database of its own", domain.to_owned()));
        }
        let name = row.text("app_id")?;
        let app = self.apps.entry(name.to_owned()).or_default();
        match table {
            "apps" => app.created = row.optional_number("created_at_time")?,
            "roles" => drop(app.roles.entry(RoleName::from_stored(row.text("role")?.to_owned())).or_default()),
            "role_permissions" => {
                let permission = Permission::from_stored(row.text("permission")?.to_owned());
                let role = RoleName::from_stored(row.text("role")?.to_owned());
                app.roles.entry(role).or_default().insert(permission);
            }
            "key_value" => return app.key_value(row),
            "jwt_signing_keys" => {
                let kid = row.text("key_id")?;
                let text = row.text("key_string")?;
                if !is_key_pair(text) {
                    return Ok(Fate::Skipped("it is a symmetric key, which nothing verifies here", kid.to_owned()));
                }
                app.signing_key(Kid::new(kid), KeyKind::Static, row.optional_number("created_at")?.unwrap_or(0), text)?;
            }
            "session_access_token_signing_keys" => {
                let created = row.number("created_at_time")?;
                let kid = Kid::dynamic(UnixMillis(created));
                app.signing_key(kid, KeyKind::Dynamic, created, row.text("value")?)?;
            }
            _ => {
                let id = TenantId::new(row.text("tenant_id")?);
                let tenant = app.tenants.entry(id).or_default();
                return tenant.take(table, row, report);
            }
        }
        Ok(Fate::Moved)
    }

    /// Writes apps and tenants; returns the directory of them.
    pub(super) async fn write_tenants(
        &mut self,
        context: &Context,
        writer: &mut Writer<'_>,
    ) -> Result<Directory, MoveInError> {
        self.apps.entry(PUBLIC.to_owned()).or_default();
        for (name, app) in &mut self.apps {
            let id = AppId::in_base_domain(name.as_str());
            app.tenants.entry(TenantId::public()).or_default();
            let created = app.created.map_or_else(|| context.now(), UnixMillis);
            let changes = app.tenants.len() as u64;
            crate::store::app::put(writer.tx(), &id, &AppRecord { created, changes })?;
            for (tenant_id, collected) in &app.tenants {
                tenant::put(writer.tx(), &id, tenant_id, &collected.tenant(&id, tenant_id))?;
                writer.step().await?;
            }
        }
        writer.flush().await?;
        Ok(Directory::load(Arc::clone(context.directory.base()), &*context.store).await?)
    }

    /// Writes keys, providers and roles.
    pub(super) async fn write_the_rest(
        self,
        context: &Context,
        writer: &mut Writer<'_>,
        directory: &Directory,
        vault: &KeyVault,
    ) -> Result<Vec<MovedApp>, MoveInError> {
        let mut moved = Vec::new();
        for (name, app) in self.apps {
            let id = AppId::in_base_domain(name);
            let config =
                directory.app(&id).map_or_else(|| Arc::clone(&directory.base().app), |entry| Arc::clone(&entry.config));
            let entropy = &*context.entropy;
            let keys = MovedInKeys {
                app: &id,
                refresh: app.refresh_key.map_or_else(|| V2RefreshKey::generate(entropy), V2RefreshKey::new),
                signing: app.signing_keys,
                update_interval_ms: config.dynamic_signing_key_update_interval_ms,
            };
            let sealing = keys.put(writer.tx(), vault, entropy, context.now())?;
            let sealer = ProviderSealer::with(&sealing);
            for (tenant, collected) in &app.tenants {
                for provider in collected.providers() {
                    let key = provider::key(&id, tenant, &provider.third_party_id);
                    let record = sealer.seal(context, &id, &key, &provider.to_text());
                    codec::put(writer.tx(), key, &record)?;
                    writer.step().await?;
                }
            }
            let mut roles = BTreeMap::new();
            for (role, permissions) in app.roles {
                let incarnation = Incarnation(u64::from_le_bytes(random_bytes(entropy)));
                let all: Vec<Permission> = permissions.iter().cloned().collect();
                userroles::put(writer.tx(), &id, &role, Role { incarnation, permissions }, &all, &[])?;
                roles.insert(role, incarnation);
                writer.step().await?;
            }
            moved.push(MovedApp { id, sealing, roles });
        }
        writer.flush().await?;
        Ok(moved)
    }
}

impl App {
    fn key_value(&mut self, row: Record<'_>) -> Result<Fate, RowError> {
        let name = row.text("name")?;
        match name {
            "refresh_token_key" => {
                self.refresh_key = Some(Secret::new(row.text("value")?.to_owned()));
                Ok(Fate::Moved)
            }
            // The one key of very old cores.
            "access_token_signing_key" => {
                let created = row.optional_number("created_at_time")?.unwrap_or(0);
                let kid = Kid::dynamic(UnixMillis(created));
                self.signing_key(kid, KeyKind::Dynamic, created, row.text("value")?)?;
                Ok(Fate::Moved)
            }
            // Kept when rows are written one by one.
            "saml_key_pair" | "saml_certificate" => Ok(Fate::Moved),
            _ => Ok(Fate::Skipped("only the original core needs it", name.to_owned())),
        }
    }

    fn signing_key(&mut self, kid: Kid, kind: KeyKind, created: u64, text: &str) -> Result<(), RowError> {
        let key = read_core_key(text).map_err(|error| RowError::Wrong(format!("key {kid}: {error}")))?;
        self.signing_keys.push(MovedInKey { kid, kind, created: UnixMillis(created), key });
        Ok(())
    }
}

impl Collected {
    fn take(&mut self, table: &str, row: Record<'_>, report: &mut Report) -> Result<Fate, RowError> {
        match table {
            "tenants" => {}
            "tenant_configs" => return self.take_config(row, report),
            "tenant_first_factors" => drop(self.first_factors.insert(row.text("factor_id")?.to_owned())),
            "tenant_required_secondary_factors" => {
                self.secondary_factors.insert(row.text("factor_id")?.to_owned());
            }
            "tenant_thirdparty_providers" => {
                let provider = provider_members(row)?;
                self.providers.insert(row.text("third_party_id")?.to_owned(), provider);
            }
            _ => {
                let clients = self.clients.entry(row.text("third_party_id")?.to_owned()).or_default();
                clients.push(client(row)?);
            }
        }
        Ok(Fate::Moved)
    }

    fn take_config(&mut self, row: Record<'_>, report: &mut Report) -> Result<Fate, RowError> {
        let text = row.optional("core_config").unwrap_or("{}");
        let mut settings: Map<String, Value> = serde_json::from_str(text)
            .map_err(|_| RowError::Wrong("column core_config is not a JSON object".to_owned()))?;
        let before = settings.len();
        settings.retain(|key, _| !OF_DATABASES.iter().any(|prefix| key.starts_with(prefix)));
        if settings.len() < before {
            let (app, tenant) = (row.text("app_id")?, row.text("tenant_id")?);
            report.notes.push(format!(
                "tenant {tenant} of app {app} has a database of its own: what lies there is not in this dump"
            ));
        }
        self.is_first_factors_null = row.flag("is_first_factors_null");
        // A column that is NULL or missing does not switch a recipe off.
        let is_on = |column: &str| row.optional(column) != Some("f");
        self.tenant = Some(Tenant {
            email_password: is_on("email_password_enabled"),
            third_party: is_on("third_party_enabled"),
            passwordless: is_on("passwordless_enabled"),
            first_factors: None,
            required_secondary_factors: None,
            core_config: JsonObject::from_map(&settings),
        });
        Ok(Fate::Moved)
    }

    /// The tenant as it is here.
    fn tenant(&self, app: &AppId, id: &TenantId) -> Tenant {
        let mut tenant = self.tenant.clone().unwrap_or_else(Tenant::public);
        // The base tenant's flag says nothing, and releases before 9.1 have none.
        let is_base = *app == AppId::base() && id.is_public();
        let is_null = self.first_factors.is_empty() && (self.is_first_factors_null || is_base);
        tenant.first_factors = (!is_null).then(|| self.first_factors.clone());
        tenant.required_secondary_factors = Some(self.secondary_factors.clone()).filter(|factors| !factors.is_empty());
        tenant
    }

    fn providers(&self) -> impl Iterator<Item = Provider> {
        self.providers.iter().filter_map(|(id, members)| {
            let mut members = members.clone();
            members.insert("clients".to_owned(), json!(self.clients.get(id).cloned().unwrap_or_default()));
            Provider::parse(&Value::Object(members).to_string())
        })
    }
}

/// A JSON text as a value.
fn parsed(row: Record<'_>, column: &'static str) -> Result<Value, RowError> {
    let text = row.optional(column).unwrap_or("null");
    serde_json::from_str(text).map_err(|_| RowError::Wrong(format!("column {column} is not JSON")))
}

fn provider_members(row: Record<'_>) -> Result<Map<String, Value>, RowError> {
    let text = |column: &str| json!(row.optional(column));
    let claims = |source: &str| {
        let claim = |name: &str| text(&format!("user_info_map_from_{source}_{name}"));
        json!({"userId": claim("user_id"), "email": claim("email"), "emailVerified": claim("email_verified")})
    };
    let members = json!({
        "thirdPartyId": text("third_party_id"),
        "name": text("name"),
        "authorizationEndpoint": text("authorization_endpoint"),
        "authorizationEndpointQueryParams": parsed(row, "authorization_endpoint_query_params")?,
        "tokenEndpoint": text("token_endpoint"),
        "tokenEndpointBodyParams": parsed(row, "token_endpoint_body_params")?,
        "userInfoEndpoint": text("user_info_endpoint"),
        "userInfoEndpointQueryParams": parsed(row, "user_info_endpoint_query_params")?,
        "userInfoEndpointHeaders": parsed(row, "user_info_endpoint_headers")?,
        "jwksURI": text("jwks_uri"),
        "oidcDiscoveryEndpoint": text("oidc_discovery_endpoint"),
        "requireEmail": row.optional("require_email").map(|flag| flag == "t"),
        "userInfoMap": {
            "fromIdTokenPayload": claims("id_token_payload"), "fromUserInfoAPI": claims("user_info_endpoint"),
        },
    });
    match members {
        Value::Object(members) => Ok(members),
        _ => Ok(Map::new()),
    }
}

fn client(row: Record<'_>) -> Result<Value, RowError> {
    let scope = row
        .optional("scope")
        .map(|text| text_array(text).ok_or_else(|| RowError::Wrong("column scope is not an array".to_owned())));
    Ok(json!({
        "clientType": row.optional("client_type").filter(|kind| !kind.is_empty()),
        "clientId": row.text("client_id")?,
        "clientSecret": row.optional("client_secret"),
        "scope": scope.transpose()?,
        "forcePKCE": row.optional("force_pkce").map(|flag| flag == "t"),
        "additionalConfig": parsed(row, "additional_config")?,
    }))
}

/// A vault that cannot be used: reported as a failure of ours.
pub(super) fn unusable(error: crate::store::StoreError) -> MoveInError {
    Fault::new("opening the key vault", error).into()
}
