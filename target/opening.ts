/** Ends what the opening of a run began: servers and scratch files. */
export type Close = () => Promise<void>;

let opening: Promise<Close> | undefined;

/** Notes the opening of the run in this process, which an interrupt may overtake. */
export function noteOpening(promise: Promise<Close>): void {
  opening = promise;
}

/** Waits until the opening of the run is over, whether it succeeded or not, and closes the run. To close it again is a no-op. */
export async function closeOpening(): Promise<void> {
  const close = await opening?.catch(() => undefined);
  await close?.();
}
