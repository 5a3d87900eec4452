//! [`Certificates`]: what the front door shows in handshakes.

use crate::crypto::certificate::Certificate;
use crate::domain::time::UnixMillis;
use arc_swap::{ArcSwap, ArcSwapOption};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The front door's certificates, which may change while connections are open.
#[derive(Debug, Default)]
pub struct Certificates {
    /// The one for hosts without one of their own.
    general: ArcSwapOption<Certificate>,
    by_host: ArcSwap<ByHost>,
    /// What shows an authority that a host is ours, while it asks for it.
    proofs: ArcSwap<ByHost>,
}

type ByHost = HashMap<String, Arc<Certificate>>;

impl Certificates {
    /// The one to show a client that asks for this host, or for none; `None` if there is none.
    #[must_use]
    pub fn current(&self, host: Option<&str>) -> Option<Arc<Certificate>> {
        host.and_then(|host| self.of_host(host)).or_else(|| self.general.load_full())
    }

    /// The one of this host alone.
    #[must_use]
    pub fn of_host(&self, host: &str) -> Option<Arc<Certificate>> {
        self.by_host.load().get(host).cloned()
    }

    /// Uses this one for all hosts without one of their own, from the next handshake on.
    pub fn replace(&self, certificate: Certificate) {
        self.general.store(Some(Arc::new(certificate)));
    }

    /// Uses this one for a host, from the next handshake on.
    pub fn put(&self, host: &str, certificate: Certificate) {
        put(&self.by_host, host, certificate);
    }

    /// Forgets the certificates of all other hosts.
    pub fn retain(&self, hosts: &BTreeSet<String>) {
        if self.by_host.load().keys().all(|host| hosts.contains(host)) {
            return;
        }
        self.by_host.rcu(|known| {
            let mut known = ByHost::clone(known);
            known.retain(|host, _| hosts.contains(host));
            known
        });
    }

    /// What to show an authority that asks for this host.
    #[must_use]
    pub fn proof(&self, host: &str) -> Option<Arc<Certificate>> {
        self.proofs.load().get(host).cloned()
    }

    /// Shows this to an authority that asks for the host.
    pub fn put_proof(&self, host: &str, proof: Certificate) {
        put(&self.proofs, host, proof);
    }

    /// Stops showing it.
    pub fn remove_proof(&self, host: &str) {
        self.proofs.rcu(|known| {
            let mut known = ByHost::clone(known);
            known.remove(host);
            known
        });
    }

    /// When the first of them expires.
    #[must_use]
    pub fn first_expiry(&self) -> Option<UnixMillis> {
        let own = self.by_host.load();
        own.values()
            .map(|certificate| certificate.expires)
            .chain(self.general.load().as_ref().map(|it| it.expires))
            .min()
    }
}

fn put(all: &ArcSwap<ByHost>, host: &str, certificate: Certificate) {
    let certificate = Arc::new(certificate);
    all.rcu(|known| {
        let mut known = ByHost::clone(known);
        known.insert(host.to_owned(), Arc::clone(&certificate));
        known
    });
}
