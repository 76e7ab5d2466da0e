import { expect, it } from 'vitest';
import { carryOut, type FaultRecord } from './chaos.ts';
import type { FaultKind } from './faults.ts';
import type { Begun, LeftOut, System } from './system.ts';

/** Only what is asked of it here. */
function systemThat(begin: (kind: FaultKind) => Begun | LeftOut): System {
  return { begin: async (kind: FaultKind) => begin(kind) } as unknown as System;
}

async function recordsOf(kinds: readonly FaultKind[], begin: (kind: FaultKind) => Begun | LeftOut) {
  const records: FaultRecord[] = [];
  let proxiesKilled = 0;
  await carryOut(
    kinds.map((kind, i) => ({ kind, fromMs: i * 20, toMs: i * 20 + 10, draw: 0 })),
    {
      system: systemThat(begin),
      start: performance.now(),
      onFault: (record) => records.push(record),
      onProxyKilled: () => {
        proxiesKilled += 1;
      },
      signal: new AbortController().signal,
    },
  );
  const inOrder = records.toSorted((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind));
  return { records: inOrder, proxiesKilled };
}

it('each begins, is undone, and is written down', async () => {
  const done: string[] = [];
  const { records, proxiesKilled } = await recordsOf(['freeze-pod', 'kill-proxy'], (kind) => {
    done.push(kind);
    return kind === 'freeze-pod' ? { victim: 'a', undo: async () => void done.push('undone') } : { victim: 'b' };
  });
  expect(done.filter((what) => what !== 'kill-proxy')).toEqual(['freeze-pod', 'undone']);
  expect(records).toMatchObject([
    { kind: 'freeze-pod', victim: 'a' },
    { kind: 'kill-proxy', victim: 'b' },
  ]);
  expect(proxiesKilled).toBe(1);
});

it('what could not be done, or not undone, is told and keeps nothing else from being done', async () => {
  const { records } = await recordsOf(['full-disk', 'pod-clock', 'freeze-pod', 'kill-pod'], (kind) => {
    if (kind === 'full-disk') return { because: 'fewer than two' };
    if (kind === 'pod-clock') throw new Error('no such pod');
    if (kind === 'freeze-pod') return { victim: 'a', undo: () => Promise.reject(new Error('gone')) };
    return { victim: 'b' };
  });
  expect(records).toMatchObject([
    { kind: 'full-disk', leftOut: 'fewer than two' },
    { kind: 'pod-clock', error: 'no such pod' },
    { kind: 'freeze-pod', victim: 'a', error: 'not undone: gone' },
    { kind: 'kill-pod', victim: 'b' },
  ]);
});

it('at an early end what has begun is undone, and no more begins', async () => {
  const aborted = new AbortController();
  const records: FaultRecord[] = [];
  const done: string[] = [];
  const system = systemThat((kind) => {
    done.push(kind);
    aborted.abort();
    return { victim: 'a', undo: async () => void done.push('undone') };
  });
  const plan = [
    { kind: 'freeze-pod', fromMs: 0, toMs: 1e6, draw: 0 },
    { kind: 'kill-pod', fromMs: 1e6, toMs: 2e6, draw: 0 },
  ] as const;
  const onFault = (record: FaultRecord) => records.push(record);
  await carryOut(plan, { system, start: performance.now(), onFault, onProxyKilled: () => {}, signal: aborted.signal });
  expect(done).toEqual(['freeze-pod', 'undone']);
  expect(records).toMatchObject([{ kind: 'freeze-pod', victim: 'a' }]);
});
