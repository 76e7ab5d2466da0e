/** When have documents changed? Looks at them again and again: no file system tells of every change, least of all one on a network. */
import type { Clock } from '@ragscale/service/clock';

export interface DocumentWatchOptions {
  /** What they look like now: another word for each state. */
  readonly fingerprint: () => Promise<string>;
  /** As they were when they were taken the last time. */
  readonly taken: string;
  readonly intervalMs: number;
  readonly clock: Clock;
  /** Called when they have changed and been the same twice: whoever writes many files is not done after the first. Never rejects. */
  readonly onChange: (signal: AbortSignal) => Promise<void>;
}

export class DocumentWatch {
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;

  /** Looks from now on. */
  constructor(options: DocumentWatchOptions) {
    this.#running = this.#run(options);
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  async #run({ fingerprint, taken, intervalMs, clock, onChange }: DocumentWatchOptions): Promise<void> {
    const { signal } = this.#ending;
    let last = taken;
    for (let inUse = taken; ; ) {
      await clock.sleep(intervalMs, signal);
      if (signal.aborted) return;
      const now = await fingerprint();
      if (now !== inUse && now === last) {
        inUse = now;
        await onChange(signal);
      }
      last = now;
    }
  }
}
