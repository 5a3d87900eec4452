//! What a page and a search read: no more with many users than with few.

use crate::watched::Watched;
use sessiond::domain::ids::{AppId, TenantId, UserId};
use sessiond::domain::time::UnixMillis;
use sessiond::domain::user::{
    Login, LoginMethod, Order, PasswordHash, Position, Recipes, SearchTags, ThirdPartyAccount, User,
};
use sessiond::store::Engine;
use sessiond::store::user::listing::{self, Page};
use sessiond::store::user::{self, search};

/// Users of two recipes each; `same` of them share a millisecond.
async fn engine(users: u64, same: u64) -> Watched {
    let engine = Watched::default();
    let mut tx = engine.begin();
    for n in 0..users {
        let (email, joined) = (format!("u{n}@x.io"), UnixMillis(1000 + n / same));
        let tenants: std::collections::BTreeSet<_> = [TenantId::public()].into();
        let account = ThirdPartyAccount { id: "google".to_owned(), user_id: email.clone() };
        let password = PasswordHash::new("x");
        let method = |id: String, login| {
            let tenants = tenants.clone();
            LoginMethod { id: UserId::new(id), external: None, tenants, time_joined: joined, login }
        };
        let mut user = User::new(method(format!("p{n}"), Login::EmailPassword { email: email.clone(), password }));
        user.methods.push(method(format!("t{n}"), Login::ThirdParty { account, email }));
        user::save(tx.as_mut(), &AppId::base(), &[], &[&user]).await.unwrap().unwrap();
    }
    tx.commit().await.unwrap();
    engine
}

#[tokio::test]
async fn a_page_reads_a_few_rows_per_user_on_it_whatever_the_ties() {
    for same in [1, 7, 10_000] {
        let engine = engine(3000, same).await;
        for order in [Order::Ascending, Order::Descending] {
            for from in [None, Some(Position { time_joined: UnixMillis(1000), id: UserId::new("p2500") })] {
                engine.rows.set(0);
                let (app, tenant, recipes, limit) = (&AppId::base(), &TenantId::public(), &Recipes::all(), 100);
                let page = Page { app, tenant, recipes, order, from, limit };
                page.read(engine.begin().as_mut()).await.unwrap();
                let rows = engine.rows.get();
                assert!(rows <= 3 * 2 * limit, "{rows} rows for {same} users per millisecond, {order:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_page_of_plain_users_reads_their_list_alone() {
    let engine = Watched::default();
    let mut tx = engine.begin();
    let (app, tenant, recipes) = (&AppId::base(), &TenantId::public(), &Recipes::all());
    for joined in 1..=50 {
        let user = User::new(LoginMethod {
            id: UserId::new(format!("p{joined}")),
            external: None,
            tenants: [TenantId::public()].into(),
            time_joined: UnixMillis(joined),
            login: Login::EmailPassword { email: format!("u{joined}@x.io"), password: PasswordHash::new("x") },
        });
        user::save(tx.as_mut(), app, &[], &[&user]).await.unwrap().unwrap();
    }
    tx.commit().await.unwrap();
    engine.gets.set(0);
    let page = Page { app, tenant, recipes, order: Order::Descending, from: None, limit: 20 };
    let mut tx = engine.begin();
    let mut listed = page.read(tx.as_mut()).await.unwrap();
    listing::read_rows(tx.as_mut(), app, &mut listed).await.unwrap();
    let joined: Vec<_> = listed.iter().flat_map(|listed| &listed.row).map(|row| row.user.time_joined().0).collect();
    assert_eq!(joined, (31..=50).rev().collect::<Vec<_>>());
    assert_eq!(engine.gets.get(), 0);
}

#[tokio::test]
async fn a_search_reads_a_bounded_number_of_rows() {
    let engine = engine(6000, 1).await;
    let values = |text| SearchTags::values(text);
    let again = "u;U; u;".repeat(1000);
    for (emails, providers, found) in [
        ("u", "", 1000),
        ("u", "google", 1000),
        ("u1;u2;u3;x", "g", 1000),
        ("u17@", "g", 1),
        (&again, "", 1000),
        ("u17@", &"g;goo;".repeat(1000), 1),
    ] {
        let tags = SearchTags { emails: values(emails), phones: Vec::new(), providers: values(providers) };
        engine.rows.set(0);
        engine.gets.set(0);
        let mut tx = engine.begin();
        let users = search::search(tx.as_mut(), &AppId::base(), &TenantId::public(), &tags).await.unwrap();
        assert_eq!(users.len(), found, "{tags:?}");
        let (rows, gets) = (engine.rows.get(), engine.gets.get());
        assert!(rows <= 20_000 && gets <= 25_000, "{rows} rows, {gets} gets for {tags:?}");
    }
}
