//! FDI versions: what a frontend SDK speaks (protocol: 20, 1.1).

/// The version that a request is answered in: the highest one that the client names, or the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FdiVersion {
    /// Whether `shouldTryLinkingWithSessionUser` is read; before FDI 3.1 clients did not say.
    pub has_linking_flag: bool,
    /// Whether users are shown with all their login methods; in FDI 1.17 and below, and in 2.0, as one.
    pub users_have_login_methods: bool,
}

impl FdiVersion {
    /// The version of a request with this `fdi-version`, a comma-separated list. Nothing is refused: text that is no
    /// version counts as 0.
    #[must_use]
    pub fn of(header: Option<&str>) -> Self {
        let named = header.and_then(|list| list.split(',').max_by(|a, b| numbers(a).cmp(numbers(b))));
        let Some(version) = named else { return Self { has_linking_flag: true, users_have_login_methods: true } };
        let is_from = |earliest: &[u32]| numbers(version).ge(earliest.iter().copied());
        let old_line = numbers(version).next() == Some(1) && is_from(&[1, 18]);
        Self { has_linking_flag: is_from(&[3, 1]), users_have_login_methods: old_line || is_from(&[3]) }
    }
}

fn numbers(version: &str) -> impl Iterator<Item = u32> + '_ {
    version.split('.').map(|part| part.trim().parse().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::FdiVersion;

    #[test]
    fn the_highest_version_counts() {
        for (header, flag, methods) in [
            (None, true, true),
            (Some("3.1,4.0,4.1,4.2"), true, true),
            (Some("1.16,1.17,1.18,1.19,2.0,3.0,3.1"), true, true),
            (Some("3.0"), false, true),
            (Some("2.0"), false, false),
            (Some("1.17"), false, false),
            (Some("1.19"), false, true),
            (Some("10.0"), true, true),
            (Some("nonsense"), false, false),
            (Some(""), false, false),
        ] {
            let version = FdiVersion::of(header);
            assert_eq!((version.has_linking_flag, version.users_have_login_methods), (flag, methods), "{header:?}");
        }
    }
}
