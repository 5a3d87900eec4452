// Where the front door answers otherwise than the SDK, on purpose. `case` and `step` are names or regular expressions,
// `at` lists the paths of the masked answers that differ (each with everything below it). A difference that no longer
// occurs fails the run.
export const DIFFERENCES = [];
