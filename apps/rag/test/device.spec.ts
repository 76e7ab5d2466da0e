/** What a pod says of the device that its models run on. */
import { cudaProviderFile } from '@ragscale/inference/ort-files';
import { describe, expect, it } from 'vitest';
import { runToEnd, startProcess } from '../../../test/support/pod-process.ts';
import { FakeEngine } from './fake-engine.ts';
import { startPod } from './pod-fixture.ts';

const REFUSED = 'ONNX Runtime is installed without CUDA';

const hasCuda = (() => {
  try {
    return cudaProviderFile() !== '';
  } catch {
    return false;
  }
})();

describe('a pod with CUDA', () => {
  it('says so in its log, its probe and its metrics', async () => {
    const engine = new FakeEngine();
    engine.device = { name: 'cuda', requested: 'auto' };
    await using pod = await startPod({ startEngine: async () => engine });
    expect(await (await fetch(`${pod.url}/readyz`)).json()).toEqual({ status: 'ok', device: 'cuda' });
    expect(await pod.metrics()).toContain(
      'ragscale_device_info{variant="baseline",device="cuda",requested="auto"} 1\n',
    );
    expect(pod.log.find(({ msg }) => msg === 'models are loaded')).toMatchObject({ device: 'cuda' });
    expect(pod.log.filter(({ level }) => level === 'warn' || level === 40)).toEqual([]);
  });
});

it('a pod is asked for the device of its configuration', async () => {
  const asked: unknown[] = [];
  await using _ = await startPod({
    env: { RAG_DEVICE: 'cuda' },
    startEngine: async ({ device }) => {
      asked.push(device);
      return new FakeEngine();
    },
  });
  expect(asked).toEqual(['cuda']);
});

describe.skipIf(hasCuda)('without CUDA, as a process of its own', () => {
  it('RAG_DEVICE=auto serves on the CPU: one line of the log and a metric say so', async () => {
    const pod = await startProcess({ env: { RAG_DEVICE: 'auto' } });
    try {
      const lines = pod.log.filter((line) => JSON.stringify(line).includes(REFUSED));
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatchObject({ msg: 'CUDA cannot be used: the models run on the CPU' });
      expect(pod.log.find(({ msg }) => msg === 'models are loaded')).toMatchObject({ device: 'cpu' });
      expect(await (await fetch(`${pod.url}/readyz`)).json()).toEqual({ status: 'ok', device: 'cpu' });
      expect(await (await fetch(`${pod.url}/metrics`)).text()).toContain(
        'ragscale_device_info{variant="baseline",device="cpu",requested="auto"} 1\n',
      );
      expect((await pod.post({ query: 'Which animals can hover in the air?' })).status).toBe(200);
    } finally {
      await pod.stop();
    }
  });

  it('RAG_DEVICE=cuda ends with 1 and one line: what was tried, and what to change', async () => {
    const { code, errors } = await runToEnd({ RAG_DEVICE: 'cuda' });
    expect(code).toBe(1);
    expect(errors).toMatch(/^RAG_DEVICE=cuda: the models were loaded with CUDA, which failed: [^\n]*\n$/);
    expect(errors).toContain(REFUSED);
    expect(errors).toContain(
      'run the image rag-cuda on a node with an NVIDIA driver, or set RAG_DEVICE to auto or cpu',
    );
  });

  it('another word is refused with those that are known', async () => {
    const { code, errors } = await runToEnd({ RAG_DEVICE: 'gpu' });
    expect(code).toBe(1);
    expect(errors).toContain('RAG_DEVICE="gpu": must be one of cpu, cuda, auto');
  });
});
