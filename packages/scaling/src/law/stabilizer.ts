/** What has been recommended lately? A moment of less load takes nothing away, and a restart neither. */

/** HPA's stabilization: down only to the most of a window, up only to the least. Seeded with what there was at the beginning. */
export class Stabilizer {
  readonly #records: { at: number; replicas: number }[];

  constructor(now: number, replicas: number) {
    this.#records = [{ at: now, replicas }];
  }

  /** @param keepMs how long a record may be asked for */
  record(now: number, replicas: number, keepMs: number): void {
    this.#records.push({ at: now, replicas });
    let gone = 0;
    while (gone < this.#records.length - 1 && this.#records[gone]!.at < now - keepMs) gone += 1;
    if (gone > 0) this.#records.splice(0, gone);
  }

  most(now: number, windowMs: number): number {
    return this.#within(now, windowMs).reduce((most, { replicas }) => Math.max(most, replicas), 0);
  }

  least(now: number, windowMs: number): number {
    return this.#within(now, windowMs).reduce(
      (least, { replicas }) => Math.min(least, replicas),
      Number.POSITIVE_INFINITY,
    );
  }

  #within(now: number, windowMs: number): readonly { replicas: number }[] {
    return this.#records.filter(({ at }) => at >= now - windowMs);
  }
}
