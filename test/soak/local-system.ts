/** How is the system of one computer hurt and watched? The processes of `ragscale up`, with what can be done to a process. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isAlive, LocalProcess } from '../../apps/autoscaler/test/local-process.ts';
import type { EndpointReport } from '../../apps/proxy/src/administration.ts';
import { FAULT_KINDS, type FaultKind, victimOf } from './faults.ts';
import { CLOCK_FOLDER, CLOCK_OPTION, JUMP_MS } from './jumping-clock.ts';
import type { Begun, LeftOut, ProcessView, Replicas, System } from './system.ts';

const PODS = 3;
const MOST_PODS = 4;
const POSSIBLE: readonly FaultKind[] = [
  'kill-pod',
  'freeze-pod',
  'pod-clock',
  'kill-proxy',
  'proxy-clock',
  'autoscaler-clock',
];
const ANSWER_MS = 10_000;

interface LocalPod {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
}

export class LocalSystem implements System {
  readonly what = `processes on one computer: a proxy, ${PODS} to ${MOST_PODS} pods, the autoscaler`;
  readonly impossible: ReadonlyMap<FaultKind, string>;
  readonly url: string;
  readonly #process: LocalProcess;
  readonly #folder: string;
  readonly #adminUrl: string;
  readonly #autoscalerUrl: string;

  private constructor(process: LocalProcess, folder: string, urls: readonly [string, string, string]) {
    this.#process = process;
    this.#folder = folder;
    [this.url, this.#adminUrl, this.#autoscalerUrl] = urls;
    const left = FAULT_KINDS.filter((kind) => !POSSIBLE.includes(kind));
    this.impossible = new Map(left.map((kind) => [kind, 'only in a cluster']));
  }

  /** Of what `npm run build` has built. */
  static async start(): Promise<LocalSystem> {
    const folder = await mkdtemp(path.join(tmpdir(), 'ragscale-soak-'));
    const process = new LocalProcess({
      MIN_REPLICAS: String(PODS),
      MAX_REPLICAS: String(MOST_PODS),
      NODE_OPTIONS: CLOCK_OPTION,
      [CLOCK_FOLDER]: folder,
    });
    const urls = await Promise.all([process.url(), process.url('adminUrl'), process.url('autoscalerUrl')]);
    return new LocalSystem(process, folder, urls);
  }

  async begin(kind: FaultKind, draw: number): Promise<Begun | LeftOut> {
    switch (kind) {
      case 'kill-pod':
        return this.#ofPod(draw, ({ pid }) => void process.kill(pid, 'SIGKILL'));
      case 'freeze-pod':
        return this.#ofPod(draw, ({ pid }) => {
          process.kill(pid, 'SIGSTOP');
          return async () => void (isAlive(pid) && process.kill(pid, 'SIGCONT'));
        });
      case 'pod-clock':
        return this.#ofPod(draw, ({ pid }) => this.#jump(pid));
      case 'kill-proxy':
        process.kill(this.#pidOf('proxy'), 'SIGKILL');
        return { victim: 'the proxy' };
      case 'proxy-clock':
        return { victim: 'the proxy', undo: await this.#jump(this.#pidOf('proxy')) };
      case 'autoscaler-clock':
        return { victim: 'the autoscaler', undo: await this.#jump(this.#process.child.pid as number) };
      default:
        return { because: this.impossible.get(kind) ?? 'not possible here' };
    }
  }

  async processes(): Promise<ProcessView[]> {
    const pods = await this.#ablePods();
    return [
      ...pods.map(({ name, url }) => view(name, 'pod', url)),
      view('proxy', 'proxy', this.#adminUrl),
      view('autoscaler', 'autoscaler', this.#autoscalerUrl),
    ];
  }

  async replicas(): Promise<Replicas> {
    const endpoints = await this.#endpoints();
    const isAble = ({ state }: { state: string }) => state === 'healthy';
    return { wanted: endpoints.length, able: endpoints.filter(isAble).length };
  }

  async areProxiesReady(): Promise<boolean> {
    const answer = await fetch(`${this.#adminUrl}/readyz`, { signal: AbortSignal.timeout(ANSWER_MS) });
    return answer.ok;
  }

  async linesAbout(requestIds: ReadonlySet<string>): Promise<string[]> {
    const lines = this.#process.lines.map((line) => JSON.stringify(line));
    return lines.filter((line) => [...requestIds].some((id) => line.includes(id)));
  }

  async isWhole(): Promise<boolean> {
    const { wanted, able } = await this.replicas();
    return able >= PODS && able === wanted;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true });
  }

  async #ofPod(
    draw: number,
    hurt: (pod: LocalPod) => Begun['undo'] | undefined | Promise<Begun['undo']>,
  ): Promise<Begun | LeftOut> {
    const victim = victimOf(await this.#ablePods(), draw);
    if (victim === undefined) return { because: 'fewer than two pods were able' };
    const undo = await hurt(victim);
    return { victim: victim.name, ...(undo && { undo }) };
  }

  /** @returns what sets it right */
  async #jump(pid: number): Promise<() => Promise<void>> {
    const file = path.join(this.#folder, `clock-${pid}`);
    await writeFile(file, String(JUMP_MS));
    return () => rm(file);
  }

  async #ablePods(): Promise<LocalPod[]> {
    return (await this.#endpoints())
      .filter(({ state }) => state === 'healthy')
      .map(({ id }) => {
        const url = new URL(id.includes('://') ? id : `http://${id}`);
        const name = `pod ${url.port}`;
        return { name, url: url.origin, pid: this.#pidOf(name) };
      });
  }

  async #endpoints(): Promise<EndpointReport[]> {
    const answer = await fetch(`${this.#adminUrl}/endpoints`, { signal: AbortSignal.timeout(ANSWER_MS) });
    const { routes } = (await answer.json()) as { routes: { default: EndpointReport[] } };
    return routes.default.toSorted((a, b) => a.id.localeCompare(b.id));
  }

  #pidOf(name: string): number {
    const pid = this.#process.pids(name).at(-1);
    if (pid === undefined) throw new Error(`there was no ${name}`);
    return pid;
  }
}

function view(name: string, part: ProcessView['part'], url: string): ProcessView {
  const metrics = async () => {
    const answer = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(ANSWER_MS) });
    return answer.text();
  };
  return { name, part, metrics };
}
