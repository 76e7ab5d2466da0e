/** How is a server started, known to be ready, and ended? */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../lib/free-port.ts';
import { type CpuSample, cpuSample } from '../lib/process-cpu.ts';
import { cacheFolder } from '../lib/synthetic-model.ts';

const START_SECONDS = 180;
const STOP_SECONDS = 15;

export interface ServerCommand {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** PORT is added. */
  readonly env: Readonly<Record<string, string>>;
}

export class ServerProcess {
  readonly url: string;
  readonly #child: ChildProcess;
  /** What the server wrote on both its outputs. */
  readonly #log: string;

  private constructor(child: ChildProcess, port: number, log: string) {
    this.#child = child;
    this.url = `http://127.0.0.1:${port}`;
    this.#log = log;
  }

  /** Resolves when `/readyz` says 200. @throws Error with the end of what the server wrote, when it ends or takes too long */
  static async start({ name, command, args, env }: ServerCommand): Promise<ServerProcess> {
    const port = await freePort();
    const folder = path.join(cacheFolder, 'serving');
    mkdirSync(folder, { recursive: true });
    const log = path.join(folder, `${name}.log`);
    const output = openSync(log, 'w');
    const child = spawn(command, args, {
      stdio: ['ignore', output, output],
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env, PORT: `${port}` },
    });
    closeSync(output);
    const server = new ServerProcess(child, port, log);
    process.once('exit', server.#kill);
    await Promise.race([once(child, 'spawn'), once(child, 'error').then(([error]) => Promise.reject(error))]);
    const deadline = performance.now() + START_SECONDS * 1000;
    while (!(await server.#isReady())) {
      if (child.exitCode !== null || child.signalCode !== null) throw server.#failure('ended before it was ready');
      if (performance.now() > deadline) {
        await server.stop();
        throw server.#failure(`was not ready after ${START_SECONDS} s`);
      }
      await sleep(100);
    }
    return server;
  }

  readonly cpu = (): CpuSample => cpuSample(this.#child.pid!);

  /** SIGTERM, and SIGKILL to one that does not end. */
  async stop(): Promise<void> {
    process.off('exit', this.#kill);
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const timer = setTimeout(this.#kill, STOP_SECONDS * 1000);
    await exited;
    clearTimeout(timer);
  }

  readonly #kill = (): void => void this.#child.kill('SIGKILL');

  async #isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(1000) })).status === 200;
    } catch {
      return false;
    }
  }

  #failure(what: string): Error {
    return new Error(`${this.#child.spawnargs.join(' ')} ${what}:\n${readFileSync(this.#log, 'utf8').slice(-2000)}`);
  }
}
