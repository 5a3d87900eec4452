//! Signing keys: states and the rules of publication, use, retirement.
