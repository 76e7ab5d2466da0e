/** Which servers are compared, and how is each started? */
import path from 'node:path';
import {
  checkpoints,
  documentsFile,
  type Graphs,
  graphs,
  peerPython,
  QUIET,
  root,
  type TransformersJs,
  transformersJs,
} from './assets.ts';
import type { Curve } from './plan.ts';
import type { ServerCommand } from './server-process.ts';

/** Tokens of a slot of ours: the longest prompt and the longest answer, and some. */
const CONTEXT = 256;

export const PRECISIONS = ['fp32', 'w8a8', 'w8'] as const;
export type ServedPrecision = (typeof PRECISIONS)[number];

/** What is known of a system before it runs. */
export interface System {
  readonly name: string;
  readonly kind: 'python-baseline' | 'python-queued' | 'transformers-js' | 'ragscale';
  readonly precision: ServedPrecision;
  /** Answers in progress at once: places of a batch, or slots. */
  readonly slots: number;
  readonly curve: Curve;
  readonly color: string;
  /** Whether it takes part unless it is named. */
  readonly isOptional?: true;
}

export function knownSystems(maxBatchSize: number): System[] {
  const one = { precision: 'fp32', slots: 1, curve: 'coarse' } as const;
  const ours = { kind: 'ragscale', curve: 'fine' } as const;
  return [
    { ...one, name: 'python-baseline', kind: 'python-baseline', color: '#bbbbbb' },
    { ...one, name: 'transformers-js', kind: 'transformers-js', color: '#bcbd22' },
    { ...one, name: 'python-queued', kind: 'python-queued', slots: maxBatchSize, color: '#555555' },
    { ...ours, name: 'ragscale-baseline-fp32', precision: 'fp32', slots: 1, curve: 'coarse', color: '#ffbb78' },
    { ...ours, name: 'ragscale-baseline-w8a8', precision: 'w8a8', slots: 1, curve: 'coarse', color: '#98df8a' },
    {
      ...ours,
      name: 'ragscale-baseline-w8',
      precision: 'w8',
      slots: 1,
      curve: 'coarse',
      color: '#c5b0d5',
      isOptional: true,
    },
    { ...ours, name: 'ragscale-batched-w8-32', precision: 'w8', slots: 32, color: '#9467bd', isOptional: true },
    { ...ours, name: 'ragscale-batched-fp32-16', precision: 'fp32', slots: 16, color: '#ff7f0e' },
    { ...ours, name: 'ragscale-batched-fp32-32', precision: 'fp32', slots: 32, color: '#d62728', isOptional: true },
    { ...ours, name: 'ragscale-batched-w8a8-16', precision: 'w8a8', slots: 16, color: '#2ca02c' },
    { ...ours, name: 'ragscale-batched-w8a8-32', precision: 'w8a8', slots: 32, color: '#1f77b4' },
  ];
}

/** Makes what the systems need, and the command of each by name. */
export async function commandsFor(
  systems: readonly System[],
  threads: number,
  maxWaitingTime: number,
): Promise<ReadonlyMap<string, ServerCommand>> {
  const weights = await checkpoints();
  const documents = documentsFile();
  const python = peerPython();
  const uses = (kind: System['kind']) => systems.some((system) => system.kind === kind);
  const library = uses('transformers-js') ? transformersJs(python, weights) : undefined;
  const folders = new Map<ServedPrecision, Graphs>();
  for (const precision of PRECISIONS) {
    if (systems.some((system) => system.kind === 'ragscale' && system.precision === precision)) {
      folders.set(precision, await graphs(precision, weights));
    }
  }
  const common = { DOCUMENTS: documents, THREADS: `${threads}` };
  const pythonServer = (name: string, script: string, env: Record<string, string>): ServerCommand => ({
    name,
    command: python,
    args: [path.join(root, 'bench/peers', script)],
    env: { ...QUIET, ...common, RAG_EMBEDDER: weights.embedder, RAG_GENERATOR: weights.generator, ...env },
  });
  const commandOf = (system: System): ServerCommand => {
    switch (system.kind) {
      case 'python-baseline':
        return pythonServer(system.name, 'baseline_server.py', {});
      case 'python-queued':
        return pythonServer(system.name, 'queued_server.py', {
          MAX_BATCH_SIZE: `${system.slots}`,
          MAX_WAITING_TIME: `${maxWaitingTime}`,
        });
      case 'transformers-js':
        return transformersJsServer(system.name, library!, common);
      case 'ragscale':
        return pod(system, folders.get(system.precision)!, common);
    }
  };
  return new Map(systems.map((system) => [system.name, commandOf(system)]));
}

function transformersJsServer(name: string, library: TransformersJs, common: Record<string, string>): ServerCommand {
  return {
    name,
    command: process.execPath,
    args: [path.join(root, 'bench/peers/transformers-js/server.ts')],
    env: { ...common, TRANSFORMERS_JS: library.installation, MODELS: library.models },
  };
}

function pod({ name, slots }: System, folders: Graphs, common: Record<string, string>): ServerCommand {
  const variant = slots === 1 ? 'baseline' : 'batched';
  return {
    name,
    command: process.execPath,
    args: [path.join(root, 'apps/rag/dist/main.js')],
    env: {
      ...common,
      VARIANT: variant,
      HOST: '127.0.0.1',
      RAG_EMBEDDER: folders.embedder,
      RAG_GENERATOR: folders.generator,
      CONTEXT: `${CONTEXT}`,
      SLOTS: `${slots}`,
      LOG_LEVEL: 'warn',
      LOG_FORMAT: 'json',
      // No question comes twice and the peers have neither: what is compared is serving, not caching.
      EMBEDDING_CACHE_MB: '0',
      PREFIX_SHARING: 'off',
      // As patient as the peers, which refuse nobody.
      REFUSE_BEYOND: 'deadline',
      MAX_QUEUED_REQUESTS: '100000',
      MAX_QUEUED_TOKENS: '1000000000',
    },
  };
}
