/** What is asked for on the command line of the soak? */
import { parseArgs } from 'node:util';

export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  /** Requests a second. */
  readonly rate: number;
  /** On this computer, without a cluster. */
  readonly local: boolean;
  /** Where the report goes. */
  readonly out: string;
}

export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const USAGE = `npm run soak -- [--minutes 60] [--seed 1] [--rate 5] [--out FOLDER] [--local]

Requests at the times of a Poisson process while parts of the system are killed, frozen, cut off and more, at times drawn from the seed.
Every request is accounted for; the exit code is 0 only if none failed and nothing grew.
  --minutes  how long requests are sent: from 1
  --seed     of the arrivals and the faults
  --rate     requests a second at the mean
  --out      folder for report.txt, report.json and timeline.svg; ~/.cache/ragscale/soak unless given
  --local    against \`ragscale up\` on this computer in place of a cluster; what only a cluster has is left out`;

/** @throws UsageError in words */
export function readOptions(args: readonly string[], defaultOut: string): SoakOptions {
  const { values } = parsed(args);
  return {
    minutes: numberOf('minutes', values.minutes, 1, 10_000),
    seed: numberOf('seed', values.seed, 0, 2 ** 31, true),
    rate: numberOf('rate', values.rate, 0.1, 1_000),
    local: values.local,
    out: values.out ?? defaultOut,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        minutes: { type: 'string', default: '60' },
        seed: { type: 'string', default: '1' },
        rate: { type: 'string', default: '5' },
        out: { type: 'string' },
        local: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function numberOf(name: string, text: string, least: number, most: number, whole = false): number {
  const value = Number(text);
  const isRight = text.trim() !== '' && value >= least && value <= most && (!whole || Number.isInteger(value));
  if (!isRight) throw new UsageError(`--${name}: ${whole ? 'an integer' : 'a number'} from ${least} to ${most}`);
  return value;
}
