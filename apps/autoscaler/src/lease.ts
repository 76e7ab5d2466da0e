/** What stands in the Lease by which the processes agree who decides, and how is it read and written? */
import type { KubernetesClient } from '@ragscale/kubernetes/api-client';
import { KubernetesError } from '@ragscale/kubernetes/kubernetes-error';
import { z } from 'zod';

export interface LeaseSpec {
  /** Who decides; empty: nobody, it was given back; undefined: it was never anybody's. */
  readonly holderIdentity?: string | undefined;
  /** How long somebody else waits who sees no change. */
  readonly leaseDurationSeconds?: number | undefined;
  /** Since when the holder has it, and when it was last renewed: by the holder's clock, for people to read. */
  readonly acquireTime?: string | undefined;
  readonly renewTime?: string | undefined;
  /** How often the holder was another one than before. */
  readonly leaseTransitions?: number | undefined;
}

/** As the server has it. A write succeeds only if it still is. */
export interface Lease {
  readonly metadata: Readonly<Record<string, unknown>> & { readonly uid: string; readonly resourceVersion: string };
  readonly spec: LeaseSpec;
}

/** Somebody else has written meanwhile: read it anew. */
export class LeaseConflictError extends Error {
  override readonly name = 'LeaseConflictError';
}

/** Every call rejects when its signal is aborted. */
export interface LeaseStore {
  /** @returns undefined where there is none */
  read(signal: AbortSignal): Promise<Lease | undefined>;
  /** @throws LeaseConflictError where there is one already */
  create(spec: LeaseSpec, signal: AbortSignal): Promise<Lease>;
  /** @param lease as it was read or written last @throws LeaseConflictError where it has changed or gone since */
  replace(lease: Lease, spec: LeaseSpec, signal: AbortSignal): Promise<Lease>;
}

/** Times must be of the kind MicroTime, with exactly six digits: `2026-11-22T17:19:18.123000Z`. @param at milliseconds since the epoch */
export function microTime(at: number): string {
  return new Date(at).toISOString().replace('Z', '000Z');
}

const leaseSchema = z.object({
  metadata: z.looseObject({ uid: z.string().min(1), resourceVersion: z.string().min(1) }),
  spec: z
    .object({
      holderIdentity: z.string().optional(),
      leaseDurationSeconds: z.number().optional(),
      acquireTime: z.string().optional(),
      renewTime: z.string().optional(),
      leaseTransitions: z.number().optional(),
    })
    .optional(),
});

export interface KubernetesLeaseStoreOptions {
  readonly client: Pick<KubernetesClient, 'request'>;
  readonly namespace: string;
  readonly name: string;
}

export class KubernetesLeaseStore implements LeaseStore {
  readonly #client: Pick<KubernetesClient, 'request'>;
  readonly #options: KubernetesLeaseStoreOptions;
  readonly #collection: string;

  constructor(options: KubernetesLeaseStoreOptions) {
    this.#client = options.client;
    this.#options = options;
    this.#collection = `/apis/coordination.k8s.io/v1/namespaces/${options.namespace}/leases`;
  }

  async read(signal: AbortSignal): Promise<Lease | undefined> {
    try {
      return leaseOf(await this.#client.request('GET', this.#path, { schema: leaseSchema, signal }));
    } catch (error) {
      if (error instanceof KubernetesError && error.status === 404) return undefined;
      throw error;
    }
  }

  async create(spec: LeaseSpec, signal: AbortSignal): Promise<Lease> {
    const { namespace, name } = this.#options;
    const metadata = { namespace, name, labels: { 'app.kubernetes.io/managed-by': 'ragscale-autoscaler' } };
    return this.#write('POST', this.#collection, metadata, spec, signal);
  }

  /** With its uid: a PUT of a Lease that is gone would otherwise make a new one. */
  async replace({ metadata }: Lease, spec: LeaseSpec, signal: AbortSignal): Promise<Lease> {
    return this.#write('PUT', this.#path, metadata, spec, signal);
  }

  get #path(): string {
    return `${this.#collection}/${this.#options.name}`;
  }

  async #write(method: 'POST' | 'PUT', path: string, metadata: object, spec: LeaseSpec, signal: AbortSignal) {
    const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
    try {
      return leaseOf(await this.#client.request(method, path, { body, schema: leaseSchema, signal }));
    } catch (error) {
      const isGone = method === 'PUT' && error instanceof KubernetesError && error.status === 404;
      if (isGone || (error instanceof KubernetesError && error.status === 409)) {
        throw new LeaseConflictError(error.message, { cause: error });
      }
      throw error;
    }
  }
}

function leaseOf({ metadata, spec = {} }: z.output<typeof leaseSchema>): Lease {
  return { metadata, spec };
}
