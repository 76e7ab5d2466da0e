import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findViolations, readWorkspaces, type Workspace } from './check-boundaries.ts';

function workspace(folder: string, needs: readonly string[] = [], references = needs): Workspace {
  const nameOf = (of: string) => `@ragscale/${of.replace(/^.*\//, '')}`;
  return { folder, name: nameOf(folder), dependencies: [...needs.map(nameOf), 'zod'], references };
}

const service = workspace('packages/service');
const inference = workspace('packages/inference');

describe('boundaries', () => {
  it('hold in this repository', () => {
    expect(findViolations(readWorkspaces(fileURLToPath(new URL('..', import.meta.url))))).toEqual([]);
  });

  it('let apps import packages, and model-builder import inference', () => {
    const others = [
      workspace('packages/model-builder', ['packages/inference']),
      workspace('apps/rag', ['packages/service', 'packages/inference']),
    ];
    expect(findViolations([service, inference, ...others])).toEqual([]);
  });

  it.each([
    [
      'a package that stands alone',
      workspace('packages/scaling', ['packages/service']),
      'packages/scaling must not depend on packages/service: it may import no other package',
    ],
    [
      'a direction that is not allowed',
      workspace('packages/model-builder', ['packages/service']),
      'packages/model-builder must not depend on packages/service: it may import inference',
    ],
    [
      'a package that imports an app',
      workspace('packages/retrieval', ['apps/cli']),
      'packages/retrieval must not depend on apps/cli: nothing imports an app',
    ],
    [
      'an app that imports an app',
      workspace('apps/rag', ['apps/cli']),
      'apps/rag must not depend on apps/cli: nothing imports an app',
    ],
    [
      'a package without a row',
      workspace('packages/new', ['packages/service']),
      'packages/new has no row in the table of scripts/check-boundaries.ts',
    ],
    [
      'a dependency that is no workspace',
      workspace('apps/rag', ['packages/gone'], ['@ragscale/gone']),
      'apps/rag depends on @ragscale/gone, which is no workspace',
    ],
    [
      'a missing reference',
      workspace('apps/rag', ['packages/service'], []),
      'apps/rag/tsconfig.json lacks the reference to packages/service, a dependency',
    ],
    [
      'a reference too many',
      workspace('apps/rag', [], ['packages/service']),
      'apps/rag/tsconfig.json refers to packages/service, which is no dependency',
    ],
  ])('tell of %s', (_, broken, message) => {
    expect(findViolations([service, inference, workspace('apps/cli'), broken])).toEqual([message]);
  });
});
