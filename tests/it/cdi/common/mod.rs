//! Rules that hold for every endpoint.

mod api_keys;
mod bodies;
mod ip_rules;
mod methods;
mod paths;
mod replies;
mod tenants;
mod versions;
