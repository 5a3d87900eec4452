//! How commands name an app.

use crate::domain::ids::AppId;
use crate::domain::tenancy;
use anyhow::{Result, bail};
use clap::Args;

/// An app by its id.
#[derive(Debug, Args)]
pub(in crate::cli) struct Named {
    /// Id of the app, as in the path after /appid-.
    #[arg(value_name = "APP")]
    pub(super) id: String,
    /// Connection URI domain of the app.
    #[arg(long, value_name = "DOMAIN", default_value = "", hide_default_value = true)]
    pub(super) domain: String,
}

impl Named {
    /// The app's id as the store spells it.
    pub(in crate::cli) fn id(&self) -> Result<AppId> {
        let app_id = match tenancy::app_id(&self.id) {
            Ok(id) => id,
            Err(error) => bail!("{error}"),
        };
        Ok(AppId { connection_uri_domain: domain(&self.domain)?, app_id })
    }
}

/// A connection URI domain; empty for the base one.
pub(in crate::cli) fn domain(written: &str) -> Result<String> {
    if written.trim().is_empty() {
        return Ok(String::new());
    }
    tenancy::connection_uri_domain(written).map_err(|error| anyhow::anyhow!("{error}"))
}
