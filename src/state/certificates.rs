//! [`Certificates`]: what the front door shows in handshakes.

use crate::crypto::certificate::Certificate;
use arc_swap::ArcSwapOption;
use std::sync::Arc;

/// The front door's certificate, which may change while connections are open.
#[derive(Debug, Default)]
pub struct Certificates {
    current: ArcSwapOption<Certificate>,
}

impl Certificates {
    /// The present one; `None` without TLS.
    #[must_use]
    pub fn current(&self) -> Option<Arc<Certificate>> {
        self.current.load_full()
    }

    /// Uses this one from the next handshake on.
    pub fn replace(&self, certificate: Certificate) {
        self.current.store(Some(Arc::new(certificate)));
    }
}
