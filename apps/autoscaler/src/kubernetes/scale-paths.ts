/** Where is the scale of something? The API server says which kinds have one, and under which name. */
import { z } from 'zod';
import { FleetError } from '../fleet.ts';
import { type Api, fleetError, isStatus } from './api.ts';
import { groupOf, type ScaleTargetRef } from './latency-autoscaler.ts';

const resourceListSchema = z.object({
  resources: z.array(z.object({ name: z.string(), kind: z.string(), namespaced: z.boolean() })),
});

export interface ScalePath {
  readonly path: string;
  /** As in a Role: `deployments/scale`. */
  readonly resource: string;
  readonly group: string;
}

/** By kind. */
type Plurals = ReadonlyMap<string, { readonly plural: string; readonly hasScale: boolean }>;

export class ScalePaths {
  readonly #api: Api;
  /** By group and version; a request that is under way is shared. */
  readonly #found = new Map<string, Promise<Plurals>>();

  constructor(api: Api) {
    this.#api = api;
  }

  /** @throws FleetError where there is no such kind, or it has no scale */
  async of({ apiVersion, kind, name }: ScaleTargetRef, namespace: string, signal: AbortSignal): Promise<ScalePath> {
    const group = groupOf(apiVersion);
    const base = `${group === '' ? '/api' : '/apis'}/${apiVersion}`;
    const found = (await this.#pluralsOf(apiVersion, base, signal)).get(kind);
    if (!found?.hasScale) {
      // Its CustomResourceDefinition may come later.
      this.forget(apiVersion);
      const what = found ? 'has no scale subresource' : 'is not known to the API server';
      const message = `${kind} of ${apiVersion} ${what}: is spec.scaleTargetRef right?`;
      throw new FleetError({ reason: 'NotScalable', message });
    }
    const path = `${base}/namespaces/${namespace}/${found.plural}/${encodeURIComponent(name)}/scale`;
    return { path, resource: `${found.plural}/scale`, group };
  }

  /** The next question is asked anew. */
  forget(apiVersion: string): void {
    this.#found.delete(apiVersion);
  }

  #pluralsOf(apiVersion: string, base: string, signal: AbortSignal): Promise<Plurals> {
    const known = this.#found.get(apiVersion);
    if (known) return known;
    const asked = this.#ask(apiVersion, base, signal);
    this.#found.set(apiVersion, asked);
    asked.catch(() => {
      if (this.#found.get(apiVersion) === asked) this.forget(apiVersion);
    });
    return asked;
  }

  async #ask(apiVersion: string, base: string, signal: AbortSignal): Promise<Plurals> {
    try {
      const { resources } = await this.#api.request('GET', base, { schema: resourceListSchema, signal });
      const names = new Set(resources.map(({ name }) => name));
      const own = resources.filter(({ name, namespaced }) => namespaced && !name.includes('/'));
      return new Map(own.map(({ kind, name }) => [kind, { plural: name, hasScale: names.has(`${name}/scale`) }]));
    } catch (error) {
      if (isStatus(error, 404)) return new Map();
      const right = {
        verb: 'get',
        resource: base,
        group: apiVersion,
        namespace: 'all (the ClusterRole system:discovery)',
      };
      throw fleetError(error, right, 'FailedGetScale', `the kinds of ${apiVersion} cannot be read`);
    }
  }
}
