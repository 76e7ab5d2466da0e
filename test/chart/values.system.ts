/** Which values does the chart take? What is wrong with others is said by name, by both Helms; what is right is documented. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { CHART, HELMS, missingTools, type RenderOptions, template } from './tools.ts';

const missing = missingTools('helm3', 'helm4');

describe.skipIf(missing)(`the values${missing ? ` (${missing})` : ''}`, () => {
  describe('are refused by name:', () => {
    it.each<[string, RenderOptions['values'], string]>([
      [
        'a value that is not known',
        { 'variants.batched.wieght': 3 },
        "at '/variants/batched': additional properties 'wieght' not allowed",
      ],
      [
        'a variant that is not known',
        { 'variants.fast': { enabled: true } },
        "at '/variants': additional properties 'fast' not allowed",
      ],
      [
        'slots of the baseline',
        { 'variants.baseline.slots': 4 },
        "at '/variants/baseline': additional properties 'slots' not allowed",
      ],
      ['an objective that is no duration', { 'objective.latency': '2 s' }, "at '/objective/latency'"],
      ['a percentile out of range', { 'objective.percentile': 100 }, "at '/objective/percentile'"],
      ['a number in words', { 'proxy.replicas': 'two' }, "at '/proxy/replicas': got string, want integer"],
      ['a policy that is not known', { 'proxy.policy': 'random' }, "at '/proxy/policy'"],
      ['a source of models that is not known', { 'models.source': 'hub' }, "at '/models/source'"],
      [
        'a document of another kind',
        { documents: { source: 'files', files: { 'a.pdf': 'x' } } },
        "at '/documents/files'",
      ],
      ['a URL that is none', { 'prometheus.url': 'prometheus:9090' }, "at '/prometheus/url'"],
      ['a digest that is none', { 'proxy.image.digest': 'latest' }, "at '/proxy/image/digest'"],
      ['a list as environment', { 'pod.env': [{ name: 'A', value: 'b' }] }, "at '/pod/env': got array, want object"],
      ['an environment entry that is not known', { 'pod.env': { A: { secret: 'b' } } }, "at '/pod/env/A'"],
      ['no variant', { 'variants.batched.enabled': false }, 'variants: enable batched, baseline or both'],
      ['weights of 0', { 'variants.batched.weight': 0 }, 'variants.*.weight'],
      [
        'more pods at least than at most',
        { 'variants.batched.autoscaling.minReplicas': 20 },
        'variants.batched.autoscaling: maxReplicas',
      ],
      [
        'replicas beside an autoscaler',
        { 'variants.batched.replicas': 3 },
        'variants.batched.replicas: the autoscaler sets',
      ],
      ['deadlines the wrong way round', { 'requests.longestSeconds': 10 }, 'requests.longestSeconds'],
      [
        'models that the image does not have',
        { 'models.generator': 'opt-125m' },
        'models.source: the image has the embedded models alone',
      ],
      ['a claim without a name', { 'models.source': 'claim' }, 'models.claim.name'],
      ['a pull without a command', { 'models.source': 'pull' }, 'models.pull: image and command'],
      ['a volume without a reference', { 'models.source': 'volume' }, 'models.volume.reference'],
      ['documents of nothing', { 'documents.source': 'files' }, 'documents.files: is needed'],
      ['documents that are not used', { 'documents.files': { 'a.txt': 'x' } }, 'documents.files: is not used'],
      ['a ConfigMap without a name', { 'documents.source': 'configMap' }, 'documents.configMap.name'],
      ['documents of a claim without a name', { 'documents.source': 'claim' }, 'documents.claim.name'],
      ['documents of no image', { 'documents.source': 'init' }, 'documents.init: image and command'],
      ['no Prometheus at all', { 'prometheus.bundled.enabled': false }, 'prometheus.url: is needed by the autoscaler'],
      [
        'everything measured twice',
        { 'monitoring.podMonitor.enabled': true, 'monitoring.serviceMonitor.enabled': true },
        'podMonitor and serviceMonitor together',
      ],
      ['an Ingress for nobody', { 'proxy.ingress.enabled': true }, 'proxy.ingress.hosts'],
      ['an HTTPRoute of no gateway', { 'proxy.httpRoute.enabled': true }, 'proxy.httpRoute.parentRefs'],
      ['all namespaces but its own', { 'autoscaler.namespaces': ['a'] }, 'autoscaler.namespaces: name rag as well'],
      ['all namespaces and one', { 'autoscaler.namespaces': ['*', 'a'] }, 'autoscaler.namespaces: * stands alone'],
    ])('%s', (_, values = {}, words) => {
      for (const helm of HELMS) {
        const { ok, errors } = template({ helm, values });
        expect(ok).toBe(false);
        expect(errors).toContain(words);
      }
    });

    it('an image volume where Kubernetes has none', () => {
      const values = { 'models.source': 'volume', 'models.volume.reference': 'a/b:1' };
      expect(template({ values, kubernetes: 'v1.34.0' }).errors).toContain(
        'models.source: volume takes Kubernetes 1.35 or later',
      );
      expect(template({ values, kubernetes: 'v1.35.0' }).ok).toBe(true);
    });
  });

  it('are documented, every one', () => {
    const lines = readFileSync(path.join(CHART, 'values.yaml'), 'utf8').split('\n');
    // What Kubernetes users know by heart, and what the comment of the level above says.
    const known =
      /^\s*(nodeSelector|tolerations|affinity|annotations|labels|resources|enabled|interval|className|tag|question):/;
    const bare = lines.filter((line, number) => {
      const isLeaf = /^ *[A-Za-z]+: *\S/.test(line) && !/^ *(requests|limits): \{/.test(line);
      return isLeaf && !known.test(line) && !/^\s*# /.test(lines[number - 1] ?? '');
    });
    expect(bare).toEqual([]);
    expect(lines.length).toBeGreaterThan(200);
  });
});
