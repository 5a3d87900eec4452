use super::*;

fn method(id: &str, joined: u64, login: Login) -> LoginMethod {
    LoginMethod {
        id: UserId::new(id),
        external: None,
        tenants: BTreeSet::from([TenantId::public()]),
        time_joined: UnixMillis(joined),
        login,
    }
}

fn password(email: &str) -> Login {
    Login::EmailPassword { email: email.to_owned(), password: PasswordHash::new("$2a$11$secret") }
}

fn google(email: &str) -> Login {
    let account = ThirdPartyAccount { id: "google".to_owned(), user_id: "g1".to_owned() };
    Login::ThirdParty { account, email: email.to_owned() }
}

#[test]
fn a_group_joined_when_its_oldest_method_did() {
    let mut user = User::new(method("b", 20, password("b@x.io")));
    user.methods.push(method("a", 10, google("a@x.io")));
    user.sort();
    assert_eq!(user.time_joined(), UnixMillis(10));
    assert_eq!(user.methods[0].id.as_str(), "a");
    assert_eq!(user.id.as_str(), "b", "the founder's id stays");
}

#[test]
fn the_groups_mapping_outlives_the_method_that_had_it() {
    let external = ExternalId { id: UserId::new("mine"), info: None };
    let mut user = User::new(method("a", 1, password("a@x.io")));
    user.methods[0].external = Some(external.clone());
    assert_eq!(user.shown_id().as_str(), "mine");
    user.methods = vec![method("b", 2, google("a@x.io"))];
    assert_eq!(user.shown_id().as_str(), "a");
    user.kept_mapping = Some(external);
    assert_eq!(user.shown_id().as_str(), "mine");
    assert_eq!(user.shown(&UserId::new("b")).as_str(), "b");
}

#[test]
fn an_address_told_by_a_provider_is_no_identity_of_its_own() {
    let login = google("a@x.io");
    assert_eq!(login.identities().len(), 1);
    assert_eq!(login.account_infos().len(), 2);
    assert_eq!(password("a@x.io").identities(), vec![AccountInfo::Email("a@x.io".to_owned())]);
}

#[test]
fn a_password_hash_does_not_print_itself() {
    assert!(!format!("{:?}", User::new(method("a", 1, password("a@x.io")))).contains("secret"));
}

#[test]
fn addresses_are_compared_without_case_and_margins() {
    assert_eq!(normalise_email(" Jane@Example.ORG\n"), "jane@example.org");
}
