//! Figures about sign-ups.

use crate::domain::user::RecipeId;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// People who signed up themselves, without imported users. Each recipe has its own counter, resolved once.
pub struct SignUpFigures {
    recipes: [(RecipeId, Counter); RecipeId::ALL.len()],
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RecipeLabels {
    recipe: &'static str,
}

impl SignUpFigures {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let family: Family<RecipeLabels, Counter> = Family::default();
        registry.register("sign_ups", "Sign-ups by recipe, without imports", family.clone());
        let counter = |recipe: RecipeId| family.get_or_create(&RecipeLabels { recipe: recipe.as_str() }).clone();
        Self { recipes: RecipeId::ALL.map(|recipe| (recipe, counter(recipe))) }
    }

    /// Counts one sign-up.
    pub fn count(&self, recipe: RecipeId) {
        if let Some((_, counter)) = self.recipes.iter().find(|(known, _)| *known == recipe) {
            counter.inc();
        }
    }
}
