//! The Core Driver Interface over HTTP requests; folders mirror the URL, one file per endpoint.

mod hello;
mod multitenancy;
