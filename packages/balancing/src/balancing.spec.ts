/**
 * The policies in virtual time: one proxy, ten pods that serve one request at a time, load 0.8, arrivals and service at random
 * (exponential). Times are in mean times of service. What is asserted is the order of things, not the figures.
 */
import { describe, expect, it } from 'vitest';
import { drawsFrom } from '../test/pod.ts';
import type { EndpointView } from './endpoint-view.ts';
import { LeastRequest } from './least-request.ts';
import { PeakEwma, peakEwma } from './peak-ewma.ts';
import type { Policy } from './policy.ts';
import { RoundRobin } from './round-robin.ts';
import { twoChoices } from './two-choices.ts';

const PODS = 10;
const LOAD = 0.8;
const REQUESTS = 20_000;

/** Milliseconds in a mean time of service, for the latency of a pod. */
const SERVICE_MS = 1_000;

const atRandom: Policy = {
  pick(endpoints, random) {
    const available = endpoints.filter((endpoint) => endpoint.available);
    return available[Math.floor(random() * available.length)];
  },
};

interface Clock {
  now: number;
}

/** Serves one at a time in the order of arrival, so that the end of each service is known when the request comes. */
class SimulatedPod implements EndpointView {
  readonly id: string;
  readonly weight = 1;
  readonly #clock: Clock;
  readonly #serviceTime: number;
  readonly #cap: number;
  readonly #latency = new PeakEwma();
  readonly #sentAt: number[] = [];
  readonly #ends: number[] = [];

  constructor(clock: Clock, id: string, serviceTime: number, cap: number) {
    this.#clock = clock;
    this.id = id;
    this.#serviceTime = serviceTime;
    this.#cap = cap;
  }

  get inFlight(): number {
    return this.#ends.length;
  }

  get available(): boolean {
    return this.#ends.length < this.#cap;
  }

  get latencyMs(): number | undefined {
    return this.#latency.valueAt(this.#clock.now * SERVICE_MS);
  }

  get nextEnd(): number {
    return this.#ends[0] ?? Number.POSITIVE_INFINITY;
  }

  /** @returns when the answer will be there */
  receive(exponential: number): number {
    const { now } = this.#clock;
    const end = Math.max(now, this.#ends.at(-1) ?? now) + exponential * this.#serviceTime;
    this.#sentAt.push(now);
    this.#ends.push(end);
    return end;
  }

  finish(): void {
    const end = this.#ends.shift()!;
    this.#latency.observe((end - this.#sentAt.shift()!) * SERVICE_MS, end * SERVICE_MS);
  }
}

interface Setup {
  readonly policy: Policy;
  readonly slowPods?: number;
  readonly cap?: number;
  readonly seed: number;
}

interface Outcome {
  readonly p99: number;
  /** Requests that were in the system at the end of the first half, and at the end. */
  readonly standing: readonly [number, number];
}

/** Whoever finds all pods at their cap waits in one line, first come, first served. */
function simulate({ policy, slowPods = 0, cap = Number.POSITIVE_INFINITY, seed }: Setup): Outcome {
  const random = drawsFrom(seed);
  const exponential = () => -Math.log(1 - random());
  const clock = { now: 0 };
  const pods = Array.from({ length: PODS }, (_, i) => new SimulatedPod(clock, `p${i}`, i < slowPods ? 2 : 1, cap));
  const line: number[] = [];
  const times: number[] = [];
  const standing: number[] = [];
  const give = () => {
    while (line.length > 0) {
      const pod = policy.pick(pods, random);
      if (pod === undefined) return;
      const arrivedAt = line.shift()!;
      times.push(pod.receive(exponential()) - arrivedAt);
    }
  };
  let arrivesAt = 0;
  for (let arrived = 1; arrived <= REQUESTS; arrived++) {
    arrivesAt += exponential() / (LOAD * PODS);
    for (let first = firstToFinish(pods); first.nextEnd <= arrivesAt; first = firstToFinish(pods)) {
      clock.now = first.nextEnd;
      first.finish();
      give();
    }
    clock.now = arrivesAt;
    line.push(arrivesAt);
    give();
    if (arrived === REQUESTS / 2 || arrived === REQUESTS) {
      standing.push(pods.reduce((sum, { inFlight }) => sum + inFlight, line.length));
    }
  }
  times.sort((a, b) => a - b);
  return { p99: times[Math.floor(0.99 * times.length)]!, standing: [standing[0]!, standing[1]!] };
}

function firstToFinish(pods: readonly SimulatedPod[]): SimulatedPod {
  return pods.reduce((first, pod) => (pod.nextEnd < first.nextEnd ? pod : first));
}

describe.each([1, 2])('with the draws of seed %i', (seed) => {
  it('the more a policy sees, the shorter the slowest answers', () => {
    const [least, two, round, random] = [new LeastRequest(), twoChoices, new RoundRobin(), atRandom].map(
      (policy) => simulate({ policy, seed }).p99,
    );
    expect(least).toBeLessThan(two!);
    expect(two).toBeLessThan(round!);
    expect(round).toBeLessThan(random!);
  });

  it('a slow pod changes little for those that look at what is in flight', () => {
    const [least, two, peak] = [new LeastRequest(), twoChoices, peakEwma].map((policy) =>
      simulate({ policy, slowPods: 1, seed }),
    );
    expect(least!.p99).toBeLessThan(two!.p99);
    for (const { standing } of [least!, two!, peak!]) expect(Math.max(...standing)).toBeLessThan(10 * PODS);
  });

  it('a slow pod has a queue without end under plain round robin, and none with caps and one line for all', () => {
    const plain = simulate({ policy: new RoundRobin(), slowPods: 1, seed });
    const capped = simulate({ policy: new RoundRobin(), slowPods: 1, cap: 2, seed });
    expect(plain.standing[0]).toBeGreaterThan(20 * PODS);
    expect(plain.standing[1] / plain.standing[0]).toBeGreaterThan(1.5);
    expect(Math.max(...capped.standing)).toBeLessThan(10 * PODS);
    expect(capped.p99).toBeLessThan(plain.p99 / 20);
  });

  it('with caps and one line the policies differ little', () => {
    const capped = [new LeastRequest(), twoChoices, peakEwma, new RoundRobin(), atRandom].map(
      (policy) => simulate({ policy, cap: 2, seed }).p99,
    );
    expect(Math.max(...capped)).toBeLessThan(2 * Math.min(...capped));
  });
});
