//! What an application notes about a user: one JSON object.

use super::json::JsonObject;
use serde_json::{Map, Value};

/// `current` with the members of `update` in place of its own (CDI: user metadata).
///
/// Shallow: a member is replaced as a whole, `null` at the top removes it, `null` further inside is a value like any
/// other. Replaced members move to the end.
#[must_use]
pub fn merged(current: &JsonObject, update: Map<String, Value>) -> JsonObject {
    let mut members = current.to_map().unwrap_or_default();
    for (name, value) in update {
        members.shift_remove(&name);
        if !value.is_null() {
            members.insert(name, value);
        }
    }
    JsonObject::from_map(&members)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn merge(current: &str, update: Value) -> String {
        let Value::Object(update) = update else { panic!("an object") };
        merged(&JsonObject::from_stored(current.to_owned()), update).as_str().to_owned()
    }

    #[test]
    fn members_are_replaced_whole_and_move_to_the_end() {
        let update = json!({"a": {"y": 2}, "c": true});
        assert_eq!(merge(r#"{"a":{"x":1},"b":[1]}"#, update), r#"{"b":[1],"a":{"y":2},"c":true}"#);
    }

    #[test]
    fn null_removes_at_the_top_only() {
        let update = json!({"a": null, "never": null, "b": {"inner": null}, "c": [null]});
        assert_eq!(
            merge(r#"{"a":1,"b":2,"d":{"kept":null}}"#, update),
            r#"{"d":{"kept":null},"b":{"inner":null},"c":[null]}"#
        );
    }

    #[test]
    fn nothing_changes_nothing_and_the_last_member_leaves_an_empty_object() {
        assert_eq!(merge(r#"{"a":1}"#, json!({})), r#"{"a":1}"#);
        assert_eq!(merge(r#"{"a":1}"#, json!({"a": null})), "{}");
    }
}
