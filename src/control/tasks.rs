//! Work on the data that needs a [`Context`] and nothing else: done by the running server, or by the command line on a
//! folder that no server uses.

use crate::command::session::list::{FindSession, ListSessions};
use crate::command::session::revoke::{RevokeSessions, Which};
use crate::command::session::timeline::SessionTimeline;
use crate::command::user::import::Place;
use crate::context::Context;
use crate::control::task_context::{TaskContext, failed, scope};
use crate::control::{Revoke, Task, audit, dashboard, keys, tenancy, users};
use crate::domain::ids::{AppId, TenantId, UserId};
use serde_json::{Value, json};

/// Executes a task. The result has the shape of the command's `--json` output.
///
/// # Errors
/// One sentence for the operator, with the cause and the way out.
pub async fn run(tasks: &TaskContext<'_>, task: Task) -> Result<Value, String> {
    let app = tasks.app;
    match task {
        Task::SessionsList { app: id, user, tenant } => list(app, &id, user, tenant).await,
        Task::SessionsWhy { app: id, handle } => why(app, &id, &handle).await,
        Task::SessionsRevoke { app: id, which } => revoke(app, &id, which).await,
        Task::Audit { app: id, user, kind, limit, from, to } => {
            audit::read(app, audit::Wanted { app: id, user, kind, limit, from, to }).await
        }
        Task::KeysList { app: id } => keys::list(app, &id).await,
        Task::KeysRotate { app: id, immediate } => keys::rotate(app, &id, immediate).await,
        Task::KeysRevoke { app: id, kid, reason } => keys::revoke(app, &id, &kid, &reason).await,
        Task::UsersList { app: id, wanted } => users::list(app, &id, wanted).await,
        Task::UsersShow { app: id, user } => users::show(app, &id, user).await,
        Task::UsersDelete { app: id, user, only_method } => users::delete(app, &id, user, only_method).await,
        Task::UsersImport { app: id, tenant, lines, import, step } => {
            users::import(app, &id, &tenant, lines, Place { import, step }).await
        }
        Task::UsersImportEnd { app: id, import } => users::end_import(tasks, &id, import).await,
        Task::KeysReseal { new } => keys::reseal(app, new).await,
        Task::DashboardUsersList { app: id } => dashboard::list(app, &id).await,
        Task::DashboardUsersCreate { app: id, email, password } => dashboard::create(app, &id, &email, password).await,
        Task::DashboardUsersDelete { app: id, user } => dashboard::delete(app, &id, &user).await,
        Task::AppsList => Ok(tenancy::apps(app)),
        Task::AppsShow { app: id } => tenancy::app(app, &id).await,
        Task::AppsCreate { app: id, new } => tenancy::create(app, id, None, new).await,
        Task::AppsDelete { app: id, with_tenants } => tenancy::delete_app(app, id, with_tenants).await,
        Task::AppsExport { app: id, to, key, plain } => tenancy::export(tasks, id, to, key, plain).await,
        Task::AppsImport(wanted) => tenancy::import(tasks, wanted).await,
        Task::TenantsList { app: id } => tenancy::tenants(app, &id),
        Task::TenantsShow { app: id, tenant } => tenancy::tenant(app, &id, &tenant).await,
        Task::TenantsCreate { app: id, tenant, new } => tenancy::create(app, id, Some(tenant), new).await,
        Task::TenantsDelete { app: id, tenant } => tenancy::delete_tenant(app, id, tenant).await,
    }
}

async fn list(app: &Context, id: &AppId, user: String, tenant: Option<String>) -> Result<Value, String> {
    let scope = scope(app, id, tenant.as_deref(), "sessiond sessions list")?;
    let (user_id, tenant) = (UserId::new(user), tenant.map(TenantId::new));
    let listing = ListSessions { scope: scope.clone(), user_id, linked: true, tenant };
    let mut rows = Vec::new();
    for handle in listing.run(app).await.map_err(failed)? {
        let find = FindSession { scope: scope.clone(), handle: &handle };
        // A session that ended in between is left out.
        if let Some(session) = find.run(app).await.map_err(failed)? {
            rows.push(json!({
                "sessionHandle": handle,
                "userId": session.user_id.as_str(),
                "recipeUserId": session.recipe_user_id.as_str(),
                "timeCreated": session.time_created,
                "expiry": session.expiry,
            }));
        }
    }
    Ok(json!({ "sessions": rows }))
}

async fn why(app: &Context, id: &AppId, handle: &str) -> Result<Value, String> {
    let scope = scope(app, id, None, "sessiond sessions why")?;
    let Some(story) = SessionTimeline { scope, handle }.run(app).await.map_err(failed)? else {
        return Err(format!(
            "nothing is known of the session {handle}: it never existed in this app, or it ended longer ago than \
             timelines are kept"
        ));
    };
    Ok(json!({
        "sessionHandle": story.handle.to_string(),
        "userId": story.user_id.as_str(),
        "timeCreated": story.time_created,
        "timeEnded": story.ended,
        "summary": story.summary,
        "events": story.events,
        "eventsOmitted": story.omitted,
    }))
}

async fn revoke(app: &Context, id: &AppId, which: Revoke) -> Result<Value, String> {
    let (tenant, which) = match which {
        Revoke::Handles(handles) => (None, Which::Handles(handles)),
        Revoke::User(user, tenant) => {
            let user_id = UserId::new(user);
            let which = Which::User { user_id, linked: true, tenant: tenant.clone().map(TenantId::new) };
            (tenant, which)
        }
    };
    let scope = scope(app, id, tenant.as_deref(), "sessiond sessions revoke")?;
    let revoked = RevokeSessions { scope, which }.run(app).await.map_err(failed)?;
    Ok(json!({ "sessionHandlesRevoked": revoked }))
}
