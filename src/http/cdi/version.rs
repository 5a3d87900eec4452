//! CDI versions end here: existence in the route, shape in [`Wire`], behaviour as an explicit field of the command.

/// A supported CDI version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CdiVersion {
    /// Before the dot.
    pub major: u16,
    /// After the dot.
    pub minor: u16,
}

/// Every version difference in the shape of replies and requests, as a named fact.
#[derive(Debug, Clone, Copy)]
pub struct Wire {}
