/** How a body that does not fit its schema is told to the client. */
import { StandardSchemaValidationPipe } from '@nestjs/common';
import { ServiceError } from '@ragscale/service/error-catalogue';
import type { z } from 'zod';

/** Problems that one answer names; a body with thousands of unknown fields gets no answer of thousands of lines. */
const MAX_PROBLEMS = 5;
const MAX_NAME_LENGTH = 64;

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
  /** Zod's: the unknown fields, where the issue is about those. */
  readonly keys?: readonly string[];
  /** What a schema adds to an issue of its own: `unsupported` names what the API knows and this server does not offer. */
  readonly params?: { readonly unsupported?: string } | undefined;
}

/** Marks a value as one that is understood and not served: the answer is `unsupported` and not `invalid_request`. */
export function refuseUnsupported(
  context: z.RefinementCtx,
  input: unknown,
  what: string,
  path: readonly PropertyKey[] = [],
): void {
  context.addIssue({
    code: 'custom',
    input,
    message: 'is not supported',
    path: [...path],
    params: { unsupported: shortened(what) },
  });
}

export function createValidationPipe(): StandardSchemaValidationPipe {
  return new StandardSchemaValidationPipe({ exceptionFactory: (issues) => invalidRequest(issues) });
}

/** An error that names each field at fault; `param` is the first. What is not supported goes before what is wrong. */
export function invalidRequest(issues: readonly Issue[]): ServiceError {
  const refused = issues.find((issue) => issue.params?.unsupported !== undefined);
  if (refused !== undefined) {
    const what = refused.params?.unsupported ?? '';
    return new ServiceError('unsupported', { what }, { param: problemsOf(refused)[0]?.name ?? what });
  }
  const problems = issues.flatMap(problemsOf);
  const lines = [
    ...new Set(problems.map(({ name, message }) => (name === null ? `the body ${message}` : `${name}: ${message}`))),
  ];
  const more = lines.length > MAX_PROBLEMS ? `; and ${lines.length - MAX_PROBLEMS} more` : '';
  const param = problems[0]?.name;
  return new ServiceError(
    'invalid_request',
    { detail: lines.slice(0, MAX_PROBLEMS).join('; ') + more },
    param ? { param } : {},
  );
}

function problemsOf(issue: Issue): { name: string | null; message: string }[] {
  if (issue.keys !== undefined)
    return issue.keys.map((key) => ({ name: shortened(key), message: 'is not a known field' }));
  const path = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
  return [{ name: path === '' ? null : shortened(path), message: issue.message }];
}

/** A client's own text, as long as an error may repeat it. */
export function shortened(name: string): string {
  return name.length > MAX_NAME_LENGTH ? `${name.slice(0, MAX_NAME_LENGTH).toWellFormed()}…` : name;
}
