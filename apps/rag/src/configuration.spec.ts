import { describe, expect, it } from 'vitest';
import { readConfiguration } from './configuration.ts';
import { renderConfigurationPage } from './configuration-documentation.ts';

describe('the configuration', () => {
  it('needs nothing', () => {
    expect(readConfiguration({})).toMatchObject({
      port: 8000,
      host: '0.0.0.0',
      variant: 'baseline',
      passageTokens: 96,
      objectiveSeconds: 2,
      documents: undefined,
    });
  });

  it('lists every bad variable at once', () => {
    const env = {
      PORT: 'http',
      VARIANT: 'fast',
      RAG_EMBEDDER: 'e5',
      RAG_GENERATOR: 'openai:http://somewhere',
      RAG_PRECISION: 'w4',
      RAG_DEVICE: 'cuda',
      DOCUMENTS: 'nowhere',
      SLOTS: '2',
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
    expect(message).toContain('RAG_DEVICE="cuda": must be one of cpu, auto');
    expect(message).toContain('SLOTS="2": must be an integer from 1 to 1');
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
