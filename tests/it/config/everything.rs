//! Everything that is wrong is said at once, each with its place; and JSON that is written as YAML.

use super::Given;
use sessiond::config::{Examination, Problem, Source, examine};

const FIELDS: &str = "sign_up_form_fields";
const PROVIDERS: &str = "third_party_providers";

/// Each problem's sentence and the places that it names.
fn told(problems: &[Problem]) -> Vec<(String, String)> {
    let place = |source: &Source| match source {
        Source::File { position: Some(at), .. } => format!("{}:{}", at.line, at.column),
        Source::File { position: None, .. } => "file".to_owned(),
        Source::Variable(name) => name.clone(),
        Source::Flag => "flag".to_owned(),
    };
    let places = |problem: &Problem| problem.places.iter().map(|at| place(&at.source)).collect::<Vec<_>>().join(" ");
    problems.iter().map(|problem| (problem.sentence.clone(), places(problem))).collect()
}

fn errors(given: &Given) -> Vec<(String, String)> {
    told(&examine(&given.sources).errors)
}

fn error(sentence: &str, places: &str) -> (String, String) {
    (sentence.to_owned(), places.to_owned())
}

#[test]
fn all_sources_and_all_rules_are_checked_in_one_go() {
    let given = Given::new()
        .file(
            "port: x\nacces_token_validity: 1\naccess_token_validity: 6000000\nrefresh_token_validity: 600\n\
             smtp_host: mx.example\napi_keys: short\napi_domain: https://a.example\ncookie_domain: b.example\n\
             recipe_list: totp, nonsense\nhost: ''",
        )
        .env("SESSIOND_FRONT_PORT", "70000")
        .env("PASSWORD_RESET_TOKEN_LIFETIME", "soon")
        .env("SESSIOND_MASTER_KEY", "one")
        .env("SESSIOND_MASTER_KEY_FILE", "two")
        .flag("max_connections", "many")
        .flag("nothing", "1");
    assert_eq!(
        errors(&given),
        [
            error("Invalid config key: nothing", "flag"),
            error("'port' must be of type int, not \"x\"", "2:7"),
            error(
                "'password_reset_token_lifetime' must be of type long, not \"soon\"",
                "PASSWORD_RESET_TOKEN_LIFETIME"
            ),
            error("'max_connections' must be of type int, not \"many\"", "flag"),
            error("'refresh_token_validity' must be strictly greater than 'access_token_validity'.", "5:25 4:24"),
            error("One of the API keys is too short. Please use at least 20 characters", "7:11"),
            error("'front_port' must be between 0 and 65535 inclusive.", "SESSIOND_FRONT_PORT"),
            error(
                "'recipe_list' must be a comma-separated list of emailpassword, emailverification, multifactorauth, \
                 passwordless, thirdparty, totp, userroles: 'nonsense' is none",
                "10:14"
            ),
            error(
                "'cookie_domain' must be the host of 'api_domain' or a domain above it: browsers refuse cookies of \
                 b.example from a.example",
                "9:16 8:13"
            ),
            error("'smtp_from_email' must be set if 'smtp_host' is: it is the sender's address", "6:12"),
            error("'host' must not be empty", "11:7"),
            error("Set SESSIOND_MASTER_KEY or SESSIOND_MASTER_KEY_FILE, not both", "SESSIOND_MASTER_KEY_FILE"),
        ]
    );
    let Examination { config, warnings, errors } = examine(&given.sources);
    assert!(config.is_none());
    let unknown = "unknown key 'acces_token_validity' is ignored. Did you mean 'access_token_validity'?";
    assert_eq!(told(&warnings), [error(unknown, "3:1")]);
    assert_eq!(errors[1].hint.as_deref(), Some("'port': int, 0 to 65535; default: 3567"));
    assert!(given.refused().ends_with("(and 11 more: \"sessiond config check\" lists them)"), "{}", given.refused());
}

#[test]
fn a_value_that_cannot_be_read_breaks_no_rules_between_settings() {
    let given = Given::new().file("access_token_validity: x\nrefresh_token_validity: 1");
    assert_eq!(errors(&given).len(), 1, "{:?}", errors(&given));
}

#[test]
fn what_comes_before_broken_yaml_is_checked_and_nothing_is_guessed_about_the_rest() {
    let given = Given::new().file("port: x\nrefresh_token_validity: 60\nhost: [a\nfront: on");
    let found = examine(&given.sources).errors;
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].hint.as_ref().unwrap().starts_with("mend this first"), "{found:?}");
    assert_eq!(told(&found)[1], error("'port' must be of type int, not \"x\"", "2:7"));
    let tab = Given::new().file("third_party_providers:\n\t- thirdPartyId: github");
    assert!(errors(&tab)[0].0.contains("tab"), "{:?}", errors(&tab));
    let nothing = Given::new().raw_file("port: 1\n");
    assert_eq!(errors(&nothing), [error("'core_config_version' is not set", "file")]);
}

#[test]
fn every_mistake_in_limits_is_told() {
    let limits = r#"{"text": 1, "signin": {}, "mail": {"app": "often", "country": "5/h", "account": "5/h"}}"#;
    let given = Given::new().env("SESSIOND_FRONT_RATE_LIMITS", limits);
    let problems: Vec<String> = errors(&given).into_iter().map(|(problem, _)| problem).collect();
    assert_eq!(
        problems,
        [
            "front_rate_limits.text must be an object",
            "front_rate_limits.signin is unknown: the actions are sign_in, sign_up, mail, text, code, lookup",
            "front_rate_limits.mail.app must be a rate such as \"100/10m\", or \"off\"",
            "front_rate_limits.mail.country is unknown: the limits are address, account, app",
        ]
    );
}

#[test]
fn mistakes_in_limits_and_hosts_are_told_with_their_place() {
    let given = Given::new().file(
        "front_rate_limits:\n  text: {app: often}\n  mail:\n    country: 5/h\nfront_tenant_hosts:\n  a.io: b_c\n  \
         \"*.b.io\": b\n",
    );
    let hosts = "must be the id of a tenant: tenantId can only contain letters, numbers and hyphens";
    assert_eq!(
        errors(&given),
        [
            error("front_rate_limits.text.app must be a rate such as \"100/10m\", or \"off\"", "3:10"),
            error("front_rate_limits.mail.country is unknown: the limits are address, account, app", "5:5"),
            error(&format!("front_tenant_hosts[\"a.io\"] {hosts}"), "7:3"),
            error(
                "front_tenant_hosts[\"*.b.io\"] must be \"*\": the first label of such a host is the tenant's id",
                "8:3"
            ),
        ]
    );
}

#[test]
fn settings_in_json_may_be_written_in_yaml() {
    let yaml = Given::new().file(
        "sign_up_form_fields:\n  - id: name\n    optional: true\n  - {id: 'true'}\n\
         third_party_providers:\n- thirdPartyId: github\n  requireEmail: false\n  clients:\n  - clientId: '0123'\n    \
         clientSecret: s\n    scope: [a, b]\n  userInfoEndpointQueryParams: {v: 1.50, w: yes}",
    );
    let json =
        Given::new().env("SESSIOND_SIGN_UP_FORM_FIELDS", r#"[{"id": "name", "optional": true}, {"id": "true"}]"#).env(
            "SESSIOND_THIRD_PARTY_PROVIDERS",
            r#"[{"thirdPartyId": "github", "requireEmail": false, "clients": [{"clientId": "0123", "clientSecret": "s",
                "scope": ["a", "b"]}], "userInfoEndpointQueryParams": {"v": 1.50, "w": "yes"}}]"#,
        );
    let (yaml, json) = (yaml.loaded().config.app, json.loaded().config.app);
    assert_eq!(yaml.front.as_ref().unwrap().sign_up_fields, json.front.as_ref().unwrap().sign_up_fields);
    assert!(yaml.third_party.providers == json.third_party.providers);
    let provider = &yaml.third_party.providers[0];
    assert_eq!(provider.clients[0].client_id, "0123");
    assert_eq!(provider.user_info_params.as_ref().unwrap()[0].1.as_deref(), Some("1.50"), "as it was written");
}

#[test]
fn mistakes_in_yaml_are_named_with_member_and_place() {
    let given = Given::new().file(
        "sign_up_form_fields:\n  - id: name\n  - id: name\n  - id: ''\n  - idd: x\nthird_party_providers:\n\
         - thirdPartyId: github\n  clients:\n  - clientId: 7\n    clientSecrt: hush\n- thirdPartyId: okta\n  \
         clients: [{clientId: x}]",
    );
    let found = errors(&given);
    assert_eq!(found[0], error(&format!("{FIELDS}[1].id is that of an earlier field"), "4:5"));
    assert_eq!(found[1], error(&format!("{FIELDS}[2].id must not be empty"), "5:5"));
    assert!(
        found[2].0.starts_with(&format!("{FIELDS}[3] is no field of a form: ")) && found[2].1 == "6:5",
        "{found:?}"
    );
    assert_eq!(found[3], error(&format!("{PROVIDERS}[0].clients[0].clientSecrt is unknown"), "11:5"));
    let text = "must be a text that is not empty";
    assert_eq!(found[4], error(&format!("{PROVIDERS}[0].clients[0].clientId {text}"), "10:5"));
    assert_eq!(found.len(), 5, "{found:?}");
    let incomplete = Given::new().file("third_party_providers:\n- thirdPartyId: okta\n  clients: [{clientId: x}]");
    let place = format!("{PROVIDERS}[0].clients[0].additionalConfig.oktaDomain is missing");
    assert_eq!(errors(&incomplete), [error(&place, "4:13")]);
}

#[test]
fn what_json_cannot_hold_is_refused_with_its_place() {
    for (lines, why, place) in [
        ("x: &a [1]\nsign_up_form_fields: *a", "anchors and aliases are not supported here", "3:22"),
        ("sign_up_form_fields:\n- id: a\n  id: b", "the member 'id' is there already", "4:3"),
        ("sign_up_form_fields: [.inf]", "it is no finite number", "2:23"),
        ("sign_up_form_fields: !!seq [a]", "tags are not supported here", "2:22"),
    ] {
        let expected = error(&format!("'{FIELDS}' cannot be read: {why}"), place);
        assert_eq!(errors(&Given::new().file(lines)), [expected], "{lines}");
    }
    let deep = Given::new().file(&format!("{FIELDS}: {}{}", "[".repeat(200), "]".repeat(200)));
    assert!(errors(&deep)[0].0.ends_with("it is nested too deeply"), "{:?}", errors(&deep));
    let merge = Given::new().file("base: &b {port: 1}\n<<: *b");
    assert_eq!(errors(&merge), [error("anchors and aliases are not supported here", "3:5")]);
}

#[test]
fn mistakes_in_json_texts_are_named_with_their_place_in_the_file() {
    let block = "sign_up_form_fields: |\n  [\n    {\"id\": \"a\"},\n    {\"id\": \"\"}\n  ]";
    assert_eq!(errors(&Given::new().file(block)), [error(&format!("{FIELDS}[1].id must not be empty"), "5:6")]);
    let line = "sign_up_form_fields: '[{\"id\": \"\"}]'";
    assert_eq!(errors(&Given::new().file(line)), [error(&format!("{FIELDS}[0].id must not be empty"), "2:25")]);
    let broken = "sign_up_form_fields: |\n  [\n    {\"id\" \"a\"}\n  ]";
    let sentence = format!("{FIELDS} must be JSON: wrong at line 2, column 9");
    assert_eq!(errors(&Given::new().file(broken)), [error(&sentence, "4:11")]);
    let variable = Given::new().env("SESSIOND_SIGN_UP_FORM_FIELDS", "[{}]");
    assert_eq!(errors(&variable)[0].1, "SESSIOND_SIGN_UP_FORM_FIELDS");
}

#[test]
fn a_problem_is_one_line_whatever_names_are_in_it() {
    let member = "third_party_providers: [{thirdPartyId: github, \"a\\nb\": 1}]\nsign_up_form_fields: [{\"c\\nd\": 1}]";
    let found = examine(&Given::new().file(member).sources).errors;
    assert!(found.len() == 2 && found.iter().all(|problem| !problem.line().contains('\n')), "{found:?}");
}

#[test]
fn no_secret_is_shown() {
    let given = Given::new()
        .file(
            "api_keys: [hush]\nsmtp_password: {a: hush}\nthird_party_providers:\n- thirdPartyId: x\n  clients:\n  - \
             clientId: [hush]\n    clientSecret: {hush1: hush}",
        )
        .env("SUPERTOKENS_SAAS_SECRET", "hush");
    let found = examine(&given.sources);
    assert!(found.errors.len() >= 4, "{:?}", found.errors);
    assert!(!format!("{found:?}").contains("hush"), "{found:?}");
}
