//! Third-party providers: their documents, which are kept for a while.

mod documents;

pub use documents::{FetchError, ProviderClient, VerifyError};
