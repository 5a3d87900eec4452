//! Paging through users while others come and go: nobody who remains is skipped or listed twice.

use super::{ids, method, password, person, provider, save};
use crate::app::TestApp;
use proptest::prelude::*;
use sessiond::domain::user::User;

/// What happens between two pages.
#[derive(Debug, Clone)]
enum Between {
    Join { joined: u64, recipes: u8 },
    Delete { which: usize },
}

fn between() -> impl Strategy<Value = Vec<Between>> {
    let join = (0..6_u64, 1..4_u8).prop_map(|(joined, recipes)| Between::Join { joined, recipes });
    let delete = any::<usize>().prop_map(|which| Between::Delete { which });
    proptest::collection::vec(prop_oneof![join, delete], 0..3)
}

/// A user with login methods of the recipes in the mask. There are few distinct times, so that many users share one.
fn newcomer(number: usize, joined: u64, recipes: u8) -> User {
    // ids in random order
    let id = format!("{:x}-{number}", (number as u64).wrapping_mul(0x9E37_79B9) & 0xFFF);
    let email = format!("{id}@x.io");
    let by_password = method(&id, joined, password(&email));
    let by_provider = method(&format!("{id}-t"), joined, provider("google", &id, &email));
    match recipes {
        1 => person([by_password]),
        2 => person([by_provider]),
        _ => person([by_password, by_provider]),
    }
}

async fn walk(first: &[(u64, u8)], limit: usize, order: &str, changes: &[Vec<Between>]) -> Result<(), TestCaseError> {
    let app = TestApp::new().await;
    let mut people: Vec<User> = Vec::new();
    for (joined, recipes) in first {
        let user = newcomer(people.len(), *joined, *recipes);
        save(&app, &[], &[&user]).await;
        people.push(user);
    }
    let mut stayed: Vec<User> = people.clone();
    let (mut seen, mut token, mut round) = (Vec::new(), String::new(), 0);
    loop {
        let page = app.get(&format!("/users?limit={limit}&timeJoinedOrder={order}{token}")).await.ok().json();
        let found = ids(&page);
        let next = page.get("nextPaginationToken").and_then(|token| token.as_str().map(str::to_owned));
        prop_assert!(found.len() == limit || next.is_none(), "a page in the middle is full");
        seen.extend(found);
        let Some(next) = next else { break };
        token = format!("&paginationToken={}", next.replace('+', "%2B").replace('=', "%3D"));
        for change in changes.get(round).into_iter().flatten() {
            match change {
                Between::Join { joined, recipes } => {
                    let user = newcomer(people.len(), *joined, *recipes);
                    save(&app, &[], &[&user]).await;
                    people.push(user);
                }
                Between::Delete { which } if !stayed.is_empty() => {
                    let gone = stayed.swap_remove(which % stayed.len());
                    save(&app, &[&gone], &[]).await;
                }
                Between::Delete { .. } => {}
            }
        }
        round += 1;
    }
    let mut once = seen.clone();
    once.sort_unstable();
    once.dedup();
    prop_assert_eq!(once.len(), seen.len(), "nobody twice");
    stayed.sort_by(|a, b| {
        let by_time = a.time_joined().cmp(&b.time_joined());
        let by_time = if order == "DESC" { by_time.reverse() } else { by_time };
        by_time.then_with(|| b.id.cmp(&a.id))
    });
    let expected: Vec<&str> = stayed.iter().map(|user| user.id.as_str()).collect();
    let found: Vec<&str> = seen.iter().map(String::as_str).filter(|id| expected.contains(id)).collect();
    prop_assert_eq!(found, expected, "everybody who remained, in order");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn nobody_who_stays_is_skipped_or_doubled(
        first in proptest::collection::vec((0..6_u64, 1..4_u8), 0..40),
        limit in 1..9_usize,
        order in prop_oneof![Just("ASC"), Just("DESC")],
        changes in proptest::collection::vec(between(), 0..20),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(walk(&first, limit, order, &changes))?;
    }
}

#[tokio::test]
async fn a_millisecond_that_very_many_share_is_read_in_pages_like_any_other() {
    let app = TestApp::new().await;
    let many: Vec<User> = (0..1200).map(|number| newcomer(number, 7, 1 + u8::from(number % 5 == 0) * 2)).collect();
    save(&app, &[], &many.iter().collect::<Vec<_>>()).await;
    let mut expected: Vec<String> = many.iter().map(|user| user.id.as_str().to_owned()).collect();
    expected.sort_unstable_by(|a, b| b.cmp(a));
    for order in ["ASC", "DESC"] {
        let (mut seen, mut token) = (Vec::new(), String::new());
        loop {
            let page = app.get(&format!("/users?limit=500&timeJoinedOrder={order}{token}")).await.ok().json();
            seen.extend(ids(&page));
            let Some(next) = page["nextPaginationToken"].as_str() else { break };
            token = format!("&paginationToken={}", next.replace('=', "%3D").replace('+', "%2B"));
        }
        assert_eq!(seen, expected, "{order}");
    }
}
