/**
 * Measures a pod of each variant with the embedded models under one client: latency of full answers, in turns, and resident memory as
 * they add up. `node --conditions=source apps/rag/test/one-client.measure.ts` after a build.
 */
import { type PodProcess, startProcess } from '../../../test/support/pod-process.ts';

const ROUNDS = 10;
const PER_ROUND = 250;
const VARIANTS = ['baseline', 'batched'] as const;

const pods = new Map<string, PodProcess>();
for (const variant of VARIANTS) pods.set(variant, await startProcess({ env: { VARIANT: variant } }));
for (const [variant, pod] of pods) console.log(`${variant}, ready: ${await residentMiB(pod)} MiB`);

const times = new Map<string, number[]>(VARIANTS.map((variant) => [variant, []]));
for (let round = -1; round < ROUNDS; round++) {
  for (const [variant, pod] of pods) {
    for (let i = 0; i < PER_ROUND; i++) {
      const begin = performance.now();
      // Never the same twice: what is compared is answering, not remembering.
      const query = `Which animals can hover in the air? (${round} ${i})`;
      await (await pod.post({ query })).text();
      if (round >= 0) times.get(variant)!.push(performance.now() - begin);
    }
  }
}
const at = (variant: string, share: number) => {
  const sorted = times.get(variant)!.toSorted((a, b) => a - b);
  return sorted[Math.floor(share * sorted.length)]!;
};
for (const [variant, pod] of pods) {
  const [p50, p99] = [at(variant, 0.5).toFixed(1), at(variant, 0.99).toFixed(1)];
  console.log(
    `${variant}, ${(ROUNDS + 1) * PER_ROUND} answers: p50 ${p50} ms, p99 ${p99} ms, ${await residentMiB(pod)} MiB`,
  );
}
console.log(`batched / baseline at p50: ${(at('batched', 0.5) / at('baseline', 0.5)).toFixed(3)}`);
for (const pod of pods.values()) await pod.stop();

async function residentMiB({ url }: PodProcess): Promise<string> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const bytes = Number(/^process_resident_memory_bytes (\d+)$/m.exec(text)?.[1]);
  return (bytes / 2 ** 20).toFixed(0);
}
