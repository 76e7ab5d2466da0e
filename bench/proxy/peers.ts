/** Which proxies are compared, and how is each started? One processor's worth of each: one thread, or one worker. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { lastingPort } from '../lib/free-port.ts';
import { cpuSample } from '../lib/process-cpu.ts';
import { Child, type Command } from './child.ts';
import { haproxy } from './haproxy.ts';
import { nginxProxy } from './nginx.ts';
import { memoryBytes } from './process-memory.ts';
import { findProgram } from './programs.ts';

export type Family = 'direct' | 'relay' | 'nginx' | 'haproxy' | 'ragscale';

export const COLORS: Readonly<Record<Family, string>> = {
  direct: '#bbbbbb',
  relay: '#7f7f7f',
  nginx: '#2ca02c',
  haproxy: '#ff7f0e',
  ragscale: '#1f77b4',
};

interface Wish {
  readonly name: string;
  readonly backends: readonly string[];
  readonly port: number;
  readonly adminPort: number;
  /** Slots of each backend, for proxies that must be told. */
  readonly slots: number;
}

type Recipe = (wish: Wish) => Command & { readonly readyPort?: number };

const ragscaleMain = path.join(import.meta.dirname, '../../apps/proxy/dist/main.js');

const ragscale =
  (policy?: string): Recipe =>
  ({ backends, port, adminPort }) => ({
    command: process.execPath,
    // As `npm run start:proxy` does.
    args: ['--max-semi-space-size=8', ragscaleMain],
    env: {
      BACKENDS: backends.join(','),
      HOST: '127.0.0.1',
      PORT: `${port}`,
      ADMIN_PORT: `${adminPort}`,
      ...(policy === undefined ? {} : { POLICY: policy }),
    },
    readyPort: adminPort,
  });

const RECIPES = {
  relay: ({ backends, port }) => ({
    command: process.execPath,
    args: [path.join(import.meta.dirname, 'relay.ts')],
    env: { BACKENDS: backends.join(','), PORT: `${port}` },
  }),
  nginx: nginxProxy,
  'nginx-least-conn': (wish) => nginxProxy({ ...wish, balance: 'least_conn' }),
  'nginx-retries': (wish) => nginxProxy({ ...wish, retries: true }),
  haproxy: (wish) => haproxy({ ...wish, balance: 'roundrobin' }),
  'haproxy-leastconn': (wish) => haproxy({ ...wish, balance: 'leastconn' }),
  // One request in advance, as the proxies of this project have it.
  'haproxy-maxconn': (wish) => haproxy({ ...wish, balance: 'leastconn', maxPerBackend: wish.slots + 1 }),
  'haproxy-retries': (wish) => haproxy({ ...wish, balance: 'roundrobin', retries: true }),
  ragscale: ragscale(),
  'ragscale-round-robin': ragscale('round-robin'),
  'ragscale-least-request': ragscale('least-request'),
  'ragscale-two-choices': ragscale('two-choices'),
  'ragscale-peak-ewma': ragscale('peak-ewma'),
} as const satisfies Record<string, Recipe>;

export type PeerName = 'direct' | keyof typeof RECIPES;

export const PEER_NAMES: readonly PeerName[] = ['direct', ...(Object.keys(RECIPES) as (keyof typeof RECIPES)[])];

export function familyOf(name: PeerName): Family {
  return name.split('-')[0] as Family;
}

/** Why a family cannot take part here; undefined when it can. */
export function missing(family: Family): string | undefined {
  if (family === 'ragscale' && !existsSync(ragscaleMain)) return 'apps/proxy is not built';
  if ((family === 'nginx' || family === 'haproxy') && findProgram(family) === undefined) return 'not installed';
  return undefined;
}

/** A proxy that runs; `direct` is none, and has the backends' own addresses. */
export interface Peer {
  readonly name: PeerName;
  readonly urls: readonly string[];
  /** Seconds of processor time so far, workers included; NaN of `direct`. */
  cpuSeconds(): number;
  memoryBytes(): number;
  stop(): Promise<void>;
}

export interface PeerOptions {
  readonly backends: readonly string[];
  readonly slots: number;
  readonly cpus?: string | undefined;
}

export async function startPeer(name: PeerName, { backends, slots, cpus }: PeerOptions): Promise<Peer> {
  if (name === 'direct') {
    return {
      name,
      urls: backends,
      cpuSeconds: () => Number.NaN,
      memoryBytes: () => Number.NaN,
      stop: async () => {},
    };
  }
  const [port, adminPort] = [await lastingPort(), await lastingPort()];
  const recipe: Recipe = RECIPES[name];
  const { readyPort = port, ...command } = recipe({ name, backends, port, adminPort, slots });
  const child = await Child.start({ name, ...command, readyUrl: `http://127.0.0.1:${readyPort}/readyz`, cpus });
  return {
    name,
    urls: [`http://127.0.0.1:${port}`],
    cpuSeconds: () => cpuSample(child.pid).server,
    memoryBytes: () => memoryBytes(child.pid),
    stop: () => child.stop(),
  };
}
