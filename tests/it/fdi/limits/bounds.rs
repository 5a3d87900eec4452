//! What is remembered is bounded, and whoever invents addresses and accounts gains nothing.

use super::{HOME, OFFICE, figure, guess, noted, passed, shop};
use serde_json::json;
use sessiond::domain::limits::{ActionLimits, LimitedAction, LimitedBy};
use sessiond::domain::rate::Rate;
use sessiond::state::bounded_table::CAPACITY;
use sessiond::state::rate_limits::{LimitedRequest, RateLimits};
use std::net::{IpAddr, Ipv6Addr};

const OWNER: &str = "jane@x.io";

#[tokio::test]
async fn a_million_invented_accounts_and_addresses_take_little_room_and_free_nobody() {
    let app = shop().build().await;
    let base = app.context.directory.find("", "public").unwrap();
    let limits =
        ActionLimits { address: Rate::parse("100/10m"), account: Rate::parse("20/h"), ..ActionLimits::default() };
    let used = RateLimits::default();
    let now = app.context.steady();
    let ask = |account: &str, address: IpAddr| {
        let (action, address, account) = (LimitedAction::SignIn, Some(address), Some(account));
        used.admit(&LimitedRequest { app: &base, limits: &limits, action, address, account, country: None }, now)
    };
    let home: IpAddr = HOME.parse().unwrap();
    while ask(OWNER, home).is_ok() {}
    for number in 0..1_000_000_u128 {
        let address = Ipv6Addr::from(0x2a00_1450_u128 << 96 | number << 64);
        let _ = ask(&format!("{number}@x.io"), address.into());
    }
    assert!(used.len() <= LimitedBy::ALL.len() * CAPACITY, "{}", used.len());
    let refused = ask(OWNER, home).unwrap_err();
    assert_eq!((refused.by, refused.begins_burst), (LimitedBy::AccountAtAddress, false));
}

#[tokio::test]
async fn a_burst_is_noted_once_and_not_all_bursts_are() {
    let app = shop().setting("front_rate_limits", r#"{"sign_in": {"account": "1/m"}}"#).build().await;
    for _ in 0..10 {
        guess(&app, HOME, OWNER).await;
    }
    assert_eq!(noted(&app).await, [json!(["j***@x.io", "sign_in.account_at_address: 1/m", HOME])]);
    let refused = r#"sessiond_front_refused_total{action="sign_in",by="account_at_address"}"#;
    assert_eq!(figure(&app, refused).await, Some(9));
    // The next burst begins after a pause.
    app.clock.advance(120_000);
    for _ in 0..10 {
        guess(&app, HOME, OWNER).await;
    }
    assert_eq!(noted(&app).await.len(), 2);
    for number in 0..300 {
        let from = format!("45.0.{}.{}", number / 200, number % 200);
        for _ in 0..2 {
            guess(&app, &from, &format!("{number}@x.io")).await;
        }
    }
    let told = noted(&app).await.len();
    assert!((100..=123).contains(&told), "{told}");
    assert_eq!(figure(&app, refused).await, Some(318), "all are counted");
}

#[tokio::test]
async fn setting_the_clock_changes_no_pause_and_a_restart_ends_all() {
    let app = shop().build().await;
    let wait = async || passed(async |_| guess(&app, HOME, OWNER).await).await;
    assert_eq!(wait().await, 20);
    for step in [86_400_000, -3 * 86_400_000, 1] {
        app.clock.step(step);
        assert_eq!(wait().await, 0, "{step}");
    }
    app.clock.advance(180_000);
    assert_eq!(wait().await, 1);
    let again = shop().store(app.context.store.clone()).clock(&app.clock).build().await;
    assert_eq!(passed(async |_| guess(&again, HOME, OWNER).await).await, 20);
    assert_eq!(guess(&again, OFFICE, OWNER).await, 200);
}
