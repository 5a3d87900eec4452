//! [`MemberReader`]: reads the members of a user's JSON one by one.

use crate::domain::ids::TenantId;
use crate::domain::json::{Json, Members};
use crate::domain::password::HashFamily;
use crate::domain::time::UnixMillis;
use crate::domain::userroles::RoleName;

/// What a user's fields are checked against.
pub struct Known<'a> {
    /// Whether the app has this tenant.
    pub has_tenant: &'a (dyn Fn(&TenantId) -> bool + Sync),
    /// Whether the app has this role.
    pub has_role: &'a (dyn Fn(&RoleName) -> bool + Sync),
    /// Whether the text is a hash of this family that can be verified.
    pub is_hash: &'a (dyn Fn(&str, HashFamily) -> bool + Sync),
    /// The present.
    pub now: UnixMillis,
}

/// Longest text of most fields, in characters.
pub(in crate::domain) const MAX_LENGTH: usize = 256;

/// Reads members and collects the errors in them.
pub(in crate::domain) struct MemberReader<'a> {
    pub(super) known: &'a Known<'a>,
    pub(super) errors: Vec<String>,
}

impl MemberReader<'_> {
    pub(in crate::domain) fn wrong(&mut self, sentence: impl Into<String>) {
        self.errors.push(sentence.into());
    }

    /// A member of this type. `suffix` ends the error sentence and says what the member belongs to.
    pub(in crate::domain) fn member<'v, T>(
        &mut self,
        members: &'v Members,
        (name, kind): (&str, &str),
        suffix: &str,
        read: impl FnOnce(&'v Json) -> Option<T>,
    ) -> Option<T> {
        let read = read(members.get(name)?);
        if read.is_none() {
            self.wrong(format!("{name} should be of type {kind}{suffix}"));
        }
        read
    }

    pub(in crate::domain) fn require(&mut self, members: &Members, name: &str, suffix: &str) {
        if members.get(name).is_none() {
            self.wrong(format!("{name} is required{suffix}"));
        }
    }

    pub(in crate::domain) fn text<'v>(&mut self, members: &'v Members, name: &str, suffix: &str) -> Option<&'v str> {
        self.member(members, (name, "string"), suffix, filled)
    }

    pub(in crate::domain) fn required_text<'v>(
        &mut self,
        members: &'v Members,
        name: &str,
        suffix: &str,
    ) -> Option<&'v str> {
        self.require(members, name, suffix);
        self.text(members, name, suffix)
    }

    pub(in crate::domain) fn flag(&mut self, members: &Members, name: &str, suffix: &str) -> bool {
        self.member(members, (name, "boolean"), suffix, Json::as_bool).unwrap_or_default()
    }

    pub(in crate::domain) fn integer(&mut self, members: &Members, name: &str, suffix: &str) -> Option<i64> {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "cutting the fraction is the rule; ranges are checked later"
        )]
        let whole = |value: &Json| value.as_i64().or_else(|| value.as_f64().map(|float| float as i64));
        self.member(members, (name, "integer"), suffix, whole)
    }

    pub(in crate::domain) fn object<'v>(&mut self, members: &'v Members, name: &str) -> Option<&'v Members> {
        self.member(members, (name, "object"), ".", Json::as_object)
    }

    pub(in crate::domain) fn objects<'v>(&mut self, members: &'v Members, name: &str) -> Option<Vec<&'v Members>> {
        let read = |value: &'v Json| value.as_array()?.iter().map(Json::as_object).collect();
        self.member(members, (name, "array of object"), ".", read)
    }

    pub(in crate::domain) fn texts<'v>(
        &mut self,
        members: &'v Members,
        name: &str,
        suffix: &str,
    ) -> Option<Vec<&'v str>> {
        let read = |value: &'v Json| value.as_array()?.iter().map(filled).collect();
        self.member(members, (name, "array of string"), suffix, read)
    }

    /// Reports a text that is longer than `max` characters; `shown` is its name in the error.
    pub(in crate::domain) fn bounded(&mut self, text: &str, shown: &str, max: usize, stated: usize) {
        if text.chars().count() > max {
            self.wrong(format!("{shown} is too long. Max length is {stated}."));
        }
    }
}

fn filled(value: &Json) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}
