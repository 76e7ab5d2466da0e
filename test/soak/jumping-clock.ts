/** How does the clock of one process jump, and no other's? By a module that is loaded before its program and reads the offset from a file. */

/** The folder of the files, `clock-<pid>` each, with milliseconds in it; without a file the clock is right. */
export const CLOCK_FOLDER = 'SOAK_CLOCK_FOLDER';

/** An hour ahead. */
export const JUMP_MS = 3_600_000;

/** What the program sees of the time of day changes, in all its threads; timers and `performance.now()` go on, as with a real clock that is set. */
const MODULE = `
import { readFileSync } from 'node:fs';
const file = process.env.${CLOCK_FOLDER} + '/clock-' + process.pid;
const RealDate = Date;
let offset = 0;
setInterval(() => {
  try {
    offset = Number(readFileSync(file, 'utf8')) || 0;
  } catch {
    offset = 0;
  }
}, 100).unref();
const now = () => RealDate.now() + offset;
globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, made) => Reflect.construct(target, args.length === 0 ? [now()] : args, made),
  apply: () => new RealDate(now()).toString(),
  get: (target, name, receiver) => (name === 'now' ? now : Reflect.get(target, name, receiver)),
});
`;

/** For NODE_OPTIONS: no blank in it. */
export const CLOCK_OPTION = `--import=data:text/javascript;base64,${Buffer.from(MODULE).toString('base64')}`;
