/** Which model, and which of its revisions, does `org/name@revision` mean? */
import { HubError } from './hub-error.ts';

export interface ModelName {
  /** `org/name`, or `name` alone for the few oldest models. */
  readonly repository: string;
  /** A branch, a tag or a commit; absent when none was named. */
  readonly revision?: string;
}

/** What the hub allows (huggingface_hub's validate_repo_id). */
const PART = /^(?!.*(?:--|\.\.))[A-Za-z0-9_](?:[\w.-]*[A-Za-z0-9_])?$/;
const REVISION = /^(?!.*\.\.)[\w][\w./-]*$/;
const COMMIT = /^[0-9a-f]{40}$/;

export const isCommit = (revision: string): boolean => COMMIT.test(revision);

/** @throws HubError */
export function parseModelName(text: string): ModelName {
  const at = text.indexOf('@');
  const repository = at < 0 ? text : text.slice(0, at);
  const revision = at < 0 ? undefined : text.slice(at + 1);
  const parts = repository.split('/');
  if (
    parts.length > 2 ||
    repository.length > 96 ||
    !parts.every((part) => PART.test(part)) ||
    repository.endsWith('.git')
  ) {
    throw new HubError(
      'bad-name',
      `'${repository}' is no name of a model: org/name is expected, with @revision behind it or not`,
    );
  }
  if (revision === undefined) return { repository };
  if (!REVISION.test(revision) || revision.endsWith('/')) {
    throw new HubError('bad-name', `'${revision}' is no revision: a branch, a tag or a commit is expected`);
  }
  return { repository, revision };
}
