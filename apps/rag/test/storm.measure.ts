/**
 * Ten thousand requests, or as many as are asked for, to a batched pod with the embedded models, half of them streams: a third close the
 * connection at a random time, a fifth have a deadline that most cannot keep. Counts what became of each kind, and resident memory as
 * they add up. `node --conditions=source apps/rag/test/storm.measure.ts [REQUESTS [ARGUMENTS OF THE POD'S NODE]]` after a build; it
 * fails where one is not answered that should be.
 */
import { type PodProcess, startProcess } from '../../../test/support/pod-process.ts';

const REQUESTS = Number(process.argv[2] ?? 10_000);
const AT_ONCE = 64;
const ROUNDS = 4;

type Kind = 'patient' | 'leaving' | 'hasty';

// Only deadlines refuse here: who has none must be answered, however slow the machine.
const pod = await startProcess({
  env: { VARIANT: 'batched', REFUSE_BEYOND: 'deadline' },
  nodeArguments: process.argv.slice(3),
});
const outcomes = new Map<string, number>();
const wrong: string[] = [];
console.log(`ready: ${await residentMiB(pod)} MiB`);
const begin = performance.now();
for (let round = 0, next = 0; round < ROUNDS; round++) {
  const end = (REQUESTS / ROUNDS) * (round + 1);
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (next < end) await ask(next++);
    }),
  );
  console.log(`${next} requests: ${await residentMiB(pod)} MiB`);
}
const seconds = (performance.now() - begin) / 1000;
const gauges = await Promise.all(['waiting', 'running'].map((name) => gauge(`ragscale_requests_${name}`)));
console.log(`${seconds.toFixed(0)} s; at rest: ${gauges[0]} waiting, ${gauges[1]} running`);
for (const [what, count] of [...outcomes].sort()) console.log(`  ${what}: ${count}`);
const lastAnswer = await pod.post({ query: 'Which animals can hover in the air?' });
if (lastAnswer.status !== 200 || gauges.some((value) => value !== 0)) wrong.push('the pod is not as new');
await pod.stop();
if (wrong.length > 0) {
  console.error(`${wrong.length} wrong, such as ${wrong[0]}`);
  process.exit(1);
}

async function ask(index: number): Promise<void> {
  const kind: Kind = index % 3 === 0 ? 'leaving' : index % 5 === 1 ? 'hasty' : 'patient';
  const outcome = await outcomeOf(index, kind);
  const key = `${kind}: ${outcome}`;
  outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
  const allowed = { patient: ['answered'], leaving: ['answered', 'left'], hasty: ['answered', '429', '504', 'broken'] };
  if (!allowed[kind].includes(outcome)) wrong.push(key);
}

async function outcomeOf(index: number, kind: Kind): Promise<string> {
  const headers = {
    'content-type': 'application/json',
    ...(kind === 'hasty' ? { 'x-request-timeout-ms': String(1 + Math.floor(Math.random() * 300)) } : {}),
  };
  const stream = index % 2 === 0;
  const body = JSON.stringify({ query: `Number ${index}: which animals can hover?`, k: 1 + (index % 3), stream });
  const signal = kind === 'leaving' ? AbortSignal.timeout(1 + Math.floor(Math.random() * 600)) : null;
  try {
    const response = await fetch(`${pod.url}/rag`, { method: 'POST', headers, body, signal });
    const text = await response.text();
    if (response.status !== 200) return String(response.status);
    return !stream || text.includes('event: done') ? 'answered' : 'broken';
  } catch {
    return 'left';
  }
}

async function gauge(name: string): Promise<number> {
  const text = await (await fetch(`${pod.url}/metrics`)).text();
  return Number(new RegExp(`^${name}(?:{.*})? (\\d+)$`, 'm').exec(text)?.[1]);
}

async function residentMiB(of: PodProcess): Promise<string> {
  const text = await (await fetch(`${of.url}/metrics`)).text();
  const bytes = Number(/^process_resident_memory_bytes (\d+)$/m.exec(text)?.[1]);
  return (bytes / 2 ** 20).toFixed(0);
}
