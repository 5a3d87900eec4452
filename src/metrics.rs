//! Figures for `GET /metrics`, in the Prometheus text format.

/// Every figure the server keeps.
#[derive(Default)]
pub struct Metrics {}
