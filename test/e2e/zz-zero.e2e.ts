import { it } from 'vitest';
import { cluster } from './support/cluster.ts';
import { ANSWER_TOKENS, PACED_PODS } from './support/paced-pods.ts';
import { SystemUnderLoad } from './support/system-under-load.ts';
import { waitFor } from './support/wait-for.ts';

it('zero', async () => {
  await using system = await SystemUnderLoad.install('scaling', { ...PACED_PODS, 'proxy.replicas': 1, 'autoscaler.replicas': 1, 'variants.batched.autoscaling': { minReplicas: 0, maxReplicas: 4, spec: { idleAfter: '3600s', coldStart: '3s' } } });
  const load = system.load({ maxTokens: ANSWER_TOKENS });
  for (let i = 0; i < 5; i++) {
    await system.kubectl('scale', 'deployment', 'ragscale-batched', `--replicas=${1 + (i % 3)}`);
    await system.settled('batched');
    await system.kubectl('scale', 'deployment', 'ragscale-batched', '--replicas=0');
    const start = Date.now();
    const seen: string[] = [];
    const asked: Promise<unknown>[] = [];
    let gone = 0;
    while (Date.now() - start < 14_000) {
      const at = Date.now() - start;
      asked.push(load.ask().then((r) => seen.push(`${at}: ${r.outcome} ${r.status} ${r.reason} after ${Math.round(r.durationMs)} wait ${/proxy-wait;dur=([\d.]+)/.exec(r.headers['server-timing'] ?? '')?.[1]}`)));
      await new Promise((r) => setTimeout(r, 100));
      if (!gone && (await cluster().pods(system.namespace, 'batched')).filter((p) => p.metadata.deletionTimestamp).length === 0 && at > 1000) gone = at;
    }
    await Promise.all(asked);
    console.log(`gone at ${gone}`, seen.filter((s) => !s.includes('answered')), seen.slice(0, 3), seen.slice(-3), load.account());
  }
  console.log(await system.kubectl('logs', '-l', 'app.kubernetes.io/component=proxy', '--tail=2000').then((t) => t.split('\n').filter((l) => /no_backend|"status":503/.test(l)).slice(0, 5).join('\n')));
}, 400_000);
