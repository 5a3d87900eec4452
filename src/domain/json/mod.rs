//! A caller's JSON: objects that are kept as text and parsed only where a rule needs their content, and a tree for
//! those rules.

mod object;
mod raw;
pub mod reader;
mod tree;

pub use object::{JsonObject, as_text};
pub use raw::{MemberName, RawMembers, put_text};
pub use tree::{Json, JsonFlaw, Members};
