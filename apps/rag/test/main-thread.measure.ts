/**
 * Measures the longest turn of a pod's main thread while it starts and while it answers: `node --conditions=source
 * apps/rag/test/main-thread.measure.ts [documents]` after a build. Wall time has the machine's noise in it; CPU time of
 * the thread has not.
 */
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type PodProcess, startProcess } from '../../../test/support/pod-process.ts';

const REQUESTS = 200;
const CLIENTS = 8;

interface Turns {
  readonly longestMs: number;
  readonly longestCpuMs: number;
  readonly turns: number;
}

const probe = fileURLToPath(new URL('./loop-probe.ts', import.meta.url));
const documents = process.argv[2];
const pod = await startProcess({
  nodeArguments: ['--import', probe],
  // Loading modules is one long turn, but nobody can ask anything before the pod listens.
  onLine: (line, child) => {
    if (line.port !== undefined) child.kill('SIGUSR2');
    if (line.passages !== undefined) console.log(`${line.passages} passages in ${line.durationMs} ms`);
  },
  env: { VARIANT: 'batched', ...(documents === undefined ? {} : { DOCUMENTS: documents }) },
});
const reports = createInterface({ input: pod.child.stderr as NodeJS.ReadableStream })[Symbol.asyncIterator]();

await reports.next();
print('indexing', await report(pod));
await askMany(CLIENTS);
await report(pod);
const startedAt = performance.now();
await askMany(REQUESTS);
const seconds = (performance.now() - startedAt) / 1000;
print('answers', await report(pod));
console.log(`${REQUESTS} answers by ${CLIENTS} clients: ${(REQUESTS / seconds).toFixed(1)} per second`);
await pod.stop();

async function askMany(count: number): Promise<void> {
  let left = count;
  const client = async (): Promise<void> => {
    while (left-- > 0) await (await pod.post({ query: 'Which animals can hover in the air?', k: 4 })).text();
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}

async function report({ child }: PodProcess): Promise<Turns> {
  child.kill('SIGUSR2');
  return JSON.parse((await reports.next()).value ?? '{}') as Turns;
}

function print(phase: string, { longestMs, longestCpuMs, turns }: Turns): void {
  console.log(
    `${phase}: longest turn ${longestMs.toFixed(1)} ms, ${longestCpuMs.toFixed(1)} ms of CPU, of ${turns} turns`,
  );
}
