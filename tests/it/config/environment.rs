//! Variables: Kubernetes service links, overriding by later sources, non-Unicode values, secrets.

use super::Given;
use sessiond::config::Origin;

/// The variables that Kubernetes sets for a service of this name (upper case).
fn service(given: Given, name: &str, host: &str, port: &str) -> Given {
    let address = if host.contains(':') { format!("tcp://[{host}]:{port}") } else { format!("tcp://{host}:{port}") };
    given
        .env(&format!("{name}_SERVICE_HOST"), host)
        .env(&format!("{name}_SERVICE_PORT"), port)
        .env(&format!("{name}_SERVICE_PORT_HTTP_API"), port)
        .env(&format!("{name}_PORT"), address.clone())
        .env(&format!("{name}_PORT_{port}_TCP"), address)
        .env(&format!("{name}_PORT_{port}_TCP_PROTO"), "tcp")
        .env(&format!("{name}_PORT_{port}_TCP_PORT"), port)
        .env(&format!("{name}_PORT_{port}_TCP_ADDR"), host)
}

#[test]
fn links_of_a_service_named_like_the_program_are_no_settings() {
    let remark = |address: &str| {
        format!(
            "Environment variable SUPERTOKENS_PORT ({address}) was set by Kubernetes or Docker for a service of that name: it \
             is ignored. 'enableServiceLinks: false' in the pod's specification keeps such variables away."
        )
    };
    for (host, address) in [("10.0.0.1", "tcp://10.0.0.1:3567"), ("fd00::1", "tcp://[fd00::1]:3567")] {
        let given = service(Given::new(), "SUPERTOKENS", host, "3567");
        assert_eq!(given.effective("port"), ("3567".to_owned(), Origin::Default));
        assert_eq!(given.loaded().warnings, [remark(address)]);
        let file = service(Given::new().file("port: 8080"), "SUPERTOKENS", host, "3567");
        assert_eq!(file.effective("port"), ("8080".to_owned(), Origin::File { line: 2 }));
        let flag = service(Given::new(), "SUPERTOKENS", host, "3567").flag("port", "8080");
        assert_eq!(flag.effective("port"), ("8080".to_owned(), Origin::Flag));
    }
    let docker = Given::new()
        .env("SUPERTOKENS_PORT", "tcp://172.17.0.2:3567")
        .env("SUPERTOKENS_PORT_3567_TCP_ADDR", "172.17.0.2")
        .env("SUPERTOKENS_NAME", "/web/supertokens");
    assert_eq!(docker.loaded().warnings, [remark("tcp://172.17.0.2:3567")]);
    let udp = Given::new()
        .env("SUPERTOKENS_PORT", "udp://10.0.0.1:53")
        .env("SUPERTOKENS_SERVICE_HOST", "10.0.0.1")
        .env("SUPERTOKENS_SERVICE_PORT", "53");
    assert_eq!(udp.loaded().warnings, [remark("udp://10.0.0.1:53")]);
}

#[test]
fn names_of_links_are_neither_unknown_variables_nor_database_settings() {
    for name in ["SESSIOND", "SESSIOND_INTERNAL", "SESSIOND_CACHE", "MYSQL_PRIMARY", "POSTGRESQL_HA", "MONGODB_X"] {
        assert_eq!(service(Given::new(), name, "10.0.0.1", "3567").loaded().warnings, Vec::<String>::new(), "{name}");
    }
    let docker = Given::new()
        .env("SESSIOND_PORT", "tcp://172.17.0.2:3567")
        .env("SESSIOND_NAME", "/web/sessiond")
        .env("SESSIOND_ENV_PATH", "/bin");
    assert_eq!(docker.loaded().warnings, Vec::<String>::new());
    let ours =
        Given::new().env("SESSIOND_NAME", "x").env("SESSIOND_PORT", "3567").env("MYSQL_HOST", "db").loaded().warnings;
    assert_eq!(ours.len(), 3, "{ours:?}");
}

#[test]
fn an_address_that_no_service_set_is_no_port() {
    let alone = Given::new().env("SUPERTOKENS_PORT", "tcp://10.0.0.1:3567");
    let other = service(Given::new(), "SUPERTOKENS", "10.0.0.1", "3567").env("SUPERTOKENS_PORT", "tcp://10.0.0.2:3567");
    for (given, address) in [(alone, "tcp://10.0.0.1:3567"), (other, "tcp://10.0.0.2:3567")] {
        assert_eq!(
            given.refused(),
            format!("'port' must be of type int, not \"{address}\", in the environment variable SUPERTOKENS_PORT.")
        );
    }
}

#[test]
fn a_value_that_a_later_source_overrides_ends_no_start() {
    let given = Given::new()
        .file("port: x\nhost: [1]")
        .env("SUPERTOKENS_PORT", "y")
        .flag("port", "1")
        .env("SUPERTOKENS_HOST", "h");
    let loaded = given.loaded();
    assert_eq!((loaded.config.port, loaded.config.host.as_str()), (1, "h"));
    assert_eq!(
        loaded.warnings,
        [
            format!(
                "'host' must be of type String, not a list or an object, in line 3. The config file can be found here: {}. It \
                 is ignored: environment, SUPERTOKENS_HOST wins.",
                given.path().display()
            ),
            "'port' must be of type int, not \"y\", in the environment variable SUPERTOKENS_PORT. It is ignored: command line \
             wins."
                .to_owned(),
        ]
    );
    let last = Given::new().file("port: 1").env("SUPERTOKENS_PORT", "y");
    assert!(last.refused().contains("not \"y\""), "the source that takes precedence must be valid");
}

#[test]
fn a_switch_of_ours_is_true_or_false() {
    for value in ["yes", "1", "on", "tru e"] {
        assert_eq!(
            Given::new().env("SESSIOND_BRUTE_FORCE_PROTECTION", value).refused(),
            format!(
                "'brute_force_protection' must be of type boolean, not \"{value}\", in the environment variable \
                 SESSIOND_BRUTE_FORCE_PROTECTION."
            )
        );
    }
    let config = Given::new().env("SESSIOND_BRUTE_FORCE_PROTECTION", "True\r\n").loaded().config;
    assert!(config.app.brute_force_protection);
}

#[test]
fn the_first_name_of_a_file_of_variables_may_have_a_byte_order_mark() {
    let given = Given::new().env("\u{feff}SUPERTOKENS_HOST", "h").env("\u{feff}SESSIOND_LOG_FORMAT", "json");
    assert_eq!(given.effective("host"), ("h".to_owned(), Origin::Env("SUPERTOKENS_HOST")));
    assert_eq!(given.loaded().warnings, Vec::<String>::new());
}

#[cfg(unix)]
#[test]
fn only_paths_may_be_other_than_unicode() {
    use std::os::unix::ffi::OsStrExt;
    let latin = |text: &[u8]| std::ffi::OsStr::from_bytes(text).to_owned();
    for given in [
        Given::new().env("SESSIOND_DATA_DIR", latin(b" d\xe4ten\n")),
        Given::new().flag("data_dir", latin(b"d\xe4ten\xc2\xa0")),
    ] {
        assert_eq!(given.loaded().config.data_dir.as_os_str(), latin(b"d\xe4ten"));
    }
    let sentence = Given::new().env("IP_DENY_REGEX", latin(b"10\xe4")).refused();
    assert_eq!(sentence, "'ip_deny_regex' must be valid UTF-8, in the environment variable IP_DENY_REGEX.");
    let sentence = Given::new().env("SESSIOND_MASTER_KEY", latin(&[0xe4; 40])).refused();
    assert_eq!(sentence, "The environment variable SESSIOND_MASTER_KEY must be valid UTF-8");
}

#[test]
fn a_master_key_file_that_cannot_be_read_is_called_what_it_is() {
    let given = Given::new();
    let folder = given.folder.path().join("a folder");
    std::fs::create_dir(&folder).unwrap();
    let named = given.env("SESSIOND_MASTER_KEY_FILE", format!("'{}'\n", folder.display()));
    let file = "cannot read the file in SESSIOND_MASTER_KEY_FILE";
    assert_eq!(named.refused(), format!("{file} {}: it is a folder, not a file", folder.display()));
    let key = named.folder.path().join("key");
    for (bytes, why) in [
        (b"\xff\xfek\0e\0y\0".to_vec(), "it is UTF-16; save it as UTF-8"),
        (vec![b'k'; 2 << 20], "it is larger than 1024 KiB"),
        (b"k\xe4y".to_vec(), "line 1 is not UTF-8; save it as UTF-8"),
    ] {
        std::fs::write(&key, bytes).unwrap();
        let given = Given::new().env("SESSIOND_MASTER_KEY_FILE", key.as_os_str());
        assert_eq!(given.refused(), format!("{file} {}: {why}", key.display()));
    }
}

#[test]
fn quotes_around_a_master_key_that_belong_to_it_are_named() {
    let key = "'correct horse battery staple 1234'";
    let loaded = Given::new().env("SESSIOND_MASTER_KEY", key).loaded();
    assert_eq!(loaded.config.master_key.unwrap().expose(), key, "folders are sealed under it");
    assert_eq!(loaded.warnings, ["SESSIOND_MASTER_KEY begins with a single quote, which is a part of the key."]);
}
