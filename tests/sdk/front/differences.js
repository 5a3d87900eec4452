// Where the front door answers otherwise than the SDK, on purpose.
//
// An entry: `case` (the name with the profile, as printed) and `step`, each a text or a regular expression; `at`, the
// paths of the masked answer that differ, each with everything below it (`status`, `body.message`, `cookies.0.value`);
// `why`, one sentence. An entry of two texts has to apply to its step in all its paths, one with a regular expression
// to at least one step.
export const DIFFERENCES = [];
