/** Do the bars say how far, how fast and how long still, and leave nothing behind? */
import { expect, it } from 'vitest';
import { transferProgress } from './transfer-progress.ts';

function screen(columns = 100) {
  const writes: string[] = [];
  let nowMs = 0;
  const progress = transferProgress({ isTTY: true, columns, write: (text) => writes.push(text) }, () => nowMs);
  return { writes, progress, pass: (ms: number) => (nowMs += ms) };
}

it('shows each file under way, and rate and time left of all', () => {
  const { writes, progress, pass } = screen();
  progress.update('model.safetensors', 0, 100e6);
  pass(1000);
  progress.update('config.json', 1000, 1000);
  pass(1000);
  progress.update('model.safetensors', 40e6, 100e6);
  expect(writes.at(-1)!.split('\n')).toEqual([
    '\u001b[2A\u001b[0Jmodel.safetensors [########............]  40% of 100.0 MB',
    'total             [########............]  40% of 100.0 MB  20.0 MB/s, 3 s left',
    '',
  ]);
});

it('draws ten times a second and no more', () => {
  const { writes, progress, pass } = screen();
  for (let i = 0; i < 1000; i++, pass(1)) progress.update('a', i, 1000);
  expect(writes).toHaveLength(10);
});

it('forgets the rate of long ago', () => {
  const { writes, progress, pass } = screen();
  progress.update('a', 0, 1e9);
  pass(100);
  progress.update('a', 500e6, 1e9);
  for (let i = 1; i <= 100; i++) {
    pass(100);
    progress.update('a', 500e6 + i * 1e5, 1e9);
  }
  expect(writes.at(-1)).toContain('1.0 MB/s, 8 min 10 s left');
});

it('does not count what an earlier pull has fetched as fast', () => {
  const { writes, progress, pass } = screen();
  progress.update('a', 0, 10e6);
  pass(1000);
  progress.update('b', 900e6, 1000e6);
  pass(1000);
  progress.update('a', 10e6, 10e6);
  expect(writes.at(-1)).toContain('90% of 1010.0 MB  5.0 MB/s, 20 s left');
});

it('keeps lines within the terminal, says hours, and removes them at the end', () => {
  const { writes, progress, pass } = screen(40);
  progress.update('a-long-name-of-a-file.safetensors', 0, 1e12);
  pass(1000);
  progress.update('a-long-name-of-a-file.safetensors', 1e8, 1e12);
  for (const line of writes.at(-1)!.split('\n').slice(1)) expect(line.length).toBeLessThan(40);
  progress.end();
  expect(writes.at(-1)).toBe('\u001b[2A\u001b[0J');
  const wide = screen();
  wide.progress.update('a', 0, 1e12);
  wide.pass(1000);
  wide.progress.update('a', 1e8, 1e12);
  expect(wide.writes.at(-1)).toContain('100.0 MB/s, 2 h 46 min left');
});

it('writes nothing where there is no terminal', () => {
  const writes: string[] = [];
  const progress = transferProgress({ write: (text) => writes.push(text) });
  progress.update('a', 1, 2);
  progress.end();
  expect(writes).toEqual([]);
});
