/** Which pods are there, as far as a watch tells? */
import { FleetError } from '../fleet.ts';
import { NamespacedWatch, type NamespacedWatchOptions } from './namespaced-watch.ts';
import { type Pod, podSchema } from './pod-counts.ts';
import { type LabelSelector, selects } from './selector.ts';

/** A watch that has been broken for longer is not believed: pods may have come and gone. The API server restarts in less. */
const STALE_MS = 60_000;

export type PodsOptions = Omit<NamespacedWatchOptions<Pod>, 'kind' | 'schema' | 'onChange'>;

export class Pods {
  readonly #watch: NamespacedWatch<Pod>;
  readonly #now: () => number;
  /** By namespace; the watch hands over another list when something has changed. */
  readonly #grouped = new WeakMap<readonly Pod[], ReadonlyMap<string, readonly Pod[]>>();

  constructor(options: PodsOptions) {
    this.#watch = new NamespacedWatch({ ...options, kind: { group: '/api/v1', plural: 'pods' }, schema: podSchema });
    this.#now = () => options.clock.now();
  }

  /** Resolves when each namespace was listed once, or after `stop`. */
  start(): Promise<void> {
    return this.#watch.start();
  }

  stop(): Promise<void> {
    return this.#watch.stop();
  }

  /** @throws FleetError when the pods of the namespace are not known, or have not been for a while */
  matching(namespace: string, selector: LabelSelector): readonly Pod[] {
    const pods = this.#watch.around(namespace);
    const trouble = this.#watch.troubleOf(namespace);
    if (pods === undefined || (trouble !== undefined && this.#now() - trouble.since > STALE_MS)) {
      const why = trouble?.words ?? 'they are being listed for the first time';
      throw new FleetError({ reason: 'PodsUnknown', message: `the pods of the target are not known: ${why}` });
    }
    return this.#in(namespace, pods).filter(({ metadata }) => selects(selector, metadata.labels ?? {}));
  }

  #in(namespace: string, pods: readonly Pod[]): readonly Pod[] {
    const grouped = this.#grouped.get(pods) ?? Map.groupBy(pods, ({ metadata }) => metadata.namespace);
    this.#grouped.set(pods, grouped);
    return grouped.get(namespace) ?? [];
  }
}
