//! The tables that are written row by row: sessions, what recipes keep under users' ids, tokens, dashboard, queue.

use super::error::RowError;
use super::identity::Identities;
use super::report::Fate;
use super::tenancy::MovedApp;
use crate::command::bulk_import::Sealer as ImportSealer;
use crate::command::totp::Sealer as TotpSealer;
use crate::context::Context;
use crate::domain::entropy::random_bytes;
use crate::domain::ids::{SessionHandle, TenantId, UserId};
use crate::domain::import::waiting::BulkStatus;
use crate::domain::json::{JsonObject, Members};
use crate::domain::one_time_token::OneTimeHash;
use crate::domain::session::event::EventKind;
use crate::domain::session::family::{Family, Previous};
use crate::domain::session::timeline::EventLog;
use crate::domain::time::{Reading, UnixMillis};
use crate::domain::token_hash::{TokenHash1, TokenHash2};
use crate::domain::token_series::{Series, SeriesId};
use crate::domain::totp::{Code, MAX_SKEW, Pace, TotpSecret};
use crate::domain::user::{PasswordHash, normalise_email};
use crate::domain::userroles::RoleName;
use crate::move_in::row::Record;
use crate::store::bulk_import::BulkImportRecord;
use crate::store::dashboard::{self, DashboardSessionRecord, DashboardUserRecord};
use crate::store::emailverification::Addressee;
use crate::store::session::{self, SessionRecord};
use crate::store::token_series::TokenRecord;
use crate::store::totp::TotpDevice;
use crate::store::userroles::assignment::Assignment;
use crate::store::{Tx, activity, bulk_import, codec, kept_row, passwordreset, totp, user, usermetadata};
use uuid::Uuid;

/// Writes rows of one app.
pub(super) struct Rows<'a> {
    pub(super) context: &'a Context,
    pub(super) app: &'a MovedApp,
    pub(super) identities: &'a Identities,
    pub(super) now: UnixMillis,
}

const EXPIRED: &str = "it has expired";

impl Rows<'_> {
    /// Writes a row. `number` is its place in the table.
    pub(super) async fn write(
        &self,
        tx: &mut dyn Tx,
        table: &str,
        row: Record<'_>,
        number: u64,
    ) -> Result<Fate, RowError> {
        match table {
            "session_info" => self.session(tx, row),
            "user_roles" => self.role(tx, row),
            "user_metadata" => self.metadata(tx, row),
            "user_last_active" => self.activity(tx, row).await,
            "emailverification_verified_emails" => self.verified(tx, row).await,
            "emailverification_tokens" => self.verification_token(tx, row).await,
            "emailpassword_pswd_reset_tokens" => self.reset_token(tx, row).await,
            "totp_user_devices" => self.device(tx, row).await,
            "dashboard_users" => self.dashboard_user(tx, row).await,
            "dashboard_user_sessions" => self.dashboard_session(tx, row).await,
            "bulk_import_users" => self.waiting_user(tx, row),
            "webauthn_credentials" | "webauthn_account_recovery_tokens" | "saml_clients" | "oauth_clients" => {
                self.keep(tx, table, row, number)
            }
            "key_value" if row.optional("name").is_some_and(|name| name.starts_with("saml_")) => {
                self.keep(tx, table, row, number)
            }
            "totp_used_codes" => self.used_code(tx, row).await,
            "passwordless_codes"
            | "passwordless_devices"
            | "webauthn_generated_options"
            | "saml_claims"
            | "saml_relay_state" => Ok(Fate::Skipped("it lives for minutes only", String::new())),
            "oauth_sessions" | "oauth_m2m_tokens" | "oauth_logout_challenges" | "oauth_m2m_token_stats" => {
                Ok(Fate::Skipped("it is of no use without the database of Ory Hydra", String::new()))
            }
            _ if table.starts_with("activity_log") => Ok(Fate::Skipped("the audit log begins anew", String::new())),
            // Projections of other tables.
            _ => Ok(Fate::Moved),
        }
    }

    fn session(&self, tx: &mut dyn Tx, row: Record<'_>) -> Result<Fate, RowError> {
        let text = row.text("session_handle")?;
        let tenant = TenantId::new(row.text("tenant_id")?);
        let Some(handle) = SessionHandle::parse(text).filter(|handle| handle.tenant == tenant) else {
            return Ok(Fate::Skipped("its handle is not one of a core from 6.0.1 on", text.to_owned()));
        };
        let expires = UnixMillis(row.number("expires_at")?);
        if expires < self.now {
            return Ok(Fate::Skipped(EXPIRED, text.to_owned()));
        }
        let hash = |column| -> Result<Option<TokenHash2>, RowError> {
            let parse = |text: &str| {
                let hash = TokenHash1::parse(text).map(|hash| TokenHash2(*hash.as_bytes()));
                hash.ok_or_else(|| RowError::Wrong(format!("column {column} is not a SHA-256 hash")))
            };
            row.optional(column).map(parse).transpose()
        };
        let current = hash("refresh_token_hash_2")?;
        let current = current.ok_or_else(|| RowError::Wrong("column refresh_token_hash_2 is missing".to_owned()))?;
        let mut family = Family::new(current, row.flag("use_static_key"), expires);
        if let Some(previous) = hash("prev_refresh_token_hash_2")? {
            let replaced_at = UnixMillis(row.optional_number("refresh_token_rotated_at")?.unwrap_or(0));
            family.previous = Some(Previous { hash: previous, replaced_at });
            family.generation = 1;
        }
        let created = UnixMillis(row.number("created_at_time")?);
        let record = SessionRecord {
            user_id: UserId::new(row.text("user_id")?),
            created,
            family,
            user_data_in_jwt: object(row, "jwt_user_payload")?,
            user_data_in_database: object(row, "session_data")?,
            log: EventLog::starting_with(created, EventKind::Created { request_id: String::new() }),
            clients: None,
        };
        session::insert(tx, &self.app.id, &handle, &record)?;
        Ok(Fate::Moved)
    }

    fn role(&self, tx: &mut dyn Tx, row: Record<'_>) -> Result<Fate, RowError> {
        let role = RoleName::from_stored(row.text("role")?.to_owned());
        let Some(incarnation) = self.app.roles.get(&role) else {
            return Ok(Fate::Skipped("the role does not exist any more", role.as_str().to_owned()));
        };
        let (tenant, user) = (TenantId::new(row.text("tenant_id")?), UserId::new(row.text("user_id")?));
        Assignment { app: &self.app.id, tenant: &tenant, user: &user, role: &role }.put(tx, *incarnation)?;
        Ok(Fate::Moved)
    }

    fn metadata(&self, tx: &mut dyn Tx, row: Record<'_>) -> Result<Fate, RowError> {
        let user = UserId::new(row.text("user_id")?);
        usermetadata::put(tx, &self.app.id, &user, object(row, "user_metadata")?)?;
        Ok(Fate::Moved)
    }

    async fn activity(&self, tx: &mut dyn Tx, row: Record<'_>) -> Result<Fate, RowError> {
        let user = self.identities.shown(&self.app.id, row.text("user_id")?);
        let Some(at) = row.optional_number("last_active_time")? else { return Ok(Fate::Moved) };
        activity::put(tx, &self.app.id, &user, UnixMillis(at)).await?;
        Ok(Fate::Moved)
    }

    async fn verified(&self, tx: &mut dyn Tx, row: Record<'_>) -> Result<Fate, RowError> {
        let (user, email) = (UserId::new(row.text("user_id")?), normalise_email(row.text("email")?));
        user::verified::mark(tx, &self.app.id, &user, &email, self.now).await?;
        Ok(Fate::Moved)
    }

    async fn verification_token(&self, tx: &mut dyn Tx, row: Record<'_>) -> Result<Fate, RowError> {
        let (user, email) = (UserId::new(row.text("user_id")?), row.text("email")?);
        let expires = UnixMillis(row.number("token_expiry")?);
        if expires < self.now {
            return Ok(Fate::Skipped(EXPIRED, user.as_str().to_owned()));
        }
        let tenant = TenantId::new(row.text("tenant_id")?);
        let addressee = Addressee { app: &self.app.id, tenant: &tenant, user: &user, email };
        let series = addressee.tokens().series(tx).await?.unwrap_or_else(|| self.new_series());
        addressee.add(tx, &one_time_hash(row)?, series, expires)?;
        Ok(Fate::Moved)
    }

    async fn reset_token(&self, tx: &mut dyn Tx, row: Record<'_>) -> Result<Fate, RowError> {
        let id = row.text("user_id")?.trim_end();
        let expires = UnixMillis(row.number("token_expiry")?);
        if expires < self.now {
            return Ok(Fate::Skipped(EXPIRED, id.to_owned()));
        }
        let email = row.optional("email").or_else(|| self.identities.email(&self.app.id, id));
        let Some(email) = email else {
            return Ok(Fate::Skipped("the address that it was sent to is not known", id.to_owned()));
        };
        let user = UserId::new(id);
        let tokens = passwordreset::tokens_of(&self.app.id, &user);
        let series = tokens.series(tx).await?.unwrap_or_else(|| self.new_series());
        let token = TokenRecord::new(user, email.to_owned(), expires, series.id);
        tokens.add(tx, &one_time_hash(row)?, series, &token)?;
        Ok(Fate::Moved)
    }

    async fn device(&self, tx: &mut dyn Tx, row: Record<'_>) -> Result<Fate, RowError> {
        let (user, name) = (UserId::new(row.text("user_id")?), row.text("device_name")?);
        let number = |column| -> Result<u32, RowError> {
            let number = row.number(column)?;
            u32::try_from(number).map_err(|_| RowError::Wrong(format!("column {column} is out of range")))
        };
        let pace = Pace { period_s: number("period")?, skew: number("skew")? };
        let Some(secret) = TotpSecret::from_base32(row.text("secret_key")?) else {
            return Ok(Fate::Skipped("its secret is empty", name.to_owned()));
        };
        if pace.period_s == 0 || pace.skew > MAX_SKEW {
            return Ok(Fate::Skipped("its period or skew is not supported", name.to_owned()));
        }
        let mut devices = totp::devices(tx, &self.app.id, &user).await?;
        devices.push(TotpDevice {
            name: name.to_owned(),
            sealed_secret: TotpSealer::with(&self.app.sealing).seal(self.context, &user, &secret),
            pace,
            verified: row.flag("verified"),
            created: UnixMillis(row.optional_number("created_at")?.unwrap_or(0)),
        });
        devices.sort_by(|one, other| (one.created, &one.name).cmp(&(other.created, &other.name)));
        totp::put_devices(tx, &self.app.id, &user, devices).await?;
        Ok(Fate::Moved)
    }

    /// An attempt with a code. One that was right must not be used again; wrong ones count since the last right one.
    async fn used_code(&self, tx: &mut dyn Tx, row: Record<'_>) -> Result<Fate, RowError> {
        let (tenant, user) = (TenantId::new(row.text("tenant_id")?), UserId::new(row.text("user_id")?));
        let created = UnixMillis(row.number("created_time_ms")?);
        let expires = UnixMillis(row.number("expiry_time_ms")?);
        let Some(code) = Code::parse(row.text("code")?).filter(|_| expires >= self.now) else {
            return Ok(Fate::Skipped(EXPIRED, user.as_str().to_owned()));
        };
        let mut attempts = totp::attempts(tx, &self.app.id, &tenant, &user).await?.unwrap_or_default();
        if row.flag("is_valid") {
            attempts.failures.retain(|failure| failure.wall > created);
            attempts.used.push((code, expires));
        } else {
            attempts.failures.push(Reading::of_wall(created));
            attempts.failures.sort_by_key(|failure| failure.wall);
        }
        totp::put_attempts(tx, &self.app.id, &tenant, &user, attempts)?;
        Ok(Fate::Moved)
    }

    async fn dashboard_user(&self, tx: &mut dyn Tx, row: Record<'_>) -> Result<Fate, RowError> {
        let id = UserId::new(row.text("user_id")?.trim_end());
        // The same for its sessions, which may have come first.
        let sessions = series_of(&id);
        let record = DashboardUserRecord {
            id,
            email: normalise_email(row.text("email")?),
            password: PasswordHash::new(row.text("password_hash")?),
            time_joined: UnixMillis(row.number("time_joined")?),
            sessions,
        };
        match dashboard::save(tx, &self.app.id, None, &record).await? {
            true => Ok(Fate::Moved),
            false => Ok(Fate::Skipped("another dashboard user has this address", record.email)),
        }
    }

    async fn dashboard_session(&self, tx: &mut dyn Tx, row: Record<'_>) -> Result<Fate, RowError> {
        let user_id = UserId::new(row.text("user_id")?.trim_end());
        let expires = UnixMillis(row.number("expiry")?);
        if expires < self.now {
            return Ok(Fate::Skipped(EXPIRED, user_id.as_str().to_owned()));
        }
        let series = series_of(&user_id);
        let record =
            DashboardSessionRecord { user_id, series, created: UnixMillis(row.number("time_created")?), expires };
        let hash = TokenHash1::of(row.text("session_id")?.trim_end());
        codec::put(tx, dashboard::session_key(&self.app.id, &hash), &record)?;
        Ok(Fate::Moved)
    }

    fn waiting_user(&self, tx: &mut dyn Tx, row: Record<'_>) -> Result<Fate, RowError> {
        let text = row.text("id")?.trim_end();
        let Some(id) = Uuid::try_parse(text).ok() else {
            return Ok(Fate::Skipped("its id is not a UUID", text.to_owned()));
        };
        let user = Members::parse(row.text("raw_data")?)
            .map_err(|_| RowError::Wrong("column raw_data is not a JSON object".to_owned()))?;
        let record = BulkImportRecord {
            status: match row.optional("status") {
                Some("FAILED") => BulkStatus::Failed,
                _ => BulkStatus::New,
            },
            error: row.optional("error_msg").map(str::to_owned),
            created: UnixMillis(row.number("created_at")?),
            updated: UnixMillis(row.number("updated_at")?),
            sealed_user: ImportSealer::with(&self.app.sealing).seal(self.context, &id, &user),
        };
        bulk_import::put(tx, &self.app.id, &id, None, &record)?;
        Ok(Fate::Moved)
    }

    /// Keeps a row as it is, sealed, for a recipe to come.
    fn keep(&self, tx: &mut dyn Tx, table: &str, row: Record<'_>, number: u64) -> Result<Fate, RowError> {
        let key = kept_row::key(&self.app.id, table, number);
        let sealer = self.app.sealing.at_rest(b"sessiond kept row");
        let sealed = sealer.seal_at_rest(table.as_bytes(), row.to_json().as_bytes(), &*self.context.entropy);
        kept_row::put(tx, key, sealed)?;
        Ok(Fate::Moved)
    }

    fn new_series(&self) -> Series {
        Series::new(SeriesId(u64::from_le_bytes(random_bytes(&*self.context.entropy))))
    }
}

/// The series of a dashboard user's sessions.
fn series_of(user: &UserId) -> SeriesId {
    let hash = *TokenHash1::of(user.as_str()).as_bytes();
    SeriesId(u64::from_le_bytes(hash.first_chunk().copied().unwrap_or_default()))
}

/// A JSON object; NULL is `{}`.
fn object(row: Record<'_>, column: &'static str) -> Result<JsonObject, RowError> {
    let parse = |text: &str| {
        JsonObject::parse(text).map_err(|_| RowError::Wrong(format!("column {column} is not a JSON object")))
    };
    row.optional(column).map_or_else(|| Ok(JsonObject::empty()), parse)
}

fn one_time_hash(row: Record<'_>) -> Result<OneTimeHash, RowError> {
    let hash = TokenHash1::parse(row.text("token")?).map(|hash| OneTimeHash::from_bytes(*hash.as_bytes()));
    hash.ok_or_else(|| RowError::Wrong("column token is not a SHA-256 hash".to_owned()))
}
