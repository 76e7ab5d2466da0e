/**
 * What does a pod do with three times the load that it can bear? Before, during and after: what is answered within the objective, how
 * fast and at which cost the rest is refused, and how soon all is well again.
 *
 *     npm run bench:overload [-- --system NAME] [-- --seconds N] [-- --factor N] [-- --objective-ms N] [-- --timeout-ms N] [-- --out FOLDER]
 *     npm run bench:overload -- --url http://127.0.0.1:8000 --clients N        a server that runs already; without its CPU
 *
 * Writes overload.json and overload.md here (or to --out). Exits with 1 when a request did not end.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { randomIntegers } from '@ragscale/model-builder/random-values';
import type { Target } from './client.ts';
import { closedLoop, cpuWithin, openLoop, type Window } from './load.ts';
import { recoveryMs, summarizePhase } from './overload-summary.ts';
import { poissonArrivals } from './schedule.ts';
import { ServerProcess } from './server-process.ts';
import { summarize } from './summary.ts';
import { commandsFor, knownSystems } from './systems.ts';
import { questions } from './workload.ts';

const { values: flags } = parseArgs({
  options: {
    system: { type: 'string', default: 'ragscale-batched-w8a8-16' },
    url: { type: 'string' },
    clients: { type: 'string', default: '16' },
    threads: { type: 'string', default: '2' },
    seconds: { type: 'string', default: '60' },
    factor: { type: 'string', default: '3' },
    'objective-ms': { type: 'string', default: '5000' },
    'timeout-ms': { type: 'string', default: '10000' },
    out: { type: 'string', default: import.meta.dirname },
  },
});
const overloadSeconds = Number(flags.seconds);
const factor = Number(flags.factor);
const objectiveMs = Number(flags['objective-ms']);
const timeoutMs = Number(flags['timeout-ms']);
/** Share of the saturation before and after. */
const CALM = 0.7;
const BEFORE_SECONDS = 20;
const AFTER_SECONDS = 40;
const LEAD_IN_SECONDS = 3;
const SATURATION_SECONDS = 10;
/** A request that has not ended so long after its deadline hangs. */
const GRACE_MS = 5000;
const IN_A_ROW = 10;

const progress = (what: string) => void process.stderr.write(`${what}\n`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

async function start(): Promise<{ server: ServerProcess | undefined; url: string; clients: number; name: string }> {
  if (flags.url !== undefined) {
    return { server: undefined, url: flags.url, clients: Number(flags.clients), name: flags.url };
  }
  const system = knownSystems(16).find(({ name }) => name === flags.system);
  if (system === undefined) throw new Error(`unknown system ${flags.system}`);
  progress(`prepares and starts ${system.name}`);
  const command = (await commandsFor([system], Number(flags.threads), 0.5)).get(system.name)!;
  // With the limits that a pod has by itself, and the objective that is counted by.
  const limits = { REFUSE_BEYOND: '', MAX_QUEUED_REQUESTS: '', MAX_QUEUED_TOKENS: '', OBJECTIVE: `${objectiveMs}ms` };
  const server = await ServerProcess.start({ ...command, env: { ...command.env, ...limits } });
  return { server, url: server.url, clients: system.slots, name: system.name };
}

const { server, url, clients, name } = await start();
const cpu = server?.cpu ?? (() => ({ server: Number.NaN, others: Number.NaN }));
const target: Target = {
  url,
  stream: false,
  timeoutMs: timeoutMs + GRACE_MS,
  headers: { 'x-request-timeout-ms': `${timeoutMs}` },
};

progress('saturation');
// As many clients as slots: more would be refused by a pod that keeps its objective.
const saturated = summarize([
  await closedLoop({ target, questions: questions('equal', 1), cpu }, clients, SATURATION_SECONDS),
]);
const most = saturated.requestsPerSecond;

const spans = [
  { name: 'lead-in', share: CALM, seconds: LEAD_IN_SECONDS },
  { name: 'before', share: CALM, seconds: BEFORE_SECONDS },
  { name: 'overload', share: factor, seconds: overloadSeconds },
  { name: 'after', share: CALM, seconds: AFTER_SECONDS },
];
const draw = randomIntegers(1);
const arrivals: number[] = [];
const offsets: { name: string; from: number; to: number }[] = [];
let end = 0;
for (const span of spans) {
  const times = poissonArrivals(span.share * most, span.seconds, () => draw(2 ** 32) / 2 ** 32);
  for (const at of times) arrivals.push(end + at);
  offsets.push({ name: span.name, from: end, to: end + span.seconds * 1000 });
  end += span.seconds * 1000;
}
await sleep(500);
progress(`${CALM} x, ${factor} x for ${overloadSeconds} s, ${CALM} x of ${most.toFixed(2)} requests/s`);
const begin = performance.now();
const windowOf = (phase: string): Window => {
  const { from, to } = offsets.find((offset) => offset.name === phase)!;
  return { from: begin + from, to: begin + to };
};
const phases = ['before', 'overload', 'after'] as const;
const used = Promise.all(phases.map((phase) => cpuWithin({ cpu }, windowOf(phase))));
const { records } = await openLoop({ target, questions: questions('equal', 2), cpu }, arrivals, 0, end);
const cpuOf = await used;
await server?.stop();

const summaries = phases.map((phase) => summarizePhase(records, windowOf(phase), objectiveMs));
const [before] = summaries as [(typeof summaries)[0]];
const hanging = records.filter(({ status }) => status === 0).length;
const back = recoveryMs(records, windowOf('after').from, before.p99, IN_A_ROW);
const report = {
  system: name,
  settings: { factor, overloadSeconds, objectiveMs, timeoutMs },
  saturation: most,
  phases: Object.fromEntries(
    phases.map((phase, i) => [phase, { ...summaries[i]!, serverCpuSeconds: cpuOf[i]!.server }]),
  ),
  recoveryMs: back,
  hanging,
};
writeFileSync(path.join(flags.out, 'overload.json'), `${JSON.stringify(report, null, 2)}\n`);

const number = (value: number, digits: number) => (Number.isNaN(value) ? '' : value.toFixed(digits));
const row = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
const head = [
  'phase',
  'offered/s',
  'goodput/s',
  'of saturation',
  'p50 ms',
  'p99 ms',
  'refused in, p50 ms',
  'p99 ms',
  'statuses',
];
const lines = [
  `${name}: saturation ${most.toFixed(2)} requests/s; objective ${objectiveMs} ms, deadline of a request ${timeoutMs} ms; ${factor} x saturation for ${overloadSeconds} s.`,
  '',
  row(head),
  row(head.map(() => '---')),
  ...summaries.map((phase, i) =>
    row([
      phases[i]!,
      phase.offered.toFixed(1),
      phase.goodput.toFixed(2),
      `${((100 * phase.goodput) / most).toFixed(0)}%`,
      number(phase.p50, 0),
      number(phase.p99, 0),
      number(phase.refusalP50, 1),
      number(phase.refusalP99, 1),
      Object.entries(phase.statuses)
        .map(([status, count]) => `${status}: ${count}`)
        .join(', '),
    ]),
  ),
  '',
  `* Requests without an end ${timeoutMs + GRACE_MS} ms after they were sent: ${hanging}. The longest took ${Math.max(...summaries.map(({ longestMs }) => longestMs)).toFixed(0)} ms.`,
  back === undefined
    ? `* Latency was not back within ${AFTER_SECONDS} s of the end of the overload.`
    : `* After the overload: from ${(back / 1000).toFixed(1)} s on, ${IN_A_ROW} requests in a row within the p99 of before.`,
  '',
];
writeFileSync(path.join(flags.out, 'overload.md'), lines.join('\n'));
process.stdout.write(lines.join('\n'));
if (hanging > 0) process.exitCode = 1;
