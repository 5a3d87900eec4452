//! Lists of users: order, position in a list, which recipes.

use super::{RecipeId, User};
use crate::domain::ids::UserId;
use crate::domain::time::UnixMillis;
use std::collections::{BTreeSet, HashSet};

/// Direction of a list by time joined. Users who joined in the same millisecond are listed by id, descending, in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Oldest first.
    Ascending,
    /// Newest first.
    Descending,
}

/// A position in a list of users. The user that was at this position may be gone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// When the user joined.
    pub time_joined: UnixMillis,
    /// The group's internal id.
    pub id: UserId,
}

/// The recipes to list: users with a login method of one of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipes(BTreeSet<RecipeId>);

impl Recipes {
    /// Users of any recipe.
    #[must_use]
    pub fn all() -> Self {
        RecipeId::ALL.into_iter().collect()
    }

    /// The recipes.
    pub fn iter(&self) -> impl Iterator<Item = RecipeId> + '_ {
        self.0.iter().copied()
    }

    /// Whether this recipe is one of them.
    #[must_use]
    pub fn contains(&self, recipe: RecipeId) -> bool {
        self.0.contains(&recipe)
    }
}

impl FromIterator<RecipeId> for Recipes {
    fn from_iter<T: IntoIterator<Item = RecipeId>>(recipes: T) -> Self {
        Self(recipes.into_iter().collect())
    }
}

/// Whether no login method occurs in two of these users. One that does was linked or unlinked while they were read.
pub fn are_apart<'a>(users: impl Iterator<Item = &'a User> + Clone) -> bool {
    if users.clone().all(|user| user.methods.len() <= 1) {
        return true;
    }
    let mut seen = HashSet::new();
    users.flat_map(|user| &user.methods).all(|method| seen.insert(&method.id))
}
