/** How far are the files that come at once? A bar for each and one for all, with rate and time left, on a terminal only. */
import { megabytes } from './output.ts';

/** What is drawn at most, so that the bars do not flicker and cost nothing. */
const REDRAW_MS = 100;
/** The rate is that of the last seconds: what the first one did says nothing about the rest. */
const RATE_WINDOW_MS = 5_000;

export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface TransferProgress {
  update(file: string, doneBytes: number, totalBytes: number): void;
  /** Removes the bars. */
  end(): void;
}

interface Transfer {
  readonly done: number;
  readonly total: number;
  /** What was there at first: an earlier pull fetched it, not this one. */
  readonly began: number;
}

interface Sample {
  readonly atMs: number;
  readonly bytes: number;
}

export function transferProgress(
  terminal: Terminal = process.stderr,
  now: () => number = () => performance.now(),
): TransferProgress {
  if (!terminal.isTTY) return { update: () => {}, end: () => {} };
  const files = new Map<string, Transfer>();
  const samples: Sample[] = [];
  let [drawnLines, drawnAtMs] = [0, Number.NEGATIVE_INFINITY];
  const erase = () => (drawnLines > 0 ? `\u001b[${drawnLines}A\u001b[0J` : '');
  return {
    update: (file, done, total) => {
      files.set(file, { done, total, began: files.get(file)?.began ?? done });
      if (now() - drawnAtMs < REDRAW_MS) return;
      drawnAtMs = now();
      const lines = shownLines(files, rateOf(samples, files, drawnAtMs)).map((line) =>
        line.slice(0, (terminal.columns ?? 80) - 1),
      );
      terminal.write(`${erase()}${lines.join('\n')}\n`);
      drawnLines = lines.length;
    },
    end: () => {
      terminal.write(erase());
      drawnLines = 0;
    },
  };
}

/** Bytes per second; undefined until there are two moments to compare. */
function rateOf(samples: Sample[], files: ReadonlyMap<string, Transfer>, atMs: number): number | undefined {
  samples.push({ atMs, bytes: sum([...files.values()].map(({ done, began }) => done - began)) });
  while (samples.length > 2 && atMs - samples[0]!.atMs > RATE_WINDOW_MS) samples.shift();
  const [first, last] = [samples[0]!, samples.at(-1)!];
  return last.atMs > first.atMs
    ? Math.max(0, (1000 * (last.bytes - first.bytes)) / (last.atMs - first.atMs))
    : undefined;
}

function shownLines(files: ReadonlyMap<string, Transfer>, rate: number | undefined): string[] {
  const running = [...files].filter(([, { done, total }]) => done < total);
  const all = {
    done: sum([...files.values()].map(({ done }) => done)),
    total: sum([...files.values()].map(({ total }) => total)),
  };
  const width = Math.max(5, ...running.map(([name]) => name.length));
  const left = rate === undefined || rate === 0 ? '' : `, ${duration((all.total - all.done) / rate)} left`;
  const pace = rate === undefined ? '' : `  ${megabytes(rate)}/s${left}`;
  return [
    ...running.map(([name, file]) => `${name.padEnd(width)} ${bar(file)}`),
    `${'total'.padEnd(width)} ${bar(all)}${pace}`,
  ];
}

function bar({ done, total }: Pick<Transfer, 'done' | 'total'>): string {
  const share = total === 0 ? 1 : done / total;
  return `[${'#'.repeat(Math.floor(share * 20)).padEnd(20, '.')}] ${String(Math.floor(share * 100)).padStart(3)}% of ${megabytes(total)}`;
}

function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);
