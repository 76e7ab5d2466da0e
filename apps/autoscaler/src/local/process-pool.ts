/** Who are the pods of one computer? A Fleet of processes: as many as are wanted, replaced when they die, drained when they go. */
import type { Clock } from '@ragscale/service/clock';
import { type Fleet, FleetError, type FleetState } from '../fleet.ts';
import type { Target } from '../target.ts';
import { type Death, KeptProcess, type Started } from './kept-process.ts';

export interface ProcessPoolParts {
  readonly startPod: () => Promise<StartedPod>;
  /** A pod has become able, also one that was before. */
  readonly onAble: () => void;
  readonly onDied: (death: Death) => void;
  readonly onKilled: (name: string, afterMs: number) => void;
  readonly drainTimeoutMs: number;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
}

export interface StartedPod extends Started {
  /** As the metrics name it: `127.0.0.1:8000`. */
  readonly address: string;
}

type Pod = KeptProcess<StartedPod>;

export class ProcessPool implements Fleet {
  readonly #parts: ProcessPoolParts;
  /** In the order in which they were made. */
  #pods: Pod[] = [];
  readonly #leaving = new Map<Pod, Promise<void>>();
  #isOver = false;

  constructor(parts: ProcessPoolParts) {
    this.#parts = parts;
  }

  get wanted(): number {
    return this.#pods.length;
  }

  get able(): number {
    return this.#pods.filter((pod) => pod.isAble).length;
  }

  /** Addresses of those that are able. */
  get addresses(): readonly string[] {
    return this.#pods.flatMap(({ isAble, current }) => (isAble && current !== undefined ? [current.address] : []));
  }

  async look(): Promise<FleetState> {
    const starting = this.#pods.filter((pod) => !pod.isAble);
    const death = starting.map((pod) => pod.deathAtStart).find((each) => each !== undefined);
    return {
      replicas: {
        spec: this.wanted,
        ready: this.able,
        startingAgesMs: starting.map((pod) => pod.ageMs).toSorted((a, b) => b - a),
      },
      readyPods: this.addresses,
      ...(death === undefined ? {} : { waitingFor: `${death.name} ends at its start: ${death.end.lastWords}` }),
    };
  }

  async scale(_target: Target, from: number, to: number): Promise<void> {
    if (this.#isOver) throw new FleetError({ reason: 'ShuttingDown', message: 'the system is being shut down' });
    if (from !== this.wanted) {
      const message = `there are ${this.wanted} pods and not ${from} any more; the next round sees it`;
      throw new FleetError({ reason: 'Conflict', message });
    }
    this.resize(to);
  }

  resize(wanted: number): void {
    while (this.#pods.length < wanted) this.#pods.push(this.#newPod());
    // Those that answer nothing yet go first, then the newest: the ports stay close together.
    const byWorth = this.#pods.toSorted((a, b) => Number(b.isAble) - Number(a.isAble));
    for (const pod of byWorth.slice(wanted).reverse()) this.#remove(pod);
  }

  /** Where the proxy has forgotten its pods they need not wait for their turn. */
  checkSoon(): void {
    for (const pod of this.#pods) pod.checkSoon();
  }

  /** No more pods; resolves when all that there were have answered what they had and are gone. */
  async stop(): Promise<void> {
    this.#isOver = true;
    this.resize(0);
    await Promise.all(this.#leaving.values());
  }

  /** Those that drain already as well. */
  async kill(): Promise<void> {
    this.#isOver = true;
    this.resize(0);
    await Promise.all([...this.#leaving.keys()].map((pod) => pod.kill()));
  }

  #newPod(): Pod {
    const { startPod, drainTimeoutMs, ...shared } = this.#parts;
    return new KeptProcess({ ...shared, start: startPod, stopTimeoutMs: drainTimeoutMs });
  }

  #remove(pod: Pod): void {
    this.#pods = this.#pods.filter((other) => other !== pod);
    const gone = pod.stop().finally(() => this.#leaving.delete(pod));
    this.#leaving.set(pod, gone);
  }
}
