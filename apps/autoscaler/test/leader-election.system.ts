/** Is there never more than one leader with a real API server, and soon one again, whoever dies? */
import { KubernetesClient } from '@ragscale/kubernetes/api-client';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type ControlPlane,
  missingForControlPlane,
  startControlPlane,
} from '../../../test/cluster/control-plane/control-plane.ts';
import { electionLog } from '../src/election-log.ts';
import { leaseRules } from '../src/kubernetes/rules.ts';
import { LEASE_MS, LeaderElection, RENEW_DEADLINE_MS } from '../src/leader-election.ts';
import { KubernetesLeaseStore, microTime } from '../src/lease.ts';

const missing = missingForControlPlane();
const SYSTEM = 'ragscale';
/** With what a loaded machine may take on top. */
const WITHIN = { timeout: LEASE_MS + 30_000, interval: 50 };

interface Elector {
  readonly identity: string;
  readonly election: LeaderElection;
  readonly client: KubernetesClient;
  /** The process dies: nothing is sent any more, and nothing given back. */
  kill(): Promise<void>;
}

let plane: ControlPlane;
let token: string;
let leaseNumber = 0;
let lease: string;
let lines: Record<string, unknown>[];
const open: Elector[] = [];

/** How many led at the same time, at any moment that was looked at? */
class Watch {
  most = 0;
  readonly #timer = setInterval(() => this.look(), 20);

  look(): void {
    this.most = Math.max(this.most, leaders().length);
  }

  stop(): number {
    clearInterval(this.#timer);
    return this.most;
  }
}

function leaders(): string[] {
  return open.filter(({ election }) => election.remainingMs() > 0).map(({ identity }) => identity);
}

function join(identity: string, { wallNow = Date.now, bearer = token, namespace = SYSTEM } = {}): Elector {
  const client = new KubernetesClient(plane.config(bearer));
  const logger = pino({ base: null }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const election = new LeaderElection({
    store: new KubernetesLeaseStore({ client, namespace, name: lease }),
    identity,
    wallNow,
    ...electionLog(logger, { namespace, name: lease }, identity),
  });
  const elector: Elector = { identity, election, client, kill: () => client.close() };
  open.push(elector);
  election.start();
  return elector;
}

const path = () => `/apis/coordination.k8s.io/v1/namespaces/${SYSTEM}/leases/${lease}`;

interface SeenLease {
  readonly metadata: { readonly uid: string };
  readonly spec: Record<string, unknown> & { readonly holderIdentity: string; readonly renewTime: string };
}

const seen = async () => (await plane.request('GET', path())) as SeenLease;

/** A Lease that was given back, so that the first one leads at once. */
async function createFreeLease(): Promise<void> {
  await plane.request('POST', path().slice(0, path().lastIndexOf('/')), {
    metadata: { name: lease },
    spec: { holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(Date.now()) },
  });
}

/** `a` leads and `b` stands by. */
async function led(): Promise<[a: Elector, b: Elector]> {
  await createFreeLease();
  const a = join('a');
  await vi.waitFor(() => expect(leaders()).toEqual(['a']), WITHIN);
  const b = join('b');
  await vi.waitFor(() => expect(lines).toContainEqual(expect.objectContaining({ identity: 'b', holder: 'a' })), WITHIN);
  return [a, b];
}

describe.skipIf(missing)(`the election with a real API server${missing ? ` (skipped: ${missing})` : ''}`, () => {
  beforeAll(async () => {
    plane = await startControlPlane();
    await plane.createNamespace(SYSTEM);
  });
  afterAll(() => plane?.stop());
  beforeEach(async () => {
    lease = `lease-${++leaseNumber}`;
    lines = [];
    await plane.createServiceAccount(SYSTEM, lease);
    await plane.grant(SYSTEM, lease, leaseRules(lease));
    token = await plane.serviceAccountToken(SYSTEM, lease);
  });
  afterEach(async () => {
    await Promise.all(
      open.splice(0).map(async ({ election, client }) => {
        await election.stop();
        await client.close();
      }),
    );
  });

  it('makes the Lease, and the first one decides fifteen seconds later', async () => {
    const startedAt = performance.now();
    join('a');
    join('b');
    await vi.waitFor(() => expect(leaders()).toHaveLength(1), WITHIN);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(LEASE_MS);
    const { spec } = await seen();
    expect(spec).toMatchObject({ holderIdentity: leaders()[0], leaseDurationSeconds: 15, leaseTransitions: 0 });
    expect(spec.renewTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  });

  it('hands over at once when the leader ends', async () => {
    const [a, b] = await led();
    await a.election.stop();
    // Before it could have expired.
    await vi.waitFor(() => expect(leaders()).toEqual(['b']), { ...WITHIN, timeout: LEASE_MS - 1_000 });
    expect((await seen()).spec).toMatchObject({ holderIdentity: b.identity, leaseTransitions: 2 });
  });

  it('hands over when the leader has died and its Lease has expired, and not before', async () => {
    const [a] = await led();
    const { spec } = await seen();
    await a.kill();
    const diedAt = performance.now();
    const watch = new Watch();
    await vi.waitFor(() => expect(leaders()).toEqual(['b']), WITHIN);
    expect(watch.stop()).toBe(1);
    // By the clock of the one who waits, who saw the last renewal at most two pauses before it was the last.
    expect(performance.now() - diedAt).toBeGreaterThanOrEqual(LEASE_MS - 5_000);
    expect((await seen()).spec).toMatchObject({
      holderIdentity: 'b',
      leaseTransitions: Number(spec.leaseTransitions) + 1,
    });
  });

  it('has no leader soon after the API server froze, and one when it goes on', async () => {
    const [a] = await led();
    const watch = new Watch();
    plane.freeze();
    await vi.waitFor(() => expect(leaders()).toEqual([]), { ...WITHIN, timeout: RENEW_DEADLINE_MS + 2_000 });
    expect(a.election.remainingMs()).toBeLessThanOrEqual(0);
    plane.thaw();
    await vi.waitFor(() => expect(leaders()).toHaveLength(1), WITHIN);
    expect(watch.stop()).toBe(1);
    expect(lines.map(({ msg }) => msg)).toContain('the Lease can be asked for again');
  });

  it('keeps its leader while the API server is killed and started again, if that is soon', async () => {
    await led();
    const watch = new Watch();
    await plane.kill();
    await plane.restart();
    await vi.waitFor(() => expect(leaders()).toHaveLength(1), WITHIN);
    const { spec } = await seen();
    await vi.waitFor(async () => expect((await seen()).spec.renewTime).not.toBe(spec.renewTime), WITHIN);
    expect(watch.stop()).toBe(1);
  });

  it('keeps its leader when somebody deletes the Lease', async () => {
    await led();
    const watch = new Watch();
    const { metadata } = await seen();
    await plane.request('DELETE', path());
    await vi.waitFor(async () => expect((await seen()).spec.holderIdentity).not.toBe(''), WITHIN);
    expect((await seen()).metadata.uid).not.toBe(metadata.uid);
    await vi.waitFor(() => expect(leaders()).toHaveLength(1), WITHIN);
    expect(watch.stop()).toBe(1);
  });

  it('does not make a Lease by renewing one that is gone', async () => {
    await createFreeLease();
    const client = new KubernetesClient(plane.config());
    const store = new KubernetesLeaseStore({ client, namespace: SYSTEM, name: lease });
    const never = new AbortController().signal;
    const known = (await store.read(never))!;
    await plane.request('DELETE', path());
    await expect(store.replace(known, known.spec, never)).rejects.toMatchObject({ name: 'LeaseConflictError' });
    expect(await store.read(never)).toBeUndefined();
    await createFreeLease();
    await expect(store.replace(known, known.spec, never)).rejects.toMatchObject({ name: 'LeaseConflictError' });
    await expect(store.create({}, never)).rejects.toMatchObject({ name: 'LeaseConflictError' });
    await client.close();
  });

  it('does not look at anybody’s time of day', async () => {
    await createFreeLease();
    join('behind', { wallNow: () => Date.now() - 3_600_000 });
    await vi.waitFor(() => expect(leaders()).toEqual(['behind']), WITHIN);
    join('ahead', { wallNow: () => Date.now() + 3_600_000 });
    const { spec } = await seen();
    // Long after a clock that is right would have taken it for expired: several renewals are seen.
    for (let renewals = 0, last = spec.renewTime; renewals < 8; renewals++) {
      await vi.waitFor(async () => expect((await seen()).spec.renewTime).not.toBe(last), WITHIN);
      last = (await seen()).spec.renewTime;
      expect(leaders()).toEqual(['behind']);
    }
  });

  it('says which right is missing, or that there is no namespace', async () => {
    await plane.createServiceAccount(SYSTEM, `${lease}-other`);
    join('stranger', { bearer: await plane.serviceAccountToken(SYSTEM, `${lease}-other`) });
    join('lost', { bearer: plane.adminToken, namespace: 'nowhere' });
    const messages = () => lines.map(({ msg }) => msg as string);
    await vi.waitFor(() => {
      const right = `get and update on the lease ${lease} and create on leases (API group coordination.k8s.io)`;
      expect(messages()).toContainEqual(expect.stringContaining(right));
      expect(messages()).toContainEqual(expect.stringContaining('there is no namespace nowhere'));
    }, WITHIN);
    expect(leaders()).toEqual([]);
  });
});
