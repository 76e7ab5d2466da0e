import { describe, expect, it } from 'vitest';
import { createLogger } from './logging.ts';

function capture(isTTY = false) {
  const lines: string[] = [];
  return { lines, output: { isTTY, write: (line: string) => lines.push(line) } };
}

describe('the log', () => {
  it('is JSON with named levels and ISO times where nobody watches', () => {
    const { lines, output } = capture();
    createLogger({ level: 'info', format: 'auto' }, output).info({ port: 1 }, 'listening');
    const line = JSON.parse(lines[0] ?? '');
    expect(line).toEqual({ level: 'info', time: expect.stringMatching(/^\d{4}-.*Z$/), port: 1, msg: 'listening' });
  });

  it('is for people on a terminal, unless told otherwise', () => {
    const terminal = capture(true);
    createLogger({ level: 'info', format: 'auto' }, terminal.output).info('listening');
    expect(terminal.lines[0]).toMatch(/INFO.*listening/);
    const forced = capture(true);
    createLogger({ level: 'info', format: 'json' }, forced.output).info('listening');
    expect(() => JSON.parse(forced.lines[0] ?? '')).not.toThrow();
  });

  it('never shows an authorization header', () => {
    const { lines, output } = capture();
    const logger = createLogger({ level: 'info', format: 'json' }, output);
    logger.info({
      headers: { authorization: 'secret' },
      req: { headers: { authorization: 'secret', cookie: 'secret' } },
      authorization: 'secret',
    });
    expect(lines[0]).not.toContain('secret');
  });
});
