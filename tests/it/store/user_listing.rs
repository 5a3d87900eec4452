//! What a page and a search read: no more with many users than with few.

use async_trait::async_trait;
use sessiond::domain::ids::{AppId, TenantId, UserId};
use sessiond::domain::time::UnixMillis;
use sessiond::domain::user::{
    Login, LoginMethod, Order, PasswordHash, Position, Recipes, SearchTags, ThirdPartyAccount, User,
};
use sessiond::store::memory::MemoryEngine;
use sessiond::store::user::listing::Page;
use sessiond::store::user::{self, search};
use sessiond::store::{CommitError, Encoding, Engine, Key, Scan, StoreError, Tx};

/// Counts what is read.
struct Counting {
    tx: Box<dyn Tx>,
    rows: usize,
    gets: usize,
}

#[async_trait]
impl Tx for Counting {
    async fn get(&mut self, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        self.gets += 1;
        self.tx.get(key).await
    }

    fn put(&mut self, key: Key, value: Vec<u8>) {
        self.tx.put(key, value);
    }

    fn delete(&mut self, key: Key) {
        self.tx.delete(key);
    }

    fn add(&mut self, key: Key, delta: i64) {
        self.tx.add(key, delta);
    }

    async fn scan(&mut self, scan: &Scan) -> Result<Vec<(Key, Vec<u8>)>, StoreError> {
        let rows = self.tx.scan(scan).await?;
        self.rows += rows.len();
        Ok(rows)
    }

    fn encoding(&self) -> Encoding {
        self.tx.encoding()
    }

    async fn commit(self: Box<Self>) -> Result<(), CommitError> {
        self.tx.commit().await
    }
}

/// Users of two recipes each; `same` of them share a millisecond.
async fn engine(users: u64, same: u64) -> MemoryEngine {
    let engine = MemoryEngine::new();
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
                let mut tx = Counting { tx: engine.begin(), rows: 0, gets: 0 };
                let (app, tenant, recipes, limit) = (&AppId::base(), &TenantId::public(), &Recipes::all(), 100);
                let page = Page { app, tenant, recipes, order, from, limit };
                page.read(&mut tx).await.unwrap();
                assert!(tx.rows <= 3 * 2 * limit, "{} rows for {same} users per millisecond, {order:?}", tx.rows);
            }
        }
    }
}

#[tokio::test]
async fn a_search_reads_a_bounded_number_of_rows() {
    let engine = engine(6000, 1).await;
    let values = |text| SearchTags::values(text);
    for (emails, providers, found) in
        [("u", "", 1000), ("u", "google", 1000), ("u1;u2;u3;x", "g", 1000), ("u17@", "g", 1)]
    {
        let tags = SearchTags { emails: values(emails), phones: Vec::new(), providers: values(providers) };
        let mut tx = Counting { tx: engine.begin(), rows: 0, gets: 0 };
        let users = search::search(&mut tx, &AppId::base(), &TenantId::public(), &tags).await.unwrap();
        assert_eq!(users.len(), found, "{tags:?}");
        assert!(tx.rows <= 20_000 && tx.gets <= 25_000, "{} rows, {} gets for {tags:?}", tx.rows, tx.gets);
    }
}
