//! Queries and forms of requests to providers.

use super::config::Params;

/// Names and values in the order of a query or form; setting one keeps its place.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// The pairs of an encoded text.
    #[must_use]
    pub fn parse(encoded: &str) -> Self {
        Self(form_urlencoded::parse(encoded.as_bytes()).into_owned().collect())
    }

    /// Sets a value, in place of every earlier one.
    pub fn set(&mut self, name: &str, value: &str) {
        match self.0.iter().position(|(other, _)| other == name) {
            None => self.0.push((name.to_owned(), value.to_owned())),
            Some(place) => {
                let mut index = 0;
                self.0.retain(|(other, _)| {
                    index += 1;
                    other != name || index == place + 1
                });
                if let Some(slot) = self.0.get_mut(place) {
                    value.clone_into(&mut slot.1);
                }
            }
        }
    }

    /// Sets the parameters that have a value and removes the others.
    pub fn apply(&mut self, params: &Params) {
        for (name, value) in params {
            match value {
                Some(value) => self.set(name, value),
                None => self.0.retain(|(other, _)| other != name),
            }
        }
    }

    /// The encoded text.
    #[must_use]
    pub fn encode(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }
}

/// `url` after `change` of its query. A fragment is dropped.
#[must_use]
pub fn with_query(url: &str, change: impl FnOnce(&mut Query)) -> String {
    let url = url.split_once('#').map_or(url, |(url, _)| url);
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let mut query = Query::parse(query);
    change(&mut query);
    let query = query.encode();
    if query.is_empty() { base.to_owned() } else { format!("{base}?{query}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_keeps_its_order_and_each_name_once() {
        let url = with_query("https://op.test/a?x=1&y=2&x=3#top", |query| {
            query.set("x", "é &");
            query.apply(&vec![("y".to_owned(), None), ("z".to_owned(), Some(String::new()))]);
        });
        assert_eq!(url, "https://op.test/a?x=%C3%A9+%26&z=");
        assert_eq!(
            with_query("https://op.test/a?y=2", |query| query.apply(&vec![("y".to_owned(), None)])),
            "https://op.test/a"
        );
    }
}
