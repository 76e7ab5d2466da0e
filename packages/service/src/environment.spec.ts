import { describe, expect, it } from 'vitest';
import {
  ConfigurationError,
  duration,
  integer,
  oneOf,
  readEnvironment,
  renderVariables,
  text,
  unknownVariables,
} from './environment.ts';

const TABLE = {
  port: { name: 'PORT', about: 'Port.', ...integer(0, 65_535), fallback: '8000' },
  level: { name: 'LEVEL', about: 'Level.', ...oneOf(['low', 'high']), fallback: 'low' },
  folder: { name: 'RAG_FOLDER', about: 'Folder.', ...text('a folder') },
  objective: {
    name: 'OBJECTIVE',
    about: 'Objective.',
    ...duration(0.001, 600),
    fallback: () => '2s',
    fallbackText: 'two seconds',
  },
} as const;

describe('an environment', () => {
  it('gives typed values and defaults; an empty variable counts as unset', () => {
    const values = readEnvironment(TABLE, { PORT: '0', LEVEL: '' });
    expect(values).toEqual({ port: 0, level: 'low', folder: undefined, objective: 2 });
    values satisfies { port: number; level: 'low' | 'high'; folder: string | undefined; objective: number };
  });

  it('lists every bad variable at once, with what may stand there', () => {
    const read = () => readEnvironment(TABLE, { PORT: '65536', LEVEL: 'middle', OBJECTIVE: '2' });
    expect(read).toThrow(ConfigurationError);
    expect(read).toThrow(
      /3 errors:\n {2}PORT="65536": must be an integer from 0 to 65535\n {2}LEVEL="middle": must be one of low, high\n {2}OBJECTIVE="2"/,
    );
  });

  it.each(['1.5', '-1', '1e3', '0x10', 'abc', '1 2', '9'.repeat(20)])('does not take %s for an integer', (given) => {
    expect(() => readEnvironment(TABLE, { PORT: given })).toThrow('PORT=');
  });

  it.each([
    ['500ms', 0.5],
    ['300ms', 0.3],
    ['2s', 2],
    ['1.5m', 90],
  ])('reads the duration %s as %d s', (given, seconds) => {
    expect(readEnvironment(TABLE, { OBJECTIVE: given }).objective).toBe(seconds);
  });

  it('knows which names nobody reads', () => {
    expect(unknownVariables(TABLE, { RAG_FOLDER: 'a', RAG_FODLER: 'b', OTHER: 'c' }, 'RAG_')).toEqual(['RAG_FODLER']);
  });

  it('renders its own documentation', () => {
    expect(renderVariables(TABLE)).toContain(
      '| `OBJECTIVE` | Objective. | a duration such as 500ms, 2s or 1m, from 0.001 to 600 seconds | two seconds |',
    );
  });
});
