//! Taking over the keys of an app that is moved in from an original core.

use super::ring::{SEALING_KEY_NAME, V2_KEY_NAME};
use super::vault::KeyVault;
use crate::crypto::sealing::SealingKey;
use crate::crypto::signature::PrivateKey;
use crate::crypto::v2_refresh_token::V2RefreshKey;
use crate::domain::entropy::{Entropy, random_bytes};
use crate::domain::ids::AppId;
use crate::domain::key::{KeyKind, KeyLife, Kid};
use crate::domain::secret::Secret;
use crate::domain::time::UnixMillis;
use crate::fault::Fault;
use crate::store::sealing_key::{self, SealingKeyEntry, V2Secret};
use crate::store::signing_key::{self, SigningKey};
use crate::store::{StoreError, Tx};

/// The keys of an app in an original core.
pub struct MovedInKeys<'a> {
    /// The app; it has no keys here yet.
    pub app: &'a AppId,
    /// The secret of its refresh tokens.
    pub refresh: V2RefreshKey,
    /// Its signing keys.
    pub signing: Vec<MovedInKey>,
    /// How long a dynamic key was meant to be used there, in ms.
    pub update_interval_ms: u64,
}

/// A signing key of an original core: RSA.
pub struct MovedInKey {
    /// Its name there.
    pub kid: Kid,
    /// Whether it is dynamic or static.
    pub kind: KeyKind,
    /// When it was made.
    pub created: UnixMillis,
    /// Both halves.
    pub key: PrivateKey,
}

impl MovedInKeys<'_> {
    /// Writes the keys, and a new key for what the app keeps sealed here, which is returned.
    ///
    /// # Errors
    /// When a key cannot be encoded or the store fails.
    pub fn put(
        self,
        tx: &mut dyn Tx,
        vault: &KeyVault,
        entropy: &dyn Entropy,
        now: UnixMillis,
    ) -> Result<SealingKey, Fault> {
        let writing = |error: StoreError| Fault::new("writing moved keys", error);
        for MovedInKey { kid, kind, created, key } in self.signing {
            let secret = key.secret_bytes().map_err(|error| Fault::new("encoding a moved key", error))?;
            let public = key.public_key().map_err(|error| Fault::new("encoding a moved key", error))?.to_bytes();
            let secret = vault.store(self.app, kid.as_str(), &secret, entropy);
            let life = KeyLife::moved_in(kid, kind, self.update_interval_ms, created, now);
            signing_key::put(tx, self.app, SigningKey { life, public, secret }).map_err(writing)?;
        }
        let v2 = Secret::new(self.refresh.text().expose().clone().into_bytes());
        let v2 = V2Secret { secret: vault.store(self.app, V2_KEY_NAME, &v2, entropy), moved_in: Some(now) };
        let root: Secret<[u8; 32]> = Secret::new(random_bytes(entropy));
        let secret = vault.store(self.app, SEALING_KEY_NAME, &Secret::new(root.expose().to_vec()), entropy);
        let entry = SealingKeyEntry { revision: 1, id: 1, created: now, secret, v2: Some(v2) };
        sealing_key::put(tx, self.app, entry).map_err(writing)?;
        Ok(SealingKey::new(1, root))
    }
}
