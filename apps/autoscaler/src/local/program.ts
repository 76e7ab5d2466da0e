/** A program of ours as a child process: how is it started, what does it say, and how does it end? */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

export interface ProgramSpec {
  /** Built, as it is given to node. */
  readonly file: string;
  readonly args?: readonly string[];
  /** Of node, before the file. */
  readonly nodeArguments?: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** A line of its log, as it was written, or made of a line that is none. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly level: string; readonly msg: string };

export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last lines that it wrote to standard error. */
  readonly lastWords: string;
}

export interface Program {
  /** Undefined where it could not be started. */
  readonly pid: number | undefined;
  readonly ended: Promise<ProgramEnd>;
  /**
   * Tells it to end, and kills it when it takes longer than that.
   * @returns whether it ended by itself
   */
  stop(timeoutMs: number): Promise<boolean>;
  kill(): void;
}

const LAST_WORDS = 12;
/** What is written to standard error just before the end is told with it, and not as a line of its own. */
const HELD_BACK_MS = 300;
const LIFELINE = new URL(`./lifeline${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url).href;

/**
 * In a process group of its own, so that Ctrl-C reaches only us; it ends when we do, however that is.
 * @param onLine called with every line that it says
 */
export function startProgram(spec: ProgramSpec, onLine: (line: LogLine) => void): Program {
  const { file, args = [], nodeArguments = [], env } = spec;
  const child = spawn(process.execPath, [...nodeArguments, '--import', LIFELINE, file, ...args], {
    env,
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
    windowsHide: true,
  });
  createInterface({ input: child.stdout }).on('line', (line) => onLine(parseLine(line)));
  // Broken by its end, which is told otherwise.
  child.stdin.on('error', () => undefined);
  const errors = new ErrorOutput(onLine);
  createInterface({ input: child.stderr }).on('line', (line) => errors.add(line));
  return {
    pid: child.pid,
    ended: endOf(child, errors),
    stop: (timeoutMs) => stop(child, timeoutMs),
    kill: () => signal(child, 'SIGKILL'),
  };
}

function endOf(child: ChildProcess, errors: ErrorOutput): Promise<ProgramEnd> {
  return new Promise((resolve) => {
    child.once('error', (cause) => resolve({ code: null, signal: null, lastWords: cause.message }));
    child.once('close', (code, signal) => resolve({ code, signal, lastWords: errors.close() }));
  });
}

async function stop(child: ChildProcess, timeoutMs: number): Promise<boolean> {
  if (hasEnded(child)) return true;
  const timer = new AbortController();
  const ended = new Promise<true>((resolve) => child.once('close', () => resolve(true)));
  signal(child, 'SIGTERM');
  const inTime = await Promise.race([
    ended,
    delay(timeoutMs, false as const, { signal: timer.signal }).catch(() => false as const),
  ]);
  timer.abort();
  if (inTime) return true;
  signal(child, 'SIGKILL');
  await ended;
  return false;
}

function signal(child: ChildProcess, name: NodeJS.Signals): void {
  if (!hasEnded(child)) child.kill(name);
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

function parseLine(line: string): LogLine {
  try {
    const parsed: unknown = JSON.parse(line);
    if (typeof parsed === 'object' && parsed !== null) return { level: 'info', msg: '', ...parsed };
  } catch {
    // Not of our log: shown as it is.
  }
  return { level: 'info', msg: line };
}

class ErrorOutput {
  readonly #onLine: (line: LogLine) => void;
  readonly #last: string[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(onLine: (line: LogLine) => void) {
    this.#onLine = onLine;
  }

  add(line: string): void {
    this.#last.push(line);
    if (this.#last.length > LAST_WORDS) this.#last.shift();
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#onLine({ level: 'warn', msg: line });
    }, HELD_BACK_MS);
    this.#timers.add(timer);
  }

  /** @returns the last lines */
  close(): string {
    for (const timer of this.#timers) clearTimeout(timer);
    return this.#last.join('\n').trim();
  }
}
