//! `sessiond move in`: an installation of an original core becomes one of ours.
//!
//! The dump is read three times: to its end before anything is written ([`Survey`]); then the tables on which others
//! depend are collected, and apps, keys and roles are written; then everything else is written row by row, and at last
//! the users, whose login methods lie in many tables. Only collected tables are held in memory.
//!
//! It writes into a new folder that nobody uses until it is complete: a crash leaves no half of an installation.

mod error;
mod identity;
mod report;
mod rows;
mod tenancy;
mod writer;

pub use error::MoveInError;
pub use identity::MigrationMode;
pub use report::{Report, Skipped, TableReport};

use crate::context::Context;
use crate::domain::ids::AppId;
use crate::move_in::row::{Record, Row};
use crate::move_in::schema::Survey;
use crate::move_in::source::Source;
use crate::store::{Engine, Keyspace, Scan};
use error::RowError;
use identity::Identities;
use report::Fate;
use rows::Rows;
use tenancy::{MovedApp, Tenancy, unusable};
use writer::Writer;

/// Called with the progress of the work: what is being done, rows done, rows in all (0: unknown).
pub type OnMoveProgress<'a> = &'a (dyn Fn(&'static str, u64, u64) + Send + Sync);

/// Rows between two reports of progress.
const PROGRESS_EVERY: u64 = 1000;

/// Moves the installation in a dump into an empty store.
pub struct MoveIn {
    /// The dump.
    pub source: Source,
    /// Which tables hold the tenants of users, if that is known.
    pub mode: Option<MigrationMode>,
}

/// What was moved.
#[derive(Debug)]
pub struct MovedIn {
    /// What the dump holds.
    pub survey: Survey,
    /// What became of its rows.
    pub report: Report,
    /// The ids of the apps.
    pub apps: Vec<AppId>,
}

impl MoveIn {
    /// Moves everything. The store must be thrown away if this fails.
    ///
    /// # Errors
    /// Why the installation cannot be moved.
    pub async fn run(&self, context: &Context, progress: OnMoveProgress<'_>) -> Result<MovedIn, MoveInError> {
        if !is_empty(&*context.store).await? {
            return Err(MoveInError::NotEmpty);
        }
        let survey = Survey::of(&mut self.source.read()?, &|rows| progress("checking the dump", rows, 0))?;
        let mut report = Report::default();
        for table in &survey.foreign {
            report.notes.push(format!("table {table} is not one of a core and stays behind"));
        }
        let (mut tenancy, identities) = self.collect(&survey, &mut report, progress)?;
        let mode = identities.mode(self.mode)?;
        let (_guard, vault) = context.keys.vault_as_it_is(&*context.store).await.map_err(unusable)?;
        let mut writer = Writer::new(&*context.store);
        let directory = tenancy.write_tenants(context, &mut writer).await?;
        let apps = tenancy.write_the_rest(context, &mut writer, &directory, &vault).await?;
        self.stream(context, &survey, (&apps, &identities), &mut writer, &mut report, progress).await?;
        progress("writing users", 0, 0);
        identities.write(&mut writer, mode, context.now(), &mut report).await?;
        writer.flush().await?;
        Ok(MovedIn { survey, report, apps: apps.into_iter().map(|app| app.id).collect() })
    }

    /// Reads the tables on which others depend.
    fn collect(
        &self,
        survey: &Survey,
        report: &mut Report,
        progress: OnMoveProgress<'_>,
    ) -> Result<(Tenancy, Identities), MoveInError> {
        let (mut tenancy, mut identities) = (Tenancy::default(), Identities::default());
        let (mut dump, mut row, mut done) = (self.source.read()?, Row::default(), 0_u64);
        while let Some(table) = dump.next_table()? {
            let Some(name) = survey.name_of(&table) else { continue };
            let is_of_users = identity::TABLES.contains(&name);
            if !is_of_users && !tenancy::TABLES.contains(&name) {
                continue;
            }
            let mut number = 0;
            while dump.next_row(&table, &mut row)? {
                number += 1;
                let record = Record { table: &table, row: &row };
                let fate = match is_of_users {
                    true => identities.take(name, record),
                    false => tenancy.take(name, record, report),
                };
                report.note(name, fate.map_err(|error| error.at(name, number))?);
                done += 1;
                if done.is_multiple_of(PROGRESS_EVERY) {
                    progress("reading users", done, survey.total());
                }
            }
        }
        Ok((tenancy, identities))
    }

    /// Writes the tables on which no others depend.
    async fn stream(
        &self,
        context: &Context,
        survey: &Survey,
        (apps, identities): (&[MovedApp], &Identities),
        writer: &mut Writer<'_>,
        report: &mut Report,
        progress: OnMoveProgress<'_>,
    ) -> Result<(), MoveInError> {
        let (mut dump, mut row, mut done) = (self.source.read()?, Row::default(), 0_u64);
        let now = context.now();
        while let Some(table) = dump.next_table()? {
            let Some(name) = survey.name_of(&table) else { continue };
            let is_collected = identity::TABLES.contains(&name) || tenancy::TABLES.contains(&name);
            // Of these, some rows are also kept for recipes to come.
            let is_kept = matches!(name, "webauthn_credentials" | "key_value");
            if is_collected && !is_kept {
                continue;
            }
            let mut number = 0;
            while dump.next_row(&table, &mut row)? {
                number += 1;
                let record = Record { table: &table, row: &row };
                let id = record.text("app_id").map_err(|error| RowError::from(error).at(name, number))?;
                let fate = match apps.iter().find(|app| app.id.app_id == id) {
                    Some(app) => Rows { context, app, identities, now }.write(writer.tx(), name, record, number).await,
                    None => Ok(Fate::Skipped("its app does not exist", id.to_owned())),
                };
                let fate = fate.map_err(|error| error.at(name, number))?;
                if !is_collected {
                    report.note(name, fate);
                }
                writer.step().await?;
                done += 1;
                if done.is_multiple_of(PROGRESS_EVERY) {
                    progress("writing records", done, survey.total());
                }
            }
        }
        writer.flush().await
    }
}

/// True while no app, user or key is in the store.
async fn is_empty(store: &dyn Engine) -> Result<bool, MoveInError> {
    for keyspace in [Keyspace::App, Keyspace::Tenant, Keyspace::User, Keyspace::SealingKey, Keyspace::Session] {
        let start = crate::store::Key::of(keyspace);
        if !store.begin().scan(&Scan { start, end: None, reverse: false, limit: 1 }).await?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}
