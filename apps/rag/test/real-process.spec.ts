/** The pod as it is started in production: its own process, real models, real signals. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PodProcess, runToEnd, startProcess } from '../../../test/support/pod-process.ts';
import { sendRaw, until } from './pod-fixture.ts';

const QUESTION = 'Which animals can hover in the air?';

describe('a pod with the embedded models', () => {
  let pod: PodProcess;
  beforeAll(async () => {
    pod = await startProcess();
  });
  afterAll(() => pod.stop());

  it('answers the first question of the project from the right document', async () => {
    const response = await pod.post({ query: QUESTION });
    expect(response.status).toBe(200);
    const { result, sources } = (await response.json()) as { result: string; sources: { id: string; text: string }[] };
    expect(result).toMatch(/hummingbirds/i);
    expect(sources[0]).toMatchObject({
      id: 'hummingbirds#1',
      text: 'Hummingbirds can hover in mid-air by rapidly flapping their wings.',
    });
    expect(sources).toHaveLength(2);
  });

  it('repeats its answers', async () => {
    const answers = await Promise.all([1, 2, 3].map(async () => (await pod.post({ query: QUESTION })).text()));
    expect(new Set(answers).size).toBe(1);
  });

  it('survives bad input of every kind', async () => {
    const bad: unknown[] = [
      {},
      { query: '' },
      { query: 1 },
      { query: 'a', k: 0 },
      { query: 'a', k: 1e9 },
      { query: 'a', x: 1 },
      { query: 'word '.repeat(1_500) },
    ];
    for (const body of bad) expect((await pod.post(body)).status, JSON.stringify(body)).toBe(400);
    expect((await pod.post({ query: 'a'.repeat(1024 * 1024) })).status).toBe(413);
    expect((await pod.post({ query: 'a' }, { 'content-type': 'text/plain' })).status).toBe(415);
    expect(await sendRaw(pod.port, 'garbage\r\n\r\n')).toMatch(/^HTTP\/1.1 400 .*malformed_http/s);
    expect((await pod.post({ query: QUESTION })).status).toBe(200);
  });

  it('keeps to the deadline while it generates', async () => {
    const response = await pod.post({ query: QUESTION }, { 'x-request-timeout-ms': '1' });
    expect(response.status).toBe(504);
    expect((await pod.post({ query: QUESTION })).status).toBe(200);
  });

  it('holds its memory over 2,000 requests', { timeout: 600_000 }, async () => {
    const ask = async (count: number): Promise<void> => {
      for (let index = 0; index < count; index += 1) {
        const response = await pod.post({ query: `Question ${index}: ${QUESTION}`, max_tokens: 1 });
        expect(response.status).toBe(200);
        await response.arrayBuffer();
      }
    };
    await ask(500);
    const before = await residentBytes(pod);
    await ask(2_000);
    // A leak of one prompt's buffers per request would be hundreds of megabytes; V8's heap breathes by tens.
    expect((await residentBytes(pod)) - before).toBeLessThan(64 * 1024 * 1024);
  });
});

async function residentBytes(pod: PodProcess): Promise<number> {
  const text = await (await fetch(`${pod.url}/metrics`)).text();
  return Number(/^process_resident_memory_bytes (\d+)$/m.exec(text)?.[1]);
}

describe('a signal', () => {
  it('lets running and waiting requests finish, and the process end with 0', async () => {
    const pod = await startProcess();
    const answers = Array.from({ length: 5 }, () => pod.post({ query: QUESTION }));
    await until(async () =>
      /requests_waiting{variant="baseline"} [34]/.test(await (await fetch(`${pod.url}/metrics`)).text()),
    );
    expect(await pod.stop()).toBe(0);
    expect((await Promise.all(answers)).map((response) => response.status)).toEqual([200, 200, 200, 200, 200]);
    expect(pod.log.at(-1)).toMatchObject({ aborted: 0 });
  });

  it('during the start ends the process with 0', async () => {
    const pod = await startProcess({
      onLine: (line, child) => {
        if (line.msg === 'models are loaded') child.kill('SIGTERM');
      },
    }).catch((error: Error) => error.message);
    expect(pod).toMatch(/^the pod ended with 0 /);
  });

  it('given twice ends the process at once', async () => {
    const pod = await startProcess({ env: { DRAIN_DELAY_MS: '600000' } });
    const exited = once(pod.child, 'exit');
    pod.child.kill('SIGTERM');
    await until(() => pod.log.some((line) => line.msg === 'shutting down'));
    pod.child.kill('SIGTERM');
    expect((await exited)[0]).toBe(1);
  });
});

describe('a pod that cannot start', () => {
  it('lists every bad variable and ends with 1', async () => {
    const { code, errors } = await runToEnd({ PORT: 'eighty', OBJECTIVE: '2', RAG_GENERATOR: 'nowhere' });
    expect(code).toBe(1);
    expect(errors).toContain('PORT="eighty": must be an integer from 0 to 65535');
    expect(errors).toContain('OBJECTIVE="2": must be a duration');
    expect(errors).toContain('RAG_GENERATOR="nowhere": must be `embedded`');
    expect(errors).not.toContain(' at ');
  });

  it('names PORT when it is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { code, errors } = await runToEnd({ PORT: String(port) });
    other.close();
    expect([code, errors]).toEqual([1, `the port ${port} is taken by another process: set PORT to a free one\n`]);
  });

  it('tells of a context that the model does not have', async () => {
    const { code, errors } = await runToEnd({ CONTEXT: '100000' });
    expect(code).toBe(1);
    expect(errors).toMatch(/^.*100000.*\n$/);
  });

  it('names the documents that it cannot use', async () => {
    expect(await runToEnd({ DOCUMENTS: 'package.json' })).toEqual({
      code: 1,
      errors: 'package.json is neither of .txt, .md, .jsonl\n',
    });
  });
});
