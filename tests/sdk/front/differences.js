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
    case: /^linking: linked behind the session's back, /,
    step: /^asks$/,
    at: ["status", "type", "body"],
    why: "The new session makes the SDK fail while it writes the answer; the tokens are the same.",
  },
];
