/**
 * Does `helm install` without a single value give a system that answers, and do the commands that follow work as they are printed? Then: is
 * it measured, is it closed, and is nothing left when it goes?
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missingTools, REPOSITORY } from '../chart/tools.ts';
import { checkMonitoring } from './checks/monitoring.ts';
import { checkSecurity } from './checks/security.ts';
import { checkCrdGoes, checkUninstall } from './checks/uninstall.ts';
import { cluster, isReady, noCluster } from './support/cluster.ts';
import { commandIn, during, type } from './support/documented.ts';
import { createNamespace, removeNamespace } from './support/namespace.ts';
import { type Names, objectsOf, objectsOfCluster } from './support/objects.ts';
import { HOVER, question } from './support/question.ts';
import { installRelease, type Release } from './support/release.ts';
import { waitFor } from './support/wait-for.ts';

const missing = noCluster ?? missingTools('helm4');
const README = readFileSync(path.join(REPOSITORY, 'README.md'), 'utf8');

describe.skipIf(missing)(`helm install with no values${missing ? ` (${missing})` : ''}`, () => {
  let release: Release;
  let before: Names;

  beforeAll(async () => {
    const namespace = await createNamespace('install');
    before = { namespace: await objectsOf(namespace), cluster: await objectsOfCluster() };
    release = await installRelease({ namespace, small: false });
  });
  afterAll(async () => {
    await release?.close();
    if (release) await removeNamespace(release.namespace);
  });

  it('is admitted without a warning, and runs what it says', async () => {
    expect(release.warnings).toBe('');
    const pods = await cluster().pods(release.namespace);
    const parts = pods.filter(isReady).map(({ metadata }) => metadata.labels?.['app.kubernetes.io/component']);
    expect(parts.sort()).toEqual(['autoscaler', 'autoscaler', 'batched', 'batched', 'prometheus', 'proxy', 'proxy']);
    const restarts = pods.map(({ status }) => status.containerStatuses?.[0]?.restartCount);
    expect(restarts).toEqual(pods.map(() => 0));
  });

  it("answers the README's question by the commands that Helm printed", async () => {
    const notes = release.output;
    expect(await type(commandIn(notes, /rollout status/))).toContain('successfully rolled out');
    const curl = commandIn(notes, /^curl/);
    expect(curl).toBe(commandIn(README, /^curl -X .*hover in the air\?"}'$/));
    const streamed = commandIn(README, /^curl -N .*"stream": true/);
    await during(commandIn(notes, /port-forward service\/ragscale-proxy 9000/), 9000, async () => {
      const { query, result, sources } = JSON.parse(await type(curl));
      expect(query).toBe(HOVER);
      expect(result).toMatch(/hummingbird/i);
      expect(sources[0]).toEqual({
        id: 'hummingbirds#1',
        score: expect.any(Number),
        text: expect.stringMatching(/hover/),
      });
      const events = (await type(streamed)).split('\n').filter((line) => line.startsWith('event: '));
      expect(events.length).toBeGreaterThan(3);
      expect([...new Set(events)]).toEqual(['event: sources', 'event: token', 'event: done']);
    });
  });

  it('says where the time went, and who answered', async () => {
    const { status, headers } = await question(await release.proxyUrl());
    expect(status).toBe(200);
    const stages = headers
      .get('server-timing')
      ?.split(', ')
      .map((stage) => stage.split(';')[0]);
    expect(stages).toEqual(
      expect.arrayContaining(['queue', 'embed', 'retrieve', 'prefill', 'decode', 'total', 'proxy-wait']),
    );
    expect(headers.get('x-ragscale-variant')).toBe('batched');
    expect(headers.get('x-request-id')).toMatch(/./);
  });

  it('passes helm test, which shows the answer and leaves no pod', async () => {
    const said = await type(commandIn(release.output, /^helm test/));
    expect(said).toMatch(/Phase: +Succeeded/);
    expect(said).toMatch(/hummingbird/i);
    const names = (await cluster().pods(release.namespace)).map(({ metadata }) => metadata.name);
    expect(names.filter((name) => name.endsWith('-test'))).toEqual([]);
  });

  it('has an autoscaler that is in charge, and reads like an HPA', async () => {
    const command = commandIn(release.output, /get las --watch/).replace(' --watch', '');
    const row = /^ragscale-batched +ragscale-batched +2s +(\d+(\.\d+)?% +)?2 +10 +2 +2 +\S+ +\S+$/;
    const rows = await waitFor(
      'the table shows what there is',
      async () => {
        const lines = (await type(command)).trim().split('\n');
        if (!row.test(lines[1] ?? '')) throw new Error(lines.join('\n'));
        return lines;
      },
      { namespace: release.namespace },
    );
    expect(rows).toHaveLength(2);
    expect(rows[0]?.split(/ +/)).toEqual([
      'NAME',
      'REFERENCE',
      'OBJECTIVE',
      'GOOD',
      'MINPODS',
      'MAXPODS',
      'REPLICAS',
      'DESIRED',
      'REASON',
      'AGE',
    ]);
  });

  checkSecurity(() => release);
  checkMonitoring(() => release);
  checkUninstall(
    'helm4',
    () => release,
    () => before,
  );
  checkCrdGoes(() => before);
});
