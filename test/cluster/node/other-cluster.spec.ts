import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { describeOther, loadIntoOther } from './other-cluster.ts';

describe('the cluster of KUBECONFIG', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'ragscale-other-'));
  const calls = path.join(folder, 'calls');
  beforeAll(() => {
    // In place of kind: it writes down what it is told.
    writeFileSync(path.join(folder, 'kind'), `#!/bin/sh\necho "$@" >> ${calls}\n`, { mode: 0o755 });
    vi.stubEnv('PATH', `${folder}:${process.env.PATH}`);
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  it('gets images by kind if it is one of kind', () => {
    loadIntoOther(kubeconfig('kind-some-name'), ['/a/rag.tar', '/a/proxy.tar']);
    expect(readFileSync(calls, 'utf8').split('\n')).toEqual([
      'load image-archive /a/rag.tar --name some-name',
      'load image-archive /a/proxy.tar --name some-name',
      '',
    ]);
  });

  it('is not given images where it is not known how; it is said where they are', () => {
    expect(() => loadIntoOther(kubeconfig('production'), ['/a/rag.tar'])).toThrow(
      /'production'.*image\.registry.*\/a\/rag\.tar/,
    );
  });

  it('has to be there', async () => {
    await expect(describeOther('/nowhere/config')).rejects.toThrow('KUBECONFIG names no file: /nowhere/config');
    await expect(describeOther(kubeconfig('gone'))).rejects.toThrow(/does not answer: https:\/\/127\.0\.0\.1:1: /);
  });

  function kubeconfig(context: string): string {
    const config = new KubeConfig();
    config.loadFromOptions({
      clusters: [{ name: context, server: 'https://127.0.0.1:1' }],
      users: [{ name: 'user' }],
      contexts: [{ name: context, cluster: context, user: 'user' }],
      currentContext: context,
    });
    const file = path.join(folder, context);
    writeFileSync(file, config.exportConfig());
    return file;
  }
});
