//! The session recipe.

use crate::http::route::Route;

/// Routes of this recipe.
pub const ROUTES: &[Route] = &[];
