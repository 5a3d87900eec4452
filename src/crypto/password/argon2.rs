//! Argon2 in the layout of PHC strings: `$argon2id$v=19$m=<KiB>,t=<passes>,p=<lanes>$<salt>$<hash>`.

use super::common::{BASE64, NoMemory, SALT_BYTES, argon2_algorithm};
use crate::domain::password::limits::{MAX_ARGON2_MEMORY_KIB, MAX_ARGON2_PARALLELISM, MAX_ARGON2_WORK};
use argon2::{Algorithm, Argon2, Error, Params, Version};
use base64::Engine;
use subtle::ConstantTimeEq;

/// The variant used for new hashes.
const NEWEST: (Algorithm, Version) = (Algorithm::Argon2id, Version::V0x13);
/// The number of bytes in a new hash.
const HASH_BYTES: usize = 32;
/// Argon2 itself allows more; no legitimate hash is larger.
const FIELD_BYTES: std::ops::RangeInclusive<usize> = 4..=256;

/// An argon2 hash.
#[derive(Clone)]
pub(super) struct Argon2Hash {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Argon2Hash {
    /// Argon2id with (memory in KiB, passes, lanes); memory is raised to the minimum for this number of lanes.
    pub(super) fn new(password: &[u8], cost: (u32, u32, u32), salt: [u8; SALT_BYTES]) -> Result<Self, NoMemory> {
        let params = within_limits(cost).ok_or(NoMemory)?;
        let (algorithm, version) = NEWEST;
        let mut hash = Self { algorithm, version, params, salt: salt.to_vec(), hash: vec![0; HASH_BYTES] };
        hash.hash = hash.compute(password)?;
        Ok(hash)
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split('$').skip(1);
        let algorithm = argon2_algorithm(fields.next()?)?;
        let mut field = fields.next()?;
        // Texts from before version 19 do not state a version.
        let version = match field.strip_prefix("v=") {
            Some("19") => Version::V0x13,
            Some("16") | None => Version::V0x10,
            Some(_) => return None,
        };
        if field.starts_with("v=") {
            field = fields.next()?;
        }
        let params = parameters(field)?;
        let salt = BASE64.decode(fields.next()?).ok().filter(|salt| FIELD_BYTES.contains(&salt.len()))?;
        let hash = BASE64.decode(fields.next()?).ok().filter(|hash| FIELD_BYTES.contains(&hash.len()))?;
        if fields.next().is_some() || salt.len() < argon2::MIN_SALT_LEN {
            return None;
        }
        Some(Self { algorithm, version, params, salt, hash })
    }

    pub(super) fn text(&self) -> String {
        let (name, version, params) = (self.algorithm.as_str(), u32::from(self.version), &self.params);
        let (memory, passes, lanes) = (params.m_cost(), params.t_cost(), params.p_cost());
        let (salt, hash) = (BASE64.encode(&self.salt), BASE64.encode(&self.hash));
        format!("${name}$v={version}$m={memory},t={passes},p={lanes}${salt}${hash}")
    }

    pub(super) fn matches(&self, password: &[u8]) -> Result<bool, NoMemory> {
        Ok(self.compute(password)?.ct_eq(&self.hash).into())
    }

    /// Whether a new hash with (memory in KiB, passes, lanes) would take the same time.
    pub(super) fn is_made_with(&self, cost: (u32, u32, u32)) -> bool {
        (self.algorithm, self.version) == NEWEST && within_limits(cost).as_ref() == Some(&self.params)
    }

    fn compute(&self, password: &[u8]) -> Result<Vec<u8>, NoMemory> {
        let mut hash = vec![0; self.hash.len()];
        let argon2 = Argon2::new(self.algorithm, self.version, self.params.clone());
        match argon2.hash_password_into(password, &self.salt, &mut hash) {
            Ok(()) => Ok(hash),
            Err(Error::OutOfMemory) => Err(NoMemory),
            // invariant: lengths and parameters were checked when the hash was parsed or made. No password matches.
            Err(_) => Ok(Vec::new()),
        }
    }
}

/// Memory in KiB, passes and lanes as they are used for a new hash; `None` if no hash can be that large.
fn within_limits((memory_kib, passes, lanes): (u32, u32, u32)) -> Option<Params> {
    let lanes = lanes.clamp(Params::MIN_P_COST, MAX_ARGON2_PARALLELISM);
    let memory_kib = memory_kib.max(lanes.saturating_mul(Params::MIN_M_COST));
    Params::new(memory_kib, passes.max(Params::MIN_T_COST), lanes, None).ok()
}

/// Parses `m=…,t=…,p=…` in any order.
fn parameters(field: &str) -> Option<Params> {
    let mut found = [None::<u32>; 3];
    for pair in field.split(',') {
        let (name, value) = pair.split_once('=')?;
        let place = ["m", "t", "p"].iter().position(|known| *known == name)?;
        let slot = found.get_mut(place).filter(|slot| slot.is_none())?;
        *slot = Some(value.parse().ok()?);
    }
    let [Some(memory), Some(passes), Some(lanes)] = found else { return None };
    let work = u64::from(memory) * u64::from(passes);
    if memory > MAX_ARGON2_MEMORY_KIB || work > MAX_ARGON2_WORK || lanes > MAX_ARGON2_PARALLELISM {
        return None;
    }
    Params::new(memory, passes, lanes, None).ok()
}
