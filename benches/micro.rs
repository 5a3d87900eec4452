//! Criterion benches of the hot paths: `cargo bench --bench micro`, or `cargo bench --bench micro -- commit` for some.
//!
//! They show where a request's time is spent; the `http` bench measures what a request costs as a whole.

#![expect(clippy::panic, reason = "a bench that cannot be set up has nothing to measure")]

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sessiond::app;
use sessiond::config::BaseConfig;
use sessiond::context::Context;
use sessiond::crypto::access_token::NewAccessToken;
use sessiond::crypto::refresh_token::RefreshToken;
use sessiond::domain::entropy::random_uuid;
use sessiond::domain::ids::{AppId, SessionHandle, TenantId, UserId};
use sessiond::domain::json::JsonObject;
use sessiond::domain::key::KeyKind;
use sessiond::domain::session::client::{Client, SessionClients, UserAgent};
use sessiond::domain::session::event::EventKind;
use sessiond::domain::session::family::{Family, FamilyRules, PresentedToken, RefreshDecision};
use sessiond::domain::session::timeline::EventLog;
use sessiond::domain::session::{AccessTokenVersion, RefreshPolicy};
use sessiond::domain::time::UnixMillis;
use sessiond::domain::token_hash::TokenHash1;
use sessiond::http::cdi::input::Body;
use sessiond::state::key::KeyRing;
use sessiond::store::session::{self, SessionRecord};
use sessiond::store::{Encoding, codec};
use std::hint::black_box;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

const HOUR_MS: u64 = 3_600_000;
const PAYLOAD: &str = r#"{"iss":"http://localhost:3001/auth","st-ev":{"v":true,"t":1767225600000}}"#;

criterion_group!(all, tokens, decisions, records, bodies, commits);
criterion_main!(all);

/// A server without its socket, with its data in memory or in `folder`.
fn open(runtime: &Runtime, folder: Option<&str>) -> Context {
    let place = folder.map_or(("ephemeral", "true"), |folder| ("data_dir", folder));
    let config = BaseConfig::with(&[place], false).unwrap_or_else(|error| panic!("settings: {error}"));
    runtime.block_on(app::open(&Arc::new(config))).unwrap_or_else(|error| panic!("opening: {error}"))
}

fn runtime() -> Runtime {
    Runtime::new().unwrap_or_else(|error| panic!("no runtime: {error}"))
}

fn ring(runtime: &Runtime, context: &Context) -> Arc<KeyRing> {
    let entry = context.directory.app(&AppId::base()).unwrap_or_else(|| panic!("the base app always exists"));
    runtime.block_on(context.key_ring(&entry)).unwrap_or_else(|fault| panic!("no keys: {}", fault.chain()))
}

fn handle(context: &Context) -> SessionHandle {
    SessionHandle { uuid: random_uuid(context.entropy.as_ref()), tenant: TenantId::public() }
}

fn user() -> UserId {
    UserId::new("3f2b8c1e-5b1f-4c7e-9d3a-0123456789ab")
}

fn refresh_token(context: &Context) -> RefreshToken {
    RefreshToken {
        handle: handle(context),
        user_id: user(),
        parent_refresh_token_hash_1: Some(TokenHash1::of("parent")),
        anti_csrf_token: None,
        generation: 7,
    }
}

fn mint(context: &Context, ring: &KeyRing, handle: &SessionHandle) -> String {
    let user = user();
    let token = NewAccessToken {
        version: AccessTokenVersion::V5,
        handle,
        user_id: &user,
        recipe_user_id: &user,
        refresh_token_hash_1: &TokenHash1::of("refresh"),
        parent_refresh_token_hash_1: None,
        anti_csrf_token: None,
        user_data: &JsonObject::from_stored(PAYLOAD.to_owned()),
        created: context.now(),
        expiry: context.now().plus(HOUR_MS),
    };
    let minted = ring.tokens.mint(KeyKind::Dynamic, &token);
    minted.unwrap_or_else(|error| panic!("minting: {error}")).token.expose().clone()
}

fn tokens(criterion: &mut Criterion) {
    let runtime = runtime();
    let context = open(&runtime, None);
    let ring = ring(&runtime, &context);
    let handle = handle(&context);
    let mut group = criterion.benchmark_group("token");
    group.bench_function("mint access", |bench| bench.iter(|| mint(&context, &ring, black_box(&handle))));
    let token = mint(&context, &ring, &handle);
    group.bench_function("verify access, first time", |bench| {
        bench.iter(|| ring.tokens.verify(black_box(&token), context.now()));
    });
    group.bench_function("verify access, known", |bench| {
        bench.iter(|| context.verified.verify(&ring, black_box(&token), context.now()));
    });
    let refresh = refresh_token(&context);
    group.bench_function("seal refresh", |bench| {
        bench.iter(|| ring.refresh_sealing.seal_refresh_token(black_box(&refresh), context.entropy.as_ref()));
    });
    let sealed = ring.refresh_sealing.seal_refresh_token(&refresh, context.entropy.as_ref());
    group.bench_function("open refresh", |bench| {
        bench.iter(|| ring.refresh_sealing.open_refresh_token(black_box(sealed.expose())));
    });
    group.finish();
}

fn family() -> (Family, PresentedToken) {
    let current = TokenHash1::of("current").stored();
    let family = Family::new(current, false, UnixMillis(100 * HOUR_MS));
    let child = TokenHash1::of("child").stored();
    (family, PresentedToken { hash: child, parent: Some(current), generation: 0 })
}

const RULES: FamilyRules =
    FamilyRules { grace_ms: 30_000, refresh_validity_ms: 2_400 * HOUR_MS, recent_reuse_is_theft: true };

fn decisions(criterion: &mut Criterion) {
    let (family, presented) = family();
    let mut group = criterion.benchmark_group("refresh decision");
    for policy in [RefreshPolicy::PromoteOnUse, RefreshPolicy::RotateOnRefresh] {
        group.bench_function(BenchmarkId::from_parameter(format!("{policy:?}")), |bench| {
            bench.iter(|| black_box(&family).refresh(&presented, policy, Some(false), &RULES, UnixMillis(HOUR_MS)));
        });
    }
    group.finish();
}

/// A session that has been refreshed `times` times.
fn record(times: u64) -> SessionRecord {
    let (mut family, _) = family();
    let mut log = EventLog::starting_with(UnixMillis(0), EventKind::Created { request_id: "5f3a9c01-1d4".to_owned() });
    for generation in 0..times {
        let now = UnixMillis(generation * HOUR_MS / 2);
        let presented = PresentedToken { hash: family.current, parent: None, generation };
        let decision = family.refresh(&presented, RefreshPolicy::RotateOnRefresh, None, &RULES, now);
        let RefreshDecision::Grant(grant) = decision else { panic!("an honest refresh is granted") };
        grant.events.iter().for_each(|event| log.push(now, event.clone()));
        family = grant.complete(TokenHash1::of(&generation.to_string()).stored());
    }
    SessionRecord {
        user_id: user(),
        created: UnixMillis(0),
        family,
        user_data_in_jwt: JsonObject::from_stored(PAYLOAD.to_owned()),
        user_data_in_database: JsonObject::from_stored(r#"{"theme":"dark"}"#.to_owned()),
        log,
        clients: Some(SessionClients::created_by(Client {
            address: IpAddr::from([192, 0, 2, 1]),
            user_agent: UserAgent::of(b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        })),
    }
}

fn records(criterion: &mut Criterion) {
    let runtime = runtime();
    let context = open(&runtime, None);
    let key = session::row_key(&AppId::base(), &handle(&context));
    let mut group = criterion.benchmark_group("session record");
    for times in [0, 1, 100] {
        let record = record(times);
        let bytes = codec::encode(Encoding::Binary, &key, &record).unwrap_or_else(|error| panic!("encoding: {error}"));
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(format!("encode, {times} refreshes"), |bench| {
            bench.iter(|| codec::encode(Encoding::Binary, &key, black_box(&record)));
        });
        group.bench_function(format!("decode, {times} refreshes"), |bench| {
            bench.iter(|| codec::decode::<SessionRecord>(Encoding::Binary, &key, black_box(&bytes)));
        });
    }
    group.finish();
}

fn bodies(criterion: &mut Criterion) {
    let body = format!(
        r#"{{"accessToken":"{}","enableAntiCsrf":false,"doAntiCsrfCheck":false,"checkDatabase":true}}"#,
        "x".repeat(800)
    );
    criterion.bench_function("body of a verify", |bench| {
        bench.iter(|| {
            let body = Body::parse(black_box(body.as_bytes())).ok()?;
            body.string("accessToken").ok().map(|token| token.len())
        });
    });
}

fn commits(criterion: &mut Criterion) {
    let runtime = runtime();
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("no folder: {error}"));
    let memory = Arc::new(open(&runtime, None));
    let durable = Arc::new(open(&runtime, folder.path().to_str()));
    let mut group = criterion.benchmark_group("commit");
    group.measurement_time(Duration::from_secs(4));
    for (engine, context) in [("memory", &memory), ("durable", &durable)] {
        for callers in [1, 16, 64] {
            group.bench_function(format!("{engine}, {callers} callers"), |bench| {
                bench.iter_custom(|times| runtime.block_on(commit(context, callers, times)));
            });
        }
    }
    let key = session::row_key(&AppId::base(), &handle(&memory));
    let record = record(1);
    group.bench_function("buffer of one session", |bench| {
        bench.iter_batched(
            || memory.store.begin(),
            |mut tx| codec::put(tx.as_mut(), key.clone(), &record),
            BatchSize::SmallInput,
        );
    });
    group.finish();
    if let Err(error) = runtime.block_on(durable.store.close()) {
        panic!("closing: {error}");
    }
}

/// Commits `times` new sessions from `callers` tasks at once.
async fn commit(context: &Arc<Context>, callers: u64, times: u64) -> Duration {
    let began = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|caller| {
            let context = Arc::clone(context);
            let share = times / callers + u64::from(caller < times % callers);
            tokio::spawn(async move {
                let record = record(0);
                for _ in 0..share {
                    let mut tx = context.store.begin();
                    let written = session::insert(tx.as_mut(), &AppId::base(), &handle(&context), &record);
                    written.unwrap_or_else(|error| panic!("writing: {error}"));
                    tx.commit().await.unwrap_or_else(|error| panic!("committing: {error}"));
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap_or_else(|error| panic!("a caller failed: {error}"));
    }
    began.elapsed()
}
