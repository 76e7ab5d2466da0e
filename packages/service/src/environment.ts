/** Reads configuration from environment variables: one table gives types, defaults, checks and documentation. */
import { z } from 'zod';

export interface Variable<T = unknown> {
  readonly name: string;
  readonly about: string;
  /** What may stand there, for messages and documentation. */
  readonly allowed: string;
  readonly schema: z.ZodType<T, string>;
  /** As it would stand in the environment; without one the value is undefined when unset. */
  readonly fallback?: string | (() => string);
  /** Documentation of a default that is computed. */
  readonly fallbackText?: string;
}

export type Variables = Readonly<Record<string, Variable>>;

export type ValuesOf<Table extends Variables> = {
  readonly [Key in keyof Table]:
    | z.output<Table[Key]['schema']>
    | (Table[Key] extends { fallback: unknown } ? never : undefined);
};

/** Every bad variable of an environment, one per line. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `the configuration has ${problems.length === 1 ? 'an error' : `${problems.length} errors`}:\n${problems.map((line) => `  ${line}`).join('\n')}`,
    );
    this.problems = problems;
  }
}

/**
 * An empty variable counts as unset, as in Kubernetes manifests with optional values.
 * @throws ConfigurationError naming every bad variable and what may stand there
 */
export function readEnvironment<const Table extends Variables>(table: Table, env: NodeJS.ProcessEnv): ValuesOf<Table> {
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [key, variable] of Object.entries(table)) {
    const given = env[variable.name]?.trim() || undefined;
    const text = given ?? (typeof variable.fallback === 'function' ? variable.fallback() : variable.fallback);
    if (text === undefined) {
      values[key] = undefined;
      continue;
    }
    const parsed = variable.schema.safeParse(text);
    if (parsed.success) values[key] = parsed.data;
    else problems.push(`${variable.name}=${JSON.stringify(text.slice(0, 80))}: must be ${variable.allowed}`);
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return values as ValuesOf<Table>;
}

/** Names with the prefix that no entry of the table has: most likely misspelt. */
export function unknownVariables(table: Variables, env: NodeJS.ProcessEnv, prefix: string): string[] {
  const known = new Set(Object.values(table).map((variable) => variable.name));
  return Object.keys(env).filter((name) => name.startsWith(prefix) && !known.has(name));
}

/** The rows of the table in Markdown. */
export function renderVariables(table: Variables): string {
  const rows = Object.values(table).map(({ name, about, allowed, fallback, fallbackText }) => {
    const byDefault = fallbackText ?? (typeof fallback === 'string' ? `\`${fallback}\`` : '');
    return `| \`${name}\` | ${about} | ${allowed.replaceAll('|', '\\|')} | ${byDefault} |`;
  });
  return ['| variable | what | allowed | default |', '|---|---|---|---|', ...rows].join('\n');
}

type Kind<T> = Pick<Variable<T>, 'schema' | 'allowed'>;

export function integer(min: number, max: number): Kind<number> {
  return {
    schema: z
      .string()
      .regex(/^[0-9]{1,15}$/)
      .transform(Number)
      .pipe(z.int().min(min).max(max)),
    allowed: `an integer from ${min} to ${max}`,
  };
}

export function oneOf<const Choice extends string>(choices: readonly Choice[]): Kind<Choice> {
  return { schema: z.enum(choices), allowed: choices.length === 1 ? `${choices[0]}` : `one of ${choices.join(', ')}` };
}

export function text(allowed: string): Kind<string> {
  return { schema: z.string().min(1), allowed };
}

const SECONDS_PER_UNIT = { s: 1, m: 60 } as const;

/** A duration such as `500ms`, `2s` or `1.5m`, as seconds. */
export function duration(minSeconds: number, maxSeconds: number): Kind<number> {
  return {
    schema: z
      .string()
      .regex(/^[0-9]+(\.[0-9]+)?(ms|s|m)$/)
      .transform(parseDuration)
      .pipe(z.number().min(minSeconds).max(maxSeconds)),
    allowed: `a duration such as 500ms, 2s or 1m, from ${minSeconds} to ${maxSeconds} seconds`,
  };
}

function parseDuration(given: string): number {
  const unit = given.endsWith('ms') ? 'ms' : given.endsWith('s') ? 's' : 'm';
  // By division: 300 * 0.001 is not 0.3, and a bucket must lie exactly on the objective.
  const amount = Number(given.slice(0, -unit.length));
  return unit === 'ms' ? amount / 1000 : amount * SECONDS_PER_UNIT[unit];
}
