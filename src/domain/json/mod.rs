//! A caller's JSON: objects kept as text and parsed only where a rule looks inside, and a tree for those rules.

mod object;
mod raw;
mod tree;

pub use object::{JsonObject, as_text};
pub use raw::{MemberName, RawMembers, put_text};
pub use tree::{Json, JsonFlaw, Members};
