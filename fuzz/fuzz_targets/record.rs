//! Stored records of every kind: any content with a valid checksum, and a valid record with a few bytes changed.
//!
//! Rows are encoded as in `stored::rows`. Whatever can be read is rewritten in its newest version, which reads the
//! same; anything else is reported. Walks over all rows terminate, whatever the rows contain.
#![no_main]

use sessiond::domain::ids::AppId;
use sessiond::domain::user::Recipes;
use sessiond::store::memory::MemoryEngine;
use sessiond::store::{Encoding, Engine, passwordless, records, session, user, userroles};
use sessiond_fuzz::stored::{edited, is_named, rows};
use sessiond_fuzz::wait;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((changes, data)) = data.split_first() else { return };
    let (edits, data) = data.split_at((usize::from(*changes) % 4 * 4).min(data.len()));
    let rows = rows(data, &AppId::base());
    for (key, value) in &rows {
        let Ok(newest) =
            records::rewrite(Encoding::Binary, key, value).inspect_err(|error| assert!(is_named(error), "{error}"))
        else {
            continue;
        };
        let again = records::rewrite(Encoding::Binary, key, &newest).expect("what is written can be read back");
        assert_eq!(again, newest, "{key} reads otherwise than it was written");
        let changed = edited(value, edits);
        // Facts without a type may be empty.
        if changed != *value && !changed.is_empty() {
            assert!(
                records::rewrite(Encoding::Binary, key, &changed).is_err(),
                "{key} was changed, and nobody noticed"
            );
        }
    }
    let engine = MemoryEngine::new();
    let mut tx = engine.begin();
    rows.into_iter().for_each(|(key, value)| tx.put(key, value));
    wait(async {
        if tx.commit().await.is_err() {
            return;
        }
        let _ = session::check(&engine).await.inspect_err(|error| assert!(is_named(error), "{error}"));
        let _ = user::check(&engine).await.inspect_err(|error| assert!(is_named(error), "{error}"));
        let _ = userroles::check(&engine).await.inspect_err(|error| assert!(is_named(error), "{error}"));
        let _ = passwordless::check(&engine).await.inspect_err(|error| assert!(is_named(error), "{error}"));
        let _ = user::count::in_app(&mut *engine.begin(), &AppId::base(), &Recipes::all()).await;
    });
});
