//! The Core Driver Interface over HTTP requests; folders mirror the URL, one file per endpoint.

mod apiversion;
mod audit;
mod bulk_import;
mod common;
mod config;
mod ee_featureflag;
mod ee_license;
pub(crate) mod golden;
mod hello;
mod metrics;
mod migration;
pub(crate) mod multitenancy;
pub(crate) mod recipe;
mod requests_stats;
mod routes;
mod telemetry;
mod unavailable;
mod user_id;
mod user_remove;
mod users;
mod users_count_active;
mod well_known_jwks;
