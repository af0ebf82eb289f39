/** What was expected and what came, as a failure shows it. */
export type Mismatch = { expected: string; actual: string };
