//! Users at rest: the row, and index keys that always follow from the rows.

use super::dump;
use super::golden;
use proptest::prelude::*;
use sessiond::domain::ids::{AppId, TenantId, UserId};
use sessiond::domain::time::UnixMillis;
use sessiond::domain::user::{
    AccountInfo, ExternalId, Login, LoginMethod, Order, PasswordHash, RecipeId, Recipes, ThirdPartyAccount, User,
};
use sessiond::store::memory::MemoryEngine;
use sessiond::store::removal::RemovalTarget;
use sessiond::store::user::listing::{ListedUser, Page};
use sessiond::store::user::{self, Row, Taken, UserRecord, verified};
use sessiond::store::{CommitError, Engine, Key, Keyspace, Scan, codec, tallies};
use std::collections::BTreeSet;

fn app() -> AppId {
    AppId { connection_uri_domain: "auth.example.com".to_owned(), app_id: "shop".to_owned() }
}

const ID: &str = "0193a1b2-0000-7000-8000-00000000000a";

fn tenant(name: &str) -> TenantId {
    TenantId::new(name)
}

fn by_password(id: &str, email: &str, joined: u64) -> LoginMethod {
    LoginMethod {
        id: UserId::new(id),
        external: None,
        tenants: [tenant("public")].into(),
        time_joined: UnixMillis(joined),
        login: Login::EmailPassword { email: email.to_owned(), password: PasswordHash::new("$2a$04$x") },
    }
}

fn by_provider(id: &str, email: &str, joined: u64) -> LoginMethod {
    let account = ThirdPartyAccount { id: "Google".to_owned(), user_id: format!("g-{id}") };
    let login = Login::ThirdParty { account, email: email.to_owned() };
    LoginMethod { login, ..by_password(id, email, joined) }
}

fn by_code(id: &str, phone: &str, joined: u64) -> LoginMethod {
    let login = Login::Passwordless { email: None, phone_number: Some(phone.to_owned()) };
    LoginMethod { login, ..by_password(id, "", joined) }
}

async fn save(engine: &MemoryEngine, before: &[&User], after: &[&User]) -> Result<(), Taken> {
    let mut tx = engine.begin();
    user::save(tx.as_mut(), &app(), before, after).await.unwrap()?;
    tx.commit().await.unwrap();
    Ok(())
}

/// A user with login methods of every recipe.
fn whole() -> User {
    let mut whole =
        User::new(by_password("11111111-1111-4111-8111-111111111111", "jane@example.org", 1_700_000_000_000));
    whole.methods[0].external = Some(ExternalId { id: UserId::new("jane"), info: Some("crm".to_owned()) });
    whole.methods.push(by_provider("22222222-2222-4222-8222-222222222222", "jane@example.org", 1_700_000_000_001));
    whole.methods.push(by_code("33333333-3333-4333-8333-333333333333", "+491701234567", 1_700_000_000_002));
    let login = Login::Webauthn { email: "jane@example.org".to_owned(), credential_ids: vec!["AbC".to_owned()] };
    whole
        .methods
        .push(LoginMethod { login, ..by_password("44444444-4444-4444-8444-444444444444", "", 1_700_000_000_003) });
    whole.is_primary = true;
    whole.kept_mapping = Some(ExternalId { id: UserId::new("old"), info: None });
    whole
}

#[test]
fn user_records_keep_their_bytes() {
    let user = whole();
    let verified = Some(vec![true, false, true, false]);
    golden::newest("user", &user::row_key(&app(), &user.id.clone()), &UserRecord::from(Row { user, verified }));
}

#[test]
fn user_records_of_version_1_say_nothing_of_what_is_verified() {
    let user = whole();
    golden::any_version("user", 1, &UserRecord::from(Row { user, verified: None }));
}

#[test]
fn pointer_records_keep_their_bytes() {
    let id = UserId::new("11111111-1111-4111-8111-111111111111");
    let key = |keyspace| Key::of(keyspace).text("auth.example.com").text("shop").text("x");
    golden::newest("login_method_user", &key(Keyspace::LoginMethodUser), &user::LoginMethodUserRecord(id.clone()));
    golden::newest("external_user_id", &key(Keyspace::ExternalUserId), &user::ExternalUserIdRecord(id.clone()));
    golden::newest("login_identity", &key(Keyspace::LoginIdentity), &user::LoginIdentityRecord(id.clone()));
    golden::newest("primary_account_info", &key(Keyspace::PrimaryAccountInfo), &user::PrimaryAccountInfoRecord(id));
}

#[test]
fn search_keys_of_plain_users_keep_their_bytes() {
    let key = Key::of(Keyspace::AccountInfo).text("auth.example.com").text("shop").text("x");
    let joined = UnixMillis(1_700_000_000_000);
    let record = user::AccountInfoRecord::new(RecipeId::EmailPassword, true, joined).unwrap();
    golden::newest("account_info", &key, &record);
    assert_eq!(user::AccountInfoRecord::new(RecipeId::EmailPassword, true, UnixMillis(1 << 48)), None);
}

#[test]
fn places_of_plain_users_keep_their_bytes() {
    let key = Key::of(Keyspace::UserListing).text("auth.example.com").text("shop").text("x");
    let record = user::UserListingRecord::new(true, user::Kind::Email, "jane@example.com".to_owned());
    golden::newest("user_listing", &key, &record);
}

#[tokio::test]
async fn a_user_who_was_searched_or_listed_is_whole_but_for_the_hash_and_cannot_be_written() {
    let engine = MemoryEngine::new();
    let (id, code_id) = (ID, "0193a1b2-0000-7000-8000-00000000000b");
    let plain = [User::new(by_password(id, "jane@x.io", 1)), User::new(by_code(code_id, "+49170", 2))];
    for user in &plain {
        save(&engine, &[], &[user]).await.unwrap();
    }
    let mut tx = engine.begin();
    verified::mark(tx.as_mut(), &app(), &UserId::new(id), "jane@x.io", UnixMillis(3)).await.unwrap();
    tx.commit().await.unwrap();
    let found = async |info: AccountInfo| {
        let look = sessiond::domain::user::LookUp::Info(info);
        user::search::with_info(engine.begin().as_mut(), &app(), &tenant("public"), &look).await.unwrap()
    };
    let listed = async || {
        let (app, tenant, recipes) = (&app(), &tenant("public"), &Recipes::all());
        let page = Page { app, tenant, recipes, order: Order::Ascending, from: None, limit: 9 };
        let mut listed = page.read(engine.begin().as_mut()).await.unwrap();
        let rows = |listed: &[ListedUser]| listed.iter().map(|listed| listed.row.clone()).collect::<Vec<_>>();
        let shown = rows(&listed);
        user::listing::read_rows(engine.begin().as_mut(), app, &mut listed).await.unwrap();
        (shown, rows(&listed))
    };
    let mut shown = plain[0].clone();
    shown.set_password(&UserId::new(id), &PasswordHash::withheld());
    let shown = [shown, plain[1].clone()].map(|user| Row { user, verified: Some(vec![true]) });
    assert_eq!(found(AccountInfo::Email("jane@x.io".to_owned())).await, shown[..1]);
    assert_eq!(found(AccountInfo::PhoneNumber("+49170".to_owned())).await, shown[1..]);
    assert_eq!(listed().await, (shown.clone().map(Some).to_vec(), shown.clone().map(Some).to_vec()));
    let mut tx = engine.begin();
    user::save(tx.as_mut(), &app(), &[&plain[0]], &[&shown[0].user]).await.unwrap_err();
    drop(tx);
    let grown = User { is_primary: true, ..plain[0].clone() };
    save(&engine, &[&plain[0]], &[&grown]).await.unwrap();
    let jane = Row { user: grown, verified: Some(vec![true]) };
    assert_eq!(found(AccountInfo::Email("jane@x.io".to_owned())).await, std::slice::from_ref(&jane), "from its row");
    let [_, by_code] = shown;
    assert_eq!(listed().await, (vec![None, Some(by_code.clone())], vec![Some(jane), Some(by_code)]));
    assert_eq!(user::check(&engine).await.unwrap().broken, 0);
}

#[tokio::test]
async fn a_user_is_found_by_each_of_its_ids_and_internal_ids_win() {
    let engine = MemoryEngine::new();
    let mut jane = User::new(by_password("a", "jane@x.io", 1));
    jane.is_primary = true;
    jane.methods.push(by_provider("b", "jane@x.io", 2));
    jane.methods[1].external = Some(ExternalId { id: UserId::new("c"), info: None });
    save(&engine, &[], &[&jane]).await.unwrap();
    let find = async |id: &str| user::find(engine.begin().as_mut(), &app(), &UserId::new(id)).await.unwrap();
    assert_eq!(find("a").await.unwrap().id.as_str(), "a");
    assert_eq!(find("b").await.unwrap().user, jane);
    assert_eq!(find("c").await.unwrap().id.as_str(), "b");
    assert_eq!(find(&"c".repeat(5000)).await, None);
    let third = User::new(by_password("c", "c@x.io", 3));
    save(&engine, &[], &[&third]).await.unwrap();
    assert_eq!(find("c").await.unwrap().user, third, "the internal id wins over the external one");
}

#[tokio::test]
async fn a_login_is_unique_in_its_recipe_and_tenant_only() {
    let engine = MemoryEngine::new();
    let first = User::new(by_password("a", "jane@x.io", 1));
    save(&engine, &[], &[&first]).await.unwrap();
    let again = User::new(by_password("b", "jane@x.io", 2));
    let info = AccountInfo::Email("jane@x.io".to_owned());
    let by = UserId::new("a");
    assert_eq!(
        save(&engine, &[], &[&again]).await,
        Err(Taken::Identity { tenant: tenant("public"), info: info.clone(), by })
    );
    let mut elsewhere = again.clone();
    elsewhere.methods[0].tenants = [tenant("t1")].into();
    save(&engine, &[], &[&elsewhere]).await.unwrap();
    save(&engine, &[], &[&User::new(by_provider("c", "jane@x.io", 3))]).await.unwrap();
    let find =
        user::find_identity(engine.begin().as_mut(), &app(), &tenant("t1"), RecipeId::EmailPassword, &info).await;
    assert_eq!(find.unwrap().unwrap().user, elsewhere);
}

#[tokio::test]
async fn a_login_is_unique_among_the_methods_of_one_person_too() {
    let engine = MemoryEngine::new();
    let mut jane = User::new(by_password("a", "jane@x.io", 1));
    jane.is_primary = true;
    jane.methods.push(LoginMethod { tenants: [tenant("t1")].into(), ..by_password("b", "jane@x.io", 2) });
    save(&engine, &[], &[&jane]).await.expect("they do not conflict in different tenants");
    let mut together = jane.clone();
    together.methods[1].tenants = [tenant("public"), tenant("t1")].into();
    assert!(matches!(save(&engine, &[&jane], &[&together]).await, Err(Taken::Identity { .. })));
}

#[tokio::test]
async fn a_primary_user_reserves_every_info_in_every_tenant_of_the_group() {
    let engine = MemoryEngine::new();
    let mut jane = User::new(by_password("a", "jane@x.io", 1));
    jane.is_primary = true;
    let mut phone = by_code("b", "+49170", 2);
    phone.tenants = [tenant("t1")].into();
    jane.methods.push(phone);
    save(&engine, &[], &[&jane]).await.unwrap();
    let reserved = async |name: &str, info: AccountInfo| {
        user::reserved_by(engine.begin().as_mut(), &app(), &tenant(name), &info).await.unwrap()
    };
    for place in ["public", "t1"] {
        assert_eq!(reserved(place, AccountInfo::Email("jane@x.io".to_owned())).await, Some(UserId::new("a")));
        assert_eq!(reserved(place, AccountInfo::PhoneNumber("+49170".to_owned())).await, Some(UserId::new("a")));
    }
    let mut other = User::new(by_provider("c", "jane@x.io", 3));
    save(&engine, &[], &[&other]).await.unwrap();
    let before = other.clone();
    other.is_primary = true;
    let taken = save(&engine, &[&before], &[&other]).await;
    assert!(matches!(taken, Err(Taken::Reservation { by, .. }) if by.as_str() == "a"));
}

#[tokio::test]
async fn of_two_who_want_the_same_login_at_once_one_conflicts() {
    let engine = MemoryEngine::new();
    let (mut first, mut second) = (engine.begin(), engine.begin());
    let (one, two) = (User::new(by_password("a", "jane@x.io", 1)), User::new(by_password("b", "jane@x.io", 1)));
    user::save(first.as_mut(), &app(), &[], &[&one]).await.unwrap().unwrap();
    user::save(second.as_mut(), &app(), &[], &[&two]).await.unwrap().unwrap();
    first.commit().await.unwrap();
    assert!(matches!(second.commit().await, Err(CommitError::Conflict)));
}

#[tokio::test]
async fn linking_and_deletion_leave_no_key_behind() {
    let engine = MemoryEngine::new();
    let mut jane = User::new(by_password("a", "jane@x.io", 5));
    jane.is_primary = true;
    let other = User::new(by_provider("b", "jane@x.io", 2));
    save(&engine, &[], &[&jane]).await.unwrap();
    save(&engine, &[], &[&other]).await.unwrap();
    let mut linked = jane.clone();
    linked.methods.extend(other.methods.clone());
    linked.sort();
    save(&engine, &[&jane, &other], &[&linked]).await.unwrap();
    let stored = user::get(engine.begin().as_mut(), &app(), &UserId::new("a")).await.unwrap();
    assert_eq!(stored, Some(linked.clone()));
    assert_eq!(user::get(engine.begin().as_mut(), &app(), &UserId::new("b")).await.unwrap(), None);
    save(&engine, &[&linked], &[]).await.unwrap();
    assert!(dump(&engine).await.is_empty());
}

#[tokio::test]
async fn a_removed_tenant_leaves_its_users_in_the_app() {
    let engine = MemoryEngine::new();
    let mut jane = User::new(by_password("a", "jane@x.io", 1));
    jane.methods[0].tenants = [tenant("public"), tenant("t1")].into();
    let mut only_there = User::new(by_password("b", "joe@x.io", 2));
    only_there.methods[0].tenants = [tenant("t1")].into();
    save(&engine, &[], &[&jane]).await.unwrap();
    save(&engine, &[], &[&only_there]).await.unwrap();
    let removed = RemovalTarget { app: app(), tenant: Some(tenant("t1")) };
    loop {
        let mut tx = engine.begin();
        let found = removed.delete_some(tx.as_mut(), 1).await.unwrap();
        tx.commit().await.unwrap();
        if found == 0 {
            break;
        }
    }
    let left = user::get(engine.begin().as_mut(), &app(), &UserId::new("b")).await.unwrap().unwrap();
    assert!(left.methods[0].tenants.is_empty());
    let left = user::get(engine.begin().as_mut(), &app(), &UserId::new("a")).await.unwrap().unwrap();
    assert_eq!(left.methods[0].tenants, BTreeSet::from([tenant("public")]));
    let again = User::new(LoginMethod { tenants: [tenant("t1")].into(), ..by_password("c", "joe@x.io", 3) });
    save(&engine, &[], &[&again]).await.expect("the address is free again");
}

#[test]
fn long_values_keep_apart_and_keep_their_prefix() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let engine = MemoryEngine::new();
        let long = "x".repeat(400);
        let one = User::new(by_password("a", &format!("{long}@x.io"), 1));
        let two = User::new(by_password("b", &format!("{long}@x.com"), 1));
        save(&engine, &[], &[&one]).await.unwrap();
        save(&engine, &[], &[&two]).await.unwrap();
        let prefix = user::info_value_key(&app(), &tenant("public"), user::Kind::Email, user::Search::Prefix("xxx"));
        let scan = Scan { end: prefix.prefix_end(), start: prefix, reverse: false, limit: 10 };
        assert_eq!(engine.begin().scan(&scan).await.unwrap().len(), 2);
    });
}

/// One step of a random life.
#[derive(Debug, Clone)]
enum Step {
    Join { person: u8, recipe: u8, tenants: u8 },
    Primary { person: u8 },
    Link { person: u8, to: u8 },
    Move { person: u8, tenants: u8 },
    Map { person: u8 },
    Delete { person: u8 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let person = 0..6_u8;
    let step = prop_oneof![
        (person.clone(), 0..3_u8, 0..4_u8).prop_map(|(person, recipe, tenants)| Step::Join { person, recipe, tenants }),
        person.clone().prop_map(|person| Step::Primary { person }),
        (person.clone(), person.clone()).prop_map(|(person, to)| Step::Link { person, to }),
        (person.clone(), 0..4_u8).prop_map(|(person, tenants)| Step::Move { person, tenants }),
        person.clone().prop_map(|person| Step::Map { person }),
        person.prop_map(|person| Step::Delete { person }),
    ];
    proptest::collection::vec(step, 1..40)
}

fn in_tenants(mask: u8) -> BTreeSet<TenantId> {
    ["public", "t1"]
        .iter()
        .enumerate()
        .filter(|(bit, _)| mask & (1 << bit) != 0)
        .map(|(_, name)| tenant(name))
        .collect()
}

/// The state after a step, from the users it affects; `None` if the step makes no sense.
fn change(people: &[User], step: &Step, round: u64) -> Option<(Vec<User>, Vec<User>)> {
    let find = |person: u8| people.get(usize::from(person)).cloned();
    match *step {
        Step::Join { person, recipe, tenants } => {
            let (id, email) = (format!("id-{round}"), format!("p{person}@x.io"));
            let mut method = match recipe {
                0 => by_password(&id, &email, round),
                1 => by_provider(&id, &email, round),
                _ => by_code(&id, &format!("+49{person}"), round),
            };
            method.tenants = in_tenants(tenants);
            Some((vec![], vec![User::new(method)]))
        }
        Step::Primary { person } => {
            let before = find(person)?;
            Some((vec![before.clone()], vec![User { is_primary: true, ..before }]))
        }
        Step::Link { person, to } => {
            let (from, to) = (find(person)?, find(to).filter(|user| user.is_primary)?);
            let mut linked = to.clone();
            linked.methods.extend(from.methods.clone());
            linked.sort();
            (from.id != to.id && !from.is_primary).then_some((vec![from, to], vec![linked]))
        }
        Step::Move { person, tenants } => {
            let before = find(person)?;
            let mut after = before.clone();
            after.methods.first_mut()?.tenants = in_tenants(tenants);
            Some((vec![before], vec![after]))
        }
        Step::Map { person } => {
            let before = find(person)?;
            let mut after = before.clone();
            after.methods.first_mut()?.external =
                Some(ExternalId { id: UserId::new(format!("ext-{round}")), info: None });
            Some((vec![before], vec![after]))
        }
        Step::Delete { person } => Some((vec![find(person)?], vec![])),
    }
}

/// For every set of recipes, the counters match an actual count.
async fn counted(engine: &MemoryEngine, people: &[User]) {
    for mask in 0..16_u8 {
        let asked: Recipes = RecipeId::ALL.into_iter().filter(|recipe| mask & (1 << *recipe as u8 >> 1) != 0).collect();
        let users = |here: &dyn Fn(&LoginMethod) -> bool| {
            let counts = |method: &LoginMethod| here(method) && asked.contains(method.login.recipe());
            people.iter().filter(|user| user.methods.iter().any(counts)).count() as u64
        };
        let mut tx = engine.begin();
        for name in ["public", "t1"] {
            let here = users(&|method| method.tenants.contains(&tenant(name)));
            let said = user::count::in_tenant(tx.as_mut(), &app(), &tenant(name), &asked).await.unwrap();
            assert_eq!(said, here, "{asked:?} in {name} of {people:?}");
        }
        let said = user::count::in_app(tx.as_mut(), &app(), &asked).await.unwrap();
        assert_eq!(said, users(&|method| !method.tenants.is_empty()), "{asked:?} of {people:?}");
    }
}

#[tokio::test]
async fn users_of_a_store_without_counters_are_counted_once() {
    let engine = MemoryEngine::new();
    let mut jane = User::new(by_password("a", "jane@x.io", 1));
    jane.methods.push(by_provider("b", "jane@x.io", 2));
    let people = [jane, User::new(by_code("c", "+49170", 3)), User::new(by_code("d", "+49171", 3))];
    for user in &people {
        save(&engine, &[], &[user]).await.unwrap();
    }
    let mut tx = engine.begin();
    for (key, _) in dump(&engine).await {
        match key.keyspace {
            // One counter is missing, one is wrong: a folder that has lost something.
            Keyspace::UserCount => tx.delete(key),
            Keyspace::AppUserCount => tx.add(key, 7),
            _ => {}
        }
    }
    tx.commit().await.unwrap();
    tallies::establish(&engine).await.unwrap();
    counted(&engine, &people).await;
    let once = dump(&engine).await;
    tallies::establish(&engine).await.unwrap();
    assert_eq!(dump(&engine).await, once);
    assert_eq!(user::check(&engine).await.unwrap().broken, 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever happened, the store holds exactly what a store holds into which only the remaining users were written.
    #[test]
    fn the_index_is_always_that_of_the_rows(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let engine = MemoryEngine::new();
            let mut people: Vec<User> = Vec::new();
            for (step, round) in steps.iter().zip(1..) {
                let Some((before, after)) = change(&people, step, round) else { continue };
                let (old, new): (Vec<_>, Vec<_>) = (before.iter().collect(), after.iter().collect());
                if save(&engine, &old, &new).await.is_ok() {
                    people.retain(|user| !before.contains(user));
                    people.extend(after);
                }
            }
            let fresh = MemoryEngine::new();
            for user in &people {
                save(&fresh, &[], &[user]).await.expect("users who are not linked do not conflict");
            }
            prop_assert_eq!(dump(&engine).await, dump(&fresh).await);
            counted(&engine, &people).await;
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn the_check_names_keys_that_show_something_else_than_the_row() {
    let engine = MemoryEngine::new();
    tallies::establish(&engine).await.unwrap();
    let mut jane = User::new(by_password(ID, "jane@x.io", 1));
    save(&engine, &[], &[&jane]).await.unwrap();
    let stands = async |(key, value): &(Key, Vec<u8>)| {
        let mut tx = engine.begin();
        tx.put(key.clone(), value.clone());
        tx.commit().await.unwrap();
        user::check(&engine).await.unwrap().described
    };
    let email = AccountInfo::Email("jane@x.io".to_owned());
    let searched = user::info_key(&app(), &tenant("public"), &email).text(ID);
    let listed = user::listing_key(&app(), &tenant("public"), RecipeId::EmailPassword, &jane.position());
    let search = |recipe, verified, joined| {
        let record = user::AccountInfoRecord::new(recipe, verified, UnixMillis(joined)).unwrap();
        (searched.clone(), codec::encode(engine.encoding(), &searched, &record).unwrap())
    };
    let list = |verified, kind, value: &str| {
        let record = user::UserListingRecord::new(verified, kind, value.to_owned());
        (listed.clone(), codec::encode(engine.encoding(), &listed, &record).unwrap())
    };
    for key in [&searched, &listed] {
        assert_eq!(stands(&(key.clone(), Vec::new())).await, [""; 0], "as before there were copies");
    }
    let by_search =
        format!("user {ID} of app shop is shown by {searched} in a way that differs from its row and marks");
    let by_list = format!("user {ID} of app shop is shown by {listed} in a way that differs from its row and marks");
    let right_search = search(RecipeId::EmailPassword, false, 1);
    let right_list = list(false, user::Kind::Email, "jane@x.io");
    for (line, wrong, right) in [
        (&by_search, search(RecipeId::EmailPassword, true, 1), &right_search),
        (&by_search, search(RecipeId::EmailPassword, false, 2), &right_search),
        (&by_search, search(RecipeId::Passwordless, false, 1), &right_search),
        (&by_list, list(true, user::Kind::Email, "jane@x.io"), &right_list),
        (&by_list, list(false, user::Kind::PhoneNumber, "jane@x.io"), &right_list),
        (&by_list, list(false, user::Kind::Email, "jana@x.io"), &right_list),
    ] {
        assert_eq!(stands(&wrong).await, [line.as_str()]);
        assert_eq!(stands(right).await, [""; 0]);
    }
    let plain = jane.clone();
    jane.is_primary = true;
    save(&engine, &[&plain], &[&jane]).await.unwrap();
    assert_eq!(stands(&right_search).await, [by_search.as_str()], "she is no longer a plain user");
    assert_eq!(stands(&right_list).await, [by_search.as_str(), by_list.as_str()]);
}

#[tokio::test]
async fn the_check_names_rows_without_keys_and_keys_without_rows() {
    let engine = MemoryEngine::new();
    tallies::establish(&engine).await.unwrap();
    let mut jane = User::new(by_password("a", "jane@x.io", 1));
    jane.is_primary = true;
    jane.methods.push(by_provider("b", "jane@x.io", 2));
    jane.methods[1].external = Some(ExternalId { id: UserId::new("crm"), info: None });
    save(&engine, &[], &[&jane]).await.unwrap();
    save(&engine, &[], &[&User::new(by_code("c", "+49170", 3))]).await.unwrap();
    let sound = user::check(&engine).await.unwrap();
    assert_eq!((sound.rows, sound.broken), (2, 0), "{sound:?}");
    let rows: Vec<_> = dump(&engine).await.into_iter().filter(|(key, _)| key.keyspace != Keyspace::Meta).collect();
    let is_counter = |key: &Key| matches!(key.keyspace, Keyspace::UserCount | Keyspace::AppUserCount);
    let counters = rows.iter().filter(|(key, _)| is_counter(key)).count();
    assert_eq!(sound.index_keys + sound.rows, (rows.len() - counters) as u64);

    for (key, value) in rows {
        let mut tx = engine.begin();
        tx.delete(key.clone());
        tx.commit().await.unwrap();
        let found = user::check(&engine).await.unwrap();
        assert!(found.broken > 0, "{key} is missed");
        if key.keyspace == Keyspace::User {
            let says = |what: &String| what.contains("leads to a user who is gone") || what.contains("but there are");
            assert!(found.described.iter().all(says), "{found:?}");
            assert!(found.described.iter().any(|what| what.contains("but there are")), "{found:?}");
        } else if is_counter(&key) {
            assert_eq!(found.described, [format!("{key} is 0, but there are 1 users")]);
        } else {
            assert!(found.described.iter().any(|what| what.contains("is not found by")), "{found:?}");
        }
        let mut tx = engine.begin();
        tx.put(key, value);
        tx.commit().await.unwrap();
    }

    let stale =
        user::listing_prefix(&app(), &tenant("public"), RecipeId::Webauthn).raw(&[0; 8]).internal_id(&UserId::new("a"));
    let mut tx = engine.begin();
    tx.put(stale, Vec::new());
    tx.commit().await.unwrap();
    let found = user::check(&engine).await.unwrap();
    assert!(found.described[0].contains("to whom it does not belong"), "{found:?}");
    assert_eq!(found.broken, 1);
}

/// A row with its copy of the marks.
async fn copy(engine: &MemoryEngine, id: &str) -> Option<Vec<bool>> {
    user::row(engine.begin().as_mut(), &app(), &UserId::new(id)).await.unwrap().unwrap().verified
}

#[tokio::test]
async fn rows_follow_the_marks_under_internal_and_external_ids() {
    let engine = MemoryEngine::new();
    let (a, crm) = (UserId::new("a"), UserId::new("crm"));
    let mark = async |id: &UserId, email: &str| {
        let mut tx = engine.begin();
        verified::mark(tx.as_mut(), &app(), id, email, UnixMillis(9)).await.unwrap();
        tx.commit().await.unwrap();
    };
    mark(&crm, "jane@x.io").await;
    let plain = User::new(by_password("a", "jane@x.io", 1));
    save(&engine, &[], &[&plain]).await.unwrap();
    assert_eq!(copy(&engine, "a").await, Some(vec![false]));

    let mut mapped = plain.clone();
    mapped.methods[0].external = Some(ExternalId { id: crm.clone(), info: None });
    save(&engine, &[&plain], &[&mapped]).await.unwrap();
    assert_eq!(copy(&engine, "a").await, Some(vec![true]), "a mark that existed under the id before");

    // The id of the first user's login is the external id of the second.
    let mut other = User::new(by_password("b", "jane@y.io", 2));
    other.methods[0].external = Some(ExternalId { id: a.clone(), info: None });
    save(&engine, &[], &[&other]).await.unwrap();
    mark(&a, "jane@y.io").await;
    assert_eq!((copy(&engine, "a").await, copy(&engine, "b").await), (Some(vec![true]), Some(vec![true])));

    let mut tx = engine.begin();
    verified::rename(tx.as_mut(), &app(), &crm, &UserId::new("elsewhere")).await.unwrap();
    verified::remove(tx.as_mut(), &app(), &a).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!((copy(&engine, "a").await, copy(&engine, "b").await), (Some(vec![false]), Some(vec![false])));
    assert_eq!(user::check(&engine).await.unwrap().broken, 0);
}

#[tokio::test]
async fn a_copy_that_differs_from_the_marks_is_found() {
    let engine = MemoryEngine::new();
    let user = User::new(by_password("a", "jane@x.io", 1));
    save(&engine, &[], &[&user]).await.unwrap();
    let put = async |verified: Option<Vec<bool>>| {
        let mut tx = engine.begin();
        let row = Row { user: user.clone(), verified };
        codec::put(tx.as_mut(), user::row_key(&app(), &user.id), &UserRecord::from(row)).unwrap();
        tx.commit().await.unwrap();
        user::check(&engine).await.unwrap()
    };
    let found = put(Some(vec![true])).await;
    assert_eq!(found.broken, 1);
    assert!(found.described[0].contains("differs from its marks in which addresses are verified"), "{found:?}");
    assert_eq!(put(None).await.broken, 0, "a row without a copy is not wrong");
}

#[tokio::test]
async fn rows_without_a_copy_are_read_by_the_marks_and_get_one_with_the_next_change() {
    let engine = MemoryEngine::new();
    let user = User::new(by_password("a", "jane@x.io", 1));
    save(&engine, &[], &[&user]).await.unwrap();
    let mut tx = engine.begin();
    verified::mark(tx.as_mut(), &app(), &user.id, "jane@x.io", UnixMillis(9)).await.unwrap();
    let old = UserRecord::from(Row { user: user.clone(), verified: None });
    codec::put(tx.as_mut(), user::row_key(&app(), &user.id), &old).unwrap();
    tx.commit().await.unwrap();
    let mut tx = engine.begin();
    let row = user::row(tx.as_mut(), &app(), &user.id).await.unwrap().unwrap();
    assert_eq!(verified::of_row(tx.as_mut(), &app(), row).await.unwrap(), (user.clone(), vec![true]));
    verified::unmark(tx.as_mut(), &app(), &user.id, "jane@x.io").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(copy(&engine, "a").await, Some(vec![false]));
}
