//! `GET /recipe/dashboard/tenant/core-config`: the settings that a tenant or its app can override.

use crate::command::tenancy::effective_values;
use crate::config::settings::{self, Kind, Level, Setting};
use crate::config::values::Value;
use crate::context::Context;
use crate::http::cdi::call::Call;
use crate::http::cdi::multitenancy::shared::may_touch_protected;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;
use serde_json::{Value as Json, json};

#[derive(Serialize)]
struct ListBody {
    status: &'static str,
    config: Vec<SettingBody>,
}

/// One setting in the form that a dashboard edits; nulls are included.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SettingBody {
    key: &'static str,
    value_type: &'static str,
    value: Json,
    description: &'static str,
    is_different_across_tenants: bool,
    possible_values: Option<&'static [&'static str]>,
    is_nullable: bool,
    default_value: Json,
    /// Whether it belongs to the original's storage plugin; never here.
    is_plugin_property: bool,
    is_plugin_property_editable: bool,
}

pub(super) async fn list(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let tenant = call.existing_tenant()?;
    let values = effective_values(&context.directory, &call.app.id, &tenant);
    let shows_protected = may_touch_protected(context, call);
    let shown = settings::ALL.iter().enumerate().filter(|(_, setting)| {
        setting.level != Level::Core && !setting.hidden && (shows_protected || !setting.protected)
    });
    let config = shown.map(|(place, setting)| body(setting, values.at(place))).collect();
    Ok(Reply::json(&ListBody { status: "OK", config }))
}

fn body(setting: &'static Setting, value: &Value) -> SettingBody {
    let default = Value::default_of(setting);
    SettingBody {
        key: setting.key,
        value_type: value_type(setting),
        value: json_of(setting, value),
        description: setting.about,
        is_different_across_tenants: setting.level == Level::Tenant,
        possible_values: (!setting.one_of.is_empty()).then_some(setting.one_of),
        is_nullable: default == Value::Null,
        default_value: json_of(setting, &default),
        is_plugin_property: false,
        is_plugin_property_editable: false,
    }
}

const fn value_type(setting: &Setting) -> &'static str {
    match setting.kind {
        _ if !setting.one_of.is_empty() => "enum",
        Kind::Int | Kind::Long | Kind::Double => "number",
        Kind::Text | Kind::Json | Kind::Path => "string",
        Kind::Bool => "boolean",
    }
}

fn json_of(setting: &Setting, value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Int(number) => json!(number),
        Value::Double(number) => json!(number),
        Value::Bool(flag) => json!(flag),
        Value::Text(_) | Value::Path(_) => json!(value.shown(setting)),
    }
}
