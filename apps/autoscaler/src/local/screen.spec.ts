import { beforeEach, describe, expect, it } from 'vitest';
import type { Death } from './kept-process.ts';
import { createScreen, type Screen } from './screen.ts';

const ADDRESSES = {
  url: 'http://localhost:9000',
  adminUrl: 'http://localhost:9001',
  autoscalerUrl: 'http://localhost:9100',
};
const READY = {
  kind: 'ready',
  addresses: ADDRESSES,
  pods: 2,
  maxPods: 4,
  goal: '95% of the answers within 2 s',
  afterMs: 3_210,
} as const;
const DEATH: Death = {
  name: 'pod 8002',
  end: { code: 1, signal: null, lastWords: 'the model folder is missing\nset RAG_GENERATOR' },
  atStart: true,
  silentForMs: undefined,
  pauseMs: 500,
};

let shown: string[];
beforeEach(() => {
  shown = [];
});

function screen(format: 'pretty' | 'json' | 'auto', isTTY: boolean, level: 'warn' | 'info' = 'warn'): Screen {
  const noon = new Date(2_026, 0, 1, 12, 34, 56).getTime();
  return createScreen({ level, format }, { isTTY, write: (text) => shown.push(text) }, () => noon);
}

const PREPARING = {
  kind: 'preparing',
  line: {
    level: 'info',
    time: 'some time',
    msg: 'pulling the model',
    model: 'facebook/opt-125m',
    doneBytes: 120e6,
    totalBytes: 250e6,
  },
} as const;

describe('models that are prepared', () => {
  it('are a line that is drawn over on a terminal, and lines of their own elsewhere', () => {
    const terminal = screen('auto', true);
    terminal.tell(PREPARING);
    terminal.tell({ kind: 'preparing', line: { level: 'info', msg: 'building the model', model: 'a/b' } });
    expect(shown).toEqual([
      '\r\u001b[2K  pulling the model facebook/opt-125m: 120 of 250 MB ...',
      '\r\u001b[2K  building the model a/b ...',
    ]);
    shown = [];
    screen('json', false).tell(PREPARING);
    expect(JSON.parse(shown[0] ?? '')).toMatchObject({
      level: 'info',
      process: 'local',
      msg: 'pulling the model',
      model: 'facebook/opt-125m',
      doneBytes: 120e6,
    });
  });
});

describe('on a terminal', () => {
  it('a line is drawn over until the system is ready', () => {
    const told = screen('auto', true);
    told.tell({ kind: 'starting', pods: 2 });
    told.tell({ kind: 'progress', ready: 1, pods: 2 });
    told.tell(READY);
    expect(shown.slice(0, 3)).toEqual([
      '\r\u001b[2K  starting the proxy and 2 pods ...',
      '\r\u001b[2K  starting the proxy and 2 pods ... 1 of 2 ready',
      '\r\u001b[2K',
    ]);
    expect(shown[3]).toBe(`
  ragscale answers at http://localhost:9000   (http://localhost:9000/docs explains)

  curl -X POST http://localhost:9000/rag -H 'Content-Type: application/json' -d '{"query": "Which animals can hover in the air?"}'

  2 pods, ready in 3.2 s, up to 4 when 95% of the answers within 2 s need them: http://localhost:9001/endpoints
  metrics: http://localhost:9001/metrics (proxy), http://localhost:9100/metrics (autoscaler)
  Ctrl-C ends it

`);
  });

  it('lines stand above it', () => {
    const told = screen('auto', true);
    told.tell({ kind: 'starting', pods: 1 });
    told.log('proxy', { level: 'warn', msg: 'slow' });
    told.tell({ kind: 'failed' });
    expect(shown.slice(1)).toEqual([
      '\r\u001b[2K',
      '12:34:56  proxy | warn: slow\n',
      '\r\u001b[2K  starting the proxy and 1 pod ...',
      '\r\u001b[2K',
    ]);
  });

  it('what happens is a line with the time', () => {
    const told = screen('pretty', false);
    told.tell({ kind: 'scaled', from: 2, to: 3, why: '2 -> 3 load: 11.2/s' });
    told.tell({ kind: 'died', death: DEATH });
    told.tell({ kind: 'died', death: { ...DEATH, name: 'proxy', atStart: false, pauseMs: 0, silentForMs: 60_000 } });
    told.tell({ kind: 'killed', name: 'pod 8001', afterMs: 65_000 });
    told.tell({ kind: 'trouble', message: 'no metrics' });
    told.tell({ kind: 'stopping' });
    told.tell({ kind: 'stopped' });
    expect(shown).toEqual([
      '12:34:56  pods 2 -> 3 load: 11.2/s\n',
      '12:34:56  pod 8002 ended with code 1 before it was ready; it is started again in 0.5 s\n',
      '          pod 8002 | the model folder is missing\n',
      '          pod 8002 | set RAG_GENERATOR\n',
      '12:34:56  proxy was killed, for it had not answered for 60.0 s; it is started again\n',
      '          proxy | the model folder is missing\n',
      '          proxy | set RAG_GENERATOR\n',
      '12:34:56  pod 8001 took longer than 65.0 s to end, and was killed\n',
      '12:34:56  no metrics\n',
      '12:34:56  ending when all that was asked is answered; Ctrl-C again ends at once\n',
      '12:34:56  bye\n',
    ]);
  });

  it('logs are shown with the name of the process, from the level on', () => {
    const told = screen('pretty', false);
    told.log('pod 8000', { level: 'info', msg: 'listening' });
    told.log('pod 8000', { level: 'warn', time: 'now', msg: 'not a known variable', variable: 'RAG_X' });
    told.log('proxy', { level: 'error', msg: 'a request failed', err: { message: 'boom', stack: 'at x' } });
    expect(shown).toEqual([
      '12:34:56  pod 8000 | warn: not a known variable {"variable":"RAG_X"}\n',
      '12:34:56  proxy | error: a request failed boom\n',
    ]);
    screen('pretty', false, 'info').log('pod 8000', { level: 'info', msg: 'listening' });
    expect(shown.at(-1)).toBe('12:34:56  pod 8000 | info: listening\n');
  });
});

describe('elsewhere', () => {
  it('every line is JSON and says which process it is about', () => {
    const told = screen('auto', false);
    told.tell({ kind: 'starting', pods: 2 });
    told.tell(READY);
    told.tell({ kind: 'scaled', from: 2, to: 3, why: '2 -> 3 load' });
    told.tell({ kind: 'died', death: DEATH });
    told.log('proxy', { level: 'info', msg: 'listening' });
    told.log('proxy', { level: 'warn', time: 'now', msg: 'slow', ms: 5 });
    const lines = shown.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ process, level, msg }) => [process, level, msg])).toEqual([
      ['local', 'info', 'starting'],
      ['local', 'info', 'ready'],
      ['local', 'info', 'scaled'],
      ['local', 'error', 'pod 8002 ended with code 1 before it was ready; it is started again in 0.5 s'],
      ['proxy', 'warn', 'slow'],
    ]);
    expect(lines[1]).toMatchObject({ ...ADDRESSES, pods: 2, maxPods: 4, afterMs: 3_210 });
    expect(lines[3]).toMatchObject({ name: 'pod 8002', lastWords: DEATH.end.lastWords });
    expect(lines[4]).toEqual({ level: 'warn', time: 'now', msg: 'slow', ms: 5, process: 'proxy' });
  });
});
