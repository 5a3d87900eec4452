//! `sessiond config check`: everything that is wrong with a configuration, and where.

use crate::cli::common::{self, Json};
use crate::cli::output;
use crate::cli::trimmed::Trimmed;
use crate::config::{self, ConfigFile, Examination, Place, Problem, Source, Sources};
use crate::outbound::mail::Templates;
use clap::Args;
use clap::builder::PathBufValueParser;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Say everything that is wrong with a configuration, and where.
///
/// Checks the file together with the environment, as a server that is started here would; starts nothing. The exit code
/// is 0 if a server would accept the settings, else 1.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// Configuration file, - for standard input; defaults to config.yaml in the working directory, if it exists.
    #[arg(value_name = "FILE", value_parser = Trimmed(PathBufValueParser::new()))]
    file: Option<PathBuf>,
    #[command(flatten)]
    json: Json,
    /// Relax the rules as serve --dev does.
    #[arg(long)]
    dev: bool,
}

impl Check {
    pub(super) fn run(&self) -> ExitCode {
        let file = match &self.file {
            None => ConfigFile::IfPresent(PathBuf::from("config.yaml")),
            Some(path) if path == Path::new("-") => ConfigFile::StandardInput,
            Some(path) => ConfigFile::Required(path.clone()),
        };
        let Examination { config, errors, mut warnings } =
            config::examine(&Sources { test_mode: self.dev, ..common::sources(file) });
        warnings.extend(config.and_then(|config| config.templates_dir).into_iter().flat_map(templates));
        if self.json.json {
            let list = |problems: &[Problem]| problems.iter().map(as_json).collect::<Vec<_>>();
            output::json(&json!({
                "accepted": errors.is_empty(), "errors": list(&errors), "warnings": list(&warnings),
            }));
        } else {
            errors.iter().for_each(|problem| print("error", problem));
            warnings.iter().for_each(|problem| print("warning", problem));
            let count = |problems: &[Problem], what: &str| match problems.len() {
                1 => format!("1 {what}"),
                count => format!("{count} {what}s"),
            };
            output::line(format!("{}, {}", count(&errors, "error"), count(&warnings, "warning")));
        }
        if errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Templates in a folder that cannot be used.
fn templates(folder: PathBuf) -> Vec<Problem> {
    let flaws = Templates::new(Some(folder)).flaws();
    let flaws = flaws.into_iter().map(|(path, what)| Problem::about_file(&path, format!("cannot be used: {what}")));
    flaws.map(|problem| problem.hint("mend it, or remove it: until then the built-in template is used")).collect()
}

fn print(kind: &str, Problem { sentence, hint, places, .. }: &Problem) {
    match places.split_first() {
        None => output::line(format!("{kind}: {sentence}")),
        Some((first, others)) => {
            output::line(format!("{}: {kind}: {sentence}", first.source));
            for Place { setting, source } in others {
                output::line(format!("  '{}' is set here: {source}", setting.unwrap_or_default()));
            }
        }
    }
    if let Some(hint) = hint {
        output::line(format!("  {hint}"));
    }
}

fn as_json(problem: &Problem) -> Value {
    let place = |Place { setting, source }: &Place| match source {
        Source::File { name, position } => json!({
            "setting": setting, "file": name,
            "line": position.map(|at| at.line), "column": position.map(|at| at.column),
        }),
        Source::Variable(name) => json!({ "setting": setting, "variable": name }),
        Source::Flag => json!({ "setting": setting }),
    };
    let places: Vec<Value> = problem.places.iter().map(place).collect();
    json!({ "problem": problem.sentence, "hint": problem.hint, "places": places })
}
