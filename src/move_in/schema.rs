//! [`Survey`]: what a dump holds, and which release of the core made its tables.

use super::dump::{DumpError, DumpReader};
use super::row::{Row, Table};
use std::collections::BTreeMap;
use std::io::BufRead;

/// Rows between two reports of progress.
const PROGRESS_EVERY: u64 = 10_000;

/// The tables of a core in a dump.
#[derive(Debug, Clone)]
pub struct Survey {
    /// The schema of its tables.
    schema: String,
    /// What precedes the names of its tables.
    prefix: String,
    /// Number of rows by table, without the prefix.
    pub rows: BTreeMap<String, u64>,
    /// Tables of the dump that are not the core's.
    pub foreign: Vec<String>,
    /// Which release made the tables.
    pub release: Release,
    /// Bytes of text in the dump.
    pub bytes: u64,
}

/// The releases of the core that can be told apart by their tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Release {
    /// 6.0: no account linking.
    From6_0,
    /// 7.0 to 8.x.
    From7_0,
    /// 9.0 to 9.2.
    From9_0,
    /// 9.3.
    From9_3,
    /// 10.0.
    From10_0,
    /// 10.1 to 11.2.
    From10_1,
    /// 11.3 and 11.4.
    From11_3,
    /// 12.x.
    From12_0,
}

impl Release {
    /// The range of releases as text.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::From6_0 => "6.0",
            Self::From7_0 => "7.0 to 8.x",
            Self::From9_0 => "9.0 to 9.2",
            Self::From9_3 => "9.3",
            Self::From10_0 => "10.0",
            Self::From10_1 => "10.1 to 11.2",
            Self::From11_3 => "11.3 or 11.4",
            Self::From12_0 => "12.x",
        }
    }
}

/// Why a dump cannot be moved in.
#[derive(Debug, thiserror::Error)]
pub enum SurveyError {
    /// It cannot be read.
    #[error(transparent)]
    Dump(#[from] DumpError),
    /// It holds no tables of a core.
    #[error("the dump holds no tables of a SuperTokens core (no {{prefix}}apps next to {{prefix}}tenant_configs){0}")]
    NoCore(&'static str),
    /// It holds the tables of several cores.
    #[error("the dump holds the tables of several cores: {0}. Dump one of them (pg_dump --schema=NAME)")]
    SeveralCores(String),
    /// The tables are older than 6.0.
    #[error(
        "the tables were made by a core older than 6.0: upgrade that core to 6.0 or newer as its vendor describes, start \
         it once, and dump the database again"
    )]
    TooOld,
}

/// The two tables by whose names schema and prefix are found.
const APPS: &str = "apps";
const TENANT_CONFIGS: &str = "tenant_configs";

impl Survey {
    /// Reads a dump to its end: what it holds, and that it is complete.
    ///
    /// # Errors
    /// When it cannot be read, or is not the dump of one core.
    pub fn of<R: BufRead>(dump: &mut DumpReader<R>, progress: &dyn Fn(u64)) -> Result<Self, SurveyError> {
        let (mut tables, mut row, mut done) = (Vec::<(Table, u64)>::new(), Row::default(), 0_u64);
        while let Some(table) = dump.next_table()? {
            let mut count = 0;
            // Rows of other tables need not be understood.
            let may_be_known = TABLES.iter().any(|name| table.name.ends_with(name));
            while if may_be_known { dump.next_row(&table, &mut row)? } else { dump.pass_row()? } {
                count += 1;
                done += 1;
                if done.is_multiple_of(PROGRESS_EVERY) {
                    progress(done);
                }
            }
            tables.push((table, count));
        }
        let (schema, prefix) = place(&tables, dump.has_inserts())?;
        let of_core = |table: &Table| {
            let name = table.name.strip_prefix(&prefix).filter(|_| table.schema == schema)?;
            is_known(name).then(|| name.to_owned())
        };
        let mut survey = Self {
            rows: BTreeMap::new(),
            foreign: Vec::new(),
            release: Release::From6_0,
            bytes: dump.bytes(),
            schema: schema.clone(),
            prefix: prefix.clone(),
        };
        let mut known = BTreeMap::new();
        for (table, count) in &tables {
            match of_core(table) {
                Some(name) => {
                    *survey.rows.entry(name.clone()).or_insert(0) += count;
                    known.insert(name, table);
                }
                None => survey.foreign.push(format!("{}.{}", table.schema, table.name)),
            }
        }
        survey.release = release(&known)?;
        Ok(survey)
    }

    /// The name of a table without the prefix, if it is one of the core's.
    #[must_use]
    pub fn name_of<'t>(&self, table: &'t Table) -> Option<&'t str> {
        table.name.strip_prefix(&self.prefix).filter(|name| table.schema == self.schema && is_known(name))
    }

    /// The number of rows of the core's tables.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.rows.values().sum()
    }
}

/// Finds the schema and the prefix of the core's tables.
fn place(tables: &[(Table, u64)], has_inserts: bool) -> Result<(String, String), SurveyError> {
    let is_there =
        |schema: &str, name: &str| tables.iter().any(|(table, _)| table.schema == schema && table.name == name);
    let found = tables.iter().filter_map(|(table, _)| {
        let prefix = table.name.strip_suffix(TENANT_CONFIGS)?;
        is_there(&table.schema, &format!("{prefix}{APPS}")).then(|| (table.schema.clone(), prefix.to_owned()))
    });
    let mut found: Vec<_> = found.collect();
    match (found.pop(), found.is_empty()) {
        (Some(place), true) => Ok(place),
        (Some((schema, prefix)), false) => {
            found.push((schema, prefix));
            let names = found.iter().map(|(schema, prefix)| format!("{schema}.{prefix}{APPS}"));
            Err(SurveyError::SeveralCores(names.collect::<Vec<_>>().join(", ")))
        }
        (None, _) => {
            let is_old = tables
                .iter()
                .any(|(table, _)| table.name.ends_with("session_info") && table.column("app_id").is_none());
            if is_old {
                return Err(SurveyError::TooOld);
            }
            let hint = if has_inserts { "; it was made with --inserts: leave that option out" } else { "" };
            Err(SurveyError::NoCore(hint))
        }
    }
}

fn release(tables: &BTreeMap<String, &Table>) -> Result<Release, SurveyError> {
    let has = |name: &str| tables.contains_key(name);
    let has_column = |name: &str, column: &str| tables.get(name).is_some_and(|table| table.column(column).is_some());
    if !has("tenants") || !has("app_id_to_user_id") {
        return Err(SurveyError::TooOld);
    }
    Ok(match () {
        () if has("recipe_user_tenants") => Release::From12_0,
        () if has("saml_clients") => Release::From11_3,
        () if has("webauthn_users") => Release::From10_1,
        () if has("bulk_import_users") => Release::From10_0,
        () if has("oauth_clients") => Release::From9_3,
        () if has("tenant_first_factors") => Release::From9_0,
        () if has_column("app_id_to_user_id", "primary_or_recipe_user_id") => Release::From7_0,
        () => Release::From6_0,
    })
}

/// Whether a core has a table of this name. Partitions of the activity log have names of their own.
fn is_known(name: &str) -> bool {
    TABLES.contains(&name) || name.starts_with("activity_log")
}

/// The tables of cores 6.0 to 12.x.
const TABLES: &[&str] = &[
    "all_auth_recipe_users",
    "app_id_to_user_id",
    "apps",
    "bulk_import_users",
    "dashboard_user_sessions",
    "dashboard_users",
    "emailpassword_pswd_reset_tokens",
    "emailpassword_user_to_tenant",
    "emailpassword_users",
    "emailverification_tokens",
    "emailverification_verified_emails",
    "jwt_signing_keys",
    "key_value",
    "oauth_clients",
    "oauth_logout_challenges",
    "oauth_m2m_token_stats",
    "oauth_m2m_tokens",
    "oauth_sessions",
    "passwordless_codes",
    "passwordless_devices",
    "passwordless_user_to_tenant",
    "passwordless_users",
    "primary_user_tenants",
    "recipe_user_account_infos",
    "recipe_user_tenants",
    "role_permissions",
    "roles",
    "saml_claims",
    "saml_clients",
    "saml_relay_state",
    "session_access_token_signing_keys",
    "session_info",
    "tenant_configs",
    "tenant_first_factors",
    "tenant_required_secondary_factors",
    "tenant_thirdparty_provider_clients",
    "tenant_thirdparty_providers",
    "tenants",
    "thirdparty_user_to_tenant",
    "thirdparty_users",
    "totp_used_codes",
    "totp_user_devices",
    "totp_users",
    "user_last_active",
    "user_metadata",
    "user_roles",
    "userid_mapping",
    "webauthn_account_recovery_tokens",
    "webauthn_credentials",
    "webauthn_generated_options",
    "webauthn_user_to_tenant",
    "webauthn_users",
];
