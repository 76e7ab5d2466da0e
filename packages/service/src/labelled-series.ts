/** Which series has a metric of one target? Kept in mind, so that those that no longer hold can be taken away. */
import type { Counter, Gauge } from 'prom-client';

/** What a series is about: a resource. */
export interface TargetLabels {
  readonly namespace: string;
  readonly name: string;
}

/** A gauge whose series differ in one more label: all those of a target are told together, and what is not told is no more. */
export class TargetGauge<Label extends string> {
  readonly #gauge: Gauge;
  readonly #label: Label;
  readonly #series = new Map<string, Set<string>>();

  constructor(gauge: Gauge<'namespace' | 'name' | Label>, label: Label) {
    this.#gauge = gauge;
    this.#label = label;
  }

  /** @param values by the value of the label; those that are undefined or no number are taken away */
  set(target: TargetLabels, values: Readonly<Record<string, number | undefined>>): void {
    const before = this.#series.get(keyOf(target)) ?? new Set();
    const after = new Set<string>();
    for (const [value, number] of Object.entries(values)) {
      if (number === undefined || Number.isNaN(number)) continue;
      after.add(value);
      this.#gauge.set(this.#labels(target, value), number);
    }
    for (const value of before) if (!after.has(value)) this.#gauge.remove(this.#labels(target, value));
    this.#series.set(keyOf(target), after);
  }

  forget(target: TargetLabels): void {
    this.set(target, {});
    this.#series.delete(keyOf(target));
  }

  #labels({ namespace, name }: TargetLabels, value: string): Record<string, string> {
    return { namespace, name, [this.#label]: value };
  }
}

/** A counter in the same way. */
export class TargetCounter<Label extends string> {
  readonly #counter: Counter;
  readonly #label: Label;
  readonly #series = new Map<string, Set<string>>();

  constructor(counter: Counter<'namespace' | 'name' | Label>, label: Label) {
    this.#counter = counter;
    this.#label = label;
  }

  /** @param by 0 only makes the series */
  add({ namespace, name }: TargetLabels, value: string, by = 1): void {
    const key = keyOf({ namespace, name });
    const values = this.#series.get(key) ?? new Set();
    this.#series.set(key, values.add(value));
    this.#counter.inc({ namespace, name, [this.#label]: value }, by);
  }

  forget({ namespace, name }: TargetLabels): void {
    const key = keyOf({ namespace, name });
    for (const value of this.#series.get(key) ?? []) this.#counter.remove({ namespace, name, [this.#label]: value });
    this.#series.delete(key);
  }
}

function keyOf({ namespace, name }: TargetLabels): string {
  return `${namespace}/${name}`;
}
