import { describe, expect, it } from 'vitest';
import { readConfiguration, withArguments } from './configuration.ts';
import { renderConfigurationPage } from './configuration-documentation.ts';

describe('the configuration', () => {
  it('needs nothing', () => {
    expect(readConfiguration({})).toMatchObject({
      port: 8000,
      host: '0.0.0.0',
      variant: 'batched',
      passageTokens: 96,
      objectiveSeconds: 2,
      documents: undefined,
      maxQueuedRequests: 256,
      maxQueuedTokens: 262_144,
      slots: 16,
      maxBatchSize: 32,
      maxWaitingSeconds: 0,
      prefillTokens: 256,
      prefixSharing: 'on',
      embeddingCacheMb: 16,
      shareEmbeddings: 'on',
    });
  });

  it('takes a waiting time with its unit, and without as seconds', () => {
    for (const [given, seconds] of [
      ['0.5', 0.5],
      ['20ms', 0.02],
      ['10s', 10],
      ['0', 0],
    ] as const) {
      expect(readConfiguration({ MAX_WAITING_TIME: given }).maxWaitingSeconds).toBe(seconds);
    }
    for (const given of ['11', '1..5', '1h', '-1', '.'])
      expect(() => readConfiguration({ MAX_WAITING_TIME: given })).toThrow('MAX_WAITING_TIME');
  });

  it('has one slot in the baseline', () => {
    expect(readConfiguration({ VARIANT: 'baseline' }).slots).toBe(1);
    expect(readConfiguration({ SLOTS: '4' }).slots).toBe(4);
    expect(() => readConfiguration({ VARIANT: 'baseline', SLOTS: '4', MAX_REQUEST_TIMEOUT_MS: '1000' })).toThrow(
      /REQUEST_TIMEOUT_MS=60000.*\n.*SLOTS=4: VARIANT=baseline answers one question at a time; unset SLOTS, or set VARIANT=batched/,
    );
  });

  it('takes the variant from the command line first', () => {
    const env = { VARIANT: 'baseline', PORT: '1' };
    expect(withArguments(['--variant', 'batched'], env)).toEqual({ VARIANT: 'batched', PORT: '1' });
    expect(withArguments([], env)).toBe(env);
    expect(() => withArguments(['--port=1'], env)).toThrow("'--port'");
  });

  it('lists every bad variable at once', () => {
    const env = {
      PORT: 'http',
      VARIANT: 'fast',
      RAG_EMBEDDER: 'e5',
      RAG_GENERATOR: 'openai:somewhere',
      RAG_PRECISION: 'w2',
      RAG_DEVICE: 'gpu',
      DOCUMENTS: 'nowhere',
      SLOTS: '257',
      MAX_BATCH_SIZE: '0',
      MAX_WAITING_TIME: '11s',
      PREFILL_TOKENS: '8',
      PREFIX_SHARING: 'yes',
      EMBEDDING_CACHE_MB: '-1',
      SHARE_EMBEDDINGS: '1',
      MAX_QUEUED_REQUESTS: '100001',
      MAX_QUEUED_TOKENS: 'many',
      OBJECTIVE: 'soon',
      LOG_LEVEL: 'loud',
    };
    const message = (() => {
      try {
        readConfiguration(env);
        return '';
      } catch (error) {
        return (error as Error).message;
      }
    })();
    for (const [name, value] of Object.entries(env)) expect(message).toContain(`${name}="${value}": must be `);
    expect(message).toContain('RAG_DEVICE="gpu": must be one of cpu, cuda, auto');
    expect(message).toContain('SLOTS="257": must be an integer from 1 to 256');
  });

  it('wants the default deadline between the lowest and the highest', () => {
    expect(() => readConfiguration({ MAX_REQUEST_TIMEOUT_MS: '1000' })).toThrow(
      'REQUEST_TIMEOUT_MS=60000: must lie between MIN_REQUEST_TIMEOUT_MS=1 and MAX_REQUEST_TIMEOUT_MS=1000',
    );
  });

  it('is what docs/configuration.md says', async () => {
    await expect(renderConfigurationPage()).toMatchFileSnapshot('../../../docs/configuration.md');
  });
});
