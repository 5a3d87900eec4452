//! [`Templates`]: the built-in templates, each of which a file of the operator's can replace.
//!
//! The operator's files are read for every mail, so that a change takes effect at once. One that cannot be used is
//! logged once, until it changes, and the built-in one is used in its place: a slip in a template stops no mail.

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The largest file that is read as a template, in bytes.
const MAX_TEMPLATE: u64 = 256 * 1024;

macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("templates/", $name)))),*]
    };
}

/// The built-in templates: name below `mail/` and text. Names that end in `.html` escape what they are given.
pub const TEMPLATES: &[(&str, &str)] = embedded![
    "layout.html",
    "layout.txt",
    "password-reset.html",
    "password-reset.txt",
    "email-verification.html",
    "email-verification.txt",
    "passwordless-login.html",
    "passwordless-login.txt",
    "passwordless-text.txt",
    "test.html",
    "test.txt",
];

/// The folder of mail templates below the operator's folder.
const FOLDER: &str = "mail";

/// The templates of mails.
#[derive(Default)]
pub struct Templates {
    folder: Option<PathBuf>,
    /// What was last wrong with each of the operator's templates.
    complaints: Mutex<HashMap<String, String>>,
}

impl Templates {
    /// The built-in templates, with those in the `mail` folder of `folder` in their places.
    #[must_use]
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder: folder.map(|folder| folder.join(FOLDER)), complaints: Mutex::default() }
    }

    /// Renders the template with this name. Blocks: it reads files.
    ///
    /// # Errors
    /// When a built-in template cannot be rendered: no such name, or a value that it needs is missing.
    pub(super) fn render(&self, name: &str, values: &Value) -> Result<String, minijinja::Error> {
        let mut own = self.own();
        loop {
            let Some(error) = (match rendered(name, &own, values) {
                Ok(text) => return Ok(text),
                Err(error) if own.is_empty() => return Err(error),
                Err(error) => Some(error),
            }) else {
                continue;
            };
            // Without the template at fault; if it cannot be told, without any of the operator's.
            let at_fault = error.name().filter(|name| own.contains_key(*name)).map(str::to_owned);
            self.complain(at_fault.as_deref().unwrap_or(name), &describe(&error));
            match at_fault {
                Some(name) => drop(own.remove(&name)),
                None => own.clear(),
            }
        }
    }

    /// The operator's templates that can be read and parsed, by name; complains about the others.
    fn own(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for (name, text) in self.read() {
            match text {
                Ok(text) => drop(found.insert(name.to_owned(), text)),
                Err(what) => self.complain(name, &what),
            }
        }
        found
    }

    /// The operator's templates that cannot be read or parsed, and why. Blocks: it reads files.
    #[must_use]
    pub fn flaws(&self) -> Vec<(PathBuf, String)> {
        let folder = self.folder.as_deref().unwrap_or(Path::new(FOLDER));
        self.read().into_iter().filter_map(|(name, text)| Some((folder.join(name), text.err()?))).collect()
    }

    /// The operator's templates by name: their texts, or why they cannot be used.
    fn read(&self) -> Vec<(&'static str, Result<String, String>)> {
        let Some(folder) = &self.folder else { return Vec::new() };
        let mut templates = Vec::new();
        for (name, _) in TEMPLATES {
            let path = folder.join(name);
            let text = match fs::metadata(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => Err(error.to_string()),
                Ok(about) if about.len() > MAX_TEMPLATE => Err(format!("it is larger than {MAX_TEMPLATE} bytes")),
                Ok(_) => fs::read_to_string(&path).map_err(|error| error.to_string()),
            };
            let parsed = text.and_then(|text| {
                let tried = Environment::new().add_template(name, &text).map_err(|error| describe(&error));
                tried.map(|()| text)
            });
            templates.push((*name, parsed));
        }
        templates
    }

    /// Logs what is wrong with one of the operator's templates, unless that was the last thing said about it.
    fn complain(&self, name: &str, what: &str) {
        let mut complaints = self.complaints.lock().unwrap_or_else(PoisonError::into_inner);
        if complaints.get(name).is_some_and(|before| before == what) {
            return;
        }
        complaints.insert(name.to_owned(), what.to_owned());
        let folder = self.folder.as_deref().map(|folder| folder.display().to_string()).unwrap_or_default();
        tracing::warn!(template = name, folder, "the mail template cannot be used, the built-in one is used: {what}");
    }
}

fn rendered(name: &str, own: &BTreeMap<String, String>, values: &Value) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|name| match name.ends_with(".html") {
        true => AutoEscape::Html,
        false => AutoEscape::None,
    });
    for (name, built_in) in TEMPLATES {
        environment.add_template(name, own.get(*name).map_or(*built_in, String::as_str))?;
    }
    environment.get_template(name)?.render(values)
}

/// Kind, detail and line of an error, but none of the values: they hold the token.
fn describe(error: &minijinja::Error) -> String {
    let line = error.line().map(|line| format!(" in line {line}")).unwrap_or_default();
    let name = error.name().map(|name| format!(" of {name}")).unwrap_or_default();
    match error.detail().filter(|_| error.kind() == minijinja::ErrorKind::SyntaxError) {
        Some(detail) => format!("{}{line}{name}: {detail}", error.kind()),
        None => format!("{}{line}{name}", error.kind()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use minijinja::context;

    fn render(templates: &Templates, name: &str) -> String {
        let values = context! {
            app_name => "Shop & <b>Co</b>", email => "jane@x.io", link => "https://x.io/?token=<t>&a=1", code => "123",
            lifetime => "1 hour", language => "en", subject => "S", intro => "I", action => "A", link_hint => "L",
            code_hint => "C", text_code => "TC", text_link => "TL",
            validity => "V", ignore => "G", footer => "F",
        };
        templates.render(name, &values).unwrap()
    }

    #[test]
    fn html_is_escaped_and_text_is_not() {
        let html = render(&Templates::default(), "password-reset.html");
        assert!(!html.contains("<t>"), "{html}");
        assert!(html.contains("token=&lt;t&gt;&amp;a=1"), "{html}");
        assert!(render(&Templates::default(), "password-reset.txt").contains("https://x.io/?token=<t>&a=1"));
    }

    #[test]
    fn one_file_replaces_one_template() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(FOLDER)).unwrap();
        let templates = Templates::new(Some(folder.path().to_owned()));
        fs::write(folder.path().join("mail/password-reset.txt"), "Hello {{ email }}: {{ link }}").unwrap();
        assert_eq!(render(&templates, "password-reset.txt"), "Hello jane@x.io: https://x.io/?token=<t>&a=1");
        assert_eq!(render(&templates, "password-reset.html"), render(&Templates::default(), "password-reset.html"));
        // A change takes effect at once, and so does one of what is built on.
        fs::write(folder.path().join("mail/password-reset.txt"), "{% extends 'layout.txt' %}").unwrap();
        fs::write(folder.path().join("mail/layout.txt"), "ours, {{ subject }}").unwrap();
        assert_eq!(render(&templates, "password-reset.txt"), "ours, S");
        assert_eq!(render(&templates, "email-verification.txt"), "ours, S");
    }

    #[test]
    fn a_broken_file_is_left_aside() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(FOLDER)).unwrap();
        let built_in = Templates::default();
        for broken in
            ["{{ link", "{{ no_such_value }}", "{% include 'none.txt' %}", "{{ link.a.b }}", "{{ link|nope }}"]
        {
            for file in ["password-reset.txt", "layout.txt"] {
                let path = folder.path().join(FOLDER).join(file);
                fs::write(&path, broken).unwrap();
                let templates = Templates::new(Some(folder.path().to_owned()));
                let ours = render(&built_in, "password-reset.txt");
                assert_eq!(render(&templates, "password-reset.txt"), ours, "{broken} in {file}");
                assert_eq!(render(&templates, "password-reset.txt"), ours);
                assert_eq!(templates.complaints.lock().unwrap().len(), 1, "{broken} in {file}");
                fs::remove_file(&path).unwrap();
            }
        }
        fs::write(folder.path().join("mail/layout.txt"), [0xff, 0xfe]).unwrap();
        fs::write(folder.path().join("mail/password-reset.txt"), "{{ email }} only").unwrap();
        let templates = Templates::new(Some(folder.path().to_owned()));
        assert_eq!(render(&templates, "password-reset.txt"), "jane@x.io only", "the others stay in use");
    }
}
