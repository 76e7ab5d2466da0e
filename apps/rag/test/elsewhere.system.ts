/** A pod whose answers `transformers serve` writes: a real server of OpenAI's API that is not ours, with a small random model. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startProcess } from '../../../test/support/pod-process.ts';

const server = path.join(process.env.RAGSCALE_CACHE ?? path.join(homedir(), '.cache/ragscale'), 'generator-server');
const model = path.join(server, 'model');
const isThere = existsSync(path.join(server, '.built'));
const NAME = isThere
  ? 'transformers serve'
  : 'transformers serve (missing: test/system/generator-server/build.sh makes it)';

const QUESTION = { query: 'Which animals can hover in the air?', k: 1, max_tokens: 12 };

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

describe.skipIf(!isThere)(NAME, () => {
  const home = mkdtempSync(path.join(tmpdir(), 'ragscale-serve-'));
  let child: ChildProcess;
  let origin: string;
  let said = '';

  beforeAll(async () => {
    // It lists what is in the cache of the hub, and fails where there is none.
    mkdirSync(path.join(home, 'hub'));
    const port = await freePort();
    origin = `http://127.0.0.1:${port}`;
    const args = ['-m', 'transformers.cli.transformers', 'serve', model, '--device', 'cpu', '--host', '127.0.0.1'];
    child = spawn(path.join(server, 'bin/python'), [...args, '--port', String(port)], {
      env: { ...process.env, HF_HOME: home, HF_HUB_OFFLINE: '1', OMP_NUM_THREADS: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const output of [child.stdout, child.stderr]) output?.on('data', (part) => (said += String(part)));
    while (!(await fetch(`${origin}/health`).catch(() => undefined))?.ok) {
      if (child.exitCode !== null) throw new Error(`transformers serve ended: ${said}`);
      await delay(200);
    }
  });
  afterAll(() => {
    child.kill('SIGKILL');
    rmSync(home, { recursive: true });
  });

  const podOn = (address: string, env: Record<string, string> = {}) =>
    startProcess({ env: { VARIANT: 'batched', SLOTS: '2', RAG_GENERATOR: `openai:${address}`, ...env } });

  /** What it answers to the same, asked directly and whole. */
  async function directly(endpoint: string, body: object): Promise<string> {
    const response = await fetch(`${origin}/v1/${endpoint}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model, max_tokens: QUESTION.max_tokens, temperature: 0, ...body }),
    });
    const { choices } = (await response.json()) as { choices: { text?: string; message?: { content: string } }[] };
    return (choices[0]?.text ?? choices[0]?.message?.content ?? '').trim();
  }

  it('writes in its chat what the pod answers, whole and streamed', async () => {
    const pod = await podOn(`${origin}/v1#${model}`);
    try {
      const whole = (await (await pod.post(QUESTION)).json()) as {
        result: string;
        sources: { text: string }[];
        usage?: unknown;
      };
      const [{ text = '' } = {}] = whole.sources;
      const expected = await directly('chat/completions', {
        messages: [
          { role: 'system', content: 'Answer the question in a few words, from the context alone.' },
          { role: 'user', content: `Context:\n- ${text}\n\nQuestion: ${QUESTION.query}` },
        ],
      });
      expect(expected).not.toBe('');
      expect(whole.result).toBe(expected);
      const streamed = await (await pod.post({ ...QUESTION, stream: true })).text();
      const pieces = [...streamed.matchAll(/event: token\ndata: (.*)\n/g)].map(
        ([, data = '{}']) => JSON.parse(data).text,
      );
      expect(pieces.join('')).toBe(expected);
      expect(pieces.length).toBeGreaterThan(1);
      expect(streamed).toMatch(/event: done\ndata: .*"completion_tokens":12/);
    } finally {
      await pod.stop();
    }
  });

  it('writes by its endpoint for completions', async () => {
    const pod = await podOn(`${origin}/v1/completions#${model}`);
    try {
      const whole = (await (await pod.post(QUESTION)).json()) as { result: string; sources: { text: string }[] };
      const prompt = `Question: ${QUESTION.query}\nContext:\n${whole.sources[0]?.text}\nAnswer:`;
      expect(whole.result).toBe(await directly('completions', { prompt }));
    } finally {
      await pod.stop();
    }
  });

  it('is left alone by a client that goes, and answers the next', async () => {
    const pod = await podOn(`${origin}/v1`, { RAG_GENERATOR_MODEL: model });
    try {
      const leaving = new AbortController();
      const response = await fetch(`${pod.url}/rag`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...QUESTION, max_tokens: 1_500, stream: true }),
        signal: leaving.signal,
      });
      const reader = response.body?.getReader();
      await reader?.read();
      leaving.abort();
      const running = async () => /ragscale_requests_running\{[^}]*\} (\d+)/.exec(await metricsOf(pod.url))?.[1];
      while ((await running()) !== '0') await delay(20);
      expect((await pod.post(QUESTION)).status).toBe(200);
    } finally {
      await pod.stop();
    }
  });

  it('is told of, not the pod to blame, when it ends: the pod stays ready', async () => {
    const pod = await podOn(`${origin}/v1#${model}`);
    try {
      child.kill('SIGKILL');
      await new Promise((resolve) =>
        (child.exitCode ?? child.signalCode) !== null ? resolve(0) : child.once('exit', resolve),
      );
      const response = await pod.post(QUESTION);
      expect([response.status, await response.json()]).toMatchObject([
        503,
        { error: { code: 'generator_unavailable' } },
      ]);
      expect((await fetch(`${pod.url}/readyz`)).status).toBe(200);
    } finally {
      await pod.stop();
    }
  });
});

async function metricsOf(url: string): Promise<string> {
  return (await fetch(`${url}/metrics`)).text();
}
