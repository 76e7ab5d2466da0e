/**
 * What does a refusal cost? A batched pod that is full of long answers refuses requests one after the other: processor time of its main
 * thread for each, what it uses beside them subtracted, and how long the client waits.
 * `node --conditions=source apps/rag/test/refusal.measure.ts` after a build. Linux: it reads /proc.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startProcess } from '../../../test/support/pod-process.ts';

const REFUSALS = 3_000;
const WARM_UP = 500;
const CLIENTS = 6;
const IDLE_MS = 3_000;

const pod = await startProcess({ env: { VARIANT: 'batched', SLOTS: '1', MAX_QUEUED_REQUESTS: '0' } });
let full = true;
const busy = Array.from({ length: CLIENTS }, async () => {
  while (full) {
    const response = await pod.post({
      query: 'Which animals can hover in the air?',
      max_tokens: 400,
      ignore_eos: true,
    });
    await response.arrayBuffer();
    // Those that are refused come back late, so that they add little to what is measured.
    if (response.status === 429) await sleep(100);
  }
});
await sleep(1_000);
await refuse(WARM_UP);

const [idleFrom, idleAt] = [mainThreadMs(), performance.now()];
await sleep(IDLE_MS);
const besidePerMs = (mainThreadMs() - idleFrom) / (performance.now() - idleAt);

const [from, at] = [mainThreadMs(), performance.now()];
const waits = await refuse(REFUSALS);
const elapsedMs = performance.now() - at;
const usedMs = mainThreadMs() - from - besidePerMs * elapsedMs;
full = false;
await Promise.all(busy);
await pod.stop();

waits.sort((a, b) => a - b);
const wait = (share: number) => waits[Math.floor(share * waits.length)]!.toFixed(2);
console.log(`${waits.length} refusals: ${(usedMs / REFUSALS).toFixed(3)} ms of the main thread's processor time each`);
console.log(`the client waits ${wait(0.5)} ms at p50, ${wait(0.99)} ms at p99, with all processors taken by answers`);

/** Milliseconds that each client waited for its 429. */
async function refuse(count: number): Promise<number[]> {
  const waited: number[] = [];
  while (waited.length < count) {
    const begin = performance.now();
    const response = await pod.post({ query: 'Is there room?' });
    await response.arrayBuffer();
    if (response.status === 429) waited.push(performance.now() - begin);
  }
  return waited;
}

/** User and system time of the main thread, in milliseconds; ticks are of 10 ms. */
function mainThreadMs(): number {
  const stat = readFileSync(`/proc/${pod.child.pid}/task/${pod.child.pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
