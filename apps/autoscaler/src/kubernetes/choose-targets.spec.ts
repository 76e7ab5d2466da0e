import { describe, expect, it } from 'vitest';
import { specWith } from '../../test/specs.ts';
import { chooseTargets } from './choose-targets.ts';
import { type LatencyAutoscaler, latencyAutoscalerSchema } from './latency-autoscaler.ts';

function resource(name: string, made: string, spec: unknown = specWith(), namespace = 'rag'): LatencyAutoscaler {
  const creationTimestamp = `2026-11-22T${made}Z`;
  return latencyAutoscalerSchema.parse({
    metadata: { name, namespace, uid: name, resourceVersion: '1', creationTimestamp },
    spec,
  });
}

function chosen(...resources: LatencyAutoscaler[]) {
  const { taken, refused } = chooseTargets(resources);
  return {
    taken: taken.map(({ target }) => target.id),
    refused: refused.map(({ resource: { metadata }, problem }) => `${metadata.name} ${problem.reason}`),
  };
}

describe('chooseTargets', () => {
  it('takes the older of two that scale the same, whatever their order and their names', () => {
    const [old, young] = [resource('z', '09:00:00'), resource('a', '10:00:00')];
    const expected = { taken: ['rag/z'], refused: ['a AmbiguousOwner'] };
    expect(chosen(old, young)).toEqual(expected);
    expect(chosen(young, old)).toEqual(expected);
  });

  it('goes by the name where both were made in one second', () => {
    expect(chosen(resource('b', '09:00:00'), resource('a', '09:00:00')).taken).toEqual(['rag/a']);
  });

  it('takes versions of a group for the same thing, and other kinds, groups and namespaces not', () => {
    const by = (name: string, apiVersion: string, kind: string, namespace?: string) =>
      resource(name, '09:00:00', specWith({ scaleTargetRef: { apiVersion, kind, name: 'rag' } }), namespace);
    const all = [
      by('a', 'apps/v1', 'Deployment'),
      by('b', 'apps/v1beta1', 'Deployment'),
      by('c', 'apps/v1', 'StatefulSet'),
      by('d', 'example.com/v1', 'Deployment'),
      by('e', 'apps/v1', 'Deployment', 'other'),
    ];
    expect(chosen(...all)).toEqual({ taken: ['other/e', 'rag/a', 'rag/c', 'rag/d'], refused: ['b AmbiguousOwner'] });
  });

  it('lets a younger one have what an older one cannot, for what stands in it', () => {
    const broken = resource('a', '09:00:00', { ...specWith(), mode: 'Auto' });
    expect(chosen(broken, resource('b', '10:00:00'))).toEqual({ taken: ['rag/b'], refused: ['a InvalidSpec'] });
  });
});
