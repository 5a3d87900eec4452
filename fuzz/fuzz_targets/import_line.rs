//! Lines of `sessiond users import`.
#![no_main]

use sessiond::crypto::password::StoredHash;
use sessiond::domain::ids::TenantId;
use sessiond::domain::import::{NewLogin, NewPassword, NewUser};
use sessiond::domain::time::UnixMillis;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let line = String::from_utf8_lossy(data);
    match NewUser::parse(&line, &TenantId::public(), UnixMillis(1 << 41)) {
        Ok(user) => {
            let [method] = user.methods.as_slice() else { panic!("a line is one login method") };
            assert!(!method.tenants.is_empty());
            let NewLogin::EmailPassword { email, password } = &method.login else { panic!("with a password") };
            assert!(email.contains('@'));
            if let NewPassword::Hash(hash, _) = password {
                let _ = StoredHash::parse(hash.expose());
            }
        }
        Err(refused) => assert!(!refused.0.is_empty(), "an operator is told why"),
    }
});
