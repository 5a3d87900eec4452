//! CDI versions end here: whether a route exists is decided by the route, the shape of replies by [`Wire`], behaviour
//! by an explicit field of the command.

use crate::config::validate::CDI_VERSIONS;
use crate::domain::session::{AccessTokenVersion, RefreshPolicy};
use crate::http::error::ApiError;
use std::cmp::Ordering;

/// A supported CDI version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CdiVersion {
    /// The number before the dot.
    pub major: u16,
    /// The number after the dot.
    pub minor: u16,
}

/// Every supported version with its only accepted spelling, lowest first. These are the versions that settings may
/// name.
const SUPPORTED: [(&str, CdiVersion); CDI_VERSIONS.len()] = {
    let mut table = [("", CdiVersion::new(0, 0)); CDI_VERSIONS.len()];
    let (mut slots, mut spellings): (&mut [_], &[&'static str]) = (&mut table, &CDI_VERSIONS);
    while let ([slot, slots_left @ ..], [spelling, spellings_left @ ..]) = (slots, spellings) {
        *slot = (*spelling, CdiVersion::of_digits(spelling.as_bytes()));
        (slots, spellings) = (slots_left, spellings_left);
    }
    table
};

impl CdiVersion {
    /// Flat access tokens; handshake, id-refresh tokens and key info are gone.
    pub const V2_21: Self = Self::new(2, 21);
    /// Tenants in the path.
    pub const V3_0: Self = Self::new(3, 0);
    /// Account linking: `recipeUserId`.
    pub const V4_0: Self = Self::new(4, 0);
    /// App routes refuse tenants.
    pub const V5_0: Self = Self::new(5, 0);
    /// Second generation of the multitenancy endpoints.
    pub const V5_1: Self = Self::new(5, 1);
    /// Rotation at refresh, stateless verify.
    pub const V5_6: Self = Self::new(5, 6);
    /// The highest version supported here.
    pub const LATEST: Self = Self::V5_6;

    const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }

    /// Parses a version written as digits, a dot and digits.
    const fn of_digits(mut text: &[u8]) -> Self {
        let mut version = Self::new(0, 0);
        while let [first, rest @ ..] = text {
            if *first == b'.' {
                version = Self::new(version.minor, 0);
            } else {
                version.minor = version.minor * 10 + (*first - b'0') as u16;
            }
            text = rest;
        }
        version
    }

    /// The version with exactly this spelling, if it is supported.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        SUPPORTED.iter().find(|(spelling, _)| *spelling == text).map(|(_, version)| *version)
    }

    /// The spellings of the supported versions up to and including `max`, lowest first.
    pub fn supported_up_to(max: Self) -> impl Iterator<Item = &'static str> {
        SUPPORTED.iter().filter(move |(_, version)| *version <= max).map(|(spelling, _)| *spelling)
    }
}

/// The result of negotiating a request's `cdi-version` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Negotiated {
    /// The version to use. For an unlisted number: the highest supported version below it.
    pub version: CdiVersion,
    /// False for a well-formed number that is not in the supported list (2.6, 5.4.0).
    pub listed: bool,
}

/// Chooses the version for a request (CDI: common rules, version errors).
///
/// `max` and `min` are the app's bounds as configured.
///
/// # Errors
/// 400 with the protocol's sentence when the header is malformed or outside the bounds.
pub fn negotiate(header: Option<&str>, max: Option<&str>, min: Option<&str>) -> Result<Negotiated, ApiError> {
    let highest = max.and_then(CdiVersion::parse).unwrap_or(CdiVersion::LATEST);
    let Some(sent) = header else {
        return Ok(Negotiated { version: highest, listed: true });
    };
    if let Some(version) = CdiVersion::parse(sent)
        && version <= highest
        && min.and_then(CdiVersion::parse).is_none_or(|lowest| version >= lowest)
    {
        return Ok(Negotiated { version, listed: true });
    }
    refuse_or_approximate(sent, highest, min)
}

/// 400 for a number above the bound or outside the list.
#[must_use]
pub fn not_supported(sent: &str) -> ApiError {
    ApiError::bad_request(format!("cdi-version {sent} not supported"))
}

/// The rare part of [`negotiate`]: numbers outside the list or the bounds.
fn refuse_or_approximate(sent: &str, highest: CdiVersion, min: Option<&str>) -> Result<Negotiated, ApiError> {
    let number = Number::parse(sent).ok_or_else(|| ApiError::bad_request("cdi-version header is invalid"))?;
    if number.cmp_to(highest) == Ordering::Greater {
        return Err(not_supported(sent));
    }
    if let Some((spelling, lowest)) = min.and_then(|text| Some((text, CdiVersion::parse(text)?)))
        && number.cmp_to(lowest) == Ordering::Less
    {
        let sentence = format!("cdi-version {sent} is lower than the minimum allowed version {spelling}");
        return Err(ApiError::bad_request(sentence));
    }
    let below = SUPPORTED.iter().rev().map(|(_, version)| *version);
    let version = below.into_iter().find(|version| number.cmp_to(*version) != Ordering::Less);
    // invariant: the list is not empty; anything below its first entry gets that one
    Ok(Negotiated { version: version.unwrap_or(CdiVersion::new(2, 7)), listed: false })
}

/// Any well-formed version number, of any number of components.
struct Number(Vec<u32>);

impl Number {
    /// `[0-9]+(\.[0-9]+)*`, each component in the range of the original's integers.
    fn parse(text: &str) -> Option<Self> {
        text.split('.').map(Self::component).collect::<Option<Vec<_>>>().map(Self)
    }

    fn component(text: &str) -> Option<u32> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i32>().ok().filter(|_| digits)?.try_into().ok()
    }

    /// Numeric order per component; a missing component counts as 0.
    fn cmp_to(&self, version: CdiVersion) -> Ordering {
        let own = self.0.iter().copied().chain(std::iter::repeat(0));
        let length = self.0.len().max(2);
        let other = [u32::from(version.major), u32::from(version.minor)];
        own.take(length).cmp(other.into_iter().chain(std::iter::repeat(0)).take(length))
    }
}

/// Declares [`Wire`]: one line per fact.
macro_rules! facts {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $of:expr;)*) => {
        /// Every version difference in the shape of replies and requests, as a named fact.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct Wire {
            $($(#[$doc])* pub $name: $type,)*
        }

        impl Wire {
            /// The facts of one version.
            #[must_use]
            pub fn of(version: CdiVersion) -> Self {
                // Names the type, so that closures know their argument.
                const fn fact<T>(of: impl Fn(CdiVersion) -> T + Copy) -> impl Fn(CdiVersion) -> T {
                    of
                }
                Self { $($name: fact($of)(version),)* }
            }
        }
    };
}

facts! {
    /// App routes answer 403 when the path names a tenant.
    app_routes_refuse_tenants: bool = since(CdiVersion::V5_0);
    /// `session` has `tenantId`.
    session_has_tenant_id: bool = since(CdiVersion::V3_0);
    /// `session` has `recipeUserId`.
    session_has_recipe_user_id: bool = since(CdiVersion::V4_0);
    /// Create and refresh answer with `idRefreshToken`.
    id_refresh_token: bool = before(CdiVersion::V2_21);
    /// Create and verify answer with `jwtSigningPublicKey` and its expiry.
    legacy_key_info: bool = before(CdiVersion::V2_21);
    /// The key info has `jwtSigningPublicKeyList`.
    key_list: bool = between(CdiVersion::new(2, 9), CdiVersion::V2_21);
    /// Verify requires `checkDatabase`; below, `access_token_blacklisting` decides.
    requires_check_database: bool = since(CdiVersion::V2_21);
    /// Create takes `useDynamicSigningKey`; below, `access_token_signing_key_dynamic` decides.
    create_chooses_signing_key: bool = since(CdiVersion::V2_21);
    /// How refresh treats `useDynamicSigningKey`.
    refresh_signing_key: Presence = |version| match version {
        _ if version >= CdiVersion::V5_0 => Presence::Required,
        _ if version >= CdiVersion::V3_0 => Presence::Optional,
        _ => Presence::Ignored,
    };
    /// Create and refresh take `accessTokenValidity`.
    access_token_validity_override: bool = since(CdiVersion::V5_6);
    /// Replies to a reused refresh token name `recentTokenReuseSubtype`.
    reuse_has_subtype: bool = since(CdiVersion::V5_6);
    /// Replacing a payload refuses protected claim names.
    payload_updates_are_checked: bool = since(CdiVersion::V2_21);
    /// First-generation tenants have factor lists.
    tenants_have_factors: bool = since(CdiVersion::V5_0);
    /// `POST /recipe/jwt` takes `useStaticSigningKey`.
    jwt_chooses_signing_key: bool = since(CdiVersion::V2_21);
    /// A new user id mapping takes verified addresses along instead of being refused.
    mapping_moves_verification: bool = since(CdiVersion::V4_0);
    /// The layout of minted access tokens.
    access_token_version: AccessTokenVersion = |version| match version {
        _ if version >= CdiVersion::V4_0 => AccessTokenVersion::V5,
        _ if version >= CdiVersion::V3_0 => AccessTokenVersion::V4,
        _ if version >= CdiVersion::V2_21 => AccessTokenVersion::V3,
        _ => AccessTokenVersion::V2,
    };
    /// The refresh policy, which also determines how verify works.
    refresh_policy: RefreshPolicy = |version| if version >= CdiVersion::V5_6 {
        RefreshPolicy::RotateOnRefresh
    } else {
        RefreshPolicy::PromoteOnUse
    };
    /// Users are persons with `loginMethods`, and replies give the `recipeUserId` next to them; before, a user is one
    /// login method.
    users_have_login_methods: bool = since(CdiVersion::V4_0);
    /// Whether a tenant has the recipe switched on is checked when a user signs up or in.
    recipes_may_be_switched_off: bool = before(CdiVersion::V5_1);
    /// `POST /recipe/user/password/reset` answers with `userId`.
    password_reset_names_user: bool = since(CdiVersion::new(2, 12));
    /// Whether `POST /recipe/signinup` reads `email.isVerified`.
    provider_tells_verified: Presence = |version| match version {
        _ if version >= CdiVersion::V4_0 => Presence::Required,
        _ if version >= CdiVersion::new(2, 8) => Presence::Ignored,
        _ => Presence::Required,
    };
    /// Using a passwordless code verifies the e-mail address it was sent to.
    codes_confirm_email: bool = since(CdiVersion::V4_0);
    /// `POST /recipe/signinup/code/consume` answers with `consumedDevice`.
    shows_consumed_device: bool = since(CdiVersion::V5_0);
    /// `POST /recipe/signinup/code/remove` also takes a `preAuthSessionId`.
    codes_go_by_device: bool = since(CdiVersion::V5_0);
    /// Users have `tenantIds`.
    users_have_tenant_ids: bool = since(CdiVersion::V3_0);
    /// Users and login methods have `webauthn`.
    users_have_webauthn: bool = since(CdiVersion::new(5, 3));
    /// `POST /recipe/dashboard/session/verify` answers with `email`.
    dashboard_names_user: bool = since(CdiVersion::V3_0);
    /// `GET /users/count` takes `allowApproximate`.
    counts_may_be_approximate: bool = since(CdiVersion::V5_6);
    /// Replies to refused one-time codes include the number of attempts.
    totp_counts_attempts: bool = since(CdiVersion::V5_0);
}

/// True from this version on.
const fn since(first: CdiVersion) -> impl Fn(CdiVersion) -> bool + Copy {
    move |version| version >= first
}

/// True for all versions before this one.
const fn before(first: CdiVersion) -> impl Fn(CdiVersion) -> bool + Copy {
    move |version| version < first
}

/// True from one version until before another one.
const fn between(first: CdiVersion, end: CdiVersion) -> impl Fn(CdiVersion) -> bool + Copy {
    move |version| version >= first && version < end
}

/// Whether a field is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// The field is not read.
    Ignored,
    /// The field is read if present.
    Optional,
    /// The field must be present.
    Required,
}
