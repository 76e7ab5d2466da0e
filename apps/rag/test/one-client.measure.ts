/**
 * Measures a pod with the embedded models under one client: latency of full answers, and resident memory as they add up.
 * `node --conditions=source apps/rag/test/one-client.measure.ts` after a build.
 */
import { type PodProcess, startProcess } from './pod-process.ts';

const ROUNDS = [500, 1000, 1000];

const pod = await startProcess({ env: { LOG_LEVEL: 'info' } });
console.log(`ready: ${await residentMiB(pod)} MiB`);
let answered = 0;
for (const count of ROUNDS) {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const begin = performance.now();
    await (await pod.post({ query: 'Which animals can hover in the air?' })).text();
    times.push(performance.now() - begin);
  }
  times.sort((a, b) => a - b);
  answered += count;
  const at = (share: number) => times[Math.floor(share * count)]!.toFixed(1);
  console.log(`${answered} answers: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, ${await residentMiB(pod)} MiB`);
}
await pod.stop();

async function residentMiB({ url }: PodProcess): Promise<string> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const bytes = Number(/^process_resident_memory_bytes (\d+)$/m.exec(text)?.[1]);
  return (bytes / 2 ** 20).toFixed(0);
}
