//! `PUT /recipe/multitenancy/config/thirdparty` and `POST …/remove`: providers of a tenant.

use crate::command::scope::Scope;
use crate::command::transact::{Step, transact};
use crate::command::user::require_tenant;
use crate::context::Context;
use crate::crypto::sealing::{MessageKey, SealingKey};
use crate::domain::ids::{AppId, TenantId};
use crate::domain::tenancy::{Provider, ProviderError};
use crate::fault::{Fault, Gone};
use crate::state::directory::AppEntry;
use crate::store::provider::{ProviderRecord, ProviderText, StoredProvider, place};
use crate::store::{self, Key, StoreError, Tx, codec, provider};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// Adds a provider to a tenant, or replaces the one with its id.
pub struct PutProvider {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The tenant.
    pub tenant: TenantId,
    /// The provider.
    pub provider: Provider,
    /// Whether to skip validation of this provider and of those that the tenant has.
    pub skip_validation: bool,
}

/// The outcome of storing a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderPut {
    /// The tenant has it, durably.
    Ok {
        /// Whether it is new: the tenant had none with this id.
        created: bool,
    },
    /// It, or another provider of the tenant, is not valid.
    Invalid(ProviderError),
}

impl PutProvider {
    /// Stores the provider and returns the outcome.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<ProviderPut, Fault> {
        let (app_id, id) = (&self.scope.app.id, &self.provider.third_party_id);
        if let Err(error) = self.check(&self.provider) {
            return Ok(ProviderPut::Invalid(error));
        }
        let sealer = Sealer::of(context, &self.scope.app).await?;
        let key = provider::key(app_id, &self.tenant, id);
        let record = sealer.seal(context, app_id, &key, &Zeroizing::new(self.provider.to_text()));
        let about = (&app_id.app_id, self.tenant.as_str(), id);
        transact(context, &about, "committing a provider", |tx| self.attempt(tx, &sealer, &key, &record)).await
    }

    async fn attempt(
        &self,
        mut tx: Box<dyn Tx>,
        sealer: &Sealer,
        key: &Key,
        record: &ProviderRecord,
    ) -> Result<Step<ProviderPut>, Fault> {
        let (app_id, id) = (&self.scope.app.id, &self.provider.third_party_id);
        require_tenant(tx.as_mut(), &self.scope, &self.tenant, "storing a provider").await?;
        let stored = provider::of_tenant(tx.as_mut(), app_id, &self.tenant).await.map_err(storing)?;
        // A read that the commit checks: of several concurrent first puts, one reports the provider as new.
        let existed = provider::exists(tx.as_mut(), app_id, &self.tenant, id).await.map_err(storing)?;
        for other in stored.iter().filter(|other| !self.skip_validation && other.key != *key) {
            if let Err(error) = open(Some(sealer), app_id, other)?.check() {
                return Ok(Step::Done(ProviderPut::Invalid(error)));
            }
        }
        codec::put(tx.as_mut(), key.clone(), record).map_err(storing)?;
        Ok(Step::Commit(tx, ProviderPut::Ok { created: !existed }))
    }

    fn check(&self, provider: &Provider) -> Result<(), ProviderError> {
        if self.skip_validation { Ok(()) } else { provider.check() }
    }
}

/// Removes a provider from a tenant.
pub struct RemoveProvider {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The tenant.
    pub tenant: TenantId,
    /// The provider's id.
    pub id: String,
}

impl RemoveProvider {
    /// Removes the provider; returns whether the tenant had it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<bool, Fault> {
        let about = (&self.scope.app.id.app_id, self.tenant.as_str(), &self.id);
        transact(context, &about, "committing the removal of a provider", |tx| self.attempt(tx)).await
    }

    async fn attempt(&self, mut tx: Box<dyn Tx>) -> Result<Step<bool>, Fault> {
        let app_id = &self.scope.app.id;
        if !provider::exists(tx.as_mut(), app_id, &self.tenant, &self.id).await.map_err(storing)? {
            return Ok(Step::Done(false));
        }
        provider::delete(tx.as_mut(), app_id, &self.tenant, &self.id);
        Ok(Step::Commit(tx, true))
    }
}

/// The providers of an app's tenants, or of one.
///
/// # Errors
/// When the store fails.
pub async fn providers(
    context: &Context,
    id: &AppId,
    tenant: Option<&TenantId>,
) -> Result<BTreeMap<TenantId, Vec<Provider>>, Fault> {
    let mut tx = context.store.begin();
    let reading = |error| Fault::new("reading providers", error);
    let stored = match tenant {
        None => provider::of_app(tx.as_mut(), id).await,
        Some(tenant) => provider::of_tenant(tx.as_mut(), id, tenant).await,
    };
    let stored = stored.map_err(reading)?;
    let mut found: BTreeMap<TenantId, Vec<Provider>> = BTreeMap::new();
    if stored.is_empty() {
        return Ok(found);
    }
    let sealer = match context.keys.sealing_key(&*context.store, id).await? {
        Some(key) => Some(Sealer::with(&key)),
        None if store::app::exists(tx.as_mut(), id).await.map_err(reading)? => None,
        None => return Err(Fault::new("reading providers", Gone { app: id.clone(), tenant: TenantId::public() })),
    };
    for stored in &stored {
        found.entry(stored.tenant.clone()).or_default().push(open(sealer.as_ref(), id, stored)?);
    }
    Ok(found)
}

/// Seals a provider that an older version has stored unsealed.
pub struct SealProvider<'a> {
    /// The app.
    pub app: &'a AppEntry,
    /// The key of the provider's row.
    pub key: &'a Key,
}

impl SealProvider<'_> {
    /// Seals the provider; `false` if there is nothing to seal (any more).
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<bool, Fault> {
        let Self { app: entry, key } = self;
        let sealer = &Sealer::of(context, entry).await?;
        transact(context, key, "committing a sealed provider", |mut tx| async move {
            let stored = codec::get::<ProviderRecord>(tx.as_mut(), key).await.map_err(storing)?;
            let Some(ProviderRecord { provider: ProviderText::Plain(text) }) = stored else {
                return Ok(Step::Done(false));
            };
            let sealed = sealer.seal(context, &entry.id, key, &text);
            codec::put(tx.as_mut(), key.clone(), &sealed).map_err(storing)?;
            Ok(Step::Commit(tx, true))
        })
        .await
    }
}

/// Seals and opens the providers of an app. A change of the master key does not affect them.
pub(in crate::command) struct Sealer(MessageKey);

impl Sealer {
    async fn of(context: &Context, entry: &AppEntry) -> Result<Self, Fault> {
        Ok(Self::with(&context.key_ring(entry).await?.refresh_sealing))
    }

    /// The sealer of the app with this key.
    pub(in crate::command) fn with(key: &SealingKey) -> Self {
        Self(key.at_rest(b"sessiond third-party provider"))
    }

    /// The form in which a provider is stored at its key.
    pub(in crate::command) fn seal(&self, context: &Context, id: &AppId, at: &Key, text: &str) -> ProviderRecord {
        let sealed = self.0.seal_at_rest(place(id, at), text.as_bytes(), context.entropy.as_ref());
        ProviderRecord { provider: ProviderText::Sealed(sealed) }
    }
}

/// A stored provider that cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("the provider at {0} cannot be opened: put it again with skipValidation, or remove it")]
struct Unopened(String);

/// Opens a stored provider; without a sealer only one that an older version stored unsealed.
fn open(sealer: Option<&Sealer>, id: &AppId, stored: &StoredProvider) -> Result<Provider, Fault> {
    let text = match &stored.record.provider {
        ProviderText::Plain(text) => Some(text.clone().into_bytes()),
        ProviderText::Sealed(sealed) => sealer.and_then(|sealer| sealer.0.open_at_rest(place(id, &stored.key), sealed)),
    };
    let text = text.map(Zeroizing::new);
    let provider = text.and_then(|text| std::str::from_utf8(&text).ok().and_then(Provider::parse));
    provider.ok_or_else(|| Fault::new("reading a provider", Unopened(stored.key.to_string())))
}

fn storing(error: StoreError) -> Fault {
    Fault::new("storing a provider", error)
}
