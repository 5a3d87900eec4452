//! What the server grants to its peers, and what it does with those who want more.
