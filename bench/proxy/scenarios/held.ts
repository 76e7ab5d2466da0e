/** What does a proxy need to hold many connections, and many requests that no pod can take yet? */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Held, holdConnections } from '../held-connections.ts';
import { fixed, markdownTable } from '../markdown.ts';
import { type Peer, type PeerName, startPeer } from '../peers.ts';
import { Pods } from '../pods.ts';
import type { Context, Scenario } from '../scenario.ts';

const PODS = 2;
const SLOTS = 64;
const QUESTION = JSON.stringify({ query: 'Is anybody there?' });
/** For what is freed to be freed. */
const SETTLE_MS = 2000;
const RELEASE_SECONDS = 20;

export interface HeldPeer {
  readonly name: string;
  /** Bytes: fresh, with all connections idle, and with requests waiting besides; null where it cannot be read. */
  readonly fresh: number | null;
  readonly idle: number | null;
  readonly waiting: number | null;
  /** Connections that were still open when memory was read. */
  readonly idleOpen: number;
  readonly waitingOpen: number;
  /** Of the waiting requests, when pods had slots again: answered with 200, and with anything else. */
  readonly answered: number;
  readonly refused: number;
}

export interface HeldConnections {
  readonly idle: number;
  readonly waiting: number;
  readonly peers: readonly HeldPeer[];
}

export const held: Scenario<HeldConnections> = {
  name: 'held',
  peers: ['relay', 'nginx', 'haproxy', 'ragscale'],
  needs: [],

  async measure({ quick, peers: names, progress }: Context): Promise<HeldConnections> {
    const [idle, waiting] = quick ? [1000, 200] : [10_000, 2000];
    const peers: HeldPeer[] = [];
    for (const name of names) {
      progress(name);
      peers.push(await measurePeer(name, idle, waiting));
    }
    return { idle, waiting, peers };
  },

  tell({ idle, waiting, peers }: HeldConnections): string {
    const megabytes = (bytes: number | null) => fixed(bytes === null ? null : bytes / 1e6, 1);
    const each = (more: number | null, less: number | null, count: number) =>
      more === null || less === null ? '' : fixed((more - less) / count / 1000, 1);
    const rows = peers.map((peer) => [
      peer.name,
      megabytes(peer.fresh),
      megabytes(peer.idle),
      each(peer.idle, peer.fresh, idle),
      megabytes(peer.waiting),
      each(peer.waiting, peer.idle, waiting),
      peer.idleOpen,
      peer.waitingOpen,
      peer.answered,
      peer.refused,
    ]);
    return [
      '## Held connections',
      '',
      `${idle} connections that have asked once and stay open, then ${waiting} requests more to pods without a free slot. Memory of the proxy's processes ` +
        '(what several share counted once), MB, and kB for each. At the end the pods are given their slots back: how many of those that waited are answered.',
      '',
      markdownTable(
        ['proxy', 'fresh', 'idle', 'kB each', 'waiting', 'kB each', 'idle open', 'waiting open', 'answered', 'refused'],
        rows,
      ),
    ].join('\n');
  },
};

async function measurePeer(name: PeerName, idleCount: number, waitingCount: number): Promise<HeldPeer> {
  const pods = await Pods.start(PODS, { slots: SLOTS, queue: 100_000, drainDelayMs: 0 });
  const isHeld = (value: boolean) => Promise.all(pods.urls.map((_, pod) => pods.control(pod, { held: value })));
  let peer: Peer | undefined;
  let [idle, waiting]: (Held | undefined)[] = [];
  try {
    peer = await startPeer(name, { backends: pods.urls, slots: SLOTS });
    const url = peer.urls[0]!;
    const fresh = peer.memoryBytes();
    idle = await holdConnections(url, idleCount, QUESTION, true);
    await sleep(SETTLE_MS);
    const whenIdle = peer.memoryBytes();
    await isHeld(true);
    waiting = await holdConnections(url, waitingCount, QUESTION, false);
    await sleep(SETTLE_MS);
    const whenWaiting = peer.memoryBytes();
    const [idleOpen, waitingOpen] = [idle.open(), waiting.open()];
    await isHeld(false);
    for (let i = 0; i < RELEASE_SECONDS * 10 && waiting.statuses.length < waitingCount; i++) await sleep(100);
    const answered = waiting.statuses.filter((status) => status === 200).length;
    return {
      name,
      fresh,
      idle: whenIdle,
      waiting: whenWaiting,
      idleOpen,
      waitingOpen,
      answered,
      refused: waiting.statuses.length - answered,
    };
  } finally {
    idle?.close();
    waiting?.close();
    await peer?.stop();
    await pods.stop();
  }
}
