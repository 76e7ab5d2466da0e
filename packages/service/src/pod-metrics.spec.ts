import { describe, expect, it } from 'vitest';
import { METRICS, type MetricEntry } from './metric-catalogue.ts';
import { PodMetrics } from './pod-metrics.ts';

const stages = { queue: 10, embed: 20, retrieve: 30, prefill: 40, decode: 90 };

function create(sharesPrefixes = true): PodMetrics {
  return new PodMetrics({ variant: 'baseline', objectiveSeconds: 2, sharesPrefixes });
}

describe('metrics of a pod', () => {
  it('registers every metric that the catalogue gives to pods, and the defaults of a process', async () => {
    const text = await create().render();
    for (const { name, from } of Object.values<MetricEntry>(METRICS))
      expect(text.includes(`# TYPE ${name} `), name).toBe(from === 'pod');
    expect(text).toContain('# TYPE process_resident_memory_bytes gauge');
    expect(text).toContain('# TYPE nodejs_eventloop_lag_seconds gauge');
  });

  it('counts from zero, so that the first event is a rise', async () => {
    const text = await create().render();
    expect(text).toContain('ragscale_rejected_total{variant="baseline",reason="queue_full"} 0');
    expect(text).toContain('ragscale_tokens_total{variant="baseline",kind="generated"} 0');
    expect(text).toContain('ragscale_requests_waiting{variant="baseline"} 0');
    for (const cache of ['embedding', 'in_flight', 'prefix'])
      for (const result of ['hit', 'miss'])
        expect(text).toContain(
          `ragscale_cache_lookups_total{variant="baseline",cache="${cache}",result="${result}"} 0`,
        );
  });

  it('takes the first token at the end of prefill, and the time per token over those after it', async () => {
    const metrics = create();
    metrics.answered({ stages, promptTokens: 7, cachedTokens: 0, generatedTokens: 10 });
    const text = await metrics.render();
    expect(text).toContain('ragscale_time_to_first_token_seconds_sum{variant="baseline"} 0.1\n');
    expect(text).toContain('ragscale_time_per_output_token_seconds_sum{variant="baseline"} 0.01\n');
    expect(text).toContain('ragscale_tokens_total{variant="baseline",kind="prompt"} 7\n');
    expect(text).toContain('ragscale_stage_duration_seconds_count{variant="baseline",stage="decode"} 1\n');
  });

  it('counts no lookup where prefixes are not looked for', async () => {
    const metrics = create(false);
    metrics.answered({ stages, promptTokens: 7, cachedTokens: 0, generatedTokens: 1 });
    expect(await metrics.render()).toContain(
      'cache_lookups_total{variant="baseline",cache="prefix",result="miss"} 0\n',
    );
  });

  it('has no time per token of an answer of one token', async () => {
    const metrics = create();
    metrics.answered({ stages, promptTokens: 7, cachedTokens: 0, generatedTokens: 1 });
    expect(await metrics.render()).not.toContain('ragscale_time_per_output_token_seconds_count');
  });

  it('counts a prompt as a hit when a part of it was not computed', async () => {
    const metrics = create();
    for (const cachedTokens of [0, 5, 6])
      metrics.answered({ stages, promptTokens: 7, cachedTokens, generatedTokens: 1 });
    const text = await metrics.render();
    expect(text).toContain('ragscale_tokens_total{variant="baseline",kind="prompt"} 21\n');
    expect(text).toContain('ragscale_tokens_total{variant="baseline",kind="prompt_cached"} 11\n');
    expect(text).toContain('ragscale_cache_lookups_total{variant="baseline",cache="prefix",result="hit"} 2\n');
    expect(text).toContain('ragscale_cache_lookups_total{variant="baseline",cache="prefix",result="miss"} 1\n');
  });
});
