/** Which rows of an answer belong to one target, or to one of its pods? */
import type { Row } from './prometheus-answer.ts';

export function routeOf(row: Row): string | undefined {
  return row.labels.route || undefined;
}

/** Of the metrics of pods; a proxy is a pod too, and its rows have a route. */
export function podOf({ labels }: Row): string | undefined {
  return labels.route || labels.instance ? undefined : labels.pod || undefined;
}

/** Rows by namespace and name; a target without a namespace, of a local system, takes those of its name wherever they are. */
export class VectorIndex {
  readonly #byKey = new Map<string, Row[]>();

  /** @param nameOf undefined for a row that is nobody's */
  constructor(rows: Iterable<Row>, nameOf: (row: Row) => string | undefined) {
    for (const row of rows) {
      const name = nameOf(row);
      if (name === undefined) continue;
      const namespace = row.labels.namespace ?? '';
      this.#add(keyOf('', name), row);
      if (namespace !== '') this.#add(keyOf(namespace, name), row);
    }
  }

  all(namespace: string, name: string): readonly Row[] {
    return this.#byKey.get(keyOf(namespace, name)) ?? [];
  }

  /** @returns undefined where there is none, 'several' where it is not clear which one is meant */
  one(namespace: string, name: string): number | undefined | 'several' {
    const rows = this.all(namespace, name);
    return rows.length > 1 ? 'several' : rows[0]?.value;
  }

  #add(key: string, row: Row): void {
    const rows = this.#byKey.get(key);
    if (rows === undefined) this.#byKey.set(key, [row]);
    else rows.push(row);
  }
}

/** No name of Kubernetes or of a route has a line break in it. */
function keyOf(namespace: string, name: string): string {
  return `${namespace}\n${name}`;
}
