import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { HandClock } from '../../../../test/support/hand-clock.ts';
import { FakeApi, refused } from '../../test/fake-api.ts';
import { Owners } from './owners.ts';

const REF = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'rag' };
const SIGNAL = new AbortController().signal;

let clock: HandClock;
let api: FakeApi;
let owners: Owners;
let lines: string[];

beforeEach(() => {
  clock = new HandClock();
  api = new FakeApi();
  lines = [];
  owners = new Owners(api, clock, pino({}, { write: (line: string) => lines.push(line) }));
});

function owned(plural: string, scaleTargetRef: unknown): void {
  const item = { metadata: { name: 'x' }, spec: { scaleTargetRef } };
  api.answer = ({ path }) => ({ items: path.endsWith(plural) ? [item] : [] });
}

function failing(status: number, plural: string): void {
  api.answer = ({ path }) => {
    if (path.endsWith(plural)) throw refused(status);
    return { items: null };
  };
}

const asked = (namespace = 'rag') => owners.refuseOthers(REF, namespace, SIGNAL);

describe('Owners', () => {
  it.each([
    ['horizontalpodautoscalers', REF, 'HorizontalPodAutoscaler x'],
    ['horizontalpodautoscalers', { ...REF, apiVersion: 'apps/v1beta1' }, 'HorizontalPodAutoscaler x'],
    ['scaledobjects', { name: 'rag' }, 'ScaledObject x'],
    ['scaledobjects', REF, 'ScaledObject x'],
  ])('refuses what %s scale: %j', async (plural, ref, name) => {
    owned(plural, ref);
    await expect(asked()).rejects.toMatchObject({
      problem: { reason: 'AmbiguousOwner', message: expect.stringContaining(`${name} scales Deployment/rag too`) },
    });
  });

  it.each([
    { ...REF, name: 'other' },
    { ...REF, kind: 'StatefulSet' },
    { ...REF, apiVersion: 'example.com/v1' },
    { kind: 'Deployment' },
    null,
  ])('does not mind %j', async (ref) => {
    owned('scaledobjects', ref);
    await expect(asked()).resolves.toBeUndefined();
  });

  it('names KEDA where KEDA made the other one', async () => {
    api.answer = () => ({ items: [{ metadata: { name: 'x' }, spec: { scaleTargetRef: REF } }] });
    await expect(asked()).rejects.toThrow('ScaledObject x');
  });

  it('lists once for all targets of a namespace, and anew after 30 s', async () => {
    owned('scaledobjects', null);
    await Promise.all([asked(), asked(), asked('other')]);
    expect(api.asked).toHaveLength(4);
    await clock.advance(29_000);
    await asked();
    expect(api.asked).toHaveLength(4);
    await clock.advance(2_000);
    await asked();
    expect(api.asked).toHaveLength(6);
  });

  it('believes what it knows for a while when it cannot list, and then no more', async () => {
    owned('scaledobjects', null);
    await asked();
    failing(500, 'horizontalpodautoscalers');
    await clock.advance(60_000);
    await expect(asked()).resolves.toBeUndefined();
    await clock.advance(300_000);
    await expect(asked()).rejects.toMatchObject({ problem: { reason: 'FailedGetOwners' } });
  });

  it('asks again at once after a failure', async () => {
    failing(500, 'horizontalpodautoscalers');
    await expect(asked()).rejects.toThrow('whether somebody else scales the target is not known');
    owned('scaledobjects', null);
    await expect(asked()).resolves.toBeUndefined();
  });

  it('needs no KEDA', async () => {
    failing(404, 'scaledobjects');
    await expect(asked()).resolves.toBeUndefined();
    expect(lines).toEqual([]);
  });

  it('says once that it may not see ScaledObjects, and goes on', async () => {
    failing(403, 'scaledobjects');
    await asked();
    await clock.advance(60_000);
    await asked();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('list on scaledobjects');
  });

  it('holds still where it may not see HorizontalPodAutoscalers', async () => {
    failing(403, 'horizontalpodautoscalers');
    await expect(asked()).rejects.toMatchObject({
      problem: { reason: 'Forbidden', message: expect.stringContaining('list on horizontalpodautoscalers') },
    });
  });
});
