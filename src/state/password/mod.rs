//! Passwords on their way to the hashing threads, and the handling of overload.

pub mod budgets;
pub mod refusals;

use crate::config::{AppConfig, HashingLimits};
use crate::crypto::password::pool::{Pool, PoolError, PoolStats};
use crate::crypto::password::{Check, NoMemory, SALT_BYTES, StoredHash, signer_key_bytes};
use crate::domain::entropy::{Entropy, random_bytes};
use crate::domain::password::{HashFamily, HashParameters, composed};
use crate::domain::secret::Secret;
use crate::fault::Fault;

/// Why a sign-in was not processed, or could not be decided.
#[derive(Debug, thiserror::Error)]
pub enum SignInRefused {
    /// Too many passwords wait to be hashed.
    #[error("the queue for password hashing is full")]
    Busy {
        /// When there may be room again, in s.
        retry_after_s: u64,
    },
    /// Too many sign-ins have failed.
    #[error("{of}")]
    TooManyFailures {
        /// The sentence that says what there was too much of.
        of: &'static str,
        /// When the next attempt is allowed, in s.
        retry_after_s: u64,
        /// Identifies this delay: all attempts that are too early for the same moment share it.
        delay: u64,
    },
    /// The hash is a Firebase hash, and no signer key is configured.
    #[error("'firebase_password_hashing_signer_key' is not set")]
    NoSignerKey,
    /// The server failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// The hashing threads, by family.
pub struct Hashing {
    bcrypt: Pool,
    argon2: Pool,
    firebase: Pool,
}

impl Hashing {
    /// Hashing threads within these limits; bcrypt gets one per core.
    #[must_use]
    pub fn new(limits: HashingLimits) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            bcrypt: Pool::new("bcrypt", cores, limits.queue),
            argon2: Pool::new("argon2", limits.argon2, limits.queue),
            firebase: Pool::new("scrypt", limits.firebase, limits.queue),
        }
    }

    /// The hash of a new password in its composed form, as text.
    ///
    /// # Errors
    /// When the queue is full, or memory runs out.
    pub async fn hash(
        &self,
        password: &str,
        parameters: HashParameters,
        entropy: &dyn Entropy,
    ) -> Result<String, SignInRefused> {
        let salt: [u8; SALT_BYTES] = random_bytes(entropy);
        let password = composed(password).unwrap_or_else(|| Secret::new(password.to_owned()));
        let work = move || StoredHash::new(password.expose().as_bytes(), parameters, salt).map(|hash| hash.text());
        finished(self.pool(parameters.family()).run(work).await)
    }

    /// Checks a password against a stored hash: first as it was sent; if that is wrong and its composed form differs,
    /// in that form too. A missing hash (there is no such account), or an unreadable one, takes as long as a wrong
    /// password.
    ///
    /// # Errors
    /// When the queue is full, memory runs out, or there is no signer key for a Firebase hash.
    pub async fn check(
        &self,
        stored: Option<&str>,
        password: &str,
        config: &AppConfig,
    ) -> Result<Check, SignInRefused> {
        let (sent, composed) = (Secret::new(password.to_owned()), composed(password));
        let parameters = config.password_hashing;
        let Some(stored) = stored.and_then(StoredHash::parse) else {
            let hash = move |form: &Secret<String>| {
                StoredHash::new(form.expose().as_bytes(), parameters, [0; SALT_BYTES]).map(|hash| hash.text())
            };
            let work = move || [Some(sent), composed].iter().flatten().map(hash).collect::<Result<Vec<_>, _>>();
            finished(self.pool(parameters.family()).run(work).await)?;
            return Ok(Check::Wrong);
        };
        let signer_key = config.firebase_signer_key.as_ref().map(|key| Secret::new(signer_key_bytes(key.expose())));
        let pool = self.pool(stored.family());
        let work = move || {
            let signer_key = signer_key.as_ref().map(|key| &**key.expose());
            let check = |form: &Secret<String>| stored.check(form.expose().as_bytes(), signer_key, parameters);
            match (check(&sent)?, &composed) {
                (Check::Wrong, Some(composed)) => check(composed),
                // Only keyboards that send exactly this form could open the account: a new hash opens it to all.
                (Check::Right, Some(_)) if stored.knows_all_of(sent.expose().as_bytes()) => Ok(Check::RightButOutdated),
                (outcome, _) => Ok(outcome),
            }
        };
        match finished(pool.run(work).await)? {
            Check::NoSignerKey => Err(SignInRefused::NoSignerKey),
            check => Ok(check),
        }
    }

    /// Figures by family, in the order of [`HashFamily::ALL`].
    #[must_use]
    pub fn stats(&self) -> [PoolStats; HashFamily::ALL.len()] {
        HashFamily::ALL.map(|family| self.pool(family).stats())
    }

    const fn pool(&self, family: HashFamily) -> &Pool {
        match family {
            HashFamily::Bcrypt => &self.bcrypt,
            HashFamily::Argon2 => &self.argon2,
            HashFamily::FirebaseScrypt => &self.firebase,
        }
    }
}

fn finished<T>(outcome: Result<Result<T, NoMemory>, PoolError>) -> Result<T, SignInRefused> {
    match outcome {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Fault::new("hashing a password", error).into()),
        Err(PoolError::Full { retry_after_s }) => Err(SignInRefused::Busy { retry_after_s }),
        Err(error @ PoolError::Failed) => Err(Fault::new("hashing a password", error).into()),
    }
}
