//! `docs/configuration.md`, generated from the table of settings.

use crate::config::settings::{Level, Range, SECTIONS, Setting, Status};
use std::fmt::Write;

const HEAD: &str = "# Configuration

<!-- Made from the table in src/config/settings/. Do not edit: run `SESSIOND_BLESS=1 cargo test --test it config`. -->

`sessiond` needs no configuration: without any it listens on `localhost:3567` and keeps its data in `./data`. Settings
come from these sources; each overrides the ones before it:

1. built-in defaults;
2. `config.yaml` in the working directory, or the file named by `--config` (`--with-config` of `start`); it must contain
   `core_config_version: 0`;
3. environment variables; a blank one counts as unset, and quotes around the whole value are removed (in double quotes
   `\\n`, `\\t`, `\\r`, `\\\"`, `\\'` and `\\\\` are escapes, as Docker's env files need it);
4. command-line flags (`--host`, `--port`, …).

White space at both ends of a value is ignored, whatever the source, and so are invisible characters (a byte order mark, a
zero-width space). Inside a value they are refused. If a value cannot be read, the server does not start, unless a later
source overrides it; `sessiond config check FILE` says everything that is wrong with a configuration, with lines and
columns, before a server is started with it. If a setting occurs twice in the file, the last value
counts, with a warning. Variables that Kubernetes or Docker set for a service named `supertokens` or `sessiond`
(`SUPERTOKENS_PORT=tcp://…`) are not settings.

Settings of the type JSON may be written as YAML (lists and maps, without anchors and tags) or as JSON in a text, quoted or
as a block after `|`; in variables they are JSON.

`sessiond config` shows every effective value and where it came from. Unknown keys in `config.yaml` are ignored with a
warning that names the line and the nearest known key. Keys, environment names and meanings are those of the SuperTokens
core, so its files work unchanged; database settings (`postgresql_*`, `mysql_*`, `mongodb_*`) are ignored with a warning,
because sessiond has its own store. `coreConfig` of an app or a tenant overrides a setting where its level allows:

- **server**: for the whole server only;
- **app**: may differ per app, but is the same in all tenants of an app;
- **tenant**: may differ per tenant.

Two secrets have no key and come from the environment only: `SESSIOND_MASTER_KEY`, or `SESSIOND_MASTER_KEY_FILE` with the
path of a file that contains it. With a master key, private signing keys and sealing keys are encrypted in the store. Single
quotes around a master key are part of it, double quotes are not.
";

/// The whole document.
#[must_use]
pub fn markdown() -> String {
    let mut text = HEAD.to_owned();
    for section in SECTIONS {
        // invariant: writing to a String cannot fail
        let _ = write!(
            text,
            "\n## {}\n\n| Key and environment variable | Type | Default | Level | Meaning |\n|---|---|---|---|---|\n",
            section.title
        );
        for setting in section.settings {
            row(&mut text, setting);
        }
    }
    text
}

fn row(text: &mut String, setting: &Setting) {
    let env = setting.env.map(|name| format!("<br>`{name}`")).unwrap_or_default();
    let kind = match setting.one_of {
        [] => format!("{}{}", setting.kind.name(), range(setting.range)),
        values => values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(" or "),
    };
    let level = match setting.level {
        Level::Core => "server",
        Level::App => "app",
        Level::Tenant => "tenant",
    };
    let default = default(setting);
    let _ = writeln!(text, "| `{}`{env} | {kind} | {default} | {level} | {} |", setting.key, meaning(setting));
}

/// What a setting may be, in a few words.
#[must_use]
pub fn expected(setting: &Setting) -> String {
    let kind = match setting.one_of {
        [] => format!("{}{}", setting.kind.name(), range(setting.range)),
        values => values.join(" or "),
    };
    format!("'{}': {kind}; default: {}", setting.key, default(setting).replace('`', ""))
}

fn range(range: Range) -> String {
    match (range.min, range.max) {
        (None, None) => String::new(),
        (Some(min), None) => format!(", at least {min}"),
        (None, Some(max)) => format!(", at most {max}"),
        (Some(min), Some(max)) => format!(", {min} to {max}"),
    }
}

fn default(setting: &Setting) -> String {
    use crate::config::settings::Default;
    let shown = match setting.default {
        Default::Null => return "none".to_owned(),
        Default::Cores => return "number of cores".to_owned(),
        Default::Int(number) => number.to_string(),
        Default::Double(number) => number.to_string(),
        Default::Bool(flag) => flag.to_string(),
        Default::Text(text) => format!("{text:?}"),
    };
    match setting.unit {
        "" | "path" | "URL" | "fraction" => format!("`{shown}`"),
        unit => format!("`{shown}` {unit}"),
    }
}

fn meaning(setting: &Setting) -> String {
    let mut text = setting.about.to_owned();
    if let Some(alias) = setting.alias {
        let _ = write!(text, " Also called `{alias}`.");
    }
    match setting.status {
        Status::Used => {}
        Status::Later => text.push_str(" *Accepted and checked; the recipe that uses it does not exist yet.*"),
        Status::Without(reason) => {
            let _ = write!(text, " *Accepted and checked, without effect: {reason}.*");
        }
    }
    text
}
