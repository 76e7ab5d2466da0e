/** A light pod: its answers take a given time and no processor, its slots and its queue are those of a real one, and so are its metrics. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PodMetrics } from '@ragscale/service/pod-metrics';
import { SLOTS_HEADER } from '@ragscale/service/ragscale-headers';
import type { RunningPod } from './whole-kubelet.ts';

export interface Pace {
  readonly slots: number;
  /** Of one answer; how many others there are makes no difference. */
  readonly serviceMs: number;
}

/** What several pods have in common, changed by a test while they run. */
export interface Switches {
  /** Metrics are refused. */
  silent: boolean;
}

const ANSWER = JSON.stringify({ query: 'q', result: 'r', sources: [] });

export class PacedPod implements RunningPod {
  readonly #pace: Pace;
  readonly #switches: Switches;
  readonly #metrics: PodMetrics;
  readonly #server: Server;
  readonly #waiting: ServerResponse[] = [];
  #running = 0;
  #idle = Promise.withResolvers<void>();

  private constructor(pace: Pace, switches: Switches) {
    this.#pace = pace;
    this.#switches = switches;
    this.#metrics = new PodMetrics({ variant: 'batched', objectiveSeconds: 1, sharesPrefixes: false });
    this.#metrics.slotsChanged(pace.slots);
    this.#server = createServer((request, response) => this.#serve(request, response));
    this.#idle.resolve();
  }

  /** Five answers a second unless given. */
  static async start(
    pace: Pace = { slots: 1, serviceMs: 200 },
    switches: Switches = { silent: false },
  ): Promise<PacedPod> {
    const pod = new PacedPod(pace, switches);
    await once(pod.#server.listen(0, '0.0.0.0'), 'listening');
    return pod;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    await this.#idle.promise;
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    response.setHeader(SLOTS_HEADER, String(this.#pace.slots));
    if (request.url === '/metrics') this.#expose(response);
    else if (request.url === '/readyz') response.end('{"status":"ok"}');
    else this.#take(response);
  }

  #expose(response: ServerResponse): void {
    if (this.#switches.silent) {
      response.writeHead(503).end();
      return;
    }
    response.setHeader('content-type', this.#metrics.contentType);
    void this.#metrics.render().then((text) => response.end(text));
  }

  #take(response: ServerResponse): void {
    if (this.#running + this.#waiting.length === 0) this.#idle = Promise.withResolvers();
    this.#waiting.push(response);
    this.#next();
  }

  #next(): void {
    while (this.#running < this.#pace.slots) {
      const response = this.#waiting.shift();
      if (response === undefined) break;
      this.#running += 1;
      setTimeout(() => this.#answer(response), this.#pace.serviceMs);
    }
    this.#metrics.queueChanged(this.#waiting.length, this.#running);
    if (this.#running === 0) this.#idle.resolve();
  }

  #answer(response: ServerResponse): void {
    this.#running -= 1;
    response.setHeader('content-type', 'application/json').end(ANSWER);
    this.#next();
  }
}
