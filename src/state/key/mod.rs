//! Signing and sealing keys of each app: making, publishing, rotating, revoking.

mod change;
mod moved_in;
mod reseal;
mod ring;
pub mod slot;
mod transfer;
mod vault;

pub use change::{KeyChange, KeyContext, Outcome};
pub use moved_in::{MovedInKey, MovedInKeys};
pub use reseal::{ResealError, reseal};
pub use ring::{KeyRing, LegacyKey, LegacyKeyInfo, Need};
pub use transfer::{Rewrap, RewrapError, archive_seal, open_archive_seal};
pub use vault::{KeyVault, MasterKey, UnlockError, unlock};

use crate::config::AppConfig;
use crate::crypto::sealing::SealingKey;
use crate::domain::ids::AppId;
use crate::domain::key::KeyRules;
use crate::domain::time::{Reading, SteadyMillis, UnixMillis};
use crate::fault::Fault;
use crate::metrics::KeySnapshot;
use crate::state::directory::{AppEntry, Directory};
use crate::state::key::slot::RingSlot;
use crate::store::{Engine, StoreError, key_vault, sealing_key};
use arc_swap::{ArcSwap, ArcSwapOption};
use change::{Vaults, Work};
use ring::open_sealing_key;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::RwLock as AsyncRwLock;

/// After this long without use, an app's ring is dropped from memory; its keys are in the store.
const IDLE_MS: u64 = 24 * 3_600_000;
/// The key rings of all apps, loaded on first use, rotated when due.
pub struct KeyRings {
    vault: ArcSwap<KeyVault>,
    /// The vault that will replace `vault` after a change of the master key.
    next_vault: ArcSwapOption<KeyVault>,
    slots: RwLock<HashMap<AppId, Arc<RingSlot>>>,
    next_serial: AtomicU64,
    /// Held shared by changes of keys, and exclusively by a change of the master key.
    resealing: AsyncRwLock<()>,
}

impl KeyRings {
    /// Rings whose secret halves are stored through `vault`.
    #[must_use]
    pub fn new(vault: KeyVault) -> Self {
        Self {
            vault: ArcSwap::from_pointee(vault),
            next_vault: ArcSwapOption::empty(),
            slots: RwLock::default(),
            next_serial: AtomicU64::new(1),
            resealing: AsyncRwLock::default(),
        }
    }

    /// The ring to use now. Makes, publishes, promotes and retires keys as the clock demands.
    ///
    /// # Errors
    /// When the store or the master key fails.
    pub async fn ring<'w>(
        &self,
        entry: &AppEntry,
        need: Need,
        now: Reading,
        context: impl FnOnce() -> KeyContext<'w>,
    ) -> Result<Arc<KeyRing>, Fault> {
        let rules = KeyRules::from(&*entry.config);
        let slot = entry.ring_slot.get_or_init(|| self.slot(&entry.id));
        slot.touch(need, now.steady);
        match slot.current(rules, need, now.wall) {
            Some(ring) => Ok(ring),
            None => self.ring_of(slot, context(), &entry.id, rules, need).await,
        }
    }

    /// Records that an SDK of this app reads its JWKS document and supports RSA only. True the first time.
    pub fn note_rsa_only_reader(&self, entry: &AppEntry) -> bool {
        entry.ring_slot.get_or_init(|| self.slot(&entry.id)).note_rsa_only_reader()
    }

    /// Same as [`ring`](Self::ring), for an app with these rules in this environment.
    ///
    /// # Errors
    /// When the store or the master key fails.
    pub async fn ring_in(&self, context: KeyContext<'_>, app: &AppId, rules: KeyRules) -> Result<Arc<KeyRing>, Fault> {
        self.ring_of(&self.slot(app), context, app, rules, Need::Any).await
    }

    /// Same as [`ring_in`](Self::ring_in), for layouts that need RSA.
    ///
    /// # Errors
    /// When the store, the master key or the RSA library fails.
    pub async fn rsa_ring_in(
        &self,
        context: KeyContext<'_>,
        app: &AppId,
        rules: KeyRules,
    ) -> Result<Arc<KeyRing>, Fault> {
        let slot = self.slot(app);
        slot.touch(Need::Rsa, context.steady);
        self.ring_of(&slot, context, app, rules, Need::Rsa).await
    }

    async fn ring_of(
        &self,
        slot: &RingSlot,
        context: KeyContext<'_>,
        app: &AppId,
        rules: KeyRules,
        need: Need,
    ) -> Result<Arc<KeyRing>, Fault> {
        if let Some(ring) = slot.current(rules, need, context.now) {
            return Ok(ring);
        }
        // While another task replaces the ring, or it cannot be replaced, the previous one keeps serving.
        let serves = slot.ring.load_full().filter(|ring| ring.is_usable(need, context.now));
        let _changing = match (slot.changing.try_lock(), &serves) {
            (Ok(guard), _) => guard,
            (Err(_), Some(ring)) => return Ok(Arc::clone(ring)),
            (Err(_), None) => slot.changing.lock().await,
        };
        if let Some(ring) = slot.current(rules, need, context.now) {
            return Ok(ring);
        }
        let serves = slot.ring.load_full().filter(|ring| ring.is_usable(need, context.now));
        if let Some(ring) = &serves
            && slot.waits(context.steady)
        {
            return Ok(Arc::clone(ring));
        }
        let change = KeyChange::Schedule { with_rsa: slot.wants_rsa(rules, context.steady) };
        match (self.change(slot, context, app, rules, change).await, serves) {
            (Ok((ring, _)), _) => Ok(ring),
            (Err(fault), None) => Err(fault),
            (Err(fault), Some(_)) if fault.gone().is_some() => Err(fault),
            (Err(fault), Some(ring)) => {
                slot.wait(context.steady);
                tracing::error!(app = ?app, error = fault.chain(), "key rotation failed; the old keys stay in use");
                Ok(ring)
            }
        }
    }

    /// The key under which an app seals data; `None` for an app without keys. Makes neither a key nor a ring, for
    /// callers that look at many apps.
    ///
    /// # Errors
    /// When the store or the master key fails.
    pub async fn sealing_key(&self, store: &dyn Engine, app: &AppId) -> Result<Option<SealingKey>, Fault> {
        let slot = self.slots.read().unwrap_or_else(PoisonError::into_inner).get(app).map(Arc::clone);
        if let Some(ring) = slot.and_then(|slot| slot.ring.load_full()) {
            return Ok(Some(ring.refresh_sealing.clone()));
        }
        let reading = |error| Fault::new("reading an app's sealing key", error);
        let (_guard, vault) = self.vault_as_it_is(store).await.map_err(reading)?;
        let stored = sealing_key::get(&mut *store.begin(), app).await.map_err(reading)?;
        stored.map(|stored| open_sealing_key(&vault, app, &stored)).transpose()
    }

    /// Brings the rings of every app that is in memory up to date, and drops unused ones; for a job. Returns how many
    /// failed.
    pub async fn rotate_due<'w>(&self, directory: &Directory, context: impl Fn() -> KeyContext<'w>) -> usize {
        let mut failed = 0;
        for id in self.loaded() {
            let context = context();
            match directory.app(&id) {
                None => self.forget(&id),
                Some(_) if self.forget_idle(&id, context.steady) => {}
                Some(entry) => {
                    let rules = KeyRules::from(&*entry.config);
                    failed += usize::from(self.ring_in(context, &id, rules).await.is_err());
                }
            }
        }
        failed
    }

    /// Drops an idle ring; true if there was none or it was dropped. The slot stays, because the app's entry may hold
    /// it.
    fn forget_idle(&self, app: &AppId, now: SteadyMillis) -> bool {
        let slot = self.slot(app);
        let idle = slot.last_use().age(now).has_reached(IDLE_MS);
        // A change in progress is about to put another ring in place.
        if idle && let Ok(_changing) = slot.changing.try_lock() {
            slot.ring.store(None);
        }
        slot.ring.load().is_none()
    }

    /// The number of apps whose ring is in memory.
    #[must_use]
    pub fn in_memory(&self) -> usize {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        slots.values().filter(|slot| slot.ring.load().is_some()).count()
    }

    /// Figures for `/metrics` of all rings in memory.
    #[must_use]
    pub fn snapshot(&self, now: UnixMillis) -> KeySnapshot {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let rings = slots.values().filter_map(|slot| slot.ring.load_full());
        rings.map(|ring| ring.snapshot(now)).fold(KeySnapshot::default(), KeySnapshot::and)
    }

    /// Drops what is kept in memory of an app that was removed. Callers that still hold its entry learn that the app is
    /// gone when they request the ring.
    pub fn forget(&self, app: &AppId) {
        let slot = self.slots.write().unwrap_or_else(PoisonError::into_inner).remove(app);
        if let Some(slot) = slot {
            slot.ring.store(None);
        }
    }

    /// True when secret halves are sealed under a master key.
    #[must_use]
    pub fn are_sealed(&self) -> bool {
        self.vault.load().is_sealed()
    }

    /// Makes an operator's change, and puts the new ring in place before it returns.
    pub(crate) async fn ask(
        &self,
        context: KeyContext<'_>,
        app: &AppId,
        rules: KeyRules,
        change: KeyChange<'_>,
    ) -> Result<Outcome, Fault> {
        let slot = self.slot(app);
        let _changing = slot.changing.lock().await;
        slot.in_doubt.store(true, Ordering::Release);
        self.change(&slot, context, app, rules, change).await.map(|(_, outcome)| outcome)
    }

    /// The caller holds `slot.changing`.
    async fn change(
        &self,
        slot: &RingSlot,
        context: KeyContext<'_>,
        app: &AppId,
        rules: KeyRules,
        change: KeyChange<'_>,
    ) -> Result<(Arc<KeyRing>, Outcome), Fault> {
        let _shared = self.resealing.read().await;
        let vaults = Vaults { current: self.vault.load_full(), next: self.next_vault.load_full() };
        let work = Work::new(context, vaults, app, slot.serial, rules);
        let changed = work.run(change).await?;
        let ring = Arc::new(changed.ring);
        slot.ring.store(Some(Arc::clone(&ring)));
        slot.in_doubt.store(false, Ordering::Release);
        Ok((ring, changed.outcome))
    }

    /// Puts the next vault in place if its change of the master key was committed after all.
    async fn settle_vault(&self, store: &dyn Engine) -> Result<(), StoreError> {
        let record = key_vault::get(&mut *store.begin()).await?;
        if let Some(next) = self.next_vault.load_full().filter(|next| next.belongs_to(record.as_ref())) {
            self.vault.store(next);
        }
        Ok(())
    }

    fn slot(&self, app: &AppId) -> Arc<RingSlot> {
        if let Some(slot) = self.slots.read().unwrap_or_else(PoisonError::into_inner).get(app) {
            return Arc::clone(slot);
        }
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(RingSlot::new(self.next_serial.fetch_add(1, Ordering::Relaxed)));
        Arc::clone(slots.entry(app.clone()).or_insert_with(new))
    }

    fn loaded(&self) -> Vec<AppId> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }
}

impl From<&AppConfig> for KeyRules {
    fn from(config: &AppConfig) -> Self {
        Self {
            algorithm: config.access_token_signing_algorithm.unwrap_or_default(),
            is_algorithm_chosen: config.access_token_signing_algorithm.is_some(),
            refresh_tokens: config.refresh_token_format,
            update_interval_ms: config.dynamic_signing_key_update_interval_ms,
            access_token_validity_ms: config.access_token_validity_ms,
            overlap_ms: config.signing_key_overlap_ms,
        }
    }
}
