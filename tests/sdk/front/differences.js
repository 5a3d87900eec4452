// Where the front door answers otherwise than the SDK, on purpose.
//
// An entry: `case` (the name with the profile, as printed) and `step`, each a text or a regular expression; `at`, the
// paths of the masked answer that differ, each with everything below it (`status`, `body.message`, `cookies.0.value`);
// `own`, if the entry is about one value of the front door only; `why`, one sentence. An entry of two texts has to
// apply to its step in all its paths, one with a regular expression to at least one step.
export const DIFFERENCES = [
  {
    case: /./,
    step: /./,
    at: ["cache"],
    own: "no-store",
    why: "Nobody may keep an answer that carries tokens; the SDK leaves that to the application.",
  },
  {
    case: /./,
    step: /jwks|openid-configuration/,
    at: ["credentials", "varies"],
    why: "Keys and discovery are the same for every origin; the credentials header is of the SDK's application.",
  },
  {
    case: /several origins|a mail asked for at https:..www.elsewhere/,
    step: /elsewhere|null|POST|mail: /,
    at: ["status", "body", "cookies", "frontToken", "accessToken", "refreshToken", "exposed", "type", "count", "link"],
    why: "A page of an origin that is not the website's may not change anything; the SDK leaves that to SameSite.",
  },
  {
    case: /paths/,
    step: "GET /session/refresh",
    at: ["status", "type", "body", "location", "cookies", "frontToken", "accessToken", "refreshToken", "refreshTokenSent", "exposed", "cache"],
    why: "It refreshes the session of a page load, for the gate; the SDK has no such route.",
  },
  {
    case: /csrf: CORS/,
    step: "preflight from elsewhere",
    at: ["methods", "allowed"],
    why: "What a foreign page may send is nothing, so it is told nothing.",
  },
  {
    case: /paths|people of a tenant|other addresses|in a tenant/,
    step: /nobody|does not exist|sign-up there|exists there|unknown tenant/,
    at: ["status", "type", "body.message"],
    why: "A tenant that does not exist is bad input (400) rather than our own failure (500).",
  },
  {
    case: /texts that are no bodies/,
    step: "null",
    at: ["status", "type", "body.message"],
    why: "A body that is null is bad input (400) rather than our own failure (500).",
  },
  {
    case: /encodings of a body/,
    step: /application.json/,
    at: ["status", "type", "body", "cookies", "frontToken", "accessToken", "refreshToken", "exposed", "cache"],
    why: "Browsers do not compress bodies or send JSON in another charset, so neither is read.",
  },
  {
    case: /where to send people: variants/,
    step: "login methods, no type",
    at: ["status", "type", "body"],
    why: "A provider without a client for the caller is left out; in the SDK it fails the whole list.",
  },
  {
    case: /come and come back|a password with the same address/,
    step: /./,
    at: ["body.user.loginMethods.0.verified", "body.isVerified", "cookies.0.value.payload.st-ev.v", "frontToken.up.st-ev.v",
      "accessToken.payload.st-ev.v", "body.verified"],
    why: "An address that a provider without id tokens calls verified is verified; the SDK loses that.",
  },
  {
    case: /come and come back/,
    step: /an id that is a number|core: the user/,
    at: ["status", "type", "body", "cookies", "frontToken", "accessToken", "refreshToken", "exposed", "cache", "refreshTokenSent"],
    why: "A provider's numeric id is taken as text; the SDK fails (500).",
  },
  {
    case: /thirdparty: bad bodies|back from Apple/,
    step: /no parameters|no code|to nowhere|without a state|to elsewhere/,
    at: ["status", "type", "body", "location"],
    why: "Bad input is 400 rather than 500, and Apple's form is passed on to pages of the website alone.",
  },
  {
    case: /^passwordless: (bad bodies|another code)/,
    step: /^(code: address null|code: address a number|consume: a number|resend: not base64|no device id at all)$/,
    at: ["status", "type", "body.message"],
    why: "Bad input is 400 with a sentence; the SDK breaks off, or the core's 400 becomes a 500.",
  },
  {
    case: /^passwordless: bad bodies/,
    step: /^consume: (a wrong link|another device)$/,
    at: ["status", "type", "body.message"],
    why: "Bad input is 400 with a sentence; the core's 400 becomes a 500 in the SDK.",
  },
  {
    case: "passwordless: bad bodies [codes]",
    step: "code: a number",
    at: ["status", "body.status", "body.message"],
    why: "Bad input is 400; the SDK shows people a sentence about a bug in its GENERAL_ERROR.",
  },
  {
    case: "passwordless: bad bodies [codes]",
    step: "mail: login to Blanks@example.com",
    at: ["count", "code", "link"],
    why: "Codes go to the address that the account has, in lower case, and not to what was typed in.",
  },
  {
    case: "passwordless: in a tenant [codes]",
    step: "unknown tenant",
    at: ["status", "type", "body.message"],
    why: "An unknown tenant is bad input: 400; the core's 400 becomes a 500 in the SDK.",
  },
  {
    case: /^mfa: TOTP: bad bodies/,
    step: /^(create|remove|verify|use): /,
    at: ["status", "type", "body"],
    why: "A bad body is the client's mistake, so the status is 400; the SDK throws.",
  },
  {
    case: /^mfa: TOTP, /,
    step: /^verified again$/,
    at: ["frontToken", "cookies", "accessToken", "exposed", "cache"],
    why: "A device that is verified already takes any code, so it completes no factor here.",
  },
  {
    case: "mfa: another device where no factor is required [mfa]",
    step: "without a code",
    at: ["body.factors.allowedToSetup"],
    why: "Who has an authenticator app shows a code before another one is added: it would count where one is required.",
  },
  {
    case: "mfa: another device where no factor is required [mfa]",
    step: "added without a code",
    at: ["status", "body"],
    why: "Who has an authenticator app shows a code before another one is added: it would count where one is required.",
  },
  {
    case: "emailverification: asked from a page of another origin [base]",
    step: "from https://evil.example",
    at: ["status", "body", "cookies", "frontToken", "exposed"],
    why: "It is a GET, but it changes the session: so a page of an origin that is not the website's may not ask.",
  },
  {
    case: /^reset: /,
    step: /^(the old session goes on|verified along with it)$/,
    at: ["status", "body", "cookies", "frontToken", "accessToken", "refreshToken", "refreshTokenSent", "exposed"],
    why: "A link for a new password that verifies the address ends the sessions of whoever signed up with it before.",
  },
  {
    case: /^linking: linked behind the session's back, /,
    step: /^asks$/,
    at: ["status", "type", "body"],
    why: "The new session makes the SDK fail while it writes the answer; the tokens are the same.",
  },
];
