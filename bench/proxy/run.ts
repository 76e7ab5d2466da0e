/**
 * The proxy beside others that do its work: what a request costs, what is added to its latency, what becomes of streams, of a slow pod's
 * load, of requests whose pod dies, and of many connections.
 *
 *     npm run bench:proxy [-- --quick] [-- --only NAME,NAME] [-- --peers NAME,NAME] [-- --out FOLDER]
 *
 * `--peers` takes names and families (nginx, haproxy, ragscale). Writes results.json, results.md and results.svg here (or to --out); with
 * `--only`, what was measured before of other scenarios stays. nginx, haproxy and wrk are left out where they are not installed.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { draw } from './draw.ts';
import { familyOf, missing, PEER_NAMES, type PeerName } from './peers.ts';
import { findProgram } from './programs.ts';
import type { Report } from './report.ts';
import type { Scenario } from './scenario.ts';
import { chaos } from './scenarios/chaos.ts';
import { held } from './scenarios/held.ts';
import { kill } from './scenarios/kill.ts';
import { latency } from './scenarios/latency.ts';
import { slowPod } from './scenarios/slow-pod.ts';
import { streams } from './scenarios/streams.ts';
import { throughput } from './scenarios/throughput.ts';
import { versions } from './versions.ts';

const scenarios: readonly Scenario<unknown>[] = [throughput, latency, streams, slowPod, chaos, kill, held];

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    peers: { type: 'string' },
    out: { type: 'string', default: import.meta.dirname },
  },
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const begin = performance.now();
const seconds = () => ((performance.now() - begin) / 1000).toFixed(0).padStart(4);
const progress = (what: string) => void process.stderr.write(`${seconds()} s  ${what}\n`);

const wantedScenarios = named(
  flags.only,
  scenarios.map(({ name }) => name),
);
const wantedPeers = named(flags.peers, PEER_NAMES, (name, wanted) => familyOf(name) === wanted);

const jsonFile = path.join(flags.out, 'results.json');
mkdirSync(flags.out, { recursive: true });
const earlier = existsSync(jsonFile) ? (JSON.parse(readFileSync(jsonFile, 'utf8')) as Report) : undefined;
const sections: Record<string, unknown> = { ...earlier?.sections };
for (const scenario of scenarios.filter(({ name }) => wantedScenarios.includes(name))) {
  const lacking = scenario.needs.filter((program) => findProgram(program) === undefined);
  if (lacking.length > 0) {
    progress(`${scenario.name}: left out, needs ${lacking.join(', ')}`);
    continue;
  }
  const peers = scenario.peers.filter((name) => wantedPeers.includes(name) && isHere(name, scenario.name));
  if (peers.length === 0) continue;
  const measured = await scenario.measure({
    quick: flags.quick,
    peers,
    progress: (what) => progress(`${scenario.name}: ${what}`),
  });
  sections[scenario.name] = { ...(measured as object), quick: flags.quick };
  // After each, so that a run that is broken off has not been for nothing.
  await write();
}
process.stdout.write(tell(reportOf()));

function reportOf(): Report {
  const machine = { cpu: cpus()[0]!.model, processors: availableParallelism() };
  // As it is read again: JSON writes what is no number as null.
  return JSON.parse(JSON.stringify({ machine, versions: versions(), sections })) as Report;
}

async function write(): Promise<void> {
  const report = reportOf();
  writeFileSync(jsonFile, `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(path.join(flags.out, 'results.md'), tell(report));
  await draw(report, path.join(flags.out, 'results.svg'));
}

function tell({ machine, versions: measured, sections: all }: Report): string {
  const programs = Object.entries(measured).map(([name, version]) => `${name} ${version}`);
  const head =
    `${machine.processors} processors of ${machine.cpu}; ${programs.join(', ')}. One processor's worth of every proxy. ` +
    '`nginx` and `haproxy` are round robin, `-retries` their best effort against failures (health checks and tries on other pods); ' +
    '`relay` is bench/proxy/relay.ts, the least that a proxy in Node can do; `ragscale` is apps/proxy as it comes.';
  const told = scenarios.flatMap((scenario) => {
    const section = all[scenario.name as keyof Report['sections']];
    if (section === undefined) return [];
    const caution = section.quick ? ['A quick run: it shows that all works, not how well.', ''] : [];
    return [scenario.tell(section), '', ...caution];
  });
  return [head, '', ...told].join('\n');
}

function named<Name extends string>(
  list: string | undefined,
  known: readonly Name[],
  alsoMeans: (name: Name, wanted: string) => boolean = () => false,
): readonly Name[] {
  const wanted = list?.split(',');
  if (wanted === undefined) return known;
  const stranger = wanted.find((want) => !known.some((name) => name === want || alsoMeans(name, want)));
  if (stranger !== undefined) {
    console.error(`unknown: ${stranger}; known: ${known.join(', ')}`);
    process.exit(1);
  }
  return known.filter((name) => wanted.some((want) => name === want || alsoMeans(name, want)));
}

function isHere(name: PeerName, scenario: string): boolean {
  const why = missing(familyOf(name));
  if (why !== undefined) progress(`${scenario}: ${name} is left out: ${why}`);
  return why === undefined;
}
