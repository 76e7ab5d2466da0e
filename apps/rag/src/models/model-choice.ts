/** Which model does a variable name: a folder, a model of the catalogue, or a server elsewhere? */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CatalogueEntry, catalogueEntry } from '@ragscale/model-builder/catalogue';
import type { Variable } from '@ragscale/service/environment';
import { z } from 'zod';

export type ModelRole = 'embedder' | 'generator';

export type ModelChoice =
  | { readonly kind: 'folder'; readonly folder: string }
  /** Pulled from the hub and built where it is not yet. */
  | { readonly kind: 'named'; readonly entry: CatalogueEntry; readonly revision?: string };

/** A server that speaks OpenAI's API. */
export interface GeneratorElsewhere {
  readonly kind: 'elsewhere';
  /** Without a slash at its end, such as `http://host:8000/v1`. */
  readonly baseUrl: string;
  readonly endpoint: 'chat' | 'completions';
  /** As the address names it. */
  readonly model?: string;
}

/** The repository's own models, seen from `src/models` as from `dist/models`. */
const EMBEDDED = fileURLToPath(new URL('../../../../models/embedded/', import.meta.url));

const KINDS = { embedder: 'encoder', generator: 'decoder' } as const;
const ELSEWHERE = 'openai:';
const COMPLETIONS = /\/(chat\/completions|completions)$/;

export function embeddedFolder(role: ModelRole): string {
  return path.join(EMBEDDED, role);
}

export function modelChoice(role: ModelRole): Pick<Variable<ModelChoice>, 'schema' | 'allowed'> {
  return { schema: schemaOf((given) => modelOf(role, given)), allowed: allowedOf(role) };
}

export function generatorChoice(): Pick<Variable<ModelChoice | GeneratorElsewhere>, 'schema' | 'allowed'> {
  return {
    schema: schemaOf((given) =>
      given.startsWith(ELSEWHERE) ? serverOf(given.slice(ELSEWHERE.length)) : modelOf('generator', given),
    ),
    allowed: `${allowedOf('generator')}, or \`openai:\` and the address of a server (docs/generator-elsewhere.md)`,
  };
}

function schemaOf<T>(choose: (given: string) => T | undefined): z.ZodType<T, string> {
  return z.string().transform((given, context) => {
    const chosen = choose(given);
    if (chosen !== undefined) return chosen;
    context.addIssue({ code: 'custom', message: 'names nothing' });
    return z.NEVER;
  });
}

function allowedOf(role: ModelRole): string {
  return `\`embedded\` (ships with the repository), a name of \`ragscale models list\` that is of kind ${KINDS[role]}, a model folder (docs/model-folder.md)`;
}

/** A folder goes before a name: whoever has one of that name means it. */
function modelOf(role: ModelRole, given: string): ModelChoice | undefined {
  if (given === 'embedded') return { kind: 'folder', folder: embeddedFolder(role) };
  const folder = path.resolve(given);
  if (existsSync(path.join(folder, 'manifest.json'))) return { kind: 'folder', folder };
  const [name = '', revision] = given.split('@');
  const entry = catalogueEntry(name);
  if (entry?.kind !== KINDS[role]) return undefined;
  // Not on the hub: it ships with the repository.
  if (!name.includes('/')) return revision === undefined ? { kind: 'folder', folder: embeddedFolder(role) } : undefined;
  return { kind: 'named', entry, ...(revision === undefined ? {} : { revision }) };
}

function serverOf(address: string): GeneratorElsewhere | undefined {
  if (!URL.canParse(address)) return undefined;
  const url = new URL(address);
  const isUsable = (url.protocol === 'http:' || url.protocol === 'https:') && url.search === '' && url.username === '';
  if (!isUsable || url.password !== '') return undefined;
  const pathname = url.pathname.replace(/\/+$/, '');
  const model = decodeURIComponent(url.hash.slice(1));
  return {
    kind: 'elsewhere',
    baseUrl: `${url.origin}${pathname.replace(COMPLETIONS, '')}`,
    endpoint: COMPLETIONS.exec(pathname)?.[1] === 'completions' ? 'completions' : 'chat',
    ...(model === '' ? {} : { model }),
  };
}
