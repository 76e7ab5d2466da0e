/** When is a process told to end, and when to end at once? */

/** npm passes Ctrl-C on to processes that the terminal has sent it to already. */
const SAME_KEYSTROKE_MS = 250;

/**
 * Calls `first` at the first SIGINT, SIGTERM or SIGHUP (its terminal was closed), and `second` at the next.
 * @param now milliseconds; only differences count
 */
export function onTermination(first: (signal: NodeJS.Signals) => void, second: () => void, now: () => number): void {
  const heard = new Map<NodeJS.Signals, number>();
  const handle = (signal: NodeJS.Signals): void => {
    const before = heard.get(signal);
    const isFirst = heard.size === 0;
    heard.set(signal, now());
    if (isFirst) first(signal);
    else if (before === undefined || now() - before > SAME_KEYSTROKE_MS) second();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, handle);
}
