/** How does a test pull from a hub of its own, into a cache of its own, without waiting between attempts? */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import { HubError } from '../src/hub/hub-error.ts';
import { type Pulled, type PullOptions, pullModel } from '../src/hub/pull.ts';
import { type HubSettings, hubSettings } from '../src/hub/settings.ts';
import { bytesOf, HubServer } from './hub-server.ts';
import { scratchFolder } from './scratch-folder.ts';

export const NAME = 'org/model';
export const WEIGHTS = bytesOf(3_000_000);
export const json = (value: unknown) => ({ content: Buffer.from(JSON.stringify(value)) });

/** With files that nothing here reads. */
export const SMALL_FILES = {
  'config.json': json({ model_type: 'opt' }),
  'tokenizer.json': json({ version: '1.0' }),
  'README.md': { content: Buffer.from('# a card') },
  'flax_model.msgpack': { content: bytesOf(1000), lfs: true },
  '1_Pooling/config.json': json({ pooling_mode: 'mean' }),
};
export const MODEL = {
  ...SMALL_FILES,
  'model.safetensors': { content: WEIGHTS, lfs: true },
  'pytorch_model.bin': { content: bytesOf(99), lfs: true },
};
/** What a pull of `MODEL` brings. */
export const WANTED = ['1_Pooling/config.json', 'config.json', 'model.safetensors', 'tokenizer.json'] as const;

/** A hub and a cache for each test of a file. */
export class Hub {
  server!: HubServer;
  /** HF_HOME. */
  home = '';
  /** Milliseconds that were to be waited before attempts. */
  readonly waits: number[] = [];

  constructor() {
    beforeEach(async () => {
      this.server = await HubServer.start();
      this.home = scratchFolder();
      this.waits.length = 0;
    });
    afterEach(() => this.server.stop());
  }

  settings(environment: Record<string, string> = {}): HubSettings {
    return hubSettings({ HF_ENDPOINT: this.server.endpoint, HF_HOME: this.home, ...environment }, '/nobody');
  }

  pull(options: Partial<PullOptions> = {}): Promise<Pulled> {
    const sleep = async (ms: number) => void this.waits.push(ms);
    return pullModel({ model: NAME, settings: options.settings ?? this.settings(), sleep, ...options });
  }

  async failure(options: Partial<PullOptions> = {}): Promise<HubError> {
    const error = await this.pull(options).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(HubError);
    expect((error as HubError).message).not.toContain('\n');
    return error as HubError;
  }

  /** A file of the cache of `NAME`. */
  cached(...names: readonly string[]): string {
    return path.join(this.home, 'hub/models--org--model', ...names);
  }

  blobs(): string[] {
    return readdirSync(this.cached('blobs'));
  }
}
