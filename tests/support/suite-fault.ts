/** Thrown for a fault of the suite itself: exit code 3, and nothing counts against the target. */
export class SuiteFault extends Error {
  override name = 'SuiteFault';
}
