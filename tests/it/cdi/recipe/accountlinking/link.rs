//! `POST /recipe/accountlinking/user/link` and its check.

use super::{same_account, taken};
use crate::app::TestApp;
use crate::cdi::recipe::EVERY_VERSION;
use crate::people::{by_password, by_phone, by_provider, mapped, within};
use serde_json::{Value, json};

async fn check(app: &TestApp, recipe_user_id: &str, primary_user_id: &str) -> Value {
    let query = format!("recipeUserId={recipe_user_id}&primaryUserId={primary_user_id}");
    app.get(&format!("/recipe/accountlinking/user/link/check?{query}")).await.json()
}

#[tokio::test]
async fn linked_methods_are_one_user_that_joined_with_its_oldest() {
    let app = TestApp::new().await;
    app.people([by_password("a", 20, "jane@x.io"), mapped("mine", by_provider("b", 10, "jane@x.io"))]).await;
    app.make_primary("a").await;
    assert_eq!(check(&app, "mine", "a").await, json!({"status": "OK", "accountsAlreadyLinked": false}));
    assert_eq!(app.who_is("b").await["methods"], json!(["mine"]), "a check changes nothing");
    let linked = app.link("mine", "a").await;
    assert_eq!((&linked["status"], &linked["accountsAlreadyLinked"]), (&json!("OK"), &json!(false)));
    let whole = app.get("/user/id?userId=b").await.json();
    assert_eq!(linked["user"], whole["user"]);
    assert_eq!((&linked["user"]["id"], &linked["user"]["timeJoined"]), (&json!("a"), &json!(10)));
    assert_eq!(app.who_is("mine").await, json!({"id": "a", "isPrimaryUser": true, "methods": ["mine", "a"]}));
}

#[tokio::test]
async fn the_primary_user_may_be_named_by_any_of_its_ids() {
    let app = TestApp::new().await;
    let people =
        ["a", "b", "c", "d"].map(|id| mapped(&format!("{id}-mine"), by_password(id, 1, &format!("{id}@x.io"))));
    app.people(people).await;
    app.group(&["a-mine", "b"]).await;
    assert_eq!(app.link("c", "b-mine").await["user"]["id"], "a-mine");
    assert_eq!(app.link("d-mine", "c").await["user"]["id"], "a-mine");
    for (method, primary) in [("a", "a"), ("b", "a-mine"), ("a-mine", "b"), ("d", "c")] {
        let already = app.link(method, primary).await;
        assert_eq!((&already["status"], &already["accountsAlreadyLinked"]), (&json!("OK"), &json!(true)));
        assert_eq!(already["user"]["id"], "a-mine");
        assert_eq!(check(&app, method, primary).await, json!({"status": "OK", "accountsAlreadyLinked": true}));
    }
}

#[tokio::test]
async fn a_method_of_another_primary_user_is_refused() {
    let app = TestApp::new().await;
    app.people(["a", "b", "c"].map(|id| by_password(id, 1, &format!("{id}@x.io")))).await;
    app.people([mapped("them", by_password("d", 1, "d@x.io"))]).await;
    app.group(&["a"]).await;
    app.group(&["them", "b"]).await;
    for method in ["b", "d", "them"] {
        let mut refused = json!({
            "status": "RECIPE_USER_ID_ALREADY_LINKED_WITH_ANOTHER_PRIMARY_USER_ID_ERROR",
            "primaryUserId": "them",
            "description": "The input recipe user ID is already linked to another user ID",
        });
        assert_eq!(check(&app, method, "a").await, refused);
        refused["user"] = app.get("/user/id?userId=d").await.json()["user"].clone();
        assert_eq!(app.link(method, "a").await, refused);
    }
    for reply in [check(&app, "a", "c").await, app.link("b", "c").await, app.link("c", "c").await] {
        assert_eq!(reply, json!({"status": "INPUT_USER_IS_NOT_A_PRIMARY_USER"}));
    }
}

#[tokio::test]
async fn account_infos_count_in_all_tenants_of_both_and_providers_before_addresses() {
    let app = TestApp::new().await;
    let elsewhere = |id, email| within(["t1"], by_provider(id, 1, email));
    app.people([
        by_password("a", 1, "jane@x.io"),
        within(["t1"], by_password("b", 1, "other@x.io")),
        // Primary in t1, where linking b would bring a's address.
        mapped("they", elsewhere("c", "jane@x.io")),
        by_phone("d", 1, "+49"),
        within(["t1"], by_phone("e", 1, "+49")),
        within(["t1"], by_password("i", 1, "i@x.io")),
    ])
    .await;
    for id in ["a", "c", "e", "i"] {
        app.make_primary(id).await;
    }
    let before = app.stored().await;
    assert_eq!(check(&app, "b", "a").await, taken("they", "email"));
    assert_eq!(app.link("b", "a").await, taken("they", "email"));
    assert_eq!(app.who_is("b").await["isPrimaryUser"], false);
    // d alone is in another tenant than e; with i it is not.
    assert_eq!(check(&app, "d", "i").await, taken("e", "phone number"));
    assert_eq!(app.link("d", "i").await, taken("e", "phone number"));
    assert!(app.stored().await == before, "a refused request changes nothing");

    // The same account at a provider, in two tenants, with addresses of two other users.
    let twin = within(["t2"], same_account("c", "f", "else@x.io"));
    app.people([twin, within(["t1"], by_password("g", 1, "else@x.io"))]).await;
    app.make_primary("g").await;
    app.people([within(["t1"], by_phone("h", 1, "+50"))]).await;
    app.make_primary("h").await;
    assert_eq!(check(&app, "f", "h").await, taken("they", "third party login"));
    assert_eq!(app.link("f", "h").await, taken("they", "third party login"));
}

#[tokio::test]
async fn sessions_of_the_linked_method_end_and_tell_why() {
    let app = TestApp::new().await;
    app.people([by_password("a", 1, "a@x.io"), mapped("mine", by_password("b", 1, "b@x.io"))]).await;
    app.make_primary("a").await;
    app.session("a").await;
    let handle = app.session("mine").await.handle();
    app.link("b", "a").await;
    assert_eq!(app.sessions_of("mine").await, [""; 0]);
    assert_eq!(app.sessions_of("a").await.len(), 1);
    let told = app.get(&format!("/recipe/session/timeline?sessionHandle={handle}")).await.json();
    let last = told["events"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["event"], &last["call"]), (&json!("revoked"), &json!("POST /recipe/accountlinking/user/link")));
    let again = app.session("mine").await.handle();
    app.link("b", "a").await;
    assert_eq!(app.sessions_of("mine").await, [again], "only a new link ends sessions");
}

#[tokio::test]
async fn more_sessions_than_one_transaction_ends_end_too() {
    let app = TestApp::new().await;
    app.people([by_password("a", 1, "a@x.io"), by_password("b", 1, "b@x.io")]).await;
    app.make_primary("a").await;
    for _ in 0..130 {
        app.session("b").await;
    }
    app.link("b", "a").await;
    assert_eq!(app.sessions_of("b").await, [""; 0]);
    assert_eq!(app.who_is("b").await["methods"], json!(["a", "b"]));
}

#[tokio::test]
async fn a_refused_link_ends_no_session() {
    let app = TestApp::new().await;
    app.people([by_password("a", 1, "a@x.io"), by_provider("b", 1, "c@x.io"), by_password("c", 1, "c@x.io")]).await;
    app.make_primary("a").await;
    app.make_primary("c").await;
    for _ in 0..70 {
        app.session("b").await;
    }
    assert_ne!(app.link("b", "a").await["status"], "OK");
    assert_eq!(app.sessions_of("b").await.len(), 70);
}

#[tokio::test]
async fn ids_of_nobody_and_missing_fields_are_refused() {
    let app = TestApp::new().await;
    app.people([by_password("a", 1, "a@x.io")]).await;
    let path = "/recipe/accountlinking/user/link";
    for body in [json!({"recipeUserId": "a", "primaryUserId": "x"}), json!({"recipeUserId": "x", "primaryUserId": "a"})]
    {
        let query = format!(
            "{path}/check?recipeUserId={}&primaryUserId={}",
            body["recipeUserId"].as_str().unwrap(),
            body["primaryUserId"].as_str().unwrap()
        );
        app.get(&query).await.is_text(400, "Unknown user ID provided");
        app.post(path, body).await.is_text(400, "Unknown user ID provided");
    }
    app.post(path, json!({"recipeUserId": "a"}))
        .await
        .is_text(400, "Field name 'primaryUserId' is invalid in JSON input");
}

#[tokio::test]
async fn who_is_refused_or_only_asks_has_changed_nothing() {
    let app = TestApp::new().await;
    app.people(["a", "b", "c", "d", "e"].map(|id| by_password(id, 1, &format!("{id}@x.io")))).await;
    app.group(&["a"]).await;
    app.group(&["b", "c"]).await;
    for id in ["c", "d"] {
        app.session(id).await;
    }
    let before = app.stored().await;
    let elsewhere = "RECIPE_USER_ID_ALREADY_LINKED_WITH_ANOTHER_PRIMARY_USER_ID_ERROR";
    for (method, primary, status) in [
        ("b", "a", elsewhere),
        ("c", "a", elsewhere),
        ("a", "c", elsewhere),
        ("d", "e", "INPUT_USER_IS_NOT_A_PRIMARY_USER"),
        ("d", "d", "INPUT_USER_IS_NOT_A_PRIMARY_USER"),
        ("c", "d", "INPUT_USER_IS_NOT_A_PRIMARY_USER"),
        ("c", "b", "OK"),
        ("a", "a", "OK"),
    ] {
        assert_eq!(check(&app, method, primary).await["status"], status, "{method} to {primary}");
        assert_eq!(app.link(method, primary).await["status"], status, "{method} to {primary}");
    }
    assert_eq!(check(&app, "d", "a").await, json!({"status": "OK", "accountsAlreadyLinked": false}));
    let invalid = |name: &str| format!("Field name '{name}' is invalid in JSON input");
    for wrong in [json!(null), json!(1), json!(true), json!(["d"]), json!({})] {
        for (name, other) in [("recipeUserId", "primaryUserId"), ("primaryUserId", "recipeUserId")] {
            let reply = app.post("/recipe/accountlinking/user/link", json!({name: wrong, other: "a"})).await;
            reply.is_text(400, &invalid(name));
        }
    }
    for (method, primary) in [("", "a"), ("d", ""), (" d", "a"), ("d", "a ")] {
        let body = json!({"recipeUserId": method, "primaryUserId": primary});
        app.post("/recipe/accountlinking/user/link", body).await.is_text(400, "Unknown user ID provided");
    }
    let path = "/recipe/accountlinking/user/link/check";
    for (query, name) in
        [("primaryUserId=a", "recipeUserId"), ("recipeUserId=d", "primaryUserId"), ("", "recipeUserId")]
    {
        let reply = app.get(&format!("{path}?{query}")).await;
        reply.is_text(400, &format!("Field name '{name}' is missing in GET request"));
    }
    assert!(app.stored().await == before, "a refused request changes nothing");
}

#[tokio::test]
async fn every_version_links_and_shows_the_whole_person() {
    for version in EVERY_VERSION {
        let app = TestApp::new().await;
        app.people([by_password("a", 2, "a@x.io"), mapped("mine", by_provider("b", 1, "b@x.io"))]).await;
        app.people([mapped("other", by_provider("c", 3, "c@x.io"))]).await;
        app.group(&["a"]).await;
        app.group(&["c"]).await;
        let path = "/recipe/accountlinking/user/link";
        let may = app.get(&format!("{path}/check?recipeUserId=b&primaryUserId=a")).cdi(version).await.json();
        assert_eq!(may, json!({"status": "OK", "accountsAlreadyLinked": false}), "{version}");
        let linked = app.post(path, json!({"recipeUserId": "mine", "primaryUserId": "a"})).cdi(version).await.json();
        assert_eq!(linked["accountsAlreadyLinked"], false, "{version}");
        assert_eq!((&linked["user"]["id"], &linked["user"]["timeJoined"]), (&json!("a"), &json!(1)), "{version}");
        assert_eq!(linked["user"]["loginMethods"][0]["recipeUserId"], "mine", "{version}");
        let refused = app.post(path, json!({"recipeUserId": "c", "primaryUserId": "a"})).cdi(version).await.json();
        assert_eq!(
            (&refused["primaryUserId"], &refused["user"]["id"]),
            (&json!("other"), &json!("other")),
            "{version}"
        );
        assert!(refused["user"]["loginMethods"].is_array(), "{version}");
        let path = "/recipe/accountlinking/user/unlink";
        let unlinked = app.post(path, json!({"recipeUserId": "b"})).cdi(version).await.json();
        assert_eq!(unlinked, json!({"status": "OK", "wasRecipeUserDeleted": false, "wasLinked": true}), "{version}");
    }
}

#[tokio::test]
async fn lists_follow_the_oldest_method_of_those_who_are_linked_now() {
    let app = TestApp::new().await;
    app.people([by_password("a", 20, "a@x.io"), by_provider("b", 10, "b@x.io"), by_phone("c", 15, "+49170")]).await;
    let listed = async |query: &str| {
        let reply = app.get(&format!("/users?{query}")).await.ok().json();
        let users = reply["users"].as_array().unwrap().iter();
        users.map(|user| (user["id"].as_str().unwrap().to_owned(), user["timeJoined"].as_u64().unwrap())).collect()
    };
    let expect = async |query: &str, expected: &[(&str, u64)]| {
        let found: Vec<(String, u64)> = listed(query).await;
        let expected: Vec<_> = expected.iter().map(|(id, joined)| ((*id).to_owned(), *joined)).collect();
        assert_eq!(found, expected, "{query}");
    };
    let unlink =
        async |id: &str| app.post("/recipe/accountlinking/user/unlink", json!({"recipeUserId": id})).await.ok();
    expect("", &[("b", 10), ("c", 15), ("a", 20)]).await;
    app.group(&["a", "b"]).await;
    expect("", &[("a", 10), ("c", 15)]).await;
    expect("timeJoinedOrder=DESC", &[("c", 15), ("a", 10)]).await;
    expect("includeRecipeIds=emailpassword", &[("a", 10)]).await;
    assert_eq!(app.get("/users/count").await.json()["count"], 2);
    unlink("b").await;
    expect("", &[("b", 10), ("c", 15), ("a", 20)]).await;
    assert_eq!(app.get("/users/count").await.json()["count"], 3);
    // The founder is deleted, and with it the group's time joined.
    app.group(&["b", "c"]).await;
    unlink("b").await;
    expect("", &[("b", 15), ("a", 20)]).await;
    app.post("/user/remove", json!({"userId": "c", "removeAllLinkedAccounts": false})).await.ok();
    expect("", &[("a", 20)]).await;
}

#[tokio::test]
async fn what_other_recipes_keep_is_not_merged() {
    let app = TestApp::new().await;
    app.people([by_password("a", 1, "a@x.io"), mapped("mine", by_password("b", 2, "b@x.io"))]).await;
    for role in ["of-a", "of-mine"] {
        app.put("/recipe/role", json!({"role": role, "permissions": []})).await.ok();
    }
    for id in ["a", "mine"] {
        app.put("/recipe/user/metadata", json!({"userId": id, "metadataUpdate": {id: 1}})).await.ok();
        app.put("/recipe/user/role", json!({"userId": id, "role": format!("of-{id}")})).await.ok();
    }
    let kept = async || {
        let mut kept = Vec::new();
        for id in ["a", "mine"] {
            let metadata = app.get(&format!("/recipe/user/metadata?userId={id}")).await.json()["metadata"].clone();
            kept.push((metadata, app.get(&format!("/recipe/user/roles?userId={id}")).await.json()["roles"].clone()));
        }
        kept
    };
    let own = [(json!({"a": 1}), json!(["of-a"])), (json!({"mine": 1}), json!(["of-mine"]))];
    assert_eq!(kept().await, own);
    app.group(&["a", "mine"]).await;
    assert_eq!(kept().await, own);
    app.post("/recipe/accountlinking/user/unlink", json!({"recipeUserId": "mine"})).await.ok();
    assert_eq!(kept().await, own);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_several_who_want_one_method_at_once_one_gets_it() {
    for _ in 0..20 {
        let app = TestApp::new().await;
        app.people(["a", "b", "c", "d"].map(|id| by_password(id, 1, &format!("{id}@x.io")))).await;
        for id in ["a", "b", "c"] {
            app.make_primary(id).await;
        }
        let tasks: Vec<_> = ["a", "b", "c"]
            .into_iter()
            .map(|primary| {
                let app = app.clone();
                tokio::spawn(async move { (primary, app.link("d", primary).await) })
            })
            .collect();
        let (mut linked, mut refused) = (Vec::new(), Vec::new());
        for task in tasks {
            let (primary, reply) = task.await.unwrap();
            if reply["status"] == "OK" { linked.push(primary) } else { refused.push(reply) }
        }
        assert_eq!((linked.len(), refused.len()), (1, 2));
        assert_eq!(app.who_is("d").await["id"], linked[0]);
        for reply in refused {
            assert_eq!(reply["status"], "RECIPE_USER_ID_ALREADY_LINKED_WITH_ANOTHER_PRIMARY_USER_ID_ERROR");
            assert_eq!((&reply["primaryUserId"], &reply["user"]["id"]), (&json!(linked[0]), &json!(linked[0])));
        }
    }
}

#[tokio::test]
async fn sessions_under_either_id_of_the_method_end_and_a_founders_stay() {
    for way in ["link", "unlink"] {
        let app = TestApp::new().await;
        app.people([by_password("a", 1, "a@x.io"), by_password("b", 2, "b@x.io")]).await;
        if way == "link" {
            app.make_primary("a").await;
        } else {
            app.group(&["a", "b"]).await;
        }
        app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
        app.session("b").await;
        let map = |id: &str| json!({"superTokensUserId": id, "externalUserId": format!("my-{id}"), "force": true});
        for id in ["a", "b"] {
            app.post("/recipe/userid/map", map(id)).await.ok();
        }
        app.post("/t1/recipe/session", crate::app::new_session("my-b")).await.ok();
        let kept = [app.session("my-a").await.handle(), app.session("stranger").await.handle()];
        assert_eq!(app.sessions_of("b").await.len(), 2);
        if way == "link" {
            assert_eq!(app.link("b", "a").await["status"], "OK");
        } else {
            app.post("/recipe/accountlinking/user/unlink", json!({"recipeUserId": "b"})).await.ok();
        }
        assert_eq!(app.sessions_of("b").await, [""; 0], "{way}: in all tenants");
        assert_eq!([app.sessions_of("a").await, app.sessions_of("stranger").await].concat(), kept, "{way}");
    }
}
