/** How are stand-in pods started, and what is done to them? */
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { lastingPort } from '../lib/free-port.ts';
import { Child } from './child.ts';

export interface PodSettings {
  readonly slots: number;
  /** Requests that wait before the slots; further ones are refused with 429. */
  readonly queue: number;
  /** How long a pod that was told to leave still answers, in milliseconds. */
  readonly drainDelayMs: number;
  /** By pod: how many times as long as the others it takes; 1 unless given. */
  readonly slowdown?: readonly number[];
  readonly cpus?: string | undefined;
}

export interface PodControl {
  readonly failing?: boolean;
  readonly held?: boolean;
  readonly slowdown?: number;
}

/** Each keeps its port when it is started again. */
export class Pods {
  readonly urls: readonly string[];
  readonly #settings: PodSettings;
  readonly #controlPorts: readonly number[];
  readonly #children: Child[] = [];
  readonly #name = `pods-${randomUUID().slice(0, 8)}`;

  private constructor(settings: PodSettings, ports: readonly number[], controlPorts: readonly number[]) {
    this.#settings = settings;
    this.#controlPorts = controlPorts;
    this.urls = ports.map((port) => `http://127.0.0.1:${port}`);
  }

  static async start(count: number, settings: PodSettings): Promise<Pods> {
    const ports = await Promise.all(Array.from({ length: 2 * count }, lastingPort));
    const pods = new Pods(settings, ports.slice(0, count), ports.slice(count));
    await Promise.all(pods.urls.map((_, index) => pods.restart(index)));
    return pods;
  }

  /** Resolves when it is ready. */
  async restart(index: number): Promise<void> {
    const url = this.urls[index]!;
    const { slots, queue, drainDelayMs, slowdown, cpus } = this.#settings;
    this.#children[index] = await Child.start({
      name: `${this.#name}-${index}`,
      command: process.execPath,
      args: [path.join(import.meta.dirname, 'stand-in-pod.ts')],
      env: {
        PORT: new URL(url).port,
        CONTROL_PORT: `${this.#controlPorts[index]}`,
        SLOTS: `${slots}`,
        QUEUE: `${queue}`,
        DRAIN_DELAY: `${drainDelayMs}`,
        SLOWDOWN: `${slowdown?.[index] ?? 1}`,
      },
      readyUrl: `${url}/readyz`,
      cpus,
    });
  }

  /** Ends it in the middle of whatever it does. */
  async kill(index: number): Promise<void> {
    this.#child(index).signal('SIGKILL');
    await this.#child(index).exited;
  }

  /** Asks it to leave; resolves when it has. */
  async drain(index: number): Promise<void> {
    this.#child(index).signal('SIGTERM');
    await this.#child(index).exited;
  }

  freeze(index: number): void {
    this.#child(index).signal('SIGSTOP');
  }

  thaw(index: number): void {
    this.#child(index).signal('SIGCONT');
  }

  async control(index: number, control: PodControl): Promise<void> {
    const url = `http://127.0.0.1:${this.#controlPorts[index]}/control`;
    await (await fetch(url, { method: 'POST', body: JSON.stringify(control) })).arrayBuffer();
  }

  async stop(): Promise<void> {
    for (const child of this.#children) child.signal('SIGKILL');
    await Promise.all(this.#children.map((child) => child.exited));
  }

  #child(index: number): Child {
    const child = this.#children[index];
    if (child === undefined) throw new Error(`there is no pod ${index}`);
    return child;
  }
}
