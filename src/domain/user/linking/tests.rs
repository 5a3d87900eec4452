use super::*;
use crate::domain::ids::TenantId;
use crate::domain::time::UnixMillis;
use crate::domain::user::{ExternalId, Login};

fn method(id: &str, joined: u64) -> LoginMethod {
    LoginMethod {
        id: UserId::new(id),
        external: Some(ExternalId { id: UserId::new(format!("{id}-shown")), info: None }),
        tenants: BTreeSet::from([TenantId::public()]),
        time_joined: UnixMillis(joined),
        login: Login::Passwordless { email: Some(format!("{id}@x.io")), phone_number: None },
    }
}

/// A primary user founded by the first of these ids.
fn group(ids: &[&str]) -> User {
    let mut user = User::new(method(ids[0], 1));
    user.is_primary = true;
    user.methods.extend(ids[1..].iter().zip(2..).map(|(id, joined)| method(id, joined)));
    user
}

fn id(text: &str) -> UserId {
    UserId::new(text)
}

fn ids<const N: usize>(texts: [&str; N]) -> BTreeSet<UserId> {
    texts.into_iter().map(UserId::new).collect()
}

fn method_ids(user: &User) -> BTreeSet<UserId> {
    user.methods.iter().map(|method| method.id.clone()).collect()
}

#[test]
fn only_the_founder_of_a_group_is_already_primary() {
    assert_eq!(make_primary(&group(&["a", "b"]), &id("a")), MakePrimaryOutcome::Already);
    assert_eq!(make_primary(&group(&["a", "b"]), &id("b")), MakePrimaryOutcome::Linked);
    let single = User::new(method("a", 1));
    let MakePrimaryOutcome::Now(primary) = make_primary(&single, &id("a")) else { panic!() };
    assert_eq!(*primary, User { is_primary: true, ..single });
}

#[test]
fn what_is_no_primary_user_takes_no_links_not_even_its_own() {
    let single = User::new(method("a", 1));
    assert_eq!(link(&single, &single), Linked::NotPrimary);
    assert_eq!(link(&group(&["b"]), &single), Linked::NotPrimary);
}

#[test]
fn a_method_is_linked_once() {
    assert_eq!(link(&group(&["a", "b"]), &group(&["a", "b"])), Linked::Already);
    assert_eq!(link(&group(&["b"]), &group(&["a"])), Linked::Elsewhere);
    let Linked::Now(linked) = link(&User::new(method("0", 0)), &group(&["a", "b"])) else { panic!() };
    assert_eq!(linked.id, id("a"));
    assert_eq!(linked.methods[0].id, id("0"), "the oldest comes first");
    assert_eq!(linked.time_joined(), UnixMillis(0));
}

#[test]
fn an_unlinked_method_lives_on_alone() {
    let Unlinked::Now { after, deleted, signed_out } = unlink(&group(&["a", "b"]), &id("b")) else { panic!() };
    assert_eq!((after[0].id.clone(), method_ids(&after[0]), after[0].is_primary), (id("a"), ids(["a"]), true));
    assert_eq!(after[1], User::new(method("b", 2)));
    assert_eq!((deleted, signed_out), (None, ids(["b"])));
}

#[test]
fn an_unlinked_founder_is_gone_but_its_id_and_mapping_stay() {
    let Unlinked::Now { after, deleted, .. } = unlink(&group(&["a", "b"]), &id("a")) else { panic!() };
    assert_eq!(deleted.unwrap().id, id("a"));
    assert_eq!((&after[0].id, after[0].shown_id(), method_ids(&after[0])), (&id("a"), &id("a-shown"), ids(["b"])));
    assert_eq!(unlink(&after[0], &id("a")), Unlinked::NotLinked, "no method has that id any more");
    let Unlinked::Now { after: last, deleted, signed_out } = unlink(&after[0], &id("b")) else { panic!() };
    assert_eq!(last, [User::new(method("b", 2))]);
    assert_eq!((deleted, signed_out), (None, ids(["a", "b"])), "the group's id ends");
}

#[test]
fn the_only_method_of_a_primary_user_stops_being_primary() {
    let Unlinked::Now { after, deleted, .. } = unlink(&group(&["a"]), &id("a")) else { panic!() };
    assert_eq!((after, deleted), (vec![User::new(method("a", 1))], None));
    assert_eq!(unlink(&User::new(method("a", 1)), &id("a")), Unlinked::NotLinked);
}

#[test]
fn deletion_of_a_group_takes_all_its_methods() {
    for given in ["a", "b"] {
        let all = delete(&group(&["a", "b"]), &id(given), Extent::Group).unwrap();
        assert_eq!(all, Deletion { after: None, methods: ids(["a", "b"]), forgotten: ids(["a", "b"]) });
    }
}

#[test]
fn deletion_of_a_method_keeps_what_the_group_keeps_under_its_id() {
    let linked = delete(&group(&["a", "b", "c"]), &id("b"), Extent::Method).unwrap();
    assert_eq!((linked.methods, linked.forgotten), (ids(["b"]), ids(["b"])));
    assert_eq!(method_ids(&linked.after.unwrap()), ids(["a", "c"]));

    let founder = delete(&group(&["a", "b"]), &id("a"), Extent::Method).unwrap();
    assert_eq!((founder.methods, founder.forgotten), (ids(["a"]), ids([])));
    let rest = founder.after.unwrap();
    assert_eq!((&rest.id, rest.shown_id()), (&id("a"), &id("a-shown")));
    assert_eq!(delete(&rest, &id("a"), Extent::Method), None);

    let last = delete(&rest, &id("b"), Extent::Method).unwrap();
    assert_eq!(last, Deletion { after: None, methods: ids(["b"]), forgotten: ids(["a", "b"]) });
}
