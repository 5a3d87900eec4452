//! An application's metadata about a user: one JSON object.

use super::json::JsonObject;
use indexmap::IndexMap;

/// `current` with the members of `update` replacing its own (CDI: user metadata).
///
/// Shallow: a member is replaced as a whole; `null` at the top level removes it, and `null` further inside is an
/// ordinary value. Replaced members move to the end.
#[must_use]
pub fn merged(current: &JsonObject, update: &JsonObject) -> JsonObject {
    let mut members: IndexMap<_, _> = current.members().into_iter().collect();
    for (name, value) in update.members() {
        members.shift_remove(&name);
        if value.get() != "null" {
            members.insert(name, value);
        }
    }
    members.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merge(current: &str, update: &str) -> String {
        merged(&JsonObject::from_stored(current.to_owned()), &JsonObject::parse(update).unwrap()).as_str().to_owned()
    }

    #[test]
    fn members_are_replaced_whole_and_move_to_the_end() {
        let update = r#"{"a": {"y": 2}, "c": true}"#;
        assert_eq!(merge(r#"{"a":{"x":1},"b":[1]}"#, update), r#"{"b":[1],"a":{"y":2},"c":true}"#);
    }

    #[test]
    fn null_removes_at_the_top_only() {
        let update = r#"{"a": null, "never": null, "b": {"inner": null}, "c": [null]}"#;
        assert_eq!(
            merge(r#"{"a":1,"b":2,"d":{"kept":null}}"#, update),
            r#"{"d":{"kept":null},"b":{"inner":null},"c":[null]}"#
        );
    }

    #[test]
    fn nothing_changes_nothing_and_the_last_member_leaves_an_empty_object() {
        assert_eq!(merge(r#"{"a":1}"#, "{}"), r#"{"a":1}"#);
        assert_eq!(merge(r#"{"a":1}"#, r#"{"a": null}"#), "{}");
    }

    #[test]
    fn numbers_beside_the_change_stay_as_they_were_written() {
        let current = r#"{"a":1000000000000000000000001,"b":1e2,"\u00e9":-0}"#;
        assert_eq!(merge(current, r#"{"c":1.00}"#), r#"{"a":1000000000000000000000001,"b":1e2,"é":-0,"c":1.00}"#);
    }
}
