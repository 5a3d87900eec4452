//! [`TokenParts`]: a token's text split into its parts.

use super::{MAX_TOKEN, TokenRefusal};
use crate::domain::session::AccessTokenVersion;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// A token's three parts, and the text that is signed.
pub(super) struct TokenParts<'a> {
    pub(super) header: &'a str,
    pub(super) payload: &'a str,
    pub(super) signature: &'a str,
    pub(super) signed: &'a str,
}

impl<'a> TokenParts<'a> {
    pub(super) fn split(token: &'a str) -> Result<Self, TokenRefusal> {
        if token.len() > MAX_TOKEN {
            return Err(TokenRefusal::Unparsable);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenRefusal::Unparsable)?;
        let (header, payload) = signed.split_once('.').ok_or(TokenRefusal::Unparsable)?;
        if payload.contains('.') {
            return Err(TokenRefusal::Unparsable);
        }
        Ok(Self { header, payload, signature, signed })
    }

    pub(super) fn payload_bytes(&self, version: AccessTokenVersion) -> Result<Vec<u8>, TokenRefusal> {
        let decoded = match version {
            AccessTokenVersion::V1 | AccessTokenVersion::V2 => STANDARD.decode(self.payload),
            _ => URL_SAFE_NO_PAD.decode(self.payload),
        };
        decoded.map_err(|_| TokenRefusal::Unparsable)
    }
}
