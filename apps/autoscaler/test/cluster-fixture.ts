/** What do the tests with a real API server need? Our kind of resource, things to scale, and pods as the kubelet would tell of them. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Agent, request } from 'undici';
import { vi } from 'vitest';
import type { ControlPlane } from '../../../test/cluster/control-plane/control-plane.ts';
import { specWith } from './specs.ts';

const ROOT = path.join(import.meta.dirname, '../../..');
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
export const GROUP = '/apis/ragscale.dev/v1alpha1';
/** For what the API server does by and by. */
export const WITHIN = { timeout: 20_000, interval: 20 };

/** As the administrator, with headers of its own. @throws Error with the server's words when it refuses */
export async function ask(
  plane: ControlPlane,
  at: string,
  headers: Record<string, string>,
  body?: string,
): Promise<unknown> {
  const agent = new Agent({ connect: { rejectUnauthorized: false } });
  try {
    const answer = await request(plane.url + at, {
      method: body === undefined ? 'GET' : 'POST',
      dispatcher: agent,
      headers: { authorization: `Bearer ${plane.adminToken}`, accept: 'application/json', ...headers },
      ...(body !== undefined && { body }),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${at}: ${answer.statusCode} ${text}`);
    return JSON.parse(text);
  } finally {
    await agent.destroy();
  }
}

/** Read by the server, as kubectl and Helm read it. */
export function createFromFile(plane: ControlPlane, at: string, file: string): Promise<unknown> {
  return ask(plane, at, { 'content-type': 'application/yaml' }, readFileSync(path.join(ROOT, file), 'utf8'));
}

/** Resolves when resources of the kind can be made. */
export async function defineKind(
  plane: ControlPlane,
  definition: object,
  group: string,
  plural: string,
): Promise<void> {
  await plane.request('POST', DEFINITIONS, definition);
  await isServed(plane, group, plural);
}

export async function defineLatencyAutoscaler(plane: ControlPlane): Promise<void> {
  await createFromFile(plane, DEFINITIONS, 'charts/ragscale/crds/latencyautoscalers.yaml');
  await isServed(plane, 'ragscale.dev/v1alpha1', 'latencyautoscalers');
}

async function isServed(plane: ControlPlane, group: string, plural: string): Promise<void> {
  await vi.waitFor(() => plane.request('GET', `/apis/${group}/${plural}`), WITHIN);
}

export interface SeenEvent {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  readonly involvedObject: { readonly name: string };
}

/** One namespace and what is in it, made as the administrator. */
export class Room {
  readonly #plane: ControlPlane;
  readonly namespace: string;

  constructor(plane: ControlPlane, namespace: string) {
    this.#plane = plane;
    this.namespace = namespace;
  }

  async autoscaler(
    name: string,
    spec: object = specWith({ scaleTargetRef: { name } }),
    annotations = {},
  ): Promise<void> {
    await this.create(GROUP, 'latencyautoscalers', { ...kindOf(), metadata: { name, annotations }, spec });
  }

  /** Without a controller nobody makes its pods. */
  async deployment(
    name: string,
    replicas: number,
    plural: 'deployments' | 'statefulsets' = 'deployments',
  ): Promise<void> {
    const labels = { app: name };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'rag', image: 'rag' }] } };
    const own = plural === 'statefulsets' ? { serviceName: name } : {};
    await this.create('/apis/apps/v1', plural, {
      metadata: { name },
      spec: { ...own, replicas, selector: { matchLabels: labels }, template },
    });
  }

  async pod(
    name: string,
    app: string,
    status: object = { conditions: [{ type: 'Ready', status: 'True' }] },
  ): Promise<void> {
    const spec = { containers: [{ name: 'rag', image: 'rag' }] };
    await this.create('/api/v1', 'pods', { metadata: { name, labels: { app } }, spec });
    await this.podStatus(name, status);
  }

  async podStatus(name: string, status: object): Promise<void> {
    await this.patch('/api/v1', `pods/${name}/status`, { status: { phase: 'Running', ...status } });
  }

  async create(group: string, plural: string, object: object): Promise<void> {
    await this.#plane.request('POST', this.#at(group, plural), object);
  }

  async patch(group: string, at: string, object: object): Promise<void> {
    await this.#plane.request('PATCH', this.#at(group, at), object);
  }

  async delete(group: string, at: string): Promise<void> {
    await this.#plane.request('DELETE', this.#at(group, at), { gracePeriodSeconds: 0 });
  }

  /** The caller says what it is. */
  async get<T>(group: string, at: string): Promise<T> {
    return (await this.#plane.request('GET', this.#at(group, at))) as T;
  }

  async replicas(name: string, plural = 'deployments'): Promise<number> {
    const { spec } = await this.get<{ spec: { replicas: number } }>('/apis/apps/v1', `${plural}/${name}`);
    return spec.replicas;
  }

  async events(): Promise<readonly SeenEvent[]> {
    const { items } = await this.get<{ items: SeenEvent[] }>('/api/v1', 'events');
    return items;
  }

  #at(group: string, rest: string): string {
    return `${group}/namespaces/${this.namespace}/${rest}`;
  }
}

export function kindOf(): object {
  return { apiVersion: 'ragscale.dev/v1alpha1', kind: 'LatencyAutoscaler' };
}
