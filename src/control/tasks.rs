//! Work on the data that needs a [`Context`] and nothing else: done by the running server, or by the command line on a
//! folder that no server uses.

use crate::command::session::list::{FindSession, ListSessions};
use crate::command::session::revoke::{RevokeSessions, Which};
use crate::command::session::timeline::{SessionTimeline, clients_value};
use crate::command::user::import::ImportStep;
use crate::context::Context;
use crate::control::task_context::{TaskContext, failed, scope};
use crate::control::{Revoke, Task, audit, dashboard, hooks, keys, mail, tenancy, users};
use crate::domain::ids::{AppId, TenantId, UserId};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

/// Executes a task. The result has the shape of the command's `--json` output.
///
/// # Errors
/// One sentence for the operator, with the cause and the way out.
pub fn run<'a>(tasks: &'a TaskContext<'_>, task: Task) -> BoxFuture<'a, Result<Value, String>> {
    // Every command at once: as a type of its own it would be compiled again for each place that awaits it.
    Box::pin(execute(tasks, task))
}

async fn execute(tasks: &TaskContext<'_>, task: Task) -> Result<Value, String> {
    let context = tasks.context;
    match task {
        Task::SessionsList { app: id, user, tenant } => list(context, &id, user, tenant).await,
        Task::SessionsWhy { app: id, handle } => why(context, &id, &handle).await,
        Task::SessionsRevoke { app: id, which } => revoke(context, &id, which).await,
        Task::Audit { app: id, user, kind, limit, from, to } => {
            audit::read(context, audit::AuditFilter { app: id, user, kind, limit, from, to }).await
        }
        Task::MailTest { app: id, to } => mail::test(tasks, &id, &to).await,
        Task::MailList { app: id, limit } => mail::list(context, &id, limit).await,
        Task::MailRetry { app: id, id: mail } => mail::retry(context, &id, mail).await,
        Task::MailDrop { app: id, id: mail } => mail::drop(context, &id, mail).await,
        Task::HooksTest { app: id } => hooks::test(context, &id).await,
        Task::HooksList { app: id, limit } => hooks::list(context, &id, limit).await,
        Task::HooksRetry { app: id, id: event } => hooks::retry(context, &id, event).await,
        Task::HooksDrop { app: id, id: event } => hooks::drop(context, &id, event).await,
        Task::KeysList { app: id } => keys::list(context, &id).await,
        Task::KeysRotate { app: id, immediate } => keys::rotate(context, &id, immediate).await,
        Task::KeysRevoke { app: id, kid, reason } => keys::revoke(context, &id, &kid, &reason).await,
        Task::UsersList { app: id, wanted } => users::list(context, &id, wanted).await,
        Task::UsersShow { app: id, user } => users::show(context, &id, user).await,
        Task::UsersDelete { app: id, user, only_method } => users::delete(context, &id, user, only_method).await,
        Task::UsersImport { app: id, tenant, lines, import, step } => {
            users::import(context, &id, &tenant, lines, ImportStep { import, step }).await
        }
        Task::UsersImportEnd { app: id, import } => users::end_import(tasks, &id, import).await,
        Task::KeysReseal { new } => keys::reseal(context, new).await,
        Task::DashboardUsersList { app: id } => dashboard::list(context, &id).await,
        Task::DashboardUsersCreate { app: id, email, password } => {
            dashboard::create(context, &id, &email, password).await
        }
        Task::DashboardUsersDelete { app: id, user } => dashboard::delete(context, &id, &user).await,
        Task::AppsList => Ok(tenancy::apps(context)),
        Task::AppsShow { app: id } => tenancy::app(context, &id).await,
        Task::AppsCreate { app: id, new } => tenancy::create(context, id, None, new).await,
        Task::AppsDelete { app: id, with_tenants } => tenancy::delete_app(context, id, with_tenants).await,
        Task::AppsExport { app: id, to, key, plain } => tenancy::export(tasks, id, to, key, plain).await,
        Task::AppsImport(wanted) => tenancy::import(tasks, wanted).await,
        Task::TenantsList { app: id } => tenancy::tenants(context, &id),
        Task::TenantsShow { app: id, tenant } => tenancy::tenant(context, &id, &tenant).await,
        Task::TenantsCreate { app: id, tenant, new } => tenancy::create(context, id, Some(tenant), new).await,
        Task::TenantsDelete { app: id, tenant } => tenancy::delete_tenant(context, id, tenant).await,
    }
}

async fn list(context: &Context, id: &AppId, user: String, tenant: Option<String>) -> Result<Value, String> {
    let scope = scope(context, id, tenant.as_deref(), "sessiond sessions list")?;
    let (user_id, tenant) = (UserId::new(user), tenant.map(TenantId::new));
    let listing = ListSessions { scope: scope.clone(), user_id, linked: true, tenant };
    let mut rows = Vec::new();
    for handle in listing.run(context).await.map_err(failed)? {
        let find = FindSession { scope: scope.clone(), handle: &handle };
        // A session that ended in between is left out.
        if let Some(session) = find.run(context).await.map_err(failed)? {
            let row = json!({
                "sessionHandle": handle,
                "userId": session.user_id.as_str(),
                "recipeUserId": session.recipe_user_id.as_str(),
                "timeCreated": session.time_created,
                "expiry": session.expiry,
            });
            rows.push(joined(row, clients_value(session.clients.as_ref())));
        }
    }
    Ok(json!({ "sessions": rows }))
}

async fn why(context: &Context, id: &AppId, handle: &str) -> Result<Value, String> {
    let scope = scope(context, id, None, "sessiond sessions why")?;
    let Some(story) = SessionTimeline { scope, handle }.run(context).await.map_err(failed)? else {
        return Err(format!(
            "nothing is known of the session {handle}: it never existed in this app, or it ended longer ago than \
             timelines are kept"
        ));
    };
    let told = json!({
        "sessionHandle": story.handle.to_string(),
        "userId": story.user_id.as_str(),
        "timeCreated": story.time_created,
        "timeEnded": story.ended,
        "summary": story.summary,
        "events": story.events,
        "eventsOmitted": story.omitted,
    });
    Ok(joined(told, clients_value(story.clients.as_ref())))
}

/// An object with the members of another one added.
fn joined(mut object: Value, more: Value) -> Value {
    if let (Value::Object(members), Value::Object(more)) = (&mut object, more) {
        members.extend(more);
    }
    object
}

async fn revoke(context: &Context, id: &AppId, which: Revoke) -> Result<Value, String> {
    let (tenant, which) = match which {
        Revoke::Handles(handles) => (None, Which::Handles(handles)),
        Revoke::User(user, tenant) => {
            let user_id = UserId::new(user);
            let which = Which::User { user_id, linked: true, tenant: tenant.clone().map(TenantId::new) };
            (tenant, which)
        }
    };
    let scope = scope(context, id, tenant.as_deref(), "sessiond sessions revoke")?;
    let revoked = RevokeSessions { scope, which }.run(context).await.map_err(failed)?;
    Ok(json!({ "sessionHandlesRevoked": revoked }))
}
