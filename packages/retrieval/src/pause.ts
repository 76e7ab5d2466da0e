/** How long work on the main thread yields to requests and probes: every few milliseconds. */
import { setImmediate } from 'node:timers/promises';

/** Lets the event loop turn once. A parameter of long work, so that tests can count and replace it. */
export type Pause = () => Promise<void>;

export const turnOfTheLoop: Pause = () => setImmediate();

/** Work between two pauses, in milliseconds: well under the 10 ms that the main thread may be busy at a stretch. */
const SLICE_MS = 3;

/** A pause that is taken only when the slice is over; cheap enough to call for every small piece of work. */
export function slicedPause(
  pause: Pause = turnOfTheLoop,
  now: () => number = performance.now.bind(performance),
): Pause {
  let sliceEnd = now() + SLICE_MS;
  return async () => {
    if (now() < sliceEnd) return;
    await pause();
    sliceEnd = now() + SLICE_MS;
  };
}
