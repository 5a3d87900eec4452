//! [`Anomaly`]: the signs of a set-up in which sessions do not work as they should, each with its cause and the way
//! out.

/// Declares the anomalies: name, how many times one has to be seen before it is told, cause, way out.
macro_rules! anomalies {
    ($($(#[$doc:meta])* $variant:ident, $name:literal, $from:literal, $cause:literal, $way_out:literal;)*) => {
        /// A sign of a set-up in which sessions do not work as they should.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Anomaly {
            $($(#[$doc])* $variant,)*
        }

        impl Anomaly {
            /// Every anomaly, in the order in which they are told.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// The name, for scripts and for the documentation.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// How many times it has to be seen before it is told: once can be an odd browser.
            #[must_use]
            pub const fn told_from(self) -> u64 {
                match self { $(Self::$variant => $from,)* }
            }

            /// What it means, in a sentence.
            #[must_use]
            pub const fn cause(self) -> &'static str {
                match self { $(Self::$variant => $cause,)* }
            }

            /// What to do about it, in a sentence.
            #[must_use]
            pub const fn way_out(self) -> &'static str {
                match self { $(Self::$variant => $way_out,)* }
            }
        }
    };
}

anomalies! {
    /// A page of an origin that is not in the list.
    OriginNotAllowed, "origin-not-allowed", 1,
        "Pages of an origin that is not in website_domain call the front door; browsers do not let them read the replies.",
        "If the pages are yours, add their origin to website_domain, exactly as the browser shows it: scheme, host, port.";
    /// A browser's request with a host that is no front door's.
    HostUnknown, "host-unknown", 1,
        "Browsers reach the front door under a host that is not in any app's api_domain.",
        "Set api_domain to what browsers use, and have the proxy pass on their Host header (nginx: proxy_set_header Host $host).";
    /// A host that two apps have.
    FrontHostShared, "front-host-shared", 1,
        "Two apps have the same host for their front doors, in api_domain or front_tenant_hosts: one of them gets no \
         requests there.",
        "Give each app hosts of its own; api_domain comes before front_tenant_hosts, and a named host before a pattern.";
    /// A path that names another tenant than the host's.
    TenantOfOtherHost, "tenant-of-other-host", 1,
        "Pages on a tenant's host name another tenant in the path; such requests are refused.",
        "Make the frontend's getTenantId answer the tenant of the host, or nothing; see front_tenant_hosts.";
    /// Browsers use https, and the settings say http.
    HttpsUnknown, "https-unknown", 1,
        "Browsers reach the front door by https, but its address in the settings is http: its own pages count as \
         strangers', and cookies are not Secure.",
        "Set api_domain to the https address that browsers use.";
    /// An https page has its front door at http, by the settings: browsers send no such requests.
    HttpApiOfHttpsPage, "http-api-of-https-page", 1,
        "A website in the settings has https, and the front door http: browsers block such calls, and nothing of them arrives.",
        "Give the front door TLS, in a proxy for example, and set api_domain to the https address.";
    /// Cookies without `Secure` where there is TLS.
    CookieNotSecure, "cookie-not-secure", 1,
        "cookie_secure is false although api_domain is https: session cookies also travel over http, where others can read them.",
        "Set cookie_secure to auto or true.";
    /// Cookies of a domain that the host does not belong to.
    CookieDomainForeign, "cookie-domain-foreign", 1,
        "Session cookies are set for cookie_domain by a host outside of it: browsers throw them away, and nobody stays signed in.",
        "Set cookie_domain to a domain that contains the host of the front door as browsers see it, or leave it out.";
    /// A website on another site, whose requests carry no such cookies.
    SameSiteTooStrict, "same-site-too-strict", 1,
        "A website on another site than the front door gets cookies that browsers do not send with its requests, because \
         of cookie_same_site.",
        "Move the front door to a sub-domain of the website, or leave cookie_same_site to auto, or use header mode.";
    /// `SameSite=None` without TLS.
    SameSiteNoneInsecure, "same-site-none-insecure", 1,
        "Cookies need SameSite=None, which browsers accept from https only; sign-ins are refused.",
        "Serve the front door by https and leave cookie_secure to auto, or move it to a sub-domain of the website.";
    /// A refresh without the refresh token's cookie.
    RefreshCookieMissing, "refresh-cookie-missing", 1,
        "Browsers send the access token's cookie with a refresh, but not the refresh token's: its path is not that of the call.",
        "Make api_base_path and api_gateway_path equal to the frontend's apiBasePath and apiGatewayPath, and have no proxy \
         rewrite the path.";
    /// A sign-in or a refresh under a path that is not the front door's.
    PathUnknown, "path-unknown", 1,
        "Browsers ask for a refresh, or to sign in, under a path that is not the front door's.",
        "Make api_base_path and api_gateway_path equal to the frontend's apiBasePath and apiGatewayPath, and have no proxy \
         rewrite the path.";
    /// Several cookies of one name.
    DuplicateCookies, "duplicate-cookies", 1,
        "Browsers send two session cookies of one name: those of an earlier cookie_domain are still there, or another \
         application sets the same ones.",
        "Set older_cookie_domain to the earlier value (host-only if there was none); keep applications with sessions of \
         their own under different domains.";
    /// No cookies of another site after a sign-in.
    ThirdPartyCookiesBlocked, "third-party-cookies-blocked", 3,
        "Pages of another site than the front door's, or in a frame of one, sign in and come back without cookies: their \
         browsers block third-party cookies.",
        "Move the front door to a sub-domain of the website, and show it in no other site's frame; or use header mode, in \
         frames with handlers that keep the tokens in memory (docs/front-door.md).";
    /// No cookies after a sign-in.
    CookiesNotSent, "cookies-not-sent", 3,
        "Pages sign in and come back without the session's cookies: a proxy removes Cookie or Set-Cookie, or browsers \
         refuse them.",
        "Have the proxy pass on both headers, and let pages use the front door by its own scheme: Secure cookies need https.";
    /// No `Authorization` header after a sign-in in header mode.
    AuthorizationMissing, "authorization-missing", 3,
        "Pages in header mode sign in and come back without a token: a proxy removes Authorization from requests, or \
         st-refresh-token from replies.",
        "Have the proxy pass on all headers, and keep HTTP authentication off these paths.";
    /// Signing in again and again.
    SignInUnnoticed, "sign-in-unnoticed", 3,
        "People sign in again seconds after they did: their pages have not noticed. The header front-token does not \
         reach the page, because a proxy removes it, or its name from Access-Control-Expose-Headers.",
        "Have the proxy pass on all headers of replies, and let it add no CORS headers of its own.";
    /// Tokens from the future.
    ClocksApart, "clocks-apart", 1,
        "Tokens arrive that were made in the future: the clock of this machine was set back, or another server with the \
         same keys has a different time.",
        "Have all machines follow a time server (NTP).";
    /// Refreshes of tokens that have just been made.
    RefreshTooEarly, "refresh-too-early", 5,
        "Browsers refresh tokens that have just been made: their clocks are ahead and their frontend SDK is too old to \
         notice, the page refreshes by itself, or a proxy removes st-access-token from replies.",
        "Update the frontend SDK, call attemptRefreshingSession only where something has changed, and have the proxy pass \
         on all headers of replies.";
    /// No `rid` header where it is needed.
    RidMissing, "rid-missing", 1,
        "Requests with session cookies lack the rid header that anti_csrf VIA_CUSTOM_HEADER asks for: pages send them \
         without the SDK, or a proxy removes the header.",
        "Send rid with every request that is not a GET, which the SDKs do by themselves, and have the proxy pass it on.";
    /// Tokens of another server.
    UnknownKey, "unknown-key", 1,
        "Access tokens that have not expired name a signing key that this app does not have: they come from another \
         server, from an older copy of the data, or their key was revoked.",
        "Give each environment cookies of its own (api_domain, cookie_domain), and check which server the application and \
         its JWKS address belong to.";
    /// Somebody else reports the person's address.
    ProxyNotTrusted, "proxy-not-trusted", 1,
        "A proxy reports the addresses of browsers, but is not in trusted_proxies: everybody counts as the proxy, in limits \
         and in logs.",
        "Add the proxy's address to trusted_proxies.";
    /// A gate whose address does not say what is required.
    GateAskedWrongly, "gate-asked-wrongly", 1,
        "A proxy asks the gate in a way that it does not understand, and every request through that proxy is refused: a \
         requirement is misspelt, or a header is missing.",
        "Correct the gate's address, or add the headers, as in the documentation's configuration of that proxy (docs/gate).";
    /// A gate that is asked by a proxy that may report anything.
    GateProxyNotTrusted, "gate-proxy-not-trusted", 1,
        "A proxy asks the gate, but is not in trusted_proxies: the gate does not believe what it reports, and every request \
         through that proxy is refused.",
        "Add the proxy's address to trusted_proxies.";
    /// Browsers that come back after every refresh.
    GateLoop, "gate-loop", 1,
        "Browsers refresh their session again and again, and the gate still asks for it: the new cookies do not reach the \
         guarded host, or the gate does not accept them.",
        "Set cookie_domain so that it contains the guarded host, have the proxy pass on Set-Cookie, and let the clocks of all \
         machines follow a time server.";
    /// A cookie that browsers do not keep.
    CookieTooLarge, "cookie-too-large", 1,
        "The access token holds too many claims for a cookie: it takes more than 3,800 bytes, and a session whose cookie \
         would take more than 4,096 is refused, because browsers would throw it away.",
        "Put less into access tokens (skip_adding_permissions_to_access_token, fewer roles and claims), or use header mode.";
    /// Mails that could not be handed over.
    MailFailing, "mail-failing", 1,
        "Mails or text messages wait because they could not be sent.",
        "See why with sessiond mail list, try with sessiond mail test, then sessiond mail retry --all.";
    /// No mail server where people need mails.
    MailServerMissing, "mail-server-missing", 1,
        "The front door has an address, and recipes that write mails, but no mail server: the mails are caught, and nobody \
         gets them.",
        "Set smtp_host and smtp_from_email.";
    /// No service for text messages where people need them.
    TextServiceMissing, "text-service-missing", 1,
        "The front door has an address, and sends codes to phones, but no service for text messages is set.",
        "Set sms_webhook_url and its secret, or sms_twilio_account_sid and its neighbours.";
    /// Keys that lie open on the disk.
    MasterKeyMissing, "master-key-missing", 1,
        "The front door has an address, and there is no master key: whoever copies the data folder can sign tokens.",
        "Set SESSIOND_MASTER_KEY or SESSIOND_MASTER_KEY_FILE, and keep it apart from backups.";
}
