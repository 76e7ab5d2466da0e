/** Do the load tests send what was planned, to the real pod with the real k6, and does their report say what the server counted? */
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { type PodProcess, startProcess } from '../test/support/pod-process.ts';
import { k6Program, runK6 } from './compare/k6.ts';
import { poissonArrivals } from './lib/arrivals.ts';
import { seededRandom } from './lib/random.ts';
import type { Report } from './lib/report.ts';

const program = await k6Program().catch((error: Error) => error);
const scratch = mkdtempSync(path.join(tmpdir(), 'ragscale-loadtest-'));
const pods: PodProcess[] = [];

afterEach(async () => {
  await Promise.all(pods.splice(0).map((pod) => pod.stop()));
});
afterAll(() => rmSync(scratch, { recursive: true }));

async function pod(env: Record<string, string> = {}): Promise<PodProcess> {
  const started = await startProcess({ env: { VARIANT: 'batched', REFUSE_BEYOND: 'deadline', ...env } });
  pods.push(started);
  return started;
}

let runs = 0;

/** Runs a script in a folder that has nothing to do with it. The clock of a shared machine is not what is tested: `LAG` and `OBJECTIVE` are wide. */
async function load(script: string, settings: Record<string, string | number>, onOutput?: (text: string) => void) {
  const out = `run-${runs++}`;
  const { PATH } = process.env;
  const { code, output } = await runK6(program as string, {
    script,
    settings: { LAG: 5_000, OBJECTIVE: '60s', PAUSE: '1s', OUT: out, ...settings },
    cwd: scratch,
    env: { PATH, PWD: scratch },
    ...(onOutput && { onOutput }),
  });
  const file = (ending: string) => path.join(scratch, `${out}.${ending}`);
  const report = existsSync(file('json')) ? (JSON.parse(readFileSync(file('json'), 'utf8')) as Report) : undefined;
  return { code, output, report: report as Report, page: report && readFileSync(file('html'), 'utf8') };
}

/** The sum over all series of a metric whose labels have these values. */
async function counted({ url }: PodProcess, metric: string, labels: Record<string, string> = {}): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${metric}{`))
    .filter((line) => Object.entries(labels).every(([name, value]) => line.includes(`${name}="${value}"`)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

const REQUESTS = 'ragscale_request_duration_seconds_count';

async function listening(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.dispose]: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

const name = program instanceof Error ? `load tests with k6: ${program.message}` : 'load tests with k6';

describe.skipIf(program instanceof Error)(name, { timeout: 180_000 }, () => {
  it('smoke: every question is answered, and a system that refuses fails it', async () => {
    const target = await pod();
    const { code, report } = await load('smoke', { TARGET: target.url });
    expect([code, report.passed]).toEqual([0, true]);
    expect(report.total).toMatchObject({ planned: 10, sent: 10, good: 10, outcomes: { answered: 10 } });
    expect(report.total.serverTimeMs).toMatchObject({
      queue: expect.any(Number),
      decode: expect.any(Number),
      total: expect.any(Number),
    });
    expect(await counted(target, REQUESTS, { route: '/rag' })).toBe(10);

    using refusing = await listening((_, response) => {
      response.statusCode = 429;
      response.end('{"error":{"message":"m","type":"t","code":"queue_full","param":null}}');
    });
    const refused = await load('smoke', { TARGET: refusing.url });
    expect([refused.code, refused.report.total.outcomes.refused]).toEqual([99, 10]);
  });

  it('poisson: the report counts what the server counted, stage by stage', async () => {
    const target = await pod();
    const { code, report, page } = await load('poisson', {
      TARGET: target.url,
      RATES: '5,20',
      REQUESTS: 40,
      NAME: '<pod>',
    });
    expect([code, report.generator.dropped, report.generator.late]).toEqual([0, 0, 0]);
    expect(report.stages.map(({ name: stage, planned }) => [stage, planned])).toEqual([
      ['5/s', 40],
      ['20/s', 40],
    ]);
    expect(report.total.sent).toBe(80);
    expect(await counted(target, REQUESTS, { route: '/rag', status: '200' })).toBe(report.total.outcomes.answered);
    expect(report.windows.rows.reduce((sum, { outcomes }) => sum + outcomes.answered + outcomes.refused, 0)).toBe(80);
    expect(report.generator.variation).toBeGreaterThan(0.6);
    expect(page).toContain('&lt;pod&gt;');
  });

  it('ideal and ramp, spike and trace send what they planned', async () => {
    const target = await pod();
    const trace = `TIMESTAMP,ContextTokens,GeneratedTokens\n${Array.from({ length: 30 }, (_, row) => `${row * 10},${5 + row},${1 + (row % 7)}`).join('\n')}\n`;
    writeFileSync(path.join(scratch, 'trace.csv'), trace);
    const before = () => counted(target, REQUESTS, { route: '/rag' });
    for (const [script, settings, variation] of [
      ['ideal', { RATES: 10, REQUESTS: 20 }, 0],
      ['ramp', { FROM: 2, TO: 20, MINUTES: 0.05 }, undefined],
      ['spike', { FROM: 2, TO: 20, MINUTES: 0.1 }, undefined],
      ['trace', { TRACE: 'trace.csv', MINUTES: 0.05, IGNORE_EOS: 1 }, undefined],
    ] as const) {
      const earlier = await before();
      const { code, report, output } = await load(script, { TARGET: target.url, ...settings });
      expect([script, code, output.includes('passed')]).toEqual([script, 0, true]);
      expect(report.total.sent).toBe(report.total.planned);
      expect((await before()) - earlier).toBe(report.total.sent);
      if (variation !== undefined) expect(report.generator.variation).toBeCloseTo(variation, 6);
    }
    // Of each row as many tokens as it says.
    const generated = Array.from({ length: 30 }, (_, row) => 1 + (row % 7)).reduce((sum, tokens) => sum + tokens, 0);
    const last = target.log.filter(({ msg }) => msg === 'request').slice(-30);
    expect(last.reduce((sum, line) => sum + Number(line.generatedTokens), 0)).toBe(generated);
  });

  it('streams: the first token comes before the end, for as many as the server began', async () => {
    const target = await pod();
    const { code, report } = await load('poisson', { TARGET: target.url, RATES: 10, REQUESTS: 30, STREAM: 1 });
    expect(code).toBe(0);
    const { firstToken, latency, outcomes } = report.total;
    expect(outcomes.answered).toBe(30);
    expect(firstToken.count).toBe(await counted(target, 'ragscale_time_to_first_token_seconds_count'));
    expect(firstToken.mean).toBeLessThan(latency.mean!);
    const served = await counted(target, 'ragscale_time_to_first_token_seconds_sum');
    expect(firstToken.mean! * 30).toBeGreaterThan(1000 * served * 0.9);
  });

  it('refusals are counted by their reason, as the server does, and fail no run', async () => {
    const target = await pod({ SLOTS: '1', MAX_QUEUED_REQUESTS: '1' });
    const settings = { RATES: 60, REQUESTS: 90, MAX_TOKENS: 60, IGNORE_EOS: 1 };
    const { code, report } = await load('poisson', { TARGET: target.url, ...settings });
    expect(code).toBe(0);
    const { answered, refused } = report.total.outcomes;
    expect(refused).toBeGreaterThan(0);
    expect(answered + refused).toBe(90);
    expect(report.reasons).toEqual([{ outcome: 'refused', reason: 'queue_full', count: refused }]);
    expect(await counted(target, 'ragscale_rejected_total', { reason: 'queue_full' })).toBe(refused);
    expect(await counted(target, REQUESTS, { route: '/rag', status: '429' })).toBe(refused);
  });

  it('streams that the server breaks off are broken, not failed', async () => {
    const target = await pod();
    const settings = { RATES: 4, REQUESTS: 8, STREAM: 1, MAX_TOKENS: 400, IGNORE_EOS: 1 };
    // After a stream's head and before its end: how long those take depends on what else the machine does.
    const runs: Report[] = [];
    for (const DEADLINE of ['150ms', '400ms', '1s', '3s']) {
      runs.push((await load('poisson', { TARGET: target.url, ...settings, DEADLINE })).report);
      if (runs.at(-1)!.total.outcomes.broken > 0) break;
    }
    for (const { total } of runs) expect(total).toMatchObject({ sent: 8, outcomes: { failed: 0 } });
    const { reasons, total } = runs.at(-1)!;
    expect(total.outcomes.broken).toBeGreaterThan(0);
    expect(reasons.filter(({ outcome }) => outcome === 'broken')).toEqual([
      { outcome: 'broken', reason: 'deadline_exceeded', count: total.outcomes.broken },
    ]);
  });

  it('a server that dies in the middle: every request is accounted for, and the run has failed', async () => {
    const target = await pod();
    const watch = setInterval(() => {
      const answers = target.log.filter(({ msg, status }) => msg === 'request' && status === 200);
      if (answers.length >= 20) target.child.kill('SIGKILL');
    }, 20);
    const { code, report } = await load('poisson', { TARGET: target.url, RATES: 10, REQUESTS: 80 });
    clearInterval(watch);
    expect([code, report.passed]).toEqual([99, false]);
    const { answered, refused, failed } = report.total.outcomes;
    // An answer that the server has logged may not have reached anybody when it dies.
    expect(answered).toBeGreaterThan(10);
    expect(failed).toBeGreaterThan(0);
    expect(answered + refused + failed).toBe(80);
    const losses = report.reasons.filter(({ outcome }) => outcome === 'failed');
    expect(losses.every(({ reason }) => reason.startsWith('connection_'))).toBe(true);
    expect(losses.reduce((sum, { count }) => sum + count, 0)).toBe(failed);
  });

  it('requests arrive when they are due, by the clock of who gets them', async () => {
    const arrivedMs: number[] = [];
    using target = await listening((request, response) => {
      if (request.method === 'POST') arrivedMs.push(performance.now());
      response.end('{"result":"","sources":[]}');
    });
    const settings = { TARGET: target.url, RATES: 20, REQUESTS: 100, SEED: 7 };
    expect((await load('poisson', settings)).code).toBe(0);
    expect(arrivedMs).toHaveLength(100);
    const dueMs = poissonArrivals(20, { requests: 100 }, seededRandom(7, 10));
    // Half of them: the machine may be busy with something else for a while.
    const offMs = arrivedMs.map((at, index) => at - dueMs[index]!).sort((a, b) => a - b);
    expect(offMs[75]! - offMs[25]!).toBeLessThan(100);
  });

  it('too few virtual users are found out', async () => {
    using slow = await listening((_, response) => {
      setTimeout(() => response.end('{"result":"","sources":[]}'), 1_000);
    });
    const { code, report } = await load('ideal', { TARGET: slow.url, RATES: 5, REQUESTS: 10, VUS: 2 });
    expect([code, report.passed]).toEqual([99, false]);
    expect(report.generator.late).toBeGreaterThan(5);
    expect(report.total.outcomes.answered).toBe(10);
  });

  it('answers that are none, and streams that just stop, have failed', async () => {
    using broken = await listening((_, response) => {
      response.setHeader('content-type', 'text/event-stream');
      response.end('event: token\ndata: {"text":"a"}\n\n');
    });
    const { code, report } = await load('smoke', { TARGET: broken.url, STREAM: 1 });
    expect([code, report.reasons]).toEqual([99, [{ outcome: 'failed', reason: 'stream_cut', count: 10 }]]);
    const whole = await load('smoke', { TARGET: broken.url });
    expect([whole.code, whole.report.reasons]).toEqual([
      99,
      [{ outcome: 'failed', reason: 'not_an_answer', count: 10 }],
    ]);
  });

  it('nobody there, and settings that are wrong, end a run before it begins', async () => {
    const nobody = await load('poisson', { TARGET: 'http://127.0.0.1:9' });
    expect(nobody.code).not.toBe(0);
    expect(nobody.output).toContain('nobody answers at http://127.0.0.1:9');
    const wrong = await load('poisson', { TARGET: 'somewhere', RATES: 'fast' });
    expect(wrong.code).not.toBe(0);
    expect(wrong.output).toContain('TARGET=somewhere: original, load_balancer_round_robin or a URL is expected');
    expect(wrong.output).toContain('RATES=fast');
    const missing = await load('trace', { TRACE: 'nowhere.csv' });
    expect(missing.output).toContain(
      `TRACE=nowhere.csv: there is no such file (looked for ${scratch}/nowhere.csv and nowhere.csv)`,
    );
  });

  it('questions are those of a file', async () => {
    writeFileSync(path.join(scratch, 'mine.txt'), '# mine\nFirst?\nSecond?\n');
    const asked: string[] = [];
    using target = await listening((request, response) => {
      let body = '';
      request.on('data', (part) => {
        body += part;
      });
      request.on('end', () => {
        if (request.method === 'POST') asked.push(JSON.parse(body).query);
        response.end('{"result":"","sources":[]}');
      });
    });
    const { code } = await load('smoke', { TARGET: target.url, QUESTIONS: 'mine.txt' });
    expect(code).toBe(0);
    expect(asked.toSorted()).toEqual([...Array(5).fill('First?'), ...Array(5).fill('Second?')]);
  });
});
