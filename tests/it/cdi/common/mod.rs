//! Rules that hold for every endpoint.

mod api_keys;
mod bodies;
mod ip_rules;
mod logs;
mod markup;
mod methods;
mod numbers;
mod pages;
mod paths;
mod proxies;
mod replies;
mod table;
mod tenants;
mod versions;
