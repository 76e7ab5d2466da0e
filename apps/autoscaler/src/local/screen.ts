/** What is shown of a local system: sentences on a terminal, JSON lines elsewhere. */
import { LOG_LEVELS, type LoggingOptions, type LogLevel } from '@ragscale/service/logging';
import type { Death } from './kept-process.ts';
import type { LogLine } from './program.ts';
import { describeDeath, type SystemEvent, seconds } from './system-event.ts';

export interface Screen {
  tell(event: SystemEvent): void;
  /** A line that a process logged; shown if it is severe enough. */
  log(process: string, line: LogLine): void;
}

export interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** @param wallNow milliseconds since the epoch */
export function createScreen({ level, format }: LoggingOptions, output: Output, wallNow = Date.now): Screen {
  const isPretty = format === 'pretty' || (format === 'auto' && output.isTTY === true);
  return isPretty ? new TerminalScreen(level, output, wallNow) : new JsonScreen(level, output, wallNow);
}

class TerminalScreen implements Screen {
  readonly #level: LogLevel;
  readonly #output: Output;
  readonly #wallNow: () => number;
  /** Drawn over, as long as the system starts. */
  #progress = '';

  constructor(level: LogLevel, output: Output, wallNow: () => number) {
    this.#level = level;
    this.#output = output;
    this.#wallNow = wallNow;
  }

  tell(event: SystemEvent): void {
    switch (event.kind) {
      case 'preparing':
        this.#draw(`  ${describePreparation(event.line)} ...`);
        break;
      case 'starting':
        this.#draw(`  starting the proxy and ${podsOf(event.pods)} ...`);
        break;
      case 'progress':
        this.#draw(`  starting the proxy and ${podsOf(event.pods)} ... ${event.ready} of ${event.pods} ready`);
        break;
      case 'ready':
        this.#draw('');
        this.#output.write(welcome(event));
        break;
      case 'scaled':
        this.#line(`pods ${event.why}`);
        break;
      case 'died':
        this.#line(describeDeath(event.death));
        this.#quote(event.death);
        break;
      case 'killed':
        this.#line(`${event.name} took longer than ${seconds(event.afterMs)} to end, and was killed`);
        break;
      case 'trouble':
        this.#line(event.message);
        break;
      case 'failed':
        this.#draw('');
        break;
      case 'stopping':
        this.#draw('');
        // Over the ^C that the terminal shows.
        if (this.#output.isTTY) this.#output.write('\r');
        this.#line('ending when all that was asked is answered; Ctrl-C again ends at once');
        break;
      case 'stopped':
        this.#line('bye');
        break;
    }
  }

  log(process: string, line: LogLine): void {
    if (!isShown(line.level, this.#level)) return;
    const { level, msg, time: _time, err, ...fields } = line;
    const rest = Object.keys(fields).length === 0 ? '' : ` ${JSON.stringify(fields)}`;
    this.#line(`${process} | ${level}: ${msg}${rest}${err === undefined ? '' : ` ${messageOf(err)}`}`);
  }

  #quote({ name, end }: Death): void {
    for (const line of end.lastWords.split('\n')) if (line !== '') this.#write(`          ${name} | ${line}\n`);
  }

  #line(text: string): void {
    const time = new Date(this.#wallNow()).toTimeString().slice(0, 8);
    this.#write(`${time}  ${text}\n`);
  }

  /** Above the line of progress, if there is one. */
  #write(text: string): void {
    const progress = this.#progress;
    this.#draw('');
    this.#output.write(text);
    this.#draw(progress);
  }

  #draw(progress: string): void {
    if (!this.#output.isTTY) {
      if (progress !== '') this.#output.write(`${progress}\n`);
    } else if (progress !== this.#progress) {
      this.#progress = progress;
      this.#output.write(`\r\u001b[2K${progress}`);
    }
  }
}

class JsonScreen implements Screen {
  readonly #level: LogLevel;
  readonly #output: Output;
  readonly #wallNow: () => number;

  constructor(level: LogLevel, output: Output, wallNow: () => number) {
    this.#level = level;
    this.#output = output;
    this.#wallNow = wallNow;
  }

  tell(event: SystemEvent): void {
    const [level, msg, fields] = asLogged(event);
    this.#write({ level, time: new Date(this.#wallNow()).toISOString(), process: 'local', ...fields, msg });
  }

  log(process: string, line: LogLine): void {
    if (isShown(line.level, this.#level)) this.#write({ ...line, process });
  }

  #write(line: object): void {
    this.#output.write(`${JSON.stringify(line)}\n`);
  }
}

function asLogged(event: SystemEvent): [level: LogLevel, msg: string, fields: object] {
  switch (event.kind) {
    case 'preparing': {
      const { level, msg, time: _time, ...fields } = event.line;
      return [level as LogLevel, msg, fields];
    }
    case 'starting':
      return ['info', 'starting', { pods: event.pods }];
    case 'progress':
      return ['info', 'pods are ready', { ready: event.ready, pods: event.pods }];
    case 'ready': {
      const { addresses, pods, maxPods, goal, afterMs } = event;
      return ['info', 'ready', { ...addresses, pods, maxPods, goal, afterMs: Math.round(afterMs) }];
    }
    case 'scaled':
      return ['info', 'scaled', { from: event.from, to: event.to, why: event.why }];
    case 'died': {
      const { name, end, pauseMs } = event.death;
      return ['error', describeDeath(event.death), { name, ...end, pauseMs: Math.round(pauseMs) }];
    }
    case 'killed':
      return ['error', 'killed, for it took too long to end', { name: event.name, afterMs: event.afterMs }];
    case 'trouble':
      return ['warn', event.message, {}];
    case 'failed':
      return ['fatal', 'the system could not be started', {}];
    case 'stopping':
      return ['info', 'shutting down', {}];
    case 'stopped':
      return ['info', 'bye', {}];
  }
}

function welcome({ addresses, pods, maxPods, goal, afterMs }: SystemEvent & { kind: 'ready' }): string {
  const { url, adminUrl, autoscalerUrl } = addresses;
  const more = maxPods > pods ? `, up to ${maxPods} when ${goal} need them` : '';
  return `
  ragscale answers at ${url}   (${url}/docs explains)

  curl -X POST ${url}/rag -H 'Content-Type: application/json' -d '{"query": "Which animals can hover in the air?"}'

  ${podsOf(pods)}, ready in ${seconds(afterMs)}${more}: ${adminUrl}/endpoints
  metrics: ${adminUrl}/metrics (proxy), ${autoscalerUrl}/metrics (autoscaler)
  Ctrl-C ends it

`;
}

/** Such as `pulling the model facebook/opt-125m: 120 of 251 MB`. */
function describePreparation({ msg, model, doneBytes, totalBytes }: LogLine): string {
  const megabytes = (bytes: unknown) => Math.round(Number(bytes) / 1e6);
  const how = Number(totalBytes) > 0 ? `: ${megabytes(doneBytes)} of ${megabytes(totalBytes)} MB` : '';
  return `${msg}${model === undefined ? '' : ` ${String(model)}`}${how}`;
}

function podsOf(count: number): string {
  return count === 1 ? '1 pod' : `${count} pods`;
}

function isShown(level: string, least: LogLevel): boolean {
  const rank = LOG_LEVELS.indexOf(level as LogLevel);
  return rank <= LOG_LEVELS.indexOf(least) && least !== 'silent';
}

function messageOf(err: unknown): string {
  return typeof err === 'object' && err !== null && 'message' in err ? String(err.message) : JSON.stringify(err);
}
