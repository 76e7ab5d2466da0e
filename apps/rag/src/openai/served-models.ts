/** Which models go by which names: those of their manifests, and ours, which stay when the models change. */
import { ServiceError } from '@ragscale/service/error-catalogue';
import type { ServedModels } from '../answer-gate.ts';
import { shortened } from '../validation.ts';

/** What a model is asked for. */
export type Task = 'chat' | 'embeddings';

export const ALIASES = { chat: 'ragscale', embeddings: 'ragscale-embedder' } as const satisfies Record<Task, string>;

export interface ServedModel {
  readonly id: string;
  readonly task: Task;
  /** Name in the manifest, which is the id unless that is an alias. */
  readonly root: string;
  /** Tokens that it takes at once, an answer's included. */
  readonly maxTokens: number;
}

/** Every name that requests may give, the aliases first. */
export function servedModels({ generator, embedder }: ServedModels): ServedModel[] {
  const chat = { task: 'chat', root: generator.name, maxTokens: generator.context } as const;
  const embeddings = { task: 'embeddings', root: embedder.name, maxTokens: embedder.dimensions.maxTokens } as const;
  return [
    { id: ALIASES.chat, ...chat },
    { id: generator.name, ...chat },
    { id: ALIASES.embeddings, ...embeddings },
    { id: embedder.name, ...embeddings },
  ];
}

/** @throws ServiceError model_not_found unless the name is that of a model for the task */
export function findModel(name: string, served: ServedModels, task?: Task): ServedModel {
  const found = servedModels(served).find(({ id, ...model }) => id === name && (task ?? model.task) === model.task);
  if (found !== undefined) return found;
  throw new ServiceError('model_not_found', { model: shortened(name) }, { param: 'model' });
}
