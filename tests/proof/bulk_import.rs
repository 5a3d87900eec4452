//! Users waiting to be imported, under `kill -9`: none is lost and none is imported twice.

use crate::server::Server;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use std::thread;
use std::time::Duration;

const REQUESTS: usize = 12;
const USERS_IN_EACH: usize = 500;

fn user(number: usize) -> Value {
    json!({"userMetadata": {"number": number}, "loginMethods": [
        {"recipeId": "thirdparty", "thirdPartyId": "google", "thirdPartyUserId": number.to_string(),
            "email": format!("u{number}@x.io"), "isVerified": true},
    ]})
}

#[test]
fn users_that_wait_are_imported_once_however_often_the_server_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let (data, log) = (folder.path().join("data"), folder.path().join("server.log"));
    let mut rng = StdRng::seed_from_u64(7);
    let mut server = Server::start(&data, &log);
    let (mut ids, mut kills) = (Vec::new(), 0);
    for request in 0..REQUESTS {
        let first = request * USERS_IN_EACH;
        let users: Vec<_> = (first..first + USERS_IN_EACH).map(user).collect();
        let reply = server.client().send("POST", "/bulk-import/users", Some(&json!({ "users": users }))).unwrap();
        assert_eq!(reply.status, 200, "{}", reply.body);
        ids.extend(reply.json()["users"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()));
        thread::sleep(Duration::from_millis(rng.random_range(0..120)));
        server.kill();
        kills += 1;
        server = Server::start(&data, &log);
    }
    let mut client = server.client();
    let mut count = |path: &str| client.send("GET", path, None).unwrap().json()["count"].as_u64().unwrap();
    while count("/bulk-import/users/count") > 0 {
        assert_eq!(count("/bulk-import/users/count?status=FAILED"), 0, "imported twice");
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(count("/users/count"), (REQUESTS * USERS_IN_EACH) as u64);
    for (number, id) in ids.iter().enumerate().step_by(37) {
        let metadata = client.send("GET", &format!("/recipe/user/metadata?userId={id}"), None).unwrap().json();
        assert_eq!(metadata["metadata"]["number"], number);
        let found = client.send("GET", &format!("/user/id?userId={id}"), None).unwrap().json();
        assert_eq!(found["user"]["loginMethods"][0]["verified"], true);
    }
    println!("{} users, {kills} kills", ids.len());
    server.stop();
}
