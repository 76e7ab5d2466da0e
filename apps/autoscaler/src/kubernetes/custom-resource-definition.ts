/** How does a cluster come to have a definition of a resource as a file has it, whatever it had before? */
import type { Clock } from '@ragscale/service/clock';
import { z } from 'zod';
import { type Api, isStatus } from './api.ts';

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const FIELD_MANAGER = 'ragscale-crd';
const PATIENCE_MS = 60_000;
const PAUSE_MS = 250;

/** What may be left out of a spec, and would otherwise stay as it was. */
const OPTIONAL = { conversion: null, preserveUnknownFields: null };
const OPTIONAL_NAMES = { categories: null, listKind: null, shortNames: null, singular: null };

const definitionSchema = z.object({
  apiVersion: z.literal('apiextensions.k8s.io/v1'),
  kind: z.literal('CustomResourceDefinition'),
  metadata: z.object({
    name: z.string().min(1),
    labels: z.record(z.string(), z.string()).optional(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
  spec: z.looseObject({ names: z.looseObject({}) }),
});

export type Definition = z.output<typeof definitionSchema>;

const appliedSchema = z.object({
  status: z
    .object({
      conditions: z.array(z.object({ type: z.string(), status: z.string(), message: z.string().optional() })).nullish(),
    })
    .optional(),
});

type Applied = z.output<typeof appliedSchema>;

/** @throws Error in words when it is no JSON, or no CustomResourceDefinition */
export function readDefinition(json: string): Definition {
  let object: unknown;
  try {
    object = JSON.parse(json);
  } catch (error) {
    throw new Error(`not JSON: ${(error as Error).message}`);
  }
  const result = definitionSchema.safeParse(object);
  if (!result.success) throw new Error(`not a CustomResourceDefinition: ${z.prettifyError(result.error)}`);
  return result.data;
}

/**
 * Resolves once resources of it can be made. A merge patch replaces lists, so that what the new definition no longer has is gone;
 * server-side apply would leave it where another owns it, such as Helm, which made the definition.
 * @throws KubernetesError when the server refuses; Error when the name is taken or the server does not establish it in time
 */
export async function applyDefinition(api: Pick<Api, 'request'>, definition: Definition, clock: Clock): Promise<void> {
  const { name } = definition.metadata;
  const deadline = clock.now() + PATIENCE_MS;
  let applied = await patchOrCreate(api, definition);
  while (conditionOf(applied, 'Established')?.status !== 'True') {
    const names = conditionOf(applied, 'NamesAccepted');
    if (names?.status === 'False') throw new Error(`the names of ${name} are taken: ${names.message}`);
    if (clock.now() >= deadline) throw new Error(`${name} is not established after ${PATIENCE_MS / 1000} s`);
    await clock.sleep(PAUSE_MS, new AbortController().signal);
    applied = await api.request('GET', `${DEFINITIONS}/${name}`, { schema: appliedSchema });
  }
}

async function patchOrCreate(api: Pick<Api, 'request'>, definition: Definition): Promise<Applied> {
  const { metadata, spec } = definition;
  const query = { fieldManager: FIELD_MANAGER, fieldValidation: 'Strict' };
  const body = { metadata, spec: { ...OPTIONAL, ...spec, names: { ...OPTIONAL_NAMES, ...spec.names } } };
  try {
    return await api.request('PATCH', `${DEFINITIONS}/${metadata.name}`, { query, body, schema: appliedSchema });
  } catch (error) {
    if (!isStatus(error, 404)) throw error;
    return await api.request('POST', DEFINITIONS, { query, body: definition, schema: appliedSchema });
  }
}

function conditionOf({ status }: Applied, wanted: string) {
  return status?.conditions?.find(({ type }) => type === wanted);
}
